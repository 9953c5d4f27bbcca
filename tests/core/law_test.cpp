#include "core/law/law.h"

#include <cmath>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

const Tail sides[] = {Tail::lower, Tail::upper};

struct Named {
  std::string name;
  Law law;
  double smallest;  ///< smallest tail probability worth asking for
};

Law one(Component component) { return Law({component}); }

std::vector<Named> continuous_laws() {
  return {
      {"normal", Law::normal(-2.0, 3.0), 1e-250},
      {"lognormal", Law::lognormal(0.04, 0.85), 1e-250},
      {"truncated normal", one({.base = TruncatedNormal{1.0, 0.5, 0.25, 1.5}}), 1e-250},
      {"far truncated normal", one({.base = TruncatedNormal{0.0, 1.0, 5.0, 9.0}}), 1e-200},
      {"truncated lognormal", one({.base = TruncatedLogNormal{0.1, 0.6, 0.0, 0.2}}), 1e-200},
      {"empirical", one({.base = Empirical{{0.0, 0.2, 0.7, 1.0}, {-1.0, 0.0, 0.5, 4.0}}}), 1e-14},
      {"subtracted lognormal", one({.base = LogNormal{1.0, 0.4}, .scale = -0.2}), 1e-250},
      {"behind a resistance", one({.base = LogNormal{50.0, 0.3}, .compression = 0.004}), 1e-200},
      {"noisy lognormal", one({.base = LogNormal{3.0, 0.3}, .relative_noise = 0.05, .scale = 0.2}),
       1e-100},
      {"noisy narrow lognormal", one({.base = LogNormal{3.0, 0.01}, .relative_noise = 0.1}), 1e-40},
      {"noisy normal", one({.base = Normal{10.0, 1.0}, .relative_noise = 0.03}), 1e-100},
      {"noisy truncated",
       one({.base = TruncatedLogNormal{1.0, 0.5, 0.1, 1.2}, .relative_noise = 0.02}), 1e-40},
      {"mixture",
       Law({{.weight = 0.99, .base = LogNormal{1.0, 0.2}, .relative_noise = 0.02},
            {.weight = 0.01, .base = LogNormal{20.0, 0.05}, .compression = 0.01}}),
       1e-60},
  };
}

TEST(Law, QuantilesInvertTailProbabilitiesOnBothSidesFarOut) {
  for (const Named& named : continuous_laws()) {
    for (const Tail side : sides) {
      for (const double p : {0.5, 0.3, 0.0123, 1e-5, 0x1p-33, 1e-12, 1e-30, 1e-90, 1e-199}) {
        if (p < named.smallest) continue;
        const double x = named.law.quantile(side, p);
        // A rounding of x moves a steep tail by this much.
        const double slack = std::abs(named.law.tail_probability(side, x * (1.0 + 2e-15)) -
                                      named.law.tail_probability(side, x * (1.0 - 2e-15)));
        EXPECT_NEAR(named.law.tail_probability(side, x), p, 1e-12 * p + slack)
            << named.name << (side == Tail::lower ? " lower " : " upper ") << p;
      }
    }
  }
}

TEST(Law, TailsOnBothSidesSumToOne) {
  for (const Named& named : continuous_laws()) {
    for (double z = -6.0; z <= 6.0; z += 0.37) {
      const double x = named.law.mean() + z * named.law.sd();
      EXPECT_NEAR(
          named.law.tail_probability(Tail::lower, x) + named.law.tail_probability(Tail::upper, x),
          1.0, 1e-13)
          << named.name << " at " << z;
    }
  }
}

TEST(Law, MeanAndVarianceAreThoseOfTheTailProbabilities) {
  for (const Named& named : continuous_laws()) {
    // E X - a = int_a P(X > x) - int^a P(X <= x); E (X - a)^2 = 2 int |x - a| P(beyond x);
    // midpoint rule in t, |x - a| = sd (e^t - 1).
    const double a = named.law.mean();
    const double h = 0.005;
    double first = 0.0;
    double second = 0.0;
    for (int i = 0; i < 2000; ++i) {
      const double e = std::exp((i + 0.5) * h);
      const double d = named.law.sd() * (e - 1.0);
      const double step = named.law.sd() * e * h;
      const double up = named.law.tail_probability(Tail::upper, a + d);
      const double down = named.law.tail_probability(Tail::lower, a - d);
      first += step * (up - down);
      second += step * 2.0 * d * (up + down);
      if (up + down < 1e-14) break;
    }
    EXPECT_NEAR(first, 0.0, 2e-5 * named.law.sd()) << named.name;
    EXPECT_NEAR(second, named.law.variance(), 1e-4 * named.law.variance()) << named.name;
  }
}

TEST(Law, MomentsOfTheClosedForms) {
  const Law lognormal = Law::lognormal(3.0, 0.6);
  EXPECT_DOUBLE_EQ(lognormal.mean(), 3.0 * std::exp(0.18));
  EXPECT_DOUBLE_EQ(lognormal.sd(), lognormal.mean() * std::sqrt(std::expm1(0.36)));
  const Law noisy = one({.base = Normal{5.0, 2.0}, .relative_noise = 0.5, .scale = -2.0});
  EXPECT_DOUBLE_EQ(noisy.mean(), -10.0);
  EXPECT_DOUBLE_EQ(noisy.variance(), 16.0 + 0.25 * (16.0 + 100.0));
  const Law stuck({{.weight = 0.9, .base = Point{1.0}}, {.weight = 0.1, .base = Point{11.0}}});
  EXPECT_DOUBLE_EQ(stuck.mean(), 2.0);
  EXPECT_DOUBLE_EQ(stuck.variance(), 9.0);
  // Uniform on [2, 5].
  const Law uniform = one({.base = Empirical{{0.0, 1.0}, {2.0, 5.0}}});
  EXPECT_DOUBLE_EQ(uniform.mean(), 3.5);
  EXPECT_NEAR(uniform.variance(), 0.75, 1e-15);
  // Half normal.
  const Law half = one({.base = TruncatedNormal{0.0, 1.0, 0.0, 50.0}});
  EXPECT_NEAR(half.mean(), std::sqrt(2.0 / std::numbers::pi), 1e-14);
  EXPECT_NEAR(half.variance(), 1.0 - 2.0 / std::numbers::pi, 1e-14);
}

TEST(Law, RelativeNoiseAgreesWithIntegratingOverTheCellInstead) {
  // P(B (1 + r xi) > y) = E Q((y / B - 1) / r), trapezoid over ln B (r not much below sigma).
  const double sigma = 0.3;
  const double r = 0.2;
  const Law law = one({.base = LogNormal{2.0, sigma}, .relative_noise = r});
  for (const double y : {0.3, 1.0, 2.0, 4.0, 8.0, 16.0}) {
    long double sum = 0.0L;
    const long double h = 0.01L;
    for (int i = -3000; i <= 3000; ++i) {
      const long double z = h * i;
      const long double b = 2.0L * std::exp(sigma * z);
      sum += h * std::exp(-z * z / 2) * std::erfc((y / b - 1) / r / std::sqrt(2.0L)) / 2;
    }
    sum /= std::sqrt(2 * std::numbers::pi_v<long double>);
    const double expected = static_cast<double>(sum);
    EXPECT_NEAR(law.tail_probability(Tail::upper, y), expected, 1e-12 * expected) << y;
  }
}

TEST(Law, SeriesResistanceMovesTheTailsThroughTheCompression) {
  const Law bare = Law::lognormal(50.0, 0.3);
  const Law behind = one({.base = LogNormal{50.0, 0.3}, .compression = 0.01});
  for (const double g : {20.0, 50.0, 120.0}) {
    EXPECT_NEAR(behind.tail_probability(Tail::upper, g / (1.0 + 0.01 * g)),
                bare.tail_probability(Tail::upper, g), 1e-14);
  }
  EXPECT_EQ(behind.tail_probability(Tail::upper, 100.0), 0.0);
}

TEST(Law, TruncationKeepsRelativeAccuracyAtItsEnds) {
  // Near the lower end the density is flat, so that the tail is its value times the distance.
  const Law law = one({.base = TruncatedNormal{0.0, 1.0, 1.0, 2.0}});
  const double all = 0.5 * (std::erfc(1.0 / std::numbers::sqrt2) - std::erfc(std::numbers::sqrt2));
  const double density = std::exp(-0.5) / std::sqrt(2.0 * std::numbers::pi) / all;
  const double width = 0x1p-40;
  EXPECT_NEAR(law.tail_probability(Tail::lower, 1.0 + width) / (density * width), 1.0, 1e-11);
}

TEST(Law, RangesOfAnyWidthCostNoMoreThanWhatLiesInThem) {
  // Conductances above zero have no upper limit of their own: 1e3 S at an sd of 1 uS. A walk over
  // the whole range would not end.
  const std::vector<double> plain = knots(TruncatedNormal{0.5, 1.0, 0.0, 80.5});
  for (const double high : {1e3, 1e9, 1e30, 1e300}) {
    const std::vector<double> wide = knots(TruncatedNormal{0.5, 1.0, 0.0, high});
    EXPECT_LE(wide.size(), plain.size()) << high;
    ASSERT_GE(wide.size(), 20U) << high;
    EXPECT_EQ(wide.front(), 0.0);
    EXPECT_EQ(wide.back(), high);
    for (std::size_t i = 1; i + 1 < wide.size(); ++i) {
      EXPECT_GT(wide[i], wide[i - 1]);
      EXPECT_LE(wide[i] - wide[i - 1], 2.0 + 1e-9);
    }
    EXPECT_GT(wide[wide.size() - 2], 36.0);
  }
  const std::vector<double> both = knots(TruncatedNormal{0.5, 1.0, -1e30, 1e30});
  EXPECT_LE(both.size(), 82U);
  const Law above = one({.base = TruncatedNormal{0.5, 1.0, 0.0, 1e3}, .relative_noise = 0.2});
  const Law nearer = one({.base = TruncatedNormal{0.5, 1.0, 0.0, 60.0}, .relative_noise = 0.2});
  EXPECT_NEAR(above.quantile(Tail::upper, 1e-6), nearer.quantile(Tail::upper, 1e-6), 1e-10);
}

TEST(Law, PointsAreAtoms) {
  const Law law({{.weight = 0.25, .base = Point{1.0}, .scale = -3.0},
                 {.weight = 0.75, .base = Point{2.0}, .compression = 0.5}});
  EXPECT_EQ(law.tail_probability(Tail::lower, -3.0), 0.25);
  EXPECT_EQ(law.tail_probability(Tail::lower, std::nextafter(-3.0, -4.0)), 0.0);
  EXPECT_EQ(law.tail_probability(Tail::upper, 1.0), 0.0);
  EXPECT_EQ(law.tail_probability(Tail::upper, 0.999), 0.75);
  EXPECT_NEAR(law.quantile(Tail::lower, 0.2), -3.0, 1e-14);
  EXPECT_NEAR(law.quantile(Tail::upper, 0.2), 1.0, 1e-14);
  EXPECT_EQ(Law::point(4.0).quantile(Tail::upper, 1e-9), 4.0);
  EXPECT_EQ(Law().mean(), 0.0);
}

TEST(Law, ScalingScalesEveryQuantile) {
  for (const Named& named : continuous_laws()) {
    const Law twice = named.law.scaled(2.0);
    const Law mirrored = named.law.scaled(-2.0);
    for (const double p : {0.4, 1e-3, 1e-8}) {
      const double x = named.law.quantile(Tail::upper, p);
      EXPECT_NEAR(twice.quantile(Tail::upper, p), 2.0 * x, 1e-11 * std::abs(x)) << named.name;
      EXPECT_NEAR(mirrored.quantile(Tail::lower, p), -2.0 * x, 1e-11 * std::abs(x)) << named.name;
    }
  }
}

TEST(Law, KnowsWhenItIsNormal) {
  const auto normal = one({.base = Normal{2.0, 0.5}, .scale = -3.0}).as_normal();
  ASSERT_TRUE(normal);
  EXPECT_EQ(normal->mean, -6.0);
  EXPECT_EQ(normal->sd, 1.5);
  const auto noisy_point = one({.base = Point{4.0}, .relative_noise = 0.1}).as_normal();
  ASSERT_TRUE(noisy_point);
  EXPECT_EQ(noisy_point->mean, 4.0);
  EXPECT_NEAR(noisy_point->sd, 0.4, 1e-15);
  EXPECT_EQ(Law::point(3.0).as_normal()->sd, 0.0);
  EXPECT_EQ(Law::lognormal(3.0, 0.0).as_normal()->mean, 3.0);
  EXPECT_FALSE(one({.base = Normal{2.0, 0.5}, .relative_noise = 0.1}).as_normal());
  EXPECT_FALSE(one({.base = Normal{2.0, 0.1}, .compression = 0.1}).as_normal());
  EXPECT_FALSE(Law::lognormal(1.0, 0.1).as_normal());
  EXPECT_FALSE(Law({{.weight = 0.5, .base = Normal{0.0, 1.0}}, {.weight = 0.5, .base = Point{3.0}}})
                   .as_normal());
}

TEST(Law, RefusesParametersThatMakeNoLaw) {
  const double nan = std::nan("");
  EXPECT_THROW(Law::normal(nan, 1.0), UsageError);
  EXPECT_THROW(Law::normal(0.0, -1.0), UsageError);
  EXPECT_THROW(Law::lognormal(0.0, 1.0), UsageError);
  EXPECT_THROW(Law::lognormal(1.0, -0.1), UsageError);
  EXPECT_THROW(one({.base = TruncatedNormal{0.0, 1.0, 2.0, 1.0}}), UsageError);
  EXPECT_THROW(one({.base = TruncatedNormal{0.0, 1.0, 20.0, 21.0}}), UsageError);
  EXPECT_THROW(one({.base = TruncatedLogNormal{1.0, 0.1, -1.0, 1.0}}), UsageError);
  EXPECT_THROW(one({.base = Empirical{{0.0, 0.5}, {1.0, 2.0}}}), UsageError);
  EXPECT_THROW(one({.base = Empirical{{0.0, 0.5, 0.5, 1.0}, {1.0, 2.0, 3.0, 4.0}}}), UsageError);
  EXPECT_THROW(one({.base = Empirical{{0.0, 0.5, 1.0}, {1.0, 3.0, 2.0}}}), UsageError);
  EXPECT_THROW(Law({{.weight = 0.5, .base = Point{1.0}}}), UsageError);
  EXPECT_THROW(Law({{.weight = 1.5, .base = Point{1.0}}, {.weight = -0.5, .base = Point{1.0}}}),
               UsageError);
  EXPECT_THROW(one({.base = Normal{1.0, 0.3}, .compression = 1.0}), UsageError);
  EXPECT_NO_THROW(one({.base = Normal{1.0, 0.1}, .compression = 1.0}));
  EXPECT_THROW(one({.base = Point{1.0}, .compression = -0.5}), UsageError);
  EXPECT_THROW(one({.base = Point{1.0}, .relative_noise = -0.5}), UsageError);
  EXPECT_THROW(Law::normal(0.0, 1.0).quantile(Tail::lower, 0.0), UsageError);
  EXPECT_THROW(Law::normal(0.0, 1.0).quantile(Tail::lower, 1.0), UsageError);
}

}  // namespace
}  // namespace cimstat::core
