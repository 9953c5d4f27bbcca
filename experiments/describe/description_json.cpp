#include <cmath>
#include <nlohmann/json.hpp>

#include "core/file/json.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

using core::Json;

void add_number(Json& json, core::Quantity quantity, const core::Range& range) {
  json["unit"] = core::si_unit(quantity);
  if (!std::isinf(range.low)) json[range.low_open ? "exclusive_minimum" : "minimum"] = range.low;
  if (!std::isinf(range.high)) {
    json[range.high_open ? "exclusive_maximum" : "maximum"] = range.high;
  }
}

void add_if_any(Json& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json[name] = text;
}

void add_limits(Json& json, std::uint64_t low, std::uint64_t high, std::string_view high_key) {
  json["minimum"] = low;
  json["maximum"] = high;
  add_if_any(json, "maximum_is", high_key);
}

Json choices(const std::vector<core::Choice>& all) {
  Json json = Json::array();
  for (const core::Choice& choice : all) {
    json.push_back({{"value", choice.name}, {"meaning", choice.meaning}});
  }
  return json;
}

struct AddRule {
  Json& json;
  void operator()(const core::NumberRule& rule) const {
    add_number(json, rule.quantity, rule.range);
    if (rule.fallback) json["default"] = *rule.fallback;
  }
  void operator()(const core::NumbersRule& rule) const {
    add_number(json, rule.quantity, rule.range);
  }
  void operator()(const core::CountRule& rule) const {
    add_limits(json, rule.low, rule.high, rule.high_key);
    if (rule.fallback) json["default"] = *rule.fallback;
    if (!rule.fallback) add_if_any(json, "default_is", rule.high_key);
  }
  void operator()(const core::CountsRule& rule) const {
    add_limits(json, rule.low, rule.high, rule.high_key);
    json["default"] = rule.word;
  }
  void operator()(const core::ChoiceRule& rule) const {
    json["choices"] = choices(rule.choices);
    add_if_any(json, "default", rule.fallback);
  }
  void operator()(const core::TextRule& rule) const {
    json["longest_bytes"] = rule.longest;
    add_if_any(json, "default", rule.fallback);
  }
  void operator()(const core::FlagRule& rule) const { json["default"] = rule.fallback; }
  void operator()(const core::ChoicesRule& rule) const {
    json["choices"] = choices(rule.choices);
    if (!rule.fallback.empty()) json["default"] = Json::array({rule.fallback});
  }
  void operator()(const core::TextsRule& rule) const { json["longest_bytes"] = rule.longest; }
  void operator()(core::ValueRule) const {}
  void operator()(core::ValuesRule) const {}
};

Json parameters(const std::vector<core::Parameter>& all) {
  Json json = Json::array();
  for (const core::Parameter& parameter : all) {
    Json object{{"key", parameter.key}, {"kind", kind_of(parameter.rule)}};
    std::visit(AddRule{object}, parameter.rule);
    add_if_any(object, "absent", parameter.absent);
    object["meaning"] = parameter.meaning;
    add_if_any(object, "example", parameter.example);
    add_if_any(object, "source", parameter.source);
    json.push_back(object);
  }
  return json;
}

Json variant(const core::Variant& one) {
  Json json{{"value", one.name}, {"meaning", one.meaning}};
  add_if_any(json, "note", one.note);
  add_if_any(json, "source", one.source);
  json["parameters"] = parameters(one.parameters);
  Json& ways = json["given_by_one_of"] = Json::array();
  for (const auto& way : one.ways) ways.push_back(Json::object({{"keys", way}}));
  return json;
}

}  // namespace

std::string list_as_json(const core::Section& root) {
  Json sections = Json::array();
  for (const PlacedSection& placed : placed_sections(root)) {
    const core::Section& section = *placed.section;
    Json object{{"section", placed.path}};
    add_if_any(object, "where", placed.condition);
    object["required"] = section.need == core::Need::required;
    object["meaning"] = section.meaning;
    object["parameters"] = parameters(section.parameters);
    if (!section.entries.empty()) object["keys_of_any_name"] = parameters(section.entries);
    if (!section.selector.empty()) {
      Json selector{{"key", section.selector}, {"meaning", section.selector_meaning}};
      add_if_any(selector, "default", section.selector_fallback);
      Json& variants = selector["variants"] = Json::array();
      for (const core::Variant& one : section.variants) variants.push_back(variant(one));
      object["selector"] = selector;
    }
    sections.push_back(object);
  }
  return core::json_text(Json::object({{"sections", sections}}));
}

}  // namespace cimstat::experiments
