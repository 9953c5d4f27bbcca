#include "core/law/characteristic.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/law/exponential_moment.h"
#include "core/law/law.h"

namespace cimstat::core {
namespace {

using Real = long double;
using Complex = std::complex<Real>;

/// E exp((iu - bend u^2)(X - centre)) over the real axis in extended precision: midpoints in the
/// underlying standard normal variable; the relative noise in closed form given the cell.
Complex brute_force(const Component& c, Real u, Real bend, Real centre) {
  const Complex w(-bend * u * u, u);
  Complex sum = 0;
  Real total = 0;
  const Real reach = 11;
  const auto* wave = std::get_if<LogNormal>(&c.base);
  const bool wide = wave != nullptr && wave->sigma > 0.6;
  const int steps = wide ? 200000 : 10000;
  for (int i = 0; i < steps; ++i) {
    const Real z = reach * (2 * (i + Real(0.5)) / steps - 1);
    Real b = 0;
    Real weight = std::exp(-z * z / 2);
    if (const auto* normal = std::get_if<Normal>(&c.base)) b = normal->mean + normal->sd * z;
    if (const auto* lognormal = std::get_if<LogNormal>(&c.base)) {
      b = lognormal->median * std::exp(lognormal->sigma * z);
    }
    const Real g = c.scale * b / (1 + c.compression * b);
    const Real noise = c.relative_noise * g;
    sum += weight * std::exp(w * (g - centre) + w * w * (noise * noise / 2));
    total += weight;
  }
  return sum / total;
}

Law one(const Component& component) { return Law(std::vector<Component>{component}); }

Law mixture(const Component& first, const Component& second) {
  return Law(std::vector<Component>{first, second});
}

struct Case {
  Component component;
  double bend = 0.0;
};

std::vector<Case> smooth_cases() {
  return {
      {{.base = Normal{2.0, 0.3}}},
      {{.base = Normal{2.0, 0.3}, .relative_noise = 0.1}},
      {{.base = Normal{2.0, 0.2}, .relative_noise = 0.1}, 0.01},
      {{.base = Normal{2.0, 0.15}, .compression = 0.3}},
      {{.base = Normal{2.0, 0.15}, .compression = 0.3, .relative_noise = 0.05}},
      {{.base = LogNormal{1.0, 0.1}}},
      {{.base = LogNormal{1.0, 0.5}, .scale = -2.0}},
      {{.base = LogNormal{1.0, 0.9}}},
      {{.base = LogNormal{1.0, 0.4}}, 0.02},
      {{.base = LogNormal{1.0, 0.4}, .compression = 0.5}},
      {{.base = LogNormal{1.0, 0.4}, .relative_noise = 0.1}},
      {{.base = LogNormal{1.0, 0.4}, .relative_noise = 0.3}},
      {{.base = LogNormal{1.0, 0.3}, .compression = 0.2, .relative_noise = 0.1, .scale = 3.0}},
      {{.base = LogNormal{1.0, 0.3}, .relative_noise = 0.1}, 0.01},
  };
}

std::string describe(const Case& c) {
  return std::string(std::holds_alternative<Normal>(c.component.base) ? "normal" : "lognormal") +
         " compression " + std::to_string(c.component.compression) + " noise " +
         std::to_string(c.component.relative_noise) + " bend " + std::to_string(c.bend);
}

TEST(Characteristic, AgreesWithIntegrationOverTheRealAxisWithinItsErrorBound) {
  for (const Case& c : smooth_cases()) {
    const Law law = one(c.component);
    const Characteristic transform(law, c.bend);
    for (const double step : {0.02, 0.3, 3.0, 12.0}) {
      const auto values = transform.at_midpoints(step / law.sd(), 2);
      for (std::size_t k = 0; k < 2; ++k) {
        const Real u = (static_cast<Real>(k) + Real(0.5)) * (step / law.sd());
        if (c.bend * static_cast<double>(u) > 0.4) continue;  // beyond what a bend allows
        const Complex expected = brute_force(c.component, u, c.bend, law.mean());
        const Complex difference = Complex(values.value[k]) - expected;
        const double error = static_cast<double>(std::abs(difference));
        EXPECT_LE(error, values.error[k] + 1e-18)  // the integration rounds, too
            << describe(c) << " u sd " << static_cast<double>(u) * law.sd();
        EXPECT_LE(values.error[k], 2e-14)
            << describe(c) << " u sd " << static_cast<double>(u) * law.sd();
      }
    }
  }
}

TEST(Characteristic, OfTruncatedAndEmpiricalShapesFollowsTheirPieces) {
  // Uniform on [1, 3]: sin(u) / u about the mean 2.
  const Characteristic uniform(one({.base = Empirical{{0.0, 0.5, 1.0}, {1.0, 2.0, 3.0}}}));
  const auto values = uniform.at_midpoints(0.75, 64);
  for (std::size_t k = 0; k < 64; ++k) {
    const double u = 0.75 * (static_cast<double>(k) + 0.5);
    EXPECT_NEAR(values.value[k].real(), std::sin(u) / u, values.error[k]);
    EXPECT_NEAR(values.value[k].imag(), 0.0, values.error[k]);
    EXPECT_LE(values.error[k], 5e-14);
  }
  // A truncation so wide that nothing is cut off.
  const Characteristic parent(Law::lognormal(1.0, 0.4));
  const Characteristic truncated(one({.base = TruncatedLogNormal{1.0, 0.4, 0.0, 60.0}}));
  const auto plain = parent.at_midpoints(0.5, 40);
  const auto cut = truncated.at_midpoints(0.5, 40);
  for (std::size_t k = 0; k < 40; ++k) {
    EXPECT_NEAR(std::abs(plain.value[k] - cut.value[k]), 0.0,
                plain.error[k] + cut.error[k] + 1e-15);
  }
}

TEST(Characteristic, OfAMixtureIsTheMixture) {
  const Law law =
      mixture({.weight = 0.75, .base = Normal{1.0, 0.1}}, {.weight = 0.25, .base = Point{5.0}});
  ASSERT_EQ(law.mean(), 2.0);
  const auto values = Characteristic(law).at_midpoints(1.0, 8);
  for (std::size_t k = 0; k < 8; ++k) {
    const double u = static_cast<double>(k) + 0.5;
    const std::complex<double> expected =
        0.75 * std::exp(std::complex<double>(-0.005 * u * u, -u)) +
        0.25 * std::exp(std::complex<double>(0.0, 3.0 * u));
    EXPECT_NEAR(std::abs(values.value[k] - expected), 0.0, 4e-15);
  }
}

std::vector<Law> all_laws() {
  std::vector<Law> laws;
  for (const Case& c : smooth_cases()) {
    if (c.bend == 0.0) laws.push_back(one(c.component));
  }
  laws.push_back(one({.base = TruncatedNormal{1.0, 0.5, 0.5, 2.5}}));
  laws.push_back(one({.base = TruncatedLogNormal{1.0, 0.5, 0.3, 1.1}, .scale = -1.5}));
  laws.push_back(one({.base = TruncatedLogNormal{1.0, 0.5, 0.3, 1.1}, .relative_noise = 0.02}));
  laws.push_back(one({.base = Empirical{{0.0, 0.1, 0.8, 1.0}, {0.0, 1.0, 1.0, 3.0}}}));
  laws.push_back(mixture({.weight = 0.9, .base = LogNormal{1.0, 0.3}},
                         {.weight = 0.1, .base = LogNormal{4.0, 0.2}}));
  return laws;
}

TEST(Characteristic, EnvelopeLiesAboveEveryHigherFrequency) {
  for (const Law& law : all_laws()) {
    const Characteristic transform(law);
    const double step = 0.1 / law.sd();
    const auto values = transform.at_midpoints(step, 400);
    double largest = 0.0;
    double integral = 0.0;  // of |phi| dv / v above, to the end of the grid
    for (std::size_t k = 400; k-- > 1;) {
      const double u = (static_cast<double>(k) + 0.5) * step;
      const double modulus = std::abs(values.value[k]);
      largest = std::max(largest, modulus - values.error[k]);
      integral += modulus / (static_cast<double>(k) + 0.5);
      if (k % 20 != 0) continue;
      const Envelope::Bound bound = transform.envelope(u);
      EXPECT_LE(largest, std::exp(bound.log_value)) << "u sd " << u * law.sd();
      EXPECT_LE(bound.log_value, 0.0);
      const double tail = std::min(1.0 / bound.slope, bound.tail_integral);
      if (integral > 1e-12) {
        EXPECT_LE(integral, std::exp(bound.log_value) * (tail + 0.06)) << "u sd " << u * law.sd();
      }
    }
  }
}

TEST(Envelope, IsTightForLognormalsWhereSumsNeedIt) {
  // 64 cells: |phi|^64 matters down to 1e-16, which is |phi| = 0.56.
  const Law law = Law::lognormal(1.0, 0.5);
  const Characteristic transform(law);
  const double u = 1.0 / law.sd();
  const auto values = transform.at_midpoints(2.0 * u, 1);
  EXPECT_LE(transform.envelope(u).log_value, 0.8 * std::log(std::abs(values.value[0])));
}

TEST(ExponentialMoment, ClosedForms) {
  EXPECT_NEAR(ExponentialMoment(Law::normal(3.0, 0.5)).log_moment(2.0), 0.5, 1e-12);
  const ExponentialMoment uniform(one({.base = Empirical{{0.0, 1.0}, {-1.0, 1.0}}}));
  EXPECT_NEAR(uniform.log_moment(2.0), std::log(std::sinh(2.0) / 2.0), 3e-3);
  EXPECT_NEAR(uniform.log_moment(-2.0), std::log(std::sinh(2.0) / 2.0), 3e-3);
  EXPECT_EQ(uniform.log_moment(1e4), std::numeric_limits<double>::infinity());
  // exp(theta B (1 + r xi)) has no mean once theta r sd >= 1.
  const ExponentialMoment noisy(one({.base = Normal{1.0, 0.5}, .relative_noise = 0.2}));
  EXPECT_TRUE(std::isfinite(noisy.log_moment(9.9)));
  EXPECT_FALSE(std::isfinite(noisy.log_moment(10.1)));
}

TEST(ExponentialMoment, BoundsTheTailsOfEveryLaw) {
  for (const Law& law : all_laws()) {
    const ExponentialMoment moment(law);
    for (const double theta : {-20.0, -5.0, -1.0, 0.1, 1.0, 5.0, 20.0}) {
      const double scaled = theta / law.sd();
      const double log_moment = moment.log_moment(scaled);
      for (const double z : {1.0, 3.0, 6.0, 12.0}) {
        const Tail side = theta > 0.0 ? Tail::upper : Tail::lower;
        const double x = law.mean() + (theta > 0.0 ? z : -z) * law.sd();
        const double bound =
            std::exp(log_moment - std::abs(theta) * z) + moment.discarded() + 1e-300;
        EXPECT_LE(law.tail_probability(side, x), bound * (1.0 + 1e-9)) << theta << " " << z;
      }
    }
  }
}

}  // namespace
}  // namespace cimstat::core
