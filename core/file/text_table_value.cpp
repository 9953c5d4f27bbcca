#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/file/text_table.h"
#include "core/utf8.h"

namespace cimstat::core {

namespace {

constexpr std::size_t longest_quote = 40;  // bytes of a field in a message

std::string quoted(const std::string& text) { return '"' + excerpt(text, longest_quote) + '"'; }

}  // namespace

std::size_t TextTable::column(std::string_view name_or_number, std::string_view option) const {
  const std::string wanted(name_or_number);
  const auto matches = std::count(names_.begin(), names_.end(), wanted);
  if (matches > 1) {
    throw UsageError(
        error_line(option, fmt::format("\"{}\" is not one column of {}", wanted, file_.string()),
                   fmt::format("{} have that name", matches), "give the number of the column"));
  }
  if (matches == 1) {
    return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), wanted) -
                                    names_.begin());
  }
  std::size_t number = 0;
  const char* const end = wanted.data() + wanted.size();
  const auto [behind, error] = std::from_chars(wanted.data(), end, number);
  if (error == std::errc{} && behind == end && number >= 1 && number <= columns_) {
    return number - 1;
  }
  const auto meant = nearest(wanted, names_);
  throw UsageError(error_line(
      option, fmt::format("\"{}\" is no column of {}", wanted, file_.string()),
      names_.empty()
          ? fmt::format("it has {} column{} without names", columns_, columns_ == 1 ? "" : "s")
          : fmt::format("it has {}", fmt::join(names_, ", ")),
      meant ? fmt::format("did you mean {}?", *meant)
            : fmt::format("give a name or a number from 1 to {}", columns_)));
}

double TextTable::number(const TextField& field) const {
  const std::string& text = field.text;
  if (text.empty()) fail(field, "a number is missing", {}, "fill it in, or leave the row out");
  const char* begin = text.data();
  const char* const end = begin + text.size();
  if (*begin == '+' && text.size() > 1 && text[1] != '-') ++begin;
  double value = 0.0;
  const auto [behind, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range && behind == end) {
    fail(field, quoted(text) + " is no number that can be used", "too large or too small",
         "check it");
  }
  if (error != std::errc{} || behind != end) {
    const bool comma = text.find(',') != std::string::npos;
    fail(field, quoted(text) + " is not a number", {},
         comma ? "write a point, not a comma, before the decimals"
               : "write a plain number such as 4.01e-5, or leave the row out");
  }
  if (!std::isfinite(value)) {
    fail(field, quoted(text) + " is not finite", {}, "leave the row out");
  }
  return value;
}

std::uint64_t TextTable::whole(const TextField& field, std::uint64_t low,
                               std::uint64_t high) const {
  const double value = number(field);
  if (std::floor(value) != value || value < static_cast<double>(low) ||
      value > static_cast<double>(high)) {
    fail(field, quoted(field.text) + " is out of range",
         fmt::format("a whole number from {} to {} is needed", low, high), "check the column");
  }
  return static_cast<std::uint64_t>(value);
}

}  // namespace cimstat::core
