#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"

/// The unit capacitors of a charge-domain array: mismatch, parasitic, thermal noise.
namespace cimstat::devices {

/// One unit capacitor. Its mismatch is that of an area: sd = mismatch sqrt(C) (Pelgrom et al., IEEE
/// JSSC 24, 1433 (1989), applied to capacitors), of one device against its nominal value; frozen.
///
/// As a cell it has two levels, driven (1) and grounded (0), of one law: laws are in F here, where
/// other cells have S. What the voltage of their shared line is, the circuit says.
struct UnitCapacitor {
  double nominal = 1e-15;           ///< C [F]
  double mismatch = 0.0;            ///< sd / sqrt(C) [sqrt(F)]
  double parasitic_share = 0.0;     ///< of a shared line, relative to the n C connected to it
  double parasitic_constant = 0.0;  ///< of a shared line, whatever hangs on it [F]

  double sd() const;                                   ///< [F]
  double relative_sd() const;                          ///< sd / C
  core::Law law() const;                               ///< of the capacitance: normal [F]
  double parasitic(std::uint32_t units) const;         ///< of a line with so many units [F]
  double line_capacitance(std::uint32_t units) const;  ///< n C + parasitic, nominal [F]

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return 2; }
  double target(std::uint32_t) const { return nominal; }
  core::Law programmed(std::uint32_t) const { return law(); }
  core::Law read(std::uint32_t) const { return law(); }
};

/// A published mismatch of unit capacitors.
struct CapacitorPreset {
  std::string_view name;
  std::string_view meaning;
  std::string_view source;
  double relative_sd;  ///< at `capacitance`
  double capacitance;  ///< where it was stated [F]
  double lowest;       ///< what the statement covers [F]
  double highest;
  double parasitic_share;
  double parasitic_constant;  ///< [F]

  double mismatch() const;  ///< sd / sqrt(C) [sqrt(F)]
};

/// uiuc_28nm and the two points of tripathi_32nm, which disagree by 9 % in sd / sqrt(C): both are
/// there.
const std::vector<CapacitorPreset>& capacitor_presets();

/// The sd of the voltage that a switch leaves on a capacitance, sqrt(kT/C) [V]; fresh. 64 uV at 1
/// pF and 300 K.
double thermal_voltage(double capacitance, double temperature);

/// The model "unit_capacitor" of [cell].
core::Variant unit_capacitor_variant();

/// Reads [cell] where its model is "unit_capacitor". Throws UsageError.
UnitCapacitor read_unit_capacitor(const core::SectionReader& cell);

}  // namespace cimstat::devices
