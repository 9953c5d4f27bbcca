#include <algorithm>

#include <fmt/format.h>

#include "core/config/option.h"

#include "circuits/bit_line/bit_line_section.h"
#include "circuits/column_sections.h"
#include "circuits/converters/sense_latch.h"

namespace cimstat::circuits {

namespace {

using core::Need;
using core::NumberRule;
using core::Option;
using core::Parameter;
using core::Quantity;
using core::Range;
using core::SectionReader;

// Bounds that keep a mistyped exponent out; no column has such figures.
constexpr double largest_current = 1.0;          // [A]
constexpr double least_knee = 1e-12;             // [A]
constexpr Range lengths{1e-9, 1e-3};             // [m]
constexpr Range threshold_matchings{0.0, 1e-7};  // [V m], 100 mV um
constexpr Range current_matchings{0.0, 1e-6};    // [m], 100 % um
constexpr Range capacitances{1e-18, 1e-9};       // [F]
constexpr Range transresistances{1e-3, 1e12};    // [ohm]
constexpr Range bandwidths{1.0, 1e12};           // [Hz]

constexpr std::string_view voltage_latch = "voltage_latch";
constexpr std::string_view current_amplifier = "current_amplifier";

constexpr Option<NoiseShape> noise_shapes[] = {
    {NoiseShape::gaussian, {"gaussian", "normal"}},
    {NoiseShape::logistic, {"logistic", "heavier tails than the normal of the same sd"}}};

Parameter required(std::string_view key, Quantity quantity, Range range, std::string_view meaning,
                   std::string_view example) {
  return {
      .key = key, .rule = NumberRule{quantity, range, {}}, .meaning = meaning, .example = example};
}

Parameter with_default(std::string_view key, Quantity quantity, Range range, double fallback,
                       std::string_view meaning) {
  return {.key = key, .rule = NumberRule{quantity, range, fallback}, .meaning = meaning};
}

Parameter threshold_matching() {
  Parameter parameter =
      required("threshold_matching", Quantity::ratio, threshold_matchings,
               "A_VT of a pair in V m: its thresholds differ by A_VT / sqrt(W L); 1 mV um is 1e-9",
               "1.8e-9");
  parameter.source = "Pelgrom et al., JSSC 1989";
  return parameter;
}

Parameter current_matching() {
  return with_default("current_matching", Quantity::length, current_matchings, 0.0,
                      "A_beta of a pair: its current factors differ by A_beta / sqrt(W L); 1 % um "
                      "is 1e-8");
}

Parameter residue() {
  return with_default("cancellation_residue", Quantity::ratio, Range::fraction(), 1.0,
                      "share of the mismatch that offset cancellation leaves; 1 without any");
}

core::Section voltage_latch_section() {
  return {
      .key = voltage_latch,
      .need = Need::optional,
      .meaning =
          "offset and noise of a voltage latch from area and bias, instead of offset_sd and "
          "noise_sd",
      .parameters = {
          required("input_width", Quantity::length, lengths, "W of each input transistor",
                   "\"1 um\""),
          required("input_length", Quantity::length, lengths, "L of each input transistor",
                   "\"30 nm\""),
          required("latch_width", Quantity::length, lengths,
                   "W of each transistor of the regenerating pair", "\"0.5 um\""),
          required("latch_length", Quantity::length, lengths,
                   "L of each transistor of the regenerating pair", "\"30 nm\""),
          threshold_matching(),
          current_matching(),
          with_default("transconductance_ratio", Quantity::ratio, Range{0.0, 100.0}, 0.0,
                       "gm of the regenerating pair over gm of the input pair, while the input "
                       "decides"),
          with_default("overdrive", Quantity::voltage, Range{0.0, 10.0}, 0.0,
                       "overdrive of the input pair: half of it times the mismatch of current "
                       "factors and capacitors is offset"),
          with_default("capacitor_mismatch", Quantity::ratio, Range::fraction(), 0.0,
                       "relative standard deviation of dC / C of the internal nodes"),
          residue(),
          {.key = "node_capacitance",
           .rule = NumberRule{Quantity::capacitance, capacitances, {}},
           .meaning = "C that the input integrates on: noise sqrt(4 k T gamma / C)",
           .example = "\"5 fF\"",
           .absent = "no noise"},
          with_default("noise_factor", Quantity::ratio, Range{0.0, 10.0}, 2.0 / 3.0,
                       "gamma of the input pair's thermal noise"),
          required("transresistance", Quantity::resistance, transresistances,
                   "volts at the latch for each ampere of the bit line; 1 where the line delivers "
                   "volts",
                   "\"10 kohm\"")}};
}

core::Section current_amplifier_section() {
  return {.key = current_amplifier,
          .need = Need::optional,
          .meaning =
              "offset, gain error and noise of a current-mode amplifier from area and bias, "
              "instead of offset_sd, noise_sd and noise_knee",
          .parameters = {
              required("width", Quantity::length, lengths, "W of each transistor of the pair",
                       "\"2 um\""),
              required("length", Quantity::length, lengths, "L of each transistor of the pair",
                       "\"60 nm\""),
              threshold_matching(),
              current_matching(),
              required("transconductance", Quantity::conductance, Range{0.0, 1.0},
                       "gm of the pair: what its offset voltage is in current", "\"200 uS\""),
              residue(),
              {.key = "bandwidth",
               .rule = NumberRule{Quantity::ratio, bandwidths, {}},
               .meaning = "of its noise, in Hz: sd sqrt((2 q I + 4 k T G) B)",
               .example = "3e8",
               .absent = "no noise"},
              with_default("conductance", Quantity::conductance, Range{0.0, 1.0}, 0.0,
                           "G of its thermal noise"),
              with_default(
                  "bias_current", Quantity::current, Range{0.0, largest_current}, 0.0,
                  "current beside that of the bit line: it has shot noise, and the mismatch of the "
                  "current factor acts on it")}};
}

double number_or_zero(const SectionReader& section, std::string_view key) {
  return section.optional_number(key).value_or(0.0);
}

SenseAmplifier latch_of(const SectionReader& section, const devices::Conditions& conditions) {
  const VoltageLatch latch{.input = {section.number("input_width"), section.number("input_length")},
                           .latch = {section.number("latch_width"), section.number("latch_length")},
                           .threshold_matching = section.number("threshold_matching"),
                           .current_matching = section.number("current_matching"),
                           .transconductance_ratio = section.number("transconductance_ratio"),
                           .overdrive = section.number("overdrive"),
                           .capacitor_mismatch = section.number("capacitor_mismatch"),
                           .residue = section.number("cancellation_residue"),
                           .node_capacitance = number_or_zero(section, "node_capacitance"),
                           .noise_factor = section.number("noise_factor")};
  return sense_amplifier(latch, section.number("transresistance"), conditions.temperature);
}

SenseAmplifier amplifier_of(const SectionReader& section, const devices::Conditions& conditions) {
  const CurrentAmplifier amplifier{.pair = {section.number("width"), section.number("length")},
                                   .threshold_matching = section.number("threshold_matching"),
                                   .current_matching = section.number("current_matching"),
                                   .transconductance = section.number("transconductance"),
                                   .residue = section.number("cancellation_residue"),
                                   .bandwidth = number_or_zero(section, "bandwidth"),
                                   .conductance = section.number("conductance"),
                                   .bias_current = section.number("bias_current")};
  if (amplifier.bandwidth > 0.0 && amplifier.conductance == 0.0 && amplifier.bias_current == 0.0) {
    section.fail("bandwidth", "makes no noise that the engines can take",
                 "without a conductance or a bias current it vanishes at I = 0",
                 "give conductance or bias_current");
  }
  return sense_amplifier(amplifier, conditions.temperature);
}

/// The sub-section that says what offset_sd and noise_sd would, if one does.
std::string_view given_by(const SectionReader& section) {
  const bool latch = section.has(voltage_latch);
  const bool amplifier = section.has(current_amplifier);
  if (!latch && !amplifier) return {};
  const std::string_view given = latch ? voltage_latch : current_amplifier;
  if (latch && amplifier) {
    section.fail(current_amplifier, fmt::format("contradicts {}", voltage_latch),
                 "a sense amplifier is one of the two", "keep one of these");
  }
  for (const std::string_view key : {"offset_sd", "noise_sd", "offset_voltage_sd",
                                     "noise_voltage_sd", "noise_knee", "gain_sd"}) {
    if (!section.has(key)) continue;
    section.fail(key, fmt::format("contradicts {}", given), "offset and noise follow from it",
                 "keep one of these");
  }
  return given;
}

}  // namespace

core::Section sense_amplifier_section() {
  const Range range{0.0, largest_current};
  return {
      .key = "sense_amplifier",
      .need = Need::optional,
      .meaning =
          "current-mode sense amplifier: it sees the bit-line current I plus offset plus "
          "noise",
      .parameters =
          {{.key = "offset_sd",
            .rule = NumberRule{Quantity::current, range, 0.0},
            .meaning = "standard deviation of the offset: normal, frozen per column",
            .example = "\"0.5 uA\""},
           {.key = "noise_sd",
            .rule = NumberRule{Quantity::current, range, 0.0},
            .meaning = "standard deviation of the noise of each read, at I = 0",
            .example = "\"0.5 uA\""},
           voltage_parameter("offset_voltage_sd", "offset_sd where the bit line delivers volts",
                             "\"5 mV\""),
           voltage_parameter("noise_voltage_sd", "noise_sd where the bit line delivers volts",
                             "\"1 mV\""),
           {.key = "noise_shape",
            .rule = core::option_rule(noise_shapes, "gaussian"),
            .meaning = "law of the noise"},
           {.key = "noise_knee",
            .rule = NumberRule{Quantity::current, Range{least_knee, largest_current}, {}},
            .meaning = "the noise grows with the current: sd = noise_sd sqrt(1 + I / noise_knee)",
            .example = "\"100 uA\"",
            .absent = "the noise does not depend on the current",
            .source = "the small-read-margin problem: s(I) = s_0 sqrt(1 + I / I_0)"},
           {.key = "gain_sd",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), {}},
            .meaning = "relative standard deviation of its gain, frozen per column: with "
                       "the offset, sqrt(offset_sd^2 + (gain_sd I)^2)",
            .example = "0.01",
            .absent = "no gain error"}},
      .sections = {voltage_latch_section(), current_amplifier_section()}};
}

SenseAmplifier read_sense_amplifier(const core::SectionReader& section,
                                    const devices::Conditions& conditions) {
  const std::string_view given = given_by(section);
  SenseAmplifier sense;
  if (given == voltage_latch) {
    sense = latch_of(section.section(voltage_latch), conditions);
  } else if (given == current_amplifier) {
    sense = amplifier_of(section.section(current_amplifier), conditions);
  } else {
    sense.offset_sd = section.number("offset_sd");
    sense.noise_sd = section.number("noise_sd");
    sense.gain_sd = number_or_zero(section, "gain_sd");
    sense.noise_knee = section.optional_number("noise_knee").value_or(sense.noise_knee);
  }
  sense.noise_shape = core::read_option(section, "noise_shape", noise_shapes);
  return sense;
}

double common_factor(const core::SectionReader& section, const ColumnDesign& design) {
  const double gain = design.sense.gain_sd;
  if (gain == 0.0) return design.common_factor_sd;
  if (design.common_factor_sd == 0.0) return gain;
  const bool by_matching = section.has(current_amplifier);
  const auto fail = [&](const core::SectionReader& place, std::string_view key) {
    place.fail(key, "stands beside column.common_factor_sd",
               "the current has one factor: of its die, or of its sense amplifier",
               "keep one of these");
  };
  if (by_matching) fail(section.section(current_amplifier), "current_matching");
  fail(section, "gain_sd");
  return gain;
}

}  // namespace cimstat::circuits
