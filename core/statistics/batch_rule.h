#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/statistics/weighted_estimate.h"

/// How long to sample with weights. Weights have no bound that could be relied on, so nothing is
/// guaranteed: the interval of the batch means holds asymptotically (Chow and Robbins, Ann. Math.
/// Statist. 36, 1965, 457), and floors keep the rule from stopping before that means anything.
namespace cimstat::core {

struct BatchRule {
  double relative_error = 0.1;  ///< wanted: half the interval over the estimate
  double confidence = 0.95;
  std::size_t batches = 30;  ///< from here on: at least so many, ...
  std::uint64_t hits = 200;
  double effective_samples = 100.0;
  double halves_apart = 3.0;  ///< standard errors at the most between even and odd batches
};

/// Half the interval of the mean over the mean, from the spread of the batches' means (Student's
/// t); infinite for fewer than two batches or the mean 0. Throws std::invalid_argument for batches
/// of different sizes.
double relative_half_width(std::span<const WeightedSums> batches, double confidence);

/// Why sampling must go on, in words; nothing where the rule is met.
std::optional<std::string> shortfall(std::span<const WeightedSums> batches, const BatchRule& rule);

}  // namespace cimstat::core
