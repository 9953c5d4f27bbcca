#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/file/json.h"

#include "experiments/seeing/table_figures.h"
#include "experiments/seeing/text_bar.h"
#include "experiments/table/table_file.h"

/// An error table in text and JSON.
namespace cimstat::experiments {

/// The misread rate of each MAC value among `active_rows`, with interval or bound and a bar; and
/// what is guaranteed, where classes were sampled until they were misread often enough. Throws
/// UsageError where the table has no class of so many.
std::string format_levels(const TableRecord& record, std::uint32_t active_rows,
                          const IntervalChoice& intervals, TextStyle style);

/// P(code | class) of every code, with intervals or bounds. Throws UsageError for a class that the
/// table doesn't have.
std::string format_class(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals, TextStyle style);

/// The same, as members "levels" and, for one class, "codes" of an object.
core::Json levels_as_json(const TableRecord& record, std::uint32_t active_rows,
                          const IntervalChoice& intervals);
core::Json class_as_json(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals);

/// Places of the classes of so many active rows, or of one class. Throw UsageError, naming the
/// option, where the table has none.
std::vector<std::size_t> require_classes(const circuits::ErrorTable& table,
                                         std::uint32_t active_rows);
std::size_t require_class(const circuits::ErrorTable& table, circuits::ColumnClass wanted);

/// "3,16" -> 3 LRS cells among 16 active rows. Throws UsageError naming --class.
circuits::ColumnClass parse_class(const std::string& text);

}  // namespace cimstat::experiments
