#include "core/statistics/weighted_estimate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace cimstat::core {

void WeightedSums::add(double w) {
  ++n;
  if (w > 0.0) ++hits;
  sum += w;
  sum_of_squares += w * w;
  sum_of_cubes += w * w * w;
  largest = std::max(largest, w);
}

WeightedSums& WeightedSums::operator+=(const WeightedSums& other) {
  n += other.n;
  hits += other.hits;
  sum += other.sum;
  sum_of_squares += other.sum_of_squares;
  sum_of_cubes += other.sum_of_cubes;
  largest = std::max(largest, other.largest);
  return *this;
}

double WeightedSums::mean() const { return n == 0 ? 0.0 : sum / static_cast<double>(n); }

double WeightedSums::standard_error() const {
  if (n < 2) return 0.0;
  const double samples = static_cast<double>(n);
  // Equal weights leave nothing but rounding, which may be negative.
  const double spread = std::max(sum_of_squares - sum * mean(), 0.0);
  return std::sqrt(spread / (samples * (samples - 1.0)));
}

double WeightedSums::relative_error() const { return sum > 0.0 ? standard_error() / mean() : 0.0; }

double WeightedSums::effective_samples() const {
  return sum_of_squares > 0.0 ? sum * sum / sum_of_squares : 0.0;
}

double WeightedSums::largest_share() const { return sum > 0.0 ? largest / sum : 0.0; }

double WeightedSums::skewness_of_mean() const {
  const double error = standard_error();
  if (!(error > 0.0) || relative_error() < 1e-7) return 0.0;
  const double samples = static_cast<double>(n);
  const double m = mean();
  const double third =
      sum_of_cubes / samples - 3.0 * m * sum_of_squares / samples + 2.0 * m * m * m;
  return third / (samples * samples * error * error * error);
}

Interval log_normal_interval(const WeightedSums& sums, double confidence) {
  const double reach = std::exp(normal_z(confidence) * sums.relative_error());
  return {sums.mean() / reach, std::min(sums.mean() * reach, 1.0)};
}

std::optional<std::string> doubt(const WeightedSums& sums, const TrustLimits& limits) {
  if (!std::isfinite(sums.sum_of_squares) || !std::isfinite(sums.sum_of_cubes)) {
    return "a weight is not finite";
  }
  if (sums.hits < limits.hits) {
    return fmt::format("{} hits, fewer than {}", sums.hits, limits.hits);
  }
  if (sums.effective_samples() < limits.effective_samples) {
    return fmt::format("effective sample size {:.3g}, below {:g}", sums.effective_samples(),
                       limits.effective_samples);
  }
  if (sums.largest_share() > limits.largest_share) {
    return fmt::format("one sample carries {:.3g} % of the sum, more than {:g} %",
                       100.0 * sums.largest_share(), 100.0 * limits.largest_share);
  }
  if (sums.skewness_of_mean() > limits.skewness_of_mean) {
    return fmt::format("the mean has skewness {:.3g}, above {:g}", sums.skewness_of_mean(),
                       limits.skewness_of_mean);
  }
  return std::nullopt;
}

std::optional<std::string> doubt(const WeightedSums& first, const WeightedSums& second,
                                 const TrustLimits& limits) {
  WeightedSums all = first;
  all += second;
  if (auto reason = doubt(all, limits)) return reason;
  if (first.n == 0 || second.n == 0) return std::nullopt;
  const double apart = std::abs(first.mean() - second.mean());
  const double error = std::hypot(first.standard_error(), second.standard_error());
  if (apart > limits.halves_apart * error && apart > 1e-12 * all.mean()) {
    return fmt::format("two halves differ by {:.2g} standard errors, more than {:g}", apart / error,
                       limits.halves_apart);
  }
  return std::nullopt;
}

}  // namespace cimstat::core
