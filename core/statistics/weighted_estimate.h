#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/statistics/statistics.h"

/// Means of weighted samples: an importance sampler's estimate of a probability, and whether it may
/// be believed.
namespace cimstat::core {

/// Sums over n samples of w, the contribution of one (likelihood ratio times probability or
/// indicator of the event); their mean estimates the probability. Plain data that is stored, merged
/// and given intervals later. Merge in a fixed order where bytes matter.
struct WeightedSums {
  std::uint64_t n = 0;
  std::uint64_t hits = 0;  ///< samples with w > 0
  double sum = 0.0;
  double sum_of_squares = 0.0;
  double sum_of_cubes = 0.0;
  double largest = 0.0;

  void add(double w);  ///< w >= 0
  WeightedSums& operator+=(const WeightedSums& other);

  double mean() const;
  double standard_error() const;  ///< of the mean, from the sample; 0 for fewer than two samples
  double relative_error() const;  ///< standard_error() / mean(); 0 where the mean is 0
  /// (sum w)^2 / sum w^2: how many equal weights would be worth as much.
  double effective_samples() const;
  double largest_share() const;  ///< of one sample in the sum, 0 .. 1
  /// Skewness of the mean: beyond about 0.5 no interval that rests on the central limit theorem
  /// holds.
  double skewness_of_mean() const;
};

/// exp(ln p +- z standard_error / p): the probability can't be negative, and its estimate is nearer
/// to lognormal than to normal. The point 0 where nothing was hit.
Interval log_normal_interval(const WeightedSums& sums, double confidence);

/// Below or beyond these an estimate is no number to be shown.
struct TrustLimits {
  std::uint64_t hits = 200;
  double effective_samples = 100.0;
  double largest_share = 0.05;
  double skewness_of_mean = 0.5;
  double halves_apart = 4.0;  ///< standard errors between two independent halves
};

/// Why the sums can't be trusted, in words; nothing where they can.
std::optional<std::string> doubt(const WeightedSums& sums, const TrustLimits& limits = {});
/// The same for two independent halves of one run: their total, and whether they agree.
std::optional<std::string> doubt(const WeightedSums& first, const WeightedSums& second,
                                 const TrustLimits& limits = {});

}  // namespace cimstat::core
