#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <optional>

#include "core/law/law.h"

/// Curves of conductances that no shape is exactly, with moments that are known better.
namespace cimstat::devices {

/// A curve made to have this mean and variance, by B -> B (1 + a + b B), which keeps 0 where it is:
/// cubics lack some 1e-11 of them.
core::QuantileCurve calibrated(core::QuantileCurve curve, double mean, double variance);

/// A cubic at x through the two known points on either side of it, where there are two each.
template <class Known, class Value>
std::optional<double> cubic_between(const std::map<double, Known>& known, double x,
                                    const Value& value) {
  auto point = known.upper_bound(x);
  if (point == known.end() || std::next(point) == known.end()) return std::nullopt;
  for (int back = 0; back < 2; ++back) {
    if (point == known.begin()) return std::nullopt;
    --point;
  }
  std::array<double, 4> at{};
  std::array<double, 4> y{};
  for (std::size_t i = 0; i < 4; ++i, ++point) {
    at[i] = point->first;
    y[i] = value(point->second);
  }
  for (std::size_t width = 1; width < 4; ++width) {  // Neville's scheme
    for (std::size_t i = 0; i + width < 4; ++i) {
      y[i] = ((x - at[i + width]) * y[i] + (at[i] - x) * y[i + 1]) / (at[i] - at[i + width]);
    }
  }
  return y[0];
}

/// The first score at which a conductance g is reached, given the second one; increasing in g, not
/// decreasing in the second.
using FirstScore = std::function<double(double g, double second_score)>;

/// The law of G(Z_1, Z_2), two independent standard normal scores, G increasing in the first.
/// `mean` and `sd` are about those of G; `step` is that of the second score, over which it is
/// averaged: well below what moves the first score by 1.
core::QuantileCurve curve_of_two_scores(const FirstScore& first_score, double mean, double sd,
                                        double step);

}  // namespace cimstat::devices
