#pragma once

#include <string_view>
#include <vector>

#include "devices/rram/relaxation.h"

/// Published statistics of resistive memories. Formulas in uS and s as printed; functions here in S
/// and s.
namespace cimstat::devices {

/// What `spread` is.
enum class RramSpread {
  normal,              ///< sd of a normal conductance [S]
  lognormal,           ///< sd of ln G
  normal_resistance,   ///< relative sd of a normal resistance
  uniform_resistance,  ///< relative half width of a uniform resistance
};

/// What a set knows of the time since programming.
enum class RramClock {
  none,        ///< nothing: statistics of freshly programmed cells, or of no stated time
  fixed,       ///< fitted at one time
  continuous,  ///< a function of time
};

struct RramPreset {
  std::string_view name{};
  std::string_view meaning{};
  std::string_view source{};
  std::string_view remark{};  ///< validity and uncertainty
  double lowest = 0.0;        ///< conductances that it covers [S]; the two levels where `binary`
  double highest = 0.0;
  bool binary = false;
  RramSpread kind = RramSpread::normal;
  double (*spread)(double target, double time) = nullptr;
  RramClock clock = RramClock::none;
  double time = 0.0;                                         ///< of the fit; the first one [s]
  double (*shift)(double time) = nullptr;                    ///< of the mean [S]
  double (*read_sd)(double g, double time) = nullptr;        ///< fresh [S]
  double (*at_voltage)(double g, double voltage) = nullptr;  ///< I(V) / V [S]
  double highest_voltage = 0.0;                              ///< of that [V]
  double stuck = 0.0;  ///< share of cells stuck, at each of the two ends
};

const std::vector<RramPreset>& rram_presets();
/// Throws std::logic_error where there is none.
const RramPreset& rram_preset(std::string_view name);

// The formulas, in S and s.

/// NeuRRAM (Wan et al., Nature 608, 504 (2022)), sd about the target at 1 s, 1 day and 2 days in
/// aihwkit's fit: sum c_i x^i uS, x = G / 40 uS, 0 .. 40 uS.
double neurram_sd_1s(double target);
double neurram_sd_1d(double target);
double neurram_sd_2d(double target);
/// The same figure at 1 s in CrossSim's fit: 1.536e-4 G^3 - 1.167e-2 G^2 + 0.2374 G + 1.053 uS, G
/// in uS, up to 39.26 uS.
double neurram_sd_crosssim(double target);
/// Our fit to aihwkit's three: variance s0^2 + s1^2 ln(1 + t / 1 s), by least squares in the
/// variance for each target.
LogTimeRelaxation neurram_relaxation(double target);
double neurram_sd(double target, double time);

/// Milo et al., IRPS 2021 (HfO2, 4 kb, IGVVA-100), CrossSim's fit: max(0, 4.782321 - 0.009107 G)
/// uS.
double milo_sd(double target);

/// CMO/HfOx of IBM Zurich (Falcone et al.), aihwkit's fit, in uS: programming sd 8.1107e-4 +
/// 1.06879e-3 G (acceptance window 0.2 %) or 0.0112185391 + 0.01129027418 G (2 %); relaxation from
/// 1 s on: mean -0.08900206 ln t, sd 0.04201137 ln t + 0.41183342; read 0.0277316483 log10(G)
/// sqrt(ln((t + 1 us) / 2 us)), G in uS.
double cmo_programming_sd_0_2(double target);
double cmo_programming_sd_2(double target);
double cmo_relaxation_mean(double time);
double cmo_relaxation_sd(double time);
double cmo_read_sd(double conductance, double time);

}  // namespace cimstat::devices
