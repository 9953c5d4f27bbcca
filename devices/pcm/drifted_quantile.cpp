#include "devices/pcm/drifted_quantile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/law/shape.h"

#include "devices/calibrated_curve.h"
#include "devices/pcm/pcm_statistics.h"

namespace cimstat::devices {

namespace {

using core::Tail;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double reach = 10.5;  // of the exponent's score

}  // namespace

DriftedQuantile::DriftedQuantile(const DriftedNormal& cell) : cell_(cell) {
  // How far the exponent's score moves while S crosses one sd of the programming.
  const double width = cell.sd / std::max(cell.mean, cell.sd) / (cell.logarithm * cell.drift_sd);
  is_narrow_ = width < 0.3;
  panel_width_ = is_narrow_ ? 1.5 : std::min(1.5, 2.0 * width);
  if (!is_narrow_) {
    const std::vector<double> ends = panel_ends(0.0);
    for (std::size_t i = 1; i < ends.size(); ++i) {
      const double half = 0.5 * (ends[i] - ends[i - 1]);
      for (const core::Node& node : core::gauss_legendre_16()) {
        const double xi = ends[i - 1] + half * (1.0 + node.value);
        const double exponent = std::abs(cell.drift_mean + cell.drift_sd * xi);
        growths_.push_back(
            {std::exp(cell.logarithm * exponent), half * node.weight * core::normal_density(xi)});
      }
    }
  }
  const double drift = drift_moment(cell.drift_mean, cell.drift_sd, cell.logarithm);
  const double square = drift_moment(cell.drift_mean, cell.drift_sd, 2.0 * cell.logarithm);
  const double mean = cell.mean * drift;
  const double spread =
      std::sqrt((cell.mean * cell.mean + cell.sd * cell.sd) * square - mean * mean);
  const Score score = score_of(mean, false);
  known_[score.value] = {mean, std::min(1.0 / score.slope, 3.0 * spread)};
}

/// Where the exponent's law is cut into panels: at its fold, and, where programming is narrow,
/// where the cells decide that are just this s.
std::vector<double> DriftedQuantile::panel_ends(double s) const {
  std::vector<double> ends;
  for (double xi = -reach; xi <= reach; xi += panel_width_) ends.push_back(xi);
  const auto add = [&](double xi) {
    if (std::abs(xi) < reach) ends.push_back(xi);
  };
  add(-cell_.drift_mean / cell_.drift_sd);
  if (is_narrow_ && s != 0.0) {
    for (const double c : {-9.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 9.0}) {
      const double ratio = (cell_.mean + c * cell_.sd) / s;
      if (ratio <= 1.0) continue;
      const double exponent = std::log(ratio) / cell_.logarithm;
      add((exponent - cell_.drift_mean) / cell_.drift_sd);
      add((-exponent - cell_.drift_mean) / cell_.drift_sd);
    }
  }
  std::sort(ends.begin(), ends.end());
  return ends;
}

DriftedQuantile::Score DriftedQuantile::score_of(double s, bool upper) const {
  double tail = 0.0;
  double density = 0.0;
  constexpr double certain = 13.0;  // 6e-39 lie beyond
  const Tail side = upper ? Tail::upper : Tail::lower;
  const auto add = [&](double factor, double weight) {
    const double score = (s * factor - cell_.mean) / cell_.sd;
    if (std::abs(score) > certain) {
      if ((score < 0.0) == upper) tail += weight;
      return;
    }
    tail += weight * core::normal_tail(side, score);
    density += weight * core::normal_density(score) * factor;
  };
  if (is_narrow_) {
    const std::vector<double> ends = panel_ends(s);
    for (std::size_t i = 1; i < ends.size(); ++i) {
      const double half = 0.5 * (ends[i] - ends[i - 1]);
      for (const core::Node& node : core::gauss_legendre_16()) {
        const double xi = ends[i - 1] + half * (1.0 + node.value);
        const double exponent = std::abs(cell_.drift_mean + cell_.drift_sd * xi);
        add(std::exp(cell_.logarithm * exponent), half * node.weight * core::normal_density(xi));
      }
    }
  } else {
    for (const Growth& growth : growths_) add(growth.factor, growth.weight);
  }
  const double value = core::normal_quantile(side, std::clamp(tail, 1e-300, 1.0 - 1e-16));
  return {value, density / cell_.sd / core::normal_density(value)};
}

double DriftedQuantile::operator()(double score) const {
  constexpr double stride = 1.0;
  for (;;) {
    // From the nearest known score, in strides that Newton's method surely takes.
    auto near = known_.lower_bound(score);
    if (near == known_.end() ||
        (near != known_.begin() && score - std::prev(near)->first < near->first - score)) {
      --near;
    }
    const double distance = score - near->first;
    if (distance == 0.0) return near->second.s;
    const double goal = near->first + std::clamp(distance, -stride, stride);
    double low = distance > 0.0 ? near->second.s : -infinity;
    double high = distance > 0.0 ? infinity : near->second.s;
    double s = near->second.s + near->second.slope * (goal - near->first);
    double slope = near->second.slope;
    if (const auto start =
            cubic_between(known_, goal, [](const Known& known) { return known.s; })) {
      if (*start > low && *start < high) s = *start;
    }
    for (int i = 0; i < 100; ++i) {
      const Score reached = score_of(s, goal > 0.0);
      (reached.value < goal ? low : high) = s;
      const double miss = goal - reached.value;
      const double better = s + miss / reached.slope;
      if (better > low && better < high) {
        slope = 1.0 / reached.slope;
        s = better;
        // Convergence is quadratic: what is left now is rounding.
        if (std::abs(miss) <= 1e-8) break;
      } else {
        if (std::abs(miss) <= 1e-8 || !std::isfinite(high - low)) break;
        s = 0.5 * (low + high);
      }
    }
    known_[goal] = {s, slope};
    if (goal == score) return s;
  }
}

}  // namespace cimstat::devices
