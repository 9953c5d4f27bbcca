#include "devices/calibrated_curve.h"

#include <cmath>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "core/law/quantile_curve.h"

namespace cimstat::devices {
namespace {

/// exp(narrow Z_1 + wide Z_2) is lognormal. The second score moves the first one by 20: most of its
/// nodes decide nothing, and must not be asked.
TEST(CurveOfTwoScores, AsksFewNodesAndFindsEachValueInOneOrTwoSteps) {
  constexpr double narrow = 0.01;
  constexpr double wide = 0.2;
  constexpr double step = 0.25 * narrow / wide;
  constexpr double nodes = 20.0 / step;
  const double sigma = std::hypot(narrow, wide);
  double asked = 0.0;
  const core::QuantileCurve curve = curve_of_two_scores(
      [&](double g, double second) {
        asked += 1.0;
        return g > 0.0 ? (std::log(g) + wide * second) / narrow : -60.0;
      },
      std::exp(0.5 * sigma * sigma), sigma, step);
  for (double z = -7.0; z <= 7.0; z += 0.25) {
    EXPECT_NEAR(std::log(core::curve_value(curve, z)), sigma * z, 1e-10) << z;
  }
  const auto values = static_cast<double>(curve.value.size());
  RecordProperty("nodes_for_each_value", std::to_string(asked / values));
  EXPECT_LT(asked, 0.6 * nodes * values);
}

TEST(CubicBetween, IsTheCubicThroughFourPoints) {
  const auto cubic = [](double x) { return 1.0 + x * (2.0 + x * (-3.0 + 0.5 * x)); };
  std::map<double, double> known;
  const auto value = [](double y) { return y; };
  for (const double x : {-1.0, 0.0, 0.5, 2.0, 3.0}) {
    EXPECT_FALSE(known.size() < 4 && cubic_between(known, 0.25, value));
    known[x] = cubic(x);
  }
  EXPECT_NEAR(cubic_between(known, 0.25, value).value(), cubic(0.25), 1e-14);
  EXPECT_NEAR(cubic_between(known, 1.9, value).value(), cubic(1.9), 1e-14);
  for (const double outside : {-2.0, -0.5, 2.5, 4.0}) {
    EXPECT_FALSE(cubic_between(known, outside, value)) << outside;
  }
}

}  // namespace
}  // namespace cimstat::devices
