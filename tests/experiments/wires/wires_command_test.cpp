#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/simd.h"

#include "experiments/wires/wires_run.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tests::Outcome;
using tests::TemporaryFolder;

constexpr const char* macro = R"(name = "my macro"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.2
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 20
read_voltage = "0.2 V"
[wires]
columns = 12
arrays = 24
driver = "20 ohm"
sense = "30 ohm"
)";

class WiresCommand : public testing::Test {
 protected:
  WiresCommand() { std::ofstream(folder_ / "m.toml") << macro; }

  Outcome run(const std::string& command) const {
    return tests::run_program("cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY + " " +
                              command + " 2>&1");
  }
  Outcome wires(const std::string& arguments) const { return run("wires m.toml -q " + arguments); }
  WiresResult result(const std::vector<std::string>& overrides) const {
    return run_wires(read_experiment(core::Config::from_file(folder_ / "m.toml", overrides)), {1});
  }
  TemporaryFolder folder_;
};

TEST_F(WiresCommand, ShowsDropsErrorsAndAMap) {
  const Outcome outcome = wires("");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(
      outcome.output,
      AllOf(HasSubstr("my macro: 24 arrays of 20 rows x 12 columns, 20 active rows"),
            HasSubstr("fed by input lines at 200 mV; 50 % of cells in the highest level"),
            HasSubstr("driver 20 ohm, sense 30 ohm"), HasSubstr("drop % [95 % interval]"),
            HasSubstr("Voltage that a cell of an active row loses"), HasSubstr("worst read"),
            HasSubstr("one gain for all"), HasSubstr("control variate")));
  EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '>'), 16);
}

TEST_F(WiresCommand, PrintsTheSameForAnyThreadsAndInstructionSet) {
  for (const std::string supply : {"input_line", "row_line", "column_line"}) {
    const std::string all = "--json --set 'wires.supply=\"" + supply +
                            "\"' --set 'wires.pairs=\"interleaved\"' --set wires.active_rows=7 ";
    const Outcome first = wires(all + "--threads 1");
    ASSERT_EQ(first.exit_code, 0) << first.output;
    for (const std::string& target : core::simd_targets()) {
      EXPECT_EQ(wires(all + "--threads 2 --simd " + target).output, first.output) << target;
    }
    EXPECT_NE(wires(all + "--seed 2").output, first.output);
  }
}

TEST_F(WiresCommand, PrintsJsonAndCsv) {
  const Outcome outcome = wires("--json --arrays 20 --columns 5");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  ASSERT_EQ(json["columns"].size(), 5u);
  EXPECT_EQ(json["arrays"], 20);
  EXPECT_EQ(json["voltage_lost"].size(), 16u);
  for (const auto& column : json["columns"]) {
    EXPECT_LT(column["mean_A"][1], column["mean_A"][0]);
    EXPECT_GT(column["mean_A"][2], column["mean_A"][0]);
    EXPECT_GT(column["drop"], 0.0);
    EXPECT_LT(column["error_mean_steps"], 0.0);
    EXPECT_GT(column["variance_reduction"], 20.0);
  }
  const Outcome csv = wires("--csv");
  EXPECT_THAT(csv.output, HasSubstr("column,ideal_mean_A,mean_A,"));
  EXPECT_EQ(std::count(csv.output.begin(), csv.output.end(), '\n'), 13);
  EXPECT_EQ(wires("--csv --json").exit_code, 2);
}

TEST_F(WiresCommand, TheDieHasItsPartInEveryCell) {
  const WiresResult nominal = result({});
  const WiresResult slow = result({"conditions.corner=-2", "column.common_factor_sd=0.1"});
  const WiresResult drawn = result({"column.common_factor_sd=0.2"});
  for (std::size_t i = 0; i < nominal.columns.size(); ++i) {
    EXPECT_NEAR(slow.columns[i].ideal_mean / nominal.columns[i].ideal_mean, 0.8, 1e-9);
    EXPECT_LT(slow.columns[i].drop(), nominal.columns[i].drop());
    EXPECT_NEAR(drawn.columns[i].ideal_mean / nominal.columns[i].ideal_mean, 1.0, 1e-12);
    EXPECT_GT(drawn.columns[i].error_sd, nominal.columns[i].error_sd);
  }
  const Outcome field = wires(
      "--set spatial_field.kernel=exponential --set spatial_field.relative_sd=0.1 --set "
      "spatial_field.correlation_length=1e-6 --set spatial_field.row_pitch=1e-6 --set "
      "spatial_field.column_pitch=1e-6");
  EXPECT_EQ(field.exit_code, 2);
  EXPECT_THAT(field.output, HasSubstr("spatial_field: an array with wires knows no field"));
}

/// Cells without spread on one column behind a sense resistance alone: I = I0 / (1 + R sum G).
TEST_F(WiresCommand, GivesTheClosedFormOfOneResistor) {
  const WiresResult one = result({"cell.lrs.sigma=0", "wires.columns=1", "wires.highest_share=1",
                                  "wires.supply_segment=0", "wires.column_segment=0",
                                  "wires.driver=0", "wires.sense=500"});
  const double load = 500.0 * 20 * 40e-6;
  ASSERT_EQ(one.columns.size(), 1u);
  EXPECT_NEAR(one.columns[0].drop(), load / (1.0 + load), 1e-6);
  EXPECT_NEAR(one.gain, 1.0 + load, 1e-6);
  EXPECT_NEAR(one.left_over, 0.0, 1e-6);
  for (const double lost : one.map.lost) EXPECT_NEAR(lost, load / (1.0 + load), 1e-6);
}

TEST_F(WiresCommand, LosesNothingWithoutWireResistance) {
  const WiresResult none = result(
      {"wires.supply_segment=0", "wires.column_segment=0", "wires.driver=0", "wires.sense=0"});
  for (const ColumnDrop& drop : none.columns) {
    // As far as the draws, in single precision, have the mean of their law.
    EXPECT_NEAR(drop.drop(), 0.0, 1e-4);
    EXPECT_NEAR(drop.error_mean, 0.0, 1e-12);
  }
  EXPECT_LT(none.worst_error, 1e-12);
}

TEST_F(WiresCommand, LosesLessWhereInterleavedPairsCancel) {
  const auto worst = [&](const char* pairs) {
    return result({std::string("wires.pairs=\"") + pairs + "\"", "wires.column_segment=20"})
        .worst_error;
  };
  EXPECT_LT(worst("interleaved"), worst("none"));
}

TEST_F(WiresCommand, MeetsItsIntervalsOverManyArrays) {
  const WiresResult few = result({"wires.arrays=64"});
  const WiresResult many = result({"wires.arrays=2000", "seed=9"});
  std::size_t inside = 0;
  for (std::size_t j = 0; j < few.columns.size(); ++j) {
    const core::Interval interval = few.columns[j].mean_interval;
    const double truth = many.columns[j].mean;
    inside += interval.lower <= truth && truth <= interval.upper ? 1 : 0;
  }
  EXPECT_GE(inside, 9u);  // of 12; 93 % are inside over many seeds
}

/// [bit_line]: 1.5 ohm a segment and 5 ohm to the sense amplifier, [wires] has a sense of 30 ohm.
class WiresBitLine : public WiresCommand {
 protected:
  static std::vector<std::string> line(const std::string& kind) {
    return {"bit_line.kind=\"" + kind + "\"", "bit_line.segment_resistance=\"1.5 ohm\"",
            "bit_line.sense_resistance=\"30 ohm\""};
  }
  Outcome with_line(const std::string& arguments) const {
    std::string all;
    for (const std::string& setting : line("wire_resistance")) all += "--set '" + setting + "' ";
    return wires(all + arguments);
  }
};

TEST_F(WiresBitLine, GivesDefaults) {
  const Outcome outcome = with_line("");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("1.5 ohm a cell along bit lines (of bit_line), driver 20 ohm, "
                              "sense 30 ohm\n"),
                    Not(HasSubstr("warning")), Not(HasSubstr("plays no part"))));
  for (const char* kind : {"wire_resistance", "lumped_wire"}) {
    const WiresResult from_line = result(line(kind));
    const WiresResult given = result({"wires.column_segment=1.5"});
    EXPECT_EQ(from_line.settings.column_segment_from, WireSource::bit_line);
    EXPECT_EQ(from_line.settings.sense_from, WireSource::wires);
    EXPECT_EQ(from_line.columns[3].mean, given.columns[3].mean);
    EXPECT_NE(from_line.columns[3].mean, result({}).columns[3].mean);
  }
  const auto json = nlohmann::json::parse(with_line("--json").output);
  EXPECT_EQ(json["column_segment_ohm"], 1.5);
  EXPECT_EQ(json["column_segment_from"], "bit_line");
  EXPECT_EQ(json["sense_from"], "wires");
  EXPECT_EQ(json["estimator"], "fitted_control");
}

TEST_F(WiresBitLine, GivesTheSenseResistance) {
  const Experiment experiment = read_experiment(
      core::Config::from_file(std::filesystem::path(CIMSTAT_CONFIGS) / "wire_64rows.toml"));
  EXPECT_EQ(experiment.wires.wires.column_segment, 1.5);
  EXPECT_EQ(experiment.wires.wires.sense, 5.0);
  EXPECT_EQ(experiment.wires.sense_from, WireSource::bit_line);
  EXPECT_EQ(experiment.wires.wires.supply_segment, 1.0);
  EXPECT_EQ(experiment.wires.wires.driver, 0.0);
}

TEST_F(WiresBitLine, IsContradictedWithAWarning) {
  for (const char* command : {"wires m.toml -q", "validate m.toml"}) {
    const Outcome outcome =
        run(std::string(command) +
            " --set bit_line.kind=wire_resistance --set bit_line.segment_resistance=1.5"
            " --set bit_line.sense_resistance=5 --set wires.column_segment=1.5");
    ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(
        outcome.output,
        AllOf(HasSubstr("cimstat: warning: m.toml:19:9: wires.sense: is 30 ohm "
                        "(bit_line.sense_resistance is 5 ohm; whole arrays take the first, single "
                        "columns the second); leave wires.sense out to take one for both\n"),
              Not(HasSubstr("column_segment: is"))));
  }
}

TEST_F(WiresBitLine, OfAnotherKindPlaysNoPart) {
  const Outcome bent = wires("--set bit_line.kind=compression --set 'bit_line.knee=\"1 mA\"'");
  ASSERT_EQ(bent.exit_code, 0) << bent.output;
  EXPECT_THAT(bent.output, HasSubstr("  bit_line  compression plays no part in whole arrays\n"));
  std::string rest = bent.output;
  const std::string line = "  bit_line  compression plays no part in whole arrays\n";
  rest.erase(rest.find(line), line.size());
  EXPECT_EQ(rest, wires("").output);
  EXPECT_EQ(wires("--set bit_line.kind=ideal").output, wires("").output);
}

TEST_F(WiresBitLine, IsInTheHelpAndTheDescription) {
  EXPECT_THAT(run("wires --help").output,
              AllOf(HasSubstr("[bit_line]"), HasSubstr("wires.column_segment and wires.sense")));
  EXPECT_THAT(run("describe wires").output,
              AllOf(HasSubstr("bit_line.segment_resistance"), HasSubstr("else 1 ohm")));
}

TEST_F(WiresCommand, SaysHowFewArraysAreRead) {
  const Outcome few = wires("--arrays 3");
  EXPECT_THAT(few.output, AllOf(HasSubstr("paired difference  3 arrays are too few"),
                                Not(HasSubstr("control variate    "))));
  EXPECT_THAT(wires("--arrays 16").output,
              AllOf(HasSubstr("control variate    "), Not(HasSubstr("paired difference"))));
  EXPECT_EQ(nlohmann::json::parse(wires("--arrays 15 --json").output)["estimator"],
            "paired_difference");
}

TEST_F(WiresCommand, DoesNotTouchWhatTablesAreMadeOf) {
  const Experiment with = read_experiment(core::Config::from_file(folder_ / "m.toml", {}));
  std::ofstream(folder_ / "n.toml")
      << std::string(macro).substr(0, std::string(macro).find("[wires]"));
  const Experiment without = read_experiment(core::Config::from_file(folder_ / "n.toml", {}));
  EXPECT_EQ(with.config_toml, without.config_toml);
  EXPECT_EQ(columns_toml(with), columns_toml(without));
  EXPECT_EQ(with.table_toml, without.table_toml);
  EXPECT_THAT(with.config_toml, Not(HasSubstr("wires")));
}

TEST_F(WiresCommand, RefusesWhatMakesNoSense) {
  const auto refused = [&](const std::string& setting) {
    const Outcome outcome = wires("--set " + setting);
    EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
    return outcome.output;
  };
  EXPECT_THAT(refused("wires.columns=0"), HasSubstr("wires.columns"));
  EXPECT_THAT(refused("wires.sense=-1"), HasSubstr("wires.sense"));
  EXPECT_THAT(refused("wires.active_rows=21"), HasSubstr("wires.active_rows"));
  EXPECT_THAT(refused("'wires.supply=\"middle\"'"), HasSubstr("input_line"));
  EXPECT_THAT(refused("wires.arrays=1"), HasSubstr("wires.arrays"));
  EXPECT_EQ(wires("--arrays 0").exit_code, 2);
}

}  // namespace
}  // namespace cimstat::experiments
