#pragma once

#include <filesystem>

#include "experiments/columns/columns_run.h"

/// Misread rates of columns in HDF5. experiments/formats/columns.md documents them.
namespace cimstat::experiments {

void write_columns(const Experiment& experiment, const ColumnsResult& result,
                   const std::filesystem::path& file);

/// Throws UsageError when the file can't be opened, DataError when it is not a whole result.
ColumnsResult read_columns(const std::filesystem::path& file);

}  // namespace cimstat::experiments
