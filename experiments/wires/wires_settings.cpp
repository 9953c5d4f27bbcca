#include "experiments/wires/wires_settings.h"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/config/option.h"
#include "core/error.h"

#include "circuits/column.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::NumberRule;
using core::Option;
using core::Quantity;
using core::Range;

constexpr std::uint64_t column_limit = 4096;
constexpr std::uint64_t array_limit = 100'000;
constexpr std::uint64_t cell_limit = 4'000'000'000;  ///< of all arrays: minutes of work
constexpr double most_resistance = 1e9;              // [ohm]

constexpr Option<circuits::Supply> supplies[] = {
    {circuits::Supply::input_line, {"input_line", "the word line, which the input drives"}},
    {circuits::Supply::row_line,
     {"row_line", "a line along each row; the input opens the access transistors"}},
    {circuits::Supply::column_line,
     {"column_line",
      "a source line beside each bit line; the input opens the access transistors"}}};

constexpr Option<circuits::Pairing> pairings[] = {
    {circuits::Pairing::none, {"none", "each cell by itself"}},
    {circuits::Pairing::interleaved,
     {"interleaved", "each input has a positive and a negative row on the same bit lines"}}};

core::Parameter resistance(std::string_view key, double fallback, std::string_view meaning) {
  return {.key = key,
          .rule = NumberRule{Quantity::resistance, Range{0.0, most_resistance}, fallback},
          .meaning = meaning};
}

/// Of the bit line: what [bit_line] says is the default, where it is a wire.
core::Parameter line_resistance(std::string_view key, std::string_view meaning,
                                std::string_view example, std::string_view absent) {
  return {.key = key,
          .rule = NumberRule{Quantity::resistance, Range{0.0, most_resistance}, {}},
          .meaning = meaning,
          .example = example,
          .absent = absent};
}

/// The keys of one resistance in both sections, and what it is where neither says it.
struct LineKeys {
  std::string_view wires;
  std::string_view bit_line;
  double fallback;
};

constexpr LineKeys segment_keys{"column_segment", "segment_resistance", 1.0};
constexpr LineKeys sense_keys{"sense", "sense_resistance", 0.0};

struct LineResistance {
  double value = 0.0;  ///< [ohm]
  WireSource from = WireSource::wires;
};

/// `line` is [bit_line] where that is a wire. Differing values are a warning: single columns have
/// one, whole arrays the other.
LineResistance read_line_resistance(const core::SectionReader& section,
                                    const std::optional<core::SectionReader>& line,
                                    const LineKeys& keys, std::vector<std::string>& warnings) {
  const std::optional<double> given = section.optional_number(keys.wires);
  if (!line) return {.value = given.value_or(keys.fallback)};
  const double of_line = line->number(keys.bit_line);
  if (!given) return {.value = of_line, .from = WireSource::bit_line};
  if (*given != of_line) {
    const auto ohms = [](double value) {
      return core::format_quantity(value, Quantity::resistance);
    };
    warnings.push_back(core::error_line(
        section.place(keys.wires), fmt::format("is {}", ohms(*given)),
        fmt::format("{} is {}; whole arrays take the first, single columns the second",
                    line->path_of(keys.bit_line), ohms(of_line)),
        fmt::format("leave {} out to take one for both", section.path_of(keys.wires))));
  }
  return {.value = *given};
}

bool is_wire(const core::SectionReader& line) {
  return line.variant() == "wire_resistance" || line.variant() == "lumped_wire";
}

}  // namespace

core::Section wires_section() {
  return {
      .key = "wires",
      .need = core::Need::optional,
      .meaning = "what the resistance of wires costs, over whole arrays",
      .parameters = {
          {.key = "columns",
           .rule = CountRule{1, column_limit, 64, {}},
           .meaning = "columns of the array; its inputs are column.rows"},
          {.key = "active_rows",
           .rule = CountRule{1, circuits::row_limit, std::nullopt, "column.rows"},
           .meaning = "inputs that are on, at random rows of each array"},
          {.key = "supply",
           .rule = core::option_rule(supplies, "input_line"),
           .meaning = "what feeds the cells, at column.read_voltage"},
          {.key = "pairs",
           .rule = core::option_rule(pairings, "none"),
           .meaning = "differential pairs of cells"},
          resistance("supply_segment", 1.0, "of the line that feeds the cells, for each cell"),
          line_resistance(segment_keys.wires, "of the bit line, for each cell or interleaved pair",
                          "\"1.5 ohm\"",
                          "bit_line.segment_resistance, where bit_line.kind is wire_resistance or "
                          "lumped_wire; else 1 ohm"),
          resistance("driver", 0.0, "of the source of each feeding line, once"),
          line_resistance(sense_keys.wires, "of the input of each sense amplifier, once",
                          "\"100 ohm\"",
                          "bit_line.sense_resistance, where bit_line.kind is wire_resistance or "
                          "lumped_wire; else 0"),
          {.key = "highest_share",
           .rule = NumberRule{Quantity::ratio, Range::fraction(), 0.5},
           .meaning = "share of cells in the highest level, at random; the others share the lower "
                      "levels evenly. Of pairs: share of positive ones"},
          {.key = "arrays",
           .rule = CountRule{2, array_limit, 64, {}},
           .meaning = "simulated arrays, each with its own cells, data and inputs"},
          {.key = "tolerance",
           .rule =
               NumberRule{Quantity::ratio, Range{circuits::Crossbar::least_tolerance, 1e-3}, 1e-9},
           .meaning = "error of each current that the solver may leave, relative to the largest"}}};
}

WiresSettings read_wires_settings(const core::SectionReader& root, std::uint32_t rows) {
  const core::SectionReader section = root.section("wires");
  WiresSettings settings;
  std::optional<core::SectionReader> line;
  // An absent section isn't asked: its default kind would be recorded.
  if (root.has("bit_line")) {
    line = root.section("bit_line");
    if (!is_wire(*line)) {
      if (line->variant() != "ideal") settings.unused_line = line->variant();
      line.reset();
    }
  }
  settings.columns = static_cast<std::uint32_t>(section.count("columns"));
  settings.active_rows = static_cast<std::uint32_t>(section.count("active_rows", rows));
  settings.supply = core::read_option(section, "supply", supplies);
  settings.pairing = core::read_option(section, "pairs", pairings);
  const LineResistance segment =
      read_line_resistance(section, line, segment_keys, settings.warnings);
  const LineResistance sense = read_line_resistance(section, line, sense_keys, settings.warnings);
  settings.wires = {.supply_segment = section.number("supply_segment"),
                    .column_segment = segment.value,
                    .driver = section.number("driver"),
                    .sense = sense.value};
  settings.column_segment_from = segment.from;
  settings.sense_from = sense.from;
  settings.highest_share = section.number("highest_share");
  settings.arrays = section.count("arrays");
  settings.tolerance = section.number("tolerance");
  if (settings.arrays > cell_limit / (std::uint64_t{rows} * settings.columns)) {
    section.fail("arrays", fmt::format("{} arrays have too many cells", settings.arrays),
                 fmt::format("{} rows x {} columns each, {} cells at the most", rows,
                             settings.columns, cell_limit),
                 "lower wires.arrays or wires.columns");
  }
  return settings;
}

std::string_view word_of(circuits::Supply supply) { return core::word_of(supply, supplies); }

}  // namespace cimstat::experiments
