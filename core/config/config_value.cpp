#include "core/config/config_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "core/config/config_text.h"

namespace cimstat::core::detail {
namespace text = config_text;
namespace {

std::string limit_text(double limit, Quantity quantity) {
  constexpr int kDigits = 6;
  return limit == 0.0 ? "0" : format_quantity(limit, quantity, kDigits);
}

std::string rule_of(const Range& range, Quantity quantity) {
  const std::string low =
      fmt::format("{} {}", range.low_open ? ">" : ">=", limit_text(range.low, quantity));
  const std::string high =
      fmt::format("{} {}", range.high_open ? "<" : "<=", limit_text(range.high, quantity));
  if (std::isinf(range.high)) return "must be " + low;
  if (std::isinf(range.low)) return "must be " + high;
  return fmt::format("must be {} and {}", low, high);
}

std::string remedy_of(const Range& range, Quantity quantity) {
  if (range.low == 0.0 && std::isinf(range.high)) {
    return range.low_open ? "write a positive number" : "write a non-negative number";
  }
  if (std::isinf(range.high)) return "write a larger number";
  if (std::isinf(range.low)) return "write a smaller number";
  return fmt::format("write a number between {} and {}", limit_text(range.low, quantity),
                     limit_text(range.high, quantity));
}

struct WholeNumber {
  bool negative = false;
  std::uint64_t value = 0;  ///< 0 where negative
};

/// A whole number in any spelling: an integer, an integral float, or digits as text, which alone
/// reach beyond TOML's 63 bits.
std::optional<WholeNumber> whole_number(const ConfigNode& node) {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  if (const auto* integer = std::get_if<std::int64_t>(&node.value)) {
    if (*integer < 0) return WholeNumber{true, 0};
    return WholeNumber{false, static_cast<std::uint64_t>(*integer)};
  }
  if (const auto* number = std::get_if<double>(&node.value)) {
    if (!(std::abs(*number) < kTwoTo64) || *number != std::floor(*number)) return std::nullopt;
    if (*number < 0.0) return WholeNumber{true, 0};
    return WholeNumber{false, static_cast<std::uint64_t>(*number)};
  }
  if (const auto* digits = std::get_if<std::string>(&node.value)) {
    WholeNumber whole;
    const char* end = digits->data() + digits->size();
    const auto [stop, error] = std::from_chars(digits->data(), end, whole.value);
    if (error == std::errc() && stop == end) return whole;
  }
  return std::nullopt;
}

}  // namespace

QuantityWords words_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::ratio:
      return {"a number", "0.05"};
    case Quantity::voltage:
      return {"a voltage", "\"0.2 V\""};
    case Quantity::current:
      return {"a current", "\"1.5 uA\""};
    case Quantity::resistance:
      return {"a resistance", "\"6 kohm\""};
    case Quantity::conductance:
      return {"a conductance", "\"40 uS\""};
    case Quantity::time:
      return {"a time", "\"10 ns\""};
    case Quantity::temperature:
      return {"a temperature", "\"25 degC\""};
    case Quantity::capacitance:
      return {"a capacitance", "\"1 fF\""};
    case Quantity::charge:
      return {"a charge", "\"0.5 fC\""};
    case Quantity::length:
      return {"a length", "\"28 nm\""};
  }
  return {};
}

double read_number(const ConfigNode& node, Quantity quantity, const Range& range) {
  const auto [name, example] = words_of(quantity);
  const std::string remedy = fmt::format("write {} such as {}", name, example);
  double value = 0.0;
  if (const auto* integer = std::get_if<std::int64_t>(&node.value)) {
    value = static_cast<double>(*integer);
  } else if (const auto* number = std::get_if<double>(&node.value)) {
    value = *number;
  } else if (const auto* quantity_text = std::get_if<std::string>(&node.value)) {
    try {
      value = parse_quantity(*quantity_text, quantity);
    } catch (const std::invalid_argument& reason) {
      throw Problem{fmt::format("{} is not {}", shown(node), name), reason.what(), remedy};
    }
  } else {
    throw Problem{fmt::format("{} is not {}", shown(node), name),
                  fmt::format("its kind is {}", kind_of(node)), remedy};
  }
  if (!std::isfinite(value)) {
    throw Problem{fmt::format("{} is not {}", shown(node), name), "it is not finite", remedy};
  }
  if (!range.contains(value)) {
    throw Problem{fmt::format("{} is out of range", shown(node)), rule_of(range, quantity),
                  remedy_of(range, quantity)};
  }
  return value;
}

std::string whole_number_words(std::uint64_t low, std::uint64_t high) {
  const bool unlimited = high == std::numeric_limits<std::uint64_t>::max();
  return unlimited ? fmt::format("a whole number >= {}", low)
                   : fmt::format("a whole number from {} to {}", low, high);
}

std::uint64_t read_count(const ConfigNode& node, std::uint64_t low, std::uint64_t high) {
  constexpr std::uint64_t kTypical = 1000;
  const std::string rule = "must be " + whole_number_words(low, high);
  const std::string remedy =
      fmt::format("write an integer such as {}", std::clamp(kTypical, low, high));
  const auto whole = whole_number(node);
  if (!whole) throw Problem{fmt::format("{} is not a count", shown(node)), rule, remedy};
  const bool low_enough = whole->negative || whole->value <= high;
  if (whole->negative || whole->value < low || !low_enough) {
    throw Problem{
        fmt::format("{} is out of range", shown(node)), rule,
        low_enough ? fmt::format("write {} or more", low) : fmt::format("write {} or less", high)};
  }
  return whole->value;
}

std::string read_text(const ConfigNode& node) {
  if (const auto* string = std::get_if<std::string>(&node.value)) return *string;
  throw Problem{fmt::format("{} is not a text", shown(node)),
                fmt::format("its kind is {}", kind_of(node)), "put it in quotes"};
}

std::string read_choice(const ConfigNode& node, std::span<const std::string_view> choices) {
  const std::vector<std::string> words(choices.begin(), choices.end());
  const auto* word = std::get_if<std::string>(&node.value);
  if (word != nullptr && std::find(words.begin(), words.end(), *word) != words.end()) return *word;
  std::string list;
  for (const std::string& choice : words) list += (list.empty() ? "" : ", ") + choice;
  const auto meant = word == nullptr ? std::nullopt : nearest(*word, words);
  throw Problem{fmt::format("{} is not a choice", shown(node)), fmt::format("one of {}", list),
                meant ? fmt::format("did you mean {}?", text::quoted(*meant))
                      : fmt::format("write one of them, such as {}", text::quoted(words.front()))};
}

std::string wanted_words(const ScalarKind& kind) {
  struct Words {
    std::string operator()(const NumberKind& number) const {
      const auto [name, example] = words_of(number.quantity);
      return fmt::format("{} such as {}", name, example);
    }
    std::string operator()(const CountKind& count) const {
      return whole_number_words(count.low, count.high);
    }
    std::string operator()(const ChoiceKind& choice) const {
      return fmt::format("a text such as {}", text::quoted(choice.choices.front()));
    }
    std::string operator()(TextKind) const { return "a text"; }
    std::string operator()(FlagKind) const { return "true or false"; }
  };
  return std::visit(Words{}, kind);
}

ConfigScalar read_scalar(const ConfigNode& node, const ScalarKind& kind) {
  struct Read {
    const ConfigNode& node;
    ConfigScalar operator()(const NumberKind& number) const {
      return read_number(node, number.quantity, number.range);
    }
    ConfigScalar operator()(const CountKind& count) const {
      return read_count(node, count.low, count.high);
    }
    ConfigScalar operator()(const ChoiceKind& choice) const {
      return read_choice(node, choice.choices);
    }
    ConfigScalar operator()(TextKind) const { return read_text(node); }
    ConfigScalar operator()(FlagKind) const { return read_flag(node); }
  };
  return std::visit(Read{node}, kind);
}

bool read_flag(const ConfigNode& node) {
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag;
  throw Problem{fmt::format("{} is not a flag", shown(node)),
                fmt::format("its kind is {}", kind_of(node)), "write true or false"};
}

}  // namespace cimstat::core::detail
