#include "circuits/arrays/pcm_array.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/arrays/level_tables.h"

namespace cimstat::circuits {
namespace {

using devices::PcmCell;
using devices::PcmNoiseState;
using devices::PcmPreset;

PcmCell cell_of(PcmPreset preset) {
  PcmCell cell;
  cell.statistics = devices::pcm_statistics(preset);
  for (const double share : {0.0, 0.05, 0.3, 0.6, 1.0}) {
    cell.targets.push_back(share * cell.statistics.full_scale);
  }
  return cell;
}

LevelPlane plane_of(ArrayShape shape, const PcmCell& cell) {
  std::vector<std::uint8_t> levels;
  for (std::size_t i = 0; i < shape.cells(); ++i) {
    levels.push_back(static_cast<std::uint8_t>(i % cell.levels()));
  }
  return {shape, levels};
}

constexpr ArrayPlace place{{.seed = 12, .point = 0}, 5, 0};

/// The standard normal number of a cell in a domain.
double score(core::Domain domain, std::uint32_t row, std::uint32_t column) {
  const std::uint64_t instance = place.chip * chip_column_limit + column;
  const core::PhiloxCounter words = core::philox4x32(
      core::counter_of(place.key, domain, instance, row / 4), core::key_of(place.key));
  return static_cast<double>(standard_normal_table()(words[row % 4]));
}

// Floats and the lines of the tables: 3e-6 of the conductance, and of the full scale where a cell
// is near zero.
TEST(PcmArray, EveryCellIsTheDeviceThatTheModelMakesOfItsScores) {
  for (const PcmPreset preset : {PcmPreset::ibm, PcmPreset::joshi, PcmPreset::hermes_one_device,
                                 PcmPreset::hermes_two_devices, PcmPreset::state_independent}) {
    for (const PcmNoiseState state : {PcmNoiseState::programmed, PcmNoiseState::target}) {
      PcmCell cell = cell_of(preset);
      cell.statistics.noise_state = state;
      const ArrayShape shape{40, 70};
      DriftingArray array;
      program(drifting_cells(cell), plane_of(shape, cell), place, {1}, array);
      for (const double time : {0.0, 3600.0, 3.15e7}) {
        NoisyArray now;
        drift(array, moment_at(cell.statistics, time), {1}, now);
        for (std::uint32_t row = 0; row < shape.rows; ++row) {
          for (std::uint32_t column = 0; column < shape.columns; ++column) {
            const std::uint32_t level = (row * shape.columns + column) % cell.levels();
            const PcmCell::Device device =
                cell.device(level, score(core::Domain::programming, row, column),
                            score(core::Domain::drift, row, column));
            const double expected = cell.conductance(device, time);
            const double tolerance = 3e-6 * (expected + 0.1 * cell.statistics.full_scale);
            ASSERT_NEAR(static_cast<double>(now.conductance.at(row, column)), expected, tolerance);
            ASSERT_NEAR(static_cast<double>(now.noise_sd.at(row, column)),
                        cell.read_sd(level, device, time), tolerance);
          }
        }
      }
    }
  }
}

/// Sums over the cells of a level at two times, about the means of the model.
struct TwoTimes {
  core::Moments earlier;
  core::Moments later;
  core::Moments product;
};

// Tolerance: 4.5 standard errors of each mean, variance and covariance.
TEST(PcmArray, OneChipAtTwoTimesHasTheMomentsAndTheCovarianceOfTheModel) {
  const PcmCell cell = cell_of(PcmPreset::ibm);
  const ArrayShape shape{1024, 320};
  DriftingArray array;
  program(drifting_cells(cell), plane_of(shape, cell), place, {1}, array);
  constexpr double hour = 3600.0;
  constexpr double year = 3.15e7;
  NoisyArray earlier;
  NoisyArray later;
  drift(array, moment_at(cell.statistics, hour), {1}, earlier);
  drift(array, moment_at(cell.statistics, year), {1}, later);
  for (std::uint32_t level = 0; level < cell.levels(); ++level) {
    const double unit = cell.statistics.full_scale;
    const double first_mean = cell.mean(level, hour) / unit;
    const double second_mean = cell.mean(level, year) / unit;
    TwoTimes sums;
    for (std::uint32_t row = 0; row < shape.rows; ++row) {
      for (std::uint32_t column = 0; column < shape.columns; ++column) {
        if ((row * shape.columns + column) % cell.levels() != level) continue;
        const double x =
            static_cast<double>(earlier.conductance.at(row, column)) / unit - first_mean;
        const double y =
            static_cast<double>(later.conductance.at(row, column)) / unit - second_mean;
        sums.earlier.add(x);
        sums.later.add(y);
        sums.product.add(x * y);
      }
    }
    EXPECT_LT(std::abs(sums.earlier.mean()), 4.5 * sums.earlier.standard_error()) << level;
    EXPECT_LT(std::abs(sums.later.mean()), 4.5 * sums.later.standard_error()) << level;
    const double covariance = cell.covariance(level, hour, year) / (unit * unit);
    EXPECT_LT(std::abs(sums.product.mean() - covariance), 4.5 * sums.product.standard_error())
        << level;
    EXPECT_NEAR(std::sqrt(sums.later.variance()), std::sqrt(cell.variance(level, year)) / unit,
                0.02 * std::sqrt(sums.later.variance()));
    // The twin: a covariance wrong by a tenth would be seen.
    EXPECT_GT(0.1 * covariance, 4.5 * sums.product.standard_error());
  }
}

TEST(PcmArray, ReadsOfAChipHaveTheVarianceOfTheModel) {
  const PcmCell cell = cell_of(PcmPreset::ibm);
  const ArrayShape shape{1024, 320};
  constexpr double day = 86400.0;
  DriftingArray array;
  program(drifting_cells(cell), plane_of(shape, cell), place, {1}, array);
  NoisyArray now;
  drift(array, moment_at(cell.statistics, day), {1}, now);
  ArrayPlane reads;
  read(array, moment_at(cell.statistics, day), 9, {1}, reads);
  const double unit = cell.statistics.full_scale;
  // The highest level, where no read is near 0.
  const std::uint32_t level = cell.levels() - 1;
  core::Moments squares;
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      if ((row * shape.columns + column) % cell.levels() != level) continue;
      const auto noise = static_cast<double>(reads.at(row, column)) -
                         static_cast<double>(now.conductance.at(row, column));
      squares.add(noise * noise / (unit * unit));
    }
  }
  const double expected = cell.read_variance(level, day) / (unit * unit);
  EXPECT_LT(std::abs(squares.mean() - expected), 4.5 * squares.standard_error());
  EXPECT_GT(0.05 * expected, 4.5 * squares.standard_error());
}

}  // namespace
}  // namespace cimstat::circuits
