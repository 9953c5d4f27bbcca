#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"
#include "devices/rram/published.h"
#include "devices/rram/telegraph_noise.h"
#include "devices/rram/wear.h"
#include "devices/rram/write_verify.h"

/// Resistive cells of two or more levels with published statistics.
namespace cimstat::devices {

/// One cell. Conductance in S.
///
/// frozen: G_p ~ the preset's law about the level's target at the time of the read, or what
/// `verify` delivers (both clamped at 0 where they reach below); temperature, retention, reads and
/// cycles (devices/rram/wear.h); the I-V curve at `voltage`; a trap that is occupied while the
/// column is read (one with dwell times that change it more than once in read_time is averaged by
/// the read: its mean here, the rest as fresh normal noise); G / (1 + G R) behind the access
/// transistor. A stuck cell conducts what its end of the range aims at: temperature, retention and,
/// at the low end, reads change it as they change that level; programming and relaxation (with the
/// shift of CMO's mean) don't. Its trap is that of its end. fresh: times 1 + r xi; what the device
/// makes of it (the preset's noise, 1/f noise, fast traps) falls by 1 + G R behind the transistor,
/// to first order in it; `read_noise` is of the read.
struct AnalogRram {
  const RramPreset* preset = nullptr;
  std::vector<double> targets{};  ///< ascending [S]
  Conditions conditions{};
  double variation = 0.0;          ///< relative sd in place of the preset's ("neurosim")
  double access_resistance = 0.0;  ///< [ohm]
  double voltage = 0.0;            ///< at which the I-V curve is read; 0: linear [V]
  double sinh_scale = 0.0;         ///< V0 of the lowest level's sinh; 0: linear [V]
  double read_noise = 0.0;         ///< relative, besides the preset's
  double low_frequency_noise = 0.0;
  double read_time = 1e-6;  ///< [s]
  double telegraph_probability = 0.0;
  std::optional<TelegraphNoise> traps{};  ///< with dwell times, in place of the probability
  TelegraphAmplitude telegraph{};
  std::optional<WriteVerify> verify{};
  double stuck_at_lrs = 0.0;
  double stuck_at_hrs = 0.0;
  Wear wear{};

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return static_cast<std::uint32_t>(targets.size()); }
  double target(std::uint32_t level) const { return targets[level]; }
  /// Time since programming: the preset's where that was fitted at one time [s].
  double age() const;
  core::Law programmed(std::uint32_t level) const;
  core::Law read(std::uint32_t level) const;

  // What is published, before clamping, voltage, transistor, wear and faults.
  double mean(std::uint32_t level) const { return mean_at(level, conditions.time); }  ///< [S]
  /// Sd of the programmed and relaxed conductance [S]; of its logarithm, or relative, where the
  /// preset is so.
  double spread(std::uint32_t level) const { return spread_at(level, conditions.time); }
  double mean_at(std::uint32_t level, double time) const;
  double spread_at(std::uint32_t level, double time) const;
  /// Of one cell at two times [S^2]: relaxation is a Wiener process in a clock of its own. For
  /// presets of kind normal.
  double covariance(std::uint32_t level, double t1, double t2) const;
  /// One cell at ascending times, from standard normal draws [S]; not clamped.
  std::vector<double> path(std::uint32_t level, std::span<const double> times,
                           std::span<const double> normals) const;
};

/// The model "analog_rram" of [cell].
core::Variant analog_rram_variant();

/// Reads [cell] where its model is "analog_rram". Throws UsageError.
AnalogRram read_analog_rram(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
