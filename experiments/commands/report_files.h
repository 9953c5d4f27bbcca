#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "experiments/accuracy_conditions.h"
#include "experiments/table/table_file.h"

/// The files that `cimstat report` is given: an error table, and accuracy results behind it.
namespace cimstat::experiments {

/// An accuracy result as the command line names it: FILE, or LABEL=FILE.
struct AccuracyArgument {
  std::filesystem::path file;
  std::string label;  ///< empty where none is given
};

/// A path that exists as given is one, whatever signs are in it. Else the label ends at the first
/// equals sign behind which there is a file; where there is none, at the first one. Throws
/// UsageError for an empty label.
AccuracyArgument accuracy_argument(const std::string& text);

/// Throws UsageError where a file or a label stands twice.
void refuse_repetition(const std::vector<AccuracyArgument>& arguments);

/// Whether a file is the result of a sweep.
bool is_sweep_result(const std::filesystem::path& file);

/// Throws DataError where a file is of another kind than its place asks for, with the order that
/// is meant. What no kind can be told of is left to its reader.
void require_kinds(const std::filesystem::path& table,
                   const std::vector<AccuracyArgument>& accuracy);

/// Throws DataError where there are results but none of this table: other macros are other
/// conditions, but a page needs one of its own.
std::vector<NamedAccuracy> read_conditions(const std::vector<AccuracyArgument>& arguments,
                                           const std::filesystem::path& table,
                                           const TableRecord& record);

}  // namespace cimstat::experiments
