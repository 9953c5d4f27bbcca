#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "experiments/accuracy_file.h"
#include "experiments/report/report.h"

/// Accuracy results side by side: what differs between them, and by how much.
namespace cimstat::experiments {

/// For each result what tells it from the others: its name where names differ, and the settings
/// that are not the same in all of them.
std::vector<std::string> distinguishing_labels(const std::vector<AccuracyRecord>& records);

/// `table_sha256`: content hash of the table that the page is of.
std::vector<AccuracyCondition> accuracy_conditions(const std::vector<AccuracyRecord>& records,
                                                   std::string_view table_sha256);

}  // namespace cimstat::experiments
