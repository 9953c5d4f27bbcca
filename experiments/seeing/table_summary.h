#pragma once

#include <cstdint>
#include <string>

#include "core/file/json.h"

#include "experiments/seeing/text_bar.h"
#include "experiments/table_file.h"

/// An error table in text and JSON.
namespace cimstat::experiments {

/// The misread rate of each MAC value among `active_rows`, with interval or bound and a bar.
/// Throws UsageError where the table has no class of so many.
std::string format_levels(const TableRecord& record, std::uint32_t active_rows, TextStyle style);

/// P(code | class) of every code, with intervals or bounds. Throws UsageError for a class that the
/// table doesn't have.
std::string format_class(const TableRecord& record, circuits::ColumnClass column_class,
                         TextStyle style);

/// The same, as members "levels" and, for one class, "codes" of an object.
core::Json levels_as_json(const TableRecord& record, std::uint32_t active_rows);
core::Json class_as_json(const TableRecord& record, circuits::ColumnClass column_class);

/// "3,16" -> 3 LRS cells among 16 active rows. Throws UsageError naming --class.
circuits::ColumnClass parse_class(const std::string& text);

}  // namespace cimstat::experiments
