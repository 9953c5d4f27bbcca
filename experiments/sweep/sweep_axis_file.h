#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"

#include "experiments/result_header.h"
#include "experiments/sweep/sweep_plan.h"

/// Axes of a sweep in its result. experiments/formats/sweep.md documents them.
namespace cimstat::experiments {

/// Writes the axis as the dataset of its name: numbers, or the indices of labels. A listed axis
/// becomes a dimension scale.
void write_axis(core::Hdf5Output& file, const SweepAxis& axis);

/// Throws DataError where there is none of this name, or it is none.
SweepAxis read_axis(const core::Hdf5Input& file, const ResultHeader& header,
                    const std::string& name, SweepAxis::Kind kind);

/// Writes 0, 1, 2, ... as a dimension scale.
void write_index_axis(core::Hdf5Output& file, const std::string& name, std::size_t size,
                      std::string_view long_name);

}  // namespace cimstat::experiments
