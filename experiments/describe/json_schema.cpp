#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/config.h"
#include "core/json_text.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

using core::JsonArray;
using core::JsonObject;
using core::Parameter;
using core::Section;
using core::Variant;

JsonObject either(const JsonObject& one, const JsonObject& other) {
  return JsonObject().add("anyOf", JsonArray().add(one).add(other));
}

JsonObject number_schema(core::Quantity quantity, const core::Range& range) {
  JsonObject number;
  number.add("type", "number");
  if (!std::isinf(range.low))
    number.add(range.low_open ? "exclusiveMinimum" : "minimum", range.low);
  if (!std::isinf(range.high)) {
    number.add(range.high_open ? "exclusiveMaximum" : "maximum", range.high);
  }
  return either(
      number, JsonObject().add("type", "string").add("pattern", core::quantity_pattern(quantity)));
}

JsonObject count_schema(std::uint64_t low, std::uint64_t high) {
  return either(JsonObject().add("type", "integer").add("minimum", low).add("maximum", high),
                JsonObject().add("type", "string").add("pattern", "^[0-9]+$"));
}

JsonObject list_schema(const JsonObject& item, std::uint64_t fewest) {
  return JsonObject().add("type", "array").add("items", item).add("minItems", fewest);
}

JsonObject choice_schema(const std::vector<core::Choice>& choices) {
  JsonArray names;
  for (const core::Choice& choice : choices) names.add(choice.name);
  return JsonObject().add("type", "string").add("enum", names);
}

struct RuleSchema {
  JsonObject operator()(const core::NumberRule& rule) const {
    JsonObject schema = number_schema(rule.quantity, rule.range);
    if (rule.fallback) schema.add("default", *rule.fallback);
    return schema;
  }
  JsonObject operator()(const core::NumbersRule& rule) const {
    return list_schema(number_schema(rule.quantity, rule.range), 2);
  }
  JsonObject operator()(const core::CountRule& rule) const {
    JsonObject schema = count_schema(rule.low, rule.high);
    if (rule.fallback) schema.add("default", *rule.fallback);
    return schema;
  }
  JsonObject operator()(const core::CountsRule& rule) const {
    const JsonObject count = count_schema(rule.low, rule.high);
    const JsonObject word =
        JsonObject().add("type", "string").add("enum", JsonArray().add(rule.word));
    return JsonObject()
        .add("anyOf", JsonArray().add(word).add(count).add(list_schema(count, 1)))
        .add("default", rule.word);
  }
  JsonObject operator()(const core::ChoiceRule& rule) const {
    JsonObject schema = choice_schema(rule.choices);
    if (!rule.fallback.empty()) schema.add("default", rule.fallback);
    return schema;
  }
  JsonObject operator()(const core::TextRule& rule) const {
    return JsonObject()
        .add("type", "string")
        .add("maxLength", std::uint64_t{rule.longest})
        .add("default", rule.fallback);
  }
  JsonObject operator()(const core::FlagRule& rule) const {
    return JsonObject().add("type", "boolean").add_flag("default", rule.fallback);
  }
};

JsonObject parameter_schema(const Parameter& parameter) {
  JsonObject schema = std::visit(RuleSchema{}, parameter.rule);
  std::string words = fmt::format("{} ({})", parameter.meaning, allowed_words(parameter.rule));
  if (!parameter.absent.empty()) words += fmt::format("; where left out: {}", parameter.absent);
  return schema.add("description", words);
}

bool has_equal_rule(const Parameter& one, const Parameter& other) {
  return std::visit(RuleSchema{}, one.rule).text() == std::visit(RuleSchema{}, other.rule).text();
}

/// A key of several variants: its full schema where they agree, else words only (the exact one
/// stands in the branch of each variant).
JsonObject shared_schema(const Section& section, std::string_view key) {
  const Parameter* first = nullptr;
  bool equal = true;
  for (const Variant& variant : section.variants) {
    const Parameter* parameter = core::find(variant.parameters, key);
    if (parameter == nullptr) continue;
    if (first == nullptr) first = parameter;
    equal = equal && has_equal_rule(*first, *parameter);
  }
  if (equal) return parameter_schema(*first);
  return JsonObject().add("description", first->meaning);
}

std::vector<std::string_view> variant_keys(const Section& section) {
  std::vector<std::string_view> keys;
  for (const Variant& variant : section.variants) {
    for (const Parameter& parameter : variant.parameters) {
      if (std::find(keys.begin(), keys.end(), parameter.key) == keys.end()) {
        keys.push_back(parameter.key);
      }
    }
  }
  return keys;
}

JsonArray required_of(const std::vector<Parameter>& parameters,
                      const std::vector<std::string_view>& among) {
  JsonArray required;
  for (const std::string_view key : among) {
    if (core::is_required(*core::find(parameters, key))) required.add(key);
  }
  return required;
}

/// One of the ways to give a variant: its keys, and none of the other ways'.
JsonObject way_schema(const Variant& variant, const std::vector<std::string_view>& way) {
  JsonObject forbidden;
  for (const auto& other : variant.ways) {
    for (const std::string_view key : other) {
      if (std::find(way.begin(), way.end(), key) == way.end()) forbidden.add_flag(key, false);
    }
  }
  return JsonObject()
      .add("required", required_of(variant.parameters, way))
      .add("properties", forbidden);
}

JsonObject section_schema(const Section& section);

/// What holds besides where the selector has this variant's value.
JsonObject variant_schema(const Section& section, const Variant& variant) {
  JsonObject is_chosen;
  is_chosen.add("properties",
                JsonObject().add(section.selector, JsonObject().add("const", variant.name)));
  if (variant.name != section.selector_fallback) {
    is_chosen.add("required", JsonArray().add(section.selector));
  }
  JsonObject properties;
  for (const std::string_view key : variant_keys(section)) {
    const Parameter* parameter = core::find(variant.parameters, key);
    if (parameter == nullptr) {
      properties.add_flag(key, false);
    } else {
      properties.add(key, parameter_schema(*parameter));
    }
  }
  JsonArray required;
  for (const Section& inner : variant.sections) {
    if (inner.need == core::Need::required) required.add(inner.key);
  }
  JsonObject then;
  then.add("properties", properties).add("required", required);
  if (!variant.ways.empty()) {
    JsonArray ways;
    for (const auto& way : variant.ways) ways.add(way_schema(variant, way));
    then.add("oneOf", ways);
  }
  return JsonObject().add("if", is_chosen).add("then", then);
}

JsonObject selector_schema(const Section& section) {
  std::vector<core::Choice> choices;
  std::string words(section.selector_meaning);
  for (const Variant& variant : section.variants) {
    choices.push_back({variant.name, variant.meaning});
    words += fmt::format("; \"{}\": {}", variant.name, variant.meaning);
  }
  JsonObject schema = choice_schema(choices);
  if (!section.selector_fallback.empty()) schema.add("default", section.selector_fallback);
  return schema.add("description", words);
}

JsonObject section_schema(const Section& section) {
  JsonObject properties;
  JsonArray required;
  if (!section.selector.empty()) {
    properties.add(section.selector, selector_schema(section));
    if (section.selector_fallback.empty()) required.add(section.selector);
  }
  for (const Parameter& parameter : section.parameters) {
    properties.add(parameter.key, parameter_schema(parameter));
    if (core::is_required(parameter)) required.add(parameter.key);
  }
  for (const std::string_view key : variant_keys(section)) {
    properties.add(key, shared_schema(section, key));
  }
  for (const Section& inner : section.sections) {
    properties.add(inner.key, section_schema(inner));
    if (inner.need == core::Need::required) required.add(inner.key);
  }
  JsonArray variants;
  for (const Variant& variant : section.variants) {
    for (const Section& inner : variant.sections) {
      properties.add(inner.key, section_schema(inner));
    }
    variants.add(variant_schema(section, variant));
  }
  JsonObject schema;
  schema.add("type", "object")
      .add("description", section.meaning)
      .add("properties", properties)
      .add("required", required)
      .add_flag("additionalProperties", false);
  if (!section.variants.empty()) schema.add("allOf", variants);
  return schema;
}

}  // namespace

std::string json_schema(const Section& root) {
  JsonObject schema = section_schema(root);
  schema.add("$schema", "http://json-schema.org/draft-07/schema#")
      .add("title", "cimstat experiment file");
  return schema.text() + '\n';
}

}  // namespace cimstat::experiments
