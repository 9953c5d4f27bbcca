// Sampling of lines that are more than a sum, against brute force and closed forms.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <boost/math/distributions/chi_squared.hpp>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#include "circuits/bit_line/exact_line.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/wire_current.h"
#include "circuits/bit_line/wire_mean.h"
#include "circuits/sampled/column_counter.h"
#include "circuits/sampled/sampled_column.h"
#include "circuits/sampled/stopped_column.h"

#include "tests/circuits/bit_line/line_designs.h"

namespace cimstat::circuits {
namespace {

using namespace testing;

ColumnDesign leaky_wire(std::uint32_t rows, double segment) {
  ColumnDesign design = wire_design(rows, segment, 0.1);
  design.leakage = core::Law::lognormal(1e-9, 1.0);
  return with_midpoints(design);
}

struct Moments {
  double mean = 0.0;
  double sd = 0.0;
};

Moments moments(const std::vector<double>& values) {
  Moments result;
  for (const double value : values) result.mean += value / double(values.size());
  for (const double value : values) result.sd += std::pow(value - result.mean, 2);
  result.sd = std::sqrt(result.sd / double(values.size()));
  return result;
}

/// Cells shuffled one by one, in double precision with the standard library's numbers.
std::vector<double> brute_wire_currents(const ColumnDesign& design, ColumnClass column_class,
                                        int trials) {
  const auto& wire = std::get<WireResistance>(design.bit_line);
  std::mt19937_64 random(17);
  std::normal_distribution<double> normal;
  const auto draw = [&](const core::Law& law) {
    const auto& shape = std::get<core::LogNormal>(law.components().front().base);
    return shape.median * std::exp(shape.sigma * normal(random));
  };
  std::vector<double> result;
  std::vector<double> cells(design.rows);
  for (int trial = 0; trial < trials; ++trial) {
    for (std::uint32_t i = 0; i < design.rows; ++i) {
      cells[i] = i < column_class.lrs_count     ? draw(design.lrs)
                 : i < column_class.active_rows ? draw(design.hrs)
                                                : draw(*design.leakage);
    }
    std::shuffle(cells.begin(), cells.end(), random);
    result.push_back(wire_current(wire, cells) + design.sense.offset_sd * normal(random) +
                     design.sense.noise_sd * normal(random));
  }
  return result;
}

TEST(SampledWire, MomentsAndQuantilesAreThoseOfBruteForce) {
  const ColumnDesign design = leaky_wire(64, 3.0);
  constexpr int trials = 60'000;
  for (const ColumnClass column_class : {ColumnClass{5, 40}, {32, 64}, {64, 64}, {0, 10}}) {
    std::vector<double> brute = brute_wire_currents(design, column_class, trials);
    std::vector<double> sampled;
    for (const float current :
         sampled_currents(design, column_class, {.trials = trials, .key = {.seed = 9}})) {
      sampled.push_back(current);
    }
    const Moments a = moments(brute);
    const Moments b = moments(sampled);
    const double error = a.sd * std::sqrt(2.0 / trials);
    EXPECT_NEAR(a.mean, b.mean, 4.5 * error) << column_class.lrs_count;
    EXPECT_NEAR(a.sd, b.sd, 5.0 * error) << column_class.lrs_count;
    std::sort(brute.begin(), brute.end());
    std::sort(sampled.begin(), sampled.end());
    double distance = 0.0;  // of Kolmogorov and Smirnov
    std::size_t i = 0;
    for (std::size_t j = 0; j < sampled.size(); ++j) {
      while (i < brute.size() && brute[i] <= sampled[j]) ++i;
      distance = std::max(distance, std::abs(double(i) - double(j)) / trials);
    }
    EXPECT_LT(distance * std::sqrt(trials / 2.0), 2.2) << column_class.lrs_count;  // p = 1e-4
  }
}

TEST(SampledWire, IsThePlainSumWithoutResistance) {
  ColumnDesign wire = leaky_wire(32, 0.0);
  std::get<WireResistance>(wire.bit_line).sense = 0.0;
  wire = with_midpoints(wire);
  ColumnDesign ideal = wire;
  ideal.bit_line = IdealSum{};
  EXPECT_NEAR(wire.ladder.references[7], ideal.ladder.references[7], 1e-18);
  const ColumnClass column_class{9, 20};
  const SamplingOptions options{.trials = 100'000, .key = {.seed = 4}};
  const auto to_double = [](const std::vector<float>& values) {
    return std::vector<double>(values.begin(), values.end());
  };
  const Moments a = moments(to_double(sampled_currents(wire, column_class, options)));
  const Moments b = moments(to_double(sampled_currents(ideal, column_class, options)));
  EXPECT_NEAR(a.mean, b.mean, 4.5 * a.sd * std::sqrt(2.0 / 1e5));
  EXPECT_NEAR(a.sd, b.sd, 4.5 * a.sd / std::sqrt(1e5));
}

TEST(SampledWire, PlacesOfTheCellsSpreadTheCurrent) {
  // Cells without any spread: only where they are is left.
  ColumnDesign design = wire_design(64, 3.0);
  design.lrs = core::Law::point(10e-6);
  design.hrs = core::Law::point(0.4e-6);
  design.sense = {};
  design = with_midpoints(design);
  std::vector<double> currents;
  for (const float current :
       sampled_currents(design, {8, 64}, {.trials = 20'000, .key = {.seed = 1}})) {
    currents.push_back(current);
  }
  const auto& wire = std::get<WireResistance>(design.bit_line);
  std::vector<double> near(64, 0.4e-6);
  std::vector<double> far(64, 0.4e-6);
  std::fill_n(near.begin(), 8, 10e-6);
  std::fill_n(far.rbegin(), 8, 10e-6);
  const auto [least, most] = std::minmax_element(currents.begin(), currents.end());
  EXPECT_GE(*least, wire_current(wire, far) * (1.0 - 1e-5));
  EXPECT_LE(*most, wire_current(wire, near) * (1.0 + 1e-5));
  EXPECT_GT(moments(currents).sd, 0.001 * moments(currents).mean);
  const auto [low, high] = [&] {
    const auto all = sampled_currents(design, {64, 64}, {.trials = 640, .key = {.seed = 1}});
    return std::pair(*std::min_element(all.begin(), all.end()),
                     *std::max_element(all.begin(), all.end()));
  }();
  EXPECT_EQ(low, high) << "with all rows alike the order says nothing";
}

TEST(WireMean, ControlVariatesSaveTwentyTimesTheTrialsBelowATenPercentDrop) {
  for (const std::uint32_t k : {8U, 32U, 64U}) {
    ColumnDesign design = wire_design(64, 1.5, 0.1);
    std::get<WireResistance>(design.bit_line).sense = 0.0;
    const ColumnClass column_class{.lrs_count = k, .active_rows = 64};
    const double ideal = mean_current(design, column_class);
    const WireMean few =
        mean_wire_current(design, column_class, {.trials = 16'384, .key = {.seed = 2}});
    EXPECT_LT(1.0 - few.mean / ideal, 0.1);
    EXPECT_GT(few.variance_reduction, 20.0) << k;
    // Brute force from other trials.
    const SamplingOptions many{.trials = 1U << 18, .key = {.seed = 3}};
    ColumnDesign bare = design;
    bare.sense = {};
    const std::vector<float> currents = sampled_currents(bare, column_class, many);
    const Moments brute = moments({currents.begin(), currents.end()});
    const double error = std::hypot(few.standard_error, brute.sd / std::sqrt(double(many.trials)));
    EXPECT_NEAR(few.mean, brute.mean, 4.0 * error) << k;
  }
}

TEST(WireMean, NominalReadingIsNearTheMean) {
  const ColumnDesign design = wire_design(64, 1.5, 0.1);
  for (const std::uint32_t k : {1U, 16U, 64U}) {
    const double mean =
        mean_wire_current(design, {k, 64}, {.trials = 65'536, .key = {.seed = 8}}).mean;
    const double step = mean_reading(design, {k, 64}) - mean_reading(design, {k - 1, 64});
    EXPECT_LT(std::abs(mean - mean_reading(design, {k, 64})), 0.1 * step) << k;
  }
}

TEST(WireMean, RefusesOtherLinesAndTooFewTrials) {
  EXPECT_THROW(
      mean_wire_current(discharge_design(8, saturated_line()), {1, 8}, {.trials = 4096, .key = {}}),
      core::UsageError);
  EXPECT_THROW(mean_wire_current(wire_design(8, 1.0), {1, 8}, {.trials = 100, .key = {}}),
               core::UsageError);
}

std::vector<ColumnDesign> all_lines() {
  ColumnDesign compressed = wire_design(24, 1.0);
  compressed.bit_line = Compression{.knee = 500e-6};
  ColumnDesign asim = charge_design(24, 0.0, 0.0);
  asim.bit_line = AsimNoise{.full_scale = 1.0, .random = 0.01, .mismatch = 0.01};
  ColumnDesign mixed = wire_design(24, 2.0);
  mixed.hrs = core::Law({{.weight = 0.9, .base = core::LogNormal{0.4e-6, 0.3}},
                         {.weight = 0.1, .base = core::LogNormal{10e-6, 0.05}}});
  ColumnDesign decided = leaky_wire(24, 3.0);
  decided.comparator = {.kind = ConverterKind::sar, .noise_sd = 0.5e-6};
  return {discharge_design(24, saturated_line()),
          discharge_design(24, modulated_line()),
          discharge_design(24, resistive_line()),
          with_midpoints(compressed),
          leaky_wire(24, 3.0),
          with_midpoints(mixed),
          with_midpoints(decided),
          charge_design(24, 0.02, 2e-3, {.supply = 1.0, .parasitic = 3e-15, .temperature = 300.0}),
          with_midpoints(asim)};
}

TEST(SampledLine, GivesTheSameBytesForAnyThreadsStreamsPiecesAndInstructionSets) {
  const std::array<std::uint32_t, 2> rows = {11, 24};
  const std::vector<ColumnClass> classes = classes_for(rows);
  const std::string best = core::simd_target();
  for (const ColumnDesign& design : all_lines()) {
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      for (const Summation summation : {Summation::per_cell, Summation::block_tables}) {
        const SamplingOptions options{
            .trials = 1000, .key = {.seed = 6}, .stream = stream, .summation = summation};
        const auto one = sampled_counts(design, classes, options, {1});
        EXPECT_EQ(sampled_counts(design, classes, options, {2}), one);
        const ColumnCounter counter(design, classes, options, {1});
        auto pieces = counter.counts({0, 448}, {1});
        const auto rest = counter.counts({448, 1000}, {1});
        for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i] += rest[i];
        EXPECT_EQ(pieces, one);
        for (const std::string& target : core::simd_targets()) {
          core::use_simd_target(target);
          EXPECT_EQ(sampled_counts(design, classes, options, {1}), one)
              << name_of(design.bit_line) << " with " << target;
        }
        core::use_simd_target(best);
      }
    }
  }
}

TEST(SampledLine, StopsAsPlainSumsDo) {
  const ColumnDesign design = leaky_wire(16, 10.0);
  const std::array classes{ColumnClass{8, 16}};
  const SamplingOptions options{.trials = 1U << 20, .key = {.seed = 3}};
  const StoppedCounts stopped = counts_until(design, classes, options, 50, {1});
  const std::uint64_t trials =
      std::accumulate(stopped.counts.begin(), stopped.counts.end(), std::uint64_t{0});
  EXPECT_EQ(trials % stopping_chunk, 0U);
  EXPECT_GE(trials - stopped.counts[8], 50U);
  SamplingOptions same = options;
  same.trials = trials;
  EXPECT_EQ(sampled_counts(design, classes, same, {1}), stopped.counts);
}

TEST(SampledLine, LogisticNoiseAndNoiseThatFollowsTheReadingHaveTheirVariance) {
  ColumnDesign design = charge_design(16, 0.0, 5e-3);
  design.sense.noise_shape = NoiseShape::logistic;
  design.sense.offset_sd = 2e-3;
  const auto spread = [](const std::vector<float>& values) {
    return moments({values.begin(), values.end()}).sd;
  };
  const SamplingOptions options{.trials = 100'000, .key = {.seed = 12}};
  EXPECT_NEAR(spread(sampled_currents(design, {4, 16}, options)), std::hypot(5e-3, 2e-3), 6e-5);
  design.sense.noise_shape = NoiseShape::gaussian;
  design.sense.noise_knee = 0.125;
  EXPECT_NEAR(spread(sampled_currents(design, {4, 16}, options)),
              std::hypot(5e-3 * std::sqrt(3.0), 2e-3), 6e-5);
}

}  // namespace
}  // namespace cimstat::circuits
