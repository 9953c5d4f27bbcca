#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "devices/sram/current_cell.h"
#include "devices/sram/mismatch.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr Range currents{1e-21, 1e-2};                 // [A]
constexpr Range voltages{1e-3, 10.0};                  // [V]
constexpr Range gate_sizes{1e-9, 1e-3, false, false};  // [m]

double read_threshold_sd(const core::SectionReader& cell) {
  const bool by_area = cell.has("node") || cell.has("width") || cell.has("length");
  if (const auto sd = cell.optional_number("threshold_sd")) {
    if (by_area) {
      cell.fail("threshold_sd", "stands beside node, width or length",
                "the node and the gate area say it too", "keep one of these");
    }
    return *sd;
  }
  for (const std::string_view key : {"node", "width", "length"}) {
    if (cell.has(key)) continue;
    cell.fail(by_area ? key : "threshold_sd", "is missing", "the spread of the threshold is needed",
              "set threshold_sd, or node, width and length");
  }
  const std::string node = cell.choice("node");
  const auto presets = matching_presets();
  const auto preset = std::find_if(presets.begin(), presets.end(),
                                   [&](const auto& known) { return known.name == node; });
  return device_threshold_sd(preset->matching(),
                             {*cell.optional_number("width"), *cell.optional_number("length")});
}

}  // namespace

core::Variant sram_variant() {
  std::vector<core::Choice> nodes;
  for (const MatchingPreset& preset : matching_presets()) {
    nodes.push_back({preset.name, preset.meaning});
  }
  return {
      .name = "sram",
      .meaning =
          "SRAM cell of the current domain: conducts where it stores 1, leaks where it "
          "stores 0. Frozen: its threshold (normal), through which currents are skewed. "
          "Conductance = current / read_voltage",
      .source =
          "alpha-power law: Sakurai and Newton, IEEE JSSC 25, 584 (1990); EKV: Enz et al. "
          "(1995)",
      .parameters = {
          {.key = "current_law",
           .rule = core::option_rule(current_law_options, "alpha_power"),
           .meaning = "current against gate voltage"},
          {.key = "on_current",
           .rule = NumberRule{Quantity::current, currents, {}},
           .meaning = "current of a conducting cell of nominal threshold at 25 degC and supply 1",
           .example = "\"20 uA\""},
          {.key = "off_current",
           .rule = NumberRule{Quantity::current, currents, {}},
           .meaning = "current of a leaking cell of nominal threshold (the median) at 25 degC and "
                      "supply 1; sigma of its logarithm is threshold_sd / (n kT/q)",
           .example = "\"1 nA\""},
          {.key = "gate_voltage",
           .rule = NumberRule{Quantity::voltage, voltages, {}},
           .meaning = "gate-source voltage of a conducting cell at supply 1",
           .example = "\"0.9 V\""},
          {.key = "read_voltage",
           .rule = NumberRule{Quantity::voltage, voltages, {}},
           .meaning = "drain-source voltage at supply 1, at which the currents hold; "
                      "column.read_voltage must be the same",
           .example = "\"0.5 V\""},
          {.key = "threshold",
           .rule = NumberRule{Quantity::voltage, Range{-2.0, 5.0}, {}},
           .meaning = "nominal threshold at 25 degC",
           .example = "\"0.35 V\""},
          {.key = "threshold_sd",
           .rule = NumberRule{Quantity::voltage, Range{0.0, 0.5}, {}},
           .meaning = "sd of a cell's threshold against its nominal value (a pair's difference has "
                      "sqrt(2) times this); frozen",
           .example = "\"30 mV\"",
           .absent = "A_VT / sqrt(2 W L) of node, width and length"},
          {.key = "node",
           .rule = core::ChoiceRule{nodes, {}},
           .meaning = "process whose A_VT is taken, mid of its published range",
           .example = "\"hkmg_28nm\"",
           .absent = "as threshold_sd says",
           .source = "Pelgrom et al., IEEE JSSC 24, 1433 (1989); the values are unverified"},
          {.key = "width",
           .rule = NumberRule{Quantity::length, gate_sizes, {}},
           .meaning = "gate width W",
           .example = "\"100 nm\"",
           .absent = "as threshold_sd says"},
          {.key = "length",
           .rule = NumberRule{Quantity::length, gate_sizes, {}},
           .meaning = "gate length L",
           .example = "\"30 nm\"",
           .absent = "as threshold_sd says"},
          {.key = "exponent",
           .rule = NumberRule{Quantity::ratio, Range{1.0, 2.0}, 1.3},
           .meaning = "a of the alpha-power law: 1.2 to 1.4 for short channels, 2 for long ones",
           .example = "1.3"},
          {.key = "slope_factor",
           .rule = NumberRule{Quantity::ratio, Range{1.0, 3.0}, 1.4},
           .meaning = "n of weak inversion, 1.3 to 1.5",
           .example = "1.4"},
          {.key = "die_threshold_sd",
           .rule = NumberRule{Quantity::voltage, Range{0.0, 0.2}, {}},
           .meaning = "sd of the mean threshold of a die: conditions.corner counts in these, above "
                      "0 lowers the threshold",
           .example = "\"15 mV\"",
           .absent = "0; conditions.corner needs it"},
          {.key = "threshold_slope",
           .rule = NumberRule{Quantity::voltage, Range{0.0, 5e-3}, 0.8e-3},
           .meaning = "by how much the threshold falls for each kelvin",
           .example = "\"0.8 mV\""},
          {.key = "mobility_exponent",
           .rule = NumberRule{Quantity::ratio, Range{0.0, 3.0}, 1.5},
           .meaning = "mobility falls as the absolute temperature to minus this",
           .example = "1.5"},
          {.key = "read_noise",
           .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
           .meaning = "noise of each read, standard deviation relative to the current; fresh",
           .example = "0.01"}}};
}

SramCell read_sram(const core::SectionReader& cell, const Conditions& conditions) {
  SramCell result{.law = core::read_option(cell, "current_law", current_law_options),
                  .on_current = cell.number("on_current"),
                  .off_current = cell.number("off_current"),
                  .gate_voltage = cell.number("gate_voltage"),
                  .read_voltage = cell.number("read_voltage"),
                  .threshold = cell.number("threshold"),
                  .threshold_sd = read_threshold_sd(cell),
                  .exponent = cell.number("exponent"),
                  .slope_factor = cell.number("slope_factor"),
                  .die_threshold_sd = cell.optional_number("die_threshold_sd").value_or(0.0),
                  .threshold_slope = cell.number("threshold_slope"),
                  .mobility_exponent = cell.number("mobility_exponent"),
                  .read_noise = cell.number("read_noise"),
                  .conditions = conditions};
  const auto volt = [](double value) { return core::format_quantity(value, Quantity::voltage); };
  if (result.law == CurrentLaw::alpha_power && result.gate_voltage <= result.threshold) {
    cell.fail("gate_voltage",
              fmt::format("{} is not above the threshold {}", volt(result.gate_voltage),
                          volt(result.threshold)),
              "the alpha-power law has no current there", "raise it, or set current_law = \"ekv\"");
  }
  if (result.off_current >= result.on_current) {
    cell.fail("off_current", "is not below on_current", "a leaking cell is the one that stores 0",
              "swap the two");
  }
  if (conditions.corner != 0.0 && !cell.has("die_threshold_sd")) {
    cell.fail("die_threshold_sd", "is missing",
              "conditions.corner counts in standard deviations of the die's threshold",
              "set it, or corner = 0");
  }
  return result;
}

}  // namespace cimstat::devices
