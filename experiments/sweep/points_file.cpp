#include "experiments/sweep/points_file.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/file/text_table.h"
#include "core/utf8.h"

#include "experiments/describe/description.h"

namespace cimstat::experiments {

namespace {

using core::ConfigScalar;
using core::TextField;
using core::TextTable;

constexpr std::uint64_t longest_file = std::uint64_t{1} << 30;
constexpr std::size_t longest_quote = 40;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) {
    throw core::UsageError(
        core::error_line(file.string(), "can't be read", "input error", "check the disk"));
  }
  return std::move(text).str();
}

/// A heading: "ratio", "ratio [kohm]" or "ratio (kohm)".
struct Heading {
  std::string name;
  std::string unit;
};

Heading heading_of(const std::string& text) {
  const std::size_t open = text.find_first_of("[(");
  if (open == text.npos || (text.back() != ']' && text.back() != ')')) return {text, {}};
  std::string name = text.substr(0, open);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.pop_back();
  return {name, text.substr(open + 1, text.size() - open - 2)};
}

/// A column of the file and what it is for.
struct Column {
  std::size_t axis = 0;
  std::string unit;
};

std::vector<Column> columns_of(const TextTable& table, const std::filesystem::path& file,
                               const std::vector<const AxisSetting*>& axes) {
  const std::string place = file.string();
  if (table.names().empty()) {
    throw core::DataError(core::error_line(place, "has no headings",
                                           "the first row names the axis of each column",
                                           "add a first row such as \"sigma,ratio\""));
  }
  std::vector<std::string> names;
  for (const AxisSetting* axis : axes) names.push_back(axis->name);
  std::vector<Column> columns;
  std::vector<bool> found(axes.size());
  for (const std::string& text : table.names()) {
    const Heading heading = heading_of(text);
    const auto at = static_cast<std::size_t>(std::find(names.begin(), names.end(), heading.name) -
                                             names.begin());
    if (at == names.size()) {
      const auto meant = core::nearest(heading.name, names);
      throw core::UsageError(core::error_line(
          place, fmt::format("the column \"{}\" is of no axis", core::excerpt(text, longest_quote)),
          fmt::format("those without values of their own are {}", fmt::join(names, ", ")),
          meant ? fmt::format("did you mean {}?", *meant)
                : "remove it, or add an axis of that name"));
    }
    if (found[at]) {
      throw core::UsageError(core::error_line(
          place, fmt::format("two columns are of axis {}", names[at]), {}, "remove one"));
    }
    found[at] = true;
    columns.push_back({at, heading.unit});
  }
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (found[axis]) continue;
    throw core::UsageError(
        core::error_line(axes[axis]->place, "has no values",
                         fmt::format("nor is there a column \"{}\" in {}", names[axis], place),
                         "add the column, or write values, or from and to"));
  }
  return columns;
}

[[noreturn]] void refuse(const TextTable& table, const TextField& field, const SweptKey& key,
                         std::string_view reason) {
  table.fail(
      field,
      fmt::format("\"{}\" is no value of {}", core::excerpt(field.text, longest_quote), key.name),
      reason.empty() ? allowed_words(key.rule) : std::string(reason), "correct it");
}

double quantity_in(const TextTable& table, const TextField& field, const SweptKey& key,
                   const std::string& unit) {
  const auto parse = [&](const std::string& text) -> std::optional<double> {
    try {
      return core::parse_quantity(text, key.quantity());
    } catch (const std::invalid_argument&) {
      return std::nullopt;
    }
  };
  // The unit of the heading goes to values that carry none.
  if (!unit.empty()) {
    if (const auto value = parse(fmt::format("{} {}", field.text, unit))) return *value;
  }
  try {
    return core::parse_quantity(field.text, key.quantity());
  } catch (const std::invalid_argument& reason) {
    refuse(table, field, key, reason.what());
  }
}

ConfigScalar scalar_in(const TextTable& table, const TextField& field, const SweptKey& key,
                       const std::string& unit) {
  if (const auto* number = std::get_if<core::NumberRule>(&key.rule)) {
    const double value = quantity_in(table, field, key, unit);
    if (!number->range.contains(value)) refuse(table, field, key, {});
    return value;
  }
  if (const auto* count = std::get_if<core::CountRule>(&key.rule)) {
    constexpr std::uint64_t most = std::uint64_t{1} << 53;
    return table.whole(field, count->low, std::min(count->high, most));
  }
  if (const auto* counts = std::get_if<core::CountsRule>(&key.rule)) {
    return table.whole(field, counts->low, counts->high);
  }
  if (std::holds_alternative<core::FlagRule>(key.rule)) {
    if (field.text == "true") return true;
    if (field.text == "false") return false;
    refuse(table, field, key, {});
  }
  if (const auto* choice = std::get_if<core::ChoiceRule>(&key.rule)) {
    const bool known = std::any_of(choice->choices.begin(), choice->choices.end(),
                                   [&](const core::Choice& one) { return one.name == field.text; });
    if (!known) refuse(table, field, key, {});
  }
  return field.text;
}

}  // namespace

PointsFile read_points_file(const std::filesystem::path& file,
                            const std::vector<const AxisSetting*>& axes) {
  TextTable table(file);
  if (std::filesystem::file_size(file) > longest_file) {
    throw core::UsageError(core::error_line(file.string(), "is too long for a file of points",
                                            "more than 1 GiB", "split the sweep"));
  }
  PointsFile points;
  const std::vector<Column> columns = columns_of(table, file, axes);
  points.values.resize(axes.size());
  for (std::span<const TextField> row = table.next(); !row.empty(); row = table.next()) {
    if (points.points == most_samples) {
      table.fail(row.front(), "is one point too many",
                 fmt::format("{} may be listed", most_samples), "split the sweep");
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const Column& column = columns[i];
      points.values[column.axis].push_back(
          scalar_in(table, row[i], axes[column.axis]->keys.front(), column.unit));
    }
    ++points.points;
  }
  if (points.points == 0) {
    throw core::DataError(
        core::error_line(file.string(), "lists no point", "there are headings alone", "add rows"));
  }
  points.text = text_of(file);
  return points;
}

}  // namespace cimstat::experiments
