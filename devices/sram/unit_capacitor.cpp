#include "devices/sram/unit_capacitor.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr double boltzmann = 1.380649e-23;  // [J/K], exact since 2019
constexpr Range capacitances{1e-18, 1e-9};  // [F]; unit capacitors are of some fF

}  // namespace

std::vector<ConditionUse> UnitCapacitor::condition_uses() { return {{Condition::supply}}; }

double UnitCapacitor::sd() const { return mismatch * std::sqrt(nominal); }

double UnitCapacitor::relative_sd() const { return mismatch / std::sqrt(nominal); }

core::Law UnitCapacitor::law() const { return core::Law::normal(nominal, sd()); }

double UnitCapacitor::parasitic(std::uint32_t units) const {
  return parasitic_share * units * nominal + parasitic_constant;
}

double UnitCapacitor::line_capacitance(std::uint32_t units) const {
  return units * nominal + parasitic(units);
}

double CapacitorPreset::mismatch() const { return relative_sd * std::sqrt(capacitance); }

const std::vector<CapacitorPreset>& capacitor_presets() {
  static const std::vector<CapacitorPreset> presets = {
      {.name = "uiuc_28nm",
       .meaning = "metal-oxide-metal, 28 nm: 0.66 % at 1 fF; parasitic 0.3 n C + 2 fF",
       .source = "CSNR-optimal-ADC (UIUC), code: sd = 2.1 10^-2.5 sqrt(C / fF) fF; no range and no "
                 "uncertainty are stated there",
       .relative_sd = 2.1 * std::pow(10.0, -2.5),
       .capacitance = 1e-15,
       .lowest = 0.3e-15,
       .highest = 10e-15,
       .parasitic_share = 0.3,
       .parasitic_constant = 2e-15},
      {.name = "tripathi_32nm_0_45ff",
       .meaning = "fringe capacitors, 32 nm, measured at 0.45 fF: 1.2 %",
       .source = "Tripathi and Murmann (2014); unverified",
       .relative_sd = 0.012,
       .capacitance = 0.45e-15,
       .lowest = 0.45e-15,
       .highest = 1.2e-15,
       .parasitic_share = 0.0,
       .parasitic_constant = 0.0},
      {.name = "tripathi_32nm_1_2ff",
       .meaning = "fringe capacitors, 32 nm, measured at 1.2 fF: 0.8 %",
       .source = "Tripathi and Murmann (2014); unverified",
       .relative_sd = 0.008,
       .capacitance = 1.2e-15,
       .lowest = 0.45e-15,
       .highest = 1.2e-15,
       .parasitic_share = 0.0,
       .parasitic_constant = 0.0}};
  return presets;
}

double thermal_voltage(double capacitance, double temperature) {
  return std::sqrt(boltzmann * temperature / capacitance);
}

core::Variant unit_capacitor_variant() {
  std::vector<core::Choice> presets;
  for (const CapacitorPreset& preset : capacitor_presets()) {
    presets.push_back({preset.name, preset.meaning});
  }
  return {.name = "unit_capacitor",
          .meaning =
              "one capacitor for each cell, for the charge domain: cells that are 1 are driven, "
              "the others grounded. Frozen: its capacitance. For charge-sharing bit lines only",
          .parameters = {
              {.key = "preset",
               .rule = core::ChoiceRule{presets, {}},
               .meaning = "published mismatch, scaled to `capacitance` as 1 / sqrt(C)",
               .example = "\"uiuc_28nm\"",
               .absent = "as relative_sd says",
               .source = "uiuc_28nm: CSNR-optimal-ADC (UIUC), code; tripathi_32nm: Tripathi and "
                         "Murmann (2014), unverified"},
              {.key = "capacitance",
               .rule = NumberRule{Quantity::capacitance, capacitances, 1e-15},
               .meaning = "nominal capacitance C",
               .example = "\"1 fF\""},
              {.key = "relative_sd",
               .rule = NumberRule{Quantity::ratio, Range{0.0, 0.11}, {}},
               .meaning = "sd / C of one capacitor against its nominal value; frozen",
               .example = "\"0.66 %\"",
               .absent = "that of the preset, or 0"}}};
}

UnitCapacitor read_unit_capacitor(const core::SectionReader& cell) {
  UnitCapacitor unit{.nominal = cell.number("capacitance")};
  if (cell.has("preset")) {
    const std::string name = cell.choice("preset");
    const auto& presets = capacitor_presets();
    const auto preset = std::find_if(presets.begin(), presets.end(),
                                     [&](const auto& known) { return known.name == name; });
    if (unit.nominal < preset->lowest || unit.nominal > preset->highest) {
      const auto farad = [](double value) {
        return core::format_quantity(value, Quantity::capacitance);
      };
      cell.fail("capacitance",
                fmt::format("{} is outside of what {} covers", farad(unit.nominal), name),
                fmt::format("{} to {}", farad(preset->lowest), farad(preset->highest)),
                "leave preset out and set relative_sd");
    }
    unit.mismatch = preset->mismatch();
    unit.parasitic_share = preset->parasitic_share;
    unit.parasitic_constant = preset->parasitic_constant;
  }
  if (const auto relative_sd = cell.optional_number("relative_sd")) {
    unit.mismatch = *relative_sd * std::sqrt(unit.nominal);
  }
  return unit;
}

}  // namespace cimstat::devices
