#include "circuits/drift_compensation.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "devices/pcm/pcm.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::circuits {
namespace {

using devices::DriftCompensation;
using devices::PcmCell;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double micro = 1e-6;
constexpr double hour = 3600.0;
constexpr double day = 86400.0;
constexpr double read_voltage = 0.2;  // [V]

PcmCell ibm_cell(double time, DriftCompensation compensation) {
  PcmCell cell{.statistics = devices::pcm_statistics(devices::PcmPreset::ibm),
               .targets = {0.0, 25.0 * micro},
               .conditions = {},
               .compensation = compensation};
  cell.conditions.time = time;
  return cell;
}

ColumnDesign column_of(const PcmCell& cell) {
  ColumnDesign design;
  design.rows = 8;
  design.lrs = cell.read(1).scaled(read_voltage);
  design.hrs = cell.read(0).scaled(read_voltage);
  design.sense.noise_sd = 2.0 * micro * read_voltage;
  return design;
}

/// P(code is not k) of a class of 8 rows, references midway between the classes' mean currents at
/// t_0, then multiplied as the cell's compensation says.
double misread(double time, DriftCompensation compensation, std::uint32_t lrs_count) {
  const PcmCell cell = ibm_cell(time, compensation);
  ColumnDesign design = column_of(cell);
  design.ladder = midpoint_ladder(column_of(ibm_cell(0.0, compensation)), 8);
  for (double& reference : design.ladder.references) reference *= cell.reference_factor();
  const ColumnClass classes[] = {{lrs_count, 8}};
  const ExactProbabilities exact = exact_probabilities(design, classes, {}, {1});
  return 1.0 - exact.probability[lrs_count];
}

// Setting: ibm preset, SET 25 uS, RESET 0 (which clamps to 0.105 uS on average), 8 rows, normal
// noise of 2 uS at each read, references at the midpoints of t_0.
TEST(DriftCompensation, ExactCompensationLeavesWhatTheSpreadOfTheExponentMakes) {
  EXPECT_NEAR(misread(0.0, DriftCompensation::exact, 8), 0.0024, 1e-4);
  EXPECT_NEAR(misread(hour, DriftCompensation::exact, 8), 0.013, 5e-4);
  EXPECT_NEAR(misread(30.0 * day, DriftCompensation::exact, 8), 0.063, 5e-4);
}

TEST(DriftCompensation, WithoutItFourCellsOfEightFailAfterAnHour) {
  EXPECT_NEAR(misread(hour, DriftCompensation::none, 4), 0.998, 5e-4);
  EXPECT_LT(misread(hour, DriftCompensation::exact, 4), 0.01);
}

/// Weights of an array of rows x columns cells at several times, in units of 25 uS.
std::vector<std::vector<double>> sampled_array(std::size_t cells, std::vector<double> times) {
  const PcmCell cell = ibm_cell(0.0, DriftCompensation::none);
  tests::NormalNumbers normal(21);
  std::vector<std::vector<double>> weights(times.size());
  for (std::size_t i = 0; i < cells; ++i) {
    const double programming = normal();
    const std::vector<double> path = cell.path(1, programming, normal(), times);
    for (std::size_t t = 0; t < times.size(); ++t) weights[t].push_back(path[t] / (25.0 * micro));
  }
  return weights;
}

TEST(DriftCompensation, ReadingAnArrayTellsItsMeanDrift) {
  const auto weights = sampled_array(64 * 64, {0.0, 30.0 * day});
  const double factor = drift_factor(weights[0], weights[1]);
  const PcmCell global = ibm_cell(30.0 * day, DriftCompensation::global);
  // 4,096 cells of 9 % drift spread.
  EXPECT_NEAR(factor * global.reference_factor(), 1.0, 5.0 * 0.095 / 64.0);
  EXPECT_GT(std::abs(factor - 1.0), 0.5);
}

TEST(DriftCompensation, ColumnsHaveFactorsOfTheirOwn) {
  const std::vector<double> before{1.0, 2.0, -1.0, 2.0};  // two patterns, two columns
  const std::vector<double> now{0.5, 2.0, -0.5, 1.0};
  EXPECT_THAT(drift_factors_of_columns(before, now, 2), ElementsAre(2.0, 4.0 / 3.0));
  EXPECT_EQ(drift_factor(before, now), 1.5);
}

TEST(DriftCompensation, AFactorPerColumnRemovesWhatOneFactorLeaves) {
  constexpr std::size_t columns = 64;
  const auto weights = sampled_array(16 * columns, {0.0, 30.0 * day});
  const std::vector<double> pattern(16, 1.0);  // all rows at once
  const std::vector<double> before = pattern_outputs(weights[0], columns, pattern);
  const std::vector<double> now = pattern_outputs(weights[1], columns, pattern);
  const double global = drift_factor(before, now);
  const std::vector<double> own = drift_factors_of_columns(before, now, columns);
  double left_by_global = 0.0;
  double left_by_own = 0.0;
  for (std::size_t column = 0; column < columns; ++column) {
    left_by_global += std::pow(global * now[column] / before[column] - 1.0, 2);
    left_by_own += std::pow(own[column] * now[column] / before[column] - 1.0, 2);
  }
  EXPECT_LT(left_by_own, 1e-24);
  EXPECT_GT(std::sqrt(left_by_global / columns), 0.015);  // 9.4 % / sqrt(16) = 2.4 %
}

TEST(DriftCompensation, OneHotPatternsGiveTheWeights) {
  const std::vector<double> weights{1.0, 2.0, 3.0, 4.0, 5.0, 6.0};  // 2 rows, 3 columns
  EXPECT_EQ(pattern_outputs(weights, 3, std::vector<double>{1.0, 0.0, 0.0, 1.0}), weights);
  EXPECT_THAT(pattern_outputs(weights, 3, std::vector<double>{1.0, -1.0}),
              ElementsAre(-3.0, -3.0, -3.0));
}

TEST(DriftCompensation, ExactTargetsAsReferenceCorrectProgrammingToo) {
  const std::vector<double> targets{1.0, -1.0};
  const std::vector<double> programmed{0.9, -0.9};
  const std::vector<double> now{0.45, -0.45};
  EXPECT_EQ(drift_factor(programmed, now), 2.0);
  EXPECT_NEAR(drift_factor(targets, now), 2.0 / 0.9, 1e-15);
}

TEST(DriftCompensation, SilentArraysHaveAFiniteFactor) {
  const std::vector<double> silent{0.0, 0.0};
  const std::vector<double> loud{0.5, -0.5};
  EXPECT_EQ(readout(silent), least_readout);
  EXPECT_EQ(drift_factor(loud, silent), 0.5 / least_readout);
  EXPECT_EQ(drift_factor(silent, silent), 1.0);
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(DriftCompensation, RefusesOutputsThatDontBelongTogether) {
  const std::vector<double> three{1.0, 2.0, 3.0};
  const std::vector<double> two{1.0, 2.0};
  EXPECT_THAT(refusal([&] { drift_factor(three, two); }),
              HasSubstr("drift compensation: 3 outputs before, 2 now (they are compared one by "
                        "one); read the same pattern twice"));
  EXPECT_THAT(refusal([&] { drift_factors_of_columns(three, three, 2); }),
              HasSubstr("3 outputs of 2 columns"));
  EXPECT_THAT(refusal([&] { pattern_outputs(three, 2, two); }),
              HasSubstr("3 weights of 2 columns"));
  EXPECT_THAT(refusal([&] { pattern_outputs(three, 1, two); }),
              HasSubstr("patterns of 2 inputs for 3 rows"));
  EXPECT_THAT(refusal([&] { readout({}); }), HasSubstr("no outputs"));
}

}  // namespace
}  // namespace cimstat::circuits
