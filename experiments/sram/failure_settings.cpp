#include "experiments/sram/failure_settings.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/config/section_reader.h"

namespace cimstat::experiments {

namespace {

using circuits::NoiseMargin;
using circuits::ReadAccess;
using circuits::ReadUpset;
using core::NumberRule;
using core::Parameter;
using core::Quantity;
using core::Range;

constexpr std::size_t most_supplies = 1000;
constexpr std::size_t most_slopes = 64;
constexpr std::uint64_t seed_limit = (std::uint64_t{1} << 63) - 1;
constexpr std::size_t longest_name = 200;
constexpr Range supplies{0.05, 10.0};   // [V]
constexpr Range thresholds{-2.0, 5.0};  // [V]
constexpr Range spreads{1e-6, 0.5};     // [V]
constexpr Range currents{1e-12, 1e-2};  // [A]
constexpr Range factors{1e-9, 1.0};     // [A/V^a]
constexpr Range strengths{1e-3, 1e3};
constexpr std::string_view openyield = "OpenYield's vth0 (FreePDK45)";

Parameter supply_list() {
  return {.key = "supply",
          .rule = core::NumbersRule{Quantity::voltage, supplies},
          .meaning = "supply voltages, one or more: a line of the result for each",
          .example = "[\"0.8 V\", \"0.9 V\"]"};
}

Parameter threshold(std::string_view key, std::string_view meaning, double fallback) {
  return {.key = key,
          .rule = NumberRule{Quantity::voltage, thresholds, fallback},
          .meaning = meaning,
          .source = openyield};
}

Parameter spread(std::string_view key, double fallback) {
  return {.key = key,
          .rule = NumberRule{Quantity::voltage, spreads, fallback},
          .meaning = "sd of one device's threshold against its nominal value"};
}

Parameter strength(std::string_view key, std::string_view meaning, double fallback) {
  return {.key = key, .rule = NumberRule{Quantity::ratio, strengths, fallback}, .meaning = meaning};
}

core::Variant access_variant() {
  const ReadAccess usual;
  return {.name = "read_access",
          .meaning =
              "reading is too slow: the access transistor above the pull-down carries less "
              "than least_current",
          .source = "alpha-power law: Sakurai and Newton, IEEE JSSC 25, 584 (1990)",
          .parameters = {
              supply_list(),
              {.key = "word_line",
               .rule = NumberRule{Quantity::voltage, supplies, {}},
               .meaning = "voltage of a selected word line",
               .example = "\"1 V\"",
               .absent = "the supply"},
              threshold("access_threshold", "of the access transistor", usual.access_threshold),
              spread("access_sd", usual.access_sd),
              threshold("pull_down_threshold", "of the pull-down", usual.pull_down_threshold),
              spread("pull_down_sd", usual.pull_down_sd),
              {.key = "access_factor",
               .rule = NumberRule{Quantity::ratio, factors, usual.access_factor},
               .meaning = "K of the access transistor, I = K (Vgs - Vt)^exponent, in A/V^exponent"},
              {.key = "pull_down_factor",
               .rule = NumberRule{Quantity::ratio, factors, usual.pull_down_factor},
               .meaning = "K of the pull-down, I = K ((Vgs - Vt) V - V^2 / 2), in A/V^2"},
              {.key = "exponent",
               .rule = NumberRule{Quantity::ratio, Range{1.0, 2.0}, usual.exponent},
               .meaning = "of the alpha-power law: 1.2 to 1.4 for short channels, 2 for long ones"},
              {.key = "least_current",
               .rule = NumberRule{Quantity::current, currents, usual.least_current},
               .meaning = "what the bit line needs to be discharged in time"}}};
}

core::Variant upset_variant() {
  const ReadUpset usual;
  return {.name = "read_upset",
          .meaning =
              "reading flips the cell: the low node is lifted above the trip voltage of the "
              "other inverter, for either stored value",
          .source = "Mukhopadhyay, Mahmoodi and Roy, IEEE TCAD 24, 1859 (2005)",
          .note = "square-law devices; unverified",
          .parameters = {
              supply_list(),
              threshold("access_threshold", "of the access transistors", usual.access_threshold),
              spread("access_sd", usual.access_sd),
              threshold("pull_down_threshold", "of the pull-downs", usual.pull_down_threshold),
              spread("pull_down_sd", usual.pull_down_sd),
              threshold("pull_up_threshold", "magnitude, of the pull-ups", usual.pull_up_threshold),
              spread("pull_up_sd", usual.pull_up_sd),
              strength("access_strength", "of the access transistors; only ratios count",
                       usual.access_strength),
              strength("pull_down_strength", "of the pull-downs", usual.pull_down_strength),
              strength("pull_up_strength", "of the pull-ups", usual.pull_up_strength)}};
}

core::Variant margin_variant() {
  return {.name = "noise_margin",
          .meaning =
              "the static noise margin is gone: the lesser of the two lobes of the butterfly "
              "curve, both linear in the thresholds",
          .parameters = {
              {.key = "nominal",
               .rule = NumberRule{Quantity::voltage, Range{1e-3, 5.0}, {}},
               .meaning = "margin of the cell without mismatch",
               .example = "\"0.2 V\""},
              {.key = "slopes",
               .rule = core::NumbersRule{Quantity::ratio, Range{-1e3, 1e3}},
               .meaning = "what a threshold of one half adds to the margin of its lobe (V/V), then "
                          "those of the other half; the other lobe has them the other way round",
               .example = "[-0.5, 0.4, 0.2, 0.1, -0.3, 0.1]"},
              {.key = "threshold_sd",
               .rule = NumberRule{Quantity::voltage, spreads, {}},
               .meaning = "sd of each device's threshold against its nominal value",
               .example = "\"30 mV\""}}};
}

core::Section root_section() {
  return {.need = core::Need::required,
          .meaning = "how often an SRAM cell fails",
          .parameters = {{.key = "name",
                          .rule = core::TextRule{longest_name, "SRAM cell"},
                          .meaning = "title of the result"},
                         {.key = "seed",
                          .rule = core::CountRule{0, seed_limit, 1, {}},
                          .meaning = "of all random numbers"}},
          .sections = {{.key = "sram",
                        .need = core::Need::required,
                        .meaning = "a cell of six transistors with mismatch, and how it fails",
                        .selector = "failure",
                        .selector_meaning = "what is taken for a failure",
                        .variants = {access_variant(), upset_variant(), margin_variant()}}}};
}

std::vector<double> read_supplies(const core::SectionReader& section) {
  std::vector<double> values = section.numbers("supply");
  if (values.empty() || values.size() > most_supplies) {
    section.fail("supply", fmt::format("lists {} voltages", values.size()),
                 fmt::format("1 to {} are possible", most_supplies), "list each supply once");
  }
  std::sort(values.begin(), values.end());
  if (std::adjacent_find(values.begin(), values.end()) != values.end()) {
    section.fail("supply", "lists a voltage twice", {}, "list each supply once");
  }
  return values;
}

ReadAccess read_access(const core::SectionReader& section, double supply) {
  return {.supply = supply,
          .word_line = section.optional_number("word_line").value_or(supply),
          .access_threshold = section.number("access_threshold"),
          .access_sd = section.number("access_sd"),
          .pull_down_threshold = section.number("pull_down_threshold"),
          .pull_down_sd = section.number("pull_down_sd"),
          .access_factor = section.number("access_factor"),
          .pull_down_factor = section.number("pull_down_factor"),
          .exponent = section.number("exponent"),
          .least_current = section.number("least_current")};
}

ReadUpset read_upset(const core::SectionReader& section, double supply) {
  return {.supply = supply,
          .access_threshold = section.number("access_threshold"),
          .access_sd = section.number("access_sd"),
          .pull_down_threshold = section.number("pull_down_threshold"),
          .pull_down_sd = section.number("pull_down_sd"),
          .pull_up_threshold = section.number("pull_up_threshold"),
          .pull_up_sd = section.number("pull_up_sd"),
          .access_strength = section.number("access_strength"),
          .pull_down_strength = section.number("pull_down_strength"),
          .pull_up_strength = section.number("pull_up_strength")};
}

NoiseMargin read_margin(const core::SectionReader& section) {
  NoiseMargin margin{.nominal = section.number("nominal"),
                     .slope = section.numbers("slopes"),
                     .threshold_sd = section.number("threshold_sd")};
  if (margin.slope.size() < 2 || margin.slope.size() % 2 != 0 ||
      margin.slope.size() > most_slopes) {
    section.fail(
        "slopes", fmt::format("lists {} numbers", margin.slope.size()),
        fmt::format("the halves of a cell have as many each, {} at most in all", most_slopes),
        "list those of one half, then those of the other");
  }
  if (std::all_of(margin.slope.begin(), margin.slope.end(), [](double a) { return a == 0.0; })) {
    section.fail("slopes", "are all 0", "the margin would not vary", "give one that is not");
  }
  return margin;
}

}  // namespace

const core::Section& sram_failure_file() {
  static const core::Section root = root_section();
  return root;
}

SramFailureSettings read_sram_failure(const core::Config& config) {
  const core::SectionReader root(config, sram_failure_file());
  SramFailureSettings settings;
  settings.name = root.text("name");
  settings.seed = root.count("seed");
  const core::SectionReader section = root.section("sram");
  settings.failure = section.variant();
  if (settings.failure == "noise_margin") {
    settings.cells.push_back(read_margin(section));
  } else {
    settings.supplies = read_supplies(section);
    for (const double supply : settings.supplies) {
      if (settings.failure == "read_access") {
        settings.cells.push_back(read_access(section, supply));
      } else {
        settings.cells.push_back(read_upset(section, supply));
      }
    }
  }
  config.finish();
  return settings;
}

std::vector<CellVariable> variables_of(const SramFailureSettings::Cell& cell) {
  if (const auto* access = std::get_if<ReadAccess>(&cell)) {
    return {{"access", access->access_threshold, access->access_sd},
            {"pull-down", access->pull_down_threshold, access->pull_down_sd}};
  }
  if (const auto* upset = std::get_if<ReadUpset>(&cell)) {
    std::vector<CellVariable> variables;
    for (const std::string_view side : {"left", "right"}) {
      variables.push_back(
          {fmt::format("{} access", side), upset->access_threshold, upset->access_sd});
      variables.push_back(
          {fmt::format("{} pull-down", side), upset->pull_down_threshold, upset->pull_down_sd});
      variables.push_back(
          {fmt::format("{} pull-up", side), upset->pull_up_threshold, upset->pull_up_sd});
    }
    return variables;
  }
  const auto& margin = std::get<NoiseMargin>(cell);
  std::vector<CellVariable> variables;
  for (std::size_t i = 0; i < margin.slope.size(); ++i) {
    const bool first = i < margin.slope.size() / 2;
    variables.push_back({fmt::format("{} device {}", first ? "left" : "right",
                                     (first ? i : i - margin.slope.size() / 2) + 1),
                         0.0, margin.threshold_sd});
  }
  return variables;
}

}  // namespace cimstat::experiments
