#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "core/law/shape.h"

namespace cimstat::core {

/// E exp((tilt + iu) (X (1 + r xi) - mean)) of X on real nodes, at many equally spaced u.
struct WaveSums {
  std::vector<Node> nodes;  ///< X; the weights add up to 1
  double mean = 0.0;
  double tilt = 0.0;
  double relative_noise = 0.0;  ///< r

  struct Values {
    std::vector<std::complex<double>> value;
    std::vector<double> error;  ///< bounds on what rounding does
  };
  /// At (first + k + 1/2) step, k = 0 .. count - 1. Sines, cosines and exponentials are computed
  /// for every eighth frequency from `first` on; the others follow by multiplication.
  Values at_midpoints(double step, std::size_t first, std::size_t count) const;
};

}  // namespace cimstat::core
