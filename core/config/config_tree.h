#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/config/config.h"

/// What stands between the TOML parser (config.cpp alone) and the typed reads.
namespace cimstat::core::detail {

struct ConfigNode;

struct ConfigArray {
  std::vector<ConfigNode> items;
};

struct ConfigMembers {
  std::vector<ConfigNode> items;  ///< keys differ
  const ConfigNode* find(std::string_view key) const;
  ConfigNode* find(std::string_view key);
};

/// Where a value or key was written; line 0 stands for a place outside of the file.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  auto operator<=>(const Position&) const = default;
};

struct Date {};

struct ConfigNode {
  std::string key;  ///< empty in arrays and for the root
  Position key_position;
  Position position;
  std::string written_by;  ///< "--set a.b", or another such place; empty where the file did
  std::variant<ConfigMembers, ConfigArray, std::string, std::int64_t, double, bool, Date> value;

  const ConfigMembers* members() const { return std::get_if<ConfigMembers>(&value); }
  ConfigMembers* members() { return std::get_if<ConfigMembers>(&value); }
};

/// "text", "integer", "number", "flag", "array", "table" or "date".
std::string_view kind_of(const ConfigNode& node);
/// The value as a message shows it, cut where it is long.
std::string shown(const ConfigNode& node);

using Value = std::variant<std::uint64_t, double, bool, std::string, std::vector<std::uint64_t>,
                           std::vector<double>, std::vector<ConfigScalar>>;

/// What the program knows of one key: it asked whether it is there, announced it, or read it.
struct KnownKey {
  std::optional<Value> value;
  bool announced = false;
  std::string why_not;  ///< why it can't be used here, where it was announced with that
  bool is_table = false;
  bool left_out = false;
  bool read() const { return value.has_value() || is_table || left_out; }
};

struct KnownTable {
  std::string place;      ///< of the table, or of the nearest one around it that is written
  bool required = false;  ///< its header belongs to the canonical form even when it is empty
  std::map<std::string, KnownKey, std::less<>> keys;
};

struct ConfigState {
  std::string name;  ///< of the file
  ConfigNode root;
  std::map<std::string, KnownTable> tables;  ///< by path; the root's is ""

  std::string place(const ConfigNode& node, Position position) const;
};

}  // namespace cimstat::core::detail
