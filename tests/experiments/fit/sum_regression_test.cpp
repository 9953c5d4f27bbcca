#include "experiments/fit/sum_regression.h"

#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/law/law.h"
#include "core/random/random.h"

namespace cimstat::experiments {
namespace {

using core::Law;
using testing::HasSubstr;

struct Column {
  Law lrs = Law::normal(8e-6, 0.4e-6);
  Law hrs = Law::normal(0.4e-6, 0.12e-6);
  double constant = 0.0;
  double noise_sd = 0.5e-6;
};

double draw(const Law& law, core::TrialRandom& random) {
  const double u = random.uniform();
  return u < 0.5 ? law.quantile(core::Tail::lower, u) : law.quantile(core::Tail::upper, 1.0 - u);
}

/// Random inputs and weights on 16 rows, every cell drawn afresh for each vector.
SumGroups measured(const Column& column, std::uint64_t vectors, std::uint64_t seed) {
  SumGroups groups;
  const Law noise = Law::normal(0.0, column.noise_sd);
  for (std::uint64_t i = 0; i < vectors; ++i) {
    core::TrialRandom random({.seed = seed}, core::Domain::test, i);
    std::uint32_t lrs = 0;
    std::uint32_t hrs = 0;
    double current = column.constant + draw(noise, random);
    for (int row = 0; row < 16; ++row) {
      const std::uint32_t bits = random();
      if ((bits & 1U) == 0) continue;
      const bool is_lrs = (bits & 2U) != 0;
      ++(is_lrs ? lrs : hrs);
      current += draw(is_lrs ? column.lrs : column.hrs, random);
    }
    groups[{lrs, hrs}].add(current);
  }
  return groups;
}

double pull(const FittedValue& estimate, double truth) {
  return (estimate.value - truth) / estimate.standard_error;
}

TEST(SumRegression, RecoversCellsAndNoiseWithin3StandardErrorsFrom10000Vectors) {
  const Column column;
  const SumFit fit = fit_sums(measured(column, 10'000, 1), {});
  EXPECT_EQ(fit.vectors, 10'000u);
  EXPECT_LT(std::abs(pull(fit.lrs_mean, 8e-6)), 3.0);
  EXPECT_LT(std::abs(pull(fit.hrs_mean, 0.4e-6)), 3.0);
  EXPECT_LT(std::abs(pull(fit.lrs_variance, 0.16e-12)), 3.0);
  EXPECT_LT(std::abs(pull(fit.hrs_variance, 0.0144e-12)), 3.0);
  EXPECT_LT(std::abs(pull(fit.noise_variance.value(), 0.25e-12)), 3.0);
  EXPECT_GT(fit.means.p_value, 1e-3);
  EXPECT_GT(fit.spreads.p_value, 1e-3);
  // The twin: a mean 0.3 % and a spread 25 % larger would have been seen.
  EXPECT_GT(std::abs(pull(fit.lrs_mean, 8e-6 * 1.003)), 3.0);
  EXPECT_GT(std::abs(pull(fit.lrs_variance, 0.16e-12 * 1.25 * 1.25)), 3.0);
}

/// Over 100 sets of 2,000 vectors the pulls have mean 0 and sd 1.
TEST(SumRegression, HasHonestStandardErrors) {
  const Column column;
  constexpr std::uint64_t sets = 100;
  std::vector<double> square(4, 0.0);
  for (std::uint64_t seed = 1; seed <= sets; ++seed) {
    const SumFit fit = fit_sums(measured(column, 2'000, 100 + seed), {});
    const double pulls[] = {pull(fit.lrs_mean, 8e-6), pull(fit.hrs_mean, 0.4e-6),
                            pull(fit.lrs_variance, 0.16e-12),
                            pull(fit.noise_variance.value(), 0.25e-12)};
    for (std::size_t i = 0; i < 4; ++i) square[i] += pulls[i] * pulls[i] / sets;
  }
  // The sd of a mean of 100 squares is 0.14.
  for (const double value : square) EXPECT_NEAR(value, 1.0, 0.5);
}

TEST(SumRegression, KnowsFromTheResidualsHowWideTheSpreadOfSkewedCellsIsUncertain) {
  Column column;
  column.hrs = Law::lognormal(2e-6, 0.9);
  column.noise_sd = 0.1e-6;
  const double truth = column.hrs.variance();
  double robust = 0.0;
  double normal = 0.0;
  constexpr std::uint64_t sets = 60;
  for (std::uint64_t seed = 1; seed <= sets; ++seed) {
    const FittedValue found = fit_sums(measured(column, 2'000, 300 + seed), {}).hrs_variance;
    const double off = found.value - truth;
    normal += off * off / (found.standard_error * found.standard_error) / sets;
    robust += off * off / (found.robust_error * found.robust_error) / sets;
  }
  EXPECT_GT(normal, 2.0);  // the normal theory promises too much
  EXPECT_LT(robust, 2.0);
}

TEST(SumRegression, FitsAConstantCurrent) {
  Column column;
  column.constant = 3e-6;
  const SumGroups groups = measured(column, 5'000, 5);
  const SumFit fit = fit_sums(groups, {.constant = Constant::fitted, .noise_variance = {}});
  EXPECT_LT(std::abs(pull(fit.constant.value(), 3e-6)), 3.0);
  EXPECT_LT(std::abs(pull(fit.lrs_mean, 8e-6)), 3.0);
  // Without it the means don't lie on a straight line through 0.
  EXPECT_LT(fit_sums(groups, {}).means.p_value, 1e-6);
}

TEST(SumRegression, TakesAKnownNoise) {
  const SumGroups groups = measured({}, 5'000, 6);
  const SumFit fit = fit_sums(groups, {.constant = Constant::none, .noise_variance = 0.25e-12});
  EXPECT_FALSE(fit.noise_variance.has_value());
  EXPECT_LT(std::abs(pull(fit.lrs_variance, 0.16e-12)), 3.0);
  EXPECT_LT(std::abs(pull(fit.hrs_variance, 0.0144e-12)), 3.0);
}

TEST(SumRegression, SaysThatSpreadsDoNotFitWhereTheGivenNoiseIsFarTooLarge) {
  const SumGroups groups = measured({}, 5'000, 6);
  const SumFit fit = fit_sums(groups, {.constant = Constant::none, .noise_variance = 1e-6});
  EXPECT_GT(fit.spreads.statistic, 0.0);
  EXPECT_LT(fit.spreads.p_value, 1e-6);
}

TEST(SumRegression, LeavesAVarianceAtZeroWhereTheLikelihoodIsLargestThere) {
  Column column;
  column.hrs = Law::point(0.4e-6);
  int at_zero = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const SumFit fit = fit_sums(measured(column, 1'000, 500 + seed), {});
    EXPECT_GE(fit.hrs_variance.value, 0.0);
    if (fit.hrs_variance.value < 1e-18) ++at_zero;
    EXPECT_LT(std::abs(pull(fit.lrs_mean, 8e-6)), 4.5);
  }
  EXPECT_GE(at_zero, 4);  // about half of them
  EXPECT_LE(at_zero, 16);
}

TEST(SumRegression, ReadsSumsWithoutAnySpreadAsTheyAre) {
  SumGroups groups;
  for (std::uint32_t k = 0; k < 8; ++k) {
    for (std::uint32_t m = 0; m < 8; ++m) groups[{k, m}].add(8e-6 * k + 0.5e-6 * m);
  }
  const SumFit fit = fit_sums(groups, {});
  EXPECT_NEAR(fit.lrs_mean.value, 8e-6, 1e-18);
  EXPECT_NEAR(fit.hrs_mean.value, 0.5e-6, 1e-18);
  EXPECT_EQ(fit.lrs_variance.value, 0.0);
}

TEST(SumRegression, SaysWhatTheVectorsCannotTellApart) {
  SumGroups alike;
  SumGroups all_rows;
  for (int i = 0; i < 50; ++i) {
    alike[{4, 4}].add(1.0 + i);
    alike[{2, 2}].add(2.0 + i);
    all_rows[{4, 12}].add(1.0 + i);
    all_rows[{8, 8}].add(2.0 + i);
  }
  EXPECT_THAT(unidentified(alike, {})->why, HasSubstr("always mixed in the same way"));
  EXPECT_THAT(unidentified(all_rows, {})->why, HasSubstr("can't be told apart"));
  EXPECT_EQ(unidentified(all_rows, {.constant = Constant::none, .noise_variance = 0.0}),
            std::nullopt);
  EXPECT_THAT(unidentified(all_rows, {.constant = Constant::fitted, .noise_variance = 0.0})->why,
              HasSubstr("the constant current"));
  SumGroups few;
  for (std::uint32_t k = 0; k < 3; ++k) few[{k, 3 - k}].add(k);
  few[{1, 0}].add(1.0);
  EXPECT_THAT(unidentified(few, {})->why, HasSubstr("only 4 vectors"));
}

TEST(PowerSums, AreThoseOfTheDefinition) {
  const std::vector<double> values{3.0, -1.0, 4.0, 1.5, -9.0, 2.6};
  PowerSums sums;
  for (const double value : values) sums.add(value);
  for (const int power : {2, 3, 4}) {
    double direct = 0.0;
    for (const double value : values) direct += std::pow(value - 0.7, power);
    EXPECT_NEAR(sums.about(0.7, power), direct, 1e-9 * std::abs(direct)) << power;
  }
}

}  // namespace
}  // namespace cimstat::experiments
