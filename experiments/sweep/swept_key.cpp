#include "experiments/sweep/swept_key.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "experiments/describe/description.h"
#include "experiments/experiment.h"

namespace cimstat::experiments {

namespace {

using core::CountRule;
using core::NumberRule;

struct KnownKey {
  core::Rule rule;
  std::string_view meaning;
};
using KnownKeys = std::map<std::string, KnownKey, std::less<>>;

core::Range hull(const core::Range& one, const core::Range& other) {
  core::Range range = one;
  if (other.low < one.low || (other.low == one.low && !other.low_open)) {
    range.low = other.low;
    range.low_open = other.low_open;
  }
  if (other.high > one.high || (other.high == one.high && !other.high_open)) {
    range.high = other.high;
    range.high_open = other.high_open;
  }
  return range;
}

/// A key that another variant has too.
void widen(core::Rule& rule, const core::Rule& other) {
  if (auto* number = std::get_if<NumberRule>(&rule)) {
    if (const auto* more = std::get_if<NumberRule>(&other)) {
      number->range = hull(number->range, more->range);
    }
  } else if (auto* count = std::get_if<CountRule>(&rule)) {
    if (const auto* more = std::get_if<CountRule>(&other)) {
      count->low = std::min(count->low, more->low);
      count->high = std::max(count->high, more->high);
    }
  }
}

std::string dotted(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

void add(KnownKeys& known, const std::string& path,
         const std::vector<core::Parameter>& parameters) {
  for (const core::Parameter& parameter : parameters) {
    const auto [place, is_new] =
        known.emplace(dotted(path, parameter.key), KnownKey{parameter.rule, parameter.meaning});
    if (!is_new) widen(place->second.rule, parameter.rule);
  }
}

KnownKeys all_keys() {
  KnownKeys known;
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    const core::Section& section = *placed.section;
    add(known, placed.path, section.parameters);
    core::ChoiceRule selector;
    for (const core::Variant& variant : section.variants) {
      add(known, placed.path, variant.parameters);
      selector.choices.push_back({variant.name, variant.meaning});
    }
    if (!section.selector.empty()) {
      known.emplace(dotted(placed.path, section.selector),
                    KnownKey{std::move(selector), section.selector_meaning});
    }
  }
  return known;
}

const KnownKeys& known_keys() {
  static const KnownKeys known = all_keys();
  return known;
}

/// Why a key of the file is none for an axis; empty where it is one.
std::string_view why_not(std::string_view name) {
  if (name == "name") return "it is the title of the whole result";
  if (name.starts_with("sweep.")) return "a sweep can't vary itself";
  if (name.starts_with("columns.") || name.starts_with("wires.")) {
    return "no output of a sweep depends on it";
  }
  for (const std::string_view key :
       {"table.method", "table.trials", "table.target_relative_error", "table.confidence",
        "table.tolerance", "accuracy.images", "accuracy.reads"}) {
    if (name == key) return "it decides how the work is divided, which is one for all points";
  }
  return {};
}

bool is_list(const core::Rule& rule) {
  return std::holds_alternative<core::NumbersRule>(rule) ||
         std::holds_alternative<core::ChoicesRule>(rule) ||
         std::holds_alternative<core::TextsRule>(rule) ||
         std::holds_alternative<core::ValueRule>(rule) ||
         std::holds_alternative<core::ValuesRule>(rule);
}

std::vector<std::string> parts_of(std::string_view name) {
  std::vector<std::string> parts;
  for (std::size_t dot = name.find('.'); dot != name.npos; dot = name.find('.')) {
    parts.emplace_back(name.substr(0, dot));
    name.remove_prefix(dot + 1);
  }
  parts.emplace_back(name);
  return parts;
}

/// The keys whose last part is that word; else the nearest key as a whole, or by its last part.
std::string remedy_for(const std::string& name) {
  std::vector<std::string> names;
  std::vector<std::string> endings;
  std::vector<std::string> meant;
  for (const auto& [key, rule] : known_keys()) {
    if (!why_not(key).empty() || is_list(rule.rule)) continue;
    names.push_back(key);
    endings.push_back(key.substr(key.rfind('.') + 1));
    if (endings.back() == name) meant.push_back(key);
  }
  if (meant.empty()) {
    if (auto whole = core::nearest(name, names)) meant.push_back(std::move(*whole));
  }
  if (meant.empty()) {
    if (const auto ending = core::nearest(name.substr(name.rfind('.') + 1), endings)) {
      const auto at = std::find(endings.begin(), endings.end(), *ending) - endings.begin();
      meant.push_back(names[static_cast<std::size_t>(at)]);
    }
  }
  if (meant.empty()) return "see cimstat describe for all keys";
  return fmt::format("did you mean {}?", fmt::join(meant, " or "));
}

}  // namespace

bool SweptKey::is_number() const { return std::holds_alternative<NumberRule>(rule); }

bool SweptKey::is_count() const {
  return std::holds_alternative<CountRule>(rule) || std::holds_alternative<core::CountsRule>(rule);
}

core::Quantity SweptKey::quantity() const {
  const auto* number = std::get_if<NumberRule>(&rule);
  return number == nullptr ? core::Quantity::ratio : number->quantity;
}

SweptKey swept_key(const std::string& name, const core::SectionReader& section,
                   std::string_view at) {
  const auto found = known_keys().find(name);
  if (name.starts_with("sweep.")) {
    section.fail(at, fmt::format("{} can't be swept", name), why_not(name), "name another key");
  }
  if (found == known_keys().end()) {
    section.fail(at, fmt::format("\"{}\" is no key of an experiment file", name), {},
                 remedy_for(name));
  }
  if (const std::string_view why = why_not(name); !why.empty()) {
    section.fail(at, fmt::format("{} can't be swept", name), why,
                 name == "name" ? "name another key" : "set it in its own section");
  }
  if (is_list(found->second.rule)) {
    section.fail(at, fmt::format("{} can't be swept", name), "each value of it is a list",
                 "name another key");
  }
  return {name, parts_of(name), found->second.rule, found->second.meaning};
}

}  // namespace cimstat::experiments
