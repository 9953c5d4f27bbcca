#include "core/statistics/statistics_comparison.h"

#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

using Counts = std::vector<std::uint64_t>;

Counts multinomial(std::uint64_t trials, const std::vector<double>& probability,
                   std::mt19937_64& engine) {
  Counts counts;
  double left = 1.0;
  for (const double p : probability) {
    const double share = left > 0.0 ? std::min(1.0, p / left) : 0.0;
    counts.push_back(std::binomial_distribution<std::uint64_t>(trials, share)(engine));
    trials -= counts.back();
    left -= p;
  }
  counts.back() += trials;
  return counts;
}

std::vector<double> shares(const Counts& counts, double trials) {
  std::vector<double> result;
  for (const std::uint64_t count : counts) result.push_back(double(count) / trials);
  return result;
}

TEST(BinomialPValue, IsTwiceTheSmallerTail) {
  EXPECT_NEAR(binomial_p_value(0, 10, {0.5, 0.5}), 2.0 / 1024, 1e-15);
  EXPECT_NEAR(binomial_p_value(9, 10, {0.5, 0.5}), 22.0 / 1024, 1e-15);
  EXPECT_EQ(binomial_p_value(5, 10, {0.5, 0.5}), 1.0);
  EXPECT_NEAR(binomial_p_value(3, 1'000'000, {1e-10, 1e-10}), 2.0 * 1e-12 / 6.0, 1e-15);
  EXPECT_EQ(binomial_p_value(0, 0, {0.5, 0.5}), 1.0);
}

TEST(BinomialPValue, TakesTheMostFavourableEndOfWhatIsKnownOfTheProbability) {
  EXPECT_EQ(binomial_p_value(1, 1000, {0.0, 1e-3}), 1.0);
  EXPECT_EQ(binomial_p_value(1, 1000, {0.0, 0.0}), 0.0);
  EXPECT_GT(binomial_p_value(30, 1000, {0.015, 0.025}), binomial_p_value(30, 1000, {0.02, 0.02}));
}

TEST(FisherPValue, AgreesWithTheTeaTasting) {
  EXPECT_NEAR(fisher_p_value(3, 4, 1, 4), 34.0 / 70.0, 1e-12);
  EXPECT_NEAR(fisher_p_value(4, 4, 0, 4), 2.0 / 70.0, 1e-12);
  EXPECT_NEAR(fisher_p_value(0, 4, 4, 4), 2.0 / 70.0, 1e-12);
  EXPECT_EQ(fisher_p_value(2, 4, 2, 4), 1.0);
  EXPECT_EQ(fisher_p_value(0, 4, 0, 9), 1.0);
}

TEST(FisherPValue, ApproachesTheNormalTestForLargeSamples) {
  const double n = 1e8;
  const double share = 0.1003;
  const double pooled = 0.5 * (0.1 + share);
  const double z = (share - 0.1) / std::sqrt(2.0 * pooled * (1.0 - pooled) / n);
  const double normal = std::erfc(z / std::sqrt(2.0));
  EXPECT_NEAR(fisher_p_value(10'030'000, 100'000'000, 10'000'000, 100'000'000) / normal, 1.0, 1e-2);
}

TEST(PooledPValue, IsTwiceHoeffdingsBoundAndNotBelowTheExactTail) {
  EXPECT_NEAR(pooled_p_value(10, 10, {5.0, 5.0}), 2.0 / 1024, 1e-15);  // the bound is the tail
  EXPECT_EQ(pooled_p_value(5, 10, {5.0, 5.0}), 1.0);
  EXPECT_EQ(pooled_p_value(6, 10, {5.0, 7.0}), 1.0);
  EXPECT_EQ(pooled_p_value(1, 10, {0.0, 0.0}), 0.0);
  for (const std::uint64_t successes : {300ULL, 460ULL, 540ULL, 700ULL}) {
    const double bound = pooled_p_value(double(successes), 1000, {500.0, 500.0});
    const double exact = binomial_p_value(successes, 1000, {0.5, 0.5});
    EXPECT_GE(bound, exact) << successes;
    EXPECT_LE(bound, 40.0 * exact) << successes;
  }
}

// Trials of other probabilities spread less: the test keeps its promise for these all the more.
TEST(PooledPValue, RejectsNoMoreOftenThanPromisedForAnyProbabilities) {
  std::mt19937_64 engine(12);
  int rejected = 0;
  int rejected_twin = 0;
  constexpr int repetitions = 2000;
  for (int i = 0; i < repetitions; ++i) {
    const std::uint64_t rare = std::binomial_distribution<std::uint64_t>(5000, 0.001)(engine);
    const std::uint64_t even = std::binomial_distribution<std::uint64_t>(400, 0.5)(engine);
    rejected += pooled_p_value(double(rare + even), 5400, {205.0, 205.0}) <= 0.05;
    rejected_twin += pooled_p_value(double(rare + even), 5400, {255.0, 255.0}) <= 0.05;
  }
  EXPECT_LE(rejected, 0.05 * repetitions);
  EXPECT_GE(rejected_twin, 0.3 * repetitions);
}

TEST(StudentPValue, HasTheClosedFormsOfOneAndTwoDegrees) {
  EXPECT_NEAR(student_p_value(1.0, 1.0), 0.5, 1e-14);
  EXPECT_NEAR(student_p_value(-std::sqrt(2.0), 2.0), 1.0 - std::sqrt(0.5), 1e-14);
  EXPECT_EQ(student_p_value(0.0, 5.0), 1.0);
}

TEST(PooledCells, TakesRareCellsTogetherAndFillsThemUp) {
  const std::vector<double> rare = {1.0, 50.0, 4.0, 5.0, 40.0};  // 1 + 4 + 5 reach 10
  EXPECT_EQ(pooled_cells(rare, 10.0), (std::vector<std::size_t>{0, 1, 0, 0, 2}));
  const std::vector<double> rarer = {1.0, 50.0, 0.0, 5.0, 40.0};  // 6 < 10: 40 joins them
  EXPECT_EQ(pooled_cells(rarer, 10.0), (std::vector<std::size_t>{0, 1, 0, 0, 0}));
  const std::vector<double> none = {50.0, 40.0};
  EXPECT_EQ(pooled_cells(none, 10.0), (std::vector<std::size_t>{0, 1}));
}

TEST(GoodnessOfFit, IsTheLikelihoodRatioWithWilliamssCorrection) {
  const GTest test = goodness_of_fit(Counts{60, 40}, std::vector{0.5, 0.5}, 10.0);
  const double g = 2.0 * (60.0 * std::log(1.2) + 40.0 * std::log(0.8)) / 1.005;
  EXPECT_NEAR(test.statistic, g, 1e-12);
  EXPECT_EQ(test.degrees, 1.0);
  EXPECT_NEAR(test.p_value, std::erfc(std::sqrt(0.5 * g)), 1e-14);
}

TEST(GoodnessOfFit, IsNoTestWhereAllFallsTogether) {
  const GTest test = goodness_of_fit(Counts{1000, 0}, std::vector{1.0 - 1e-6, 1e-6}, 10.0);
  EXPECT_EQ(test.degrees, 0.0);
  EXPECT_EQ(test.p_value, 1.0);
}

TEST(Homogeneity, IsTheLikelihoodRatioOfTheTwoByTwoTable) {
  const GTest test = homogeneity(Counts{30, 70}, Counts{50, 50}, 10.0);
  const double g = 2.0 * (30 * std::log(30.0 / 40) + 50 * std::log(50.0 / 40) +
                          70 * std::log(70.0 / 60) + 50 * std::log(50.0 / 60));
  const double williams = 1.0 + (4.0 - 1.0) * (200.0 / 80 + 200.0 / 120 - 1.0) / (6.0 * 200);
  EXPECT_NEAR(test.statistic, g / williams, 1e-12);
  EXPECT_EQ(test.degrees, 1.0);
}

TEST(Homogeneity, KeepsItsLevel) {
  // Tolerance 4 standard errors; the chi-square approximation itself is within a tenth here.
  const std::vector<double> p = {0.002, 0.01, 0.05, 0.2, 0.738};
  std::mt19937_64 engine(11);
  constexpr int replicates = 20'000;
  for (const bool one_is_exact : {true, false}) {
    int rejected = 0;
    for (int i = 0; i < replicates; ++i) {
      const Counts a = multinomial(10'000, p, engine);
      const GTest test = one_is_exact ? goodness_of_fit(a, p, 10.0)
                                      : homogeneity(a, multinomial(20'000, p, engine), 10.0);
      rejected += test.p_value <= 0.01;
    }
    const double error = std::sqrt(0.01 * 0.99 / replicates);
    EXPECT_NEAR(double(rejected) / replicates, 0.01, 0.001 + 4.0 * error) << one_is_exact;
  }
}

TEST(Holm, AgreesWithItsDefinition) {
  const std::vector<double> adjusted = holm(std::vector{0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-15);
  EXPECT_EQ(holm(std::vector{0.6, 0.9}), (std::vector{1.0, 1.0}));
  EXPECT_TRUE(holm({}).empty());
}

TEST(TotalVariation, IsHalfTheSumOfDifferences) {
  EXPECT_NEAR(total_variation(std::vector{0.5, 0.5, 0.0}, std::vector{0.25, 0.25, 0.5}), 0.5,
              1e-15);
  EXPECT_EQ(total_variation(std::vector{1.0, 0.0}, std::vector{0.0, 1.0}), 1.0);
}

TEST(TotalVariation, OfTwoKnownLawsHasNoInterval) {
  const std::vector<double> a = {0.5, 0.5};
  const std::vector<double> b = {0.4, 0.6};
  const Interval interval = total_variation_interval(a, 0, b, 0, 0.95);
  EXPECT_NEAR(interval.lower, 0.1, 1e-15);
  EXPECT_NEAR(interval.upper, 0.1, 1e-15);
}

TEST(TotalVariation, LiesInItsInterval) {
  const std::vector<double> p = {0.7, 0.2, 0.09, 0.00999, 1e-5};
  const std::vector<double> q = {0.69, 0.2, 0.1, 0.00998, 2e-5};
  const double truth = total_variation(p, q);
  std::mt19937_64 engine(3);
  int missed = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto a = shares(multinomial(20'000, p, engine), 20'000.0);
    const auto b = shares(multinomial(50'000, q, engine), 50'000.0);
    const Interval both = total_variation_interval(a, 20'000, b, 50'000, 0.9);
    const Interval one = total_variation_interval(a, 20'000, q, 0, 0.9);
    missed += truth < both.lower || truth > both.upper || truth < one.lower || truth > one.upper;
  }
  EXPECT_LE(missed, 2000 * 2 * 0.1);  // it is conservative: no tolerance is needed
}

TEST(TotalVariation, OfRareMisreadsIsBoundedFarBelowTheRootOfTheSample) {
  const std::vector<double> exact = {1.0 - 1e-6, 1e-6, 0.0, 0.0};
  const std::vector<double> seen = {1.0, 0.0, 0.0, 0.0};
  const Interval interval = total_variation_interval(exact, 0, seen, 1'000'000, 0.95);
  EXPECT_LT(interval.upper, 2e-5);
  EXPECT_EQ(interval.lower, 0.0);
}

TEST(DifferenceInterval, ReachesFromTheFarEnds) {
  const Interval difference = difference_interval({0.1, 0.2}, {0.15, 0.4});
  EXPECT_NEAR(difference.lower, -0.05, 1e-15);
  EXPECT_NEAR(difference.upper, 0.3, 1e-15);
}

}  // namespace
}  // namespace cimstat::core
