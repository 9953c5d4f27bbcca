#include "core/law/noisy_mixture.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/law/quantile_curve.h"
#include "core/law/quantile_table.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Tail sides[] = {Tail::lower, Tail::upper};

struct Case {
  std::string name;
  Law law;
};

QuantileCurve lognormal_curve(double median, double sigma) {
  return curve_of_scores([=](double z) { return median * std::exp(sigma * z); });
}

/// The positive half of a normal law, below it an atom at 0.
std::vector<Component> half_normal(double noise, double scale) {
  const QuantileCurve curve = curve_of_scores([](double z) { return 0.3 * z; });
  return {{.weight = 0.5, .base = Point{0.0}, .scale = scale},
          {.weight = 0.341344746068542948,
           .base = restricted(curve, 0.0, 1.0),
           .relative_noise = noise,
           .scale = scale},
          {.weight = 0.158655253931457052,
           .base = restricted(curve, 1.0, infinity),
           .relative_noise = 0.5 * noise,
           .scale = scale}};
}

/// Two slices, as devices whose noise depends on their state have.
std::vector<Component> slices(double noise, double compression = 0.0, double scale = 1.0) {
  const QuantileCurve curve = lognormal_curve(1.0, 0.2);
  return {{.weight = 0.5,
           .base = restricted(curve, -infinity, 0.0),
           .compression = compression,
           .relative_noise = noise,
           .scale = scale},
          {.weight = 0.5,
           .base = restricted(curve, 0.0, infinity),
           .compression = compression,
           .relative_noise = 0.7 * noise,
           .scale = scale}};
}

std::vector<Case> cases() {
  std::vector<Component> mixed = slices(0.1);
  for (Component& c : mixed) c.weight *= 0.5;
  mixed.push_back({.weight = 0.25, .base = Normal{1.5, 0.1}});
  mixed.push_back({.weight = 0.125, .base = Point{2.0}, .relative_noise = 0.05});
  mixed.push_back({.weight = 0.125, .base = Point{-0.5}});
  return {{"slices", Law(slices(0.04))},
          {"wide slices", Law(slices(0.4))},
          {"narrow noise", Law(slices(1e-3))},
          {"behind a transistor", Law(slices(0.1, 0.3, 0.2))},
          {"subtracted", Law(slices(0.1, 0.0, -0.2))},
          {"half an atom", Law(half_normal(0.2, 1.0))},
          {"half an atom, noise as large as the value", Law(half_normal(0.8, 1.0))},
          {"half an atom, subtracted", Law(half_normal(0.2, -3.0))},
          {"mixed", Law(std::move(mixed))}};
}

TEST(NoisyMixture, TailsAreThoseOfTheLaw) {
  for (const Case& one : cases()) {
    const auto mixture = NoisyMixture::of(one.law);
    ASSERT_TRUE(mixture) << one.name;
    for (const double z : {-6.0, -3.0, -1.5, -0.4, 0.0, 0.3, 1.0, 2.0, 4.0, 7.0}) {
      const double x = one.law.mean() + z * one.law.sd();
      for (const Tail side : sides) {
        const double exact = one.law.tail_probability(side, x);
        if (exact < 0x1p-34) continue;
        EXPECT_NEAR(mixture->tail_probability(side, x) / exact, 1.0, 1e-9) << one.name << " " << z;
      }
    }
  }
}

/// Below or at it lies at least p, below it at most p.
TEST(NoisyMixture, QuantilesAreRightTo6Point3Sigma) {
  for (const Case& one : cases()) {
    const auto mixture = NoisyMixture::of(one.law);
    for (double p = 0x1p-33; p <= 0.5; p *= 16.0) {
      for (const Tail side : sides) {
        const double x = mixture->quantile(side, p);
        const double step = 1e-12 * one.law.sd();
        const double outward = side == Tail::lower ? -step : step;
        EXPECT_LE(one.law.tail_probability(side, x + outward), p * (1.0 + 1e-8)) << one.name;
        EXPECT_GE(one.law.tail_probability(side, x - outward), p * (1.0 - 1e-8)) << one.name;
      }
    }
  }
}

TEST(NoisyMixture, IsForMixturesOfNoisyCurvesOnly) {
  EXPECT_FALSE(NoisyMixture::of(Law::lognormal(1.0, 0.1)));
  EXPECT_FALSE(NoisyMixture::of(Law({{.base = LogNormal{1.0, 0.1}, .relative_noise = 0.1}})));
  EXPECT_FALSE(NoisyMixture::of(Law({{.base = lognormal_curve(1.0, 0.1), .relative_noise = 0.1}})));
  EXPECT_FALSE(NoisyMixture::of(Law(slices(0.0))));
  EXPECT_FALSE(NoisyMixture::of(Law(slices(1e-5))));  // too many nodes
  std::vector<Component> other = slices(0.1);
  other.back().base = LogNormal{1.0, 0.1};
  EXPECT_FALSE(NoisyMixture::of(Law(std::move(other))));
}

TEST(NoisyMixture, TablesOfHalfAnAtomAreCutNoFinerThanFloatsCanTell) {
  const Law law(half_normal(0.8, 1.0));
  const auto mixture = NoisyMixture::of(law);
  std::size_t calls = 0;
  const QuantileTable table(
      [&](Tail side, double p) {
        ++calls;
        return mixture->quantile(side, p);
      },
      law.sd(), law.mean());
  EXPECT_LT(calls, 10'000u);
  const double zero = -law.mean() / law.sd();
  EXPECT_NEAR(table(0x40000000U), zero, 1e-6);  // p = 1/4, in the atom
  for (const std::uint32_t word : {1000U, 5'000'000U, 0xf0000000U, 0xfffff000U}) {
    const bool is_upper = word >= 0x80000000U;
    const double rank = is_upper ? 0x1p32 - double(word) : double(word) + 1.0;
    const double x =
        mixture->quantile(is_upper ? Tail::upper : Tail::lower, (rank - 0.5) * 0x1p-32);
    EXPECT_NEAR(table(word), (x - law.mean()) / law.sd(), 1e-3) << word;
  }
}

}  // namespace
}  // namespace cimstat::core
