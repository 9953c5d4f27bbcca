#pragma once

#include <vector>

/// What is published of phase-change memory cells: how well they are programmed, how they drift and
/// how noisy they are. G is a conductance [S], g = G / full_scale, xi ~ N(0, 1), ln natural.
namespace cimstat::devices {

/// Whose coefficients.
enum class PcmPreset { ibm, joshi, hermes_one_device, hermes_two_devices, state_independent };

/// Which conductance decides how noisy a cell is: the one that it was programmed to (as aihwkit
/// computes) or its target (as aihwkit's documentation says).
enum class PcmNoiseState { programmed, target };

/// The drift exponent of cells that aim at `target` [S]: |mean + sd xi|.
struct DriftPoint {
  double target = 0.0;
  double mean = 0.0;
  double sd = 0.0;
};

/// A cell is programmed to G_p = max(0, target + programming_sd xi), has a drift exponent nu =
/// |drift_mean + drift_sd xi| of its own, and conducts G_p (t / t_0)^-nu at the time t = t_0 +
/// time. A read adds 1/f noise, relative_read_noise xi.
struct PcmStatistics {
  PcmPreset preset = PcmPreset::ibm;
  double full_scale = 25e-6;      ///< G_max [S]
  double first_read = 20.0;       ///< t_0, when programming is measured [s]
  double read_duration = 250e-9;  ///< t_read [s]
  double programming_scale = 1.0;
  double drift_scale = 1.0;
  double read_scale = 1.0;
  PcmNoiseState noise_state = PcmNoiseState::programmed;
  /// Replaces the preset's exponents: linear between the points, constant beyond; ascending in
  /// target, or empty.
  std::vector<DriftPoint> drift_points = {};

  double programming_sd(double target) const;  ///< sigma [S]
  double drift_mean(double target) const;      ///< mu
  double drift_sd(double target) const;
  /// Q_s of a cell in the state that noise_state says [S].
  double read_noise_quality(double state) const;
  /// sqrt(ln((t + t_read) / (2 t_read))): what 1/f noise has grown to.
  double time_factor(double time) const;
  /// sd of a read over the conductance read: quality times time factor.
  double relative_read_noise(double state, double time) const;
  /// ln(t / t_0).
  double drift_logarithm(double time) const;
};

/// With the preset's own full scale and times.
PcmStatistics pcm_statistics(PcmPreset preset);

/// E exp(-a |mean + sd xi|), and the share of it from exponents |mean + sd xi| <= most.
double drift_moment(double mean, double sd, double a);
double drift_moment(double mean, double sd, double a, double most);

/// The covariance of exp(-a nu) and exp(-b nu), nu = |mean + sd xi|.
double drift_covariance(double mean, double sd, double a, double b);

}  // namespace cimstat::devices
