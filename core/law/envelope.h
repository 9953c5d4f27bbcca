#pragma once

#include <limits>
#include <vector>

#include "core/law/law.h"

namespace cimstat::core {

/// A decreasing bound on the modulus of one component's characteristic function.
///
/// Normal: the modulus itself. Lognormal, and normal behind a series resistance: on the line Im z =
/// eta, |E exp(iuX)| <= exp(eta^2 / 2) E exp(-u Im g(z + i eta)), the smallest over some eta.
/// Truncated and measured: total variation of the density over u; truncated also the moduli along a
/// path off the real axis (core/law/contour.h); with noise also E exp(-(u r X)^2 / 2). Quantile
/// curves: as truncated ones, on a path off the real axis over each piece of the curve
/// (core/law/curve_contour.h).
class Envelope {
 public:
  explicit Envelope(const Component& component);

  struct Bound {
    /// ln of the bound at u, which holds for every v >= u; at most 0.
    double log_value = 0.0;
    /// A number a >= 0 with bound(v) <= bound(u) (u / v)^a for every v >= u: minus the slope at u,
    /// where the bound is log-concave in ln u; else 0. That of a lognormal is: a convolution of
    /// log-concave functions (Prekopa).
    double slope = 0.0;
    /// A bound on the integral of bound(v) / bound(u) dv / v over v >= u; may be infinite.
    double tail_integral = std::numeric_limits<double>::infinity();
  };
  Bound operator()(double u) const;

 private:
  /// Bound: sum of weight * exp(-u rate - u^2 square), + first / u + second / u^2 + third / u^3.
  struct Line {
    std::vector<double> weight;
    std::vector<double> rate;
    std::vector<double> square;
    double first = 0.0;
    double second = 0.0;
    double third = 0.0;
  };
  Bound normal_bound(double u) const;
  Bound line_bound(const std::vector<Line>& lines, double u) const;
  Bound bare_bound(double u) const;
  Bound variation_bound(double u) const;
  Bound blurred(const Bound& bare) const;
  Bound variation_or_line_bound(double u) const;

  double gaussian_ = 0.0;  ///< closed form: (sd^2 + r^2 mean^2) of X
  double spread_ = 0.0;    ///< r^2 sd^2
  std::vector<Line> lines_;
  std::vector<Line> bare_lines_;  ///< without the noise, where `lines_` has it
  bool concave_ = true;           ///< the bound is log-concave in ln u
  double variation_ = -1.0;       ///< bound variation / u + atoms, where not negative
  double atoms_ = 0.0;
  double noise_ = 0.0;  ///< relative noise that the rest leaves out
};

}  // namespace cimstat::core
