#pragma once

#include <cstddef>
#include <span>

#include "core/statistics/statistics.h"

/// How far one quantity rises or falls with another, whatever the shape of the dependence.
namespace cimstat::core {

struct RankCorrelation {
  double value = 0.0;  ///< Spearman's; not a number: nothing is known
  Interval interval = {-1, 1};
  std::size_t pairs = 0;  ///< in which both are numbers
};

/// Spearman's rank correlation: Pearson's of the ranks, those that are equal sharing their mean
/// rank. The interval is Fisher's z with the standard error sqrt((1 + r^2 / 2) / (n - 3)) of Bonett
/// and Wright (Psychometrika 65, 2000, 23), for independent pairs; -1 .. 1 for fewer than five
/// pairs. Nothing is known of fewer than three pairs or where all ranks of one side are equal.
/// Infinite values rank as such. x and y are of one length.
RankCorrelation rank_correlation(std::span<const double> x, std::span<const double> y,
                                 double confidence);

}  // namespace cimstat::core
