#include "circuits/rare/limit_state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/shape.h"

#include "circuits/rare/log_tail.h"

namespace cimstat::circuits {

namespace {

constexpr double defensive_share = 0.05;
// Without noise to integrate, weights vary within the failure region anyway: inflate little.
constexpr double widest_sd_of_steps = 1.12;
constexpr double widest_sd = 1.35;
constexpr double bearable_steps = 6.0;
constexpr double bearable = 4.0;

/// Equal normals around points, and the standard one.
class PointMixture {
 public:
  PointMixture(std::span<const DesignPoint> points, std::size_t dimension, double sd)
      : points_(points), dimension_(dimension), sd_(sd) {}

  void draw(core::TrialRandom& random, std::span<double> z) const {
    const double fraction = (uniform(random) - defensive_share) / (1.0 - defensive_share);
    fill_normal(random, z);
    if (fraction < 0.0 || points_.empty()) return;
    const auto chosen =
        std::min(static_cast<std::size_t>(fraction * double(points_.size())), points_.size() - 1);
    for (std::size_t i = 0; i < z.size(); ++i) z[i] = points_[chosen].z[i] + sd_ * z[i];
  }

  /// ln of the density at z over the standard normal one.
  double log_ratio(std::span<const double> z) const {
    if (points_.empty()) return 0.0;
    const double squared = std::inner_product(z.begin(), z.end(), z.begin(), 0.0);
    const double precision = 1.0 / (sd_ * sd_);
    const double common =
        0.5 * (1.0 - precision) * squared - static_cast<double>(dimension_) * std::log(sd_);
    thread_local std::vector<double> logs;
    logs.clear();
    for (const DesignPoint& point : points_) {
      const double along = std::inner_product(z.begin(), z.end(), point.z.begin(), 0.0);
      logs.push_back(common + precision * (along - 0.5 * point.distance * point.distance));
    }
    const double largest = std::max(0.0, *std::max_element(logs.begin(), logs.end()));
    const double share = (1.0 - defensive_share) / static_cast<double>(points_.size());
    double sum = defensive_share * std::exp(-largest);
    for (const double value : logs) sum += share * std::exp(value - largest);
    return largest + std::log(sum);
  }

 private:
  std::span<const DesignPoint> points_;
  std::size_t dimension_;
  double sd_;
};

}  // namespace

double LimitState::log_probability(double margin_at_z) const {
  if (noise_sd > 0.0) return log_normal_tail(margin_at_z / noise_sd);
  return margin_at_z <= 0.0 ? 0.0 : -std::numeric_limits<double>::infinity();
}

RareEstimate sample_around(const LimitState& limit, std::span<const DesignPoint> points,
                           std::span<const DesignPoint> known, const RareOptions& options,
                           core::Threads threads, const core::Progress& progress) {
  const double sd = limit.noise_sd > 0.0
                        ? inflated_sd(widest_sd, bearable, limit.dimension)
                        : inflated_sd(widest_sd_of_steps, bearable_steps, limit.dimension);
  const PointMixture mixture(points, limit.dimension, sd);
  const auto contributions = [&](std::uint64_t first, std::span<double> contribution) {
    std::vector<double> z(limit.dimension);
    for (std::size_t i = 0; i < contribution.size(); ++i) {
      core::TrialRandom random(options.key, core::Domain::rare_event, first + i);
      mixture.draw(random, z);
      const double log_probability = limit.log_probability(limit.margin(z));
      contribution[i] =
          std::isinf(log_probability) ? 0.0 : std::exp(log_probability - mixture.log_ratio(z));
    }
  };
  RareEstimate estimate;
  estimate.halves = weighted_sums(options.samples, contributions, threads, progress);
  for (const DesignPoint& point : known) {
    const double near = core::normal_tail(core::Tail::upper, point.distance);
    estimate.modes.push_back(
        {.distance = point.distance,
         .log_height = point.log_height,
         .visits = double(options.samples) * near * std::exp(mixture.log_ratio(point.z)),
         .place = fmt::format("design point {}", &point - known.data() + 1)});
  }
  judge(estimate);
  if (known.empty()) estimate.refusal = "no design point was found";
  return estimate;
}

RareEstimate failure_probability(const LimitState& limit, const RareOptions& options,
                                 core::Threads threads, const core::Progress& progress) {
  const std::vector<DesignPoint> points = find_design_points(limit, options.key, threads);
  return sample_around(limit, points, points, options, threads, progress);
}

}  // namespace cimstat::circuits
