#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/config/config.h"
#include "core/config/config_tree.h"

/// Typed reads of one value. Each throws a Problem, which the caller gives its place.
namespace cimstat::core::detail {

struct Problem {
  std::string problem;
  std::string why;
  std::string remedy;
};

struct QuantityWords {
  std::string_view name;     ///< "a resistance"
  std::string_view example;  ///< "\"6 kohm\"", as TOML
};
QuantityWords words_of(Quantity quantity);
/// "a number such as 0.05": what is needed where nothing stands.
std::string wanted_words(const ScalarKind& kind);
/// "a whole number from 1 to 9".
std::string whole_number_words(std::uint64_t low, std::uint64_t high);

double read_number(const ConfigNode& node, Quantity quantity, const Range& range);
std::uint64_t read_count(const ConfigNode& node, std::uint64_t low, std::uint64_t high);
ConfigScalar read_scalar(const ConfigNode& node, const ScalarKind& kind);
std::string read_text(const ConfigNode& node);
std::string read_choice(const ConfigNode& node, std::span<const std::string_view> choices);
bool read_flag(const ConfigNode& node);

}  // namespace cimstat::core::detail
