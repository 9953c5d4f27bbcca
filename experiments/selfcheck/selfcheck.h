#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/rare/rare_column.h"
#include "circuits/smoothed/smoothed_tail.h"

/// The exact engine, Monte Carlo, importance sampling and smoothed quasi-Monte Carlo on the same
/// columns: four ways to one number. Only the last two share code after the description of the
/// column: the failure as a function of its cells.
namespace cimstat::experiments {

struct CheckedColumn {
  std::string name;
  circuits::ColumnDesign design;
  std::uint32_t active_rows = 0;
};

/// Small columns whose misread rates reach from 1e-2 to 1e-14: normal LRS with lognormal HRS,
/// Gaussian and logistic noise, leakage, dummy column, offset.
std::vector<CheckedColumn> builtin_columns();

/// Agreement of two numbers, in standard errors of their difference: negative where the first is
/// the smaller one.
using Agreement = std::optional<double>;

/// The probability that a class is read as a higher code (upper) or a lower one.
struct CheckedTail {
  std::string column;
  circuits::MisreadTail tail;
  std::optional<double> exact;  ///< none where the exact engine can't do the column
  double exact_bound = 0.0;     ///< of its absolute error
  std::uint64_t misread = 0;    ///< of `trials` by Monte Carlo
  std::uint64_t trials = 0;
  circuits::RareEstimate importance;
  circuits::SmoothedEstimate smoothed;  ///< refused where its points don't reach
  Agreement monte_carlo_exact;       ///< from an exact binomial test; none where none can be seen
  Agreement importance_exact;        ///< none where the bound exceeds a tenth of the probability
  Agreement importance_monte_carlo;  ///< only where there is no exact probability
  Agreement smoothed_exact;          ///< as importance_exact
  Agreement smoothed_importance;     ///< where that is none
};

struct SelfCheckOptions {
  std::uint64_t trials = 1'000'000;  ///< of Monte Carlo, for each class
  std::uint64_t samples = 100'000;   ///< of importance sampling, for each tail
  /// Fewer samples where a tail is known to this relative error at 95 % before.
  std::optional<double> relative_error = {};
  core::StreamKey key = {};
  double limit = 5.0;  ///< more standard errors are disagreement
};

struct SelfCheckResult {
  std::vector<CheckedTail> tails;
  std::uint64_t comparisons = 0;
  double worst = 0.0;  ///< largest |agreement|
  bool agrees = false;
};

/// How many tails self_check compares.
std::size_t tail_count(const std::vector<CheckedColumn>& columns);

/// Both tails of the lowest, the middle and the highest class of each column, where the ladder has
/// a reference on that side.
SelfCheckResult self_check(const std::vector<CheckedColumn>& columns,
                           const SelfCheckOptions& options, core::Threads threads,
                           const core::Progress& progress = {});

std::string self_check_as_text(const SelfCheckResult& result, const SelfCheckOptions& options);
std::string self_check_as_json(const SelfCheckResult& result, const SelfCheckOptions& options);

}  // namespace cimstat::experiments
