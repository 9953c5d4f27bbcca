#pragma once

#include <complex>
#include <vector>

#include "core/law/law.h"

namespace cimstat::core {

struct ContourNode {
  std::complex<double> value;   ///< of X, off the real axis where exp(iuX) decays
  std::complex<double> weight;  ///< they add up to 1
};

/// E exp(iuX) is the sum of weight * exp(iu value), for a truncated base without relative noise and
/// every u >= 0. The path runs in the plane of the parent's standard normal variable z: from one
/// end straight up to Im z = `height` (at most; less where the range is narrow), across, and down
/// to the other end. Legs are divided ever more finely towards the ends, where all that is left at
/// high frequencies comes from; that serves u up to about 1e6 / sd.
std::vector<ContourNode> truncated_contour(const Component& component, double height);

}  // namespace cimstat::core
