#include "circuits/sampled/sampled_column.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/quantile_table.h"
#include "core/simd.h"
#include "core/statistics/statistics.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

namespace cimstat::circuits {
namespace {

const std::vector<Summation> summations{Summation::per_cell, Summation::block_tables};
const std::vector<core::Stream> streams{core::Stream::philox, core::Stream::fast};

ColumnDesign lognormal_design(std::uint32_t rows, double sigma = 0.15) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(1.0, sigma);
  design.hrs = core::Law::lognormal(0.1, 3.0 * sigma);
  design.sense.noise_sd = 0.1;
  design.sense.offset_sd = 0.1;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// With everything that a column can have.
ColumnDesign full_design(std::uint32_t rows) {
  ColumnDesign design = lognormal_design(rows);
  design.leakage = core::Law::lognormal(0.01, 0.3);
  design.dummy = core::Law::normal(0.05, 0.01);
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// 5 % of the high-resistance cells are stuck at low resistance.
ColumnDesign stuck_design(std::uint32_t rows) {
  ColumnDesign design = lognormal_design(rows);
  design.hrs = core::Law({{.weight = 0.95, .base = core::LogNormal{0.1, 0.3}},
                          {.weight = 0.05, .base = core::LogNormal{1.0, 0.15}}});
  return design;
}

SamplingOptions options_of(std::uint64_t trials, core::Stream stream, Summation summation) {
  return {.trials = trials, .key = {2026, 7}, .stream = stream, .summation = summation};
}

/// P(a chi-square at least this large), for the counts of one class against probabilities; codes
/// with fewer than 10 expected counts are taken together.
double chi_square_p(std::span<const std::uint64_t> counts, std::span<const double> probability) {
  const auto trials =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double statistic = 0.0;
  double rare_count = 0.0;
  double rare_expected = 0.0;
  int cells = 0;
  const auto add = [&](double count, double expected) {
    statistic += (count - expected) * (count - expected) / expected;
    ++cells;
  };
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double expected = trials * probability[code];
    if (expected < 10.0) {
      rare_count += static_cast<double>(counts[code]);
      rare_expected += expected;
    } else {
      add(static_cast<double>(counts[code]), expected);
    }
  }
  if (rare_expected >= 1.0) add(rare_count, rare_expected);
  return core::chi_square_tail(statistic, cells - 1);
}

/// The smallest p over the classes of `sampled`, against the exact engine's table for `exact`.
double smallest_p(const ColumnDesign& sampled, const ColumnDesign& exact,
                  const std::vector<ColumnClass>& classes, const SamplingOptions& options) {
  const std::vector<std::uint64_t> counts = sampled_counts(sampled, classes, options, {1});
  const ExactProbabilities table = exact_probabilities(exact, classes, {}, {1});
  const std::size_t codes = sampled.ladder.codes;
  double smallest = 1.0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto row = std::span(counts).subspan(i * codes, codes);
    const auto expected = std::span(table.probability).subspan(i * codes, codes);
    smallest = std::min(smallest, chi_square_p(row, expected));
  }
  return smallest;
}

constexpr std::uint64_t many_trials = 4'000'000;

TEST(SampledColumn, AgreesWithTheExactEngineByChiSquare) {
  const std::vector<ColumnClass> classes{{0, 16}, {3, 9}, {7, 16}, {16, 16}};
  for (const core::Stream stream : streams) {
    for (const Summation summation : summations) {
      const ColumnDesign design = full_design(16);
      EXPECT_GT(smallest_p(design, design, classes, options_of(many_trials, stream, summation)),
                1e-5);
    }
  }
}

TEST(SampledColumn, ChiSquareTellsASigmaThatIsHalfAPercentOff) {
  const ColumnDesign exact = lognormal_design(16);
  ColumnDesign biased = lognormal_design(16, 0.15 * 1.005);
  biased.ladder = exact.ladder;
  for (const Summation summation : summations) {
    EXPECT_LT(smallest_p(biased, exact, {{7, 16}, {16, 16}},
                         options_of(10'000'000, core::Stream::philox, summation)),
              1e-9);
  }
}

TEST(SampledColumn, AgreesWithTheExactEngineWhereCellsAreStuck) {
  const ColumnDesign design = stuck_design(16);
  for (const Summation summation : summations) {
    EXPECT_GT(smallest_p(design, design, {{0, 4}, {1, 16}, {8, 16}},
                         options_of(many_trials, core::Stream::philox, summation)),
              1e-5);
  }
}

TEST(SampledColumn, AgreesWithTheExactEngineUnderLogisticNoise) {
  ColumnDesign design = lognormal_design(9);
  design.sense.noise_shape = NoiseShape::logistic;
  design.sense.noise_sd = 0.3;
  for (const Summation summation : summations) {
    EXPECT_GT(smallest_p(design, design, {{0, 9}, {4, 9}, {9, 9}},
                         options_of(many_trials, core::Stream::philox, summation)),
              1e-5);
  }
}

/// Word for word as the header says, with scalar code and in a unit of 1 A.
std::vector<float> reference_currents(const ColumnDesign& design, ColumnClass column_class,
                                      const SamplingOptions& options) {
  const SenseAmplifier& sense = design.sense;
  const bool follows = std::isfinite(sense.noise_knee);
  const auto square = [](double x) { return x * x; };
  const core::QuantileTable normal(core::Law::normal(0.0, 1.0), 1.0);
  std::vector<core::QuantileTable> tables;
  const std::vector<ColumnPart> parts = parts_of(design, column_class);
  for (const ColumnPart& part : parts) tables.emplace_back(part.law, 1.0, part.law.mean());
  const double mean = mean_current(design, column_class);
  const std::uint64_t block =
      (std::uint64_t{column_class.active_rows} * 2048 + column_class.lrs_count) << 16;
  std::vector<float> currents;
  for (std::uint64_t trial = 0; trial < options.trials; ++trial) {
    core::TrialRandom random(options.key, core::Domain::column_sum, trial, block);
    float sum = 0.0f;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::uint32_t cell = 0; cell < parts[i].count; ++cell) sum += tables[i](random());
    }
    const auto add = [&](double variance, double slope) {
      const float now = static_cast<float>(variance) + static_cast<float>(slope) * sum;
      sum += normal(random()) * std::sqrt(std::max(0.0f, now));
    };
    if (follows) {
      add(square(sense.noise_sd) * (1.0 + mean / sense.noise_knee),
          square(sense.noise_sd) / sense.noise_knee);
      add(square(sense.offset_sd), 0.0);
    } else {
      add(square(sense.offset_sd) + square(sense.noise_sd), 0.0);
    }
    currents.push_back(static_cast<float>(mean + double{sum}));
  }
  return currents;
}

TEST(SampledColumn, CurrentsEqualScalarCodeBitForBitOnEveryTarget) {
  ColumnDesign knee = full_design(40);
  knee.sense.noise_knee = 3.0;
  ColumnDesign negative_knee = knee;
  negative_knee.sense.noise_knee = -8.0;  // no noise above 8 A
  const SamplingOptions options = options_of(300, core::Stream::philox, Summation::per_cell);
  for (const ColumnDesign& design : {full_design(40), stuck_design(40), knee, negative_knee}) {
    for (const ColumnClass column_class : {ColumnClass{13, 40}, {0, 1}, {5, 5}}) {
      const std::vector<float> expected = reference_currents(design, column_class, options);
      for (const std::string& target : core::simd_targets()) {
        core::use_simd_target(target);
        ASSERT_EQ(sampled_currents(design, column_class, options), expected) << target;
      }
    }
  }
  core::use_simd_target("");
}

TEST(SampledColumn, CountsAreTheSameForAllTargetsAndThreads) {
  const std::vector<std::uint32_t> active_rows{1, 5, 12};
  const std::vector<ColumnClass> classes = classes_for(active_rows);
  const ColumnDesign design = full_design(12);
  for (const core::Stream stream : streams) {
    for (const Summation summation : summations) {
      const SamplingOptions options = options_of(20'001, stream, summation);
      const auto once = sampled_counts(design, classes, options, {1});
      EXPECT_EQ(sampled_counts(design, classes, options, {2}), once);
      EXPECT_EQ(sampled_counts(design, classes, options, {3}), once);
      for (const std::string& target : core::simd_targets()) {
        core::use_simd_target(target);
        EXPECT_EQ(sampled_counts(design, classes, options, {2}), once) << target;
      }
      core::use_simd_target("");
    }
  }
}

TEST(SampledColumn, CountsOfAClassDoNotDependOnTheOthers) {
  const std::vector<std::uint32_t> active_rows{3, 9};
  const std::vector<ColumnClass> classes = classes_for(active_rows);
  const ColumnDesign design = lognormal_design(9);
  for (const Summation summation : summations) {
    const SamplingOptions options = options_of(50'000, core::Stream::philox, summation);
    const auto all = sampled_counts(design, classes, options, {2});
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const std::vector<ColumnClass> alone{classes[i]};
      const auto counts = sampled_counts(design, alone, options, {1});
      const auto row = std::span(all).subspan(i * design.ladder.codes, design.ladder.codes);
      EXPECT_TRUE(std::equal(counts.begin(), counts.end(), row.begin()));
    }
  }
}

TEST(SampledColumn, DifferentPointsSeedsAndClassesGiveDifferentNumbers) {
  const ColumnDesign design = lognormal_design(9);
  SamplingOptions options = options_of(64, core::Stream::philox, Summation::per_cell);
  const auto first = sampled_currents(design, {4, 9}, options);
  options.key.point += 1;
  EXPECT_NE(sampled_currents(design, {4, 9}, options), first);
  options.key.point -= 1;
  options.key.seed += 1;
  EXPECT_NE(sampled_currents(design, {4, 9}, options), first);
  options.key.seed -= 1;
  options.stream = core::Stream::fast;
  EXPECT_NE(sampled_currents(design, {4, 9}, options), first);
}

TEST(SampledColumn, CurrentsHaveTheMeanAndTheVarianceOfTheirClass) {
  constexpr std::uint64_t trials = 1'000'000;
  const ColumnClass column_class{40, 64};
  for (const core::Stream stream : streams) {
    for (const Summation summation : summations) {
      const ColumnDesign design = full_design(100);
      const auto currents =
          sampled_currents(design, column_class, options_of(trials, stream, summation));
      core::Moments moments;
      for (const float current : currents) moments.add(double{current});
      const double variance = current_variance(design, column_class) +
                              std::pow(design.sense.noise_sd, 2) +
                              std::pow(design.sense.offset_sd, 2);
      // Five standard errors; the sums are near enough to normal for that of the variance.
      EXPECT_NEAR(moments.mean(), mean_current(design, column_class),
                  5.0 * std::sqrt(variance / trials));
      EXPECT_NEAR(moments.variance() / variance, 1.0, 5.0 * std::sqrt(2.0 / trials));
    }
  }
}

TEST(SampledColumn, NoiseFollowsTheCurrentByTheSquareRootLaw) {
  ColumnDesign design = lognormal_design(16);
  design.lrs = core::Law::point(1.0);
  design.hrs = core::Law::point(0.1);
  design.sense = {.offset_sd = 0.0, .noise_sd = 0.2, .noise_knee = 4.0};
  constexpr std::uint64_t trials = 1'000'000;
  for (const NoiseShape shape : {NoiseShape::gaussian, NoiseShape::logistic}) {
    design.sense.noise_shape = shape;
    const double kurtosis = shape == NoiseShape::gaussian ? 3.0 : 4.2;
    for (const ColumnClass column_class : {ColumnClass{0, 16}, {16, 16}}) {
      core::Moments moments;
      for (const float current :
           sampled_currents(design, column_class,
                            options_of(trials, core::Stream::philox, Summation::block_tables))) {
        moments.add(double{current});
      }
      const double variance = 0.04 * (1.0 + mean_current(design, column_class) / 4.0);
      EXPECT_NEAR(moments.variance() / variance, 1.0, 5.0 * std::sqrt((kurtosis - 1.0) / trials));
    }
  }
}

TEST(SampledColumn, CountsEveryTrialOnceWhateverTheShape) {
  for (const std::uint32_t rows : {1U, 33U, 1024U}) {
    for (const std::uint32_t codes : {3U, 301U}) {
      ColumnDesign design = full_design(rows);
      design.ladder = uniform_ladder(design, rows, codes);
      const std::vector<ColumnClass> classes{{0, 0}, {0, 1}, {1, 1}, {0, rows}, {rows, rows}};
      for (const core::Stream stream : streams) {
        for (const Summation summation : summations) {
          for (const std::uint64_t trials : {0ULL, 129ULL}) {
            const auto counts =
                sampled_counts(design, classes, options_of(trials, stream, summation), {2});
            for (std::size_t i = 0; i < classes.size(); ++i) {
              const auto row = std::span(counts).subspan(i * codes, codes);
              EXPECT_EQ(std::accumulate(row.begin(), row.end(), std::uint64_t{0}), trials);
            }
          }
        }
      }
    }
  }
}

TEST(SampledColumn, FirstTrialsDoNotDependOnHowManyFollow) {
  const ColumnDesign design = lognormal_design(9);
  for (const core::Stream stream : streams) {
    const auto few = sampled_currents(design, {4, 9}, options_of(100, stream, Summation::per_cell));
    auto more = sampled_currents(design, {4, 9}, options_of(1000, stream, Summation::per_cell));
    more.resize(few.size());
    EXPECT_EQ(more, few);
  }
}

TEST(SampledColumn, CurrentEqualToAReferenceCountsAsAboveIt) {
  ColumnDesign design;
  design.rows = 4;
  design.lrs = core::Law::point(1.0);
  design.hrs = core::Law::point(0.0);
  design.ladder = {.codes = 5, .references = {1.0, 2.0, 3.0, 4.0}};
  const std::vector<std::uint32_t> active_rows{4};
  const std::vector<ColumnClass> classes = classes_for(active_rows);
  for (const Summation summation : summations) {
    const auto counts =
        sampled_counts(design, classes, options_of(100, core::Stream::philox, summation), {1});
    for (std::size_t k = 0; k <= 4; ++k) EXPECT_EQ(counts[5 * k + k], 100U);
  }
}

TEST(SampledColumn, RefusesMoreTrialsThanTheContractNumbers) {
  const ColumnDesign design = lognormal_design(4);
  const std::vector<ColumnClass> classes{{1, 4}};
  EXPECT_THROW(
      sampled_counts(
          design, classes,
          options_of(core::instance_limit + 1, core::Stream::philox, Summation::block_tables), {1}),
      core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
