#include "devices/pcm/pcm_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <limits>

#include "core/law/shape.h"

namespace cimstat::devices {

namespace {

constexpr double micro = 1e-6;

/// Coefficients from the constant up.
double polynomial(double x, std::initializer_list<double> coefficients) {
  double sum = 0.0;
  for (const double* c = coefficients.end(); c != coefficients.begin();) sum = sum * x + *--c;
  return sum;
}

/// clip(slope ln g + offset, low, high).
double clipped_logarithm(double g, double slope, double offset, double low, double high) {
  constexpr double least = 1e-7;  // aihwkit's floor of g
  return std::clamp(slope * std::log(std::max(g, least)) + offset, low, high);
}

double interpolated(const std::vector<DriftPoint>& points, double target,
                    double DriftPoint::*member) {
  const auto next =
      std::upper_bound(points.begin(), points.end(), target,
                       [](double value, const DriftPoint& point) { return value < point.target; });
  if (next == points.begin()) return points.front().*member;
  if (next == points.end()) return points.back().*member;
  const DriftPoint& before = *(next - 1);
  const double part = (target - before.target) / (next->target - before.target);
  return before.*member + part * (*next.*member - before.*member);
}

}  // namespace

double PcmStatistics::programming_sd(double target) const {
  const double g = target / full_scale;
  const auto sigma = [&] {  // [uS], at the preset's own full scale
    switch (preset) {
      case PcmPreset::joshi:
        return polynomial(25.0 * g, {0.28638599, 0.07585724, -0.00178767});
      case PcmPreset::hermes_one_device:
        return polynomial(g, {0.15781817, 2.32443916, -2.16310839, 0.68841818});
      case PcmPreset::hermes_two_devices:
        return polynomial(g, {0.16603222, 4.71806468, -8.48101252, 4.68961419});
      case PcmPreset::state_independent:
        return 0.2;
      case PcmPreset::ibm:
        break;
    }
    return polynomial(g, {0.26348, 1.9650, -1.1731});
  }();
  const double stretch = full_scale / pcm_statistics(preset).full_scale;
  return programming_scale * std::max(sigma, 0.0) * stretch * micro;
}

double PcmStatistics::drift_mean(double target) const {
  if (!drift_points.empty()) {
    return drift_scale * interpolated(drift_points, target, &DriftPoint::mean);
  }
  const double g = target / full_scale;
  const auto mean = [&] {
    switch (preset) {
      case PcmPreset::hermes_one_device:
      case PcmPreset::hermes_two_devices:
        return g < 0.0945 ? clipped_logarithm(g, -0.0387, -0.0182, 0.072, 0.13)
                          : polynomial(g, {0.0736, -0.0126, -0.0436});
      case PcmPreset::state_independent:
        return 0.1;
      case PcmPreset::ibm:
      case PcmPreset::joshi:
        break;
    }
    return clipped_logarithm(g, -0.0155, 0.0244, 0.049, 0.1);
  }();
  return drift_scale * mean;
}

double PcmStatistics::drift_sd(double target) const {
  if (!drift_points.empty()) {
    return drift_scale * interpolated(drift_points, target, &DriftPoint::sd);
  }
  const double g = target / full_scale;
  const auto sd = [&] {
    switch (preset) {
      case PcmPreset::hermes_one_device:
        return g < 0.3039 ? clipped_logarithm(g, -0.0120, -0.0023, 0.0124, 0.04)
                          : polynomial(g, {0.0104, 0.0116, -0.0165});
      case PcmPreset::hermes_two_devices:
        return g < 0.3055 ? clipped_logarithm(g, -0.0117, -0.0057, 0.0091, 0.04)
                          : polynomial(g, {0.0073, 0.0093, -0.0118});
      case PcmPreset::state_independent:
        return 0.05;
      case PcmPreset::ibm:
      case PcmPreset::joshi:
        break;
    }
    return clipped_logarithm(g, -0.0125, -0.0059, 0.008, 0.045);
  }();
  return drift_scale * sd;
}

double PcmStatistics::read_noise_quality(double state) const {
  const double g = state / full_scale;
  const auto quality = [&] {
    switch (preset) {
      case PcmPreset::hermes_one_device:
        return g < 0.1591 ? clipped_logarithm(g, -0.0078, 0.0038, 0.0179, 0.04)
                          : polynomial(g, {0.0088, 0.0768, -0.1352, 0.0664});
      case PcmPreset::hermes_two_devices:
        return g < 0.16 ? clipped_logarithm(g, -0.0117, -0.0069, 0.015, 0.04)
                        : polynomial(g, {0.0123, 0.0211, -0.0280, 0.0069});
      case PcmPreset::state_independent:
        return 1.0 * micro / full_scale;
      case PcmPreset::ibm:
      case PcmPreset::joshi:
        break;
    }
    return std::min(0.0088 / std::max(std::pow(std::max(g, 0.0), 0.65), 1e-3), 0.2);
  }();
  return read_scale * std::max(quality, 0.0);
}

double PcmStatistics::time_factor(double time) const {
  return std::sqrt(std::log((first_read + time + read_duration) / (2.0 * read_duration)));
}

double PcmStatistics::relative_read_noise(double state, double time) const {
  return read_noise_quality(state) * time_factor(time);
}

double PcmStatistics::drift_logarithm(double time) const { return std::log1p(time / first_read); }

PcmStatistics pcm_statistics(PcmPreset preset) {
  switch (preset) {
    case PcmPreset::joshi:
      return {.preset = preset, .first_read = 27.36};
    case PcmPreset::hermes_one_device:
      return {
          .preset = preset, .full_scale = 10.35e-6, .first_read = 200.0, .read_duration = 512e-9};
    case PcmPreset::hermes_two_devices:
      return {
          .preset = preset, .full_scale = 20.7e-6, .first_read = 300.0, .read_duration = 512e-9};
    case PcmPreset::state_independent:
    case PcmPreset::ibm:
      break;
  }
  return {.preset = preset};
}

double drift_moment(double mean, double sd, double a) {
  return drift_moment(mean, sd, a, std::numeric_limits<double>::infinity());
}

double drift_moment(double mean, double sd, double a, double most) {
  if (!(most >= 0.0)) return 0.0;
  if (sd == 0.0) return std::abs(mean) <= most ? std::exp(-a * std::abs(mean)) : 0.0;
  // The exponent is folded at 0: once as it is, once mirrored. exp(-a nu) tilts a normal by -a sd.
  double sum = 0.0;
  for (const double side : {mean, -mean}) {
    const double from = -side / sd + a * sd;
    const double to = (most - side) / sd + a * sd;
    const double share =
        from > 0.0
            ? core::normal_tail(core::Tail::upper, from) - core::normal_tail(core::Tail::upper, to)
            : core::normal_tail(core::Tail::lower, to) - core::normal_tail(core::Tail::lower, from);
    sum += std::exp(-a * side + 0.5 * a * a * sd * sd) * share;
  }
  return sum;
}

double drift_covariance(double mean, double sd, double a, double b) {
  if (sd == 0.0) return 0.0;
  // E exp(-c nu) is that of the unfolded exponent times 1 + folded(c); the difference of the two
  // terms would cancel.
  const auto unfolded = [&](double c) { return std::exp(-c * mean + 0.5 * c * c * sd * sd); };
  const auto folded = [&](double c) {
    return std::exp(2.0 * c * mean) * core::normal_tail(core::Tail::upper, mean / sd + c * sd) -
           core::normal_tail(core::Tail::upper, mean / sd - c * sd);
  };
  const double of_a = folded(a);
  const double of_b = folded(b);
  const double of_both = folded(a + b);
  return unfolded(a) * unfolded(b) *
         (std::expm1(a * b * sd * sd) * (1.0 + of_both) + (of_both - of_a - of_b - of_a * of_b));
}

}  // namespace cimstat::devices
