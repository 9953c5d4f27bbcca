#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/config/config_text.h"
#include "core/config/config_tree.h"
#include "core/error.h"

namespace cimstat::core {
namespace text = config_text;

namespace detail {

const ConfigNode* ConfigMembers::find(std::string_view key) const {
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const ConfigNode& member) { return member.key == key; });
  return found == items.end() ? nullptr : &*found;
}

ConfigNode* ConfigMembers::find(std::string_view key) {
  return const_cast<ConfigNode*>(std::as_const(*this).find(key));
}

std::string_view kind_of(const ConfigNode& node) {
  struct Kind {
    std::string_view operator()(const ConfigMembers&) const { return "table"; }
    std::string_view operator()(const ConfigArray&) const { return "array"; }
    std::string_view operator()(const std::string&) const { return "text"; }
    std::string_view operator()(std::int64_t) const { return "integer"; }
    std::string_view operator()(double) const { return "number"; }
    std::string_view operator()(bool) const { return "flag"; }
    std::string_view operator()(Date) const { return "date"; }
  };
  return std::visit(Kind{}, node.value);
}

std::string shown(const ConfigNode& node) {
  constexpr std::size_t kMostShown = 60;
  if (const auto* string = std::get_if<std::string>(&node.value)) {
    if (string->size() <= kMostShown) return text::quoted(*string);
    std::size_t cut = kMostShown;
    while (cut > 0 && (static_cast<unsigned char>((*string)[cut]) & 0xC0) == 0x80) --cut;
    return text::quoted(string->substr(0, cut)) + "...";
  }
  if (const auto* integer = std::get_if<std::int64_t>(&node.value)) {
    return fmt::format("{}", *integer);
  }
  if (const auto* number = std::get_if<double>(&node.value)) return text::plain_text(*number);
  if (const auto* flag = std::get_if<bool>(&node.value)) return *flag ? "true" : "false";
  if (std::holds_alternative<ConfigArray>(node.value)) return "[...]";
  return node.members() != nullptr ? "{...}" : "a date";
}

std::string ConfigState::place(const ConfigNode& node, Position position) const {
  if (!node.written_by.empty()) return node.written_by;
  return fmt::format("{}:{}:{}", name, std::max(position.line, 1u), std::max(position.column, 1u));
}

}  // namespace detail

namespace {

using detail::ConfigNode;
using detail::ConfigState;
using detail::KnownKey;

struct Stranger {
  const ConfigNode* node;
  std::string table_path;
  const KnownKey* known;  ///< the program looked whether it is there, then had no use for it
};

void collect_strangers(const ConfigState& state, const ConfigNode& table, const std::string& path,
                       std::vector<Stranger>& strangers) {
  const auto known = state.tables.find(path);
  for (const ConfigNode& member : table.members()->items) {
    const KnownKey* key = nullptr;
    if (known != state.tables.end()) {
      const auto found = known->second.keys.find(member.key);
      if (found != known->second.keys.end()) key = &found->second;
    }
    if (key == nullptr || !key->read()) {
      strangers.push_back({&member, path, key});
    } else if (key->is_table && !key->left_out && member.members() != nullptr) {
      collect_strangers(state, member, text::joined(path, member.key), strangers);
    }
  }
}

std::string list_of(const std::vector<std::string>& words) {
  constexpr std::size_t kMost = 12;
  std::string list;
  for (std::size_t index = 0; index < std::min(words.size(), kMost); ++index) {
    list += (index == 0 ? "" : ", ") + words[index];
  }
  if (words.size() > kMost) list += fmt::format(" and {} more", words.size() - kMost);
  return list;
}

/// What a key that nothing reads was likely meant to be: a key of its table, or its own name in
/// another table.
std::string remedy_for(const ConfigState& state, const Stranger& stranger,
                       const std::vector<std::string>& siblings) {
  const std::string& key = stranger.node->key;
  if (const auto meant = nearest(key, siblings)) {
    return fmt::format("did you mean {}?", text::key_text(*meant));
  }
  for (const auto& [path, table] : state.tables) {
    if (path != stranger.table_path && table.keys.contains(key)) {
      return fmt::format("did you mean {}?", text::joined(path, key));
    }
  }
  return "remove it";
}

std::string value_text(double value) { return text::float_text(value); }
std::string value_text(bool value) { return value ? "true" : "false"; }
std::string value_text(const std::string& value) { return text::quoted(value); }

std::string value_text(std::uint64_t value) {
  // TOML's integers have 63 bits; count() reads longer ones from text.
  const std::string digits = fmt::format("{}", value);
  return value > std::uint64_t{INT64_MAX} ? text::quoted(digits) : digits;
}

std::string value_text(const ConfigScalar& scalar) {
  return std::visit([](const auto& value) { return value_text(value); }, scalar);
}

template <class Item>
std::string value_text(const std::vector<Item>& values) {
  std::string list;
  for (const Item& value : values) list += (list.empty() ? "" : ", ") + value_text(value);
  return "[" + list + "]";
}

std::vector<std::string> left_out_paths(const ConfigState& state) {
  std::vector<std::string> paths;
  for (const auto& [path, table] : state.tables) {
    for (const auto& [key, known] : table.keys) {
      if (known.left_out) paths.push_back(text::joined(path, key));
    }
  }
  return paths;
}

bool is_within(std::string_view path, const std::vector<std::string>& above) {
  return std::any_of(above.begin(), above.end(), [&](const std::string& one) {
    return path.starts_with(one) && (path.size() == one.size() || path[one.size()] == '.');
  });
}

}  // namespace

void Config::finish() const {
  std::vector<Stranger> strangers;
  collect_strangers(*state_, state_->root, {}, strangers);
  if (strangers.empty()) return;
  std::stable_sort(strangers.begin(), strangers.end(), [](const Stranger& a, const Stranger& b) {
    return a.node->key_position < b.node->key_position;
  });

  const Stranger& first = strangers.front();
  const std::string path = text::joined(first.table_path, first.node->key);
  const std::string place = state_->place(*first.node, first.node->key_position);
  std::vector<std::string> siblings;
  for (const auto& [key, known] : state_->tables[first.table_path].keys) {
    if (known.read() || (known.announced && known.why_not.empty())) siblings.push_back(key);
  }
  const std::string named = place == "--set " + path ? place : place + ": " + path;
  std::string why = "what else is set leaves no use for it";
  if (first.known == nullptr) {
    why = fmt::format("known here: {}", siblings.empty() ? "nothing" : list_of(siblings));
  } else if (!first.known->why_not.empty()) {
    why = first.known->why_not;
  }
  if (strangers.size() > 1) {
    std::vector<std::string> others;
    for (std::size_t index = 1; index < strangers.size(); ++index) {
      others.push_back(text::joined(strangers[index].table_path, strangers[index].node->key));
    }
    why += fmt::format("; also not used: {}", list_of(others));
  }
  if (first.known != nullptr)
    throw UsageError(error_line(named, "has no effect here", why, "remove it"));
  throw UsageError(error_line(named, "is unknown", why, remedy_for(*state_, first, siblings)));
}

std::string Config::canonical() const {
  const std::vector<std::string> left_out = left_out_paths(*state_);
  std::string result;
  for (const auto& [path, table] : state_->tables) {
    if (!path.empty() && is_within(path, left_out)) continue;
    std::string lines;
    for (const auto& [key, known] : table.keys) {
      if (!known.value || known.left_out) continue;
      lines += fmt::format(
          "{} = {}\n", text::key_text(key),
          std::visit([](const auto& value) { return value_text(value); }, *known.value));
    }
    if (lines.empty() && !table.required) continue;
    if (!result.empty()) result += '\n';
    if (!path.empty()) result += fmt::format("[{}]\n", path);
    result += lines;
  }
  return result;
}

}  // namespace cimstat::core
