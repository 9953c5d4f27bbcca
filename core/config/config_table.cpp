#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/config/config_text.h"
#include "core/config/config_tree.h"
#include "core/config/config_value.h"
#include "core/error.h"

namespace cimstat::core {
namespace text = config_text;

using detail::ConfigNode;
using detail::Problem;

namespace {

/// Whether a place names the key already, as "--set a.b" does.
bool named(const std::string& place, const std::string& path) {
  return path.empty() || place == "--set " + path;
}

[[noreturn]] void raise(const std::string& place, const std::string& path, const Problem& problem) {
  throw UsageError(error_line(named(place, path) ? place : place + ": " + path, problem.problem,
                              problem.why, problem.remedy));
}

/// What a ConfigTable reads with.
struct TableView {
  detail::ConfigState& state;
  const std::string& path;
  const ConfigNode* node;  ///< null for an absent table

  detail::KnownKey& known(std::string_view key) const {
    auto& keys = state.tables[path].keys;
    const auto at = keys.lower_bound(key);
    if (at != keys.end() && at->first == key) return at->second;
    return keys.emplace_hint(at, std::string(key), detail::KnownKey())->second;
  }
  const ConfigNode* find(std::string_view key) const {
    known(key);
    return node == nullptr ? nullptr : node->members()->find(key);
  }
  std::string place(std::string_view key) const;
  [[noreturn]] void fail(std::string_view key, const Problem& problem) const;
  const ConfigNode& required(std::string_view key, std::string_view wanted) const;
};

/// Of the key's value; of the table where the key isn't there.
std::string TableView::place(std::string_view key) const {
  const ConfigNode* found = key.empty() ? nullptr : find(key);
  return found == nullptr ? state.tables[path].place : state.place(*found, found->position);
}

void TableView::fail(std::string_view key, const Problem& problem) const {
  raise(place(key), key.empty() ? path : text::joined(path, key), problem);
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
  fail(key, {"is missing", fmt::format("{} is needed", wanted),
             meant ? fmt::format("did you misspell it as {}?", text::key_text(*meant)) : where});
}

/// Reads a value, records it, and gives a problem its place.
template <class Read>
auto recorded(const TableView& view, std::string_view key, const ConfigNode& node, Read read) {
  try {
    auto value = read(node);
    view.known(key).value = value;
    return value;
  } catch (const Problem& problem) {
    view.fail(key, problem);
  }
}

template <class Read>
auto recorded_items(const TableView& view, std::string_view key, const ConfigNode& node,
                    std::string_view wanted, Read read) {
  const auto* array = std::get_if<detail::ConfigArray>(&node.value);
  if (array == nullptr) {
    view.fail(key, {fmt::format("{} is not a list", shown(node)),
                    fmt::format("its kind is {}", kind_of(node)),
                    fmt::format("write {} in square brackets", wanted)});
  }
  std::vector<decltype(read(node))> items;
  for (const ConfigNode& item : array->items) {
    try {
      items.push_back(read(item));
    } catch (const Problem& problem) {
      raise(view.state.place(item, item.position),
            fmt::format("{}[{}]", text::joined(view.path, key), items.size()), problem);
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
  const auto [name, example] = detail::words_of(quantity);
  const TableView view{*state_, path_, node_};
  return recorded(
      view, key, view.required(key, fmt::format("{} such as {}", name, example)),
      [&](const ConfigNode& node) { return detail::read_number(node, quantity, range); });
}

double ConfigTable::number_or(std::string_view key, Quantity quantity, Range range,
                              double fallback) const {
  return has(key) ? number(key, quantity, range)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, fallback);
}

std::uint64_t ConfigTable::count(std::string_view key, std::uint64_t low,
                                 std::uint64_t high) const {
  const TableView view{*state_, path_, node_};
  return recorded(view, key, view.required(key, detail::whole_number_words(low, high)),
                  [&](const ConfigNode& node) { return detail::read_count(node, low, high); });
}

std::uint64_t ConfigTable::count_or(std::string_view key, std::uint64_t low, std::uint64_t high,
                                    std::uint64_t fallback) const {
  return has(key) ? count(key, low, high)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, fallback);
}

std::string ConfigTable::text(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  return recorded(view, key, view.required(key, "a text"), detail::read_text);
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
      [&](const ConfigNode& node) { return detail::read_choice(node, choices); });
}

std::string ConfigTable::choice_or(std::string_view key, std::span<const std::string_view> choices,
                                   std::string_view fallback) const {
  return has(key) ? choice(key, choices)
                  : recorded_fallback(TableView{*state_, path_, node_}, key, std::string(fallback));
}

bool ConfigTable::flag_or(std::string_view key, bool fallback) const {
  const TableView view{*state_, path_, node_};
  const ConfigNode* node = view.find(key);
  return node ? recorded(view, key, *node, detail::read_flag)
              : recorded_fallback(view, key, fallback);
}

std::vector<double> ConfigTable::numbers(std::string_view key, Quantity quantity,
                                         Range range) const {
  const auto [name, example] = detail::words_of(quantity);
  const std::string wanted = fmt::format("a list such as [{}]", example);
  const TableView view{*state_, path_, node_};
  return recorded_items(
      view, key, view.required(key, wanted), fmt::format("numbers such as {}", example),
      [&](const ConfigNode& node) { return detail::read_number(node, quantity, range); });
}

std::vector<std::uint64_t> ConfigTable::counts(std::string_view key, std::uint64_t low,
                                               std::uint64_t high) const {
  const TableView view{*state_, path_, node_};
  std::vector<std::uint64_t> items =
      recorded_items(view, key, view.required(key, "a list of whole numbers"), "whole numbers",
                     [&](const ConfigNode& node) { return detail::read_count(node, low, high); });
  // A set: the same numbers in another order are the same configuration.
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  view.known(key).value = items;
  return items;
}

ConfigScalar ConfigTable::scalar(std::string_view key, const ScalarKind& kind) const {
  const TableView view{*state_, path_, node_};
  const ConfigNode& node = view.required(key, detail::wanted_words(kind));
  try {
    ConfigScalar value = detail::read_scalar(node, kind);
    std::visit([&](const auto& read) { view.known(key).value = read; }, value);
    return value;
  } catch (const Problem& problem) {
    view.fail(key, problem);
  }
}

std::vector<ConfigScalar> ConfigTable::scalars(std::string_view key, const ScalarKind& kind) const {
  const TableView view{*state_, path_, node_};
  const std::string wanted = detail::wanted_words(kind);
  return recorded_items(view, key, view.required(key, fmt::format("a list, each {}", wanted)),
                        fmt::format("a list, each {},", wanted),
                        [&](const ConfigNode& node) { return detail::read_scalar(node, kind); });
}

std::vector<std::string> ConfigTable::keys() const {
  std::vector<std::string> keys;
  if (node_ == nullptr) return keys;
  for (const ConfigNode& member : node_->members()->items) keys.push_back(member.key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

ConfigTable ConfigTable::table(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  view.required(key, "a table");
  ConfigTable found = table_or_empty(key);
  state_->tables[found.path_].required = true;
  return found;
}

ConfigTable ConfigTable::table_or_empty(std::string_view key) const {
  const TableView view{*state_, path_, node_};
  const std::string path = text::joined(path_, key);
  const ConfigNode* node = view.find(key);
  if (node != nullptr && node->members() == nullptr) {
    view.fail(key, {fmt::format("{} is not a table", shown(*node)),
                    fmt::format("its kind is {}", detail::kind_of(*node)),
                    fmt::format("write a section [{}]", path)});
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

void ConfigTable::fail(std::string_view key, std::string_view problem, std::string_view why,
                       std::string_view remedy) const {
  TableView{*state_, path_, node_}.fail(
      key, {std::string(problem), std::string(why), std::string(remedy)});
}

void ConfigTable::expect(std::string_view key, std::string_view why_not) const {
  detail::KnownKey& known = TableView{*state_, path_, node_}.known(key);
  known.announced = true;
  known.why_not = why_not;
}

std::string ConfigTable::path_of(std::string_view key) const { return text::joined(path_, key); }

std::string ConfigTable::place(std::string_view key) const {
  const std::string path = path_of(key);
  const std::string place = TableView{*state_, path_, node_}.place(key);
  return named(place, path) ? place : place + ": " + path;
}

void ConfigTable::leave_out(std::string_view key) const {
  TableView{*state_, path_, node_}.known(key).left_out = true;
}

}  // namespace cimstat::core
