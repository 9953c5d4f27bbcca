#include "devices/sram/mismatch.h"

#include <cmath>

namespace cimstat::devices {

namespace {

constexpr double mv_um = 1e-9;  // [V m]
constexpr double nm = 1e-9;     // [m]
constexpr std::string_view collected = "collected from the literature; unverified";

constexpr MatchingPreset presets[] = {
    {"bulk_180nm", "A_VT 5 mV um", collected, 5 * mv_um, 5 * mv_um, 0, 0},
    {"bulk_130nm", "A_VT 4 mV um", collected, 4 * mv_um, 4 * mv_um, 0, 0},
    {"bulk_90nm", "A_VT 3.5 mV um", collected, 3.5 * mv_um, 3.5 * mv_um, 0, 0},
    {"bulk_65nm", "A_VT 2.8 to 3.5 mV um, taken as 3.15", collected, 2.8 * mv_um, 3.5 * mv_um,
     0.035, 0.045},
    {"bulk_45nm", "40 and 45 nm: A_VT 2.2 to 2.8 mV um, taken as 2.5", collected, 2.2 * mv_um,
     2.8 * mv_um, 0, 0},
    {"hkmg_28nm", "high-k metal gate: A_VT 1.5 to 2.0 mV um, taken as 1.75", collected, 1.5 * mv_um,
     2.0 * mv_um, 0.030, 0.040},
    {"fdsoi_28nm", "28 and 22 nm FDSOI: A_VT 1.2 to 1.4 mV um, taken as 1.3", collected,
     1.2 * mv_um, 1.4 * mv_um, 0, 0},
    {"finfet_16nm", "16 and 14 nm FinFET: A_VT 1.2 to 1.5 mV um, taken as 1.35", collected,
     1.2 * mv_um, 1.5 * mv_um, 0.020, 0.030},
    {"finfet_7nm", "7 and 5 nm FinFET: A_VT 1.0 to 1.3 mV um, taken as 1.15", collected,
     1.0 * mv_um, 1.3 * mv_um, 0.020, 0.030}};

constexpr BenchmarkTransistor transistors[] = {{"pull_down", {205 * nm, 50 * nm}, 0.4106, 0.05},
                                               {"access", {135 * nm, 50 * nm}, 0.4106, 0.05},
                                               {"pull_up", {90 * nm, 50 * nm}, 0.3842, 0.05}};

}  // namespace

double pair_threshold_sd(double matching, GateArea area) {
  return matching / std::sqrt(area.width * area.length);
}

double device_threshold_sd(double matching, GateArea area) {
  return matching / std::sqrt(2.0 * area.width * area.length);
}

std::span<const MatchingPreset> matching_presets() { return presets; }

std::span<const BenchmarkTransistor> openyield_cell() { return transistors; }

}  // namespace cimstat::devices
