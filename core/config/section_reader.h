#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/parameter.h"

namespace cimstat::core {

/// Reads one section of a configuration through its list: kinds, units, ranges and defaults come
/// from there, so that no key can be read that isn't described. Keys that belong to another variant
/// than the chosen one are refused with that reason by Config::finish().
///
/// Errors are those of ConfigTable. Asking for a key that the list lacks, or by another kind, is a
/// mistake of the program: std::logic_error.
class SectionReader {
 public:
  /// Reads the selector. Throws UsageError also where keys of two ways are mixed.
  SectionReader(ConfigTable table, const Section& section);

  /// The value of the selector; the sections without one have none.
  std::string_view variant() const { return variant_ == nullptr ? "" : variant_->name; }
  bool has(std::string_view key) const { return table_.has(key); }
  std::string_view kind_of(std::string_view key) const { return table_.kind_of(key); }

  double number(std::string_view key) const;
  std::optional<double> optional_number(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  /// `high` is the value of the rule's high_key.
  std::uint64_t count(std::string_view key) const;
  std::uint64_t count(std::string_view key, std::uint64_t high) const;
  /// With a default that depends on other keys; `absent` says which.
  std::uint64_t count_or(std::string_view key, std::uint64_t fallback) const;
  /// All of low .. high where the word stands or the key is left out.
  std::vector<std::uint64_t> counts(std::string_view key, std::uint64_t high) const;
  std::string choice(std::string_view key) const;
  std::string text(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> choices(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  /// Values of another key, whose rule is `like`: a single number, word or flag of it.
  ConfigScalar value(std::string_view key, const Rule& like) const;
  std::vector<ConfigScalar> values(std::string_view key, const Rule& like) const;

  /// All keys that are there, sorted.
  std::vector<std::string> keys() const { return table_.keys(); }
  /// The sub-sections of any name, sorted. Throws UsageError for a name that is none.
  std::vector<std::string> members() const;
  SectionReader member(std::string_view name) const;

  /// A sub-section. A required one must be there; an optional one stands for an empty one.
  SectionReader section(std::string_view key) const;

  [[noreturn]] void fail(std::string_view key, std::string_view problem, std::string_view why = {},
                         std::string_view remedy = {}) const {
    table_.fail(key, problem, why, remedy);
  }
  /// "section.key", dotted from the root.
  std::string path_of(std::string_view key) const { return table_.path_of(key); }
  /// "file:line:column: section.key", for messages that stop nothing.
  std::string place(std::string_view key) const { return table_.place(key); }

 private:
  template <class Kind>
  std::pair<const Parameter*, const Kind*> rule(std::string_view key) const;
  void expect_all() const;
  void check_ways() const;
  void check_line(std::string_view key, const std::string& value, std::size_t longest) const;

  ConfigTable table_;
  const Section* section_;
  const Variant* variant_ = nullptr;
};

}  // namespace cimstat::core
