// Two ways to one number: sampling against inversion.

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {
namespace {

constexpr core::Threads all_cores{0};

/// The columns of the analytic oracle: mean LRS current 1, ratio 10, sd of HRS 0.3 of its mean,
/// normal cells, references at the midpoints of each n.
ColumnDesign oracle_design(std::uint32_t rows, double sigma) {
  ColumnDesign design{.rows = rows,
                      .lrs = core::Law::normal(1.0, sigma),
                      .hrs = core::Law::normal(0.1, 0.03),
                      .leakage = {},
                      .dummy = {},
                      .sense = {},
                      .ladder = {}};
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

double misread(const std::vector<double>& row, std::uint32_t level) {
  double sum = 0.0;
  for (std::size_t code = 0; code < row.size(); ++code) sum += code == level ? 0.0 : row[code];
  return sum;
}

TEST(SampledColumn, MisreadsOfTheAnalyticOracleLieWithinTheirBonferroniLimit) {
  constexpr std::uint64_t trials = 400'000;
  std::vector<double> deviations;  // in standard errors
  for (const double sigma : {0.02, 0.05, 0.10}) {
    for (const std::uint32_t n : {4U, 9U, 16U, 32U, 64U}) {
      const ColumnDesign design = oracle_design(n, sigma);
      const std::array<std::uint32_t, 1> rows = {n};
      const std::vector<ColumnClass> classes = classes_for(rows);
      const auto exact = exact_probabilities(design, classes, {}, all_cores);
      const auto counts =
          sampled_counts(design, classes, {.trials = trials, .key = {.seed = 25}}, all_cores);
      for (std::uint32_t k = 0; k <= n; ++k) {
        const auto first = exact.probability.begin() + k * design.ladder.codes;
        const double p = misread({first, first + design.ladder.codes}, k);
        if (p < 1e-4) continue;
        const double rate = 1.0 - double(counts[k * design.ladder.codes + k]) / double(trials);
        deviations.push_back((rate - p) / std::sqrt(p * (1.0 - p) / double(trials)));
      }
    }
  }
  ASSERT_GT(deviations.size(), 200U);
  const double limit = core::normal_z(1.0 - 0.05 / double(deviations.size()));
  for (const double deviation : deviations) EXPECT_LT(std::abs(deviation), limit);
}

/// Lognormal cells and logistic noise; `bias` multiplies the LRS sigma.
ColumnDesign mixed_design(double bias) {
  ColumnDesign design{
      .rows = 48,
      .lrs = core::Law::lognormal(1.0, 0.08),
      .hrs = core::Law::lognormal(0.05, 0.5),
      .leakage = core::Law::lognormal(0.001, 0.8),
      .dummy = {},
      .sense = {.offset_sd = 0.05, .noise_sd = 0.1, .noise_shape = NoiseShape::logistic},
      .ladder = {}};
  design.ladder = midpoint_ladder(design, 32);
  design.lrs = core::Law::lognormal(1.0, 0.08 * bias);
  return design;
}

/// Classes of 32 active rows of mixed_design that are misread in 5 to 30 % of the reads.
std::vector<ColumnClass> often_misread_classes() {
  const ColumnDesign design = mixed_design(1.0);
  std::vector<ColumnClass> chosen;
  for (std::uint32_t k = 0; k <= 32; ++k) {
    const std::array<ColumnClass, 1> one = {{{.lrs_count = k, .active_rows = 32}}};
    const double p = misread(exact_probabilities(design, one, {}, all_cores).probability, k);
    if (p >= 0.05 && p <= 0.30) chosen.push_back(one[0]);
  }
  return chosen;
}

struct ChiSquare {
  double statistic = 0.0;
  double degrees = 0.0;
  double tail() const { return core::chi_square_tail(statistic, degrees); }
};

/// Codes expected fewer than 10 times are taken together.
ChiSquare chi_square(const std::vector<std::uint64_t>& counts,
                     const std::vector<double>& probability, std::size_t codes,
                     std::uint64_t trials) {
  ChiSquare result;
  for (std::size_t row = 0; row < counts.size(); row += codes) {
    double rare_expected = 0.0;
    double rare_seen = 0.0;
    double cells = 0.0;
    const auto add = [&](double seen, double expected) {
      result.statistic += (seen - expected) * (seen - expected) / expected;
      cells += 1.0;
    };
    for (std::size_t i = row; i < row + codes; ++i) {
      const double expected = probability[i] * double(trials);
      if (expected >= 10.0) {
        add(double(counts[i]), expected);
      } else {
        rare_expected += expected;
        rare_seen += double(counts[i]);
      }
    }
    if (rare_expected >= 10.0) add(rare_seen, rare_expected);
    result.degrees += cells - 1.0;
  }
  return result;
}

ChiSquare agreement(double bias, const SamplingOptions& options, std::size_t every) {
  const std::vector<ColumnClass> all = often_misread_classes();
  std::vector<ColumnClass> classes;
  for (std::size_t i = 0; i < all.size(); i += every) classes.push_back(all[i]);
  const ColumnDesign truth = mixed_design(1.0);
  const auto exact = exact_probabilities(truth, classes, {}, all_cores);
  const auto counts = sampled_counts(mixed_design(bias), classes, options, all_cores);
  return chi_square(counts, exact.probability, truth.ladder.codes, options.trials);
}

TEST(SampledColumn, PassesAChiSquareTestAgainstTheExactEngineWithThreeSeeds) {
  ASSERT_GE(often_misread_classes().size(), 10U);
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const ChiSquare result = agreement(1.0, {.trials = 10'000'000, .key = {.seed = seed}}, 2);
    EXPECT_GT(result.tail(), 1e-3)
        << "seed " << seed << ": " << result.statistic << " / " << result.degrees;
    RecordProperty("seed_" + std::to_string(seed),
                   std::to_string(result.statistic) + "/" + std::to_string(result.degrees));
  }
}

TEST(SampledColumn, ASigmaHalfAPercentTooLargeFailsTheChiSquareTest) {
  const ChiSquare result = agreement(1.005, {.trials = 10'000'000, .key = {.seed = 1}}, 4);
  EXPECT_LT(result.tail(), 1e-6);
}

TEST(SampledColumn, EveryStreamAndSummationPassesTheChiSquareTest) {
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    for (const Summation summation : {Summation::per_cell, Summation::block_tables}) {
      const ChiSquare result = agreement(
          1.0, {.trials = 1'000'000, .key = {.seed = 4}, .stream = stream, .summation = summation},
          3);
      EXPECT_GT(result.tail(), 1e-3) << result.statistic << " / " << result.degrees;
    }
  }
}

}  // namespace
}  // namespace cimstat::circuits
