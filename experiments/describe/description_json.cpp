#include <cmath>

#include "core/json_text.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

using core::JsonArray;
using core::JsonObject;

void add_number(JsonObject& json, core::Quantity quantity, const core::Range& range) {
  json.add("unit", core::si_unit(quantity));
  if (!std::isinf(range.low)) {
    json.add(range.low_open ? "exclusive_minimum" : "minimum", range.low);
  }
  if (!std::isinf(range.high)) {
    json.add(range.high_open ? "exclusive_maximum" : "maximum", range.high);
  }
}

void add_high(JsonObject& json, std::uint64_t low, std::uint64_t high, std::string_view high_key) {
  json.add("minimum", low).add("maximum", high);
  if (!high_key.empty()) json.add("maximum_is", high_key);
}

JsonArray choices(const std::vector<core::Choice>& all) {
  JsonArray json;
  for (const core::Choice& choice : all) {
    json.add(JsonObject().add("value", choice.name).add("meaning", choice.meaning));
  }
  return json;
}

struct AddRule {
  JsonObject& json;
  void operator()(const core::NumberRule& rule) const {
    add_number(json, rule.quantity, rule.range);
    if (rule.fallback) json.add("default", *rule.fallback);
  }
  void operator()(const core::NumbersRule& rule) const {
    add_number(json, rule.quantity, rule.range);
  }
  void operator()(const core::CountRule& rule) const {
    add_high(json, rule.low, rule.high, rule.high_key);
    if (rule.fallback) json.add("default", *rule.fallback);
    if (!rule.fallback && !rule.high_key.empty()) json.add("default_is", rule.high_key);
  }
  void operator()(const core::CountsRule& rule) const {
    add_high(json, rule.low, rule.high, rule.high_key);
    json.add("default", rule.word);
  }
  void operator()(const core::ChoiceRule& rule) const {
    json.add("choices", choices(rule.choices));
    if (!rule.fallback.empty()) json.add("default", rule.fallback);
  }
  void operator()(const core::TextRule& rule) const {
    json.add("longest_bytes", std::uint64_t{rule.longest}).add("default", rule.fallback);
  }
  void operator()(const core::FlagRule& rule) const { json.add_flag("default", rule.fallback); }
};

void add_if_any(JsonObject& json, std::string_view name, std::string_view text) {
  if (!text.empty()) json.add(name, text);
}

JsonArray parameters(const std::vector<core::Parameter>& all) {
  JsonArray json;
  for (const core::Parameter& parameter : all) {
    JsonObject object;
    object.add("key", parameter.key).add("kind", kind_of(parameter.rule));
    std::visit(AddRule{object}, parameter.rule);
    add_if_any(object, "absent", parameter.absent);
    object.add("meaning", parameter.meaning);
    add_if_any(object, "example", parameter.example);
    add_if_any(object, "source", parameter.source);
    json.add(object);
  }
  return json;
}

JsonObject variant(const core::Variant& one) {
  JsonObject json;
  json.add("value", one.name).add("meaning", one.meaning);
  add_if_any(json, "source", one.source);
  json.add("parameters", parameters(one.parameters));
  JsonArray ways;
  for (const auto& way : one.ways) {
    JsonArray keys;
    for (const std::string_view key : way) keys.add(key);
    ways.add(JsonObject().add("keys", keys));
  }
  return json.add("given_by_one_of", ways);
}

}  // namespace

std::string list_as_json(const core::Section& root) {
  JsonArray sections;
  for (const PlacedSection& placed : placed_sections(root)) {
    const core::Section& section = *placed.section;
    JsonObject object;
    object.add("section", placed.path);
    add_if_any(object, "where", placed.condition);
    object.add_flag("required", section.need == core::Need::required)
        .add("meaning", section.meaning)
        .add("parameters", parameters(section.parameters));
    if (!section.selector.empty()) {
      JsonArray variants;
      for (const core::Variant& one : section.variants) variants.add(variant(one));
      JsonObject selector;
      selector.add("key", section.selector).add("meaning", section.selector_meaning);
      add_if_any(selector, "default", section.selector_fallback);
      object.add("selector", selector.add("variants", variants));
    }
    sections.add(object);
  }
  return JsonObject().add("sections", sections).text() + '\n';
}

}  // namespace cimstat::experiments
