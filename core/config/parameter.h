#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config/config.h"

/// What a configuration file may hold, as plain data: each room lists the sections and parameters
/// that are its own, once. The parser reads through these lists (core/config/section_reader.h), and
/// descriptions and the JSON Schema are written from them.
namespace cimstat::core {

/// Whether a key or section may be left out.
enum class Need { required, optional };

struct Choice {
  std::string_view name{};
  std::string_view meaning{};
};

/// A number with a unit. Without a default it may be left out where its section's ways say so, or
/// where it is optional.
struct NumberRule {
  Quantity quantity = Quantity::ratio;
  Range range{};
  std::optional<double> fallback{};
};

/// A list of numbers.
struct NumbersRule {
  Quantity quantity = Quantity::ratio;
  Range range{};
};

/// A whole number. `high_key` names the key of the file that lowers `high` (such as column.rows);
/// without a default of its own that key's value is the default too.
struct CountRule {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::optional<std::uint64_t> fallback{};
  std::string_view high_key{};
};

/// A whole number, a list of them, or a word for all of them, which is the default.
struct CountsRule {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::string_view word{};
  std::string_view high_key{};
};

/// One of some words; the first is no more than the first, the default is `fallback` (none where
/// empty).
struct ChoiceRule {
  std::vector<Choice> choices{};
  std::string_view fallback{};
};

/// A text of one line.
struct TextRule {
  std::size_t longest = 0;      ///< bytes
  std::string_view fallback{};  ///< none where empty
};

struct FlagRule {
  bool fallback = false;
};

/// A list of some words, each once; the default holds one of them, `fallback`.
struct ChoicesRule {
  std::vector<Choice> choices{};
  std::string_view fallback{};
};

/// A list of texts of one line.
struct TextsRule {
  std::size_t longest = 0;  ///< bytes of each
};

/// A value of another key of the file, which one the section says elsewhere: a number with or
/// without a unit, a text or a flag.
struct ValueRule {};

/// A list of such values.
struct ValuesRule {};

using Rule = std::variant<NumberRule, NumbersRule, CountRule, CountsRule, ChoiceRule, TextRule,
                          FlagRule, ChoicesRule, TextsRule, ValueRule, ValuesRule>;

struct Parameter {
  std::string_view key{};
  Rule rule{};
  std::string_view meaning{};
  std::string_view example{};  ///< a value as TOML writes it, for parameters without a default
  std::string_view absent{};   ///< what its absence means, where it is optional and has no default
  std::string_view source{};   ///< paper and equation, where one applies
};

/// Whether it may name a member of a section: [A-Za-z][A-Za-z0-9_]*.
bool is_member_name(std::string_view name);

/// A table of the file. The value of `selector`, where there is one, picks a variant: the keys and
/// sub-sections that are there besides `parameters` and `sections`.
struct Section {
  /// Inside, so that the vectors of either are made where both are complete.
  struct Variant {
    std::string_view name{};  ///< value of the selector
    std::string_view meaning{};
    std::string_view source{};
    std::string_view note{};  ///< what else its users must know, such as keys of other sections
    std::vector<Parameter> parameters{};
    /// Keys that say the same in other words: exactly one of these sets is given.
    std::vector<std::vector<std::string_view>> ways{};
    std::vector<Section> sections{};
  };

  std::string_view key{};  ///< its own name, without those of the tables around it; "" for the root
  Need need = Need::optional;
  std::string_view meaning{};
  std::vector<Parameter> parameters{};
  std::vector<Section> sections{};
  std::string_view selector{};
  std::string_view selector_meaning{};
  std::string_view
      selector_fallback{};  ///< the variant where the selector is left out; "" for none
  std::vector<Variant> variants{};
  /// At most one: sub-sections of any name, [A-Za-z][A-Za-z0-9_]*, all hold this; its key stands
  /// for the name where it is described.
  std::vector<Section> members{};
  /// At most one: all keys of any name are this; its key stands for the name.
  std::vector<Parameter> entries{};
};

using Variant = Section::Variant;

/// The parameter of that key among `parameters`, or null.
const Parameter* find(const std::vector<Parameter>& parameters, std::string_view key);
/// Whether nothing may stand in for it: no default, no stated absence.
bool is_required(const Parameter& parameter);

}  // namespace cimstat::core
