#pragma once

namespace cimstat::circuits {

/// What is added to the sum: a normal of variance `gaussian_variance` + 2 `bend` S given the sum S,
/// and a logistic of scale `logistic_scale` (sd = scale pi / sqrt(3)).
struct SumNoise {
  double gaussian_variance = 0.0;
  double bend = 0.0;  ///< >= 0
  double logistic_scale = 0.0;
  /// What reads the sum may smooth it further, as a normal of this variance would. It is not part
  /// of the series, but lets it end earlier.
  double smoothing_variance = 0.0;
  double smoothing_width = 0.0;  ///< the series keeps its period this much longer for it
};

}  // namespace cimstat::circuits
