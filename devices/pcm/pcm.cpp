#include "devices/pcm/pcm.h"

#include <algorithm>
#include <cmath>

#include "devices/pcm/drifted_law.h"

namespace cimstat::devices {

namespace {

DriftedNormal drifted(const PcmCell& cell, std::uint32_t level, double logarithm) {
  const double target = cell.target(level);
  return {.mean = target,
          .sd = cell.statistics.programming_sd(target),
          .drift_mean = cell.statistics.drift_mean(target),
          .drift_sd = cell.statistics.drift_sd(target),
          .logarithm = logarithm};
}

DriftedNormal drifted_at(const PcmCell& cell, std::uint32_t level, double time) {
  return drifted(cell, level, cell.statistics.drift_logarithm(time));
}

/// sd of a read over the conductance, of a cell programmed to a conductance.
auto noise_of(const PcmCell& cell, std::uint32_t level, double time) {
  return [&statistics = cell.statistics, target = cell.target(level), time](double programmed) {
    const bool by_target = statistics.noise_state == PcmNoiseState::target;
    return statistics.relative_read_noise(by_target ? target : programmed, time);
  };
}

/// Where the presets' noise bends or leaps [S].
std::vector<double> noise_corners(const PcmStatistics& statistics) {
  std::vector<double> corners;
  const auto add_clip = [&](double slope, double offset, double low, double high, double split) {
    for (const double end : {low, high}) corners.push_back(std::exp((end - offset) / slope));
    corners.push_back(split);
  };
  switch (statistics.preset) {
    case PcmPreset::hermes_one_device:
      add_clip(-0.0078, 0.0038, 0.0179, 0.04, 0.1591);
      break;
    case PcmPreset::hermes_two_devices:
      add_clip(-0.0117, -0.0069, 0.015, 0.04, 0.16);
      break;
    case PcmPreset::ibm:
    case PcmPreset::joshi:
      corners.push_back(std::pow(0.0088 / 0.2, 1.0 / 0.65));
      break;
    case PcmPreset::state_independent:
      break;
  }
  for (double& corner : corners) corner *= statistics.full_scale;
  return corners;
}

}  // namespace

std::vector<ConditionUse> PcmCell::condition_uses() {
  return {{Condition::time}, {Condition::supply}};
}

core::Law PcmCell::programmed(std::uint32_t level) const {
  return frozen_law(drifted_at(*this, level, conditions.time));
}

core::Law PcmCell::read(std::uint32_t level) const {
  return noisy_law(drifted_at(*this, level, conditions.time),
                   noise_of(*this, level, conditions.time), noise_corners(statistics));
}

double PcmCell::mean(std::uint32_t level, double time) const {
  return drifted_at(*this, level, time).mean_of_all();
}

double PcmCell::variance(std::uint32_t level, double time) const {
  return covariance(level, time, time);
}

double PcmCell::covariance(std::uint32_t level, double time, double other_time) const {
  const double a = statistics.drift_logarithm(time);
  const double b = statistics.drift_logarithm(other_time);
  const DriftedNormal own = drifted(*this, level, 0.0);
  return own.programmed_variance() * drift_moment(own.drift_mean, own.drift_sd, a + b) +
         own.programmed_mean() * own.programmed_mean() *
             drift_covariance(own.drift_mean, own.drift_sd, a, b);
}

double PcmCell::read_variance(std::uint32_t level, double time) const {
  return noise_variance(drifted_at(*this, level, time), noise_of(*this, level, time),
                        noise_corners(statistics));
}

PcmCell::Device PcmCell::device(std::uint32_t level, double programming_score,
                                double drift_score) const {
  const double aim = target(level);
  return {
      .programmed = std::max(0.0, aim + statistics.programming_sd(aim) * programming_score),
      .exponent = std::abs(statistics.drift_mean(aim) + statistics.drift_sd(aim) * drift_score)};
}

double PcmCell::conductance(const Device& device, double time) const {
  return device.programmed * std::exp(-device.exponent * statistics.drift_logarithm(time));
}

std::vector<double> PcmCell::path(std::uint32_t level, double programming_score, double drift_score,
                                  std::span<const double> times) const {
  const Device own = device(level, programming_score, drift_score);
  std::vector<double> result;
  for (const double time : times) result.push_back(conductance(own, time));
  return result;
}

double PcmCell::read_sd(std::uint32_t level, const Device& device, double time) const {
  return conductance(device, time) * noise_of(*this, level, time)(device.programmed);
}

double PcmCell::reference_factor() const {
  const std::uint32_t highest = levels() - 1;
  switch (compensation) {
    case DriftCompensation::exact:
      return std::exp(-statistics.drift_mean(target(highest)) *
                      statistics.drift_logarithm(conditions.time));
    case DriftCompensation::global:
      return mean(highest, conditions.time) / mean(highest, 0.0);
    case DriftCompensation::recalibrated:
    case DriftCompensation::none:
      break;
  }
  return 1.0;
}

}  // namespace cimstat::devices
