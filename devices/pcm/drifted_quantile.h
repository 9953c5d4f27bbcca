#pragma once

#include <map>
#include <vector>

#include "devices/pcm/drifted_law.h"

namespace cimstat::devices {

/// The quantile function of S = X exp(-logarithm |drift_mean + drift_sd xi|) without the clamp, X
/// normal: negative where X is. Needs a spread of X, a spread of the exponent and a drift.
class DriftedQuantile {
 public:
  explicit DriftedQuantile(const DriftedNormal& cell);
  /// The s with P(S <= s) = P(N(0, 1) <= score). Remembers what it was asked, to begin nearby.
  double operator()(double score) const;

 private:
  /// The normal score of P(S <= s), and its derivative by s.
  struct Score {
    double value = 0.0;
    double slope = 0.0;
  };
  Score score_of(double s, bool upper) const;
  std::vector<double> panel_ends(double s) const;

  DriftedNormal cell_;
  bool is_narrow_ = false;    ///< programming spreads far less than drift
  double panel_width_ = 0.0;  ///< of the exponent's score
  struct Growth {
    double factor = 0.0;  ///< exp(logarithm nu)
    double weight = 0.0;
  };
  std::vector<Growth> growths_;  ///< of the exponent's law, where it isn't narrow
  struct Known {
    double s = 0.0;
    double slope = 0.0;  ///< ds / dscore
  };
  mutable std::map<double, Known> known_;
};

}  // namespace cimstat::devices
