#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "circuits/columns/column_rates.h"

#include "experiments/columns/column_settings.h"
#include "experiments/inference/accuracy_run.h"

/// What the misread rates of many columns say: how they are spread, how many dies are good, what
/// reading twice or more often brings. Intervals come from the differences between what is
/// independent: columns, or dies where a factor is common to the columns of a die. Reads of one
/// column are not independent, and no interval counts them.
///
/// Rates range over many decades, and a mean over columns may rest on a few of them: where fewer
/// than half of the units and fewer than 100 are worth counting, or the sample is too skew, the
/// interval is all that a probability can be, [0, 1]. The mean over all columns is then better
/// asked of an error table.
namespace cimstat::experiments {

struct ColumnQuestions {
  std::uint64_t columns_of_a_die = 1;
  bool dies_differ = false;  ///< some factor is common to the columns of a die
  double confidence = 0.95;
  double limit = 1e-3;  ///< a column passes where its rate is at most this
  JudgedRate judged = JudgedRate::mean;
  std::uint64_t repairs = 0;  ///< columns of a die that may fail
};

inline constexpr std::array quantile_levels{0.5, 0.9, 0.99, 0.999};

/// One MAC value, or all of them with equal weights.
struct RateSummary {
  Estimate mean;  ///< over columns; t interval
  double sd = 0.0;
  double largest = 0.0;
  /// At quantile_levels; from order statistics, whatever the law. An upper end of 1 or a lower one
  /// of 0 says that there are too few columns to tell.
  std::array<Estimate, quantile_levels.size()> quantiles;
  Estimate both_wrong;  ///< two reads of one input on one column; t interval
  /// Of the errors of these two; jackknife interval, or [-1, 1] where that of `both_wrong` says
  /// nothing.
  Estimate correlation;
  /// E[p^2] / E[p]^2: how much oftener both are wrong than if errors were independent. 1 where
  /// there are none.
  double both_wrong_ratio = 1.0;
  Estimate vote_wrong;  ///< t interval
};

struct ColumnStatistics {
  std::vector<RateSummary> classes;
  RateSummary overall;
  /// Median over dies of the worst rate among a die's columns, as the columns are judged.
  Estimate worst_of_die;
  Estimate pass;  ///< probability that a column passes
  /// Probability that at most `repairs` columns of a die fail: over the simulated dies
  /// (Clopper-Pearson), and, where columns are independent, from `pass`.
  Estimate die_yield;
  std::optional<Estimate> die_yield_from_columns;
};

/// `rates` holds whole dies. Throws std::invalid_argument otherwise.
ColumnStatistics column_statistics(const circuits::ColumnRates& rates,
                                   const ColumnQuestions& questions);

/// Of each column, what it is judged by.
std::vector<double> judged_rates(const circuits::ColumnRates& rates, JudgedRate judged);

}  // namespace cimstat::experiments
