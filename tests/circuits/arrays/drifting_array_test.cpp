#include "circuits/arrays/drifting_array.h"

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/simd.h"
#include "core/statistics/statistics.h"

namespace cimstat::circuits {
namespace {

/// Noise that is capped at small conductances.
double some_quality(double g) { return std::min(0.0088 / std::pow(g / 25e-6, 0.65), 0.2); }
const StateNoise some_noise{some_quality, 1e-8, 40e-6};
const std::vector<DriftingLevel> some_levels{{{0.5e-6, 0.3e-6}, {0.09, 0.045}},
                                             {{12e-6, 1e-6}, {0.05, 0.01}},
                                             {{25e-6, 1.05e-6}, {0.049, 0.008}}};

LevelPlane plane_of(ArrayShape shape) {
  std::vector<std::uint8_t> levels;
  for (std::size_t i = 0; i < shape.cells(); ++i) {
    levels.push_back(static_cast<std::uint8_t>(i % some_levels.size()));
  }
  return {shape, levels};
}

DriftingArray array_of(ArrayShape shape, unsigned threads = 1) {
  static const DriftingCells cells(some_levels, some_noise);
  DriftingArray array;
  program(cells, plane_of(shape), {{4, 0}, 6, 64}, {threads}, array);
  return array;
}

constexpr DriftMoment at(double time) {
  return {.logarithm = std::log1p(time / 20.0),
          .noise_factor = std::sqrt(std::log((20.0 + time + 250e-9) / 500e-9))};
}

TEST(StateCurve, IsWithinTwoMillionthsOfItsFunctionEverywhere) {
  const auto leap = [](double x) { return x < 3e-6 ? 0.02 - 0.0078 * std::log(x / 1e-6) : 0.013; };
  for (const std::function<double(double)>& function :
       {std::function<double(double)>(some_quality), std::function<double(double)>(leap)}) {
    const StateCurve curve(function, 1e-8, 40e-6);
    double worst = 0.0;
    for (double x = 1e-8; x < 40e-6; x *= 1.00001) {
      const auto rounded = static_cast<float>(x);
      const double exact = function(static_cast<double>(rounded));
      worst = std::max(worst, std::abs(static_cast<double>(curve(rounded)) / exact - 1.0));
    }
    EXPECT_LT(worst, 2e-6);
    EXPECT_EQ(curve(0.0f), curve(1e-9f));
    EXPECT_NEAR(static_cast<double>(curve(1.0f)), function(40e-6), 1e-7);
  }
}

TEST(DriftingArray, IsWithinAMillionthOfItsFormulas) {
  const ArrayShape shape{130, 70};
  const DriftingArray array = array_of(shape);
  for (const double time : {0.0, 1.0, 3600.0, 3.15e7, 1e12}) {
    NoisyArray now;
    drift(array, at(time), {1}, now);
    for (std::uint32_t row = 0; row < shape.rows; ++row) {
      for (std::uint32_t column = 0; column < shape.columns; ++column) {
        const auto programmed = static_cast<double>(array.programmed.at(row, column));
        const auto exponent = static_cast<double>(array.exponent.at(row, column));
        const double expected = programmed * std::exp(-exponent * at(time).logarithm);
        const double noise =
            expected * some_quality(std::max(programmed, 1e-8)) * at(time).noise_factor;
        ASSERT_GE(programmed, 0.0);
        ASSERT_GE(exponent, 0.0);
        ASSERT_NEAR(static_cast<double>(now.conductance.at(row, column)), expected,
                    1e-6 * expected);
        ASSERT_NEAR(static_cast<double>(now.noise_sd.at(row, column)), noise, 3e-6 * noise);
      }
    }
  }
}

TEST(DriftingArray, DrawsEachCellFromTheWordsOfItsOwnDomains) {
  const ArrayShape shape{9, 65};
  const DriftingArray array = array_of(shape);
  const DriftingCells cells(some_levels, some_noise);
  ArrayPlane reads;
  constexpr std::uint64_t number = 77;
  read(array, at(100.0), number, {1}, reads);
  NoisyArray now;
  drift(array, at(100.0), {1}, now);
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      const std::uint64_t instance = 6 * std::uint64_t{chip_column_limit} + 64 + column;
      const auto word = [&](core::Domain domain, std::uint64_t first_block) {
        return core::philox4x32(core::counter_of({4, 0}, domain, instance, first_block + row / 4),
                                core::key_of({4, 0}))[row % 4];
      };
      const std::size_t level = (std::size_t{row} * shape.columns + column) % some_levels.size();
      EXPECT_EQ(
          array.programmed.at(row, column),
          std::max(0.0f, cells.programmed().table(level)(word(core::Domain::programming, 0))));
      EXPECT_EQ(array.exponent.at(row, column),
                std::abs(cells.exponents().table(level)(word(core::Domain::drift, 0))));
      const float z = standard_normal_table()(word(core::Domain::array_read, 1024 * number));
      EXPECT_EQ(reads.at(row, column),
                std::max(0.0f, now.conductance.at(row, column) + now.noise_sd.at(row, column) * z));
    }
  }
}

TEST(DriftingArray, DoesNotDependOnThreadsOrInstructionSet) {
  for (const ArrayShape shape : {ArrayShape{1, 1}, ArrayShape{3, 65}, ArrayShape{1023, 70}}) {
    const DriftingArray expected = array_of(shape);
    ArrayPlane expected_reads;
    read(expected, at(1e5), 3, {1}, expected_reads);
    const std::string before = core::simd_target();
    for (const std::string& target : core::simd_targets()) {
      core::use_simd_target(target);
      const DriftingArray array = array_of(shape, 3);
      EXPECT_EQ(array.programmed.row_major(), expected.programmed.row_major()) << target;
      EXPECT_EQ(array.exponent.row_major(), expected.exponent.row_major()) << target;
      EXPECT_EQ(array.quality.row_major(), expected.quality.row_major()) << target;
      ArrayPlane reads;
      read(array, at(1e5), 3, {2}, reads);
      EXPECT_EQ(reads.row_major(), expected_reads.row_major()) << target;
    }
    core::use_simd_target(before);
  }
}

/// Of ln G at two times, over the cells of the highest level.
struct LogMoments {
  double correlation = 0.0;
  double later_variance = 0.0;
  std::uint64_t cells = 0;
};

LogMoments log_moments(const ArrayPlane& earlier, const ArrayPlane& later) {
  double n = 0.0;
  double sum_x = 0.0;
  double sum_y = 0.0;
  double sum_xx = 0.0;
  double sum_yy = 0.0;
  double sum_xy = 0.0;
  const ArrayShape shape = earlier.shape();
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      if ((std::size_t{row} * shape.columns + column) % some_levels.size() != 2) continue;
      const double x = std::log(static_cast<double>(earlier.at(row, column)) / 25e-6);
      const double y = std::log(static_cast<double>(later.at(row, column)) / 25e-6);
      n += 1.0;
      sum_x += x;
      sum_y += y;
      sum_xx += x * x;
      sum_yy += y * y;
      sum_xy += x * y;
    }
  }
  const double variance_x = sum_xx / n - sum_x * sum_x / (n * n);
  const double variance_y = sum_yy / n - sum_y * sum_y / (n * n);
  const double covariance = sum_xy / n - sum_x * sum_y / (n * n);
  return {covariance / std::sqrt(variance_x * variance_y), variance_y,
          static_cast<std::uint64_t>(n)};
}

// ln G(t) = ln G_p - nu L(t): covariance v + s^2 L_1 L_2 with v = Var ln G_p and s = sd nu (folding
// at 0 is 6 sd away). Tolerance: 4.5 standard errors of Fisher's z.
TEST(DriftingArray, OneChipAtTwoTimesIsCorrelatedAsItsDevicesAre) {
  const DriftingArray array = array_of({1024, 192});
  NoisyArray at_first;
  NoisyArray earlier;
  NoisyArray later;
  drift(array, at(0.0), {1}, at_first);
  drift(array, at(3600.0), {1}, earlier);
  drift(array, at(3.15e7), {1}, later);
  const double v = log_moments(at_first.conductance, at_first.conductance).later_variance;
  const double s = some_levels[2].exponent.sd;
  const double first = at(3600.0).logarithm;
  const double second = at(3.15e7).logarithm;
  const double expected = (v + s * s * first * second) /
                          std::sqrt((v + s * s * first * first) * (v + s * s * second * second));
  const LogMoments found = log_moments(earlier.conductance, later.conductance);
  const double error = 1.0 / std::sqrt(static_cast<double>(found.cells) - 3.0);
  EXPECT_NEAR(std::atanh(found.correlation), std::atanh(expected), 4.5 * error);
  EXPECT_NEAR(found.later_variance, v + s * s * second * second, 0.03 * found.later_variance);
  // The twin: exponents drawn anew for the later time would be seen.
  const double fresh = v / std::sqrt((v + s * s * first * first) * (v + s * s * second * second));
  EXPECT_GT(std::atanh(expected) - std::atanh(fresh), 20.0 * error);
}

TEST(DriftingArray, ReadsOfOneChipShareItsDevicesButNotTheirNoise) {
  const DriftingArray array = array_of({1024, 192});
  ArrayPlane first;
  ArrayPlane second;
  ArrayPlane again;
  read(array, at(3600.0), 0, {1}, first);
  read(array, at(3600.0), 1, {1}, second);
  read(array, at(3600.0), 0, {2}, again);
  EXPECT_EQ(first.row_major(), again.row_major());
  NoisyArray now;
  drift(array, at(3600.0), {1}, now);
  double products = 0.0;
  double squares = 0.0;
  double n = 0.0;
  const ArrayShape shape = first.shape();
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      if ((std::size_t{row} * shape.columns + column) % some_levels.size() == 0) continue;
      const auto g = static_cast<double>(now.conductance.at(row, column));
      const auto sd = static_cast<double>(now.noise_sd.at(row, column));
      const double z_first = (static_cast<double>(first.at(row, column)) - g) / sd;
      products += z_first * (static_cast<double>(second.at(row, column)) - g) / sd;
      squares += z_first * z_first - 1.0;
      n += 1.0;
    }
  }
  EXPECT_LT(std::abs(products), 4.5 * std::sqrt(n));
  EXPECT_LT(std::abs(squares), 4.5 * std::sqrt(2.0 * n));
}

// One row, its input 1: the sum is the cell itself with the noise of product k, which must not be
// that of read k.
TEST(DriftingArray, AReadAndAProductOfTheSameNumberShareNoNoise) {
  const ArrayShape shape{1, 4096};
  const DriftingArray array = array_of(shape);
  NoisyArray now;
  drift(array, at(3600.0), {1}, now);
  double products = 0.0;
  double n = 0.0;
  for (const std::uint64_t number : std::vector<std::uint64_t>{0, 1, 77}) {
    ArrayPlane reads;
    read(array, at(3600.0), number, {1}, reads);
    std::vector<float> sums(shape.columns);
    multiply(now, std::vector<std::uint8_t>{1},
             {.place = array.place, .noise = NoiseDraw::per_cell, .first_product = number}, sums);
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      const auto g = static_cast<double>(now.conductance.at(0, column));
      const auto sd = static_cast<double>(now.noise_sd.at(0, column));
      if (reads.at(0, column) <= 0.0f || sd == 0.0) continue;
      products += (static_cast<double>(reads.at(0, column)) - g) / sd *
                  (static_cast<double>(sums[column]) - g) / sd;
      n += 1.0;
    }
  }
  EXPECT_GT(n, 8000.0);
  EXPECT_LT(std::abs(products), 4.5 * std::sqrt(n));
}

TEST(DriftingArray, ANoiseOfLevelsIsTheSameInAllTheirCells) {
  const ArrayShape shape{4, 66};
  const DriftingCells cells(some_levels, std::vector<float>{0.2f, 0.1f, 0.05f});
  DriftingArray array;
  program(cells, plane_of(shape), {}, {1}, array);
  for (std::uint32_t column = 0; column < shape.columns; ++column) {
    const std::size_t level = (shape.columns + column) % some_levels.size();
    EXPECT_EQ(array.quality.at(1, column), cells.quality_of_levels()[level]);
  }
}

}  // namespace
}  // namespace cimstat::circuits
