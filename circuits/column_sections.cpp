#include "circuits/column_sections.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/config/option.h"

#include "devices/conductance.h"

namespace cimstat::circuits {

namespace {

using core::CountRule;
using core::FlagRule;
using core::Need;
using core::NumberRule;
using core::Option;
using core::Parameter;
using core::Quantity;
using core::Range;

// Bounds that keep a mistyped exponent out; no column has such figures.
constexpr double largest_voltage = 100.0;  // [V]
constexpr double largest_current = 1.0;    // [A]
constexpr double least_knee = 1e-12;       // [A]
constexpr std::uint64_t most_codes = 4096;

constexpr Option<NoiseShape> noise_shapes[] = {
    {NoiseShape::gaussian, {"gaussian", "normal"}},
    {NoiseShape::logistic, {"logistic", "heavier tails than the normal of the same sd"}}};

constexpr Option<ConverterKind> converter_kinds[] = {
    {ConverterKind::flash,
     {"flash", "a comparator for each reference; the code is how many say above"}},
    {ConverterKind::flash_lowest_zero,
     {"flash_lowest_zero",
      "a comparator for each reference; the code is how many say above before the first one, "
      "from the lowest reference up, that does not"}},
    {ConverterKind::sar,
     {"sar", "successive approximation: the bits of the code are decided from the highest down"}},
    {ConverterKind::ramp,
     {"ramp",
      "one comparator meets the references from the lowest up; the code is how many "
      "before it first says not above"}}};

constexpr Option<Placement> placements[] = {
    {Placement::midpoint,
     {"midpoint",
      "half way between the mean currents of neighbouring MAC values, all of "
      "reference_rows active; one code for each value"}},
    {Placement::dual,
     {"dual",
      "half way between the highest nominal current of a MAC value and the lowest of the "
      "next one, over all numbers of active rows"}},
    {Placement::replica,
     {"replica", "midpoint references that follow the number of active rows, from replica cells"}},
    {Placement::uniform,
     {"uniform", "evenly spaced from the current of 0 to that of reference_rows"}},
    {Placement::listed,
     {"listed", "the currents given, such as those that `cimstat references` finds"}}};

std::string_view source_of(Placement placement) {
  if (placement == Placement::dual) return "DL-RSIM (Lin et al., ICCAD 2018)";
  if (placement == Placement::replica) return "Chen et al., ISSCC 2018, 31.4";
  return {};
}

Parameter codes() {
  return {.key = "codes",
          .rule = CountRule{2, most_codes, std::nullopt, {}},
          .meaning = "codes of the converter, one more than references",
          .example = "8",
          .absent = "reference_rows + 1"};
}

std::vector<Parameter> list_of_references() {
  const Range currents{-largest_current, largest_current};
  const Range steps{0.0, double{row_limit}, true, false};
  const Range origins{-double{row_limit}, double{row_limit}};
  Parameter given = codes();
  given.absent = "one more than the references listed";
  given.example = "4";
  return {{.key = "currents",
           .rule = core::NumbersRule{Quantity::current, currents},
           .meaning = "the references, strictly ascending, one less than codes",
           .example = "[\"10 uA\", \"17 uA\", \"24 uA\"]"},
          {.key = "follow_active_rows",
           .rule = FlagRule{false},
           .meaning = "currents lists the references of 0 active rows, of 1, ... of all rows, one "
                      "run after the other"},
          given,
          {.key = "code_step",
           .rule = NumberRule{Quantity::ratio, steps, 1.0},
           .meaning = "a code stands for the MAC value code_origin + code_step times the code"},
          {.key = "code_origin",
           .rule = NumberRule{Quantity::ratio, origins, 0.0},
           .meaning = "the MAC value that code 0 stands for"}};
}

std::vector<core::Variant> ladders() {
  std::vector<core::Variant> ladders;
  for (const auto& [placement, choice] : placements) {
    ladders.push_back(
        {.name = choice.name, .meaning = choice.meaning, .source = source_of(placement)});
    if (placement == Placement::uniform) ladders.back().parameters = {codes()};
    if (placement == Placement::listed) {
      ladders.back().parameters = list_of_references();
      ladders.back().ways = {{"currents"}};
    }
  }
  return ladders;
}

std::string amperes(double current) { return core::format_quantity(current, Quantity::current); }

/// Each run of so many references by itself.
void require_ascending(const core::SectionReader& section, const std::vector<double>& currents,
                       std::size_t in_a_run) {
  for (std::size_t i = 0; i < currents.size(); ++i) {
    if (i % in_a_run == 0 || currents[i] > currents[i - 1]) continue;
    section.fail("currents",
                 fmt::format("reference {}, {}, is not above the one before it, {}", i + 1,
                             amperes(currents[i]), amperes(currents[i - 1])),
                 "references ascend strictly", "sort them, and leave out what stands there twice");
  }
}

Ladder listed_ladder(const core::SectionReader& section, std::uint32_t rows) {
  Ladder ladder;
  ladder.references = section.numbers("currents");
  ladder.follows_active_rows = section.flag("follow_active_rows");
  ladder.code_step = section.number("code_step");
  ladder.code_origin = section.number("code_origin");
  const std::size_t listed = ladder.references.size();
  const std::size_t runs = ladder.follows_active_rows ? rows + std::size_t{1} : 1;
  if (listed == 0) {
    section.fail("currents", "lists nothing", "two codes need a reference", "list one or more");
  }
  if (listed % runs != 0) {
    section.fail(
        "currents", fmt::format("has {} references", listed),
        fmt::format("those of 0 to {} active rows are {} runs of equal length", rows, runs),
        "list as many for each, or leave out follow_active_rows");
  }
  const std::size_t in_a_run = listed / runs;
  if (in_a_run + 1 > most_codes) {
    section.fail("currents", fmt::format("makes {} codes", in_a_run + 1),
                 fmt::format("{} at the most", most_codes), "list fewer");
  }
  const std::uint64_t codes = section.count_or("codes", in_a_run + 1);
  if (codes != in_a_run + 1) {
    section.fail("currents", fmt::format("has {} references", listed),
                 fmt::format("{} codes need {}", codes, (codes - 1) * runs),
                 "list as many, or leave out codes");
  }
  ladder.codes = static_cast<std::uint32_t>(codes);
  require_ascending(section, ladder.references, in_a_run);
  return ladder;
}

}  // namespace

core::Section column_section() {
  return {
      .key = "column",
      .need = Need::required,
      .meaning = "one bit line: the cells of the active rows add their currents",
      .parameters =
          {{.key = "rows",
            .rule = CountRule{1, row_limit, std::nullopt, {}},
            .meaning = "word lines, and so cells in the column",
            .example = "128"},
           {.key = "read_voltage",
            .rule = NumberRule{Quantity::voltage, Range{0.0, largest_voltage, true, false}, {}},
            .meaning = "voltage across a selected cell; its current is conductance times this",
            .example = "\"0.2 V\""},
           {.key = "dummy_column",
            .rule = FlagRule{false},
            .meaning = "subtract the current of a column of cells half way between the levels "
                       "in the active rows"},
           {.key = "common_factor_sd",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning = "all currents of the column (cells, leakage, dummy) times 1 + this * N(0, "
                       "1): what a column or its die has in common, frozen; references don't "
                       "follow it",
            .example = "0.02"}},
      .sections = {devices::conductance_section(
          "leakage", Need::optional,
          "conductance of each unselected row at the read voltage; none where it is left out")}};
}

core::Section sense_amplifier_section() {
  const Range range{0.0, largest_current};
  return {
      .key = "sense_amplifier",
      .need = Need::optional,
      .meaning =
          "current-mode sense amplifier: it sees the bit-line current I plus offset plus "
          "noise",
      .parameters = {
          {.key = "offset_sd",
           .rule = NumberRule{Quantity::current, range, 0.0},
           .meaning = "standard deviation of the offset: normal, frozen per column",
           .example = "\"0.5 uA\""},
          {.key = "noise_sd",
           .rule = NumberRule{Quantity::current, range, 0.0},
           .meaning = "standard deviation of the noise of each read, at I = 0",
           .example = "\"0.5 uA\""},
          {.key = "noise_shape",
           .rule = core::option_rule(noise_shapes, "gaussian"),
           .meaning = "law of the noise"},
          {.key = "noise_knee",
           .rule = NumberRule{Quantity::current, Range{least_knee, largest_current}, {}},
           .meaning = "the noise grows with the current: sd = noise_sd sqrt(1 + I / noise_knee)",
           .example = "\"100 uA\"",
           .absent = "the noise does not depend on the current",
           .source = "the small-read-margin problem: s(I) = s_0 sqrt(1 + I / I_0)"}}};
}

core::Section converter_section() {
  return {
      .key = "converter",
      .need = Need::optional,
      .meaning = "turns the sensed current into a code: how many references lie below it",
      .parameters = {{.key = "kind",
                      .rule = core::option_rule(converter_kinds, "flash"),
                      .meaning = "kind of converter; without comparator_noise all kinds are one"},
                     {.key = "comparator_noise",
                      .rule = NumberRule{Quantity::current, Range{0.0, largest_current}, 0.0},
                      .meaning = "standard deviation of the noise of each decision: normal, drawn "
                                 "anew for each comparator, bit or step, beside the noise of the "
                                 "sense amplifier, which all decisions of a conversion share",
                      .example = "\"0.5 uA\""},
                     {.key = "noise_correlation",
                      .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
                      .meaning = "correlation of the comparator noise of any two steps of a ramp: "
                                 "0 independent, 1 one draw for the whole ramp",
                      .example = "0.5"},
                     {.key = "reference_rows",
                      .rule = CountRule{1, row_limit, std::nullopt, "column.rows"},
                      .meaning =
                          "active rows that the references are placed for: the highest MAC value "
                          "that has a code of its own",
                      .example = "16"}},
      .selector = "references",
      .selector_meaning = "where the references lie",
      .selector_fallback = "midpoint",
      .variants = ladders()};
}

SenseAmplifier read_sense_amplifier(const core::SectionReader& section) {
  SenseAmplifier sense;
  sense.offset_sd = section.number("offset_sd");
  sense.noise_sd = section.number("noise_sd");
  sense.noise_shape = core::read_option(section, "noise_shape", noise_shapes);
  sense.noise_knee = section.optional_number("noise_knee").value_or(sense.noise_knee);
  return sense;
}

Converter read_converter(const core::SectionReader& section, const ColumnDesign& design) {
  Converter converter;
  converter.comparator = {.kind = core::read_option(section, "kind", converter_kinds),
                          .noise_sd = section.number("comparator_noise"),
                          .correlation = section.number("noise_correlation")};
  if (converter.comparator.correlation > 0.0 && converter.comparator.kind != ConverterKind::ramp) {
    section.fail("noise_correlation", "has no place here", "only the steps of a ramp share noise",
                 "write kind = \"ramp\", or use sense_amplifier.noise_sd for noise that all "
                 "decisions share");
  }
  for (const auto& [placement, choice] : placements) {
    if (choice.name == section.variant()) converter.placement = placement;
  }
  converter.reference_rows =
      static_cast<std::uint32_t>(section.count("reference_rows", design.rows));
  const std::uint32_t rows = converter.reference_rows;
  switch (converter.placement) {
    case Placement::midpoint:
      converter.ladder = midpoint_ladder(design, rows);
      break;
    case Placement::dual:
      converter.ladder = dual_ladder(design, rows);
      break;
    case Placement::replica:
      converter.ladder = replica_ladder(design, rows);
      break;
    case Placement::uniform:
      converter.ladder = uniform_ladder(
          design, rows,
          static_cast<std::uint32_t>(section.count_or("codes", std::uint64_t{rows} + 1)));
      break;
    case Placement::listed:
      converter.ladder = listed_ladder(section, design.rows);
      break;
  }
  double largest = 0.0;
  for (const double current : converter.ladder.references) {
    largest = std::max(largest, std::abs(current));
  }
  constexpr double least_noise = 1e-9;
  if (const double noise = converter.comparator.noise_sd;
      noise > 0.0 && noise < least_noise * largest) {
    section.fail("comparator_noise",
                 fmt::format("{} is less than {:g} of the largest reference",
                             core::format_quantity(noise, Quantity::current), least_noise),
                 "it changes no code", "leave it out, or check its prefix");
  }
  return converter;
}

}  // namespace cimstat::circuits
