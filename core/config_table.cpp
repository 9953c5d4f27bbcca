#include <algorithm>
#include <cassert>
#include <charconv>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "core/config.h"
#include "core/config_text.h"
#include "core/config_tree.h"
#include "core/error.h"

namespace cimstat::core {
namespace text = config_text;

using detail::ConfigNode;

namespace {

/// What is wrong with one value, still without its place.
struct Problem {
  std::string problem;
  std::string suggestion;
};

struct QuantityWords {
  std::string_view name;
  std::string_view example;
};

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
  }
  return {};
}

bool lies_in(double value, const Range& range) {
  return (range.low_open ? value > range.low : value >= range.low) &&
         (range.high_open ? value < range.high : value <= range.high);
}

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
      throw Problem{fmt::format("{} is not {} ({})", shown(node), name, reason.what()), remedy};
    }
  } else {
    throw Problem{fmt::format("{} is not {} (its kind is {})", shown(node), name, kind_of(node)),
                  remedy};
  }
  if (!std::isfinite(value)) {
    throw Problem{fmt::format("{} is not {} (it is not finite)", shown(node), name), remedy};
  }
  if (!lies_in(value, range)) {
    throw Problem{fmt::format("{} is out of range ({})", shown(node), rule_of(range, quantity)),
                  remedy_of(range, quantity)};
  }
  return value;
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
  if (!whole) throw Problem{fmt::format("{} is not a count ({})", shown(node), rule), remedy};
  if (whole->negative || whole->value < low || whole->value > high) {
    throw Problem{fmt::format("{} is out of range ({})", shown(node), rule), remedy};
  }
  return whole->value;
}

std::string read_text(const ConfigNode& node) {
  if (const auto* string = std::get_if<std::string>(&node.value)) return *string;
  throw Problem{fmt::format("{} is not a text (its kind is {})", shown(node), kind_of(node)),
                "put it in quotes"};
}

std::string read_choice(const ConfigNode& node, std::span<const std::string_view> choices) {
  const std::vector<std::string> words(choices.begin(), choices.end());
  const auto* word = std::get_if<std::string>(&node.value);
  if (word != nullptr && std::find(words.begin(), words.end(), *word) != words.end()) return *word;
  std::string list;
  for (const std::string& choice : words) list += (list.empty() ? "" : ", ") + choice;
  const auto meant = word == nullptr ? std::nullopt : nearest(*word, words);
  throw Problem{fmt::format("{} is not a choice (one of {})", shown(node), list),
                meant ? fmt::format("did you mean {}?", text::quoted(*meant))
                      : fmt::format("write one of them, such as {}", text::quoted(words.front()))};
}

bool read_flag(const ConfigNode& node) {
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag;
  throw Problem{fmt::format("{} is not a flag (its kind is {})", shown(node), kind_of(node)),
                "write true or false"};
}

[[noreturn]] void raise(const std::string& place, const std::string& path, std::string_view problem,
                        std::string_view suggestion) {
  // "--set a.b" names the key already.
  const bool named = path.empty() || place == "--set " + path;
  throw UsageError(fmt::format("{}: {}{}{}{}{}", place, named ? "" : path, named ? "" : ": ",
                               problem, suggestion.empty() ? "" : " ", suggestion));
}

/// What a ConfigTable reads with.
struct TableView {
  detail::ConfigState& state;
  const std::string& path;
  const ConfigNode* node;  ///< null for an absent table

  detail::KnownKey& known(std::string_view key) const {
    return state.tables[path].keys[std::string(key)];
  }
  const ConfigNode* find(std::string_view key) const {
    known(key);
    return node == nullptr ? nullptr : node->members()->find(key);
  }
  [[noreturn]] void fail(std::string_view key, std::string_view problem,
                         std::string_view suggestion) const;
  const ConfigNode& required(std::string_view key, std::string_view wanted) const;
};

void TableView::fail(std::string_view key, std::string_view problem,
                     std::string_view suggestion) const {
  const ConfigNode* found = key.empty() ? nullptr : find(key);
  raise(found == nullptr ? state.tables[path].place : state.place(*found, found->position),
        key.empty() ? path : text::joined(path, key), problem, suggestion);
}

/// A misspelt key is the likely cause of a missing one, and finish() would come too late to say so:
/// a key of this table that nobody asked for yet and that is near is named.
const ConfigNode& TableView::required(std::string_view key, std::string_view wanted) const {
  if (const ConfigNode* found = find(key)) return *found;
  std::vector<std::string> strangers;
  if (node != nullptr) {
    for (const ConfigNode& member : node->members()->items) {
      if (!state.tables[path].keys.contains(member.key)) strangers.push_back(member.key);
    }
  }
  const auto meant = nearest(key, strangers);
  const std::string where =
      path.empty() ? "add it at the top of the file" : fmt::format("add it to [{}]", path);
  fail(key, fmt::format("is missing ({} is needed)", wanted),
       meant ? fmt::format("did you misspell it as {}?", text::key_text(*meant)) : where);
}

/// Reads a value, records it, and gives a problem its place.
template <class Read>
auto recorded(const TableView& view, std::string_view key, const ConfigNode& node, Read read) {
  try {
    auto value = read(node);
    view.known(key).value = value;
    return value;
  } catch (const Problem& problem) {
    view.fail(key, problem.problem, problem.suggestion);
  }
}

template <class Read>
auto recorded_items(const TableView& view, std::string_view key, const ConfigNode& node,
                    std::string_view wanted, Read read) {
  const auto* array = std::get_if<detail::ConfigArray>(&node.value);
  if (array == nullptr) {
    view.fail(key, fmt::format("{} is not a list (its kind is {})", shown(node), kind_of(node)),
              fmt::format("write {} in square brackets", wanted));
  }
  std::vector<decltype(read(node))> items;
  for (const ConfigNode& item : array->items) {
    try {
      items.push_back(read(item));
    } catch (const Problem& problem) {
      raise(view.state.place(item, item.position),
            fmt::format("{}[{}]", text::joined(view.path, key), items.size()), problem.problem,
            problem.suggestion);
    }
  }
  view.known(key).value = items;
  return items;
}

template <class Fallback>
Fallback recorded_fallback(const TableView& view, std::string_view key, Fallback fallback) {
  view.known(key).value = fallback;
  return fallback;
}

}  // namespace

ConfigTable::ConfigTable(std::shared_ptr<detail::ConfigState> state, std::string path,
                         const detail::ConfigNode* node)
    : state_(std::move(state)), path_(std::move(path)), node_(node) {}

bool ConfigTable::has(std::string_view key) const {
  return TableView{*state_, path_, node_}.find(key) != nullptr;
}

double ConfigTable::number(std::string_view key, Quantity quantity, Range range) const {
  const auto [name, example] = words_of(quantity);
  const TableView view{*state_, path_, node_};
  return recorded(view, key, view.required(key, fmt::format("{} such as {}", name, example)),
                  [&](const ConfigNode& node) { return read_number(node, quantity, range); });
}

double ConfigTable::number_or(std::string_view key, Quantity quantity, Range range,
                              double fallback) const {
  return has(key) ? number(key, quantity, range)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, fallback);
}

std::uint64_t ConfigTable::count(std::string_view key, std::uint64_t low,
                                 std::uint64_t high) const {
  const TableView view{*state_, path_, node_};
  return recorded(view, key, view.required(key, whole_number_words(low, high)),
                  [&](const ConfigNode& node) { return read_count(node, low, high); });
}

std::uint64_t ConfigTable::count_or(std::string_view key, std::uint64_t low, std::uint64_t high,
                                    std::uint64_t fallback) const {
  return has(key) ? count(key, low, high)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, fallback);
}

std::string ConfigTable::text(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  return recorded(view, key, view.required(key, "a text"), read_text);
}

std::string ConfigTable::text_or(std::string_view key, std::string_view fallback) const {
  return has(key) ? text(key)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, std::string(fallback));
}

std::string ConfigTable::choice(std::string_view key,
                                std::span<const std::string_view> choices) const {
  assert(!choices.empty());
  const TableView view{*state_, path_, node_};
  return recorded(
      view, key,
      view.required(key, fmt::format("a text such as {}", text::quoted(choices.front()))),
      [&](const ConfigNode& node) { return read_choice(node, choices); });
}

std::string ConfigTable::choice_or(std::string_view key, std::span<const std::string_view> choices,
                                   std::string_view fallback) const {
  return has(key) ? choice(key, choices)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, std::string(fallback));
}

bool ConfigTable::flag_or(std::string_view key, bool fallback) const {
  const TableView view{*state_, path_, node_};
  const ConfigNode* node = view.find(key);
  return node ? recorded(view, key, *node, read_flag) : recorded_fallback(view, key, fallback);
}

std::vector<double> ConfigTable::numbers(std::string_view key, Quantity quantity,
                                         Range range) const {
  const auto [name, example] = words_of(quantity);
  const std::string wanted = fmt::format("a list such as [{}]", example);
  const TableView view{*state_, path_, node_};
  return recorded_items(view, key, view.required(key, wanted),
                        fmt::format("numbers such as {}", example),
                        [&](const ConfigNode& node) { return read_number(node, quantity, range); });
}

std::vector<std::uint64_t> ConfigTable::counts(std::string_view key, std::uint64_t low,
                                               std::uint64_t high) const {
  const TableView view{*state_, path_, node_};
  return recorded_items(view, key, view.required(key, "a list of whole numbers"), "whole numbers",
                        [&](const ConfigNode& node) { return read_count(node, low, high); });
}

ConfigTable ConfigTable::table(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  view.required(key, "a table");
  const ConfigTable found = table_or_empty(key);
  state_->tables[found.path_].required = true;
  return found;
}

ConfigTable ConfigTable::table_or_empty(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  const std::string path = text::joined(path_, key);
  const ConfigNode* node = view.find(key);
  if (node != nullptr && node->members() == nullptr) {
    view.fail(
        key,
        fmt::format("{} is not a table (its kind is {})", shown(*node), detail::kind_of(*node)),
        fmt::format("write a section [{}]", path));
  }
  view.known(key).is_table = true;
  state_->tables[path].place =
      node == nullptr ? state_->tables[path_].place : state_->place(*node, node->position);
  return ConfigTable(state_, path, node);
}

std::string_view ConfigTable::kind_of(std::string_view key) const {
  const ConfigNode* node = TableView{*state_, path_, node_}.find(key);
  return node == nullptr ? "" : detail::kind_of(*node);
}

void ConfigTable::fail(std::string_view key, std::string_view problem,
                       std::string_view suggestion) const {
  TableView{*state_, path_, node_}.fail(key, problem, suggestion);
}

void ConfigTable::leave_out(std::string_view key) const {
  TableView{*state_, path_, node_}.known(key).left_out = true;
}

}  // namespace cimstat::core
