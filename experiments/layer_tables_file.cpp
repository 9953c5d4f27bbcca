#include "experiments/layer_tables_file.h"

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/table/table_file.h"

namespace cimstat::experiments {

namespace {

/// What codes of a column of this macro without current stand for.
double zero_value_of(const Macro& macro, const ArrayOptions& array, const std::string& place) {
  const auto refuse = [&](std::string_view problem, std::string_view remedy) {
    const std::string_view why = array.weights == WeightMapping::biased
                                     ? "accuracy.weights = \"biased\" takes off digitally"
                                     : "accuracy.weights = \"offset\" takes half of the range off";
    throw core::UsageError(core::error_line(place, problem, why, remedy));
  };
  // As for the experiment's own column (place_zero).
  const bool takes_half_off = macro.design.dummy && !macro.design.ladder.follows_active_rows;
  if (array.weights == WeightMapping::biased && takes_half_off) {
    refuse("is of a column with a dummy column", "make it without, or write \"offset\"");
  }
  if (array.weights == WeightMapping::xnor && takes_half_off) return 0.5 * macro.reference_rows;
  if (array.weights != WeightMapping::offset) return 0.0;
  if (!macro.design.dummy) {
    refuse("is of a column without a dummy column", "make it with column.dummy_column = true");
  }
  if (macro.design.ladder.follows_active_rows) {
    refuse("has references that follow the active rows", "make it with references = \"uniform\"");
  }
  return 0.5 * macro.reference_rows;
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
                             .zero_value = zero_value_of(made_from.macro, array, place)});
  }
  return result;
}

}  // namespace cimstat::experiments
