#include "devices/rram/power_retention.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/random/random.h"

#include "devices/rram.h"
#include "devices/rram/analog_rram.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

/// G / (1 + R G).
double behind(double conductance, double resistance) {
  return conductance / (1.0 + conductance * resistance);
}

/// Where levels that conduct 1 .. 4 end after 1e4 s with v = 0.05, less 1: digits of a weight.
std::vector<double> drifted_digits(double target) {
  const PowerRetention retention{.exponent = 0.05, .start = 1.0, .target = target};
  std::vector<double> digits;
  for (int digit = 0; digit < 4; ++digit) {
    const double level = digit + 1.0;
    const std::vector<Drifted> drifted = retention.drifted(level, {1.0, 4.0}, 1e4);
    EXPECT_EQ(drifted.size(), 1u);
    EXPECT_EQ(drifted.front().probability, 1.0);
    digits.push_back(level * drifted.front().factor - 1.0);
  }
  return digits;
}

TEST(PowerRetention, ReproducesTheDigitsOfNeuroSim) {
  const auto are = [](double a, double b, double c, double d) {
    constexpr double printed = 5e-5;
    return testing::ElementsAre(testing::DoubleNear(a, printed), testing::DoubleNear(b, printed),
                                testing::DoubleNear(c, printed), testing::DoubleNear(d, printed));
  };
  EXPECT_THAT(drifted_digits(0.0), are(0.0, 0.2619, 0.8929, 1.5238));
  EXPECT_THAT(drifted_digits(0.5), are(0.5849, 2.1698, 0.8929, 1.5238));
  EXPECT_THAT(drifted_digits(1.0), are(0.5849, 2.1698, 3.0, 3.0));
  // The twin that drifts by 1 % more in the exponent is none of them.
  const PowerRetention twin{.exponent = 0.0505, .start = 1.0, .target = 0.5};
  EXPECT_GT(std::abs(twin.drifted(1.0, {1.0, 4.0}, 1e4).front().factor - 1.0 - 0.5849), 5e-4);
}

TEST(PowerRetention, DoesNothingAtItsTargetBeforeItsStartOrWithoutAnExponent) {
  const LevelSpan span{1.0, 3.0};
  for (const auto& [retention, time] :
       {std::pair(PowerRetention{.exponent = 0.1, .target = 0.5}, 1e4),
        {PowerRetention{.exponent = 0.1}, 1.0},
        {PowerRetention{.exponent = 0.1}, 0.0},
        {PowerRetention{.exponent = 0.0}, 1e4}}) {
    const std::vector<Drifted> drifted = retention.drifted(2.0, span, time);
    ASSERT_EQ(drifted.size(), 1u);
    EXPECT_EQ(drifted.front().probability, 1.0);
    EXPECT_EQ(drifted.front().factor, 1.0);
  }
}

AnalogRram cell_of(const std::string& keys, double time) {
  const core::Config config = core::Config::from_text(
      "[cell]\nmodel = \"analog_rram\"\npreset = \"neurosim\"\n" + keys, "cell.toml");
  const core::Section section{
      .key = "cell", .selector = "model", .variants = {analog_rram_variant()}};
  AnalogRram cell =
      read_analog_rram(core::SectionReader(config.table("cell"), section), {.time = time});
  config.finish();
  return cell;
}

TEST(PowerRetention, MomentsOfRandomEndsHaveTheClosedForm) {
  constexpr double time = 1e4;
  const double f = std::pow(time, 0.05);
  constexpr double lrs = 10e-6;
  constexpr double hrs = 10e-6 / 17.0;
  for (const double resistance : {0.0, 1e4}) {
    const std::string access = "access_resistance = " + std::to_string(resistance) + "\n";
    const AnalogRram cell = cell_of("retention_exponent = 0.05\n" + access, time);
    const double up = behind(hrs * f, resistance);
    const double low = behind(hrs, resistance);
    const double down = behind(lrs / f, resistance);
    const double high = behind(lrs, resistance);
    for (const core::Law& law : {cell.programmed(0), cell.read(0)}) {
      EXPECT_NEAR(law.mean() / ((2.0 * low + up) / 3.0), 1.0, 1e-12);
      EXPECT_NEAR(law.sd() / ((up - low) * std::sqrt(2.0) / 3.0), 1.0, 1e-12);
    }
    EXPECT_NEAR(cell.programmed(1).mean() / ((2.0 * high + down) / 3.0), 1.0, 1e-12);
    EXPECT_NEAR(cell.programmed(1).sd() / ((high - down) * std::sqrt(2.0) / 3.0), 1.0, 1e-12);
  }
}

TEST(PowerRetention, TowardsATargetEveryCellOfALevelGoesTheSameWay) {
  const AnalogRram cell =
      cell_of("variation = 0.02\nretention_exponent = 0.05\nretention_target = 0.5\n", 1e4);
  const double f = std::pow(1e4, 0.05);
  EXPECT_NEAR(cell.programmed(0).mean() / (10e-6 / 17.0 * f), 1.0, 1e-12);
  EXPECT_NEAR(cell.programmed(0).sd() / (0.02 * 10e-6 / 17.0 * f), 1.0, 1e-12);
  EXPECT_NEAR(cell.programmed(1).mean() / (10e-6 / f), 1.0, 1e-12);
}

TEST(PowerRetention, OfBinaryCellsIsAMixtureThatSamplesFollow) {
  RramCell cell{.lrs = core::LogNormal{40e-6, 0.05}, .hrs = core::Point{2e-6}};
  cell.access_resistance = 5e3;
  cell.conditions.time = 1e6;
  cell.wear.retention = {.exponent = 0.02, .start = 10.0};
  const double f = std::pow(1e5, 0.02);
  const core::Law law = cell.programmed(Level::lrs);
  tests::NormalNumbers normal(31);
  core::TrialRandom ends({32, 0}, core::Domain::test, 0);
  std::vector<double> samples(100000);
  for (double& sample : samples) {
    const double fresh = 40e-6 * std::exp(0.05 * normal());
    sample = behind(ends.uniform() < 1.0 / 3.0 ? fresh / f : fresh, 5e3);
  }
  EXPECT_LT(tests::largest_deviation(samples, law), tests::bonferroni_limit);
  for (double& sample : samples) sample *= 1.002;
  EXPECT_GT(tests::largest_deviation(samples, law), tests::bonferroni_limit);
}

std::string refusal(const std::string& keys, double time) {
  try {
    cell_of(keys, time);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PowerRetention, KeysThatContradictOrLackTheirPartnersAreRefused) {
  EXPECT_THAT(refusal("retention_target = 0.5\n", 0.0),
              HasSubstr("cell.retention_target: has no effect without retention_exponent; set "
                        "both, or leave both out"));
  EXPECT_THAT(
      refusal("retention_exponent = 0.1\nretention_loss = 0.1\nretention_time = \"1 s\"\n", 10.0),
      HasSubstr("cell.retention_exponent: stands beside retention_loss (both say what time does "
                "to the cells); keep one of them"));
  EXPECT_EQ(refusal("retention_exponent = 0.1\n", 10.0), "accepted");
}

}  // namespace
}  // namespace cimstat::devices
