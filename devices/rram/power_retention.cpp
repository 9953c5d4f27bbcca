#include "devices/rram/power_retention.h"

#include <algorithm>
#include <cmath>

namespace cimstat::devices {

std::vector<Drifted> PowerRetention::drifted(double conductance, LevelSpan span,
                                             double time) const {
  if (exponent == 0.0 || !(time > start) || !(conductance > 0.0)) return {{}};
  const double power = std::pow(time / start, exponent);
  const auto factor = [&](double moved) {
    return std::clamp(moved, span.lowest, span.highest) / conductance;
  };
  const double up = factor(conductance * power);
  const double down = factor(conductance / power);
  if (target) {
    const double end = span.lowest + *target * (span.highest - span.lowest);
    return {{1.0, end > conductance ? up : end < conductance ? down : 1.0}};
  }
  constexpr double third = 1.0 / 3.0;
  std::vector<Drifted> result{{third, 1.0}};
  for (const double moved : {down, up}) {
    if (moved == 1.0) {
      result.front().probability += third;  // it is at its end already
    } else {
      result.push_back({third, moved});
    }
  }
  return result;
}

}  // namespace cimstat::devices
