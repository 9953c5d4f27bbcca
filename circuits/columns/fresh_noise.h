#pragma once

#include "circuits/column.h"

/// Noise of one read, given all that is frozen.
namespace cimstat::circuits {

/// A normal part (read noise of the cells, Gaussian sense noise) and an independent logistic one.
struct FreshNoise {
  double normal_variance = 0.0;
  double logistic_variance = 0.0;

  /// P(noise > distance); of no noise at all, 1 where distance < 0. Absolute error below 1e-15; the
  /// far tail keeps its relative accuracy where one of the parts is absent.
  double tail(double distance) const;
};

/// P(Binomial(reads, p) > reads / 2), `reads` odd: that most of so many reads agree on an event of
/// probability p. Relative accuracy is kept for small p.
double majority(unsigned reads, double p);

}  // namespace cimstat::circuits
