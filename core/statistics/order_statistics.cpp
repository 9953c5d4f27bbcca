#include "core/statistics/order_statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include <boost/math/special_functions/beta.hpp>

namespace cimstat::core {

double binomial_at_most(std::uint64_t k, std::uint64_t n, double p) {
  if (k >= n || p <= 0.0) return 1.0;
  if (p >= 1.0) return 0.0;
  return boost::math::ibetac(static_cast<double>(k) + 1.0, static_cast<double>(n - k), p);
}

Ranks quantile_ranks(std::uint64_t n, double level, double confidence) {
  const double tail = 0.5 * (1.0 - confidence);
  // X_(l) lies above the quantile where fewer than l draws lie below it; X_(u) below it where u or
  // more do.
  Ranks ranks{0, n + 1};
  std::uint64_t high = n;
  while (ranks.lower < high) {  // the largest l with P(B <= l - 1) <= tail
    const std::uint64_t middle = ranks.lower + (high - ranks.lower + 1) / 2;
    if (binomial_at_most(middle - 1, n, level) <= tail) {
      ranks.lower = middle;
    } else {
      high = middle - 1;
    }
  }
  std::uint64_t low = 1;
  while (low < ranks.upper) {  // the smallest u with P(B >= u) <= tail
    const std::uint64_t middle = low + (ranks.upper - low) / 2;
    const double beyond =
        boost::math::ibeta(static_cast<double>(middle), static_cast<double>(n - middle + 1), level);
    if (beyond <= tail) {
      ranks.upper = middle;
    } else {
      low = middle + 1;
    }
  }
  return ranks;
}

Interval quantile_interval(std::span<const double> sorted, double level, double confidence,
                           Interval support) {
  const Ranks ranks = quantile_ranks(sorted.size(), level, confidence);
  Interval interval = support;
  if (ranks.lower > 0) interval.lower = sorted[ranks.lower - 1];
  if (ranks.upper <= sorted.size()) interval.upper = sorted[ranks.upper - 1];
  return interval;
}

Interval quantile_interval(std::span<const double> sorted, double level, double confidence,
                           Interval support, double effective) {
  const auto n = static_cast<double>(sorted.size());
  if (effective >= n) return quantile_interval(sorted, level, confidence, support);
  const double tail = 0.5 * (1.0 - confidence);
  const double below = level * effective;
  const double low = boost::math::ibeta_inv(below, effective - below + 1.0, tail);
  const double high = boost::math::ibetac_inv(below + 1.0, effective - below, tail);
  const double lower_rank = std::floor(low * n);
  const double upper_rank = std::ceil(high * n) + 1.0;
  Interval interval = support;
  if (lower_rank >= 1.0) interval.lower = sorted[static_cast<std::size_t>(lower_rank) - 1];
  if (upper_rank <= n) interval.upper = sorted[static_cast<std::size_t>(upper_rank) - 1];
  return interval;
}

}  // namespace cimstat::core
