#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics/gamma_bernoulli.h"

#include "circuits/column.h"

namespace cimstat::circuits {

enum class TableMethod { exact, monte_carlo };

/// How the sampling of a class that was to be misread often enough came to its end.
enum class StopReason : std::uint32_t {
  target_met = 0,    ///< its rate is known to the error that was asked for
  trials_spent = 1,  ///< too few misreads in all trials allowed
  none_seen = 2,     ///< no misread at all in these
};

/// Misread rates that were sampled until their relative error was known. Plain data.
struct GuaranteedMisreads {
  double relative_error = 0.0;  ///< asked for
  double confidence = 0.0;      ///< of that
  std::uint64_t misreads = 0;   ///< k: core::gamma_bernoulli_successes of the two
  /// [class]; successes and trials 0 where the target was not met. What was counted after
  /// trial N of a class stands in the table's counts, and not in here.
  std::vector<core::GammaBernoulli> classes;
};

/// P(code | class): what a column does to each MAC value. Plain data.
/// Sampled tables hold `counts` (the truth) and probability = count / row sum; exact ones hold
/// `probability` and `error_bound` and no counts.
struct ErrorTable {
  std::vector<ColumnClass> classes;  ///< ascending in active_rows, then MAC value, then states
  /// What a row in each state adds to the MAC value; empty where rows have two states.
  std::vector<std::int32_t> state_values;
  std::uint32_t codes = 0;
  double code_step = 1.0;    ///< the MAC value that a code stands for is
  double code_origin = 0.0;  ///< code_origin + code_step * code
  TableMethod method = TableMethod::exact;
  std::vector<std::uint64_t> counts;      ///< [class][code], empty when exact
  std::vector<double> probability;        ///< [class][code]
  std::vector<double> error_bound;        ///< [class], empty when sampled
  std::vector<std::uint32_t> ideal_code;  ///< [class]: the code that stands for the MAC value
  /// Where classes were sampled until they were misread often enough: their numbers of trials
  /// differ.
  std::optional<GuaranteedMisreads> guaranteed;

  std::size_t size() const { return classes.size(); }
  const double* row(std::size_t class_index) const {
    return probability.data() + class_index * codes;
  }
  std::int64_t mac_value(std::size_t class_index) const;
  /// "12", and where several classes have one MAC value with the rows in each state: "12 (0 3 5)".
  std::string label(std::size_t class_index) const;
  /// Index of a class, where the table has it.
  std::optional<std::size_t> find(ColumnClass column_class) const;
  /// P(code != ideal code | class).
  double misread(std::size_t class_index) const;
  /// Trials behind a class; 0 when exact.
  std::uint64_t trials(std::size_t class_index) const;
  /// Trials of a class in which another code came; 0 when exact.
  std::uint64_t misreads(std::size_t class_index) const;
  /// Only where there is `guaranteed`.
  StopReason stop_reason(std::size_t class_index) const;
};

}  // namespace cimstat::circuits
