#include "experiments/seeing/chips_comparison.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string fresh_macro = R"([cell]
model = "rram"
[cell.lrs]
distribution = "point"
value = "40 uS"
[cell.hrs]
distribution = "point"
value = "2 uS"
[column]
rows = 9
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1 uA"
)";

/// As above, with cells that differ and an offset.
const std::string frozen_macro = R"([cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.05
[cell.hrs]
distribution = "point"
value = "2 uS"
[column]
rows = 9
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1 uA"
offset_sd = "1 uA"
)";

constexpr std::size_t images = 300;

/// Each image has a chance of its own, easier or harder on each chip: logit shifted by `chip_sd` z.
/// `chips` = 0: a table's reads.
AccuracyRecord record(std::uint32_t chips, std::uint32_t reads, double chip_sd, double shift,
                      std::uint64_t seed) {
  AccuracyRecord made;
  made.network = "net";
  made.data_set = "set";
  made.config_toml = chip_sd > 0.0 ? frozen_macro : fresh_macro;
  std::mt19937_64 engine(seed);
  std::mt19937_64 easy(5);  // which images are easy is a property of the images
  std::vector<double> logit(images);
  for (double& one : logit) one = std::uniform_real_distribution<double>(0.0, 4.0)(easy);
  made.result.reads = reads;
  made.result.chips = chips;
  made.result.exact_correct.assign(images, 1);
  for (std::uint32_t chip = 0; chip < std::max(chips, 1U); ++chip) {
    const double of_chip = shift + chip_sd * std::normal_distribution<double>()(engine);
    for (std::uint32_t read = 0; read < reads; ++read) {
      for (const double one : logit) {
        const double p = 1.0 / (1.0 + std::exp(-one - (chips > 0 ? of_chip : 0.0)));
        made.result.sampled_correct.push_back(std::bernoulli_distribution(p)(engine));
      }
    }
  }
  return made;
}

TEST(ChipsComparison, FollowsFromTheAnswersByItsFormulas) {
  AccuracyRecord table;
  table.network = "net";
  table.data_set = "set";
  table.result.reads = 2;
  table.result.exact_correct = {1, 1, 1, 0};
  table.result.sampled_correct = {1, 1, 0, 0, 1, 0, 0, 1};
  AccuracyRecord chips = table;
  chips.config_toml = frozen_macro;
  chips.result.reads = 1;
  chips.result.chips = 3;
  chips.result.sampled_correct = {1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0};
  const ChipsComparison comparison = compare_chips(table, chips, {});
  EXPECT_THAT(comparison.frozen, ElementsAre("LRS cells", "offsets"));
  EXPECT_DOUBLE_EQ(comparison.of_table.value, 0.5);
  EXPECT_DOUBLE_EQ(comparison.of_chips.value, 0.5);
  // Two of four images have a variance of 1/2 between their reads.
  EXPECT_NEAR(comparison.table_spread, std::sqrt(1.0 / 16.0), 1e-12);
  EXPECT_FALSE(comparison.is_limit);
  EXPECT_NEAR(comparison.spread->value, 0.25, 1e-12);
  // chi-square = 2 * (1/16) / (1/16) with two degrees of freedom
  EXPECT_NEAR(comparison.spread_p_value, std::exp(-1.0), 1e-9);
  // Variances 1/48 of the chips' mean, 1/32 of the table's: 2 * (2.5)^2 = 12.5 degrees of freedom.
  const double half = core::student_t(0.95, 12.5) * std::sqrt(1.0 / 48.0 + 1.0 / 32.0);
  EXPECT_NEAR(comparison.over_chips->interval.upper, half, 1e-9);
  EXPECT_NEAR(comparison.over_chips->interval.lower, -half, 1e-9);
  EXPECT_FALSE(comparison.differ(0.05));
  table.result.reads = 1;
  table.result.sampled_correct.resize(4);
  const ChipsComparison limited = compare_chips(table, chips, {});
  EXPECT_TRUE(limited.is_limit);
  EXPECT_NEAR(limited.table_spread, std::sqrt(0.5 * 0.5 / 4.0), 1e-12);
}

// Level 0.05, at most two tests; tolerance three standard errors of 400 replicates. With a table of
// one read the spread it allows is a limit, so that there are fewer alarms.
TEST(ChipsComparison, RaisesNoMoreFalseAlarmsThanItsLevelWhereNothingIsFrozen) {
  constexpr int replicates = 400;
  for (const std::uint32_t reads : {1U, 20U}) {
    int alarms = 0;
    for (std::uint64_t i = 0; i < replicates; ++i) {
      const ComparisonSettings settings{.level = 0.05};
      const ChipsComparison comparison = compare_chips(record(0, reads, 0.0, 0.0, 1000 + i),
                                                       record(20, 1, 0.0, 0.0, 5000 + i), settings);
      EXPECT_TRUE(comparison.frozen.empty());
      alarms += comparison.differ(settings.level);
    }
    EXPECT_LE(double(alarms) / replicates, 0.05 + 3.0 * std::sqrt(0.05 * 0.95 / replicates))
        << reads;
  }
}

// Chips that differ, alike in the mean; chips that are alike, and worse in the mean.
TEST(ChipsComparison, FindsASpreadAndALowerMean) {
  for (std::uint64_t i = 0; i < 20; ++i) {
    const AccuracyRecord table = record(0, 20, 0.0, 0.0, 100 + i);
    const ChipsComparison spread = compare_chips(table, record(20, 1, 1.0, 0.2, 200 + i), {});
    EXPECT_LT(spread.spread_p_value, 1e-6);
    const ChipsComparison lower = compare_chips(table, record(20, 1, 0.05, -0.5, 300 + i), {});
    EXPECT_LT(lower.over_chips->interval.upper, 0.0);
    EXPECT_TRUE(lower.means_differ);
    EXPECT_TRUE(lower.differ(0.001));
  }
}

TEST(ChipsComparison, SaysWhatTheTableLeavesOut) {
  const AccuracyRecord table = record(0, 20, 0.0, 0.0, 1);
  const std::string text =
      format_comparison(compare_chips(table, record(20, 1, 1.0, 0.0, 2), {}), ComparisonSettings());
  EXPECT_THAT(text,
              HasSubstr("frozen on each chip, drawn afresh by the table: LRS cells, offsets"));
  EXPECT_THAT(text, HasSubstr("left out by the table: "));
  EXPECT_THAT(text, HasSubstr(" points of spread over chips (p "));
  EXPECT_THAT(text, HasSubstr("chips and table differ, level 0.001\n"));
  const std::string alike =
      format_comparison(compare_chips(table, record(20, 1, 0.0, 0.0, 3), {}), ComparisonSettings());
  EXPECT_THAT(alike, HasSubstr("nothing is frozen on these chips"));
  EXPECT_THAT(alike, HasSubstr("no significant difference, level 0.001\n"));
  const std::string one =
      format_comparison(compare_chips(table, record(1, 2, 1.0, 0.0, 4), {}), ComparisonSettings());
  EXPECT_THAT(one, HasSubstr("; one chip says nothing about others: take 20\n"));
}

TEST(ChipsComparison, RefusesOtherImages) {
  const AccuracyRecord table = record(0, 2, 0.0, 0.0, 1);
  AccuracyRecord chips = record(2, 1, 1.0, 0.0, 2);
  chips.result.exact_correct[7] = 0;
  EXPECT_THROW(compare_chips(table, chips, {}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
