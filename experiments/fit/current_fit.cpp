#include "experiments/fit/current_fit.h"

#include <string_view>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/text_table.h"

#include "circuits/column.h"

#include "experiments/fit/find_column.h"

namespace cimstat::experiments {

namespace {

using core::TextField;
using core::TextTable;
using Place = std::optional<std::size_t>;

struct Places {
  Place lrs, hrs, active, inputs, weights, current;
};

Places find_places(const TextTable& table, const std::filesystem::path& file,
                   const CurrentColumns& columns) {
  const Places places{
      .lrs = find_column(table, columns.lrs_count, "--lrs-count", {"lrs_count", "k"}),
      .hrs = find_column(table, columns.hrs_count, "--hrs-count", {"hrs_count", "n-k"}),
      .active = find_column(table, columns.active_rows, "--active-rows", {"active_rows", "n"}),
      .inputs = find_column(table, columns.inputs, "--inputs", {"inputs"}),
      .weights = find_column(table, columns.weights, "--weights", {"weights"}),
      .current = find_column(table, columns.current, "--current", {"current", "i", "I"})};
  if (!places.current) {
    throw core::UsageError(core::error_line(file.string(), "which column holds the currents?", {},
                                            "name it with --current"));
  }
  const bool counted = places.lrs && (places.hrs || places.active);
  if (!counted && !(places.inputs && places.weights)) {
    throw core::UsageError(core::error_line(
        file.string(), "which columns tell the active cells?",
        "--lrs-count with --hrs-count or --active-rows, or --inputs with --weights, are needed",
        "name them"));
  }
  return places;
}

using Counts = std::pair<std::uint32_t, std::uint32_t>;

std::uint32_t count(const TextTable& table, const TextField& field) {
  return static_cast<std::uint32_t>(table.whole(field, 0, circuits::row_limit));
}

void check_digits(const TextTable& table, const TextField& field) {
  const std::size_t wrong = field.text.find_first_not_of("01");
  if (field.text.empty() || wrong != std::string::npos || field.text.size() > circuits::row_limit) {
    table.fail(field, "is no row of 0 and 1", "one digit for each word line is needed",
               "check the column");
  }
}

Counts counts_of_masks(const TextTable& table, const TextField& inputs, const TextField& weights) {
  check_digits(table, inputs);
  check_digits(table, weights);
  if (inputs.text.size() != weights.text.size()) {
    table.fail(weights,
               fmt::format("{} weights for {} inputs", weights.text.size(), inputs.text.size()),
               "one of each for each word line is needed", "check the row");
  }
  Counts counts{};
  for (std::size_t row = 0; row < inputs.text.size(); ++row) {
    if (inputs.text[row] == '1') ++(weights.text[row] == '1' ? counts.first : counts.second);
  }
  return counts;
}

Counts counts_of(const TextTable& table, std::span<const TextField> row, const Places& places) {
  if (!places.lrs || !(places.hrs || places.active)) {
    return counts_of_masks(table, row[*places.inputs], row[*places.weights]);
  }
  const std::uint32_t lrs = count(table, row[*places.lrs]);
  if (places.hrs) return {lrs, count(table, row[*places.hrs])};
  const std::uint32_t active = count(table, row[*places.active]);
  if (lrs > active) {
    table.fail(row[*places.lrs], fmt::format("{} LRS cells among {} active rows", lrs, active),
               "they are a part of these", "check the row");
  }
  return {lrs, active - lrs};
}

}  // namespace

SumGroups read_currents(const std::filesystem::path& file, const CurrentColumns& columns) {
  TextTable table(file);
  const Places places = find_places(table, file, columns);
  SumGroups groups;
  for (auto row = table.next(); !row.empty(); row = table.next()) {
    const TextField& field = row[*places.current];
    const double current = table.number(field) * columns.unit.factor;
    constexpr double largest = 1e3;  // [A]
    if (!(current >= -largest && current <= largest)) {
      table.fail(field, fmt::format("{:g} A is no current of a column", current), {},
                 "check --unit");
    }
    groups[counts_of(table, row, places)].add(current);
  }
  return groups;
}

}  // namespace cimstat::experiments
