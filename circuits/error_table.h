#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "circuits/column.h"

namespace cimstat::circuits {

enum class TableMethod { exact, monte_carlo };

/// P(code | class): what a column does to each MAC value. Plain data.
/// Sampled tables hold `counts` (the truth) and probability = count / row sum; exact ones hold
/// `probability` and `error_bound` and no counts.
struct ErrorTable {
  std::vector<ColumnClass> classes;  ///< ascending in active_rows, then lrs_count
  std::uint32_t codes = 0;
  double code_step = 1.0;    ///< the MAC value that a code stands for is
  double code_origin = 0.0;  ///< code_origin + code_step * code
  TableMethod method = TableMethod::exact;
  std::vector<std::uint64_t> counts;      ///< [class][code], empty when exact
  std::vector<double> probability;        ///< [class][code]
  std::vector<double> error_bound;        ///< [class], empty when sampled
  std::vector<std::uint32_t> ideal_code;  ///< [class]: the code that stands for the MAC value

  std::size_t size() const { return classes.size(); }
  const double* row(std::size_t class_index) const {
    return probability.data() + class_index * codes;
  }
  /// Index of a class, where the table has it.
  std::optional<std::size_t> find(ColumnClass column_class) const;
  /// P(code != ideal code | class).
  double misread(std::size_t class_index) const;
  /// Trials behind a class; 0 when exact.
  std::uint64_t trials(std::size_t class_index) const;
};

}  // namespace cimstat::circuits
