#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/class_counts.h"
#include "experiments/references/class_file.h"
#include "experiments/references/placed_references.h"
#include "experiments/table/table_file.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::Outcome;

Outcome cimstat(const std::string& arguments) {
  return tests::run_program(std::string(CIMSTAT_BINARY) + " " + arguments + " 2>&1");
}

const std::string macro = R"(name = "small macro"
seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.5
[column]
rows = 6
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1.5 uA"
)";

struct MacroFile {
  tests::TemporaryFolder folder;
  std::string path = (folder / "m.toml").string();
  explicit MacroFile(const std::string& more = {}) { std::ofstream(path) << macro << more; }
  std::string beside(const std::string& name) const { return (folder / name).string(); }
};

Experiment experiment_of(const std::string& file) {
  return read_experiment(core::Config::from_file(file));
}

std::vector<circuits::WeightedClass> all_active(std::uint32_t n) {
  std::vector<circuits::WeightedClass> classes;
  for (std::uint32_t k = 0; k <= n; ++k) classes.push_back({{k, n}, 1.0 + k});
  return classes;
}

TEST(References, NeverCostMoreThanTheConfiguredOnes) {
  for (const char* placement : {"midpoint", "dual", "replica", "uniform"}) {
    const MacroFile file(std::string("[converter]\nreferences = \"") + placement + "\"\n");
    const Experiment experiment = experiment_of(file.path);
    const ReferenceResult result = find_references(
        experiment,
        {.rules = {ReferenceRule::posterior, ReferenceRule::squared_cost, ReferenceRule::lloyd_max},
         .codes = {},
         .classes = all_active(6),
         .classes_text = {}},
        {1});
    EXPECT_LT(result.found[0].cost.misread, result.before.cost.misread) << placement;
    EXPECT_LT(result.found[1].cost.squared, result.before.cost.squared) << placement;
    EXPECT_LE(result.found[2].cost.squared, result.found[1].cost.squared + 1e-9) << placement;
    EXPECT_EQ(result.chosen, 1U);
  }
}

TEST(References, AreWrittenAsAConfigurationWithTheSameLadderToTheLastBit) {
  for (const char* placement : {"midpoint", "replica"}) {
    const MacroFile file(std::string("[converter]\nreference_rows = 5\nreferences = \"") +
                         placement + "\"\n[accuracy]\nimages = 3\n");
    const Experiment experiment = experiment_of(file.path);
    const ReferenceResult result = find_references(
        experiment,
        {.rules = {}, .codes = {}, .classes = all_active(5), .classes_text = "five active rows"},
        {1});
    for (const PlacedReferences& references : result.found) {
      if (!references.fits_a_table()) {
        EXPECT_THROW(config_with_references(experiment, references, "x"), core::UsageError);
        continue;
      }
      const std::string text = config_with_references(experiment, references, "five active rows");
      const Experiment again = read_experiment(core::Config::from_text(text, "new.toml"));
      const circuits::Ladder& ladder = again.macro.design.ladder;
      EXPECT_EQ(ladder.references, references.ladder.references) << references.name;
      EXPECT_EQ(ladder.code_step, references.ladder.code_step) << references.name;
      EXPECT_EQ(ladder.code_origin, references.ladder.code_origin) << references.name;
      EXPECT_EQ(ladder.codes, references.ladder.codes) << references.name;
      EXPECT_EQ(again.accuracy.images, 3U);
      EXPECT_EQ(again.seed, 7U);
    }
  }
}

TEST(ReferencesCommand, WritesAFileFromWhichTheTableHasTheErrorItPrinted) {
  const MacroFile file;
  const std::string better = file.beside("better.toml");
  const Outcome outcome =
      cimstat("references " + file.path + " -q --json --criterion posterior -o " + better);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  const auto found = json["criteria"][0];
  EXPECT_LT(found["misread"].get<double>(), json["before"]["misread"].get<double>());
  const std::string table = file.beside("t.h5");
  ASSERT_EQ(cimstat("table " + better + " -q -o " + table).exit_code, 0);
  const TableRecord record = read_table(table);
  double misread = 0.0;
  for (std::uint32_t k = 0; k <= 6; ++k) {
    misread += record.table.misread(record.table.find({k, 6}).value()) / 7.0;
  }
  EXPECT_NEAR(misread, found["misread"].get<double>(), 1e-12);
  const Experiment experiment = experiment_of(better);
  EXPECT_EQ(experiment.macro.design.ladder.references,
            found["references_A"].get<std::vector<double>>());
  EXPECT_THAT(cimstat("margin -q " + better).output, HasSubstr("7 codes, listed references"));
}

TEST(ReferencesCommand, PrintsTheSameForOneThreadAndTwo) {
  const MacroFile file;
  const std::string arguments = "references " + file.path +
                                " -q --json --classes binomial:0.3 --active-rows 3 "
                                "--active-rows 6 --threads ";
  const Outcome one = cimstat(arguments + "1");
  ASSERT_EQ(one.exit_code, 0) << one.output;
  EXPECT_EQ(one.output, cimstat(arguments + "2").output);
}

TEST(ReferencesCommand, PrintsErrorsBeforeAndAfterForEachCriterion) {
  const MacroFile file;
  const Outcome outcome = cimstat("references -q " + file.path + " --codes 4");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("as configured"), HasSubstr("clipped"),
                                    HasSubstr("squared_cost"), HasSubstr("lloyd_max_current"),
                                    HasSubstr("stand for"), Not(HasSubstr("replica"))));
}

TEST(ReferencesCommand, TakesTheWeightsOfAFile) {
  const MacroFile file;
  const std::string weights = file.beside("weights.csv");
  std::ofstream(weights) << "lrs_count,active_rows,weight\n# rare\n0,6,1e-3\n\n1, 6, 2\r\n3,6,1\n";
  const Outcome outcome =
      cimstat("references -q --json " + file.path + " --criterion posterior --classes " + weights);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(nlohmann::json::parse(outcome.output)["classes"]["count"], 3);
}

TEST(ReferencesCommand, RefusesWhatItCannotUseInOneLine) {
  const MacroFile file;
  const auto line = [&](const std::string& arguments) {
    const Outcome outcome = cimstat("references -q " + file.path + " " + arguments);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    return outcome.output;
  };
  EXPECT_THAT(line("--criterion posteriour"),
              AllOf(HasSubstr("cimstat: --criterion: \"posteriour\" is unknown (known: midpoint"),
                    HasSubstr("; did you mean posterior?\n")));
  EXPECT_EQ(line("--criterion replica --codes 4"),
            "cimstat: --criterion replica: has no 4 codes (it has one for each MAC value up to "
            "reference_rows, 7); leave --codes or this criterion out\n");
  EXPECT_EQ(line("--classes binomial:1.5"),
            "cimstat: --classes: \"1.5\" is no probability (binomial:p takes one between 0 and 1); "
            "write, for example, binomial:0.25\n");
  EXPECT_EQ(line("--active-rows 7"),
            "cimstat: --active-rows: 7 is out of range (the column has 6 rows); choose no more\n");
  EXPECT_THAT(line("--classes nowhere.csv"), HasSubstr("nowhere.csv: can't be read"));
  EXPECT_THAT(line("--codes 1"), HasSubstr("--codes"));
  EXPECT_THAT(line("--criterion lloyd_max -o " + file.beside("new.toml")),
              HasSubstr("--out: lloyd_max can't be written (its codes stand for unevenly spaced "
                        "values"));
  EXPECT_THAT(line("-o " + file.path), HasSubstr("would overwrite an input"));
}

std::string refusal(const std::string& text) {
  const tests::TemporaryFolder folder;
  const std::string file = (folder / "w.csv").string();
  std::ofstream(file) << text;
  try {
    read_class_file(file, 6);
  } catch (const core::UsageError& error) {
    return std::string(error.what()).substr(folder.path().string().size() + 1);
  }
  return "accepted";
}

TEST(ClassFile, NamesLineAndColumnOfWhatIsWrong) {
  EXPECT_EQ(refusal("0,6,1\n1,6\n"),
            "w.csv:2:4: weight: is missing (a line is lrs_count,active_rows,weight); add it");
  EXPECT_EQ(refusal("0,6,1,2\n"),
            "w.csv:1:6: a fourth field: has no meaning (a line is lrs_count,active_rows,weight); "
            "remove it");
  EXPECT_EQ(refusal("lrs_count,active_rows,weight\n0,x6,1\n"),
            "w.csv:2:3: active_rows: \"x6\" is not a whole number (a line is "
            "lrs_count,active_rows,weight); write a number");
  EXPECT_EQ(refusal("0,6,\n"),
            "w.csv:1:5: weight: \"\" is not a number (a line is lrs_count,active_rows,weight); "
            "write a number");
  EXPECT_EQ(refusal("0,7,1\n"),
            "w.csv:1:3: active_rows: 7 are too many (the column has 6 rows); leave the line out");
  EXPECT_EQ(refusal("# k above n\n5,4,1\n"),
            "w.csv:2:1: lrs_count: 5 are too many (4 rows are active); write no more than are "
            "active");
  EXPECT_EQ(refusal("0,6,nan\n"),
            "w.csv:1:5: weight: nan is out of range (weights are finite and not negative); write "
            "how often the class is read");
  EXPECT_EQ(refusal("0,6,1\n0,6,2\n"),
            "w.csv:2:1: lrs_count: 0 among 6 active rows stands there twice (also in line 1); keep "
            "one of them");
  EXPECT_EQ(refusal("0,6,0\n"),
            "w.csv: has no class of positive weight; write lines lrs_count,active_rows,weight");
}

/// A layer of one tile, counted by hand.
TEST(ClassesMet, AreThoseOfEveryColumnRead) {
  constexpr std::uint32_t inputs = 20;
  constexpr std::uint32_t outputs = 3;  // so few that some MAC values are not met
  std::mt19937 random(3);
  Network network;
  network.name = "one layer";
  network.input_shape = {1, 1, inputs};
  network.input_bits = 2;
  network.classes = outputs;
  Layer flat;
  flat.name = "flat";
  flat.kind = LayerKind::flatten;
  flat.inputs = {"input"};
  network.layers = {
      flat, fixtures::random_fully_connected("classes", "flat", outputs, inputs, 4, 0, random)};
  ImageSet images;
  images.rows = 1;
  images.columns = inputs;
  images.classes = outputs;
  constexpr std::size_t count = 3;
  for (std::size_t i = 0; i < count * inputs; ++i) {
    images.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  images.labels.assign(count, 0);
  const ArrayOptions array{.rows = 32};
  const ForwardPass pass(network, array);
  std::map<circuits::ColumnClass, double> expected;
  for (std::size_t image = 0; image < count; ++image) {
    const std::vector<std::uint8_t> levels = pass.input_levels(images.image(image));
    for (unsigned plane = 0; plane < 2; ++plane) {
      for (std::uint32_t output = 0; output < outputs; ++output) {
        for (unsigned bit = 0; bit < 4; ++bit) {
          circuits::ColumnClass met;
          for (std::uint32_t i = 0; i < inputs; ++i) {
            if ((levels[i] >> plane & 1) == 0) continue;
            ++met.active_rows;
            const auto weight =
                static_cast<unsigned>(network.layers[1].weight[output * inputs + i]);
            met.lrs_count += weight >> bit & 1U;
          }
          if (met.active_rows > 0) expected[met] += 1.0;
        }
      }
    }
  }
  for (const unsigned threads : {1U, 2U}) {
    const auto classes = classes_met(network, images, array, count, {threads});
    std::size_t met = 0;
    for (const circuits::WeightedClass& item : classes) {
      const auto found = expected.find(item.column_class);
      met += found != expected.end() ? 1U : 0U;
      // Between classes that were met others count half a read.
      EXPECT_EQ(item.weight, found != expected.end() ? found->second : 0.5)
          << item.column_class.lrs_count << " of " << item.column_class.active_rows;
    }
    EXPECT_EQ(met, expected.size());
    EXPECT_GT(classes.size(), met);
  }
}

}  // namespace
}  // namespace cimstat::experiments
