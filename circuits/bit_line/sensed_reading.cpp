#include "circuits/bit_line/sensed_reading.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/law/component.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"

namespace cimstat::circuits {

namespace {

/// Nodes to the smaller of the spreads of reading and noise: trapezoidal sums of smooth densities
/// are good to 1e-12 from 2 on.
constexpr double nodes_per_sd = 4.0;
constexpr std::size_t most_cells = std::size_t{1} << 15;

bool has_atom_beside_others(const core::Law& law) {
  return !law.as_normal() &&
         std::any_of(law.components().begin(), law.components().end(),
                     [](const core::Component& component) { return bool(core::atom(component)); });
}

}  // namespace

std::optional<std::string> reading_obstacle(const ColumnDesign& design) {
  if (std::holds_alternative<WireResistance>(design.bit_line)) {
    return "the current of a resistive bit line depends on where its cells are";
  }
  const SenseAmplifier& sense = design.sense;
  if (sense.noise_sd > 0.0 && std::isfinite(sense.noise_knee)) {
    return fmt::format("the noise follows what a bit line ({}) delivers", name_of(design.bit_line));
  }
  const AddedNoise noise = added_noise(design, {});
  if (noise.logistic_scale > 0.0 && noise.gaussian_sd > 0.0) {
    return fmt::format("logistic noise and a normal offset or noise behind a bit line ({})",
                       name_of(design.bit_line));
  }
  const std::vector<core::Law> laws = laws_of(design);
  if (curve_of(design.bit_line)) {
    if (std::any_of(laws.begin(), laws.end(), has_atom_beside_others)) {
      return "noise behind the curve of a bit line, and a cell that is an atom at times (stuck)";
    }
    return current_obstacle(sum_alone(design));
  }
  if (std::holds_alternative<ChargeSharing>(design.bit_line)) {
    for (const core::Law& law : laws) {
      if (!law.as_normal()) return "capacitances that are not normal";
    }
  }
  return std::nullopt;
}

SensedReading::SensedReading(const NoiselessReading& reading, const AddedNoise& noise)
    : noise_(noise) {
  std::vector<double> weight{1.0};
  reading_ = {reading.delivered(reading.mean)};
  double mass = 1.0;
  if (reading.sd > 0.0) {
    const double span = reading.high - reading.low;
    double fine = reading.sd;
    if (noise.sd() > 0.0) fine = std::min(fine, noise.sd() / reading.slope);
    std::size_t cells = 8;
    while (static_cast<double>(cells) * fine < nodes_per_sd * span && cells < most_cells)
      cells *= 2;
    // Noise that is finer than the finest nodes is next to none.
    if (cells == most_cells && noise.sd() / reading.slope < span / static_cast<double>(cells)) {
      noise_ = {};
    }
    for (;; cells *= 2) {
      reading_.clear();
      weight.clear();
      mass = 0.0;
      for (std::size_t node = 0; node <= cells; ++node) {
        const double x =
            reading.low + span * static_cast<double>(node) / static_cast<double>(cells);
        weight.push_back(std::max(reading.density(x), 0.0) * span / static_cast<double>(cells));
        reading_.push_back(reading.delivered(x));
        mass += weight.back();
      }
      constexpr double whole = 1e-10;
      if (std::abs(mass - 1.0) <= whole + reading.error || cells >= most_cells) break;
    }
  }
  for (double& one : weight) one /= mass;
  weight_ = std::move(weight);
  for (std::size_t i = 0; i < weight_.size(); ++i) mean_ += weight_[i] * reading_[i];
  double variance = noise.sd() * noise.sd();
  for (std::size_t i = 0; i < weight_.size(); ++i) {
    variance += weight_[i] * (reading_[i] - mean_) * (reading_[i] - mean_);
  }
  sd_ = std::sqrt(variance);
  below_.assign(weight_.size() + 1, 0.0);
  above_.assign(weight_.size() + 1, 0.0);
  for (std::size_t i = 0; i < weight_.size(); ++i) below_[i + 1] = below_[i] + weight_[i];
  for (std::size_t i = weight_.size(); i-- > 0;) above_[i] = above_[i + 1] + weight_[i];
}

std::pair<std::size_t, std::size_t> SensedReading::near(double x) const {
  const double reach = noise_.reach();
  const auto first = std::lower_bound(reading_.begin(), reading_.end(), x - reach);
  const auto end = std::upper_bound(first, reading_.end(), x + reach);
  return {static_cast<std::size_t>(first - reading_.begin()),
          static_cast<std::size_t>(end - reading_.begin())};
}

double SensedReading::tail_probability(core::Tail side, double x) const {
  if (closed_) return closed_->tail(side, x);
  const auto [first, end] = near(x);
  double tail = side == core::Tail::lower ? below_[first] : above_[end];
  for (std::size_t i = first; i < end; ++i) {
    if (noise_.sd() > 0.0) {
      tail += weight_[i] * noise_.tail(side, x - reading_[i]);
    } else if ((side == core::Tail::lower) == (reading_[i] <= x)) {
      tail += weight_[i];
    }
  }
  return tail;
}

double SensedReading::density(double x) const {
  if (closed_) return closed_->density(x);
  if (!(noise_.sd() > 0.0)) return 0.0;
  const auto [first, end] = near(x);
  double density = 0.0;
  for (std::size_t i = first; i < end; ++i) {
    density += weight_[i] * noise_.density(x - reading_[i]);
  }
  return density;
}

double SensedReading::quantile(core::Tail side, double probability) const {
  if (!(sd_ > 0.0)) return mean_;
  const double low = closed_ ? closed_->low : reading_.front() - noise_.reach();
  const double high = closed_ ? closed_->high : reading_.back() + noise_.reach();
  const double sign = side == core::Tail::lower ? 1.0 : -1.0;
  const auto excess = [&](double x) { return sign * (tail_probability(side, x) - probability); };
  const double at_low = excess(low);
  const double at_high = excess(high);
  if (at_low >= 0.0) return low;
  if (at_high <= 0.0) return high;
  std::uintmax_t iterations = 100;
  const auto bracket =
      boost::math::tools::toms748_solve(excess, low, high, at_low, at_high,
                                        boost::math::tools::eps_tolerance<double>(48), iterations);
  return 0.5 * (bracket.first + bracket.second);
}

std::vector<SensedReading> sensed_readings(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads) {
  if (const auto obstacle = reading_obstacle(design)) {
    throw ExactObstacle(*obstacle, "leave out [bit_line]");
  }
  const auto curve = curve_of(design.bit_line);
  std::vector<SensedCurrent> sums;
  if (curve) sums = sensed_currents(sum_alone(design), classes, options, threads);
  std::vector<std::optional<SensedReading>> made(classes.size());
  core::for_each_block(classes.size(), threads, [&](std::size_t i, std::size_t) {
    const AddedNoise noise = added_noise(design, classes[i]);
    if (curve) {
      const auto sum = std::make_shared<const SensedCurrent>(std::move(sums[i]));
      const NoiselessReading reading = reading_of(*curve, *sum);
      SensedReading& one = made[i].emplace(SensedReading(reading, noise));
      if (one.noise_.sd() > 0.0 || reading.sd == 0.0) return;
      one.closed_ = SensedReading::ClosedForm{
          .tail =
              [curve, sum](core::Tail side, double x) {
                const double at = curve->inverse(x);
                if (std::isinf(at)) return side == core::Tail::lower ? 1.0 : 0.0;
                return sum->tail_probability(side, at);
              },
          .density =
              [curve, sum](double x) {
                const double at = curve->inverse(x);
                const double slope = std::isinf(at) ? 0.0 : curve->slope(at);
                return slope > 0.0 ? sum->density(at) / slope : 0.0;
              },
          .low = (*curve)(reading.low),
          .high = (*curve)(reading.high)};
    } else if (const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line)) {
      const Divider divider(design, classes[i]);
      const NoiselessReading reading = reading_of(design, divider);
      SensedReading& one = made[i].emplace(SensedReading(reading, noise));
      if (one.noise_.sd() > 0.0 || reading.sd == 0.0) return;
      const double gain = 1.0 + sharing->injected_fraction;
      const double step = reading.delivered(0.0);
      one.closed_ = SensedReading::ClosedForm{
          .tail = [divider, gain, step](
                      core::Tail side,
                      double x) { return normal_tail(side, divider.score((x - step) / gain)); },
          .density = [density = reading.density, gain,
                      step](double x) { return density((x - step) / gain) / gain; },
          .low = reading.delivered(reading.low),
          .high = reading.delivered(reading.high)};
    } else {
      NoiselessReading reading;
      reading.mean = mean_reading(design, classes[i]);
      reading.delivered = [](double x) { return x; };
      made[i].emplace(SensedReading(reading, noise));
    }
  });
  std::vector<SensedReading> readings;
  for (std::optional<SensedReading>& one : made) readings.push_back(std::move(*one));
  return readings;
}

double first_order_sd(const ColumnDesign& design, ColumnClass column_class) {
  const SenseAmplifier& sense = design.sense;
  double cells = current_variance(design, column_class);
  if (const auto curve = curve_of(design.bit_line)) {
    cells *= std::pow(curve->slope(mean_current(design, column_class)), 2);
  } else if (const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line)) {
    cells = std::pow(
        (1.0 + sharing->injected_fraction) * Divider(design, column_class).first_order_sd(), 2);
  } else if (std::holds_alternative<AsimNoise>(design.bit_line)) {
    cells = 0.0;
  } else if (!is_ideal(design.bit_line)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double level = 1.0 + mean_reading(design, column_class) / sense.noise_knee;
  const double own = line_noise_sd(design, column_class);
  return std::sqrt(cells + sense.offset_sd * sense.offset_sd +
                   sense.noise_sd * sense.noise_sd * std::max(level, 0.0) + own * own);
}

}  // namespace cimstat::circuits
