#include "circuits/bit_line/noiseless_reading.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/interrupt.h"

#include "circuits/bit_line/line_reading.h"

namespace cimstat::circuits {

double normal_tail(core::Tail side, double z) {
  return 0.5 * std::erfc((side == core::Tail::lower ? -z : z) / std::numbers::sqrt2);
}

double AddedNoise::sd() const {
  return std::hypot(gaussian_sd, logistic_scale * std::numbers::pi / std::numbers::sqrt3);
}

double AddedNoise::tail(core::Tail side, double x) const {
  if (gaussian_sd > 0.0) return normal_tail(side, x / gaussian_sd);
  const double sign = side == core::Tail::lower ? -1.0 : 1.0;
  return 1.0 / (1.0 + std::exp(sign * x / logistic_scale));
}

double AddedNoise::density(double x) const {
  if (gaussian_sd > 0.0) {
    const double z = x / gaussian_sd;
    return std::exp(-0.5 * z * z) * std::numbers::inv_sqrtpi / (std::numbers::sqrt2 * gaussian_sd);
  }
  const double half = std::cosh(0.5 * x / logistic_scale);
  return 0.25 / (logistic_scale * half * half);
}

AddedNoise added_noise(const ColumnDesign& design, ColumnClass column_class) {
  const SenseAmplifier& sense = design.sense;
  AddedNoise noise{std::hypot(sense.offset_sd, line_noise_sd(design, column_class)), 0.0};
  if (sense.noise_shape == NoiseShape::logistic) {
    noise.logistic_scale = sense.noise_sd * std::numbers::sqrt3 * std::numbers::inv_pi;
  } else {
    noise.gaussian_sd = std::hypot(noise.gaussian_sd, sense.noise_sd);
  }
  return noise;
}

namespace {

/// The range outside of which less than about 1e-16 of the sum lies.
void find_range(const SensedCurrent& sum, NoiselessReading& reading) {
  constexpr double negligible = 1e-16;
  reading.low = reading.mean - 4.0 * reading.sd;
  reading.high = reading.mean + 4.0 * reading.sd;
  for (int step = 0; step < 200; ++step) {
    const BoundedTail tail = sum.bounded_tail(core::Tail::lower, reading.low);
    if (tail.value <= std::max(negligible, tail.error)) break;
    reading.low -= 0.5 * reading.sd;
  }
  for (int step = 0; step < 2000; ++step) {
    core::stop_if_requested();
    const BoundedTail tail = sum.bounded_tail(core::Tail::upper, reading.high);
    if (tail.value <= std::max(negligible, tail.error)) break;
    reading.high += 0.5 * reading.sd;
  }
}

}  // namespace

NoiselessReading reading_of(const LineCurve& curve, const SensedCurrent& sum) {
  NoiselessReading reading;
  reading.mean = sum.mean();
  reading.sd = sum.sd();
  reading.delivered = curve;
  if (reading.sd == 0.0) return reading;
  find_range(sum, reading);
  reading.slope = std::max(curve.slope(reading.low), curve.slope(reading.high));
  reading.error = 4.0 * sum.error_bound();
  reading.density = [&sum](double x) { return sum.density(x); };
  return reading;
}

Divider::Divider(const ColumnDesign& design, ColumnClass column_class) {
  const auto& sharing = std::get<ChargeSharing>(design.bit_line);
  const std::uint32_t k = column_class.lrs_count;
  const std::uint32_t n = column_class.active_rows;
  const auto sum = [](const core::Law& law, std::uint32_t count) {
    return core::Normal{count * law.mean(), count * law.variance()};  // variance for now
  };
  supply = sharing.supply;
  on = sum(design.lrs, k);
  off = sum(design.hrs, n - k);
  if (design.leakage) {
    const core::Normal idle = sum(*design.leakage, design.rows - n);
    off = {off.mean + idle.mean, off.sd + idle.sd};
  }
  on.sd = std::sqrt(on.sd);
  off.sd = std::sqrt(off.sd);
  off.mean += sharing.parasitic;
}

double Divider::sd(double v) const { return std::hypot(on.sd * (supply - v), off.sd * v); }

double Divider::score_slope(double v) const {
  const double spread = sd(v);
  const double bend = off.sd * off.sd * v - on.sd * on.sd * (supply - v);  // spread d spread / dv
  return (on.mean + off.mean) / spread + mean(v) * bend / (spread * spread * spread);
}

bool Divider::is_point() const {
  const auto is_nothing = [](const core::Normal& part) {
    return part.mean == 0.0 && part.sd == 0.0;
  };
  return is_nothing(on) || is_nothing(off) || !(sd(nominal()) > 0.0);
}

NoiselessReading reading_of(const ColumnDesign& design, const Divider& divider) {
  const auto& sharing = std::get<ChargeSharing>(design.bit_line);
  const double gain = 1.0 + sharing.injected_fraction;
  const double step = sharing.injected_charge / total_capacitance(design);
  NoiselessReading reading;
  reading.mean = divider.nominal();
  reading.slope = gain;
  reading.delivered = [gain, step](double v) { return gain * v + step; };
  if (divider.is_point()) return reading;
  reading.sd = divider.first_order_sd();
  reading.low = reading.mean - 9.0 * reading.sd;
  reading.high = reading.mean + 9.0 * reading.sd;
  while (divider.score(reading.low) > -8.5) reading.low -= 0.5 * reading.sd;
  while (divider.score(reading.high) < 8.5) reading.high += 0.5 * reading.sd;
  reading.density = [divider](double v) {
    const double z = divider.score(v);
    return std::exp(-0.5 * z * z) * divider.score_slope(v) * std::numbers::inv_sqrtpi /
           std::numbers::sqrt2;
  };
  return reading;
}

/// The column before its line: the sum alone, and nothing behind it.
ColumnDesign sum_alone(const ColumnDesign& design) {
  ColumnDesign sum = design;
  sum.bit_line = IdealSum{};
  sum.sense = {};
  sum.comparator = {};
  return sum;
}

}  // namespace cimstat::circuits
