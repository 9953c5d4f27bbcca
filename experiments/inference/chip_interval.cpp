#include "experiments/inference/chip_interval.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/statistics/chi_square_quantile.h"

namespace cimstat::experiments {
namespace {

core::Moments moments_of(std::span<const double> values) {
  core::Moments moments;
  for (const double value : values) moments.add(value);
  return moments;
}

double power_sum(std::span<const double> values, double center, int power) {
  double sum = 0.0;
  for (const double value : values) sum += std::pow(value - center, power);
  return sum;
}

/// The w with w + g w^2 / 3 + g^2 w^3 / 27 + g / (6 n) = t / sqrt(n).
double without_skewness(double t, double skewness, double count) {
  const double y = t / std::sqrt(count);
  if (std::abs(skewness) < 1e-9) return y;
  return 3.0 / skewness * (std::cbrt(1.0 + skewness * (y - skewness / (6.0 * count))) - 1.0);
}

core::Interval wider(core::Interval one, core::Interval other) {
  return {std::min(one.lower, other.lower), std::max(one.upper, other.upper)};
}

/// Of the values without a share of the outermost ones on each side, which falls with their number.
double trimmed_mean(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  const auto left_out = std::min(static_cast<std::size_t>(count / (2.0 * std::sqrt(count - 4.0))),
                                 (sorted.size() - 1) / 2);
  const auto first = sorted.begin() + static_cast<std::ptrdiff_t>(left_out);
  const auto last = sorted.end() - static_cast<std::ptrdiff_t>(left_out);
  return std::accumulate(first, last, 0.0) / static_cast<double>(last - first);
}

}  // namespace

core::Interval mean_of_chips(std::span<const double> values, double confidence) {
  assert(values.size() > 1);
  const core::Moments moments = moments_of(values);
  const auto count = static_cast<double>(values.size());
  const double t = core::student_t(confidence, count - 1.0);
  const double half = t * moments.standard_error();
  const core::Interval plain{moments.mean() - half, moments.mean() + half};
  if (values.size() < 3) return plain;
  const double sd = std::sqrt(moments.variance());
  const double skewness =
      count * power_sum(values, moments.mean(), 3) / ((count - 1.0) * (count - 2.0) * sd * sd * sd);
  return wider(plain, {moments.mean() - sd * without_skewness(t, skewness, count),
                       moments.mean() - sd * without_skewness(-t, skewness, count)});
}

core::Interval spread_of_chips(std::span<const double> values, double confidence) {
  assert(values.size() > 1);
  const double variance = moments_of(values).variance();
  const auto count = static_cast<double>(values.size());
  const double degrees = count - 1.0;
  const double outside = 0.5 * (1.0 - confidence);
  const core::Interval normal{
      std::sqrt(variance * degrees / core::chi_square_quantile(outside, degrees)),
      std::sqrt(variance * degrees / core::chi_square_quantile(1.0 - outside, degrees))};
  const double z = core::normal_z(confidence);
  if (values.size() < 5 || count <= z || variance == 0.0) return normal;
  const double kurtosis = power_sum(values, trimmed_mean(values), 4) * count /
                          (degrees * degrees * variance * variance);
  const double error = std::sqrt(std::max(kurtosis - (count - 3.0) / count, 0.0) / degrees);
  const double scale = count / (count - z);
  return wider(normal, {std::sqrt(scale * variance * std::exp(-scale * z * error)),
                        std::sqrt(scale * variance * std::exp(scale * z * error))});
}

}  // namespace cimstat::experiments
