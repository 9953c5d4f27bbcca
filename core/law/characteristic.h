#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "core/law/envelope.h"
#include "core/law/law.h"

namespace cimstat::core {

/// The characteristic function of X - mean, X ~ law, along the curve i u - bend u^2, u > 0: what
/// the distribution of a sum of independent parts is made from. bend = 0 is the usual one; bend > 0
/// carries a Gaussian noise whose variance is linear in X.
///
/// Normal shapes: closed form, with relative noise E exp(aB + bB^2) =
/// (1 - 2 b s^2)^(-1/2) exp((a m + b m^2 + a^2 s^2 / 2) / (1 - 2 b s^2)). Lognormal shapes, and
/// normal ones behind a series resistance: trapezoid over the underlying normal variable on a line
/// shifted by eta into the half plane where exp(iuX) decays; step d gives an error below
/// (1 + exp(2 eta^2)) exp(-2 pi eta / d) at every u. Truncated shapes: Gauss-Legendre
/// panels on a path off the real axis (core/law/contour.h). Measured shapes: closed form. With
/// noise or a bend, measured ones behind a series resistance, and quantile curves: Gauss-Legendre
/// panels, as many as the frequency asks for, up to `highest()`; those of curves turned from one
/// frequency to the next (core/law/wave_sums.h).
class Characteristic {
 public:
  explicit Characteristic(const Law& law, double bend = 0.0);
  ~Characteristic();
  Characteristic(Characteristic&&) noexcept;

  struct Values {
    std::vector<std::complex<double>> value;
    std::vector<double> error;  ///< bounds on the absolute error, rounding included
  };
  /// At u = (k + 1/2) step, k = 0 .. count - 1. Each value depends on step and k alone. With
  /// `tilt`: E exp((tilt + iu) (X - mean)), where can_tilt(tilt).
  Values at_midpoints(double step, std::size_t count, double tilt = 0.0) const;
  /// Whether E exp(tilt X) exists and the nodes serve it. A lognormal's noise may not be able to
  /// change its sign within them; what lies beyond them (1e-19) counts as not being there.
  bool can_tilt(double tilt) const;

  /// Bounds on |E exp(ivX)| (with bend: on |E exp((iv - bend v^2) X)|) for every v >= u. With
  /// bend > 0 it is 1 for what may be negative.
  Envelope::Bound envelope(double u) const;
  /// Frequencies beyond it would ask for too many nodes; infinite where none does.
  double highest() const;
  /// Whether X >= 0 always, and without relative noise.
  bool nonnegative() const;

 private:
  struct Node {
    std::complex<double> value;  ///< of X, off the real axis where that makes the wave decay
    std::complex<double> weight;
    double weight_modulus = 0.0;
    double weight_error = 0.0;  ///< absolute, rounding
  };
  struct Piece;
  static std::vector<Node> nodes(const Piece& piece, double largest);
  double mean_ = 0.0;
  double bend_ = 0.0;
  std::vector<Piece> pieces_;
};

}  // namespace cimstat::core
