#include "experiments/sweep/sweep_plan.h"

#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random/scrambled_sobol.h"

#include "experiments/sweep/axis_values.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string macro = R"(seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.1
[cell.hrs]
distribution = "lognormal"
median = "1 uS"
sigma = 0.3
[column]
rows = 9
read_voltage = "0.2 V"
)";

core::Config config_of(const std::string& sweep, std::vector<std::string> overrides = {}) {
  return core::Config::from_text(macro + sweep, "x.toml", overrides);
}

SweepPlan plan_of(const std::string& sweep) { return read_sweep_plan(config_of(sweep)); }

std::string refusal_of(const std::string& sweep) {
  try {
    plan_of(sweep);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string three_axes = R"([sweep]
outputs = ["margin", "misread"]
samples = 8
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.05, 0.1, 0.2]
[sweep.axis.corner]
cases = ["slow", "fast"]
[sweep.axis.corner.vary]
"column.read_voltage" = ["0.18 V", "0.22 V"]
"converter.kind" = ["flash", "sar"]
[sweep.axis.hrs]
key = "cell.hrs.median_resistance"
from = "200 kohm"
to = "2 Mohm"
spacing = "log"
)";
// The base gives hrs by its conductance, which the axis must not contradict.
const std::string by_resistance = R"(seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.1
[cell.hrs]
distribution = "lognormal"
sigma = 0.3
[column]
rows = 9
read_voltage = "0.2 V"
)";

SweepPlan three_axis_plan() {
  return read_sweep_plan(core::Config::from_text(by_resistance + three_axes, "x.toml"));
}

TEST(SweepPlan, NumbersPointsInCOrderOverSortedListedAxesThenSamples) {
  const SweepPlan plan = three_axis_plan();
  ASSERT_EQ(plan.axes().size(), 3u);
  EXPECT_EQ(plan.axes()[0].name, "corner");
  EXPECT_EQ(plan.axes()[1].name, "sigma");
  EXPECT_EQ(plan.axes()[2].name, "hrs");
  EXPECT_EQ(plan.points(), 2u * 3u * 8u);
  EXPECT_THAT(plan.shape(), ElementsAre(2, 3, 8));
  EXPECT_THAT(plan.dimensions(), ElementsAre("corner", "sigma", "sample"));
  EXPECT_THAT(plan.indices(0), ElementsAre(0, 0, 0));
  EXPECT_THAT(plan.indices(7), ElementsAre(0, 0, 7));
  EXPECT_THAT(plan.indices(8), ElementsAre(0, 1, 0));
  EXPECT_THAT(plan.indices(8 * 3 + 8 * 2 + 5), ElementsAre(1, 2, 5));
}

TEST(SweepPlan, SaysWhatEachAxisIs) {
  const SweepPlan plan = three_axis_plan();
  EXPECT_EQ(plan.axes()[0].kind, SweepAxis::Kind::listed);
  EXPECT_THAT(plan.axes()[0].labels, ElementsAre("slow", "fast"));
  EXPECT_THAT(plan.axes()[0].keys, ElementsAre("column.read_voltage", "converter.kind"));
  EXPECT_EQ(plan.axes()[1].units, "1");
  EXPECT_THAT(plan.axes()[1].numbers, ElementsAre(0.05, 0.1, 0.2));
  EXPECT_EQ(plan.axes()[2].kind, SweepAxis::Kind::sampled);
  EXPECT_EQ(plan.axes()[2].units, "ohm");
  EXPECT_EQ(plan.axes()[2].size(), 8u);
  EXPECT_TRUE(plan.settings().asks(SweepOutput::margin));
  EXPECT_FALSE(plan.settings().asks(SweepOutput::table));
  EXPECT_EQ(plan.settings().chunk_trials, 262'144u);
  EXPECT_THAT(plan.point_text(8), HasSubstr("corner = slow, sigma = 0.1, hrs = "));
}

TEST(SweepPlan, APointIsTheFileWithItsValuesSet) {
  const SweepPlan plan = plan_of(R"([sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.05, 0.1, 0.2]
[sweep.axis.corner]
cases = ["slow", "fast"]
[sweep.axis.corner.vary]
"column.read_voltage" = ["0.18 V", "0.22 V"]
"converter.kind" = ["flash", "sar"]
[sweep.axis.rows]
key = "table.active_rows"
values = [3, 9]
)");
  const std::uint64_t number = (1 * 2 + 1) * 3 + 2;  // corner, rows, sigma
  ASSERT_THAT(plan.indices(number), ElementsAre(1, 1, 2));
  const Experiment point = plan.experiment(number);
  const Experiment same = read_experiment(core::Config::from_text(
      macro, "x.toml",
      std::vector<std::string>{"column.read_voltage=0.22 V", "converter.kind=sar",
                               "table.active_rows=9", "cell.lrs.sigma=0.2"}));
  EXPECT_EQ(point.config_toml, same.config_toml);
  EXPECT_EQ(point.table_toml, same.table_toml);
  EXPECT_EQ(point.accuracy_toml, same.accuracy_toml);
  EXPECT_EQ(point.macro_toml, same.macro_toml);
  EXPECT_THAT(point.table.active_rows, ElementsAre(9));
}

TEST(SweepPlan, AnAxisCanSetSeveralKeysToTheSameValues) {
  const SweepPlan plan = plan_of(R"([sweep.axis.sigma]
key = "cell.lrs.sigma"
also = ["cell.hrs.sigma"]
values = [0.05, 0.2]
[sweep.axis.n]
key = "table.active_rows"
also = ["margin.active_rows"]
values = [4, 9]
)");
  const Experiment point = plan.experiment(3);
  EXPECT_THAT(point.config_toml, HasSubstr("[cell.hrs]\ndistribution = \"lognormal\"\n"
                                           "median = 1e-06\nsigma = 0.2\n"));
  EXPECT_THAT(point.table.active_rows, ElementsAre(9));
  EXPECT_EQ(point.margin.active_rows, 9u);
  const SweepPlan again =
      read_sweep_plan(core::Config::from_text(plan.config_toml(), "canonical.toml"));
  EXPECT_EQ(again.sha256(), plan.sha256());
  EXPECT_THAT(refusal_of("[sweep.axis.a]\nkey = \"cell.lrs.sigma\"\nvalues = [0.1]\n"
                         "also = [\"column.read_voltage\"]\n"),
              HasSubstr("column.read_voltage can't take the values of cell.lrs.sigma (they are of "
                        "different kinds)"));
}

TEST(SweepPlan, AnAxisSuppliesAKeyThatTheFileLacks) {
  const SweepPlan plan = three_axis_plan();
  EXPECT_NEAR(plan.base().macro.design.hrs.mean(),
              0.18 * std::exp(0.5 * 0.3 * 0.3) / plan.axes()[2].numbers[0], 1e-12);
}

TEST(SweepPlan, TheCanonicalFormIsTheSamePlan) {
  const SweepPlan plan = three_axis_plan();
  const SweepPlan again =
      read_sweep_plan(core::Config::from_text(plan.config_toml(), "canonical.toml"));
  EXPECT_EQ(again.config_toml(), plan.config_toml());
  EXPECT_EQ(again.sha256(), plan.sha256());
  EXPECT_EQ(again.points(), plan.points());
  for (std::uint64_t point = 0; point < plan.points(); ++point) {
    EXPECT_EQ(again.experiment(point).config_toml, plan.experiment(point).config_toml);
  }
  EXPECT_THAT(plan.config_toml(), HasSubstr("[sweep.axis.hrs]\nfrom = 200000.0\n"));
  EXPECT_EQ(plan.config_toml().find("chunk_trials"), std::string::npos);
}

TEST(SweepPlan, TheCanonicalFormLeavesDefaultsToFollowASweptKey) {
  const SweepPlan plan = plan_of(R"([sweep.axis.length]
key = "column.rows"
values = [4, 9]
[sweep.axis.ladder]
key = "converter.references"
values = ["uniform", "midpoint", "replica"]
)");
  const SweepPlan again =
      read_sweep_plan(core::Config::from_text(plan.config_toml(), "canonical.toml"));
  for (std::uint64_t point = 0; point < plan.points(); ++point) {
    EXPECT_EQ(again.experiment(point).config_toml, plan.experiment(point).config_toml);
  }
  EXPECT_EQ(again.sha256(), plan.sha256());
}

TEST(SweepPlan, ChunksDecideNoHash) {
  const std::string axis = "[sweep.axis.sigma]\nkey = \"cell.lrs.sigma\"\nvalues = [0.05, 0.1]\n";
  const SweepPlan one = plan_of("[sweep]\nchunk_trials = 4096\n" + axis);
  const SweepPlan other = plan_of("[sweep]\n" + axis);
  EXPECT_EQ(one.settings().chunk_trials, 4096u);
  EXPECT_EQ(one.sha256(), other.sha256());
  EXPECT_NE(one.sha256(), plan_of("[sweep]\nrandom_numbers = \"independent\"\n" + axis).sha256());
}

TEST(SweepPlan, CommonRandomNumbersShareAKeyAndIndependentOnesDoNot) {
  const std::string axis = "[sweep.axis.sigma]\nkey = \"cell.lrs.sigma\"\nvalues = [0.05, 0.1]\n";
  const SweepPlan common = plan_of(axis);
  EXPECT_EQ(common.key(1).seed, 7u);
  EXPECT_EQ(common.key(1).point, 0u);
  const SweepPlan independent = plan_of("[sweep]\nrandom_numbers = \"independent\"\n" + axis);
  EXPECT_EQ(independent.key(1).seed, 7u);
  EXPECT_EQ(independent.key(1).point, 1u);
}

TEST(SweepPlan, TheSeedCanBeAnAxis) {
  const SweepPlan plan = plan_of("[sweep.axis.run]\nkey = \"seed\"\nfrom = 1\nto = 3\ncount = 3\n");
  EXPECT_EQ(plan.key(0).seed, 1u);
  EXPECT_EQ(plan.key(2).seed, 3u);
  EXPECT_EQ(plan.experiment(2).seed, 3u);
}

TEST(SweepPlan, ASweepWithoutAxesIsOnePoint) {
  const SweepPlan plan = plan_of("[sweep]\noutputs = [\"table\"]\n");
  EXPECT_EQ(plan.points(), 1u);
  EXPECT_TRUE(plan.shape().empty());
  EXPECT_EQ(plan.experiment(0).config_toml, plan.base().config_toml);
}

TEST(SweepPlan, GridsAreExactAtTheirEnds) {
  const auto log = grid_values(2e-6, 37.3, 12, Spacing::log);
  EXPECT_EQ(log.front(), 2e-6);
  EXPECT_EQ(log.back(), 37.3);
  for (std::size_t i = 1; i < log.size(); ++i) {
    EXPECT_NEAR(log[i] / log[i - 1], std::pow(37.3 / 2e-6, 1.0 / 11), 1e-9);
  }
  EXPECT_THAT(grid_values(1, 1000, 4, Spacing::log), ElementsAre(1, 10, 100, 1000));
  EXPECT_THAT(grid_values(0, 1, 11, Spacing::linear)[3], 0.3);
  const SweepPlan whole = plan_of(
      "[sweep]\noutputs = [\"margin\"]\n[sweep.axis.n]\nkey = \"margin.active_rows\"\nfrom = 1\nto "
      "= 8\ncount = 4\n"
      "spacing = \"log\"\n");
  EXPECT_THAT(whole.axes()[0].numbers, ElementsAre(1, 2, 4, 8));
}

TEST(SweepPlan, RefusesAnAxisThatNoOutputDependsOn) {
  const std::string axis = "[sweep.axis.n]\nkey = \"margin.sigmas\"\nvalues = [1, 2]\n";
  EXPECT_THAT(refusal_of("[sweep]\noutputs = [\"misread\"]\n" + axis),
              HasSubstr("no output that is asked for depends on it"));
  EXPECT_EQ(refusal_of("[sweep]\noutputs = [\"margin\"]\n" + axis), "accepted");
}

TEST(SweepPlan, SobolSamplesAreTheScrambledPoints) {
  const auto shares = sample_shares(5, Sampling::sobol, 3, 16);
  const core::ScrambledSobol sobol({5, 0}, core::instance_limit - 1, 3, 4);
  for (std::size_t i = 0; i < 16; ++i) {
    std::vector<double> point(3);
    sobol.point(i, point);
    for (std::size_t axis = 0; axis < 3; ++axis) EXPECT_EQ(shares[axis][i], point[axis]);
  }
}

TEST(SweepPlan, ALatinHypercubeHasOneValueInEachPartOfAnAxis) {
  const std::size_t samples = 100;
  const auto shares = sample_shares(5, Sampling::latin_hypercube, 2, samples);
  for (const auto& axis : shares) {
    std::set<int> parts;
    for (const double share : axis) parts.insert(static_cast<int>(share * samples));
    EXPECT_EQ(parts.size(), samples);
    EXPECT_GE(*parts.begin(), 0);
    EXPECT_LT(*parts.rbegin(), 100);
  }
  EXPECT_NE(shares[0], shares[1]);
  EXPECT_EQ(shares, sample_shares(5, Sampling::latin_hypercube, 2, samples));
  EXPECT_NE(shares, sample_shares(6, Sampling::latin_hypercube, 2, samples));
}

TEST(SweepPlan, SampledWholeNumbersTakeEveryValueOfTheirRange) {
  const SweepPlan plan = plan_of(
      "[sweep]\noutputs = [\"margin\"]\nsampling = \"latin_hypercube\"\nsamples = 90\n"
      "[sweep.axis.n]\nkey = \"margin.active_rows\"\nfrom = 1\nto = 9\n");
  std::map<double, int> times;
  for (const double value : plan.axes()[0].numbers) ++times[value];
  EXPECT_EQ(times.size(), 9u);
  for (const auto& [value, count] : times) EXPECT_NEAR(count, 10, 1);
}

// ---- the file of points

/// A folder with a configuration and a file of points beside it.
struct PointsOnDisk {
  tests::TemporaryFolder folder;
  PointsOnDisk(const std::string& sweep, const std::string& points) {
    std::ofstream(folder / "x.toml") << macro << sweep;
    std::ofstream(folder / "points.csv") << points;
  }
  SweepPlan plan() const { return read_sweep_plan(core::Config::from_file(folder / "x.toml")); }
  std::string refusal() const {
    try {
      plan();
    } catch (const core::Error& error) {
      std::string text = error.what();
      const std::string path = folder.path().string() + "/";
      for (auto at = text.find(path); at != text.npos; at = text.find(path)) {
        text.erase(at, path.size());
      }
      return text;
    }
    return "accepted";
  }
};

const std::string two_columns = R"([sweep]
points_file = "points.csv"
[sweep.axis.sigma]
key = "cell.lrs.sigma"
[sweep.axis.supply]
key = "column.read_voltage"
[sweep.axis.kind]
key = "converter.kind"
values = ["flash", "sar"]
)";

TEST(SweepPlan, AFileOfPointsGivesTheSamplesWithTheirUnits) {
  const PointsOnDisk disk(two_columns,
                          "supply [mV],sigma\n180,0.1\n0.2 V,5 %\n# a remark\n220,0.2\n");
  const SweepPlan plan = disk.plan();
  EXPECT_THAT(plan.shape(), ElementsAre(2, 3));
  EXPECT_THAT(plan.dimensions(), ElementsAre("kind", "sample"));
  EXPECT_EQ(plan.axes()[1].name, "sigma");
  EXPECT_THAT(plan.axes()[1].numbers, ElementsAre(0.1, 0.05, 0.2));
  EXPECT_THAT(plan.axes()[2].numbers, ElementsAre(0.18, 0.2, 0.22));
  EXPECT_EQ(plan.axes()[2].units, "V");
  EXPECT_EQ(plan.point_text(4), "kind = sar, sigma = 0.05, supply = 200 mV");
  EXPECT_EQ(plan.experiment(4).macro.read_voltage, 0.2);
}

TEST(SweepPlan, TheCanonicalFormReadsItsFileOfPointsBesideIt) {
  const PointsOnDisk disk(two_columns, "supply [mV],sigma\n180,0.1\n220,0.2\n");
  const SweepPlan plan = disk.plan();
  EXPECT_EQ(plan.points_csv(), "supply [mV],sigma\n180,0.1\n220,0.2\n");
  std::filesystem::create_directory(disk.folder / "work");
  std::ofstream(disk.folder / "work/sweep.toml") << plan.config_toml();
  std::ofstream(disk.folder / "work/points.csv") << plan.points_csv();
  const SweepPlan again = read_sweep_plan(core::Config::from_file(disk.folder / "work/sweep.toml"));
  EXPECT_EQ(again.sha256(), plan.sha256());
  EXPECT_EQ(again.config_toml(), plan.config_toml());
  std::ofstream(disk.folder / "work/points.csv") << "supply [mV],sigma\n180,0.1\n220,0.3\n";
  EXPECT_THROW(read_sweep_plan(core::Config::from_file(disk.folder / "work/sweep.toml")),
               core::UsageError);
}

TEST(SweepPlan, AFileOfPointsThatDoesNotFitIsRefused) {
  const auto refusal = [](const std::string& points) {
    return PointsOnDisk(two_columns, points).refusal();
  };
  EXPECT_EQ(refusal("supply,sigma,temperature\n0.2,0.1,300\n"),
            "points.csv: the column \"temperature\" is of no axis (those without values of their "
            "own are sigma, supply); remove it, or add an axis of that name");
  EXPECT_THAT(refusal("supply\n0.2\n"),
              HasSubstr("has no values (nor is there a column \"sigma\""));
  EXPECT_THAT(refusal("supply,sigma\n0.2,0.1\n0.2\n"), HasSubstr("points.csv:3:"));
  EXPECT_THAT(refusal("supply,sigma\n0.2,-0.1\n"),
              HasSubstr("points.csv:2:5: \"-0.1\" is no value of cell.lrs.sigma (number, 0 to"));
  EXPECT_THAT(refusal("supply,sigma\n2 ohm,0.1\n"), HasSubstr("points.csv:2:1: \"2 ohm\""));
  EXPECT_THAT(refusal("supply,sigma\n"), HasSubstr("lists no point"));
  EXPECT_THAT(refusal("0.2,0.1\n"), HasSubstr("has no headings"));
  EXPECT_THAT(refusal("supply,supply\n0.2,0.1\n"), HasSubstr("two columns are of axis supply"));
}

// ---- refusals

std::string axis(const std::string& lines) { return "[sweep.axis.a]\n" + lines; }

TEST(SweepPlan, WithoutASectionThereIsNoPlan) {
  EXPECT_EQ(refusal_of(""),
            "x.toml: has no section [sweep] (it says which points a sweep visits); add one, see "
            "cimstat describe sweep");
}

TEST(SweepPlan, KeysThatNoFileHasOrThatCannotBeSweptAreRefused) {
  const auto refusal = [](const std::string& key) {
    return refusal_of(axis("key = \"" + key + "\"\nvalues = [1]\n"));
  };
  EXPECT_EQ(refusal("cell.lrs.sgima"),
            "x.toml:16:7: sweep.axis.a.key: \"cell.lrs.sgima\" is no key of an experiment file; "
            "did you mean cell.lrs.sigma?");
  EXPECT_THAT(refusal("read_voltage"),
              HasSubstr("did you mean cell.read_voltage or column.read_voltage?"));
  for (const char* key :
       {"table.method", "table.trials", "table.target_relative_error", "table.confidence",
        "table.tolerance", "accuracy.images", "accuracy.reads", "name", "sweep.samples",
        "columns.votes", "converter.currents"}) {
    EXPECT_THAT(refusal(key), HasSubstr(std::string(key) + " can't be swept (")) << key;
  }
}

TEST(SweepPlan, UnknownKeysOfTheSectionAreRefused) {
  EXPECT_THAT(refusal_of("[sweep]\noutput = [\"table\"]\n"),
              HasSubstr("sweep.output: is unknown (known here: axis, chunk_trials, outputs"));
  EXPECT_THAT(refusal_of(axis("key = \"cell.lrs.sigma\"\nvalue = [1]\n")),
              HasSubstr("sweep.axis.a.values: is missing (a list, each a number such as 0.05 is "
                        "needed); did you misspell it as value?"));
  EXPECT_THAT(refusal_of("[sweep]\noutputs = [\"misreads\"]\n"),
              HasSubstr("sweep.outputs[0]: \"misreads\" is not a choice"));
  EXPECT_THAT(refusal_of("[sweep]\noutputs = [\"table\", \"table\"]\n"),
              HasSubstr("names \"table\" twice"));
  EXPECT_THAT(refusal_of("[sweep]\nchunk_trials = 5000\n"),
              HasSubstr("5000 is no multiple of 4096 (trials are drawn in tiles and batches); "
                        "write 8192"));
}

TEST(SweepPlan, AxesWithoutValuesOrWithValuesOfTwoKindsAreRefused) {
  const std::string key = "key = \"cell.lrs.sigma\"\n";
  EXPECT_THAT(refusal_of(axis(key)), HasSubstr("has no values (nor does the section [sweep]"));
  EXPECT_THAT(refusal_of(axis("values = [1]\n")), HasSubstr("sweep.axis.a.key: is missing"));
  EXPECT_THAT(refusal_of(axis(key + "values = []\n")), HasSubstr("values: is empty"));
  EXPECT_THAT(refusal_of(axis(key + "values = [0.1]\nfrom = 0.1\n")),
              HasSubstr("from: has no place beside values"));
  EXPECT_THAT(refusal_of(axis(key + "cases = [\"slow\"]\n")), HasSubstr("vary: is missing"));
  EXPECT_THAT(refusal_of(axis(key + "from = 0.1\n")), HasSubstr("sweep.axis.a.to: is missing"));
  EXPECT_THAT(refusal_of(axis(key + "values = [0.1, -1]\n")),
              HasSubstr("sweep.axis.a.values[1]: -1 is out of range"));
  EXPECT_THAT(refusal_of(axis(key + "values = [0.1, \"2 ohm\"]\n")),
              HasSubstr("sweep.axis.a.values[1]: \"2 ohm\" is not a number"));
  EXPECT_THAT(refusal_of(axis("key = \"converter.kind\"\nvalues = [\"flahs\"]\n")),
              HasSubstr("did you mean \"flash\"?"));
  EXPECT_THAT(refusal_of(axis("key = \"converter.kind\"\nfrom = \"flash\"\nto = \"sar\"\n")),
              HasSubstr("converter.kind takes words"));
}

TEST(SweepPlan, RangesThatAreNoneAreRefused) {
  const std::string key = "key = \"cell.lrs.sigma\"\n";
  EXPECT_THAT(refusal_of(axis(key + "from = 0.2\nto = 0.2\ncount = 3\n")),
              HasSubstr("sweep.axis.a.from: is not below `to`"));
  EXPECT_THAT(refusal_of(axis(key + "from = 0\nto = 0.2\ncount = 3\nspacing = \"log\"\n")),
              HasSubstr("sweep.axis.a.from: is not positive"));
  EXPECT_THAT(refusal_of(axis("key = \"margin.active_rows\"\nfrom = 1\nto = 3\ncount = 4\n")),
              HasSubstr("count: asks for 4 values (there are 3 whole numbers from 1 to 3)"));
  EXPECT_THAT(
      refusal_of(axis("key = \"margin.active_rows\"\nfrom = 1\nto = 9\ncount = 9\nspacing = "
                      "\"log\"\n")),
      HasSubstr("has the value 1 twice"));
}

TEST(SweepPlan, NamesOfDatasetsAndOddNamesAreRefused) {
  const std::string lines = "key = \"cell.lrs.sigma\"\nvalues = [0.1]\n";
  for (const char* name : {"class", "code", "sample", "point", "lrs_count", "active_rows", "chunk",
                           "misread", "misread_mean", "accuracy", "probability", "sigma_lower"}) {
    EXPECT_THAT(refusal_of("[sweep.axis." + std::string(name) + "]\n" + lines),
                HasSubstr("can't be the name of an axis"))
        << name;
  }
  for (const char* name : {"\"a b\"", "1a", "a-b", "_a", "\"\""}) {
    EXPECT_THAT(refusal_of("[sweep.axis." + std::string(name) + "]\n" + lines),
                HasSubstr("is no name of a section here"))
        << name;
  }
}

TEST(SweepPlan, OneKeyOnTwoAxesIsRefused) {
  const std::string lines = "key = \"cell.lrs.sigma\"\nvalues = [0.1]\n";
  EXPECT_THAT(refusal_of("[sweep.axis.a]\n" + lines + "[sweep.axis.b]\n" + lines),
              HasSubstr("sweep.axis.b: sets cell.lrs.sigma (axis a sets it too)"));
}

TEST(SweepPlan, RaggedCasesAreRefused) {
  EXPECT_THAT(refusal_of(axis("cases = [\"slow\", \"fast\"]\n[sweep.axis.a.vary]\n"
                              "\"cell.lrs.sigma\" = [0.1, 0.2, 0.3]\n")),
              HasSubstr("lists 3 values (there are 2 cases); list one for each case"));
  EXPECT_THAT(refusal_of(axis("cases = [\"slow\", \"slow\"]\n[sweep.axis.a.vary]\n"
                              "\"cell.lrs.sigma\" = [0.1, 0.2]\n")),
              HasSubstr("names \"slow\" twice"));
  EXPECT_THAT(refusal_of(axis("cases = [\"slow\"]\n[sweep.axis.a.vary]\n"
                              "cell.lrs.sigma = [0.1]\n")),
              HasSubstr("keys of a configuration are written in quotes here"));
}

TEST(SweepPlan, TooManyPointsAreRefused) {
  const std::string grid = "from = 0.1\nto = 0.2\ncount = 65537\n";
  EXPECT_THAT(refusal_of("[sweep.axis.a]\nkey = \"cell.lrs.sigma\"\n" + grid +
                         "[sweep.axis.b]\nkey = \"cell.hrs.sigma\"\n" + grid),
              HasSubstr("has too many points"));
}

TEST(SweepPlan, SamplesComeFromOnePlace) {
  const std::string sampled = "[sweep.axis.a]\nkey = \"cell.lrs.sigma\"\nfrom = 0.1\nto = 0.2\n";
  const std::string column = "[sweep.axis.b]\nkey = \"cell.hrs.sigma\"\n";
  EXPECT_THAT(
      refusal_of("[sweep]\npoints_file = \"p.csv\"\n" + sampled + column),
      HasSubstr("sweep.axis.a: is sampled, where axis b takes its values from points_file"));
  EXPECT_THAT(refusal_of("[sweep]\npoints_file = \"p.csv\"\nsamples = 9\n" + column),
              HasSubstr("sweep.samples: has no use here (points_file gives the samples)"));
  EXPECT_THAT(refusal_of("[sweep]\npoints_file = \"p.csv\"\n" + sampled),
              HasSubstr("sweep.points_file: has no use here"));
  EXPECT_THAT(refusal_of("[sweep]\npoints_file = \"nosuch.csv\"\n" + column),
              HasSubstr("nosuch.csv"));
  EXPECT_THAT(refusal_of("[sweep]\nsamples = 9\n"), HasSubstr("sweep.samples: has no use here"));
  EXPECT_THAT(refusal_of("[sweep]\nsamples = 300000\n" + sampled),
              HasSubstr("write sampling = \"latin_hypercube\""));
}

TEST(SweepPlan, WhatIsWrongAtAPointNamesThePoint) {
  const SweepPlan plan =
      plan_of(axis("key = \"cell.hrs.median\"\nvalues = [\"1 uS\", \"1 mS\"]\n"));
  try {
    plan.experiment(1);
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("point 1 (a = 1 mS): x.toml:"));
    EXPECT_THAT(error.what(), HasSubstr("is not above that of hrs"));
  }
  EXPECT_THAT(refusal_of(axis("key = \"cell.hrs.median\"\nvalues = [\"1 mS\"]\n")),
              HasSubstr("point 0 (a = 1 mS): "));
  // Not the axes' fault: no point is named.
  EXPECT_THAT(refusal_of("[sweep]\n[cells]\na = 1\n"),
              testing::StartsWith("x.toml:16:2: cells: is unknown"));
}

TEST(SweepPlan, OtherCommandsPassASweepOver) {
  const Experiment plain = read_experiment(config_of(""));
  const Experiment swept =
      read_experiment(config_of(axis("key = \"cell.lrs.sigma\"\nvalues = [0.1, 0.2]\n")));
  EXPECT_EQ(swept.config_toml, plain.config_toml);
  EXPECT_EQ(swept.accuracy_toml, plain.accuracy_toml);
  EXPECT_EQ(swept.table_toml, plain.table_toml);
  EXPECT_EQ(swept.macro_toml, plain.macro_toml);
  EXPECT_EQ(columns_toml(swept), columns_toml(plain));
  EXPECT_THROW(read_experiment(config_of("[sweep]\nnosuch = 1\n")), core::UsageError);
}

TEST(SweepPlan, ASetOptionReachesAnAxis) {
  const SweepPlan plan =
      read_sweep_plan(config_of(axis("key = \"cell.lrs.sigma\"\nvalues = [0.1, 0.2]\n"),
                                {"sweep.axis.a.values=[0.3]", "sweep.outputs=[\"table\"]"}));
  EXPECT_THAT(plan.axes()[0].numbers, ElementsAre(0.3));
  EXPECT_TRUE(plan.settings().asks(SweepOutput::table));
}

}  // namespace
}  // namespace cimstat::experiments
