#pragma once

#include <cstdint>

#include "core/config/option.h"
#include "core/config/parameter.h"
#include "core/config/section_reader.h"
#include "core/law/law.h"

#include "devices/conditions.h"

/// SRAM cells whose read current is summed: one transistor that conducts or leaks.
namespace cimstat::devices {

enum class CurrentLaw {
  alpha_power,  ///< I = K (VGS - Vth)^a, nothing below Vth (Sakurai and Newton, IEEE JSSC 25, 584
                ///< (1990)); saturated
  ekv           ///< I = I_S [ln^2(1 + exp((Vp - Vs) / 2 Ut)) - ln^2(1 + exp((Vp - Vd) / 2 Ut))],
                ///< Vp = (Vg - Vth) / n, I_S = 2 n beta Ut^2, Vs = 0 (Enz, Krummenacher and Vittoz,
                ///< Analog Integr. Circuits Signal Process. 8, 83 (1995)): all regions
};

inline constexpr core::Option<CurrentLaw> current_law_options[] = {
    {CurrentLaw::alpha_power, {"alpha_power", "I = K (VGS - Vth)^exponent: above threshold"}},
    {CurrentLaw::ekv, {"ekv", "EKV, from weak to strong inversion"}}};

/// One cell of the current domain. Its read path is taken as one transistor between bit line and
/// ground, whose gate is at `gate_voltage` where the cell stores 1 and at 0 where it stores 0; its
/// threshold is normal, frozen. Level 0 leaks, level 1 conducts. Conductances are currents over the
/// read voltage at the same supply, so that conductance times voltage is the current again.
///
/// Conditions: K falls as (T / T0)^-mobility_exponent, the threshold by `threshold_slope` each
/// kelvin and by `die_threshold_sd` each unit of `corner` (above 0 is fast); supply scales the gate
/// and the read voltage. T0 = room_temperature, where the currents are stated.
struct SramCell {
  CurrentLaw law = CurrentLaw::alpha_power;
  double on_current = 0.0;          ///< of a conducting nominal cell at T0 and supply 1 [A]
  double off_current = 0.0;         ///< of a leaking nominal cell there: the median [A]
  double gate_voltage = 0.0;        ///< VGS of a conducting cell at supply 1 [V]
  double read_voltage = 0.0;        ///< VDS at supply 1 [V]
  double threshold = 0.0;           ///< nominal, at T0 [V]
  double threshold_sd = 0.0;        ///< of one device against nominal: A_VT / sqrt(2 W L) [V]
  double exponent = 1.3;            ///< a of alpha_power
  double slope_factor = 1.4;        ///< n
  double die_threshold_sd = 0.0;    ///< of the dies' mean thresholds [V]
  double threshold_slope = 0.8e-3;  ///< [V/K]
  double mobility_exponent = 1.5;
  double read_noise = 0.0;  ///< relative to the current, fresh
  Conditions conditions;

  static std::vector<ConditionUse> condition_uses();
  std::uint32_t levels() const { return 2; }
  double target(std::uint32_t level) const;         ///< [S]
  core::Law programmed(std::uint32_t level) const;  ///< [S]
  core::Law read(std::uint32_t level) const;        ///< [S]

  /// Current at these conditions of a cell whose threshold is `shift` above nominal [A].
  /// Leakage: I_off exp(-shift / (n Ut)), the weak inversion of either law.
  double current(std::uint32_t level, double shift) const;
  /// -d ln I / d Vth of a nominal cell [1/V]: times a small sd of the threshold it is the
  /// first-order sigma_I / I; times that of a threshold field, the relative sd of the field's
  /// currents. alpha_power: a / (VGS - Vth). Leakage: 1 / (n Ut). Infinite where a nominal cell is
  /// off.
  double sensitivity(std::uint32_t level) const;
  /// Exact, by integration over the normal threshold (closed form for leakage) to 1e-13 [A].
  double current_mean(std::uint32_t level) const;
  double current_sd(std::uint32_t level) const;

 private:
  double gate_overdrive() const;
  double specific_current() const;
  double off_median() const;
  double central_moment(std::uint32_t power, double centre) const;
  core::Law law_of(std::uint32_t level, double noise) const;
};

/// kT/q [V]; 25.85 mV at 300 K.
double thermal_potential(double temperature);

/// The model "sram" of [cell].
core::Variant sram_variant();

/// Reads [cell] where its model is "sram". Throws UsageError.
SramCell read_sram(const core::SectionReader& cell, const Conditions& conditions);

}  // namespace cimstat::devices
