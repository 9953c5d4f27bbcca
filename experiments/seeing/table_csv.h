#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "experiments/seeing/table_figures.h"
#include "experiments/table/table_file.h"

/// An error table as comma-separated values: a line of names, then a line of numbers each.
namespace cimstat::experiments {

/// The misread rate of each class, of all or of those with so many active rows, in the order of the
/// table; what is not known stays empty. Exact tables have no columns of counts and trials.
std::string levels_as_csv(const TableRecord& record, std::optional<std::uint32_t> active_rows,
                          const IntervalChoice& intervals);

/// P(code | class) of every code. Throws UsageError for a class that the table doesn't have.
std::string class_as_csv(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals);

}  // namespace cimstat::experiments
