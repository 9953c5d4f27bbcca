#include "circuits/bit_line/bit_line_section.h"

#include <cmath>

#include <fmt/format.h>

#include "core/config/option.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/wire_current.h"

namespace cimstat::circuits {

namespace {

using core::FlagRule;
using core::NumberRule;
using core::Parameter;
using core::Quantity;
using core::Range;

// Bounds that keep a mistyped exponent out; no line has such figures.
constexpr Range voltages{1e-3, 100.0};                // [V]
constexpr Range capacitances{1e-18, 1e-9};            // [F]
constexpr Range times{1e-15, 1e-3};                   // [s]
constexpr Range currents{1e-15, 1.0};                 // [A]
constexpr Range resistances{0.0, 1e9};                // [ohm]
constexpr Range charges{-1e-12, 1e-12};               // [C]
constexpr Range modulations{0.0, 10.0, true, false};  // [1/V]

constexpr core::Option<DischargePath> paths[] = {
    {DischargePath::saturated, {"saturated", "each draws its current whatever the voltage"}},
    {DischargePath::resistive, {"resistive", "each draws conductance times the line's voltage"}}};

std::vector<Parameter> wire_parameters() {
  return {{.key = "segment_resistance",
           .rule = NumberRule{Quantity::resistance, resistances, {}},
           .meaning = "of the wire from one row to the next",
           .example = "\"1.5 ohm\""},
          {.key = "sense_resistance",
           .rule = NumberRule{Quantity::resistance, resistances, 0.0},
           .meaning = "from the last segment to the virtual ground",
           .example = "\"100 ohm\""}};
}

core::Variant discharge_variant() {
  return {.name = "discharge",
          .meaning =
              "a precharged line that the cells discharge for a time; delivers its swing "
              "below precharge, in volts",
          .parameters = {
              {.key = "cells",
               .rule = core::option_rule(paths, "saturated"),
               .meaning = "what a cell draws while the line falls"},
              {.key = "precharge",
               .rule = NumberRule{Quantity::voltage, voltages, {}},
               .meaning = "voltage before the read; conditions.supply multiplies it",
               .example = "\"0.8 V\""},
              {.key = "capacitance",
               .rule = NumberRule{Quantity::capacitance, capacitances, {}},
               .meaning = "of the line",
               .example = "\"64 fF\""},
              {.key = "time",
               .rule = NumberRule{Quantity::time, times, {}},
               .meaning = "of the discharge, until the line is sensed",
               .example = "\"1 ns\""},
              {.key = "channel_length_modulation",
               .rule = NumberRule{Quantity::ratio, modulations, {}},
               .meaning = "lambda, per volt: a saturated cell draws its current times 1 + lambda V",
               .example = "0.1",
               .absent = "saturated cells draw the same at all voltages"},
              {.key = "saturation_voltage",
               .rule = NumberRule{Quantity::voltage, voltages, {}},
               .meaning = "least voltage at which cells saturate; refused where all rows in LRS "
                          "bring the line below it",
               .example = "\"0.2 V\"",
               .absent = "not checked"}}};
}

core::Variant sharing_variant() {
  return {
      .name = "charge_sharing",
      .meaning =
          "unit capacitors (cell.model = \"unit_capacitor\"), driven to "
          "column.read_voltage where a cell is 1 and grounded elsewhere, share their "
          "charge; delivers volts",
      .parameters = {{.key = "parasitic",
                      .rule = NumberRule{Quantity::capacitance, Range{0.0, 1e-9}, {}},
                      .meaning = "capacitance of the line itself and of what senses it",
                      .example = "\"20 fF\"",
                      .absent = "that of the cell's preset, or none"},
                     {.key = "thermal_noise",
                      .rule = FlagRule{true},
                      .meaning = "sqrt(k T / C_tot) at conditions.temperature, fresh at each read"},
                     {.key = "injected_charge",
                      .rule = NumberRule{Quantity::charge, charges, 0.0},
                      .meaning = "that switches leave on the line whatever it holds",
                      .example = "\"0.1 fC\""},
                     {.key = "injected_fraction",
                      .rule = NumberRule{Quantity::ratio, Range{-0.5, 0.5}, 0.0},
                      .meaning = "what they leave there in proportion to its voltage",
                      .example = "\"-1 %\""}}};
}

core::Variant asim_variant() {
  const NumberRule share{Quantity::ratio, Range::fraction(), 0.0};
  return {.name = "asim",
          .meaning =
              "the noise of ASiM's charge domain, to compare with it: the MAC value as a "
              "part of all rows, and normal noise, all fresh; delivers volts, "
              "column.read_voltage being full scale",
          .source = "ASiM (Zhang et al., 2024), code: s^2 = random^2 + mismatch^2 / (MAC + 1)",
          .parameters = {{.key = "random_noise",
                          .rule = share,
                          .meaning = "standard deviation, part of full scale",
                          .example = "\"0.1 %\""},
                         {.key = "mismatch_noise",
                          .rule = share,
                          .meaning = "standard deviation at MAC value 0, part of full scale; falls "
                                     "as 1 / sqrt(MAC + 1)",
                          .example = "\"0.1 %\""}}};
}

}  // namespace

core::Section bit_line_section() {
  return {.key = "bit_line",
          .need = core::Need::optional,
          .meaning =
              "what the bit line makes of what its cells add to it; references, offset and "
              "noise are in what it delivers",
          .selector = "kind",
          .selector_meaning = "kind of line",
          .selector_fallback = "ideal",
          .variants = {{.name = "ideal", .meaning = "delivers the sum of the currents"},
                       discharge_variant(),
                       {.name = "compression",
                        .meaning = "delivers I / (1 + I / knee), I being the sum of the currents",
                        .source = "ASiM's current domain: MAC / (1 + alpha MAC)",
                        .parameters = {{.key = "knee",
                                        .rule = NumberRule{Quantity::current, currents, {}},
                                        .meaning = "the sum that is halved",
                                        .example = "\"200 uA\""}}},
                       {.name = "wire_resistance",
                        .meaning = "ideal word lines and a resistive bit line, solved for each "
                                   "read; active rows and LRS cells lie anywhere, all orders "
                                   "equally likely; delivers the current at its end",
                        .parameters = wire_parameters()},
                       {.name = "lumped_wire",
                        .meaning = "the same as one resistance, r_s + r (N + 1)(2 N + 1) / (6 N): "
                                   "0.2 % off at a drop of 9 %, 14 % at 56 %",
                        .parameters = wire_parameters()},
                       sharing_variant(),
                       asim_variant()}};
}

BitLine read_bit_line(const core::SectionReader& section, const LineSurroundings& surroundings) {
  const std::string_view kind = section.variant();
  if (kind == "discharge") {
    Discharge line{.path = core::read_option(section, "cells", paths),
                   .precharge = section.number("precharge") * surroundings.conditions.supply,
                   .capacitance = section.number("capacitance"),
                   .time = section.number("time"),
                   .read_voltage = surroundings.read_voltage};
    for (const std::string_view key : {"channel_length_modulation", "saturation_voltage"}) {
      if (line.path == DischargePath::saturated || !section.has(key)) continue;
      section.fail(key, "has no place here", "resistive cells don't saturate",
                   "leave it out, or write cells = \"saturated\"");
    }
    line.modulation = section.optional_number("channel_length_modulation").value_or(0.0);
    return line;
  }
  if (kind == "compression") return Compression{section.number("knee")};
  if (kind == "wire_resistance" || kind == "lumped_wire") {
    const WireResistance wire{.segment = section.number("segment_resistance"),
                              .sense = section.number("sense_resistance"),
                              .read_voltage = surroundings.read_voltage};
    if (kind == "wire_resistance") return wire;
    const double resistance = lumped_resistance(wire, surroundings.rows);
    if (resistance == 0.0) {
      section.fail("segment_resistance", "makes a wire without resistance", {},
                   "write kind = \"ideal\"");
    }
    return Compression{wire.read_voltage / resistance};
  }
  if (kind == "charge_sharing") {
    return ChargeSharing{
        .supply = surroundings.read_voltage,
        .parasitic = section.optional_number("parasitic").value_or(surroundings.parasitic),
        .temperature = section.flag("thermal_noise") ? surroundings.conditions.temperature : 0.0,
        .injected_charge = section.number("injected_charge"),
        .injected_fraction = section.number("injected_fraction")};
  }
  if (kind == "asim") {
    return AsimNoise{.full_scale = surroundings.read_voltage,
                     .random = section.number("random_noise"),
                     .mismatch = section.number("mismatch_noise")};
  }
  return IdealSum{};
}

void check_saturation(const core::SectionReader& section, const ColumnDesign& design) {
  const auto* discharge = std::get_if<Discharge>(&design.bit_line);
  if (discharge == nullptr) return;
  const LineCurve curve = *curve_of(*discharge);
  const double sum = design.rows * design.lrs.mean();
  const double end = discharge->precharge - curve(sum);
  const double least = section.optional_number("saturation_voltage").value_or(0.0);
  const bool is_empty = curve(sum) >= discharge->precharge;
  if (discharge->path == DischargePath::resistive || (end >= least && !is_empty)) return;
  const auto volts = [](double value) { return core::format_quantity(value, Quantity::voltage); };
  section.fail("time",
               is_empty ? "leaves nothing on the line, all rows in LRS"
                        : fmt::format("brings the line to {}, all rows in LRS", volts(end)),
               is_empty ? "MAC values beyond that read alike"
                        : fmt::format("cells saturate down to {}", volts(least)),
               "shorten it, or raise capacitance");
}

void check_injection(const core::SectionReader& section, const ColumnDesign& design) {
  const auto* sharing = std::get_if<ChargeSharing>(&design.bit_line);
  if (sharing == nullptr) return;
  const double total = total_capacitance(design);
  const double moved = std::abs(sharing->injected_charge) / total;
  if (moved <= sharing->supply) return;
  section.fail("injected_charge",
               fmt::format("moves the line by {}", core::format_quantity(moved, Quantity::voltage)),
               fmt::format("its {} are driven to {} at the most",
                           core::format_quantity(total, Quantity::capacitance),
                           core::format_quantity(sharing->supply, Quantity::voltage)),
               "lower it: switches leave a few fC");
}

core::Parameter voltage_parameter(std::string_view key, std::string_view meaning,
                                  std::string_view example) {
  return {.key = key,
          .rule = NumberRule{Quantity::voltage, Range{0.0, voltages.high}, {}},
          .meaning = meaning,
          .example = example,
          .absent = "none, or that in amperes where the bit line delivers a current"};
}

double delivered_number(const core::SectionReader& section, const BitLine& line,
                        std::string_view current_key, std::string_view voltage_key) {
  const bool is_current = delivered_quantity(line) == Quantity::current;
  const auto refuse = [&](std::string_view wrong, std::string_view right) {
    section.fail(wrong, fmt::format("is a {}", is_current ? "voltage" : "current"),
                 fmt::format("the bit line ({}) delivers a {}", name_of(line),
                             is_current ? "current" : "voltage"),
                 fmt::format("write {}", right));
  };
  if (is_current) {
    if (section.has(voltage_key)) refuse(voltage_key, current_key);
    return section.number(current_key);
  }
  // A resolved configuration holds the default, 0 A.
  if (section.has(current_key) && section.number(current_key) > 0.0) {
    refuse(current_key, voltage_key);
  }
  return section.optional_number(voltage_key).value_or(0.0);
}

void read_voltages(const core::SectionReader& sense_amplifier, ColumnDesign& design) {
  // Given by transistors: in what its transresistance makes of the line's volts.
  if (sense_amplifier.has("voltage_latch") || sense_amplifier.has("current_amplifier")) return;
  const double offset =
      delivered_number(sense_amplifier, design.bit_line, "offset_sd", "offset_voltage_sd");
  const double noise =
      delivered_number(sense_amplifier, design.bit_line, "noise_sd", "noise_voltage_sd");
  if (delivered_quantity(design.bit_line) == Quantity::current) return;
  if (sense_amplifier.has("noise_knee")) {
    sense_amplifier.fail(
        "noise_knee", "is a current",
        fmt::format("the bit line ({}) delivers a voltage", name_of(design.bit_line)),
        "leave it out");
  }
  if (sense_amplifier.has("offset_voltage_sd")) design.sense.offset_sd = offset;
  if (sense_amplifier.has("noise_voltage_sd")) design.sense.noise_sd = noise;
}

namespace {

struct Description {
  static std::string text(double value, Quantity quantity) {
    return core::format_quantity(value, quantity);
  }
  static std::string percent(double share) { return fmt::format("{:.4g} %", 100.0 * share); }

  std::string operator()(const IdealSum&) const { return "ideal: the sum of the currents"; }
  std::string operator()(const Discharge& line) const {
    const std::string cells =
        line.path == DischargePath::resistive ? "resistive cells"
        : line.modulation > 0.0 ? fmt::format("saturated cells (lambda {:g} / V)", line.modulation)
                                : "saturated cells";
    return fmt::format("{} precharged to {}, discharged by {} for {}",
                       text(line.capacitance, Quantity::capacitance),
                       text(line.precharge, Quantity::voltage), cells,
                       text(line.time, Quantity::time));
  }
  std::string operator()(const Compression& line) const {
    return fmt::format("I / (1 + I / {})", text(line.knee, Quantity::current));
  }
  std::string operator()(const WireResistance& line) const {
    return fmt::format("{} a segment, {} to the sense amplifier; cells anywhere along it",
                       text(line.segment, Quantity::resistance),
                       text(line.sense, Quantity::resistance));
  }
  std::string operator()(const ChargeSharing& line) const {
    std::string words =
        fmt::format("charge shared from {}, parasitic {}", text(line.supply, Quantity::voltage),
                    text(line.parasitic, Quantity::capacitance));
    if (line.temperature > 0.0) {
      words += fmt::format(", kT/C noise at {:g} K (fresh at each read)", line.temperature);
    }
    if (line.injected_charge != 0.0) {
      words += ", injected " + text(line.injected_charge, Quantity::charge);
    }
    if (line.injected_fraction != 0.0) {
      words += fmt::format(", injected {} of the signal", percent(line.injected_fraction));
    }
    return words;
  }
  std::string operator()(const AsimNoise& line) const {
    return fmt::format(
        "ASiM's noise on {} full scale: random {}, mismatch {} / sqrt(MAC + 1) "
        "(fresh at each read)",
        text(line.full_scale, Quantity::voltage), percent(line.random), percent(line.mismatch));
  }
};

}  // namespace

std::string describe(const BitLine& line) { return std::visit(Description{}, line); }

}  // namespace cimstat::circuits
