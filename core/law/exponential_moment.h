#pragma once

#include <vector>

#include "core/law/law.h"

namespace cimstat::core {

/// Exponential moments of X - mean with the remotest values left out, for bounds on the tails of
/// sums: P(sum of m > x) <= m discarded + exp(-theta x) E[exp(theta X); kept]^m (Chernoff; where
/// the law has no moments of its own, Fuk and Nagaev, Theory Probab. Appl. 16, 1971).
class ExponentialMoment {
 public:
  explicit ExponentialMoment(const Law& law);
  /// ln E[exp(theta (X - mean)); kept], theta of either sign; never too small; infinity where
  /// there is none or the quadrature can't tell.
  double log_moment(double theta) const;
  /// P(not kept); below 1e-18.
  double discarded() const { return discarded_; }

 private:
  struct Piece {
    double weight = 0.0;
    double normal_mean = 0.0;  ///< closed form where `value` is empty
    double normal_sd = 0.0;
    double relative_noise = 0.0;
    std::vector<double> value;  ///< 16 nodes a panel
    std::vector<double> node_weight;
  };
  double mean_ = 0.0;
  double discarded_ = 0.0;
  std::vector<Piece> pieces_;
};

}  // namespace cimstat::core
