#pragma once

#include <string>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/inference/chip_cells.h"

namespace cimstat::experiments {

/// The chips that an experiment with accuracy.noise = "frozen" asks for. Throws UsageError where
/// none can be made of its macro.
ChipDesign chip_design(const Experiment& experiment);

/// What its chips hold fixed from read to read: "LRS cells", "offsets", ...; nothing where every
/// read of a chip is a fresh draw.
std::vector<std::string> frozen_parts(const Experiment& experiment);

}  // namespace cimstat::experiments
