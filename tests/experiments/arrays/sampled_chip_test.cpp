#include "experiments/arrays/sampled_chip.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#include "experiments/arrays/drifting_chip.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::Outcome;
using tests::TemporaryFolder;

devices::AnyCell some_cell() {
  return devices::RramCell{.lrs = core::LogNormal{40e-6, 0.08},
                           .hrs = core::LogNormal{2e-6, 0.5},
                           .access_resistance = 2e3,
                           .read_noise = 0.02,
                           .stuck_at_hrs = 0.01};
}

SampledChip chip_of(circuits::ArrayShape shape, std::uint64_t chip = 0) {
  return sample_chip(some_cell(), shape, chip, 1.0, {.seed = 3, .point = 0}, 0.999, {2});
}

TEST(SampledChip, HasEveryLevelInTurnAndCountsItsCells) {
  const SampledChip chip = chip_of({5, 3});
  EXPECT_EQ(chip.levels, (std::vector<std::uint8_t>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0}));
  EXPECT_EQ(chip.summaries[0].cells, 8U);
  EXPECT_EQ(chip.summaries[1].cells, 7U);
  EXPECT_EQ(chip.values.size(), 15U);
}

// 14 intervals at 99.9 % each, and two p-values; stuck cells make atoms.
TEST(SampledChip, IntervalsHoldTheLawsOfItsLevels) {
  const SampledChip chip = chip_of({512, 1024});
  for (const LevelSummary& summary : chip.summaries) {
    const auto expect_inside = [](const Comparison& comparison) {
      EXPECT_LE(comparison.interval.lower, comparison.law * (1.0 + 1e-6));
      EXPECT_GE(comparison.interval.upper, comparison.law * (1.0 - 1e-6));
    };
    expect_inside(summary.moments.mean);
    expect_inside(summary.moments.sd);
    for (const Comparison& quantile : summary.quantiles) expect_inside(quantile);
    EXPECT_GT(summary.p_value, 1e-3);
    EXPECT_LT(summary.moments.mean.interval.upper - summary.moments.mean.interval.lower,
              8.0 * summary.moments.sd.law / std::sqrt(static_cast<double>(summary.cells)));
  }
}

// A third of the cells of the lowest level are at 0, where programming was clamped.
TEST(SampledChip, CellsAtAClampAreThoseOfTheLaw) {
  devices::PcmCell cell;
  cell.statistics = devices::pcm_statistics(devices::PcmPreset::ibm);
  cell.targets = {0.0, 25e-6};
  const SampledChip chip =
      sample_chip(cell, {256, 128}, 0, 1.0, {.seed = 3, .point = 0}, 0.999, {2});
  for (const LevelSummary& summary : chip.summaries) {
    EXPECT_GT(summary.p_value, 1e-3);
    for (const Comparison& quantile : summary.quantiles) {
      EXPECT_TRUE(quantile.law == 0.0 || std::abs(quantile.law) > 1e-12) << quantile.law;
      EXPECT_TRUE(quantile.sampled == 0.0 || std::abs(quantile.sampled) > 1e-12);
    }
  }
  EXPECT_EQ(chip.summaries[0].quantiles[0].law, 0.0);
  EXPECT_EQ(chip.summaries[0].quantiles[0].sampled, 0.0);
}

TEST(SampledChip, CellsStayTheSameInAWiderArrayAndChangeWithTheChip) {
  const SampledChip narrow = chip_of({20, 10});
  const SampledChip wide = chip_of({20, 200});
  const SampledChip other = chip_of({20, 10}, 1);
  for (std::size_t row = 0; row < 20; ++row) {
    for (std::size_t column = 0; column < 10; ++column) {
      EXPECT_EQ(narrow.values[row * 10 + column], wide.values[row * 200 + column]);
      EXPECT_NE(narrow.values[row * 10 + column], other.values[row * 10 + column]);
    }
  }
}

TEST(SampledChip, RefusesMoreCellsThanFit) {
  try {
    chip_of({1024, 1U << 17});
    FAIL() << "nothing was thrown";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "--columns: 1024 rows of 131072 columns are too many cells (at most 67108864); "
                 "take fewer columns");
  }
}

devices::AnyCell drifting_cell() {
  devices::PcmCell cell;
  cell.statistics = devices::pcm_statistics(devices::PcmPreset::hermes_one_device);
  cell.targets = {3e-6, 6e-6, 10e-6};
  return cell;
}

// 24 intervals at 99.9 % each.
TEST(DriftingChip, IntervalsHoldTheClosedFormsOfItsDevicesAtEveryTime) {
  const DriftingChip chip = drift_chip(drifting_cell(), {256, 512}, 4, 1.0, {0.0, 3600.0, 1e7},
                                       {.seed = 3, .point = 0}, 0.999, {2});
  for (const std::vector<TimeSummary>& summaries : chip.summaries) {
    ASSERT_EQ(summaries.size(), 3U);
    for (const auto& [moments, correlation] : summaries) {
      for (const Comparison& comparison : {moments.mean, moments.sd, correlation}) {
        EXPECT_LE(comparison.interval.lower, comparison.law * (1.0 + 1e-6));
        EXPECT_GE(comparison.interval.upper, comparison.law * (1.0 - 1e-6));
      }
    }
    EXPECT_EQ(summaries[0].correlation.law, 1.0);
    EXPECT_LT(summaries[2].correlation.law, 0.9);
    EXPECT_LT(summaries[2].moments.mean.law, 0.9 * summaries[0].moments.mean.law);
  }
}

TEST(DriftingChip, SaysItsTimesInUnitsOfDays) {
  const DriftingChip chip = drift_chip(drifting_cell(), {8, 8}, 0, 1.0, {20.0, 7200.0, 2.592e6},
                                       {.seed = 3, .point = 0}, 0.95, {1});
  const std::string text = chip_as_text({.name = "x", .seed = 3, .confidence = 0.95}, chip);
  for (const char* time :
       {"\n    0       20 s  ", "\n    0        2 h  ", "\n    2    30 days  "}) {
    EXPECT_THAT(text, HasSubstr(time));
  }
}

TEST(DriftingChip, RefusesCellsThatKeepNoStateOverTime) {
  try {
    drift_chip(some_cell(), {2, 2}, 0, 1.0, {0.0}, {}, 0.95, {1});
    FAIL() << "nothing was thrown";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "--time: can't follow the devices of this cell model (only pcm keeps each cell's "
                 "drift exponent); set conditions.time for one time");
  }
}

TEST(DriftingChip, CorrectionsAreWhatReadingTheArrayAgainGives) {
  const double factor = 1.25;
  const DriftingChip nominal =
      drift_chip(drifting_cell(), {32, 24}, 4, 1.0, {0.0, 1e7}, {.seed = 3, .point = 0}, 0.95, {1});
  const DriftingChip chip = drift_chip(drifting_cell(), {32, 24}, 4, factor, {0.0, 1e7},
                                       {.seed = 3, .point = 0}, 0.95, {1});
  std::vector<double> before(24, 0.0);
  std::vector<double> now(24, 0.0);
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    before[i % 24] += static_cast<double>(chip.conductance[0][i]);
    now[i % 24] += static_cast<double>(chip.conductance[1][i]);
    EXPECT_NEAR(static_cast<double>(chip.conductance[1][i]),
                factor * static_cast<double>(nominal.conductance[1][i]), 1e-12);
  }
  double all_before = 0.0;
  double all_now = 0.0;
  double columns = 0.0;
  for (std::size_t c = 0; c < 24; ++c) {
    all_before += before[c];
    all_now += now[c];
    columns += before[c] / now[c] / 24.0;
  }
  double squares = 0.0;
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    squares += std::pow(all_before / all_now * static_cast<double>(chip.conductance[1][i]) -
                            static_cast<double>(chip.conductance[0][i]),
                        2);
  }
  const DriftCorrection& correction = chip.corrections[1];
  EXPECT_NEAR(correction.factor, all_before / all_now, 1e-12);
  EXPECT_NEAR(correction.column_mean, columns, 1e-12);
  EXPECT_NEAR(correction.error_with_one,
              std::sqrt(squares / static_cast<double>(chip.levels.size())) / (factor * 10e-6),
              1e-12);
  EXPECT_LT(correction.error_with_one, correction.error_without);
  EXPECT_EQ(chip.corrections[0].factor, 1.0);
  EXPECT_EQ(chip.corrections[0].error_without, 0.0);
}

class ArrayCommand : public testing::Test {
 protected:
  Outcome array(const std::string& arguments) const {
    return tests::run_program("cd " + (folder_ / "").string() + " && " + CIMSTAT_BINARY +
                              " array " + CIMSTAT_CONFIG + " " + arguments + " 2>&1");
  }
  std::string text_of(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  TemporaryFolder folder_;
};

TEST_F(ArrayCommand, PrintsTheComparisonAndWritesEveryCell) {
  const Outcome outcome = array("--columns 7 -o cells.csv");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output,
              AllOf(HasSubstr("chip 0 of seed 2018, 9 rows x 7 columns, 2 levels"),
                    HasSubstr("sampled [95 % interval]"), HasSubstr("written cells.csv")));
  const std::string text = text_of("cells.csv");
  EXPECT_THAT(text, testing::StartsWith("row,column,level,conductance_S\n0,0,0,"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1 + 9 * 7);
}

TEST_F(ArrayCommand, WritesTheSameBytesForAnyThreadsAndInstructionSet) {
  ASSERT_EQ(array("--columns 130 --threads 1 -o cells.csv").exit_code, 0);
  const std::string whole = text_of("cells.csv");
  for (const std::string& target : core::simd_targets()) {
    ASSERT_EQ(array("--columns 130 --threads 3 -o cells.csv --simd " + target).exit_code, 0);
    EXPECT_EQ(text_of("cells.csv"), whole) << target;
  }
  ASSERT_EQ(array("--columns 130 --chip 1 -o cells.csv").exit_code, 0);
  EXPECT_NE(text_of("cells.csv"), whole);
}

TEST_F(ArrayCommand, PrintsJsonAndRefusesChipsThatDoNotExist) {
  const Outcome outcome = array("--json --columns 20");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(json["levels"].size(), 2U);
  EXPECT_EQ(json["levels"][1]["quantiles"].size(), 5U);
  EXPECT_EQ(array("--chip 16777216").exit_code, 2);
}

double mean_of_level(const Outcome& outcome, std::size_t level) {
  return nlohmann::json::parse(outcome.output)["levels"][level]["mean"]["sampled"];
}

// The cells are those of the nominal die, all of them times the die's factor.
TEST_F(ArrayCommand, TheDieHasItsPartInEveryCell) {
  const std::string sd = " --set column.common_factor_sd=0.1";
  const Outcome nominal = array("--json");
  const Outcome slow = array("--json --set conditions.corner=-2" + sd);
  const Outcome drawn = array("--json" + sd);
  const Outcome other = array("--json --chip 1" + sd);
  ASSERT_EQ(slow.exit_code, 0) << slow.output;
  EXPECT_NEAR(mean_of_level(slow, 1) / mean_of_level(nominal, 1), 0.8, 1e-6);
  const double factor = nlohmann::json::parse(drawn.output)["die_factor"];
  EXPECT_NE(factor, 1.0);
  EXPECT_NE(factor, nlohmann::json::parse(other.output)["die_factor"].get<double>());
  EXPECT_NEAR(mean_of_level(drawn, 0) / mean_of_level(nominal, 0), factor, 1e-6);
  EXPECT_THAT(array(sd).output, HasSubstr("times as much as the cells of a nominal die"));
}

TEST_F(ArrayCommand, RefusesAField) {
  const Outcome outcome = array(
      "--set spatial_field.kernel=exponential --set spatial_field.relative_sd=0.1 --set "
      "spatial_field.correlation_length=1e-6 --set spatial_field.row_pitch=1e-6 --set "
      "spatial_field.column_pitch=1e-6");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("spatial_field: an array knows no field"));
}

TEST_F(ArrayCommand, RefusesTimesThatAreNone) {
  EXPECT_EQ(array("--time 3600s").exit_code, 2);  // the model has no sampled path
  for (const auto& [time, said] : {std::pair{"later", "--time: \"later\" is no time"},
                                   {"3V", "the unit \"V\" where s is needed"},
                                   {"-1s", "--time: -1s is before the cells are programmed"},
                                   {"1e300s", "--time: 1e300s is out of range (at most 10 Gs)"}}) {
    const Outcome outcome = array(std::string("--time=") + time);
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output, HasSubstr(said));
  }
}

}  // namespace
}  // namespace cimstat::experiments
