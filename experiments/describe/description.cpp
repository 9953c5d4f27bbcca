#include "experiments/describe/description.h"

#include <cmath>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

using core::ChoiceRule;
using core::ChoicesRule;
using core::CountRule;
using core::CountsRule;
using core::FlagRule;
using core::NumberRule;
using core::NumbersRule;
using core::Quantity;
using core::Range;
using core::TextRule;
using core::TextsRule;
using core::ValueRule;
using core::ValuesRule;

void add_sections(std::vector<PlacedSection>& placed, const std::string& path,
                  const std::string& condition, const core::Section& section) {
  placed.push_back({path, condition, &section});
  const auto below = [&](const core::Section& inner) {
    return path.empty() ? std::string(inner.key) : fmt::format("{}.{}", path, inner.key);
  };
  for (const core::Section& inner : section.sections) {
    add_sections(placed, below(inner), condition, inner);
  }
  for (const core::Section& member : section.members) {
    add_sections(placed, below(member), condition, member);
  }
  for (const core::Variant& variant : section.variants) {
    for (const core::Section& inner : variant.sections) {
      add_sections(placed, below(inner),
                   fmt::format("{}.{} = \"{}\"", path, section.selector, variant.name), inner);
    }
  }
}

std::string limit(double value, Quantity quantity) {
  constexpr int digits = 6;
  return value == 0.0 ? "0" : core::format_quantity(value, quantity, digits);
}

std::string range_words(const Range& range, Quantity quantity) {
  const std::string low =
      fmt::format("{}{}", range.low_open ? "above " : "", limit(range.low, quantity));
  if (std::isinf(range.high)) return range.low_open ? low : low + " or more";
  return fmt::format("{} to {}{}", low, range.high_open ? "below " : "",
                     limit(range.high, quantity));
}

std::string_view quantity_name(Quantity quantity) {
  switch (quantity) {
    case Quantity::ratio:
      return "number";
    case Quantity::voltage:
      return "voltage";
    case Quantity::current:
      return "current";
    case Quantity::resistance:
      return "resistance";
    case Quantity::conductance:
      return "conductance";
    case Quantity::time:
      return "time";
    case Quantity::temperature:
      return "temperature";
    case Quantity::capacitance:
      return "capacitance";
    case Quantity::charge:
      return "charge";
    case Quantity::length:
      return "length";
  }
  return {};
}

std::string high_words(std::uint64_t high, std::string_view high_key) {
  return high_key.empty() ? fmt::format("{}", high) : std::string(high_key);
}

std::string words_of(const std::vector<core::Choice>& choices) {
  std::string words;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::string_view separator = i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ";
    words += fmt::format("{}\"{}\"", separator, choices[i].name);
  }
  return words;
}

struct Allowed {
  std::string operator()(const NumberRule& rule) const {
    return fmt::format("{}, {}", quantity_name(rule.quantity),
                       range_words(rule.range, rule.quantity));
  }
  std::string operator()(const NumbersRule& rule) const {
    return fmt::format("list of {}s, {}", quantity_name(rule.quantity),
                       range_words(rule.range, rule.quantity));
  }
  std::string operator()(const CountRule& rule) const {
    return fmt::format("whole number, {} to {}", rule.low, high_words(rule.high, rule.high_key));
  }
  std::string operator()(const CountsRule& rule) const {
    return fmt::format("\"{}\", a whole number or a list of them, {} to {}", rule.word, rule.low,
                       high_words(rule.high, rule.high_key));
  }
  std::string operator()(const ChoiceRule& rule) const { return words_of(rule.choices); }
  std::string operator()(const TextRule& rule) const {
    return fmt::format("text of one line, up to {} bytes", rule.longest);
  }
  std::string operator()(const FlagRule&) const { return "true or false"; }
  std::string operator()(const ChoicesRule& rule) const {
    return "list of " + words_of(rule.choices);
  }
  std::string operator()(const TextsRule& rule) const {
    return fmt::format("list of texts of one line, each up to {} bytes", rule.longest);
  }
  std::string operator()(ValueRule) const { return "as the key that it is for"; }
  std::string operator()(ValuesRule) const { return "list of values of the key that it is for"; }
};

struct Default {
  std::string operator()(const NumberRule& rule) const {
    if (!rule.fallback) return {};
    return rule.quantity == Quantity::ratio || *rule.fallback == 0.0
               ? fmt::format("{}", *rule.fallback)
               : fmt::format("\"{}\"", core::format_quantity(*rule.fallback, rule.quantity));
  }
  std::string operator()(const NumbersRule&) const { return {}; }
  std::string operator()(const CountRule& rule) const {
    return rule.fallback ? fmt::format("{}", *rule.fallback) : std::string(rule.high_key);
  }
  std::string operator()(const CountsRule& rule) const { return fmt::format("\"{}\"", rule.word); }
  std::string operator()(const ChoiceRule& rule) const {
    return rule.fallback.empty() ? std::string() : fmt::format("\"{}\"", rule.fallback);
  }
  std::string operator()(const TextRule& rule) const {
    return rule.fallback.empty() ? std::string() : fmt::format("\"{}\"", rule.fallback);
  }
  std::string operator()(const FlagRule& rule) const { return rule.fallback ? "true" : "false"; }
  std::string operator()(const ChoicesRule& rule) const {
    return rule.fallback.empty() ? std::string() : fmt::format("[\"{}\"]", rule.fallback);
  }
  std::string operator()(const TextsRule&) const { return {}; }
  std::string operator()(ValueRule) const { return {}; }
  std::string operator()(ValuesRule) const { return {}; }
};

}  // namespace

std::vector<PlacedSection> placed_sections(const core::Section& root) {
  std::vector<PlacedSection> placed;
  add_sections(placed, {}, {}, root);
  return placed;
}

std::string allowed_words(const core::Rule& rule) { return std::visit(Allowed{}, rule); }

std::string default_words(const core::Parameter& parameter) {
  const std::string words = std::visit(Default{}, parameter.rule);
  return words.empty() ? std::string(parameter.absent) : words;
}

std::string_view kind_of(const core::Rule& rule) {
  constexpr std::string_view kinds[] = {"number", "numbers", "whole number", "whole numbers",
                                        "choice", "text",    "flag",         "choices",
                                        "texts",  "value",   "values"};
  static_assert(std::size(kinds) == std::variant_size_v<core::Rule>);
  return kinds[rule.index()];
}

}  // namespace cimstat::experiments
