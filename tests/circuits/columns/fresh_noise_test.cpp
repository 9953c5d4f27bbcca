#include "circuits/columns/fresh_noise.h"

#include <cmath>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/logistic.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <gtest/gtest.h>

namespace cimstat::circuits {
namespace {

constexpr double pi = 3.14159265358979323846;

TEST(FreshNoise, OneNormalPartIsItsTail) {
  for (const double x : {-3.0, 0.0, 2.0, 12.0}) {
    const double expected = cdf(complement(boost::math::normal(0.0, 0.5), x));
    EXPECT_NEAR((FreshNoise{.normal_variance = 0.25}.tail(x)) / expected, 1.0, 1e-12) << x;
  }
}

TEST(FreshNoise, OneLogisticPartIsItsTail) {
  const double scale = std::sqrt(3.0) / pi * 0.5;
  for (const double x : {-3.0, 0.0, 2.0, 12.0}) {
    const double expected = cdf(complement(boost::math::logistic(0.0, scale), x));
    EXPECT_NEAR((FreshNoise{.logistic_variance = 0.25}.tail(x)) / expected, 1.0, 1e-12) << x;
  }
}

TEST(FreshNoise, SumOfBothPartsAgreesWithAdaptiveQuadrature) {
  for (const double sd : {0.01, 0.2, 0.49, 0.5, 1.0, 1.7, 3.0, 40.0}) {
    const double scale = std::sqrt(3.0) / pi;  // logistic of variance 1
    for (const double x : {-2.0, 0.0, 0.7, 3.0, 9.0}) {
      const auto integrand = [&](double z) {
        return pdf(boost::math::normal(), z) *
               cdf(complement(boost::math::logistic(0.0, scale), x - sd * z));
      };
      // The step of the logistic lies at z = x / sd.
      const double step = std::fmin(9.0, std::fmax(-9.0, x / sd));
      double expected = 0.0;
      std::vector<double> knots{-9.0};
      for (const double off : {-1.0, -0.1, 0.0, 0.1, 1.0}) {
        const double knot = step + off;
        if (knot > knots.back() && knot < 9.0) knots.push_back(knot);
      }
      knots.push_back(9.0);
      for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
        expected += boost::math::quadrature::gauss_kronrod<double, 61>::integrate(
            integrand, knots[i], knots[i + 1], 12, 1e-14);
      }
      const FreshNoise noise{.normal_variance = sd * sd, .logistic_variance = 1.0};
      EXPECT_NEAR(noise.tail(x), expected, 2e-14) << sd << ' ' << x;
    }
  }
}

TEST(FreshNoise, WithoutNoiseTheCurrentDecides) {
  EXPECT_EQ(FreshNoise{}.tail(-1e-30), 1.0);
  EXPECT_EQ(FreshNoise{}.tail(0.0), 0.0);
}

TEST(Majority, IsTheBinomialTailOfMoreThanHalf) {
  for (const unsigned reads : {1U, 3U, 5U, 31U, 99U}) {
    for (const double p : {1e-6, 0.01, 0.3, 0.5, 0.8, 0.999}) {
      const double expected =
          cdf(complement(boost::math::binomial(reads, p), static_cast<double>(reads / 2)));
      EXPECT_NEAR(majority(reads, p), expected, 1e-11 * expected) << reads << ' ' << p;
    }
    EXPECT_EQ(majority(reads, 0.0), 0.0);
    EXPECT_EQ(majority(reads, 1.0), 1.0);
  }
}

}  // namespace
}  // namespace cimstat::circuits
