#include "core/config/config.h"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "core/config/config_text.h"
#include "core/config/config_tree.h"
#include "core/error.h"

namespace cimstat::core {
namespace text = config_text;
namespace {

using detail::ConfigArray;
using detail::ConfigMembers;
using detail::ConfigNode;
using detail::Position;

/// Who wrote a text: the file, or what stands at this place.
struct Origin {
  std::string place;
  Position position(const toml::source_position& found) const {
    return place.empty() ? Position{found.line, found.column} : Position{};
  }
};

ConfigNode converted(const toml::node& node, const Origin& origin);

ConfigMembers converted_members(const toml::table& table, const Origin& origin) {
  ConfigMembers members;
  for (const auto& [key, child] : table) {
    members.items.push_back(converted(child, origin));
    members.items.back().key = text::unsheltered(key.str());
    members.items.back().key_position = origin.position(key.source().begin);
  }
  return members;
}

ConfigNode converted(const toml::node& node, const Origin& origin) {
  ConfigNode result;
  result.written_by = origin.place;
  result.position = origin.position(node.source().begin);
  if (const auto* table = node.as_table()) {
    result.value = converted_members(*table, origin);
  } else if (const auto* array = node.as_array()) {
    ConfigArray items;
    for (const toml::node& item : *array) items.items.push_back(converted(item, origin));
    result.value = std::move(items);
  } else if (const auto* string = node.as_string()) {
    result.value = text::unsheltered(string->get());
  } else if (const auto* integer = node.as_integer()) {
    result.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    result.value = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    result.value = flag->get();
  } else {
    result.value = detail::Date{};
  }
  return result;
}

/// With these a value that isn't a bare word starts.
constexpr std::string_view kOpeners = "\"'[{";

bool has_control_character(std::string_view line) {
  return std::any_of(line.begin(), line.end(), [](char letter) {
    return static_cast<unsigned char>(letter) < 0x20 && letter != '\t';
  });
}

std::string_view line_of(std::string_view whole, std::uint32_t line) {
  for (; line > 1 && !whole.empty(); --line) {
    whole.remove_prefix(std::min(whole.find('\n'), whole.size() - 1) + 1);
  }
  return whole.substr(0, whole.find_first_of("\r\n"));
}

/// What the parser refuses: its words and the place.
struct NotToml {
  std::string reason;
  Position at;
};

/// All parsing goes this way. Throws NotToml.
ConfigNode parsed(std::string_view whole, const Origin& origin = {}) {
  if (const auto at = text::stray_character(whole)) {
    const auto [line, column] = text::place_in(whole, *at);
    throw NotToml{"a character beyond ASCII outside of quotes", {line, column}};
  }
  try {
    return converted(toml::parse(text::sheltered(whole)), origin);
  } catch (const toml::parse_error& error) {
    constexpr std::string_view kPreamble = "Error ";
    std::string_view reason = error.description();
    if (reason.starts_with(kPreamble)) reason.remove_prefix(kPreamble.size());
    const toml::source_position at = error.source().begin;
    throw NotToml{text::unsheltered(reason), {at.line, at.column}};
  }
}

bool is_toml_value(std::string_view value) {
  try {
    return parsed(fmt::format("value = {}", value)).members()->items.size() == 1;
  } catch (const NotToml&) {
    return false;
  }
}

/// The commonest slip is text or a quantity without quotes: key = 6 kohm.
std::string remedy_for_line(std::string_view line) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t equals = line.find('=');
  if (equals == line.npos) return "correct this line";
  const std::size_t start = line.find_first_not_of(kBlank, equals + 1);
  if (start == line.npos) return "write a value after the \"=\"";
  std::string_view value = line.substr(start, line.find('#', start) - start);
  value = value.substr(0, value.find_last_not_of(kBlank) + 1);
  const bool looks_bare = !value.empty() && kOpeners.find(value.front()) == kOpeners.npos;
  if (!looks_bare || has_control_character(value) || is_toml_value(value)) {
    return "correct this line";
  }
  return fmt::format("put text and quantities in quotes: {}= {}", line.substr(0, equals),
                     text::quoted(value));
}

/// What to do about a text that is no TOML.
std::string remedy_for_error(std::string_view whole, const NotToml& error) {
  if (error.reason.find("end-of-file") != error.reason.npos) {
    return "complete it, or restore the file: it may be cut short";
  }
  if (error.reason.find("not representable") != error.reason.npos) return "write a smaller number";
  return remedy_for_line(line_of(whole, error.at.line));
}

ConfigNode parsed_file(std::string_view whole, std::string_view name) {
  text::require_sound(whole, name);
  try {
    return parsed(whole);
  } catch (const NotToml& error) {
    throw UsageError(error_line(fmt::format("{}:{}:{}", name, error.at.line, error.at.column),
                                "is not valid TOML", error.reason, remedy_for_error(whole, error)));
  }
}

/// One --set, taken apart.
struct Override {
  std::vector<std::string> keys;  ///< from the root down, at least one
  ConfigNode value;
};

std::string set_place(std::string_view path) { return fmt::format("--set {}", path); }

[[noreturn]] void refuse_set(std::string_view what, std::string_view problem, std::string_view why,
                             std::string_view remedy) {
  throw UsageError(error_line(set_place(what), problem, why, remedy));
}

/// The first "=" outside of quotes.
std::size_t end_of_key(std::string_view assignment) {
  char open = '\0';
  for (std::size_t at = 0; at < assignment.size(); ++at) {
    const char letter = assignment[at];
    if (open == '\0' && letter == '=') return at;
    if (open == '\0' && (letter == '"' || letter == '\'')) {
      open = letter;
    } else if (letter == open) {
      open = '\0';
    }
  }
  return assignment.npos;
}

std::vector<std::string> keys_of(std::string_view key) {
  std::vector<std::string> keys;
  try {
    const ConfigNode whole = parsed(fmt::format("{} = 0", key));
    // Nothing but a comment holds no key.
    const ConfigMembers* level = whole.members();
    while (level != nullptr && !level->items.empty()) {
      keys.push_back(level->items.front().key);
      level = level->items.front().members();
    }
  } catch (const NotToml&) {
    keys.clear();
  }
  if (keys.empty()) {
    refuse_set(key, "is not a key", "names joined by dots are needed",
               "write --set table.key=value");
  }
  return keys;
}

ConfigNode value_of(std::string_view value, const std::string& path) {
  try {
    return parsed(fmt::format("value = {}", value), {set_place(path)}).members()->items.front();
  } catch (const NotToml& error) {
    if (kOpeners.find(value.front()) != kOpeners.npos) {
      refuse_set(path, fmt::format("{} is not a TOML value", text::quoted(value)), error.reason,
                 "close what is open, and quote it for the shell");
    }
  }
  ConfigNode bare_word;
  bare_word.written_by = set_place(path);
  bare_word.value = std::string(value);
  return bare_word;
}

Override parsed_override(std::string_view assignment) {
  if (has_control_character(assignment)) {
    refuse_set(assignment, "holds a control character", "one line is needed", "remove it");
  }
  text::require_sound(assignment, "--set");
  const std::size_t equals = end_of_key(assignment);
  if (equals == assignment.npos) {
    refuse_set(assignment, "has no value", "key=value is needed",
               fmt::format("write --set {}=...", assignment));
  }
  Override result;
  result.keys = keys_of(assignment.substr(0, equals));
  std::string path;
  for (const std::string& key : result.keys) path = text::joined(path, key);
  std::string_view value = assignment.substr(equals + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  if (value.empty()) {
    refuse_set(path, "has no value", "key=value is needed",
               "write the value after the \"=\", or \"\" for an empty text");
  }
  result.value = value_of(value, path);
  return result;
}

/// Puts a value where the keys lead, making the tables on the way.
void put(ConfigNode& root, std::span<const std::string> keys, ConfigNode value) {
  ConfigNode* table = &root;
  std::string path;
  for (const std::string& key : keys.first(keys.size() - 1)) {
    path = text::joined(path, key);
    ConfigNode* child = table->members()->find(key);
    if (child == nullptr) {
      ConfigNode created;
      created.key = key;
      created.written_by = value.written_by;
      table->members()->items.push_back(std::move(created));
      child = &table->members()->items.back();
    }
    if (child->members() == nullptr) {
      throw UsageError(error_line(value.written_by, fmt::format("{} is {}", path, shown(*child)),
                                  fmt::format("of the kind {}, not a table", kind_of(*child)),
                                  fmt::format("set {} itself", path)));
    }
    table = child;
  }
  value.key = keys.back();
  if (ConfigNode* old = table->members()->find(value.key)) {
    *old = std::move(value);
  } else {
    table->members()->items.push_back(std::move(value));
  }
}

ConfigNode node_of(const ConfigScalar& scalar) {
  ConfigNode node;
  if (const auto* count = std::get_if<std::uint64_t>(&scalar)) {
    // TOML's integers have 63 bits; longer counts are texts.
    if (*count > std::uint64_t{INT64_MAX}) {
      node.value = fmt::format("{}", *count);
    } else {
      node.value = static_cast<std::int64_t>(*count);
    }
  } else if (const auto* number = std::get_if<double>(&scalar)) {
    node.value = *number;
  } else if (const auto* flag = std::get_if<bool>(&scalar)) {
    node.value = *flag;
  } else {
    node.value = std::get<std::string>(scalar);
  }
  return node;
}

std::shared_ptr<detail::ConfigState> state_of(const std::string& name, ConfigNode root) {
  auto state = std::make_shared<detail::ConfigState>();
  state->name = name;
  state->root = std::move(root);
  state->tables[""].place = fmt::format("{}:1:1", name);
  return state;
}

}  // namespace

Config::Config(ConfigTable root) : ConfigTable(std::move(root)) {}

Config Config::from_text(std::string_view whole, std::string_view name,
                         std::span<const std::string> overrides) {
  auto state = state_of(std::string(name), parsed_file(whole, name));
  for (const std::string& assignment : overrides) {
    Override change = parsed_override(assignment);
    put(state->root, change.keys, std::move(change.value));
  }
  const ConfigNode* root = &state->root;
  return Config(ConfigTable(std::move(state), {}, root));
}

Config Config::with(std::span<const ConfigSetting> settings) const {
  auto state = state_of(state_->name, state_->root);
  for (const ConfigSetting& setting : settings) {
    ConfigNode value = node_of(setting.value);
    value.written_by = setting.place;
    put(state->root, setting.keys, std::move(value));
  }
  const ConfigNode* root = &state->root;
  return Config(ConfigTable(std::move(state), {}, root));
}

Config Config::without(std::string_view key) const {
  auto state = state_of(state_->name, state_->root);
  std::erase_if(state->root.members()->items,
                [&](const ConfigNode& member) { return member.key == key; });
  const ConfigNode* root = &state->root;
  return Config(ConfigTable(std::move(state), {}, root));
}

const std::string& Config::name() const { return state_->name; }

Config Config::from_file(const std::filesystem::path& file,
                         std::span<const std::string> overrides) {
  return from_text(text::read_file(file), file.string(), overrides);
}

}  // namespace cimstat::core
