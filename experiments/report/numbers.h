#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

/// The numbers behind a figure as CSV text (RFC 4180, lines ended by \n), which the page shows as a
/// table, saves and copies.
namespace cimstat::experiments::report {

class Csv {
 public:
  explicit Csv(std::initializer_list<std::string_view> names);
  explicit Csv(const std::vector<std::string>& names);

  /// Fields of a line, in the order of the names. NaN is an empty field.
  Csv& text(std::string_view value);
  Csv& count(std::uint64_t value);
  Csv& whole(std::int64_t value);
  Csv& number(double value, int digits = 9);
  void end_line();

  std::size_t lines() const { return lines_; }  ///< without the names
  const std::string& all() const { return all_; }

 private:
  void separate();
  std::string all_;
  std::size_t lines_ = 0;
  bool started_ = false;
};

/// Folded below its figure: the text, and buttons that the script brings to life. `name` is unique
/// on its page, `file` what the button saves it as.
std::string numbers_below(std::string_view name, std::string_view title, std::string_view file,
                          const Csv& csv);
/// The id of the element that holds the text.
std::string numbers_id(std::string_view name);

/// "RRAM macro, 128 rows" -> "rram-macro-128-rows": for the names of files.
std::string file_stem(std::string_view title);

}  // namespace cimstat::experiments::report
