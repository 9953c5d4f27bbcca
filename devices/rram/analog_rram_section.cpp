#include <cmath>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "devices/level_targets.h"
#include "devices/rram/analog_rram.h"

namespace cimstat::devices {

namespace {

using core::NumberRule;
using core::Quantity;
using core::Range;

constexpr Range resistances{0.0, 1e12};               // [ohm]
constexpr Range dwell_times{1e-12, 1e10};             // [s]
constexpr Range conductances{0.0, 1e3, true, false};  // [S]

std::string seconds(double time) { return core::format_quantity(time, Quantity::time); }

std::vector<double> read_levels(const core::SectionReader& cell, const RramPreset& preset) {
  if (!preset.binary) return read_targets(cell, {preset.lowest, preset.highest});
  for (const std::string_view key : {"levels", "lowest", "highest", "targets"}) {
    if (cell.has(key)) {
      cell.fail(
          key, fmt::format("preset {} has two conductances of its own", preset.name),
          fmt::format("{} and {}", core::format_quantity(preset.lowest, Quantity::conductance),
                      core::format_quantity(preset.highest, Quantity::conductance)),
          "leave the key out");
    }
  }
  return {preset.lowest, preset.highest};
}

void check_time(const core::SectionReader& cell, const RramPreset& preset, double time) {
  if (time == 0.0) return;
  const std::string why = fmt::format("conditions.time is {}", seconds(time));
  switch (preset.clock) {
    case RramClock::fixed:
      if (time != preset.time) {
        cell.fail("preset",
                  fmt::format("{} holds {} after programming", preset.name, seconds(preset.time)),
                  why, "take \"neurram\", which is continuous in time, or leave the time out");
      }
      break;
    case RramClock::none:
      if (!cell.has("retention_loss") && !cell.has("retention_exponent") &&
          !cell.has("low_frequency_noise")) {
        cell.fail("preset", fmt::format("{} knows nothing of time", preset.name), why,
                  "state retention_loss and retention_time, or retention_exponent, or leave the "
                  "time out");
      }
      break;
    case RramClock::continuous:
      if (time < preset.time) {
        cell.fail("preset",
                  fmt::format("the relaxation of {} was measured from {} on", preset.name,
                              seconds(preset.time)),
                  why, "choose a later time, or 0 for cells just programmed");
      }
  }
}

std::optional<WriteVerify> read_verify(const core::SectionReader& cell, const RramPreset& preset) {
  if (!cell.has("verify_window")) {
    for (const std::string_view key : {"pulse_sd", "verify_noise"}) {
      if (cell.has(key)) {
        cell.fail(key, "has no effect without verify_window", {}, "set both, or leave both out");
      }
    }
    return std::nullopt;
  }
  if (!cell.has("pulse_sd")) {
    cell.fail("verify_window", "needs pulse_sd too", "what is accepted depends on it",
              "state the spread before verifying");
  }
  if (preset.kind != RramSpread::normal || preset.clock == RramClock::fixed) {
    cell.fail("verify_window", fmt::format("can't replace the programming of {}", preset.name),
              preset.clock == RramClock::fixed ? "its fit holds programming and relaxation together"
                                               : "it is not a normal law",
              "take another preset, or leave the key out");
  }
  return WriteVerify{*cell.optional_number("pulse_sd"),
                     cell.optional_number("verify_noise").value_or(0.0),
                     *cell.optional_number("verify_window")};
}

void read_voltages(const core::SectionReader& cell, AnalogRram& result) {
  const bool curve = result.preset->at_voltage != nullptr;
  result.sinh_scale = cell.optional_number("sinh_scale").value_or(0.0);
  if (!cell.has("voltage")) {
    if (result.sinh_scale > 0.0) {
      cell.fail("sinh_scale", "needs voltage too", "the curve is read there", "state both");
    }
    return;
  }
  const double voltage = *cell.optional_number("voltage") * result.conditions.supply;
  if (!curve && result.sinh_scale == 0.0) {
    cell.fail("voltage", fmt::format("preset {} has no I-V curve", result.preset->name), {},
              "state sinh_scale, or leave the key out");
  }
  if (curve && voltage > result.preset->highest_voltage) {
    cell.fail("voltage", "is beyond what the I-V curve was fitted to",
              fmt::format("{}, with conditions.supply; up to {}",
                          core::format_quantity(voltage, Quantity::voltage),
                          core::format_quantity(result.preset->highest_voltage, Quantity::voltage)),
              "lower it");
  }
  result.voltage = voltage;
}

void read_traps(const core::SectionReader& cell, AnalogRram& result) {
  const bool dwells = cell.has("telegraph_capture_time") && cell.has("telegraph_emission_time");
  const bool one_way = cell.has("telegraph_probability") != dwells;
  for (const std::string_view key : {"telegraph_probability", "telegraph_capture_time",
                                     "telegraph_emission_time", "telegraph_amplitude"}) {
    if (!cell.has(key) || (one_way && cell.has("telegraph_amplitude"))) continue;
    cell.fail(key, "telegraph noise is not complete",
              "it needs telegraph_amplitude, and either telegraph_probability or both dwell times",
              "set these, or leave all out");
  }
  result.telegraph_probability = cell.optional_number("telegraph_probability").value_or(0.0);
  if (dwells) {
    result.traps = TelegraphNoise{*cell.optional_number("telegraph_capture_time"),
                                  *cell.optional_number("telegraph_emission_time")};
  }
}

}  // namespace

core::Variant analog_rram_variant() {
  core::ChoiceRule presets;
  for (const RramPreset& preset : rram_presets()) {
    presets.choices.push_back({preset.name, preset.meaning});
  }
  core::Variant variant{
      .name = "analog_rram",
      .meaning =
          "resistive cell of two or more levels with published statistics: programming, "
          "relaxation, read noise, I-V curve, wear",
      .source = "the presets' sources: experiments/docs/rram.md",
      .parameters = {{.key = "preset",
                      .rule = presets,
                      .meaning = "whose statistics; experiments/docs/rram.md has sources, validity "
                                 "and uncertainty of each",
                      .example = "\"neurram\""}}};
  auto& keys = variant.parameters;
  for (const core::Parameter& parameter : target_parameters()) keys.push_back(parameter);
  const std::vector<core::Parameter> own = {
      {.key = "variation",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "relative standard deviation of a normal conductance",
       .example = "0.05",
       .absent = "none; for preset neurosim only",
       .source = "NeuroSim's parameter vari"},
      {.key = "access_resistance",
       .rule = NumberRule{Quantity::resistance, resistances, 0.0},
       .meaning = "series resistance R of the access transistor: G becomes G / (1 + G R)",
       .example = "\"2 kohm\""},
      {.key = "voltage",
       .rule = NumberRule{Quantity::voltage, Range{0.0, 2.0}, {}},
       .meaning = "at which the I-V curve is read; conditions.supply multiplies it",
       .example = "\"0.2 V\"",
       .absent = "the cell is linear"},
      {.key = "sinh_scale",
       .rule = NumberRule{Quantity::voltage, Range{0.05, 10.0}, {}},
       .meaning = "V0 of the lowest level's I = G V0 sinh(V / V0)",
       .example = "\"0.3 V\"",
       .absent = "the lowest level is linear",
       .source = "0.2 to 0.5 V; unverified"},
      {.key = "read_noise",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
       .meaning = "noise of each read besides the preset's, standard deviation relative to the "
                  "conductance as read, behind the access transistor",
       .example = "0.01"},
      {.key = "low_frequency_noise",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning =
           "Q of 1/f noise: each read has Q sqrt(ln((t + t_read) / (2 t_read))), relative to "
           "the conductance before the access transistor, t = conditions.time",
       .example = "0.005",
       .absent = "none besides the preset's",
       .source = "LRS 0.003 to 0.01, HRS 0.02 to 0.1; unverified"},
      {.key = "read_time",
       .rule = NumberRule{Quantity::time, Range{1e-12, 1.0}, {}},
       .meaning = "t_read, how long a read takes",
       .example = "\"1 us\"",
       .absent = "1 us"},
      {.key = "telegraph_probability",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning =
           "probability that a cell's trap is occupied, tau_e / (tau_c + tau_e); frozen while "
           "a column is read",
       .example = "0.3",
       .absent = "0; it needs telegraph_amplitude too",
       .source = "Ambrogio et al., IEEE TED 61, 2920 (2014)"},
      {.key = "telegraph_capture_time",
       .rule = NumberRule{Quantity::time, dwell_times, {}},
       .meaning = "tau_c, mean time that a trap stays empty, in place of telegraph_probability: "
                  "traps that change more than once in read_time are averaged by the read",
       .example = "\"30 us\"",
       .absent = "as telegraph_probability says",
       .source = "two-state Markov process; 1 us to 100 s, unverified"},
      {.key = "telegraph_emission_time",
       .rule = NumberRule{Quantity::time, dwell_times, {}},
       .meaning = "tau_e, mean time that a trap stays occupied",
       .example = "\"10 us\"",
       .absent = "required with telegraph_capture_time",
       .source = "as telegraph_capture_time"},
      {.key = "telegraph_amplitude",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "share dG/G that an occupied trap takes from a cell of 100 uS, before the access "
                  "transistor; a x (100 uS / G) from others, at most telegraph_largest",
       .example = "0.02",
       .absent = "0; it needs telegraph_probability or dwell times too",
       .source = "1 % to 3 %; unverified"},
      {.key = "telegraph_largest",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "the largest dG/G",
       .example = "0.5",
       .absent = "0.5",
       .source = "0.3 to 1; unverified"},
      {.key = "verify_window",
       .rule = NumberRule{Quantity::conductance, conductances, {}},
       .meaning =
           "write-verify in place of the preset's programming: cells are written again until "
           "|G + noise - target| < window",
       .example = "\"1 uS\"",
       .absent = "the preset's programming"},
      {.key = "pulse_sd",
       .rule = NumberRule{Quantity::conductance, conductances, {}},
       .meaning = "standard deviation of the conductance before verifying",
       .example = "\"4 uS\"",
       .absent = "required with verify_window"},
      {.key = "verify_noise",
       .rule = NumberRule{Quantity::conductance, Range{0.0, 1e3}, {}},
       .meaning = "standard deviation of the noise of the read that decides",
       .example = "\"0.3 uS\"",
       .absent = "0"},
      {.key = "stuck_at_lrs",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "fraction of cells stuck at the highest level's target",
       .example = "0.001",
       .absent = "the preset's: 0, mnsim 0.001"},
      {.key = "stuck_at_hrs",
       .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
       .meaning = "fraction of cells stuck at the lowest level's target",
       .example = "0.001",
       .absent = "the preset's: 0, mnsim 0.001"}};
  keys.insert(keys.end(), own.begin(), own.end());
  for (const core::Parameter& parameter : wear_parameters()) keys.push_back(parameter);
  return variant;
}

AnalogRram read_analog_rram(const core::SectionReader& cell, const Conditions& conditions) {
  const RramPreset& preset = rram_preset(cell.choice("preset"));
  AnalogRram result;
  result.preset = &preset;
  result.targets = read_levels(cell, preset);
  result.conditions = conditions;
  check_time(cell, preset, conditions.time);
  if (cell.has("variation") && preset.name != "neurosim") {
    cell.fail("variation", fmt::format("preset {} has a spread of its own", preset.name), {},
              "leave the key out, or take preset \"neurosim\"");
  }
  result.variation = cell.optional_number("variation").value_or(0.0);
  result.access_resistance = cell.number("access_resistance");
  read_voltages(cell, result);
  result.read_noise = cell.number("read_noise");
  result.low_frequency_noise = cell.optional_number("low_frequency_noise").value_or(0.0);
  result.read_time = cell.optional_number("read_time").value_or(1e-6);
  if (result.low_frequency_noise > 0.0 && !(result.age() > result.read_time)) {
    cell.fail("low_frequency_noise", "is nothing yet",
              fmt::format("it gathers from read_time, {}, to conditions.time, {}",
                          seconds(result.read_time), seconds(result.age())),
              "choose a later conditions.time, or leave the key out");
  }
  read_traps(cell, result);
  result.telegraph.at_reference = cell.optional_number("telegraph_amplitude").value_or(0.0);
  result.telegraph.largest = cell.optional_number("telegraph_largest").value_or(0.5);
  result.verify = read_verify(cell, preset);
  result.stuck_at_lrs = cell.optional_number("stuck_at_lrs").value_or(preset.stuck);
  result.stuck_at_hrs = cell.optional_number("stuck_at_hrs").value_or(preset.stuck);
  if (result.stuck_at_lrs + result.stuck_at_hrs > 1.0) {
    cell.fail("stuck_at_lrs", "stuck_at_lrs + stuck_at_hrs exceeds 1",
              "they are fractions of all cells", "lower one of them");
  }
  result.wear = read_wear(cell, conditions);
  return result;
}

}  // namespace cimstat::devices
