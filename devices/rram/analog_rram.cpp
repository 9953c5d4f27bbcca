#include "devices/rram/analog_rram.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

#include "devices/calibrated_curve.h"
#include "devices/rram/current_voltage.h"
#include "devices/rram/relaxation.h"

namespace cimstat::devices {

namespace {

using core::Component;
using core::Shape;

/// Above every conductance.
constexpr double no_limit = 1e3;  // [S]
/// Quantiles by which a law is cut into slices where the read noise depends on the conductance.
constexpr int slices = 8;

double square(double x) { return x * x; }

Shape normal_above_zero(double mean, double sd) {
  if (sd == 0.0) return core::Point{std::max(0.0, mean)};
  if (core::normal_tail(core::Tail::lower, -mean / sd) < 1e-18) return core::Normal{mean, sd};
  return core::ClampedNormal{mean, sd, 0.0, no_limit};
}

struct Part {
  double weight = 1.0;
  Shape shape{};
};

/// max(0, G) of what write-verify delivers.
std::vector<Part> above_zero(const Shape& shape) {
  constexpr double negligible = 1e-17;
  const double atom = core::tail_probability(shape, core::Tail::lower, 0.0);
  Shape positive = shape;
  if (auto* truncated = std::get_if<core::TruncatedNormal>(&positive)) {
    truncated->low = std::max(0.0, truncated->low);
  } else if (auto* curve = std::get_if<core::QuantileCurve>(&positive)) {
    const double zero = core::curve_score(*curve, 0.0);
    positive = core::restricted(*curve, zero, std::numeric_limits<double>::infinity());
  }
  if (!(atom > negligible)) return {{.shape = positive}};
  return {{.weight = atom, .shape = core::Point{0.0}}, {.weight = 1.0 - atom, .shape = positive}};
}

/// G / target = 1 / (1 + spread u), u uniform in -1 .. 1.
Shape uniform_resistance(double target, double spread) {
  const double mean = std::atanh(spread) / spread;
  double variance = 0.0;
  for (const core::Node& node : core::gauss_legendre_16()) {
    variance += 0.5 * node.weight * square(1.0 / (1.0 + spread * node.value) - mean);
  }
  const auto of_score = [=](double z) {
    return target / (1.0 - spread * std::erf(z / std::sqrt(2.0)));
  };
  return calibrated(core::curve_of_scores(of_score, {.continuous = 5.0}), target * mean,
                    square(target) * variance);
}

/// The law as programmed and relaxed [S].
std::vector<Part> relaxed(const AnalogRram& cell, std::uint32_t level) {
  const RramPreset& preset = *cell.preset;
  const double mean = cell.mean(level);
  const double spread = cell.spread(level);
  if (cell.verify) {
    // Programming is that of the loop; the preset says what is added afterwards.
    const double before = cell.spread_at(level, 0.0);
    const double added = preset.clock == RramClock::continuous
                             ? std::sqrt(std::max(0.0, square(spread) - square(before)))
                             : 0.0;
    return above_zero(delivered_law(*cell.verify, mean, added));
  }
  switch (preset.kind) {
    case RramSpread::normal:
      return {{.shape = normal_above_zero(mean, spread)}};
    case RramSpread::lognormal:
      return {{.shape = core::LogNormal{mean, spread}}};
    case RramSpread::normal_resistance:
      return {
          {.shape = core::curve_of_scores([=](double z) { return mean / (1.0 - spread * z); })}};
    case RramSpread::uniform_resistance:
      return {{.shape = uniform_resistance(mean, spread)}};
  }
  return {{.shape = core::Point{mean}}};
}

/// G(V) of a law: the same probabilities at other conductances.
Shape at_voltage(const AnalogRram& cell, const Shape& shape) {
  if (cell.preset->at_voltage == nullptr || cell.voltage == 0.0) return shape;
  const auto conductance = [&](double g) { return cell.preset->at_voltage(g, cell.voltage); };
  if (const auto* point = std::get_if<core::Point>(&shape)) {
    return core::Point{conductance(point->value)};
  }
  return core::curve_of_scores([&](double z) {
    const core::Tail side = z < 0.0 ? core::Tail::lower : core::Tail::upper;
    return conductance(core::quantile(shape, side, core::normal_tail(side, z)));
  });
}

/// Cut by quantiles, where the noise of a read depends on the conductance.
std::vector<Component> sliced(const Component& whole) {
  constexpr double farthest = 9.5;  // [sd]; beyond lies 1e-21
  std::vector<Component> result;
  const auto add = [&](double weight, Shape base) {
    Component& part = result.emplace_back(whole);
    part.weight *= weight;
    part.base = std::move(base);
  };
  double mean = 0.0;
  double sd = 0.0;
  double start = -farthest;
  if (const auto* normal = std::get_if<core::Normal>(&whole.base)) {
    mean = normal->mean;
    sd = normal->sd;
  } else if (const auto* clamped = std::get_if<core::ClampedNormal>(&whole.base)) {
    mean = clamped->mean;
    sd = clamped->sd;
    start = (clamped->low - mean) / sd;
    result.push_back(whole);
    result.back().weight *= core::normal_tail(core::Tail::lower, start);
    result.back().base = core::Point{clamped->low};
  } else {
    return {whole};
  }
  double low = start;
  for (int i = 1; i <= slices; ++i) {
    const double high =
        i == slices ? farthest
                    : core::normal_quantile(core::Tail::lower, static_cast<double>(i) / slices);
    if (high <= low) continue;
    const double below = low > -farthest ? core::normal_tail(core::Tail::lower, low) : 0.0;
    add(static_cast<double>(i) / slices - below,
        core::TruncatedNormal{mean, sd, mean + sd * low, mean + sd * high});
    low = high;
  }
  return result;
}

/// What every cell of a level goes through: a factor before the transistor.
Component behind_transistor(const AnalogRram& cell, double weight, Shape base, double factor) {
  return {.weight = weight,
          .base = std::move(base),
          .compression = cell.access_resistance * factor,
          .scale = factor};
}

/// Noise of the device itself, relative: behind the transistor dG = G'(g) dg, so its share falls by
/// 1 + R times the device's conductance. One rms over the component: mean and variance are exact to
/// first order in the noise.
double behind_transistor(const Component& component, double noise) {
  if (component.compression == 0.0 || noise == 0.0) return noise;
  double moved = 0.0;
  double power = 0.0;
  for (const core::Node& node : core::expectation_nodes(component.base)) {
    const double share = 1.0 / (1.0 + component.compression * node.value);
    moved += node.weight * square(node.value * share * share);
    power += node.weight * square(node.value * share);
  }
  return power > 0.0 ? noise * std::sqrt(moved / power) : noise;
}

/// The same of the preset's own noise, which depends on the conductance.
double own_noise(const AnalogRram& cell, const Component& component) {
  if (cell.preset->read_sd == nullptr) return 0.0;
  double noise = 0.0;
  double power = 0.0;
  for (const core::Node& node : core::expectation_nodes(component.base)) {
    const double share = 1.0 / (1.0 + component.compression * node.value);
    const double sd = cell.preset->read_sd(node.value, cell.conditions.time);
    noise += node.weight * square(sd * share * share);
    power += node.weight * square(node.value * share);
  }
  return power > 0.0 ? std::sqrt(noise / power) : 0.0;
}

double factor_of(const AnalogRram& cell, bool lowest) {
  double factor =
      lowest ? cell.wear.lowest_factor(cell.conditions) : cell.wear.factor(cell.conditions);
  if (lowest && cell.sinh_scale > 0.0) {
    factor *= sinh_conductance(1.0, cell.voltage, cell.sinh_scale);
  }
  return factor;
}

enum class Reading { frozen, fresh };

/// Each component with the noise of a read; `trapping` is what a read sees of fast traps.
void add_read_noise(const AnalogRram& cell, double trapping, std::vector<Component>& components) {
  const double low = low_frequency_noise(cell.low_frequency_noise, cell.age(), cell.read_time);
  for (Component& component : components) {
    double noise = std::hypot(cell.read_noise, behind_transistor(component, low));
    if (const double own = own_noise(cell, component); own > 0.0) noise = std::hypot(noise, own);
    if (trapping > 0.0) noise = std::hypot(noise, behind_transistor(component, trapping));
    component.relative_noise = noise;
  }
}

/// Each component once with the trap empty, once with it occupied, and read.
std::vector<Component> with_noise(const AnalogRram& cell, std::vector<Component> components,
                                  double target, Reading reading) {
  const double occupied = cell.traps ? cell.traps->occupied() : cell.telegraph_probability;
  const double amplitude = cell.telegraph(target);
  const auto lower = [](Component& component, double left) {
    component.compression *= left;
    component.scale *= left;
  };
  const auto read = [&](double trapping) {
    if (reading == Reading::fresh) add_read_noise(cell, trapping, components);
    return std::move(components);
  };
  if (occupied == 0.0 || amplitude == 0.0) return read(0.0);
  if (cell.traps && cell.traps->rate() * cell.read_time > 1.0) {
    const double left = 1.0 - occupied * amplitude;
    for (Component& component : components) lower(component, left);
    return read(amplitude * cell.traps->averaged_sd(cell.read_time) / left);
  }
  std::vector<Component> result;
  for (const Component& component : components) {
    Component& empty = result.emplace_back(component);
    empty.weight *= 1.0 - occupied;
    Component& trapped = result.emplace_back(component);
    trapped.weight *= occupied;
    lower(trapped, 1.0 - amplitude);
  }
  components = std::move(result);
  return read(0.0);
}

core::Law law_of(const AnalogRram& cell, std::uint32_t level, Reading reading) {
  const double worn = cell.wear.worn_out();
  const double at_lrs = cell.stuck_at_lrs + worn * (1.0 - cell.stuck_at_lrs - cell.stuck_at_hrs);
  std::vector<Component> components;
  // Cells that hold `target`, whatever was meant for them.
  const auto add = [&](double weight, const Shape& base, double target, bool lowest) {
    if (!(weight > 0.0)) return;
    for (const Drifted& drifted : cell.wear.retention.drifted(
             target, {cell.targets.front(), cell.targets.back()}, cell.conditions.time)) {
      const Component plain =
          behind_transistor(cell, weight * drifted.probability, at_voltage(cell, base),
                            factor_of(cell, lowest) * drifted.factor);
      std::vector<Component> seen{plain};
      if (reading == Reading::fresh && cell.preset->read_sd != nullptr) seen = sliced(plain);
      for (Component& component : with_noise(cell, std::move(seen), target, reading)) {
        components.push_back(std::move(component));
      }
    }
  };
  for (const Part& part : relaxed(cell, level)) {
    add((1.0 - at_lrs - cell.stuck_at_hrs) * part.weight, part.shape, cell.targets[level],
        level == 0);
  }
  add(at_lrs, core::Point{cell.targets.back()}, cell.targets.back(), false);
  add(cell.stuck_at_hrs, core::Point{cell.targets.front()}, cell.targets.front(), true);
  return core::Law(std::move(components));
}

}  // namespace

std::vector<ConditionUse> AnalogRram::condition_uses() {
  return {{Condition::time,
           {},
           "as far as the preset knows it, or with retention_loss, retention_exponent or "
           "low_frequency_noise"},
          {Condition::temperature,
           {"temperature_coefficient", "activation_energy", "retention_energy"}},
          {Condition::supply}};
}

double AnalogRram::mean_at(std::uint32_t level, double time) const {
  return targets[level] + (preset->shift == nullptr ? 0.0 : preset->shift(time));
}

double AnalogRram::age() const {
  return preset->clock == RramClock::fixed ? preset->time : conditions.time;
}

double AnalogRram::spread_at(std::uint32_t level, double time) const {
  if (variation > 0.0) return variation * targets[level];
  const double at = preset->clock == RramClock::fixed ? preset->time : time;
  return preset->spread(targets[level], at);
}

double AnalogRram::covariance(std::uint32_t level, double t1, double t2) const {
  return square(spread_at(level, std::min(t1, t2)));
}

std::vector<double> AnalogRram::path(std::uint32_t level, std::span<const double> times,
                                     std::span<const double> normals) const {
  return relaxation_path([&](double t) { return mean_at(level, t); },
                         [&](double t) { return square(spread_at(level, t)); }, times, normals);
}

core::Law AnalogRram::programmed(std::uint32_t level) const {
  return law_of(*this, level, Reading::frozen);
}

core::Law AnalogRram::read(std::uint32_t level) const {
  return law_of(*this, level, Reading::fresh);
}

}  // namespace cimstat::devices
