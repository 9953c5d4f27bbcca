#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/json.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

using core::Json;
using core::Parameter;
using core::Section;
using core::Variant;

Json either(const Json& one, const Json& other) {
  return Json::object({{"anyOf", Json::array({one, other})}});
}

Json number_schema(core::Quantity quantity, const core::Range& range) {
  Json number{{"type", "number"}};
  if (!std::isinf(range.low)) number[range.low_open ? "exclusiveMinimum" : "minimum"] = range.low;
  if (!std::isinf(range.high)) {
    number[range.high_open ? "exclusiveMaximum" : "maximum"] = range.high;
  }
  return either(number, {{"type", "string"}, {"pattern", core::quantity_pattern(quantity)}});
}

Json count_schema(std::uint64_t low, std::uint64_t high) {
  return either({{"type", "integer"}, {"minimum", low}, {"maximum", high}},
                {{"type", "string"}, {"pattern", "^[0-9]+$"}});
}

Json list_schema(const Json& item, std::uint64_t fewest) {
  return {{"type", "array"}, {"items", item}, {"minItems", fewest}};
}

Json choice_schema(const std::vector<core::Choice>& choices) {
  Json names = Json::array();
  for (const core::Choice& choice : choices) names.push_back(choice.name);
  return {{"type", "string"}, {"enum", names}};
}

Json value_schema() {
  return Json::object({{"type", Json::array({"number", "string", "boolean"})}});
}

struct RuleSchema {
  Json operator()(const core::NumberRule& rule) const {
    Json schema = number_schema(rule.quantity, rule.range);
    if (rule.fallback) schema["default"] = *rule.fallback;
    return schema;
  }
  Json operator()(const core::NumbersRule& rule) const {
    return list_schema(number_schema(rule.quantity, rule.range), 2);
  }
  Json operator()(const core::CountRule& rule) const {
    Json schema = count_schema(rule.low, rule.high);
    if (rule.fallback) schema["default"] = *rule.fallback;
    return schema;
  }
  Json operator()(const core::CountsRule& rule) const {
    const Json count = count_schema(rule.low, rule.high);
    const Json word{{"type", "string"}, {"enum", Json::array({rule.word})}};
    return {{"anyOf", Json::array({word, count, list_schema(count, 1)})}, {"default", rule.word}};
  }
  Json operator()(const core::ChoiceRule& rule) const {
    Json schema = choice_schema(rule.choices);
    if (!rule.fallback.empty()) schema["default"] = rule.fallback;
    return schema;
  }
  Json operator()(const core::TextRule& rule) const {
    Json schema{{"type", "string"}, {"maxLength", rule.longest}};
    if (!rule.fallback.empty()) schema["default"] = rule.fallback;
    return schema;
  }
  Json operator()(const core::FlagRule& rule) const {
    return {{"type", "boolean"}, {"default", rule.fallback}};
  }
  Json operator()(const core::ChoicesRule& rule) const {
    Json schema = list_schema(choice_schema(rule.choices), 1);
    schema["uniqueItems"] = true;
    if (!rule.fallback.empty()) schema["default"] = Json::array({rule.fallback});
    return schema;
  }
  Json operator()(const core::TextsRule& rule) const {
    return list_schema({{"type", "string"}, {"maxLength", rule.longest}}, 1);
  }
  Json operator()(core::ValueRule) const { return value_schema(); }
  Json operator()(core::ValuesRule) const { return list_schema(value_schema(), 1); }
};

Json parameter_schema(const Parameter& parameter) {
  Json schema = std::visit(RuleSchema{}, parameter.rule);
  std::string words = fmt::format("{} ({})", parameter.meaning, allowed_words(parameter.rule));
  if (!parameter.absent.empty()) words += fmt::format("; where left out: {}", parameter.absent);
  schema["description"] = words;
  return schema;
}

bool has_equal_rule(const Parameter& one, const Parameter& other) {
  return std::visit(RuleSchema{}, one.rule) == std::visit(RuleSchema{}, other.rule);
}

/// A key of several variants: its full schema where they agree, else words only (the exact one
/// stands in the branch of each variant).
Json shared_schema(const Section& section, std::string_view key) {
  const Parameter* first = nullptr;
  bool equal = true;
  for (const Variant& variant : section.variants) {
    const Parameter* parameter = core::find(variant.parameters, key);
    if (parameter == nullptr) continue;
    if (first == nullptr) first = parameter;
    equal = equal && has_equal_rule(*first, *parameter);
  }
  if (equal) return parameter_schema(*first);
  return Json::object({{"description", first->meaning}});
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

Json required_of(const std::vector<Parameter>& parameters,
                 const std::vector<std::string_view>& among) {
  Json required = Json::array();
  for (const std::string_view key : among) {
    if (core::is_required(*core::find(parameters, key))) required.push_back(key);
  }
  return required;
}

/// One of the ways to give a variant: its keys, and none of the other ways'.
Json way_schema(const Variant& variant, const std::vector<std::string_view>& way) {
  Json forbidden = Json::object();
  for (const auto& other : variant.ways) {
    for (const std::string_view key : other) {
      if (std::find(way.begin(), way.end(), key) == way.end()) forbidden[key] = false;
    }
  }
  return {{"required", required_of(variant.parameters, way)}, {"properties", forbidden}};
}

Json section_schema(const Section& section);

/// What holds besides where the selector has this variant's value.
Json variant_schema(const Section& section, const Variant& variant) {
  Json is_chosen;
  is_chosen["properties"][section.selector]["const"] = variant.name;
  if (variant.name != section.selector_fallback) {
    is_chosen["required"] = Json::array({section.selector});
  }
  Json properties = Json::object();
  for (const std::string_view key : variant_keys(section)) {
    const Parameter* parameter = core::find(variant.parameters, key);
    properties[key] = parameter == nullptr ? Json(false) : parameter_schema(*parameter);
  }
  Json required = Json::array();
  for (const Section& inner : variant.sections) {
    if (inner.need == core::Need::required) required.push_back(inner.key);
  }
  Json then{{"properties", properties}, {"required", required}};
  for (const auto& way : variant.ways) then["oneOf"].push_back(way_schema(variant, way));
  return {{"if", is_chosen}, {"then", then}};
}

Json selector_schema(const Section& section) {
  std::vector<core::Choice> choices;
  std::string words(section.selector_meaning);
  for (const Variant& variant : section.variants) {
    choices.push_back({variant.name, variant.meaning});
    words += fmt::format("; \"{}\": {}", variant.name, variant.meaning);
  }
  Json schema = choice_schema(choices);
  if (!section.selector_fallback.empty()) schema["default"] = section.selector_fallback;
  schema["description"] = words;
  return schema;
}

Json section_schema(const Section& section) {
  Json properties = Json::object();
  Json required = Json::array();
  if (!section.selector.empty()) {
    properties[section.selector] = selector_schema(section);
    if (section.selector_fallback.empty()) required.push_back(section.selector);
  }
  for (const Parameter& parameter : section.parameters) {
    properties[parameter.key] = parameter_schema(parameter);
    if (core::is_required(parameter)) required.push_back(parameter.key);
  }
  for (const std::string_view key : variant_keys(section)) {
    properties[key] = shared_schema(section, key);
  }
  for (const Section& inner : section.sections) {
    properties[inner.key] = section_schema(inner);
    if (inner.need == core::Need::required) required.push_back(inner.key);
  }
  Json variants = Json::array();
  for (const Variant& variant : section.variants) {
    for (const Section& inner : variant.sections) {
      properties[inner.key] = section_schema(inner);
    }
    variants.push_back(variant_schema(section, variant));
  }
  Json schema{{"type", "object"},
              {"description", section.meaning},
              {"properties", properties},
              {"required", required},
              {"additionalProperties", false}};
  for (const Section& member : section.members) {
    schema["patternProperties"]["^[A-Za-z][A-Za-z0-9_]*$"] = section_schema(member);
  }
  for (const Parameter& entry : section.entries) {
    schema["additionalProperties"] = parameter_schema(entry);
  }
  if (!section.variants.empty()) schema["allOf"] = variants;
  return schema;
}

}  // namespace

std::string json_schema(const Section& root) {
  Json schema = section_schema(root);
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "cimstat experiment file";
  return core::json_text(schema);
}

}  // namespace cimstat::experiments
