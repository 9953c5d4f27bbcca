#include "core/law/quantile_curve.h"

#include <cmath>
#include <complex>
#include <csignal>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/interrupt.h"
#include "core/law/characteristic.h"
#include "core/law/exponential_moment.h"
#include "core/law/law.h"
#include "core/law/quantile_table.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

QuantileCurve normal_curve(double mean, double sd) {
  return curve_of_scores([=](double z) { return mean + sd * z; });
}

QuantileCurve lognormal_curve(double median, double sigma) {
  return curve_of_scores([=](double z) { return median * std::exp(sigma * z); });
}

Law law_of(QuantileCurve curve, double compression = 0.0, double noise = 0.0, double scale = 1.0) {
  return Law({{.base = std::move(curve),
               .compression = compression,
               .relative_noise = noise,
               .scale = scale}});
}

struct Twin {
  std::string name;
  Shape curve;
  Shape shape;
};

std::vector<Twin> twins() {
  return {{"normal", normal_curve(2.0, 0.25), Normal{2.0, 0.25}},
          {"narrow lognormal", lognormal_curve(4e-4, 0.1), LogNormal{4e-4, 0.1}},
          {"wide lognormal", lognormal_curve(1.0, 0.6), LogNormal{1.0, 0.6}},
          {"slice of a normal", restricted(normal_curve(2.0, 0.25), -1.5, 0.25),
           TruncatedNormal{2.0, 0.25, 1.625, 2.0625}},
          {"tail of a lognormal", restricted(lognormal_curve(1.0, 0.3), 2.0, 6.0),
           TruncatedLogNormal{1.0, 0.3, std::exp(0.6), std::exp(1.8)}}};
}

Law with(const Shape& base, double compression, double noise, double scale) {
  return Law({{.base = base, .compression = compression, .relative_noise = noise, .scale = scale}});
}

TEST(QuantileCurve, AgreesWithTheClosedFormsOfItsTwinThroughLaw) {
  for (const Twin& twin : twins()) {
    for (const double noise : {0.0, 0.05}) {
      for (const double scale : {1.0, -0.5}) {
        const double compression = 0.2;
        const Law curve = with(twin.curve, compression, noise, scale);
        const Law exact = with(twin.shape, compression, noise, scale);
        EXPECT_NEAR(curve.mean() / exact.mean(), 1.0, 1e-11) << twin.name;
        EXPECT_NEAR(curve.sd() / exact.sd(), 1.0, 1e-10) << twin.name;
        for (const Tail side : {Tail::lower, Tail::upper}) {
          for (const double p : {0.4, 0.1, 1e-3, 1e-6, 1e-9, 1e-12}) {
            const double x = exact.quantile(side, p);
            EXPECT_NEAR(curve.quantile(side, p), x, 2e-9 * exact.sd()) << twin.name << " p " << p;
            // The ends of slices are rounded, and tails beside them are differences of doubles.
            const double rounding = 2e-8 + 2e-15 / p;
            EXPECT_NEAR(curve.tail_probability(side, x) / p, 1.0, rounding)
                << twin.name << " p " << p;
          }
        }
      }
    }
  }
}

TEST(QuantileCurve, HasDensitySupportAndNodesOfItsTwin) {
  for (const Twin& twin : twins()) {
    for (const double p : {1e-7, 0.01, 0.3, 0.8, 0.999}) {
      const double b = quantile(twin.shape, Tail::lower, p);
      EXPECT_NEAR(density(twin.curve, b) / density(twin.shape, b), 1.0, 1e-7) << twin.name;
    }
    double mass = 0.0;
    double square = 0.0;
    for (const Node& node : expectation_nodes(twin.curve)) {
      mass += node.weight;
      square += node.weight * node.value * node.value;
    }
    double expected = 0.0;
    for (const Node& node : expectation_nodes(twin.shape)) {
      expected += node.weight * node.value * node.value;
    }
    EXPECT_NEAR(mass, 1.0, 1e-14) << twin.name;
    EXPECT_NEAR(square / expected, 1.0, 4e-11) << twin.name;
    const std::vector<double> corners = knots(twin.curve);
    for (std::size_t i = 1; i < corners.size(); ++i) EXPECT_LT(corners[i - 1], corners[i]);
  }
  EXPECT_EQ(support(Shape(normal_curve(2.0, 0.25))).first, -infinity);
  EXPECT_NEAR(support(Shape(lognormal_curve(1.0, 0.5))).first, 0.0, 1e-15);
  EXPECT_NEAR(support(twins()[3].curve).second, 2.0625, 1e-14);
}

TEST(QuantileCurve, IsMadeFromQuantilesAndFromTailsAsWellAsFromScores) {
  const Law exact = Law::lognormal(2.0, 0.4);
  const auto quantile = [&](Tail side, double p) { return exact.quantile(side, p); };
  const auto tail = [&](Tail side, double b) { return exact.tail_probability(side, b); };
  for (const QuantileCurve& curve :
       {curve_of_quantiles(quantile), curve_of_tails(tail, exact.mean(), exact.sd())}) {
    for (double z = -8.0; z <= 8.0; z += 0.37) {
      const double b = 2.0 * std::exp(0.4 * z);
      EXPECT_NEAR(curve_value(curve, z) / b, 1.0, 1e-8) << z;
      EXPECT_NEAR(curve_score(curve, b), z, 3e-8) << z;
    }
  }
}

TEST(QuantileCurve, HoldsLawsOfBoundedSupport) {
  const QuantileCurve uniform =
      curve_of_quantiles([](Tail side, double p) { return side == Tail::lower ? p : 1.0 - p; });
  const Law law = law_of(uniform);
  EXPECT_NEAR(law.mean(), 0.5, 1e-10);
  EXPECT_NEAR(law.variance(), 1.0 / 12.0, 1e-10);
  EXPECT_NEAR(law.tail_probability(Tail::lower, 1e-6) / 1e-6, 1.0, 1e-5);
  EXPECT_NEAR(law.tail_probability(Tail::lower, 0.25), 0.25, 1e-9);
  EXPECT_GE(law.quantile(Tail::lower, 1e-15), 0.0);
}

TEST(QuantileCurve, SlicesAddUpToTheWholeLaw) {
  const QuantileCurve whole = lognormal_curve(1.0, 0.4);
  const std::vector<double> ends{-infinity, -2.0, -0.7, 0.1, 1.3, infinity};
  std::vector<Component> slices;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const QuantileCurve slice = restricted(whole, ends[i - 1], ends[i]);
    slices.push_back({.weight = curve_mass(slice), .base = slice});
  }
  const Law sum(slices);
  const Law exact = Law::lognormal(1.0, 0.4);
  EXPECT_NEAR(sum.mean() / exact.mean(), 1.0, 1e-10);
  EXPECT_NEAR(sum.sd() / exact.sd(), 1.0, 1e-9);
  for (const double b : {0.2, 0.5, 1.0, 1.7, 4.0}) {
    EXPECT_NEAR(sum.tail_probability(Tail::upper, b) / exact.tail_probability(Tail::upper, b), 1.0,
                1e-8);
  }
}

TEST(QuantileCurve, GivesTheQuantileTableOfItsTwin) {
  const Law curve = law_of(lognormal_curve(1.0, 0.3));
  const QuantileTable ours(curve, 1.0);
  const QuantileTable exact(Law::lognormal(1.0, 0.3), 1.0);
  std::uint32_t word = 12345;
  for (int i = 0; i < 100000; ++i) {
    word = word * 1664525U + 1013904223U;
    ASSERT_NEAR(ours(word), exact(word), 2e-6F * exact(word));
  }
}

TEST(QuantileCurve, TransformAgreesWithItsTwinWithinTheErrorOfTheCurve) {
  for (const Twin& twin : twins()) {
    for (const double noise : {0.0, 0.05}) {
      const Law curve = with(twin.curve, 0.1, noise, -2.0);
      const Law exact = with(twin.shape, 0.1, noise, -2.0);
      const Characteristic ours(curve);
      const Characteristic theirs(exact);
      for (const double step : {0.1, 2.0, 8.0, 20.0}) {
        const auto a = ours.at_midpoints(step / exact.sd(), 3);
        const auto b = theirs.at_midpoints(step / exact.sd(), 3);
        for (std::size_t k = 0; k < 3; ++k) {
          const double u = (static_cast<double>(k) + 0.5) * step;
          // centred at means that differ by less than 1e-11 sd
          EXPECT_NEAR(std::abs(a.value[k] - b.value[k]), 0.0, 1e-9 * (1.0 + u)) << twin.name << u;
          EXPECT_LT(a.error[k], 1e-11) << twin.name;
          const double bound = std::exp(ours.envelope(u / exact.sd()).log_value);
          EXPECT_LE(std::abs(a.value[k]), bound + a.error[k]) << twin.name << " u " << u;
        }
      }
    }
  }
}

TEST(QuantileCurve, EnvelopeFallsFarBelowTheVariationOfTheDensity) {
  const Law law = law_of(lognormal_curve(1.0, 0.3));
  const Characteristic transform(law);
  EXPECT_LT(transform.envelope(20.0 / law.sd()).log_value, std::log(1e-4));
  EXPECT_LT(transform.envelope(100.0 / law.sd()).log_value, std::log(1e-6));
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const LawError& error) {
    return error.what();
  }
  return "accepted";
}

/// Beyond a slice there is nothing to search for: exactly 0 and 1, at its ends as far as the score
/// tells.
TEST(QuantileCurve, TailsOfASliceAreCertainBeyondIt) {
  const QuantileCurve whole = lognormal_curve(1.0, 0.3);
  const QuantileCurve slice = restricted(whole, -1.0 / 3.0, 0.71);
  const CurveTails tails(slice);
  for (double z = -9.0; z <= 9.0; z += 1.0 / 128.0) {
    const double b = curve_value(whole, z);
    const double low = tails.tail(Tail::lower, b);
    EXPECT_EQ(low, tail_probability(Shape(slice), Tail::lower, b));
    EXPECT_EQ(tails.density(b), density(Shape(slice), b));
    if (z < slice.low - 1e-12) {
      EXPECT_EQ(low, 0.0) << z;
      EXPECT_EQ(tails.tail(Tail::upper, b), 1.0) << z;
      EXPECT_EQ(tails.density(b), 0.0) << z;
    } else if (z > slice.high + 1e-12) {
      EXPECT_EQ(low, 1.0) << z;
      EXPECT_EQ(tails.tail(Tail::upper, b), 0.0) << z;
    } else {
      const double inside =
          (normal_tail(Tail::lower, z) - normal_tail(Tail::lower, slice.low)) / curve_mass(slice);
      EXPECT_NEAR(low, inside, 1e-13) << z;
    }
  }
}

/// A stop is answered while laws are made and looked at, not behind them.
TEST(QuantileCurve, LawsStopWhenAskedTo) {
  const Law law({{.base = lognormal_curve(1.0, 0.3), .relative_noise = 0.1}});
  const Characteristic transform(law);
  const ExponentialMoment moment(law);
  request_stop(SIGTERM);
  EXPECT_THROW(lognormal_curve(1.0, 0.4), Interrupted);
  EXPECT_THROW(law.quantile(Tail::lower, 0.1), Interrupted);
  EXPECT_THROW(Characteristic{law}, Interrupted);
  EXPECT_THROW(transform.at_midpoints(0.1, 4), Interrupted);
  EXPECT_THROW(transform.envelope(1.0), Interrupted);
  EXPECT_THROW(moment.log_moment(0.5), Interrupted);
  forget_stop();
  EXPECT_NO_THROW(law.quantile(Tail::lower, 0.1));
}

TEST(QuantileCurve, RefusesWhatIsNoContinuousLaw) {
  EXPECT_EQ(
      refusal([] { curve_of_scores([](double z) { return -z; }); }),
      "law: values fall at -6.75 standard deviations (a quantile function does not decrease)");
  EXPECT_EQ(
      refusal([] { curve_of_scores([](double z) { return std::max(z, 0.0); }); }),
      "law: values stand still at -6.75 standard deviations (an atom has no place on a curve); "
      "give it a component of its own");
  EXPECT_EQ(
      refusal([] { curve_of_scores([](double z) { return 1.0 / (z - z); }); }),
      "law: the value at -8.5 standard deviations is not finite (a law lies on the real axis)");
  EXPECT_EQ(refusal([] { restricted(normal_curve(0.0, 1.0), 1.0, 1.0); }),
            "law: the scores of a quantile curve (low must lie below high, both within 38)");
  QuantileCurve steep = normal_curve(0.0, 1.0);
  steep.slope[3] = 9.0;
  EXPECT_EQ(refusal([&] { law_of(steep); }),
            "law: slopes of a quantile curve (at most 3 times the rise beside them)");
  steep.slope.pop_back();
  EXPECT_EQ(refusal([&] { law_of(steep); }),
            "law: a quantile curve of unequal lists (as many slopes as values, at least two)");
}

}  // namespace
}  // namespace cimstat::core
