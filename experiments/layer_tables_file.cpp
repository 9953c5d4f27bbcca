#include "experiments/layer_tables_file.h"

#include <stdexcept>
#include <variant>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/table/table_file.h"
#include "experiments/zero_value.h"

namespace cimstat::experiments {

namespace {

/// What codes of a column of this macro without current stand for.
double zero_value_of(const Macro& macro, WeightMapping weights, const std::string& place) {
  const auto zero = zero_value(macro, weights, DummySubtraction::analog);
  if (const double* const value = std::get_if<double>(&zero)) return *value;
  const auto refuse = [&](std::string_view problem, std::string_view why, std::string_view remedy) {
    throw core::UsageError(core::error_line(place, problem, why, remedy));
  };
  constexpr std::string_view takes_half =
      "accuracy.weights = \"offset\" takes half of the range off";
  switch (std::get<ZeroObstacle>(zero)) {
    case ZeroObstacle::biased_beside_dummy:
      refuse("is of a column with a dummy column",
             "accuracy.weights = \"biased\" takes off digitally",
             "make it without, or write \"offset\"");
      break;
    case ZeroObstacle::offset_without_dummy:
      refuse("is of a column without a dummy column", takes_half,
             "make it with column.dummy_column = true");
      break;
    case ZeroObstacle::offset_follows_rows:
      refuse("has references that follow the active rows", takes_half,
             "make it with references = \"uniform\"");
      break;
    case ZeroObstacle::offset_beside_dummy:
      break;  // of digital subtraction
  }
  throw std::logic_error("an obstacle of digital subtraction, which tables know nothing of");
}

}  // namespace

LayerTables read_layer_tables(const Experiment& experiment) {
  LayerTables result;
  const ArrayOptions& array = experiment.accuracy.array;
  for (const LayerTableSettings& settings : experiment.accuracy.layer_tables) {
    const std::string place =
        fmt::format("accuracy.layer_tables.{}: {}", settings.name, settings.table);
    TableRecord record = read_table(settings.table);
    require_binary_table(record, settings.table);
    const Experiment made_from =
        read_experiment(core::Config::from_text(record.config_toml, settings.table));
    const std::uint32_t rows = made_from.macro.design.rows;
    if (array.rows_per_read > rows) {
      throw core::UsageError(
          core::error_line(place, fmt::format("is of a column of {} rows", rows),
                           fmt::format("accuracy.rows_per_read is {}", array.rows_per_read),
                           "read fewer at a time, or make the table of a longer column"));
    }
    result.sha256.emplace_back(settings.name, record.content_sha256);
    result.tables.push_back({.name = place,
                             .layers = settings.layers,
                             .table = std::move(record.table),
                             .rows = rows,
                             .zero_value = zero_value_of(made_from.macro, array.weights, place)});
  }
  return result;
}

}  // namespace cimstat::experiments
