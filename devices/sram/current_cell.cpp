#include "devices/sram/current_cell.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

#include "devices/calibrated_curve.h"

namespace cimstat::devices {

namespace {

constexpr double reach = 38.0;  // scores beyond have no probability
constexpr double sure = 8.5;    // ... that a sum of doubles would notice

/// ln^2(1 + exp(u / 2)), the EKV interpolation; u in thermal potentials.
double inversion(double u) {
  const double log = u > 60.0 ? 0.5 * u + std::exp(-0.5 * u) : std::log1p(std::exp(0.5 * u));
  return log * log;
}

double inversion_slope(double u) {
  const double log = u > 60.0 ? 0.5 * u + std::exp(-0.5 * u) : std::log1p(std::exp(0.5 * u));
  return log / (1.0 + std::exp(-0.5 * u));
}

/// Above 0 the power, below 0 its mirror image: increasing.
double odd_power(double base, double exponent) {
  return std::copysign(std::pow(std::abs(base), exponent), base);
}

}  // namespace

double thermal_potential(double temperature) {
  constexpr double boltzmann = 1.380649e-23;             // [J/K]
  constexpr double elementary_charge = 1.602176634e-19;  // [C]
  return boltzmann * temperature / elementary_charge;
}

/// Of a conducting nominal cell at the conditions [V].
double SramCell::gate_overdrive() const {
  const double cooler = room_temperature - conditions.temperature;
  return gate_voltage * conditions.supply -
         (threshold + threshold_slope * cooler - conditions.corner * die_threshold_sd);
}

/// K [A/V^a] or I_S [A] at the conditions.
double SramCell::specific_current() const {
  const double warmth = conditions.temperature / room_temperature;
  const double room_overdrive = gate_voltage - threshold;
  if (law == CurrentLaw::alpha_power) {
    return on_current / std::pow(room_overdrive, exponent) * std::pow(warmth, -mobility_exponent);
  }
  const double ut = thermal_potential(room_temperature);
  const double pinch_off = room_overdrive / slope_factor;
  const double normalised = inversion(pinch_off / ut) - inversion((pinch_off - read_voltage) / ut);
  return on_current / normalised * std::pow(warmth, 2.0 - mobility_exponent);
}

double SramCell::off_median() const {
  const double ut = thermal_potential(conditions.temperature);
  const double room_ut = thermal_potential(room_temperature);
  const double shifted = gate_voltage * conditions.supply - gate_overdrive();  // threshold now
  const double drain =
      -std::expm1(-read_voltage * conditions.supply / ut) / -std::expm1(-read_voltage / room_ut);
  return off_current * drain *
         std::pow(conditions.temperature / room_temperature, 2.0 - mobility_exponent) *
         std::exp((threshold / room_ut - shifted / ut) / slope_factor);
}

double SramCell::current(std::uint32_t level, double shift) const {
  const double ut = thermal_potential(conditions.temperature);
  if (level == 0) return off_median() * std::exp(-shift / (slope_factor * ut));
  const double overdrive = gate_overdrive() - shift;
  if (law == CurrentLaw::alpha_power) {
    return specific_current() * std::pow(std::max(overdrive, 0.0), exponent);
  }
  const double pinch_off = overdrive / slope_factor;
  return specific_current() * (inversion(pinch_off / ut) -
                               inversion((pinch_off - read_voltage * conditions.supply) / ut));
}

double SramCell::sensitivity(std::uint32_t level) const {
  const double ut = thermal_potential(conditions.temperature);
  if (level == 0) return 1.0 / (slope_factor * ut);
  const double overdrive = gate_overdrive();
  if (law == CurrentLaw::alpha_power) {
    return overdrive > 0.0 ? exponent / overdrive : std::numeric_limits<double>::infinity();
  }
  const double pinch_off = overdrive / slope_factor;
  const double drain = pinch_off - read_voltage * conditions.supply;
  return specific_current() * (inversion_slope(pinch_off / ut) - inversion_slope(drain / ut)) /
         (slope_factor * ut * current(1, 0.0));
}

/// E (I - centre)^power of a conducting cell, power 1 or 2.
double SramCell::central_moment(std::uint32_t power, double centre) const {
  // Panels grow from where the alpha-power law has its corner.
  double low = -reach;
  double width = 0.25;
  double sum = 0.0;
  if (law == CurrentLaw::alpha_power) {
    const double corner = -gate_overdrive() / threshold_sd;
    if (corner >= reach) return power == 1 ? -centre : centre * centre;
    if (corner > -reach) {
      low = corner;
      width = 1e-9;
      sum = core::normal_tail(core::Tail::lower, corner) * (power == 1 ? -centre : centre * centre);
    }
  }
  while (low < reach) {
    const double high = std::min(low + width, reach);
    for (const core::Node& node : core::gauss_legendre_16()) {
      const double z = 0.5 * (low + high) + 0.5 * (high - low) * node.value;
      const double beyond = current(1, -threshold_sd * z) - centre;
      sum += 0.5 * (high - low) * node.weight * core::normal_density(z) *
             (power == 1 ? beyond : beyond * beyond);
    }
    low = high;
    width = std::min(1.5 * width, 0.25);
  }
  return sum;
}

double SramCell::current_mean(std::uint32_t level) const {
  const double nominal = current(level, 0.0);
  if (threshold_sd == 0.0) return nominal;
  if (level > 0) return nominal + central_moment(1, nominal);
  const double sigma = threshold_sd * sensitivity(0);
  return nominal * std::exp(0.5 * sigma * sigma);
}

double SramCell::current_sd(std::uint32_t level) const {
  if (threshold_sd == 0.0) return 0.0;
  const double mean = current_mean(level);
  if (level > 0) return std::sqrt(central_moment(2, mean));
  const double sigma = threshold_sd * sensitivity(0);
  return mean * std::sqrt(std::expm1(sigma * sigma));
}

std::vector<ConditionUse> SramCell::condition_uses() {
  return {{Condition::temperature}, {Condition::corner, {"die_threshold_sd"}}, {Condition::supply}};
}

double SramCell::target(std::uint32_t level) const {
  return current(level, 0.0) / (read_voltage * conditions.supply);
}

core::Law SramCell::law_of(std::uint32_t level, double noise) const {
  const double voltage = read_voltage * conditions.supply;
  const core::Component whole{.base = {}, .relative_noise = noise, .scale = 1.0 / voltage};
  const auto with_base = [&](core::Shape base, double weight) {
    core::Component component = whole;
    component.base = std::move(base);
    component.weight = weight;
    return component;
  };
  if (threshold_sd == 0.0) return core::Law({with_base(core::Point{current(level, 0.0)}, 1.0)});
  if (level == 0) {
    const double sigma = threshold_sd * sensitivity(0);
    return core::Law({with_base(core::LogNormal{off_median(), sigma}, 1.0)});
  }
  const double mean = current_mean(1);
  const double variance = current_sd(1) * current_sd(1);
  if (law == CurrentLaw::ekv) {
    return core::Law({with_base(
        calibrated(core::curve_of_scores([&](double z) { return current(1, -threshold_sd * z); }),
                   mean, variance),
        1.0)});
  }
  const double corner = -gate_overdrive() / threshold_sd;  // cells below are off
  if (corner > sure) return core::Law::point(0.0);
  const double factor = specific_current() * std::pow(threshold_sd, exponent);
  core::QuantileCurve curve =
      core::curve_of_scores([&](double z) { return factor * odd_power(z - corner, exponent); });
  if (corner < -sure) {
    return core::Law({with_base(calibrated(std::move(curve), mean, variance), 1.0)});
  }
  curve = core::restricted(curve, corner, std::numeric_limits<double>::infinity());
  const double on = core::normal_tail(core::Tail::upper, corner);
  const double on_mean = mean / on;
  const double on_variance = (variance + mean * mean) / on - on_mean * on_mean;
  curve = calibrated(std::move(curve), on_mean, on_variance);
  const double off = core::normal_tail(core::Tail::lower, corner);
  return core::Law({with_base(std::move(curve), on), with_base(core::Point{0.0}, off)});
}

core::Law SramCell::programmed(std::uint32_t level) const { return law_of(level, 0.0); }

core::Law SramCell::read(std::uint32_t level) const { return law_of(level, read_noise); }

}  // namespace cimstat::devices
