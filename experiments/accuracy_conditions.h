#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/accuracy_file.h"
#include "experiments/report/report.h"

/// Accuracy results side by side: what differs between them, and by how much.
namespace cimstat::experiments {

/// An accuracy result as whoever compares it names it.
struct NamedAccuracy {
  AccuracyRecord record;
  std::string stem;   ///< of its file, by which it is called where nothing better is known
  std::string label;  ///< what it is to be called; empty: by what differs from the first result
};

/// The name of a file of results without folder and endings: "low" of "out/low.accuracy.h5".
std::string result_stem(const std::filesystem::path& file);

struct ConditionName {
  std::string label;   ///< short, and not that of another condition
  std::string detail;  ///< file, macro and all that differs from the first, in full
};

/// What to call each result. The first one is "as configured" where it is of the page's table, else
/// its file's stem; another is called by the settings that differ from the first ("offset_sd 2
/// uA"), and by its file's stem where none does or more than three do. A single one has the name of
/// its experiment. Settings that don't decide an accuracy (name, [margin]) are passed over.
std::vector<ConditionName> condition_names(const std::vector<NamedAccuracy>& results,
                                           std::string_view table_sha256);

/// `table_sha256`: content hash of the table that the page is of.
std::vector<AccuracyCondition> accuracy_conditions(const std::vector<NamedAccuracy>& results,
                                                   std::string_view table_sha256);

}  // namespace cimstat::experiments
