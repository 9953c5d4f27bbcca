#include "core/statistics/rank_correlation.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(RankCorrelation, IsOneForWhateverRisesAndMinusOneForWhateverFalls) {
  const std::vector<double> x{1.0, 2.0, 5.0, 9.0, 10.0, 11.0};
  std::vector<double> up;
  std::vector<double> down;
  for (const double value : x) {
    up.push_back(std::exp(value));
    down.push_back(1.0 / value);
  }
  EXPECT_DOUBLE_EQ(rank_correlation(x, up, 0.95).value, 1.0);
  EXPECT_DOUBLE_EQ(rank_correlation(x, down, 0.95).value, -1.0);
  const RankCorrelation sure = rank_correlation(x, up, 0.95);
  EXPECT_EQ(sure.interval.upper, 1.0);
  EXPECT_LT(sure.interval.lower, 0.9);  // six pairs don't prove it
}

TEST(RankCorrelation, EqualsTheFormulaOfSquaredDifferencesOfRanks) {
  // 1 - 6 sum d^2 / (n (n^2 - 1)), without ties.
  const std::vector<double> x{106, 86, 100, 101, 99, 103, 97, 113, 112, 110};
  const std::vector<double> y{7, 0, 27, 50, 28, 29, 20, 12, 6, 17};
  const RankCorrelation found = rank_correlation(x, y, 0.95);
  EXPECT_NEAR(found.value, -29.0 / 165.0, 1e-12);
  EXPECT_EQ(found.pairs, 10u);
  const double reach = 1.959963984540054 * std::sqrt((1.0 + 0.5 * found.value * found.value) / 7.0);
  EXPECT_NEAR(found.interval.lower, std::tanh(std::atanh(found.value) - reach), 1e-12);
  EXPECT_NEAR(found.interval.upper, std::tanh(std::atanh(found.value) + reach), 1e-12);
}

TEST(RankCorrelation, EqualValuesShareTheirMeanRank) {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: covariance 4.5, variances 4.5 and 5.
  EXPECT_NEAR(
      rank_correlation(std::vector<double>{1, 2, 2, 3}, std::vector<double>{1, 3, 2, 4}, 0.95)
          .value,
      4.5 / std::sqrt(4.5 * 5.0), 1e-12);
}

TEST(RankCorrelation, PassesOverWhatIsNoNumberAndSaysWhereNothingIsKnown) {
  const std::vector<double> x{1, 2, 3, 4, kNone};
  EXPECT_EQ(rank_correlation(x, std::vector<double>{1, kNone, 2, 3, 4}, 0.95).pairs, 3u);
  EXPECT_DOUBLE_EQ(rank_correlation(x, std::vector<double>{1, kNone, 2, 3, 4}, 0.95).value, 1.0);
  for (const std::vector<double>& y :
       {std::vector<double>{1, kNone, kNone, 3, 4}, std::vector<double>{5, 5, 5, 5, 5}}) {
    const RankCorrelation found = rank_correlation(x, y, 0.95);
    EXPECT_TRUE(std::isnan(found.value));
    EXPECT_EQ(found.interval.lower, -1.0);
    EXPECT_EQ(found.interval.upper, 1.0);
  }
  EXPECT_EQ(rank_correlation({}, {}, 0.95).pairs, 0u);
}

/// Share of intervals, of samples of 40 pairs that share a part, that hold the true correlation.
double coverage(double narrowed) {
  constexpr int kTurns = 2000;
  constexpr double kPearson = 0.6;
  const double truth = 6.0 / std::acos(-1.0) * std::asin(kPearson / 2.0);  // of a normal law
  std::mt19937_64 engine(7);
  std::normal_distribution<double> normal;
  int covered = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    std::vector<double> x;
    std::vector<double> y;
    for (int pair = 0; pair < 40; ++pair) {
      x.push_back(normal(engine));
      y.push_back(kPearson * x.back() + std::sqrt(1.0 - kPearson * kPearson) * normal(engine));
    }
    const RankCorrelation found = rank_correlation(x, y, 0.95);
    const double below = found.value - narrowed * (found.value - found.interval.lower);
    const double above = found.value + narrowed * (found.interval.upper - found.value);
    covered += below <= truth && truth <= above;
  }
  return covered / static_cast<double>(kTurns);
}

TEST(RankCorrelation, IntervalsCoverAboutAsOftenAsTheySay) {
  // Standard error 0.005. The interval is approximate: within 0.02, which one narrower by a fifth
  // is not.
  EXPECT_NEAR(coverage(1.0), 0.95, 0.02);
  EXPECT_LT(coverage(0.8), 0.93);
}

}  // namespace
}  // namespace cimstat::core
