#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/hdf5_file.h"

/// What a sweep's result holds at each point.
namespace cimstat::experiments {

/// Datasets that a result may have besides the coordinates of its axes: no axis may be called so.
/// Those of SweepFields, the dimensions, and bounds of intervals (any name with these endings).
constexpr std::string_view result_names[] = {"class",
                                             "code",
                                             "sample",
                                             "point",
                                             "chunk",
                                             "code_count",
                                             "lrs_count",
                                             "active_rows",
                                             "margin_gap",
                                             "class_present",
                                             "margin_quantile",
                                             "margin_input_aware",
                                             "margin_pattern",
                                             "overlap",
                                             "worst_lrs_count",
                                             "worst_active_rows",
                                             "misread_worst",
                                             "misread_mean",
                                             "trials",
                                             "misreads",
                                             "misread",
                                             "misread_error",
                                             "last_misread_trial",
                                             "counts",
                                             "probability",
                                             "error_bound",
                                             "images",
                                             "exact_right",
                                             "right",
                                             "right_squared",
                                             "right_both",
                                             "accuracy",
                                             "accuracy_exact",
                                             "accuracy_difference"};
constexpr bool is_result_name(std::string_view name) {
  for (const std::string_view ending : {"_lower", "_upper"}) {
    if (name.ends_with(ending)) return true;
  }
  for (const std::string_view taken : result_names) {
    if (taken == name) return true;
  }
  return false;
}

enum class FieldShape {
  point,  ///< one value
  row,    ///< one for each class
  table,  ///< one for each class and code
};

/// A dataset of the result: its first dimensions are those of the sweep.
struct SweepField {
  std::string name;
  std::string units = "1";
  std::string long_name;
  FieldShape shape = FieldShape::point;
};

/// The datasets, and the sizes of the dimensions "class" and "code".
struct SweepFields {
  std::vector<SweepField> integers;  ///< stored as uint64
  std::vector<SweepField> numbers;   ///< stored as float64; not a number: nothing is known
  std::size_t classes = 0;
  std::size_t codes = 0;

  std::size_t width(const SweepField& field) const;  ///< values at a point
};

/// Values at one point, in the order of the fields; [class][code] in each.
struct PointValues {
  std::vector<std::vector<std::uint64_t>> integers;
  std::vector<std::vector<double>> numbers;
};

}  // namespace cimstat::experiments
