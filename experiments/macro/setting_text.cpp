#include "experiments/macro/setting_text.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <stdexcept>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/config/parameter.h"

#include "experiments/describe/description.h"
#include "experiments/experiment.h"

namespace cimstat::experiments {

namespace {

using RuleByKey = std::map<std::string, core::Rule, std::less<>>;

std::string dotted(const std::string& section, std::string_view key) {
  return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

void add(RuleByKey& rules, const std::string& section,
         const std::vector<core::Parameter>& parameters) {
  for (const core::Parameter& parameter : parameters) {
    rules.emplace(dotted(section, parameter.key), parameter.rule);
  }
}

/// Of every key that a file may hold. A key that several variants have is of one kind in all.
const RuleByKey& known_rules() {
  static const RuleByKey rules = [] {
    RuleByKey result;
    for (const PlacedSection& place : placed_sections(experiment_file())) {
      add(result, place.path, place.section->parameters);
      for (const core::Variant& variant : place.section->variants) {
        add(result, place.path, variant.parameters);
      }
      const std::string_view selector = place.section->selector;
      if (!selector.empty()) result.emplace(dotted(place.path, selector), core::TextRule{});
    }
    return result;
  }();
  return rules;
}

/// As few digits as give the same number again.
std::string quantity_text(double value, core::Quantity quantity) {
  constexpr int usual = 4;
  constexpr int most = 17;
  std::string text;
  for (int digits = usual; digits <= most; ++digits) {
    text = core::format_quantity(value, quantity, digits);
    try {
      if (core::parse_quantity(text, quantity) == value) return text;
    } catch (const std::invalid_argument&) {
      return text;  // infinity and the like
    }
  }
  return text;
}

}  // namespace

std::string setting_value(std::string_view key, std::string_view toml_value) {
  if (toml_value.empty()) return "not set";
  if (toml_value.size() >= 2 && toml_value.front() == '"' && toml_value.back() == '"') {
    return std::string(toml_value.substr(1, toml_value.size() - 2));
  }
  const auto found = known_rules().find(key);
  const auto* rule =
      found == known_rules().end() ? nullptr : std::get_if<core::NumberRule>(&found->second);
  double value = 0.0;
  const char* const end = toml_value.data() + toml_value.size();
  const auto [stop, error] = std::from_chars(toml_value.data(), end, value);
  if (rule == nullptr || error != std::errc() || stop != end) return std::string(toml_value);
  return quantity_text(value, rule->quantity);
}

std::string short_key(std::string_view key) {
  const auto is_end_of_another = [key](std::string_view end) {
    const std::string behind_a_dot = "." + std::string(end);
    return std::any_of(known_rules().begin(), known_rules().end(), [&](const auto& known) {
      return known.first != key && (known.first == end || known.first.ends_with(behind_a_dot));
    });
  };
  for (std::size_t dot = key.rfind('.'); dot != key.npos && dot > 0;
       dot = key.rfind('.', dot - 1)) {
    const std::string_view end = key.substr(dot + 1);
    if (!is_end_of_another(end)) return std::string(end);
  }
  return std::string(key);
}

std::string typeset(std::string text) {
  for (const std::string_view unit : {" uS", " uA", " uV"}) {
    for (std::size_t at = text.find(unit); at != text.npos; at = text.find(unit, at)) {
      text.replace(at + 1, 1, "\u00b5");
    }
  }
  for (std::size_t at = text.find("ohm"); at != text.npos; at = text.find("ohm", at)) {
    text.replace(at, 3, "\u03a9");
  }
  return text;
}

}  // namespace cimstat::experiments
