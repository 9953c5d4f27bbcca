#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "core/config/option.h"

#include "circuits/bit_line/bit_line_section.h"
#include "circuits/column_sections.h"
#include "circuits/converters/converter_circuit.h"
#include "circuits/references/range_ladders.h"

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

// Bounds that keep a mistyped exponent out.
constexpr double largest_voltage = 100.0;  // [V]
constexpr double largest_current = 1.0;    // [A]
constexpr std::uint64_t most_codes = 4096;

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
      "before it first says not above"}},
    {ConverterKind::pipeline,
     {"pipeline",
      "stages of 1.5 bits, each with two comparators and an amplifier that doubles the residue for "
      "the next one"}},
    {ConverterKind::cyclic, {"cyclic", "one such stage, used again for each bit"}}};

constexpr Option<MacPrior> priors[] = {
    {MacPrior::uniform, {"uniform", "all MAC values alike"}},
    {MacPrior::binomial,
     {"binomial", "each active row adds one with the probability prior_density"}}};

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
     {"uniform",
      "evenly spaced over the full range, from the current of 0 to that of reference_rows"}},
    {Placement::calibrated,
     {"calibrated",
      "evenly spaced from the current of lowest_mac to that of highest_mac, as data have them"}},
    {Placement::percentile,
     {"percentile",
      "evenly spaced between the sensed currents that a share of all reads lies below and above"}},
    {Placement::neurosim,
     {"neurosim",
      "NeuroSim's converter: floor of the current in codes steps from its least to its largest, "
      "read as the lower edge"}},
    {Placement::listed,
     {"listed", "the currents given, such as those that `cimstat references` finds"}}};

std::string_view source_of(Placement placement) {
  if (placement == Placement::dual) return "DL-RSIM (Lin et al., ICCAD 2018)";
  if (placement == Placement::replica) return "Chen et al., ISSCC 2018, 31.4";
  if (placement == Placement::neurosim) return "DNN+NeuroSim V1.4, inference accuracy model";
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
          {.key = "voltages",
           .rule = core::NumbersRule{Quantity::voltage, Range{-largest_voltage, largest_voltage}},
           .meaning = "the same where the bit line delivers volts",
           .example = "[\"0.1 V\", \"0.2 V\", \"0.3 V\"]"},
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

Parameter mac_value(std::string_view key, std::string_view meaning, std::string_view example) {
  return {.key = key,
          .rule = CountRule{0, row_limit, std::nullopt, {}},
          .meaning = meaning,
          .example = example,
          .absent = {}};
}

std::vector<Parameter> calibrated_range() {
  return {codes(), mac_value("lowest_mac", "least MAC value of the calibration data", "12"),
          mac_value("highest_mac", "largest MAC value of the calibration data", "90")};
}

std::vector<Parameter> percentiles() {
  return {codes(),
          {.key = "tail",
           .rule = NumberRule{Quantity::ratio, Range{1e-6, 0.25}, 1e-3},
           .meaning = "share of the reads beyond each end of the range"},
          {.key = "prior",
           .rule = core::option_rule(priors, "uniform"),
           .meaning = "how often MAC values come, all of reference_rows active"},
          {.key = "prior_density",
           .rule = NumberRule{Quantity::ratio, Range{0.0, 1.0, true, true}, 0.5},
           .meaning = "of a binomial prior"}};
}

std::vector<Parameter> neurosim_range() {
  Parameter lowest = mac_value("lowest_mac", "least MAC value of the batch", "0");
  lowest.absent = "0";
  Parameter highest = mac_value("highest_mac", "largest MAC value of the batch", "90");
  highest.absent = "reference_rows";
  return {codes(), lowest, highest};
}

std::vector<core::Variant> ladders() {
  std::vector<core::Variant> ladders;
  for (const auto& [placement, choice] : placements) {
    ladders.push_back(
        {.name = choice.name, .meaning = choice.meaning, .source = source_of(placement)});
    if (placement == Placement::uniform) ladders.back().parameters = {codes()};
    if (placement == Placement::calibrated) ladders.back().parameters = calibrated_range();
    if (placement == Placement::percentile) ladders.back().parameters = percentiles();
    if (placement == Placement::neurosim) ladders.back().parameters = neurosim_range();
    if (placement == Placement::listed) {
      ladders.back().parameters = list_of_references();
      ladders.back().ways = {{"currents"}, {"voltages"}};
    }
  }
  return ladders;
}

/// Each run of so many references by itself.
void require_ascending(const core::SectionReader& section, std::string_view key, Quantity quantity,
                       const std::vector<double>& references, std::size_t in_a_run) {
  for (std::size_t i = 0; i < references.size(); ++i) {
    if (i % in_a_run == 0 || references[i] > references[i - 1]) continue;
    section.fail(key,
                 fmt::format("reference {}, {}, is not above the one before it, {}", i + 1,
                             core::format_quantity(references[i], quantity),
                             core::format_quantity(references[i - 1], quantity)),
                 "references ascend strictly", "sort them, and leave out what stands there twice");
  }
}

Ladder listed_ladder(const core::SectionReader& section, const ColumnDesign& design) {
  const std::uint32_t rows = design.rows;
  const Quantity quantity = delivered_quantity(design.bit_line);
  const bool is_current = quantity == Quantity::current;
  const std::string_view key = is_current ? "currents" : "voltages";
  if (const std::string_view wrong = is_current ? "voltages" : "currents"; section.has(wrong)) {
    section.fail(wrong, "have no place here",
                 fmt::format("the bit line ({}) delivers a {}", name_of(design.bit_line),
                             is_current ? "current" : "voltage"),
                 fmt::format("write {}", key));
  }
  Ladder ladder;
  ladder.references = section.numbers(key);
  ladder.follows_active_rows = section.flag("follow_active_rows");
  ladder.code_step = section.number("code_step");
  ladder.code_origin = section.number("code_origin");
  const std::size_t listed = ladder.references.size();
  const std::size_t runs = ladder.follows_active_rows ? rows + std::size_t{1} : 1;
  if (listed == 0) {
    section.fail(key, "lists nothing", "two codes need a reference", "list one or more");
  }
  if (listed % runs != 0) {
    section.fail(
        key, fmt::format("has {} references", listed),
        fmt::format("those of 0 to {} active rows are {} runs of equal length", rows, runs),
        "list as many for each, or leave out follow_active_rows");
  }
  const std::size_t in_a_run = listed / runs;
  if (in_a_run + 1 > most_codes) {
    section.fail(key, fmt::format("makes {} codes", in_a_run + 1),
                 fmt::format("{} at the most", most_codes), "list fewer");
  }
  const std::uint64_t codes = section.count_or("codes", in_a_run + 1);
  if (codes != in_a_run + 1) {
    section.fail(key, fmt::format("has {} references", listed),
                 fmt::format("{} codes need {}", codes, (codes - 1) * runs),
                 "list as many, or leave out codes");
  }
  ladder.codes = static_cast<std::uint32_t>(codes);
  require_ascending(section, key, quantity, ladder.references, in_a_run);
  return ladder;
}

/// The value of the key in what the line delivers, 0 where it is left out.
double offset_of(const core::SectionReader& section, const BitLine& line) {
  constexpr std::string_view keys[] = {"comparator_offset", "comparator_offset_voltage"};
  const bool is_current = delivered_quantity(line) == Quantity::current;
  if (const std::string_view wrong = keys[is_current ? 1 : 0]; section.has(wrong)) {
    section.fail(wrong, fmt::format("is a {}", is_current ? "voltage" : "current"),
                 fmt::format("the bit line ({}) delivers a {}", name_of(line),
                             is_current ? "current" : "voltage"),
                 fmt::format("write {}", keys[is_current ? 0 : 1]));
  }
  return section.optional_number(keys[is_current ? 0 : 1]).value_or(0.0);
}

ConverterMismatch mismatch_of(const core::SectionReader& section, const BitLine& line) {
  ConverterMismatch mismatch;
  mismatch.offset_sd = offset_of(section, line);
  mismatch.element_sd = section.optional_number("element_mismatch").value_or(mismatch.element_sd);
  mismatch.radix = section.optional_number("radix").value_or(mismatch.radix);
  mismatch.amplifier_gain =
      section.optional_number("amplifier_gain").value_or(mismatch.amplifier_gain);
  if (section.has("columns_per_converter")) {
    mismatch.columns_per_converter =
        static_cast<std::uint32_t>(section.count_or("columns_per_converter", 1));
  }
  if (section.has("split_bits")) {
    mismatch.split_bits = static_cast<std::uint32_t>(section.count_or("split_bits", 0));
  }
  return mismatch;
}

Ladder ladder_over_a_range(const core::SectionReader& section, const ColumnDesign& design,
                           Placement placement, std::uint32_t rows) {
  if (!design.row_states.empty()) {
    section.fail("references", "places none here", "rows of this column have more than two states",
                 "choose \"midpoint\", \"uniform\" or \"listed\"");
  }
  const auto codes = static_cast<std::uint32_t>(section.count_or("codes", std::uint64_t{rows} + 1));
  if (placement == Placement::percentile) {
    const MacPrior prior = core::read_option(section, "prior", priors);
    const double tail = section.number("tail");
    const auto weights = prior_weights(prior, rows, section.number("prior_density"));
    const CurrentRange range = percentile_range(design, weights, tail);
    if (!(range.high > range.low)) {
      section.fail("tail", "leaves no range",
                   "the share below one current and above another leaves nothing between them",
                   "lower it");
    }
    return range_ladder(design, rows, range, codes);
  }
  const bool given = placement == Placement::calibrated;
  const auto mac = [&](std::string_view key, std::uint32_t fallback) {
    const std::uint64_t value = given ? section.count(key) : section.count_or(key, fallback);
    if (value > rows) {
      section.fail(key, fmt::format("{} is out of range", value),
                   fmt::format("MAC values reach {}, the reference_rows here", rows), "lower it");
    }
    return static_cast<std::uint32_t>(value);
  };
  const std::uint32_t lowest = mac("lowest_mac", 0);
  const std::uint32_t highest = mac("highest_mac", rows);
  if (lowest >= highest) {
    section.fail("highest_mac", fmt::format("{} is not above lowest_mac, {}", highest, lowest),
                 "the range would be empty", "swap the two, or move them apart");
  }
  const CurrentRange range = mac_range(design, rows, lowest, highest);
  return given ? range_ladder(design, rows, range, codes)
               : floor_ladder(design, rows, range, codes);
}

/// The key that a converter which can't be is due to.
std::string_view key_of_mismatch(const core::SectionReader& section) {
  for (const std::string_view key : {"split_bits", "radix", "amplifier_gain", "element_mismatch"}) {
    if (section.has(key)) return key;
  }
  return "kind";
}

void refuse_mismatch(const core::SectionReader& section, const Converter& converter,
                     std::uint32_t column_rows) {
  const Ladder& ladder = converter.ladder;
  const std::uint32_t last = ladder.follows_active_rows ? column_rows : 0;
  for (std::uint32_t n = 0; n <= last; ++n) {
    const auto problem = circuit_problem(converter.comparator, ladder.at(n));
    if (!problem) continue;
    section.fail(key_of_mismatch(section), fmt::format("asks for {}", problem->what), problem->why,
                 "leave it out, or choose another kind or other references");
  }
}

}  // namespace

core::Section converter_section() {
  return {
      .key = "converter",
      .need = Need::optional,
      .meaning = "turns the sensed current into a code: how many references lie below it",
      .parameters =
          {{.key = "kind",
            .rule = core::option_rule(converter_kinds, "flash"),
            .meaning = "kind of converter; without noise and mismatch of its own all "
                       "kinds are one"},
           {.key = "comparator_noise",
            .rule = NumberRule{Quantity::current, Range{0.0, largest_current}, 0.0},
            .meaning = "standard deviation of the noise of each decision: normal, drawn "
                       "anew for each comparator, bit or step, beside the noise of the "
                       "sense amplifier, which all decisions of a conversion share",
            .example = "\"0.5 uA\""},
           voltage_parameter("comparator_noise_voltage",
                             "comparator_noise where the bit line delivers volts", "\"0.5 mV\""),
           {.key = "noise_correlation",
            .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.0},
            .meaning = "correlation of the comparator noise of any two steps of a ramp: "
                       "0 independent, 1 one draw for the whole ramp",
            .example = "0.5"},
           {.key = "comparator_offset",
            .rule = NumberRule{Quantity::current, Range{0.0, largest_current}, {}},
            .meaning = "standard deviation of the offset of each comparator: normal, "
                       "frozen; of a stage's comparators at the input of the stage",
            .example = "\"0.3 uA\"",
            .absent = "no offset beside that of the sense amplifier"},
           voltage_parameter("comparator_offset_voltage",
                             "comparator_offset where the bit line delivers volts", "\"2 mV\""),
           {.key = "element_mismatch",
            .rule = NumberRule{Quantity::ratio, Range{0.0, most_element_sd}, {}},
            .meaning = "relative standard deviation of each element, frozen: resistors of "
                       "the string of a flash converter, unit capacitors (sar, pipeline, "
                       "cyclic), steps of a ramp",
            .example = "0.01",
            .absent = "none"},
           {.key = "split_bits",
            .rule = CountRule{1, 11, std::nullopt, {}},
            .meaning = "sar: lower bits whose capacitors lie behind a bridge capacitor",
            .example = "4",
            .absent = "one binary array"},
           {.key = "radix",
            .rule = NumberRule{Quantity::ratio, Range{least_radix, 2.0}, {}},
            .meaning = "sar: ratio of neighbouring weights; below 2 there are more of them "
                       "than bits, and later decisions make good earlier ones",
            .example = "1.8",
            .absent = "2"},
           {.key = "amplifier_gain",
            .rule = NumberRule{Quantity::ratio, Range{1.0, 1e12}, {}},
            .meaning = "pipeline, cyclic: open-loop gain of the amplifiers",
            .example = "1000",
            .absent = "infinite"},
           {.key = "columns_per_converter",
            .rule = CountRule{1, 1'000'000, std::nullopt, {}},
            .meaning = "neighbouring columns of a die that share a converter and its "
                       "mismatch (`cimstat columns`)",
            .example = "8",
            .absent = "1: each column has one of its own"},
           {.key = "reference_rows",
            .rule = CountRule{1, row_limit, std::nullopt, "column.rows"},
            .meaning = "active rows that the references are placed for: the highest MAC value "
                       "that has a code of its own",
            .example = "16"}},
      .selector = "references",
      .selector_meaning = "where the references lie",
      .selector_fallback = "midpoint",
      .variants = ladders()};
}

Converter read_converter(const core::SectionReader& section, const ColumnDesign& design) {
  Converter converter;
  converter.comparator = {.kind = core::read_option(section, "kind", converter_kinds),
                          .noise_sd = delivered_number(section, design.bit_line, "comparator_noise",
                                                       "comparator_noise_voltage"),
                          .correlation = section.number("noise_correlation")};
  if (converter.comparator.correlation > 0.0 && converter.comparator.kind != ConverterKind::ramp) {
    section.fail("noise_correlation", "has no place here", "only the steps of a ramp share noise",
                 "write kind = \"ramp\", or use sense_amplifier.noise_sd for noise that all "
                 "decisions share");
  }
  converter.comparator.mismatch = mismatch_of(section, design.bit_line);
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
          static_cast<std::uint32_t>(section.count_or("codes", code_per_value(design, rows))));
      break;
    case Placement::calibrated:
    case Placement::neurosim:
    case Placement::percentile:
      converter.ladder = ladder_over_a_range(section, design, converter.placement, rows);
      break;
    case Placement::listed:
      converter.ladder = listed_ladder(section, design);
      break;
  }
  double largest = 0.0;
  for (const double current : converter.ladder.references) {
    largest = std::max(largest, std::abs(current));
  }
  constexpr double least_noise = 1e-9;
  if (const double noise = converter.comparator.noise_sd;
      noise > 0.0 && noise < least_noise * largest) {
    section.fail(
        "comparator_noise",
        fmt::format("{} is less than {:g} of the largest reference",
                    core::format_quantity(noise, delivered_quantity(design.bit_line)), least_noise),
        "it changes no code", "leave it out, or check its prefix");
  }
  refuse_mismatch(section, converter, design.rows);
  return converter;
}

}  // namespace cimstat::circuits
