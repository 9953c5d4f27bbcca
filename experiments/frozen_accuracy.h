#pragma once

#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/chip_cells.h"

namespace cimstat::experiments {

/// The chips that an experiment with accuracy.noise = "frozen" asks for. Throws UsageError where
/// none can be made of its macro.
ChipDesign chip_design(const Experiment& experiment);

/// What its chips hold fixed from read to read: "LRS cells", "offsets", ...; nothing where every
/// read of a chip is a fresh draw.
std::vector<std::string> frozen_parts(const Experiment& experiment);

/// Accuracy on its chips, of binary cells or of several levels (inference/level_accuracy.h), with
/// its keys of [accuracy] that `options` don't hold. Throws UsageError.
AccuracyResult frozen_accuracy(const Experiment& experiment, const Network& network,
                               const ImageSet& image_set, const AccuracyOptions& options,
                               core::Threads threads, const core::Progress& progress = {});

/// Throws UsageError where frozen_accuracy would before it computes anything.
void check_frozen_accuracy(const Experiment& experiment, const Network& network,
                           const ImageSet& image_set, const AccuracyOptions& options);

}  // namespace cimstat::experiments
