#pragma once

#include <functional>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

namespace cimstat::core {

/// An expensive quantile function, replaced by Chebyshev interpolants in z, P(X <= x) = Phi(z),
/// |z| <= 6.5 (tail probabilities down to 4e-11). Pieces are halved until they agree with the
/// function between their nodes; where that never happens (leaps, corners) and further out the
/// function itself is asked.
class QuantileInterpolant {
 public:
  using QuantileFunction = std::function<double(Tail side, double probability)>;

  /// `probability_error`: how wrong tail probabilities behind `quantile` may be; interpolants need
  /// not be better than what that makes of x. Beyond it they keep 1e-12 of a standard deviation.
  /// With more than one thread `quantile` is called from several at once.
  QuantileInterpolant(QuantileFunction quantile, double probability_error, Threads threads = {1});
  double operator()(Tail side, double probability) const;

 private:
  struct Piece {
    double low = 0.0;  ///< z
    double high = 0.0;
    std::vector<double> coefficient;  ///< of Chebyshev polynomials; empty: ask the function
  };
  double direct(double z) const;
  /// Gives the piece its coefficients. Whether it agrees with the function between its nodes.
  bool fit(Piece& piece) const;

  QuantileFunction quantile_;
  double probability_error_;
  std::vector<Piece> pieces_;  ///< ascending in z
};

}  // namespace cimstat::core
