#include "core/statistics/proportion_interval.h"

#include <array>
#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/special_functions/factorials.hpp>
#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

constexpr std::array methods{IntervalMethod::clopper_pearson, IntervalMethod::jeffreys,
                             IntervalMethod::goodman};
constexpr int seeds = 1000;

bool holds(const Interval& interval, double probability) {
  return interval.lower <= probability && probability <= interval.upper;
}

/// Three standard deviations of the number of `seeds` runs that cover, where each does with
/// probability `coverage`.
double three_sd(double coverage) { return 3.0 * std::sqrt(seeds * coverage * (1.0 - coverage)); }

struct Proportion {
  std::uint64_t trials;
  double probability;
};
constexpr Proportion proportions[] = {{20, 0.5},     {100, 0.03}, {100, 0.9},
                                      {1000, 0.002}, {1000, 0.3}, {20000, 1e-4}};

double exact_coverage(IntervalMethod method, const Proportion& of, double confidence) {
  const boost::math::binomial law(static_cast<double>(of.trials), of.probability);
  const double reach = 12.0 * (1.0 + boost::math::standard_deviation(law));
  double covered = 0.0;
  for (std::uint64_t k = 0; k <= of.trials; ++k) {
    if (std::abs(static_cast<double>(k) - boost::math::mean(law)) > reach) continue;
    if (holds(proportion_interval(method, k, of.trials, confidence), of.probability)) {
      covered += boost::math::pdf(law, static_cast<double>(k));
    }
  }
  return covered;
}

int covered_seeds(IntervalMethod method, const Proportion& of, double confidence) {
  int covered = 0;
  for (int seed = 1; seed <= seeds; ++seed) {
    std::mt19937_64 engine(static_cast<std::uint64_t>(seed));
    const auto successes =
        std::binomial_distribution<std::uint64_t>(of.trials, of.probability)(engine);
    covered += holds(proportion_interval(method, successes, of.trials, confidence), of.probability);
  }
  return covered;
}

TEST(ProportionInterval, CoversAsOftenAsTheBinomialLawSays) {
  for (const IntervalMethod method : methods) {
    for (const Proportion& of : proportions) {
      for (const double confidence : {0.95, 0.8}) {
        const double coverage = exact_coverage(method, of, confidence);
        EXPECT_NEAR(covered_seeds(method, of, confidence), seeds * coverage, three_sd(coverage))
            << static_cast<int>(method) << ' ' << of.trials << ' ' << of.probability;
        if (method == IntervalMethod::clopper_pearson) {
          EXPECT_GE(coverage, confidence);
        }
      }
    }
  }
}

TEST(ProportionInterval, ItsTwinAtAnotherLevelDoesNotCoverSo) {
  const Proportion of{1000, 0.3};
  const double coverage = exact_coverage(IntervalMethod::clopper_pearson, of, 0.95);
  EXPECT_LT(covered_seeds(IntervalMethod::clopper_pearson, of, 0.9),
            seeds * coverage - three_sd(coverage));
}

TEST(ProportionInterval, HasTheKnownEndsOfThreeInAHundred) {
  const Interval interval = proportion_interval(IntervalMethod::clopper_pearson, 3, 100, 0.95);
  EXPECT_NEAR(interval.lower, 0.00622997, 5e-9);
  EXPECT_NEAR(interval.upper, 0.08517605, 5e-9);
}

TEST(ProportionInterval, GivesAnUpperLimitWhereNothingWasSeen) {
  for (const IntervalMethod method : methods) {
    const Interval none = proportion_interval(method, 0, 1000, 0.95);
    EXPECT_EQ(none.lower, 0.0);
    EXPECT_GT(none.upper, 0.0);
    EXPECT_LT(none.upper, 0.005);
    EXPECT_EQ(proportion_interval(method, 1000, 1000, 0.95).upper, 1.0);
  }
}

TEST(SimultaneousLevel, SharesWhatMayGoWrongAmongItsMembers) {
  EXPECT_EQ(simultaneous_level(0.95, 1), 0.95);
  EXPECT_DOUBLE_EQ(simultaneous_level(0.95, 10), 0.995);
  EXPECT_NEAR((1.0 - simultaneous_level(0.95, 1'000'000)) / 5e-8, 1.0, 1e-8);
  EXPECT_THROW(simultaneous_level(0.95, 0), std::invalid_argument);
}

TEST(Goodman, IsTheWilsonFormAtTheChiSquareOfItsFormula) {
  constexpr std::uint64_t n = 400;
  constexpr std::uint64_t cells = 5;
  const double chi = boost::math::quantile(boost::math::chi_squared(1.0), 1.0 - 0.05 / cells);
  for (const std::uint64_t k : {1u, 40u, 200u, 399u}) {
    const auto x = static_cast<double>(k);
    const double rest = static_cast<double>(n - k);
    const double root = std::sqrt(chi * (chi + 4.0 * x * rest / n));
    const Interval found =
        proportion_interval(IntervalMethod::goodman, k, n, simultaneous_level(0.95, cells));
    EXPECT_NEAR(found.lower, (chi + 2.0 * x - root) / (2.0 * (n + chi)), 1e-12);
    EXPECT_NEAR(found.upper, (chi + 2.0 * x + root) / (2.0 * (n + chi)), 1e-12);
  }
}

/// Rows of three codes.
using RowProbabilities = std::array<double, 3>;
using RowCounts = std::array<std::uint64_t, 3>;

bool all_hold(IntervalMethod method, const RowCounts& counts, const RowProbabilities& row,
              std::uint64_t trials, double level) {
  for (std::size_t code = 0; code < row.size(); ++code) {
    if (!holds(proportion_interval(method, counts[code], trials, level), row[code])) return false;
  }
  return true;
}

/// Summed over all counts that a row can have.
double exact_row_coverage(IntervalMethod method, const RowProbabilities& row, unsigned trials,
                          double level) {
  double covered = 0.0;
  for (unsigned i = 0; i <= trials; ++i) {
    for (unsigned j = 0; i + j <= trials; ++j) {
      const unsigned k = trials - i - j;
      if (!all_hold(method, {i, j, k}, row, trials, level)) continue;
      const double log_mass = std::lgamma(trials + 1.0) - std::lgamma(i + 1.0) -
                              std::lgamma(j + 1.0) - std::lgamma(k + 1.0) + i * std::log(row[0]) +
                              j * std::log(row[1]) + k * std::log(row[2]);
      covered += std::exp(log_mass);
    }
  }
  return covered;
}

RowCounts drawn_row(const RowProbabilities& row, std::uint64_t trials, std::mt19937_64& engine) {
  const auto first = std::binomial_distribution<std::uint64_t>(trials, row[0])(engine);
  const auto second =
      std::binomial_distribution<std::uint64_t>(trials - first, row[1] / (row[1] + row[2]))(engine);
  return {first, second, trials - first - second};
}

TEST(SimultaneousIntervals, OfARowCoverAsOftenAsTheMultinomialLawSays) {
  constexpr unsigned trials = 120;
  for (const RowProbabilities& row :
       {RowProbabilities{0.02, 0.9, 0.08}, RowProbabilities{0.3, 0.3, 0.4}}) {
    for (const IntervalMethod method : {IntervalMethod::clopper_pearson, IntervalMethod::goodman}) {
      const double level = simultaneous_level(0.95, row.size());
      const double coverage = exact_row_coverage(method, row, trials, level);
      int covered = 0;
      for (int seed = 1; seed <= seeds; ++seed) {
        std::mt19937_64 engine(static_cast<std::uint64_t>(seed));
        covered += all_hold(method, drawn_row(row, trials, engine), row, trials, level);
      }
      EXPECT_NEAR(covered, seeds * coverage, three_sd(coverage));
      EXPECT_GE(coverage, method == IntervalMethod::clopper_pearson ? 0.95 : 0.93);
      // The twin: each for itself does not hold for the row.
      EXPECT_LT(exact_row_coverage(method, row, trials, 0.95), 0.95);
    }
  }
}

TEST(SimultaneousIntervals, OfATableCoverAllItsRows) {
  const std::array<RowProbabilities, 4> table{
      {{0.02, 0.9, 0.08}, {0.3, 0.3, 0.4}, {0.001, 0.004, 0.995}, {0.5, 0.25, 0.25}}};
  constexpr std::uint64_t trials = 500;
  const auto covered_tables = [&](std::uint64_t members) {
    const double level = simultaneous_level(0.95, members);
    int covered = 0;
    for (int seed = 1; seed <= seeds; ++seed) {
      std::mt19937_64 engine(static_cast<std::uint64_t>(seed));
      bool all = true;
      for (const RowProbabilities& row : table) {
        const RowCounts counts = drawn_row(row, trials, engine);
        all = all && all_hold(IntervalMethod::clopper_pearson, counts, row, trials, level);
      }
      covered += all;
    }
    return covered;
  };
  EXPECT_GE(covered_tables(12), seeds * 0.95 - three_sd(0.95));
  EXPECT_LT(covered_tables(1), seeds * 0.95 - three_sd(0.95));  // the twin: each entry for itself
}

}  // namespace
}  // namespace cimstat::core
