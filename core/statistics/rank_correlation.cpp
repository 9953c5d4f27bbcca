#include "core/statistics/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/law/shape.h"

namespace cimstat::core {

namespace {

/// From 1; equal values share their mean rank.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    const double rank = 0.5 * static_cast<double>(first + 1 + end);
    for (; first < end; ++first) ranks[order[first]] = rank;
  }
  return ranks;
}

double pearson(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean = 0.5 * static_cast<double>(x.size() + 1);  // of any ranks
  double xx = 0.0;
  double yy = 0.0;
  double xy = 0.0;
  for (std::size_t index = 0; index < x.size(); ++index) {
    xx += (x[index] - mean) * (x[index] - mean);
    yy += (y[index] - mean) * (y[index] - mean);
    xy += (x[index] - mean) * (y[index] - mean);
  }
  if (xx == 0.0 || yy == 0.0) return std::numeric_limits<double>::quiet_NaN();
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

Interval interval_of(double correlation, std::size_t pairs, double confidence) {
  constexpr std::size_t least_pairs = 5;
  if (pairs < least_pairs || std::isnan(correlation)) return {-1.0, 1.0};
  // At -1 or 1 Fisher's z is infinite, and would claim to know it exactly.
  const double most = 1.0 - 1.0 / static_cast<double>(pairs);
  const double inner = std::clamp(correlation, -most, most);
  const double error = std::sqrt((1.0 + 0.5 * inner * inner) / static_cast<double>(pairs - 3));
  const double reach = normal_quantile(Tail::upper, 0.5 * (1.0 - confidence)) * error;
  const Interval interval{std::tanh(std::atanh(inner) - reach),
                          std::tanh(std::atanh(inner) + reach)};
  return {std::min(interval.lower, correlation), std::max(interval.upper, correlation)};
}

}  // namespace

RankCorrelation rank_correlation(std::span<const double> x, std::span<const double> y,
                                 double confidence) {
  constexpr std::size_t least_pairs = 3;
  std::vector<double> known_x;
  std::vector<double> known_y;
  for (std::size_t index = 0; index < x.size(); ++index) {
    if (std::isnan(x[index]) || std::isnan(y[index])) continue;
    known_x.push_back(x[index]);
    known_y.push_back(y[index]);
  }
  RankCorrelation result;
  result.pairs = known_x.size();
  result.value = result.pairs < least_pairs ? std::numeric_limits<double>::quiet_NaN()
                                            : pearson(ranks_of(known_x), ranks_of(known_y));
  result.interval = interval_of(result.value, result.pairs, confidence);
  return result;
}

}  // namespace cimstat::core
