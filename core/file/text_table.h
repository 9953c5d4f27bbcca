#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Tables of numbers as text, as instruments, spreadsheets and circuit simulators write them.
namespace cimstat::core {

/// One field of a row: without quotes and the blanks around it, and where it starts in the file.
struct TextField {
  std::string text;
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< characters, from 1
};

/// Reads row by row; only one of them is in memory. Fields are separated by tabs, semicolons or
/// commas (the first of these that the first row has), else by blanks, and may be quoted. A first
/// row without any number names the columns. Left out: a byte order mark, blank lines, lines that
/// start with #, the carriage return before the end of a line.
///
/// Measure files of HSPICE and Spectre (.mt0, .ms0, .ma0: "$DATA1", a title, names up to "alter#",
/// then so many values for each run, over as many lines as it takes) are known by their beginning.
///
/// What is read does not depend on the locale. Errors name file, line and column: UsageError where
/// the file can't be opened, DataError where it is no such table.
class TextTable {
 public:
  explicit TextTable(const std::filesystem::path& file);

  /// Empty where the first row has numbers.
  const std::vector<std::string>& names() const { return names_; }
  std::size_t columns() const { return columns_; }

  /// The column of that name or, where no name is that, number (from 1). Throws UsageError that
  /// points at `option`.
  std::size_t column(std::string_view name_or_number, std::string_view option) const;

  /// The next row, columns() fields that stay until the next call; empty at the end.
  std::span<const TextField> next();

  /// A finite number: 40.1, 4.01e-5. Nothing else: no unit, no decimal comma.
  double number(const TextField& field) const;
  /// A whole number from `low` to `high`, also as 1e3 or 12.0.
  std::uint64_t whole(const TextField& field, std::uint64_t low, std::uint64_t high) const;

  /// Throws the DataError at that field.
  [[noreturn]] void fail(const TextField& field, std::string_view problem,
                         std::string_view why = {}, std::string_view remedy = {}) const;

 private:
  enum class Layout { rows, measure_file };

  bool read_line();  ///< the next line that holds something, into line_
  std::vector<TextField> split() const;
  void read_head();
  void read_measure_names(std::vector<TextField> fields);
  bool next_measure_row();
  void check_line() const;
  [[noreturn]] void fail_at(std::size_t line, std::size_t column, std::string_view problem,
                            std::string_view why, std::string_view remedy) const;

  std::filesystem::path file_;
  std::ifstream stream_;
  std::string line_;
  std::size_t line_number_ = 0;
  char separator_ = '\0';  ///< 0: blanks
  Layout layout_ = Layout::rows;
  std::vector<std::string> names_;
  std::size_t columns_ = 0;
  std::vector<TextField> row_;
  std::vector<TextField> pending_;  ///< read, not yet given out
};

}  // namespace cimstat::core
