#pragma once

#include <vector>

#include "circuits/rare/limit_state.h"

/// Static noise margins that are linear in the thresholds.
namespace cimstat::circuits {

/// SNM = min(m0 + a . dV, m0 + b . dV), b = a with the halves of the cell exchanged: each lobe of
/// the butterfly curve has its own margin. Both lobes fail equally often, so that an estimator that
/// looks at one of them reports half of the truth with a small error.
struct NoiseMargin {
  double nominal = 0.0;       ///< m0 [V]
  std::vector<double> slope;  ///< a, of one half's thresholds, then the other's [V/V]; even, not 0
  double threshold_sd = 0.0;  ///< of each device against its nominal value [V]

  double distance() const;     ///< beta: of either lobe from the origin, in standard deviations
  double correlation() const;  ///< rho, of the two lobes' margins

  /// In as many standard normals as there are slopes; margins in V.
  LimitState limit() const;
  /// 2 Q(beta) - P(X > beta, Y > beta), X and Y standard normals of correlation rho. To 1e-13.
  double failure_probability() const;
};

/// P(X > beta, Y > beta), correlation rho, by Plackett's integral (Biometrika 41, 351 (1954)):
/// Q(beta)^2 + 1 / (2 pi) int_0^asin(rho) exp(-beta^2 / (1 + sin t)) dt. Right to 1e-14 of Q(beta).
double both_above(double beta, double correlation);

}  // namespace cimstat::circuits
