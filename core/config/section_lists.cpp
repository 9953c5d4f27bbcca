#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "core/config/section_reader.h"
#include "core/config/section_rule.h"

/// Lists, values of other keys, and names of the user's.
namespace cimstat::core {
namespace {

/// What a single value of a key with this rule is.
ScalarKind scalar_kind(const Rule& rule) {
  struct Kind {
    ScalarKind operator()(const NumberRule& rule) const {
      return NumberKind{rule.quantity, rule.range};
    }
    ScalarKind operator()(const CountRule& rule) const { return CountKind{rule.low, rule.high}; }
    ScalarKind operator()(const CountsRule& rule) const { return CountKind{rule.low, rule.high}; }
    ScalarKind operator()(const ChoiceRule& rule) const {
      return ChoiceKind{names_of(rule.choices)};
    }
    ScalarKind operator()(const TextRule&) const { return TextKind{}; }
    ScalarKind operator()(const FlagRule&) const { return FlagKind{}; }
    [[noreturn]] static void refuse() { throw std::logic_error("the rule of no single value"); }
    ScalarKind operator()(const NumbersRule&) const { refuse(); }
    ScalarKind operator()(const ChoicesRule&) const { refuse(); }
    ScalarKind operator()(const TextsRule&) const { refuse(); }
    ScalarKind operator()(ValueRule) const { refuse(); }
    ScalarKind operator()(ValuesRule) const { refuse(); }
  };
  return std::visit(Kind{}, rule);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

bool is_member_name(std::string_view name) {
  return !name.empty() && is_letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

std::vector<std::string> SectionReader::texts(std::string_view key) const {
  const auto [parameter, kind] = rule<TextsRule>(key);
  std::vector<std::string> values;
  for (const ConfigScalar& value : table_.scalars(key, TextKind{})) {
    values.push_back(std::get<std::string>(value));
    check_line(key, values.back(), kind->longest);
  }
  return values;
}

std::vector<std::string> SectionReader::choices(std::string_view key) const {
  const auto [parameter, kind] = rule<ChoicesRule>(key);
  if (!has(key) && !kind->fallback.empty()) return {std::string(kind->fallback)};
  std::vector<std::string> values;
  for (const ConfigScalar& value : table_.scalars(key, ChoiceKind{names_of(kind->choices)})) {
    const std::string& word = std::get<std::string>(value);
    if (std::find(values.begin(), values.end(), word) != values.end()) {
      fail(key, fmt::format("names \"{}\" twice", word), {}, "name each once");
    }
    values.push_back(word);
  }
  if (values.empty()) {
    fail(key, "is empty", "at least one is needed",
         fmt::format("name some, such as [\"{}\"]", kind->choices.front().name));
  }
  return values;
}

ConfigScalar SectionReader::value(std::string_view key, const Rule& like) const {
  rule<ValueRule>(key);
  return table_.scalar(key, scalar_kind(like));
}

std::vector<ConfigScalar> SectionReader::values(std::string_view key, const Rule& like) const {
  rule<ValuesRule>(key);
  return table_.scalars(key, scalar_kind(like));
}

std::vector<std::string> SectionReader::members() const {
  std::vector<std::string> names;
  if (section_->members.empty()) return names;
  for (std::string& name : table_.keys()) {
    if (find(section_->parameters, name) != nullptr) continue;
    if (!is_member_name(name)) {
      fail(name, "is no name of a section here", "letters, digits and _ make one, a letter first",
           "rename it");
    }
    names.push_back(std::move(name));
  }
  return names;
}

SectionReader SectionReader::member(std::string_view name) const {
  return {table_.table_or_empty(name), section_->members.at(0)};
}

}  // namespace cimstat::core
