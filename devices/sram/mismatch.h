#pragma once

#include <span>
#include <string_view>

/// Threshold mismatch of transistors by their area (Pelgrom, Duinmaijer and Welbers, IEEE JSSC 24,
/// 1433 (1989)).
namespace cimstat::devices {

/// Gate area of one transistor.
struct GateArea {
  double width = 0.0;   ///< W [m]
  double length = 0.0;  ///< L [m]
};

/// sd of the difference of the thresholds of two equal, neighbouring transistors: A_VT / sqrt(W L)
/// [V]. `matching` is A_VT [V m]; 1 mV um is 1e-9 V m. What input pairs and A_VT itself are about.
double pair_threshold_sd(double matching, GateArea area);

/// sd of the threshold of one transistor against its nominal value: A_VT / sqrt(2 W L) [V], the
/// pair's over sqrt(2). What the spread of a cell is about; all models here take this one.
double device_threshold_sd(double matching, GateArea area);

/// A_VT of a process, as a range: published values differ that much.
struct MatchingPreset {
  std::string_view name;
  std::string_view meaning;
  std::string_view source;
  double lowest;        ///< A_VT [V m]
  double highest;       ///< A_VT [V m]
  double cell_lowest;   ///< sd of one threshold in cells of minimum size [V]; 0 where none is known
  double cell_highest;  ///< [V]

  double matching() const { return 0.5 * (lowest + highest); }  ///< mid of the range [V m]
};

std::span<const MatchingPreset> matching_presets();

/// A transistor of OpenYield's benchmark cell (FreePDK45, L = 50 nm): thresholds with a relative sd
/// of 5 % each.
struct BenchmarkTransistor {
  std::string_view name;
  GateArea area;
  double threshold;    ///< magnitude of vth0 [V]
  double relative_sd;  ///< of the threshold, against its nominal value
  double threshold_sd() const { return relative_sd * threshold; }  ///< [V]
};

/// Pull-down, access, pull-up. Source: OpenYield (code): W (PD, PG, PU) = 205, 135, 90 nm, vth0
/// 0.4106 / -0.3842 V.
std::span<const BenchmarkTransistor> openyield_cell();

}  // namespace cimstat::devices
