#pragma once

#include <vector>

#include "core/law/law.h"

namespace cimstat::circuits {

/// A law as a function of a standard normal variable: X(z) with P(X <= X(z)) = Phi(z), ascending.
/// Between the points of a grid it is a cubic, right to 1e-6 of X's distance from its mean; where
/// the law has corners or leaps, and more than 12 sd out, the law itself is asked.
class CellCurve {
 public:
  explicit CellCurve(core::Law law);
  double value(double z) const;
  double slope(double z) const;               ///< dX/dz, for searches
  double relative_curvature(double z) const;  ///< X'' / X'

 private:
  struct Piece {
    double c0, c1, c2, c3;  ///< in t = 0 .. 1 between two grid points; c0 is NaN: ask the law
  };
  double direct(double z) const;

  core::Law law_;
  std::vector<Piece> pieces_;
};

}  // namespace cimstat::circuits
