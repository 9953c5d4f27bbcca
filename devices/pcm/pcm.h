#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"
#include "devices/pcm/pcm_statistics.h"

/// Phase-change memory cells: programmed, drifting, noisy.
namespace cimstat::devices {

/// What becomes of a converter's references while the cells drift.
enum class DriftCompensation {
  recalibrated,  ///< placed anew on the drifted currents
  none,          ///< as placed at t_0
  exact,         ///< those of t_0 times (t / t_0)^-mu, mu the mean exponent of the highest level
  global         ///< those of t_0 times the ratio of the highest level's mean conductances
};

/// One PCM cell. Conditions.time counts from t_0 on, the time after programming at which the
/// preset's programming spread was measured. It knows no temperature.
///
/// frozen: the conductance as programmed and the drift exponent. fresh: read noise, as a component
/// for each slice of the level's law, because noise depends on the state: in each slice it is the
/// root mean square over it, so that mean and variance of a level are those of the formula. The
/// published code takes 0 for a read below 0; here none is clamped.
struct PcmCell {
  PcmStatistics statistics;
  std::vector<double> targets;  ///< ascending [S]
  Conditions conditions;
  DriftCompensation compensation = DriftCompensation::recalibrated;

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return static_cast<std::uint32_t>(targets.size()); }
  double target(std::uint32_t level) const { return targets[level]; }
  core::Law programmed(std::uint32_t level) const;
  core::Law read(std::uint32_t level) const;

  /// Closed forms of the conductance at a time, before read noise: E G [S], Var G and the
  /// covariance of one cell's conductances at two times [S^2].
  double mean(std::uint32_t level, double time) const;
  double variance(std::uint32_t level, double time) const;
  double covariance(std::uint32_t level, double time, double other_time) const;
  /// The variance that read noise adds, by quadrature over the programmed conductance [S^2].
  double read_variance(std::uint32_t level, double time) const;

  /// What is frozen in one cell, from two standard normal numbers.
  struct Device {
    double programmed = 0.0;  ///< at t_0 [S]
    double exponent = 0.0;    ///< nu
  };
  Device device(std::uint32_t level, double programming_score, double drift_score) const;
  double conductance(const Device& device, double time) const;  ///< before read noise [S]
  /// One cell at several times: its exponent stays its own.
  std::vector<double> path(std::uint32_t level, double programming_score, double drift_score,
                           std::span<const double> times) const;
  /// The sd of a read of that cell [S].
  double read_sd(std::uint32_t level, const Device& device, double time) const;

  /// What references placed at t_0 are multiplied by at conditions.time, for `exact` and `global`;
  /// 1 for the others. Its inverse is what outputs would be multiplied by.
  double reference_factor() const;
};

/// The model "pcm" of [cell].
core::Variant pcm_variant();

/// Reads [cell] where its model is "pcm". Throws UsageError.
PcmCell read_pcm(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
