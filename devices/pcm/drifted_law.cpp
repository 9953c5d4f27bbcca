#include "devices/pcm/drifted_law.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

#include "devices/calibrated_curve.h"
#include "devices/pcm/drifted_quantile.h"
#include "devices/pcm/pcm_statistics.h"

namespace cimstat::devices {

namespace {

using core::Tail;

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Slices of the noise, in scores of the frozen conductance.
constexpr double last_slice = 4.0;
constexpr double slice_width = 1.0;
/// Less than this is no component of its own.
constexpr double negligible = 1e-17;

bool is_drifting(const DriftedNormal& cell) { return cell.logarithm > 0.0 && cell.drift_sd > 0.0; }

double fixed_factor(const DriftedNormal& cell) {
  return std::exp(-cell.logarithm * std::abs(cell.drift_mean));
}

/// A normal law as a curve: one straight piece.
core::QuantileCurve straight_curve(double mean, double sd) {
  return {-1.0, 2.0, {mean - sd, mean + sd}, {sd, sd}};
}

/// The law of S where it is positive.
core::QuantileCurve positive_part(const DriftedNormal& cell) {
  const double zero = -cell.mean / cell.sd;  // score of S = 0
  if (!is_drifting(cell)) {
    const double factor = fixed_factor(cell);
    return core::restricted(straight_curve(factor * cell.mean, factor * cell.sd), zero, infinity);
  }
  const DriftedQuantile quantile(cell);
  core::QuantileCurve curve = core::curve_of_scores([&](double z) { return quantile(z); });
  curve =
      core::restricted(std::move(curve), std::max(zero, core::curve_score(curve, 0.0)), infinity);
  const double positive = 1.0 - cell.atom();
  const double mean = cell.mean_of_all() / positive;
  return calibrated(std::move(curve), mean, cell.variance() / positive - cell.atom() * mean * mean);
}

void add_atom(const DriftedNormal& cell, std::vector<core::Component>& components) {
  const double atom = cell.atom();
  if (atom > negligible) components.push_back({.weight = atom, .base = core::Point{0.0}});
}

/// The components' weights sum to 1 up to rounding and what is negligible.
core::Law law_of(std::vector<core::Component> components) {
  double total = 0.0;
  for (const core::Component& component : components) total += component.weight;
  for (core::Component& component : components) component.weight /= total;
  return core::Law(std::move(components));
}

/// Values of X > 0 with their probabilities, such that sums over them are right to rounding for
/// functions that bend at `corners`.
std::vector<core::Node> programmed_nodes(const DriftedNormal& cell,
                                         const std::vector<double>& corners) {
  constexpr double reach = 10.0;
  constexpr double widest = 1.0;
  const double from = std::max(-reach, -cell.mean / cell.sd);
  std::vector<double> ends{from, reach};
  const auto add = [&](double score) {
    if (score > from && score < reach) ends.push_back(score);
  };
  for (double score = -reach; score < reach; score += widest) add(score);
  for (const double corner : corners) add((corner - cell.mean) / cell.sd);
  // Powers of X bend ever faster towards X = 0.
  for (double x = cell.sd; x > 1e-9 * cell.sd; x *= 0.5) add((x - cell.mean) / cell.sd);
  std::sort(ends.begin(), ends.end());
  std::vector<core::Node> result;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const double half = 0.5 * (ends[i] - ends[i - 1]);
    if (half <= 0.0) continue;
    for (const core::Node& node : core::gauss_legendre_16()) {
      const double score = ends[i - 1] + half * (1.0 + node.value);
      result.push_back(
          {cell.mean + cell.sd * score, half * node.weight * core::normal_density(score)});
    }
  }
  return result;
}

/// E[S^2 r(X)^2; S <= most].
class NoiseMoments {
 public:
  NoiseMoments(const DriftedNormal& cell, const std::function<double(double)>& relative_noise,
               const std::vector<double>& corners)
      : cell_(cell), nodes_(programmed_nodes(cell, corners)) {
    for (core::Node& node : nodes_) {
      const double noise = node.value * relative_noise(node.value);
      node.weight *= noise * noise;
    }
  }

  double below(double most) const {
    double sum = 0.0;
    for (const core::Node& node : nodes_) sum += node.weight * drift_moment_below(node.value, most);
    return sum;
  }

 private:
  /// E[exp(-2 logarithm nu); x exp(-logarithm nu) <= most].
  double drift_moment_below(double x, double most) const {
    const double all = drift_moment(cell_.drift_mean, cell_.drift_sd, 2.0 * cell_.logarithm);
    if (most == infinity) return all;
    if (!is_drifting(cell_)) return x * fixed_factor(cell_) <= most ? all : 0.0;
    const double least_exponent = std::log(x / most) / cell_.logarithm;
    return all -
           drift_moment(cell_.drift_mean, cell_.drift_sd, 2.0 * cell_.logarithm, least_exponent);
  }

  DriftedNormal cell_;
  std::vector<core::Node> nodes_;  ///< weight: probability times x^2 r(x)^2
};

}  // namespace

double DriftedNormal::atom() const { return core::normal_tail(Tail::lower, -mean / sd); }

double DriftedNormal::programmed_mean() const {
  return mean * core::normal_tail(Tail::lower, mean / sd) + sd * core::normal_density(mean / sd);
}

double DriftedNormal::programmed_variance() const {
  // Around the target, where it is nearly sd^2.
  const double a = mean / sd;
  const double below = core::normal_tail(Tail::upper, a);
  const double edge = core::normal_density(a);
  const double shift = sd * (edge - a * below);
  return sd * sd * (core::normal_tail(Tail::lower, a) - a * edge) + mean * mean * below -
         shift * shift;
}

double DriftedNormal::mean_of_all() const {
  return programmed_mean() * drift_moment(drift_mean, drift_sd, logarithm);
}

double DriftedNormal::variance() const {
  return programmed_variance() * drift_moment(drift_mean, drift_sd, 2.0 * logarithm) +
         programmed_mean() * programmed_mean() *
             drift_covariance(drift_mean, drift_sd, logarithm, logarithm);
}

core::Law frozen_law(const DriftedNormal& cell) {
  std::vector<core::Component> components;
  add_atom(cell, components);
  components.push_back({.weight = 1.0 - cell.atom(), .base = positive_part(cell)});
  return law_of(std::move(components));
}

core::Law noisy_law(const DriftedNormal& cell, const std::function<double(double)>& relative_noise,
                    const std::vector<double>& corners) {
  const core::QuantileCurve curve = positive_part(cell);
  std::vector<double> scores{curve.low};
  for (double score = -last_slice; score <= last_slice; score += slice_width) {
    if (score > curve.low + 0.5 * slice_width) scores.push_back(score);
  }
  scores.push_back(infinity);
  const NoiseMoments moments(cell, relative_noise, corners);
  std::vector<core::Component> components;
  add_atom(cell, components);
  double below = 0.0;
  for (std::size_t i = 1; i < scores.size(); ++i) {
    core::Component slice{.base = core::restricted(curve, scores[i - 1], scores[i])};
    const core::Law quiet({slice});
    const double end = scores[i] == infinity ? infinity : core::curve_value(curve, scores[i]);
    const double next = moments.below(end);
    slice.weight = core::curve_mass(std::get<core::QuantileCurve>(slice.base));
    const double square = quiet.variance() + quiet.mean() * quiet.mean();
    slice.relative_noise = std::sqrt((next - below) / (slice.weight * square));
    below = next;
    components.push_back(std::move(slice));
  }
  return law_of(std::move(components));
}

double noise_variance(const DriftedNormal& cell,
                      const std::function<double(double)>& relative_noise,
                      const std::vector<double>& corners) {
  return NoiseMoments(cell, relative_noise, corners).below(infinity);
}

}  // namespace cimstat::devices
