#pragma once

#include <cstdint>
#include <span>

#include "core/statistics/statistics.h"

/// What an ordered sample says of quantiles, without any assumption on the law.
namespace cimstat::core {

/// Ranks (from 1) of order statistics: X_(lower) .. X_(upper). 0 and n + 1 stand for the ends of
/// the support: the sample is too small to tell.
struct Ranks {
  std::uint64_t lower = 0;
  std::uint64_t upper = 0;
};

/// The narrowest X_(l) .. X_(u) that covers the quantile at `level` of any law with at least
/// `confidence`, with at most half of the rest on each side: for n independent draws the number
/// below the quantile is Binomial(n, level).
Ranks quantile_ranks(std::uint64_t n, double level, double confidence);

/// The values at those ranks; `sorted` is ascending and not empty.
Interval quantile_interval(std::span<const double> sorted, double level, double confidence,
                           Interval support);

/// The same for draws of which `effective` (at most as many as there are) are worth independent
/// ones: levels from Clopper-Pearson limits at that sample size (Korn and Graubard, 1998).
Interval quantile_interval(std::span<const double> sorted, double level, double confidence,
                           Interval support, double effective);

/// P(Binomial(n, p) <= k).
double binomial_at_most(std::uint64_t k, std::uint64_t n, double p);

}  // namespace cimstat::core
