#pragma once

#include <filesystem>

#include "experiments/columns/columns_run.h"
#include "experiments/report/report.h"
#include "experiments/table/table_file.h"

namespace cimstat::experiments {

/// What a report shows of a result of `cimstat columns`.
ColumnSpread column_spread(const ColumnsResult& result);

/// Reads a result to be shown with a table. Throws what read_columns throws, and UsageError where
/// it is of another macro.
ColumnsResult read_columns_of(const std::filesystem::path& file, const TableRecord& table);

}  // namespace cimstat::experiments
