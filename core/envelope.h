#pragma once

#include <vector>

#include "core/law.h"

namespace cimstat::core {

/// A decreasing bound on the modulus of one component's characteristic function.
///
/// Normal: the modulus itself. Lognormal: on the line Im z = eta, |E exp(iuX)| <=
/// exp(eta^2 / 2) E exp(-u Im g(z + i eta)), the smallest over some eta; being a convolution of
/// log-concave functions it is log-concave in ln u (Prekopa), and so is the smallest of several.
/// Truncated and empirical: total variation of the density over u.
class Envelope {
 public:
  explicit Envelope(const Component& component);
  /// ln of the bound at u; it holds for every v >= u. At most 0.
  double log_bound(double u) const;
  /// How much the bound falls at least from any v >= u to ratio * v (natural log, <= 0).
  double log_decay(double u, double ratio) const;

 private:
  struct Line {  ///< bound: sum of weight * exp(-u rate - u^2 square)
    std::vector<double> weight;
    std::vector<double> rate;
    std::vector<double> square;
  };
  double unperturbed(double u) const;
  double lines_bound(double u) const;

  double gaussian_ = 0.0;  ///< closed form: (sd^2 + r^2 mean^2) of X
  double spread_ = 0.0;    ///< r^2 sd^2
  std::vector<Line> lines_;
  bool concave_ = true;      ///< the bound is log-concave in ln u
  double variation_ = -1.0;  ///< bound variation / u + atoms, where not negative
  double atoms_ = 0.0;
  double noise_ = 0.0;  ///< relative noise that the rest leaves out
};

}  // namespace cimstat::core
