#pragma once

#include <cstdint>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"

/// Magnetic tunnel junctions (STT-MRAM).
namespace cimstat::devices {

/// One junction: level 1 parallel (P), level 0 antiparallel (AP).
///
/// R_P is lognormal, because its resistance-area product is exponential in the barrier's thickness;
/// R_AP = R_P (1 + TMR), TMR = tmr / (1 + (V / half_voltage)^2) times a lognormal factor of its
/// own, V = voltage times conditions.supply. Both are frozen; read noise is fresh.
struct MramCell {
  double resistance = 5e3;         ///< median of R_P [ohm]
  double resistance_sigma = 0.06;  ///< of ln R_P, > 0
  double tmr = 1.5;                ///< median at no bias
  double tmr_sigma = 0.04;         ///< of ln TMR
  double half_voltage = 0.5;       ///< V_h, where TMR has fallen to a half [V]
  double voltage = 0.1;            ///< across the junction [V]
  double read_noise = 0.0;         ///< sd relative to the conductance
  Conditions conditions;

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return 2; }
  double target(std::uint32_t level) const;
  core::Law programmed(std::uint32_t level) const;
  core::Law read(std::uint32_t level) const;

  double biased_tmr() const;  ///< median, at the voltage
  // Of the frozen conductance [S], [S^2].
  double mean(std::uint32_t level) const;
  double variance(std::uint32_t level) const;
};

/// The model "mram" of [cell].
core::Variant mram_variant();

/// Reads [cell] where its model is "mram". Throws UsageError.
MramCell read_mram(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
