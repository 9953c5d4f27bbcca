#include "circuits/rare/limit_state.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/rare/subset_simulation.h"

#include "tests/circuits/rare/limit_states.h"

// Seeds 1 to 20 and 100,000 samples were fixed before the first run.
namespace cimstat::circuits {
namespace {

using ::testing::HasSubstr;
using namespace tests;

constexpr std::uint64_t seeds = 20;

struct SeedFigures {
  std::uint64_t agree = 0;  ///< trustworthy and within 5 standard errors
  double relative_sd = 0.0;
  double mean_ratio = 0.0;  ///< to the truth
};

SeedFigures over_seeds(const std::string& name, const LimitState& limit, double truth,
                       double bias = 1.0) {
  core::Moments moments;
  SeedFigures figures;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate estimate = failure_probability(limit, {.key = {.seed = seed}}, {1});
    const core::WeightedSums sums = estimate.sums();
    moments.add(bias * sums.mean());
    const bool near = std::abs(bias * sums.mean() - truth) <= 5.0 * sums.standard_error();
    if (estimate.trustworthy() && near) ++figures.agree;
  }
  figures.relative_sd = std::sqrt(moments.variance()) / moments.mean();
  figures.mean_ratio = moments.mean() / truth;
  std::printf("%-36s p = %.6g, mean / p - 1 = %+.3f %%, relative sd %.3f %%\n", name.c_str(), truth,
              100.0 * (figures.mean_ratio - 1.0), 100.0 * figures.relative_sd);
  return figures;
}

TEST(LimitState, TwoLobesAreBothFound) {
  const LobedMargin lobes;
  const SeedFigures figures = over_seeds("two lobes, 12 variables", lobes.limit(), lobes.truth());
  EXPECT_EQ(figures.agree, seeds);
  EXPECT_LE(figures.relative_sd, 0.03);
  const auto points = find_design_points(lobes.limit(), {.seed = 1}, {1});
  EXPECT_EQ(points.size(), 2u);
}

TEST(LimitState, FourBranchesAreAllFound) {
  for (const auto& [k, truth] : {std::pair{6.0, 4.457331e-3}, {7.0, 2.222795e-3}}) {
    const LimitState limit = four_branches(k);
    const SeedFigures figures =
        over_seeds("four branches, k = " + std::to_string(int(k)), limit, truth);
    EXPECT_EQ(figures.agree, seeds);
    EXPECT_LE(figures.relative_sd, 0.03);
    EXPECT_EQ(find_design_points(limit, {.seed = 1}, {1}).size(), 4u);
  }
}

TEST(LimitState, ABiasOfAQuarterWouldBeSeen) {
  const LobedMargin lobes;
  EXPECT_LT(over_seeds("two lobes, biased", lobes.limit(), lobes.truth(), 1.25).agree, seeds);
  EXPECT_LT(over_seeds("four branches, biased", four_branches(6.0), 4.457331e-3, 1.1).agree, seeds);
}

/// Mean shift to the highest design point, in its pure form: N(z*, 1), nothing else.
core::WeightedSums shifted(const LimitState& limit, std::uint64_t seed) {
  const DesignPoint point = find_design_points(limit, {.seed = seed}, {1}).front();
  std::vector<double> z(limit.dimension);
  core::WeightedSums sums;
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    core::TrialRandom random({.seed = seed}, core::Domain::test, i);
    fill_normal(random, z);
    double along = 0.0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      z[j] += point.z[j];
      along += z[j] * point.z[j];
    }
    const double half_square = 0.5 * point.distance * point.distance;
    sums.add(limit.margin(z) <= 0.0 ? std::exp(half_square - along) : 0.0);
  }
  return sums;
}

TEST(SingleShift, SeesOneOfTwoLobesAndReportsASmallError) {
  const LobedMargin lobes;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const core::WeightedSums sums = shifted(lobes.limit(), seed);
    EXPECT_NEAR(sums.mean() / lobes.truth(), 0.5, 0.05);
    EXPECT_LT(sums.relative_error(), 0.02);
  }
}

TEST(LimitState, IsRefusedWhereAKnownDesignPointGoesUnvisited) {
  const LobedMargin lobes;
  const LimitState limit = lobes.limit();
  const auto points = find_design_points(limit, {.seed = 1}, {1});
  const RareEstimate estimate =
      sample_around(limit, std::span(points).first(1), points, {.key = {.seed = 1}}, {1});
  EXPECT_THAT(estimate.refusal, HasSubstr("design point 2"));
  EXPECT_EQ(estimate.probability(), std::nullopt);
}

TEST(LimitState, AHalfSpaceAt6SigmaIsRight) {
  const SeedFigures figures = over_seeds("half space, 6 variables", half_space(6, 6.0), q6);
  EXPECT_EQ(figures.agree, seeds);
  EXPECT_LE(figures.relative_sd, 0.015);
}

TEST(LimitState, ANoisyHalfSpaceHasItsNoiseIntegrated) {
  LimitState limit = half_space(6, 6.0 * std::numbers::sqrt2);
  limit.noise_sd = 1.0;
  const SeedFigures figures = over_seeds("half space, half of it noise", limit, q6);
  EXPECT_EQ(figures.agree, seeds);
  EXPECT_LE(figures.relative_sd, 0.011);
}

TEST(LimitState, DoesNotDependOnThreads) {
  const RareOptions options{.samples = 20'000, .key = {.seed = 3}};
  const core::WeightedSums one = failure_probability(four_branches(6.0), options, {1}).sums();
  const core::WeightedSums many = failure_probability(four_branches(6.0), options, {5}).sums();
  EXPECT_EQ(one.sum, many.sum);
  EXPECT_EQ(one.sum_of_cubes, many.sum_of_cubes);
}

TEST(LimitState, ThatNeverFailsIsRefused) {
  const LimitState limit{2, [](std::span<const double>) { return 1.0; }, 0.0};
  const RareEstimate estimate = failure_probability(limit, {.samples = 10'000}, {1});
  EXPECT_FALSE(estimate.trustworthy());
  EXPECT_EQ(estimate.interval(0.95), std::nullopt);
}

TEST(LogTail, KeepsItsDigitsFarOut) {
  EXPECT_NEAR(log_normal_tail(6.0), std::log(q6), 1e-12);
  EXPECT_NEAR(log_normal_tail(29.999999), log_normal_tail(30.000001), 1e-4);
  // ln Q(40) from -z^2/2 - ln(z sqrt(2 pi)) + ln(1 - 1/z^2 + 3/z^4 - 15/z^6).
  EXPECT_NEAR(log_normal_tail(40.0), -804.608442, 1e-6);
  EXPECT_NEAR(log_normal_tail(-3.0), std::log1p(-1.3498980316300945e-3), 1e-15);
  EXPECT_NEAR(log_logistic_tail(50.0), -50.0, 1e-15);
  EXPECT_NEAR(log_logistic_tail(-50.0), -std::exp(-50.0), 1e-30);
}

// Subset simulation: the fallback.

TEST(SubsetSimulation, HoldsTheTruthOfAHalfSpaceInItsInterval) {
  std::uint64_t held = 0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SubsetEstimate estimate =
        subset_simulation(half_space(6, 6.0), {.runs = 10, .key = {.seed = seed}}, {1});
    ASSERT_TRUE(estimate.trustworthy()) << estimate.refusal;
    const core::Interval interval = estimate.interval(0.95).value();
    if (interval.lower <= q6 && q6 <= interval.upper) ++held;
    EXPECT_LT(interval.upper / interval.lower, 10.0);
    EXPECT_LT(estimate.evaluations, 250'000u);
  }
  EXPECT_GE(held, 17u);
}

TEST(SubsetSimulation, ManagesHundredsOfVariables) {
  const SubsetEstimate estimate =
      subset_simulation(half_space(576, 4.753424308823),
                        {.samples_per_level = 1000, .runs = 12, .key = {.seed = 1}}, {1});
  ASSERT_TRUE(estimate.trustworthy()) << estimate.refusal;
  const core::Interval interval = estimate.interval(0.99).value();
  EXPECT_LE(interval.lower, 1e-6);
  EXPECT_GE(interval.upper, 1e-6);
}

TEST(SubsetSimulation, IntegratesNoiseToo) {
  LimitState limit = half_space(3, 4.0 * std::numbers::sqrt2);
  limit.noise_sd = 1.0;
  const SubsetEstimate estimate = subset_simulation(limit, {.key = {.seed = 1}}, {1});
  const core::Interval interval = estimate.interval(0.99).value();
  EXPECT_LE(interval.lower, 3.167124183e-5);
  EXPECT_GE(interval.upper, 3.167124183e-5);
}

TEST(SubsetSimulation, DoesNotDependOnThreads) {
  const SubsetOptions options{.samples_per_level = 500, .runs = 10, .key = {.seed = 1}};
  EXPECT_EQ(subset_simulation(four_branches(6.0), options, {1}).run_probability,
            subset_simulation(four_branches(6.0), options, {4}).run_probability);
}

TEST(SubsetSimulation, IsRefusedWhereRunsDisagreeOrNeverArrive) {
  const LimitState never{2, [](std::span<const double>) { return 1.0; }, 0.0};
  EXPECT_THAT(subset_simulation(never, {.samples_per_level = 100, .runs = 10}, {1}).refusal,
              HasSubstr("10 of 10 runs never reached failure"));
  const SubsetEstimate rough =
      subset_simulation(half_space(2, 8.0), {.samples_per_level = 100, .runs = 10}, {1});
  EXPECT_THAT(rough.refusal, HasSubstr("runs differ by a factor"));
  EXPECT_EQ(rough.probability(), std::nullopt);
}

TEST(SubsetSimulation, RefusesTooFewRunsAndUnevenChains) {
  const LimitState limit = half_space(2, 3.0);
  EXPECT_THROW(subset_simulation(limit, {.runs = 9}, {1}), core::UsageError);
  EXPECT_THROW(subset_simulation(limit, {.samples_per_level = 1005}, {1}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
