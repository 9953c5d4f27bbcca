#include "core/statistics/batch_rule.h"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>

namespace cimstat::core {

double relative_half_width(std::span<const WeightedSums> batches, double confidence) {
  Moments means;
  for (const WeightedSums& batch : batches) {
    if (batch.n != batches.front().n) throw std::invalid_argument("batches of different sizes");
    means.add(batch.mean());
  }
  if (batches.size() < 2 || !(means.mean() > 0.0)) return std::numeric_limits<double>::infinity();
  const double t = student_t(confidence, static_cast<double>(batches.size() - 1));
  return t * means.standard_error() / means.mean();
}

std::optional<std::string> shortfall(std::span<const WeightedSums> batches, const BatchRule& rule) {
  if (batches.size() < rule.batches) {
    return fmt::format("{} batches, fewer than {}", batches.size(), rule.batches);
  }
  std::array<WeightedSums, 2> halves;
  for (std::size_t i = 0; i < batches.size(); ++i) halves[i % 2] += batches[i];
  // The other doubts of an estimate are no matter of how long it is sampled.
  const TrustLimits floors{.hits = rule.hits,
                           .effective_samples = rule.effective_samples,
                           .largest_share = 1.0,
                           .skewness_of_mean = std::numeric_limits<double>::infinity(),
                           .halves_apart = rule.halves_apart};
  if (auto reason = doubt(halves[0], halves[1], floors)) return reason;
  const double half_width = relative_half_width(batches, rule.confidence);
  if (half_width > rule.relative_error) {
    return fmt::format("known to {:.2g} % at {:g} %, not to {:g} %", 100.0 * half_width,
                       100.0 * rule.confidence, 100.0 * rule.relative_error);
  }
  return std::nullopt;
}

}  // namespace cimstat::core
