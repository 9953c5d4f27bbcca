#include "core/statistics/shape_fit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/law/shape.h"
#include "core/random/random.h"

namespace cimstat::core {
namespace {

using testing::HasSubstr;

std::vector<double> sample(const Shape& shape, std::size_t n, std::uint64_t instance) {
  TrialRandom random({.seed = 17}, Domain::test, instance);
  std::vector<double> values(n);
  for (double& value : values) {
    const double u = random.uniform();
    value = u < 0.5 ? quantile(shape, Tail::lower, u) : quantile(shape, Tail::upper, 1.0 - u);
  }
  std::sort(values.begin(), values.end());
  return values;
}

/// Standard errors from the truth, of both parameters, over samples of n.
struct Pulls {
  double mean[2] = {0.0, 0.0};
  double square[2] = {0.0, 0.0};
};

Pulls pulls(const Shape& shape, Family family, const Cut& cut, const double (&truth)[2],
            std::size_t n) {
  constexpr std::uint64_t samples = 400;
  Pulls result;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const ShapeFit fit = fit_shape(sample(shape, n, i), family, cut).fit.value();
    for (std::size_t p = 0; p < 2; ++p) {
      const double pull = (fit.parameters[p].value - truth[p]) / fit.parameters[p].standard_error;
      result.mean[p] += pull / samples;
      result.square[p] += pull * pull / samples;
    }
  }
  return result;
}

/// Over 400 samples the mean pull has sd 0.05 and the mean square 0.07; the likelihood's own bias
/// at n = 800 is below 0.05 standard errors.
void expect_honest_errors(const Pulls& p) {
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_NEAR(p.mean[i], 0.0, 0.25) << i;
    EXPECT_NEAR(p.square[i], 1.0, 0.35) << i;
  }
}

TEST(ShapeFit, RecoversNormalAndLognormalLawsWithinItsStandardErrors) {
  expect_honest_errors(pulls(Normal{40e-6, 2e-6}, Family::normal, {}, {40e-6, 2e-6}, 800));
  expect_honest_errors(pulls(LogNormal{1e-6, 0.6}, Family::lognormal, {}, {1e-6, 0.6}, 800));
}

TEST(ShapeFit, RecoversTheParentOfATruncatedLaw) {
  expect_honest_errors(pulls(TruncatedNormal{40e-6, 3e-6, 37e-6, 44e-6}, Family::normal,
                             {37e-6, 44e-6}, {40e-6, 3e-6}, 3000));
  expect_honest_errors(pulls(TruncatedLogNormal{1e-6, 0.5, 0.0, 2e-6}, Family::lognormal,
                             {0.0, 2e-6}, {1e-6, 0.5}, 3000));
  // One end only, which lies above the parent's mean.
  const double high = 40e-6 + 40 * 3e-6;
  expect_honest_errors(pulls(TruncatedNormal{40e-6, 3e-6, 41e-6, high}, Family::normal,
                             {41e-6, std::numeric_limits<double>::infinity()}, {40e-6, 3e-6},
                             8000));
}

TEST(ShapeFit, IsOffWhereTheCutIsForgotten) {
  const ShapeFit fit =
      fit_shape(sample(TruncatedNormal{40e-6, 3e-6, 37e-6, 44e-6}, 3000, 1), Family::normal)
          .fit.value();
  EXPECT_GT(std::abs(fit.parameters[1].value - 3e-6), 10.0 * fit.parameters[1].standard_error);
}

TEST(ShapeFit, GivesTheLikelihoodOfTheValuesWhateverTheFamily) {
  const std::vector<double> values = sample(LogNormal{2.0, 0.4}, 500, 3);
  const Cut cut{0.1, 20.0};
  for (const Family family : {Family::normal, Family::lognormal}) {
    for (const Cut& ends : {Cut{}, cut}) {
      const ShapeFit fit = fit_shape(values, family, ends).fit.value();
      double sum = 0.0;
      for (const double value : values) sum += std::log(density(fit.shape, value));
      EXPECT_NEAR(fit.log_likelihood, sum, 1e-6 * std::abs(sum));
      EXPECT_DOUBLE_EQ(fit.aic(), 4.0 - 2.0 * fit.log_likelihood);
      EXPECT_DOUBLE_EQ(fit.bic(), 2.0 * std::log(500.0) - 2.0 * fit.log_likelihood);
    }
  }
}

TEST(ShapeFit, IsTheLargestLikelihood) {
  const std::vector<double> values = sample(TruncatedNormal{5.0, 2.0, 3.0, 6.0}, 400, 5);
  const ShapeFit fit = fit_shape(values, Family::normal, {3.0, 6.0}).fit.value();
  for (const double mean : {0.99, 1.0, 1.01}) {
    for (const double sd : {0.98, 1.0, 1.02}) {
      double sum = 0.0;
      for (const double value : values) {
        sum += std::log(density(
            TruncatedNormal{fit.parameters[0].value * mean, fit.parameters[1].value * sd, 3.0, 6.0},
            value));
      }
      EXPECT_LE(sum, fit.log_likelihood + 1e-9);
    }
  }
}

TEST(ShapeFit, SaysWhyThereIsNone) {
  EXPECT_THAT(fit_shape(std::vector{1.0}, Family::normal).obstacle, HasSubstr("fewer than two"));
  EXPECT_THAT(fit_shape(std::vector{1.0, 1.0, 1.0}, Family::normal).obstacle, HasSubstr("equal"));
  EXPECT_THAT(fit_shape(std::vector{-1.0, 1.0}, Family::lognormal).obstacle,
              HasSubstr("not positive"));
  std::vector<double> bathtub;
  for (int i = 0; i < 100; ++i) bathtub.push_back(i < 50 ? 0.01 * i / 50.0 : 1.0 - 0.01 * i / 100);
  EXPECT_THAT(fit_shape(bathtub, Family::normal, {0.0, 1.0}).obstacle, HasSubstr("too flat"));
}

/// D'Agostino and Stephens (1986), table 4.7: with both parameters fitted to a normal law,
/// A^2 (1 + 0.75/n + 2.25/n^2) exceeds 0.752 with probability 0.05.
TEST(GoodnessOfFitTest, AgreesWithTheTabledLawOfTheStatistic) {
  const std::vector<double> values = sample(Normal{0.0, 1.0}, 200, 1);
  ShapeFit fit = fit_shape(values, Family::normal).fit.value();
  int above = 0;
  constexpr int samples = 4000;
  for (int i = 0; i < samples; ++i) {
    const auto other = sample(Normal{0.0, 1.0}, 50, 1000 + static_cast<std::uint64_t>(i));
    const double statistic = anderson_darling(other, fit_shape(other, Family::normal).fit.value());
    if (statistic * (1.0 + 0.75 / 50 + 2.25 / 2500) > 0.752) ++above;
  }
  EXPECT_NEAR(above / double(samples), 0.05, 4.0 * std::sqrt(0.05 * 0.95 / samples));
}

TEST(GoodnessOfFitTest, HasUniformPValuesWhereTheLawIsRightAndSmallOnesWhereItIsNot) {
  double sum = 0.0;
  int low = 0;
  constexpr std::uint64_t samples = 100;
  for (std::uint64_t i = 0; i < samples; ++i) {
    const auto values = sample(TruncatedNormal{1.0, 0.4, 0.5, 2.0}, 60, 7000 + i);
    const ShapeFit fit = fit_shape(values, Family::normal, {0.5, 2.0}).fit.value();
    const double p = goodness_of_fit(values, fit, {.seed = i}, 99, {1}).p_value;
    sum += p;
    if (p <= 0.1) ++low;
  }
  EXPECT_NEAR(sum / samples, 0.5, 4.0 * std::sqrt(1.0 / 12 / samples));
  EXPECT_LE(low, 22);  // 10 expected, sd 3
  const auto skewed = sample(LogNormal{1.0, 0.5}, 300, 9);
  EXPECT_LE(
      goodness_of_fit(skewed, fit_shape(skewed, Family::normal).fit.value(), {.seed = 1}, 999, {1})
          .p_value,
      0.002);
}

TEST(GoodnessOfFitTest, DoesNotDependOnThreads) {
  const auto values = sample(LogNormal{1.0, 0.5}, 300, 9);
  const ShapeFit fit = fit_shape(values, Family::lognormal).fit.value();
  const double one = goodness_of_fit(values, fit, {.seed = 4}, 199, {1}).p_value;
  EXPECT_EQ(goodness_of_fit(values, fit, {.seed = 4}, 199, {3}).p_value, one);
}

}  // namespace
}  // namespace cimstat::core
