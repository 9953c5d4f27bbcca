#include "core/law/quantile_interpolant.h"

#include <cmath>
#include <csignal>
#include <cstdint>

#include <gtest/gtest.h>

#include "core/interrupt.h"
#include "core/law/law.h"
#include "core/law/quantile_table.h"

namespace cimstat::core {
namespace {

TEST(QuantileInterpolant, AgreesWithTheFunctionThatItReplaces) {
  const Law laws[] = {
      Law::normal(3.0, 2.0), Law::lognormal(1.0, 0.9),
      Law({{.base = TruncatedNormal{1.0, 0.5, 0.4, 1.2}}}),
      Law({{.weight = 0.99, .base = Normal{1.0, 0.1}}, {.weight = 0.01, .base = Normal{3.0, 0.1}}}),
      Law({{.weight = 0.99, .base = LogNormal{1.0, 0.3}}, {.weight = 0.01, .base = Point{7.0}}})};
  for (const Law& law : laws) {
    int calls = 0;
    const QuantileInterpolant interpolant(
        [&](Tail side, double p) {
          ++calls;
          return law.quantile(side, p);
        },
        0.0);
    EXPECT_LT(calls, 4000);
    for (const Tail side : {Tail::lower, Tail::upper}) {
      for (double p = 0.5; p > 1e-12; p *= 0.83) {
        const double expected = law.quantile(side, p);
        const double slack =
            std::abs(law.quantile(side, p * (1.0 + 1e-10)) - law.quantile(side, p * (1.0 - 1e-10)));
        EXPECT_NEAR(interpolant(side, p), expected, slack + 1e-12 * law.sd()) << p;
      }
    }
  }
}

TEST(QuantileInterpolant, AsksTheFunctionFewTimesWhereItIsSmooth) {
  int calls = 0;
  const Law law = Law::lognormal(1.0, 0.5);
  const QuantileInterpolant interpolant(
      [&](Tail side, double p) {
        ++calls;
        return law.quantile(side, p);
      },
      0.0);
  const int built = calls;
  EXPECT_LE(built, 400);
  for (double p = 0.5; p > 1e-10; p *= 0.9) interpolant(Tail::upper, p);
  EXPECT_EQ(calls, built);
}

/// Two narrow modes: the quantile function leaps, so that many pieces are needed.
Law two_modes() {
  return Law({{.weight = 0.99, .base = Normal{1.0, 0.1}}, {.weight = 0.01, .base = Point{3.0}}});
}

TEST(QuantileInterpolant, IsTheSameForAnyNumberOfThreads) {
  const Law law = two_modes();
  const auto quantile = [&](Tail side, double p) { return law.quantile(side, p); };
  const QuantileInterpolant one(quantile, 0.0);
  const QuantileInterpolant three(quantile, 0.0, {3});
  for (const Tail side : {Tail::lower, Tail::upper}) {
    for (double p = 0.5; p > 1e-12; p *= 0.97) EXPECT_EQ(one(side, p), three(side, p)) << p;
  }
}

TEST(QuantileTable, IsTheSameForAnyNumberOfThreads) {
  const QuantileTable one(two_modes(), 0.125, 1.0);
  const QuantileTable three(two_modes(), 0.125, 1.0, {3});
  for (std::uint64_t word = 0; word <= 0xFFFFFFFFU; word += 40503) {
    const auto w = static_cast<std::uint32_t>(word);
    ASSERT_EQ(one(w), three(w)) << w;
  }
}

TEST(QuantileTable, StopsBeingMadeWhenTheProgramIsAskedTo) {
  int asked = 0;
  const auto quantile = [&](Tail side, double p) {
    if (++asked == 100) request_stop(SIGTERM);
    return Law::normal(0.0, 1.0).quantile(side, p);
  };
  EXPECT_THROW(QuantileTable(quantile, 1.0), Interrupted);
  forget_stop();
  EXPECT_EQ(asked, 100);
}

}  // namespace
}  // namespace cimstat::core
