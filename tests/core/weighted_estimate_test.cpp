#include "core/statistics/weighted_estimate.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cimstat::core {
namespace {

using ::testing::HasSubstr;

WeightedSums sums_of(const std::vector<double>& weights) {
  WeightedSums sums;
  for (const double w : weights) sums.add(w);
  return sums;
}

/// `ones` weights of 1 and one of `last`.
WeightedSums with_one_large(std::uint64_t ones, double last) {
  WeightedSums sums = sums_of(std::vector<double>(ones, 1.0));
  sums.add(last);
  return sums;
}

TEST(WeightedSums, AgreeWithMomentsByHand) {
  const WeightedSums sums = sums_of({0.0, 1.0, 2.0, 5.0});
  EXPECT_EQ(sums.n, 4u);
  EXPECT_EQ(sums.hits, 3u);
  EXPECT_DOUBLE_EQ(sums.mean(), 2.0);
  // Variance (4 + 1 + 0 + 9) / 3, of the mean a quarter of it.
  EXPECT_DOUBLE_EQ(sums.standard_error(), std::sqrt(14.0 / 12.0));
  EXPECT_DOUBLE_EQ(sums.relative_error(), std::sqrt(14.0 / 12.0) / 2.0);
  EXPECT_DOUBLE_EQ(sums.effective_samples(), 64.0 / 30.0);
  EXPECT_DOUBLE_EQ(sums.largest_share(), 5.0 / 8.0);
  // Third central moment (-8 - 1 + 0 + 27) / 4.
  EXPECT_NEAR(sums.skewness_of_mean(), 4.5 / (16.0 * std::pow(14.0 / 12.0, 1.5)), 1e-12);
}

TEST(WeightedSums, MergeToTheSumsOfAll) {
  WeightedSums first = sums_of({0.5, 0.25});
  first += sums_of({4.0, 0.0, 1.0});
  const WeightedSums all = sums_of({0.5, 0.25, 4.0, 0.0, 1.0});
  EXPECT_EQ(first.n, all.n);
  EXPECT_EQ(first.hits, all.hits);
  EXPECT_EQ(first.sum, all.sum);
  EXPECT_EQ(first.sum_of_squares, all.sum_of_squares);
  EXPECT_EQ(first.sum_of_cubes, all.sum_of_cubes);
  EXPECT_EQ(first.largest, all.largest);
}

TEST(WeightedSums, OfTinyProbabilitiesLoseNothing) {
  std::vector<double> weights;
  for (int i = 0; i < 1000; ++i) weights.push_back(1e-15 * (1.0 + i % 7));
  std::vector<double> scaled = weights;
  for (double& w : scaled) w *= 1e15;
  EXPECT_NEAR(sums_of(weights).relative_error(), sums_of(scaled).relative_error(), 1e-12);
  EXPECT_NEAR(sums_of(weights).skewness_of_mean(), sums_of(scaled).skewness_of_mean(), 1e-9);
}

TEST(WeightedSums, HaveALogNormalInterval) {
  const WeightedSums sums = sums_of(std::vector<double>(500, 0.0));
  EXPECT_EQ(log_normal_interval(sums, 0.95).upper, 0.0);
  WeightedSums half = sums;
  half += sums_of(std::vector<double>(500, 2e-9));
  const Interval interval = log_normal_interval(half, 0.95);
  const double factor = std::exp(1.959963984540054 * half.relative_error());
  EXPECT_NEAR(interval.lower, 1e-9 / factor, 1e-21);
  EXPECT_NEAR(interval.upper, 1e-9 * factor, 1e-21);
}

TEST(Doubt, IsNoneOfManyEqualWeights) {
  EXPECT_EQ(doubt(sums_of(std::vector<double>(1000, 1.0))), std::nullopt);
}

TEST(Doubt, IsCastByFewHits) {
  EXPECT_THAT(doubt(sums_of(std::vector<double>(199, 1.0))).value(), HasSubstr("199 hits"));
  EXPECT_EQ(doubt(sums_of(std::vector<double>(200, 1.0))), std::nullopt);
}

TEST(Doubt, IsCastByAFewHeavySamples) {
  EXPECT_THAT(doubt(with_one_large(1000, 1000.0)).value(), HasSubstr("effective sample size 4"));
  EXPECT_THAT(doubt(with_one_large(1000, 60.0)).value(), HasSubstr("one sample carries 5.66 %"));
  EXPECT_THAT(doubt(with_one_large(100000, 1000.0)).value(), HasSubstr("skewness"));
}

TEST(Doubt, IsCastByHalvesThatDisagree) {
  std::vector<double> even(10000, 1.0);
  for (std::size_t i = 0; i < even.size(); i += 2) even[i] = 0.5;
  std::vector<double> other = even;
  for (double& w : other) w *= 1.05;
  EXPECT_EQ(doubt(sums_of(even), sums_of(even)), std::nullopt);
  EXPECT_THAT(doubt(sums_of(even), sums_of(other)).value(), HasSubstr("two halves differ"));
}

TEST(Doubt, IsCastByWeightsThatAreNoNumbers) {
  EXPECT_THAT(doubt(with_one_large(1000, INFINITY)).value(), HasSubstr("not finite"));
  EXPECT_THAT(doubt(with_one_large(1000, NAN)).value(), HasSubstr("not finite"));
}

}  // namespace
}  // namespace cimstat::core
