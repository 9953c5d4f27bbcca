#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "devices/pcm/pcm.h"

#include "circuits/exact/exact_column.h"
#include "circuits/sampled/sampled_column.h"

/// Sampled tables of phase-change memory, whose laws are mixtures of noisy slices with an atom.
namespace cimstat::circuits {
namespace {

constexpr double read_voltage = 0.2;
constexpr std::uint32_t codes = 41;
constexpr std::uint64_t trials = 1'000'000;

/// `rows` cells of two levels; references 0.2 standard deviations apart around the mean of a
/// column half of whose cells are in LRS. `read_scale` multiplies the read noise.
ColumnDesign pcm_design(devices::PcmPreset preset, std::uint32_t rows, double time,
                        double read_scale) {
  const auto design_with = [&](double scale) {
    devices::PcmCell cell{
        .statistics = devices::pcm_statistics(preset), .targets = {}, .conditions = {}};
    cell.statistics.read_scale = scale;
    cell.targets = {0.0, cell.statistics.full_scale};
    cell.conditions.time = time;
    ColumnDesign design;
    design.rows = rows;
    design.hrs = cell.read(0).scaled(read_voltage);
    design.lrs = cell.read(1).scaled(read_voltage);
    return design;
  };
  const ColumnDesign plain = design_with(1.0);
  ColumnDesign design = design_with(read_scale);
  design.sense.noise_sd = 0.3 * plain.lrs.sd();
  design.ladder.codes = codes;
  const double on = 0.5 * rows;
  const double centre = on * (plain.lrs.mean() + plain.hrs.mean());
  const double sd = std::sqrt(on * (plain.lrs.variance() + plain.hrs.variance()) +
                              design.sense.noise_sd * design.sense.noise_sd);
  for (std::uint32_t i = 0; i + 1 < codes; ++i) {
    design.ladder.references.push_back(centre + 0.2 * sd * (double(i) - 19.5));
  }
  return design;
}

/// The smallest p of the classes' chi-squares; codes expected fewer than 10 times are one.
double smallest_p(const ColumnDesign& sampled, const ColumnDesign& exact, Summation summation) {
  const std::vector<ColumnClass> classes{{0, exact.rows / 2}, {exact.rows / 2, exact.rows}};
  const std::vector<std::uint64_t> counts = sampled_counts(
      sampled, classes, {.trials = trials, .key = {.seed = 11}, .summation = summation}, {1});
  const ExactProbabilities table = exact_probabilities(exact, classes, {}, {1});
  double smallest = 1.0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_LT(table.error_bound[i], 1e-7);
    double statistic = 0.0;
    double rare_count = 0.0;
    double rare = 0.0;
    int cells = -1;
    const auto add = [&](double count, double expected) {
      statistic += (count - expected) * (count - expected) / expected;
      ++cells;
    };
    for (std::size_t code = i * codes; code < (i + 1) * codes; ++code) {
      const double expected = double(trials) * table.probability[code];
      if (expected >= 10.0) {
        add(double(counts[code]), expected);
      } else {
        rare_count += double(counts[code]);
        rare += expected;
      }
    }
    if (rare >= 1.0) add(rare_count, rare);
    if (cells > 0) smallest = std::min(smallest, core::chi_square_tail(statistic, cells));
  }
  return smallest;
}

constexpr devices::PcmPreset presets[] = {
    devices::PcmPreset::ibm, devices::PcmPreset::joshi, devices::PcmPreset::hermes_one_device,
    devices::PcmPreset::hermes_two_devices, devices::PcmPreset::state_independent};
/// 40 classes in all below: one of right tables falls below it once in 1,000 runs.
constexpr double least_p = 1e-3 / 40.0;

TEST(SampledPcm, AgreesWithTheExactEngineByChiSquareInEveryPreset) {
  for (const devices::PcmPreset preset : presets) {
    for (const double time : {0.0, 1e6}) {
      for (const auto& [rows, summation] :
           {std::pair(2U, Summation::per_cell), {8U, Summation::block_tables}}) {
        const ColumnDesign design = pcm_design(preset, rows, time, 1.0);
        EXPECT_GT(smallest_p(design, design, summation), least_p)
            << static_cast<int>(preset) << " " << time << " " << rows;
      }
    }
  }
}

TEST(SampledPcm, ChiSquareTellsReadNoiseThatIs5PercentTooLarge) {
  for (const devices::PcmPreset preset : presets) {
    const ColumnDesign exact = pcm_design(preset, 2, 1e6, 1.0);
    const ColumnDesign biased = pcm_design(preset, 2, 1e6, 1.05);
    EXPECT_LT(smallest_p(biased, exact, Summation::per_cell), least_p) << static_cast<int>(preset);
  }
}

}  // namespace
}  // namespace cimstat::circuits
