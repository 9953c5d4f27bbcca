#include "circuits/rare/limit_state.h"

#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "core/law/shape.h"

#include "circuits/rare/log_tail.h"
#include "circuits/rare/sample_tile.h"

namespace cimstat::circuits {

namespace {

constexpr double widest_sd = 1.35;
// How much inflating may multiply the second moment by. Without noise to integrate, weights vary
// within the failure region anyway.
constexpr double inflation_of_steps = 1.13;
constexpr double inflation_of_noise = 1.6;

double dot(std::span<const double> a, std::span<const double> b) {
  double sums[4] = {0.0, 0.0, 0.0, 0.0};  // one alone would wait for each addition
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += a[i + j] * b[i + j];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Normals around points, and the standard one.
class PointMixture {
 public:
  PointMixture(std::span<const DesignPoint> points, double sd)
      : points_(points),
        sd_(sd),
        shares_(mixture_shares(std::vector<double>(points.size() + 1, 0.0))) {}

  const std::vector<double>& shares() const { return shares_; }
  void set_shares(std::vector<double> shares) { shares_ = std::move(shares); }
  std::size_t size() const { return points_.size(); }

  void draw(const SampleTile& tile, std::size_t sample, std::span<double> z) const {
    tile.copy_normals(sample, z);
    const std::size_t component = picked(shares_, tile.uniform(sample, 0));
    if (component == 0) return;
    const DesignPoint& point = points_[component - 1];
    for (double& value : z) value *= sd_;
    for (const WideDirection& direction : point.wide) {
      const double further = (spread(direction) / sd_ - 1.0) * dot(z, direction.unit);
      for (std::size_t i = 0; i < z.size(); ++i) z[i] += further * direction.unit[i];
    }
    for (std::size_t i = 0; i < z.size(); ++i) z[i] += point.z[i];
  }

  /// ln of each component's density at z over the standard normal one.
  void log_ratios(std::span<const double> z, std::span<double> log_ratio) const {
    const double precision = 1.0 / (sd_ * sd_);
    const double common =
        0.5 * (1.0 - precision) * dot(z, z) - static_cast<double>(z.size()) * std::log(sd_);
    for (std::size_t k = 0; k < points_.size(); ++k) {
      const DesignPoint& point = points_[k];
      log_ratio[k] = common + precision * (dot(z, point.z) - 0.5 * point.distance * point.distance);
      for (const WideDirection& direction : point.wide) {
        const double along = dot(z, direction.unit) - dot(point.z, direction.unit);
        const double wider = spread(direction);
        log_ratio[k] +=
            0.5 * along * along * (precision - 1.0 / (wider * wider)) - std::log(wider / sd_);
      }
    }
  }

 private:
  double spread(const WideDirection& direction) const { return sd_ * direction.sd; }

  std::span<const DesignPoint> points_;
  double sd_;
  std::vector<double> shares_;
};

/// Calls use(i, w) for each sample first + i, its components' log ratios in `ratios`.
template <class Use>
void for_each_sample(const LimitState& limit, const PointMixture& mixture, core::StreamKey key,
                     std::uint64_t first, std::size_t count, std::span<double> ratios, Use&& use) {
  std::vector<double> z(limit.dimension);
  SampleTile tile(key, 0, 1, limit.dimension);
  for (std::size_t i = 0; i < count; ++i) {
    if (i % core::tile_trials == 0) tile.fill(first + i);
    mixture.draw(tile, i % core::tile_trials, z);
    const double log_probability = limit.log_probability(limit.margin(z));
    double w = 0.0;
    if (!std::isinf(log_probability)) {
      mixture.log_ratios(z, ratios);
      w = std::exp(log_probability - log_mixture(mixture.shares(), ratios));
    }
    use(i, w);
  }
}

void set_shares(const LimitState& limit, core::StreamKey key, PointMixture& mixture) {
  std::vector<double> mass(mixture.size() + 1, 0.0);
  std::vector<double> ratios(mixture.size());
  for_each_sample(limit, mixture, key, first_pilot_sample, pilot_samples, ratios,
                  [&](std::size_t, double w) { add_masses(mixture.shares(), ratios, w, mass); });
  mixture.set_shares(mixture_shares(mass));
}

}  // namespace

double LimitState::log_probability(double margin_at_z) const {
  if (noise_sd > 0.0) return log_normal_tail(margin_at_z / noise_sd);
  return margin_at_z <= 0.0 ? 0.0 : -std::numeric_limits<double>::infinity();
}

RareEstimate sample_around(const LimitState& limit, std::span<const DesignPoint> points,
                           std::span<const DesignPoint> known, const RareOptions& options,
                           core::Threads threads, const core::Progress& progress) {
  const double inflation = limit.noise_sd > 0.0 ? inflation_of_noise : inflation_of_steps;
  const double sd = inflated_sd(widest_sd, inflation, limit.dimension);
  PointMixture mixture(points, sd);
  set_shares(limit, options.key, mixture);
  const auto contributions = [&](std::uint64_t first, std::span<double> contribution) {
    std::vector<double> ratios(points.size());
    for_each_sample(limit, mixture, options.key, first, contribution.size(), ratios,
                    [&](std::size_t i, double w) { contribution[i] = w; });
  };
  // What counts is where the components are: in many variables a slightly wider one is thin
  // everywhere, and none the worse for it.
  PointMixture places(points, 1.0);
  places.set_shares(mixture.shares());
  std::vector<double> ratios(points.size());
  RareEstimate estimate = weighted_sums(options, contributions, threads, progress);
  const auto samples = static_cast<double>(estimate.sums().n);
  for (const DesignPoint& point : known) {
    const double near = core::normal_tail(core::Tail::upper, point.distance);
    places.log_ratios(point.z, ratios);
    estimate.modes.push_back(
        {.distance = point.distance,
         .log_height = point.log_height,
         .visits = samples * near * std::exp(log_mixture(places.shares(), ratios)),
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
