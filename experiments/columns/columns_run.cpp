#include "experiments/columns/columns_run.h"

#include <array>

#include "core/error.h"

#include "circuits/columns/frozen_offset.h"
#include "circuits/columns/frozen_pool.h"
#include "circuits/columns/input_pattern.h"
#include "circuits/columns/pool_rates.h"

#include "experiments/macro/die_factor.h"

namespace cimstat::experiments {

void take_likeness(ColumnsResult& result, const circuits::ColumnDesign& design) {
  result.common_factor_sd = circuits::die_factor_sd(design);
  result.share_converters = circuits::has_mismatch(design.comparator) &&
                            design.comparator.mismatch.columns_per_converter > 1;
}

ColumnQuestions questions_of(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  return {.columns_of_a_die = settings.columns,
          .dies_differ = result.common_factor_sd > 0.0 || result.share_converters,
          .confidence = result.confidence,
          .limit = settings.limit,
          .judged = settings.judged,
          .repairs = settings.repairs};
}

ColumnsResult run_columns(const Experiment& experiment, core::Threads threads,
                          const core::Progress& progress) {
  const ColumnsSettings& settings = experiment.columns;
  const circuits::ColumnDesign& design = experiment.macro.design;
  circuits::require_binary(design, "the spread over columns");
  refuse_field(experiment.macro, "the spread over columns");
  const core::StreamKey key{.seed = experiment.seed, .point = 0};
  ColumnsResult result{.name = experiment.name,
                       .config_toml = columns_toml(experiment),
                       .confidence = experiment.table.confidence,
                       .settings = settings,
                       .rates = {}};
  take_likeness(result, design);
  const std::array active_rows{settings.active_rows};
  const auto classes = circuits::classes_for(active_rows);
  const circuits::PoolOptions options{
      .columns = settings.all_columns(), .columns_of_a_die = settings.columns, .key = key};
  if (settings.frozen == Frozen::offset) {
    const circuits::ExactOptions exact{.tolerance = experiment.table.tolerance};
    const circuits::OffsetRates rates(design, classes, exact, threads);
    result.rates = circuits::offset_rates(rates, options, settings.votes, threads, progress);
    return result;
  }
  const circuits::FrozenPool pool(
      design,
      circuits::random_patterns(
          design.rows, classes,
          {.per_class = settings.patterns, .lrs_cells = settings.lrs_cells, .key = key}),
      options, threads);
  result.rates = circuits::integrated_rates(pool, settings.votes, threads, progress);
  return result;
}

}  // namespace cimstat::experiments
