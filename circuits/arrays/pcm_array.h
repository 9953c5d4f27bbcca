#pragma once

#include "core/parallel.h"

#include "devices/pcm/pcm.h"

#include "circuits/arrays/drifting_array.h"

/// Arrays of phase-change cells.
namespace cimstat::circuits {

/// The cell's levels, aimed at its targets, with the noise of its statistics.
DriftingCells drifting_cells(const devices::PcmCell& cell, core::Threads threads = {1});

/// `time` [s] as the conditions of a cell count it, from t_0 on.
DriftMoment moment_at(const devices::PcmStatistics& statistics, double time);

}  // namespace cimstat::circuits
