#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/parallel.h"

#include "experiments/accuracy_conditions.h"
#include "experiments/report/report.h"
#include "experiments/seeing/table_figures.h"
#include "experiments/table/table_file.h"

namespace cimstat::experiments {

/// The number of active rows that a report shows when none is asked for: the table's largest one up
/// to 16, where levels can still be told apart by eye; else its smallest.
std::uint32_t default_active_rows(const circuits::ErrorTable& table);

/// Everything that the page of a table shows: its rows for `active_rows`, the level densities and
/// margins of the macro that the table's own configuration describes, and accuracy results. What is
/// sampled has `intervals`. Throws UsageError when the table lacks a class of `active_rows`.
ReportInput report_input(const TableRecord& record, const std::vector<NamedAccuracy>& accuracy,
                         std::uint32_t active_rows, const IntervalChoice& intervals,
                         core::Threads threads);

}  // namespace cimstat::experiments
