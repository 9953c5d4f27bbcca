#include "experiments/commands/accuracy_check.h"

#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/weights/code_difference.h"

#include "experiments/frozen_accuracy.h"
#include "experiments/inference/parallel_accuracy.h"
#include "experiments/inference/weighted_reads.h"

namespace cimstat::experiments {

std::vector<circuits::ColumnClass> every_class(const Experiment& experiment) {
  circuits::require_binary(experiment.macro.design, "a network's accuracy");
  std::vector<std::uint32_t> all(experiment.macro.design.rows + 1);
  std::iota(all.begin(), all.end(), 0U);
  return circuits::classes_for(all);
}

void check_every_class(const Experiment& experiment) {
  const auto classes = every_class(experiment);
  const std::uint32_t codes = circuits::table_ladder(experiment.macro.design).codes;
  if (classes.size() * codes > most_table_entries) {
    throw core::UsageError(core::error_line(
        "column.rows",
        fmt::format("{} make a table of {} classes x {} codes", experiment.macro.design.rows,
                    classes.size(), codes),
        fmt::format("a table has {} entries at most", most_table_entries),
        "use fewer rows or converter.codes, or write accuracy.noise = \"frozen\""));
  }
  check_table(experiment, classes);
}

AccuracyOptions accuracy_options(const Experiment& experiment,
                                 std::span<const LayerTable> layer_tables) {
  const AccuracySettings& settings = experiment.accuracy;
  return {.array = settings.array,
          .key = {.seed = experiment.seed},
          .stream = settings.stream,
          .reads = settings.reads,
          .images = settings.images,
          .layer_tables = layer_tables,
          .chips = settings.noise == AccuracyNoise::frozen ? settings.chips : 0,
          .recalibration_images = settings.recalibration_images,
          .layers = settings.layers,
          .sensitivity = settings.sensitivity};
}

void check_accuracy_run(const Experiment& experiment, const Network& network,
                        const ImageSet& images, const AccuracyOptions& options) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  if (options.chips > 0) {
    check_frozen_accuracy(experiment, network, images, options);
  } else if (reads_weighted_counts(options.array)) {
    check_parallel(network, images, design, options);
  } else {
    check_accuracy(network, images, design.ladder.codes, options);
  }
}

}  // namespace cimstat::experiments
