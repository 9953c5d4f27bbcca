#pragma once

#include "experiments/experiment.h"
#include "experiments/inference/chip_cells.h"

namespace cimstat::experiments {

/// The chips that an experiment with accuracy.noise = "frozen" asks for. Throws UsageError where
/// none can be made of its macro.
ChipDesign chip_design(const Experiment& experiment);

}  // namespace cimstat::experiments
