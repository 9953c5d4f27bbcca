#pragma once

#include <optional>
#include <vector>

#include "core/law/law.h"

namespace cimstat::core {

/// What bounds |E exp(iuX)| for a component on a quantile curve, without relative noise, at every
/// u > 0: sum of weight * exp(-u rate), + ends / u + joints_second / u^2 +
/// joints_third / u^3.
///
/// The path goes up at the left end of each piece of the curve, across at Im z = height, where the
/// wave decays, and down at its right end. Where two pieces meet, the way down and the way up
/// nearly cancel, because the curve and its slope are continuous there: what is left is the
/// integral of the difference of two waves, at most u |difference of the exponents|, of second
/// and third order in Im z. At the ends of the law nothing cancels.
struct CurveContour {
  std::vector<double> weight;
  std::vector<double> rate;
  double ends = 0.0;
  double joints_second = 0.0;
  double joints_third = 0.0;
};

/// Nothing where the wave would grow somewhere on the path.
std::optional<CurveContour> curve_contour(const Component& component, double height);

}  // namespace cimstat::core
