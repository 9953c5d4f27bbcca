#pragma once

#include <cstdint>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"

/// Ferroelectric transistors (FeFET), alone or in series with a resistor (1FeFET-1R).
namespace cimstat::devices {

/// One transistor whose threshold is one of some states, each normal with the same sd.
///
/// EKV in all regions: I = I_S (T / T_0)^2 (F((V_G - V_t) / n) - F((V_G - V_t) / n - V_D)), F(v) =
/// ln^2(1 + exp(v / 2 U_t)), U_t = k T / q; it stands for the conductance G = I / V_D. In series
/// with a resistor R that is lognormal from cell to cell: 1 / (1 / G + R) (the transistor's
/// conductance is taken at V_D, whatever falls across R). frozen: threshold and resistor. fresh:
/// read noise. conditions.supply scales V_G and V_D.
struct FefetCell {
  std::vector<double> thresholds;  ///< descending [V]: level 0 conducts least
  double threshold_sd = 0.1;       ///< [V], > 0
  double gate_voltage = 1.0;       ///< V_G [V]
  double drain_voltage = 0.1;      ///< V_D [V]
  double slope_factor = 1.3;       ///< n
  double specific_current = 1e-7;  ///< I_S at T_0 [A]
  double resistance = 0.0;         ///< median of R [ohm]
  double resistance_sigma = 0.0;   ///< of ln R; 0 or above 1e-3
  double read_noise = 0.0;         ///< sd relative to the conductance
  Conditions conditions;

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return static_cast<std::uint32_t>(thresholds.size()); }
  double target(std::uint32_t level) const;
  core::Law programmed(std::uint32_t level) const;
  core::Law read(std::uint32_t level) const;

  double conductance(double threshold) const;  ///< of the transistor alone [S]
  double conductance(double threshold, double series_resistance) const;  ///< with a resistor [S]
  // Of the frozen conductance, by quadrature [S], [S^2].
  double mean(std::uint32_t level) const;
  double variance(std::uint32_t level) const;
};

/// The model "fefet" of [cell].
core::Variant fefet_variant();

/// Reads [cell] where its model is "fefet". Throws UsageError.
FefetCell read_fefet(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
