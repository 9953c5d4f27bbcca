#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// Typed reading of TOML files, with the place of each problem and a remedy.
///
/// Errors are UsageErrors of one line: `file:line:column: key: problem (why); remedy`.
/// Every read is recorded with its resolved value in SI units, so that the configuration that a
/// result was made from can be written out, defaults included, in one canonical form.
namespace cimstat::core {

/// What a number measures: decides the units that a text value may carry ("6 kohm", "25 degC").
/// A plain number is in the SI unit.
enum class Quantity {
  ratio,
  voltage,
  current,
  resistance,
  conductance,
  time,
  temperature,
  capacitance,
  charge,
  length
};

inline constexpr Quantity all_quantities[] = {
    Quantity::ratio,       Quantity::voltage, Quantity::current,     Quantity::resistance,
    Quantity::conductance, Quantity::time,    Quantity::temperature, Quantity::capacitance,
    Quantity::charge,      Quantity::length};

/// Which values are allowed; ends included unless marked open.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;
  bool high_open = false;
  bool contains(double value) const {
    return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
  }
  static constexpr Range positive() {
    return {0.0, std::numeric_limits<double>::infinity(), true, true};
  }
  static constexpr Range not_negative() {
    return {0.0, std::numeric_limits<double>::infinity(), false, true};
  }
  static constexpr Range fraction() { return {0.0, 1.0, false, false}; }
};

/// One value, read: in the SI unit where it has one.
using ConfigScalar = std::variant<double, std::uint64_t, bool, std::string>;

// What a single value is to be, where only the program that runs knows.
struct NumberKind {
  Quantity quantity = Quantity::ratio;
  Range range{};
};
struct CountKind {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
};
struct ChoiceKind {
  std::vector<std::string_view> choices;
};
struct TextKind {};
struct FlagKind {};
using ScalarKind = std::variant<NumberKind, CountKind, ChoiceKind, TextKind, FlagKind>;

/// A value that takes the place of the file's, or stands where it has none.
struct ConfigSetting {
  std::span<const std::string> keys;  ///< from the root down, at least one
  ConfigScalar value;
  std::string_view place;  ///< what messages about it begin with
};

namespace detail {
struct ConfigNode;
struct ConfigState;
}  // namespace detail

/// A table of the file; `Config` below is the root. Cheap to copy; all copies share one record of
/// what was read.
class ConfigTable {
 public:
  /// Asking for a key doesn't read it: finish() refuses one that was only asked for.
  bool has(std::string_view key) const;

  // Required reads: throw when the key is missing, of the wrong type or unit, or out of range.
  double number(std::string_view key, Quantity quantity, Range range) const;
  /// An integer, an integral float (1e9), or digits as text, which alone reach beyond 2^63 - 1.
  std::uint64_t count(std::string_view key, std::uint64_t low, std::uint64_t high) const;
  std::string text(std::string_view key) const;
  /// One of `choices`; a misspelt one is answered with the nearest.
  std::string choice(std::string_view key, std::span<const std::string_view> choices) const;
  std::vector<double> numbers(std::string_view key, Quantity quantity, Range range) const;
  std::vector<std::uint64_t> counts(std::string_view key, std::uint64_t low,
                                    std::uint64_t high) const;
  ConfigScalar scalar(std::string_view key, const ScalarKind& kind) const;
  /// A list of them, in the file's order.
  std::vector<ConfigScalar> scalars(std::string_view key, const ScalarKind& kind) const;

  // Reads with a default, which is recorded as if it had been written.
  double number_or(std::string_view key, Quantity quantity, Range range, double fallback) const;
  std::uint64_t count_or(std::string_view key, std::uint64_t low, std::uint64_t high,
                         std::uint64_t fallback) const;
  std::string text_or(std::string_view key, std::string_view fallback) const;
  std::string choice_or(std::string_view key, std::span<const std::string_view> choices,
                        std::string_view fallback) const;
  bool flag_or(std::string_view key, bool fallback) const;

  /// The keys that are there, sorted. Asking doesn't read them.
  std::vector<std::string> keys() const;

  /// A sub-table; `table` throws when it is missing, `table_or_empty` then stands for an empty one.
  ConfigTable table(std::string_view key) const;
  ConfigTable table_or_empty(std::string_view key) const;

  /// "text", "integer", "number", "flag", "array", "table", "date", or "" when the key is missing.
  std::string_view kind_of(std::string_view key) const;

  /// Throws the error for this key (or the table itself, where `key` is empty) at its place.
  [[noreturn]] void fail(std::string_view key, std::string_view problem, std::string_view why = {},
                         std::string_view remedy = {}) const;

  /// Announces a key that may be read later: messages of finish() list it as known. With a reason
  /// why it can't be used here, finish() refuses it with that instead.
  void expect(std::string_view key, std::string_view why_not) const;

  /// "table.key", dotted from the root.
  std::string path_of(std::string_view key) const;
  /// "file:line:column: table.key", or "--set table.key": where messages about the key point.
  std::string place(std::string_view key) const;

  /// The key, or the table and all below it, stays out of the canonical form (threads, paths,
  /// verbosity) and isn't refused by finish() where nothing reads it.
  void leave_out(std::string_view key) const;

 private:
  friend class Config;
  ConfigTable(std::shared_ptr<detail::ConfigState> state, std::string path,
              const detail::ConfigNode* node);
  std::shared_ptr<detail::ConfigState> state_;
  std::string path_;                          ///< dotted; empty for the root
  const detail::ConfigNode* node_ = nullptr;  ///< null for an absent table
};

class Config : public ConfigTable {
 public:
  /// `overrides` are "dotted.key=value" texts (from --set), applied in order; value is TOML, and a
  /// bare word is taken as text; tables on the way are made, a table given as value replaces the
  /// old one. Throws UsageError when the file can't be read or parsed.
  static Config from_file(const std::filesystem::path& file,
                          std::span<const std::string> overrides = {});
  static Config from_text(std::string_view text, std::string_view name,
                          std::span<const std::string> overrides = {});

  /// The same configuration, nothing of it read yet, with these values instead, in this order. May
  /// be called from several threads at once. Throws UsageError where a value stands in the way of a
  /// table.
  Config with(std::span<const ConfigSetting> settings) const;
  /// The same, nothing of it read yet, without a key or table of the root.
  Config without(std::string_view key) const;
  /// The file, or the name given for a text: what places begin with.
  const std::string& name() const;

  /// Refuses keys and tables that nothing has read, with the nearest known key. Call it after the
  /// last read.
  void finish() const;

  /// The resolved configuration: every key that was read, sorted, SI numbers in shortest round-trip
  /// form, as TOML: reading it the same way gives the same canonical form.
  std::string canonical() const;

 private:
  explicit Config(ConfigTable root);
};

/// Edit distance (Damerau-Levenshtein) nearest of `known`, where one is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

/// "6 kohm" -> 6000, the double nearest to the decimal number. Prefixes a f p n u m k M G T; degC
/// or C for a temperature, % for a ratio; a text without a unit is in the SI unit. Throws
/// std::invalid_argument with the reason.
double parse_quantity(std::string_view text, Quantity quantity);
/// 6000, resistance -> "6 kohm", to `digits` significant digits; temperatures in degC.
std::string format_quantity(double value, Quantity quantity, int digits = 4);
/// An error bound to one digit, rounded up, so that it stays one: 8.05e-13 -> "9e-13".
std::string bound_text(double bound);
/// What parse_quantity takes, as a regular expression (ECMA 262) of the whole text.
std::string quantity_pattern(Quantity quantity);
/// "ohm", "S", ... ; "1" for a ratio.
std::string_view si_unit(Quantity quantity);

}  // namespace cimstat::core
