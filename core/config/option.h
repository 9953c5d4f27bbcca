#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

namespace cimstat::core {

/// A word of the configuration and what it stands for in the program.
template <class Value>
struct Option {
  Value value;
  Choice choice;
};

/// The rule that lists these words. `fallback` is one of them, or empty where there is no default.
template <class Value, std::size_t count>
ChoiceRule option_rule(const Option<Value> (&options)[count], std::string_view fallback) {
  ChoiceRule rule{.choices = {}, .fallback = fallback};
  for (const Option<Value>& option : options) rule.choices.push_back(option.choice);
  return rule;
}

/// Reads a key whose rule is option_rule(options, ...).
template <class Value, std::size_t count>
Value read_option(const SectionReader& reader, std::string_view key,
                  const Option<Value> (&options)[count]) {
  const std::string word = reader.choice(key);
  for (const Option<Value>& option : options) {
    if (option.choice.name == word) return option.value;
  }
  throw std::logic_error("a choice outside of its options");
}

/// The word of one of these values.
template <class Value, std::size_t count>
std::string_view word_of(Value value, const Option<Value> (&options)[count]) {
  for (const Option<Value>& option : options) {
    if (option.value == value) return option.choice.name;
  }
  throw std::logic_error("a value outside of its options");
}

}  // namespace cimstat::core
