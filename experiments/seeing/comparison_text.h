#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/file/json.h"

#include "experiments/accuracy_file.h"
#include "experiments/seeing/accuracy_comparison.h"
#include "experiments/seeing/config_difference.h"
#include "experiments/seeing/table_comparison.h"
#include "experiments/table/table_file.h"

/// Comparisons for people and as JSON.
namespace cimstat::experiments {

struct ComparisonSettings {
  double level = 0.001;      ///< family-wise
  double confidence = 0.95;  ///< of intervals
  std::size_t listed = 10;   ///< classes
};

/// "same macro", then a line for each key that differs.
std::string format_keys(const std::vector<KeyDifference>& keys);
core::Json keys_as_json(const std::vector<KeyDifference>& keys);

std::string format_comparison(const TableRecord& a, const TableRecord& b,
                              const TableComparison& comparison,
                              const ComparisonSettings& settings);
core::Json comparison_as_json(const TableComparison& comparison,
                              const ComparisonSettings& settings);

std::string format_comparison(const AccuracyComparison& comparison,
                              const ComparisonSettings& settings);
core::Json comparison_as_json(const AccuracyComparison& comparison,
                              const ComparisonSettings& settings);

}  // namespace cimstat::experiments
