#pragma once

#include <span>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/experiment.h"
#include "experiments/inference/accuracy_run.h"

/// What `accuracy` and `validate` ask before anything is computed.
namespace cimstat::experiments {

/// All classes of the column: what an accuracy run needs.
std::vector<circuits::ColumnClass> every_class(const Experiment& experiment);

/// Throws UsageError where no table of every class can be made.
void check_every_class(const Experiment& experiment);

/// What [accuracy] asks for. The result refers to `layer_tables`.
AccuracyOptions accuracy_options(const Experiment& experiment,
                                 std::span<const LayerTable> layer_tables);

/// Throws UsageError where a run of these options would before it computes anything, other than for
/// its table.
void check_accuracy_run(const Experiment& experiment, const Network& network,
                        const ImageSet& images, const AccuracyOptions& options);

}  // namespace cimstat::experiments
