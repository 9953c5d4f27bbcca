#pragma once

#include <limits>
#include <optional>

#include "circuits/bit_line/bit_line.h"

namespace cimstat::circuits {

enum class CurveShape {
  linear,       ///< gain S
  exponential,  ///< gain knee (1 - exp(-S / knee))
  rational,     ///< gain S / (1 + max(S, 0) / knee)
};

/// What a line delivers that depends on the sum S of its cells alone: rising, and at most `most`.
struct LineCurve {
  CurveShape shape = CurveShape::linear;
  double gain = 1.0;                                      ///< slope at S = 0
  double knee = std::numeric_limits<double>::infinity();  ///< [A]
  double most = std::numeric_limits<double>::infinity();

  double operator()(double sum) const;
  /// The least sum that delivers at least this; infinite where none does.
  double inverse(double delivered) const;
  double slope(double sum) const;
};

/// That of a discharge or a compression; nothing for lines that are more than a curve.
std::optional<LineCurve> curve_of(const BitLine& line);

}  // namespace cimstat::circuits
