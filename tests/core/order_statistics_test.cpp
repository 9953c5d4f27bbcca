#include "core/statistics/order_statistics.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

// Ranks of distribution-free intervals at 95 %, as tabulated (Hahn and Meeker, Statistical
// Intervals).
TEST(OrderStatistics, RanksOfTheMedianAreTheTabulatedOnes) {
  EXPECT_EQ(quantile_ranks(10, 0.5, 0.95).lower, 2u);
  EXPECT_EQ(quantile_ranks(10, 0.5, 0.95).upper, 9u);
  EXPECT_EQ(quantile_ranks(100, 0.5, 0.95).lower, 40u);
  EXPECT_EQ(quantile_ranks(100, 0.5, 0.95).upper, 61u);
}

TEST(OrderStatistics, RanksCoverAndNoNarrowerOnesDo) {
  for (const std::uint64_t n : {1U, 2U, 5U, 17U, 300U}) {
    for (const double level : {0.01, 0.3, 0.5, 0.99}) {
      for (const double confidence : {0.5, 0.95, 0.999}) {
        const Ranks ranks = quantile_ranks(n, level, confidence);
        const double tail = 0.5 * (1.0 - confidence);
        const boost::math::binomial below(static_cast<double>(n), level);
        // P(X_(l) > quantile) = P(fewer than l below) and P(X_(u) < quantile) = P(u or more below).
        const auto too_high = [&](std::uint64_t l) {
          return l == 0 ? 0.0 : cdf(below, static_cast<double>(l) - 1.0);
        };
        const auto too_low = [&](std::uint64_t u) {
          return u > n ? 0.0 : cdf(complement(below, static_cast<double>(u) - 1.0));
        };
        EXPECT_LE(too_high(ranks.lower), tail + 1e-12);
        EXPECT_LE(too_low(ranks.upper), tail + 1e-12);
        if (ranks.lower < n) {
          EXPECT_GT(too_high(ranks.lower + 1), tail);
        }
        if (ranks.upper > 1) {
          EXPECT_GT(too_low(ranks.upper - 1), tail);
        }
      }
    }
  }
}

TEST(OrderStatistics, EndsOfTheSupportStandForRanksThatAreNotThere) {
  const std::vector<double> sorted{0.1, 0.2, 0.3};
  const Interval interval = quantile_interval(sorted, 0.99, 0.95, {-1.0, 2.0});
  EXPECT_EQ(interval.upper, 2.0);
  EXPECT_EQ(interval.lower, 0.2);  // P(X_(3) > quantile) = 1 - 0.99^3 = 0.0297 > 0.025
}

TEST(OrderStatistics, FewerEffectiveDrawsWidenTheInterval) {
  std::vector<double> sorted;
  for (int i = 0; i < 1000; ++i) sorted.push_back(i);
  const Interval all = quantile_interval(sorted, 0.5, 0.95, {-1.0, 1000.0});
  const Interval few = quantile_interval(sorted, 0.5, 0.95, {-1.0, 1000.0}, 50.0);
  EXPECT_LT(few.lower, all.lower);
  EXPECT_GT(few.upper, all.upper);
  // sqrt(1000 / 50) = 4.5 times as wide.
  EXPECT_NEAR((few.upper - few.lower) / (all.upper - all.lower), 4.5, 0.6);
  const Interval same = quantile_interval(sorted, 0.5, 0.95, {-1.0, 1000.0}, 1000.0);
  EXPECT_EQ(same.lower, all.lower);
  EXPECT_EQ(same.upper, all.upper);
}

TEST(OrderStatistics, BinomialSumsAreBoosts) {
  for (const std::uint64_t n : {1U, 7U, 400U}) {
    for (const double p : {1e-5, 0.2, 0.9}) {
      for (std::uint64_t k = 0; k <= n; k += 1 + n / 5) {
        const double expected =
            cdf(boost::math::binomial(static_cast<double>(n), p), static_cast<double>(k));
        EXPECT_NEAR(binomial_at_most(k, n, p), expected, 1e-12);
      }
    }
  }
  EXPECT_EQ(binomial_at_most(3, 3, 0.5), 1.0);
  EXPECT_EQ(binomial_at_most(0, 5, 0.0), 1.0);
  EXPECT_EQ(binomial_at_most(4, 5, 1.0), 0.0);
}

}  // namespace
}  // namespace cimstat::core
