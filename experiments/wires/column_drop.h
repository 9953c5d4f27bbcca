#pragma once

#include <cstddef>
#include <vector>

#include "core/statistics/statistics.h"

/// Mean current of a column through wires, from few or many arrays.
namespace cimstat::experiments {

/// How the mean through wires comes from the arrays. Both know the mean of the ideal current and
/// are unbiased for any number of arrays.
enum class MeanMethod {
  fitted_control,     ///< the ideal current as control variate, its coefficient fitted
  paired_difference,  ///< coefficient 1: the mean of real less ideal current of the same cells
};

/// Fewer than 16 arrays give no coefficient worth having.
MeanMethod mean_method(std::size_t arrays);
inline constexpr std::size_t least_fitted_arrays = 16;

/// Of one column, over the arrays.
struct ColumnDrop {
  double ideal_mean = 0.0;  ///< exact: without wire resistance, over all cells and data [A]
  double mean = 0.0;        ///< with it [A]
  core::Interval mean_interval = {};
  double variance_reduction = 1.0;  ///< what the fitted control is worth; 1 where none was fitted
  double greatest_drop = 0.0;       ///< largest ideal current less the real one [A]
  double error_mean = 0.0;          ///< real less ideal, in steps of a MAC value
  double error_sd = 0.0;
  double left_over = 0.0;  ///< rms error in steps once all columns have the best common gain

  /// Relative; meaningless for pairs.
  double drop() const { return 1.0 - mean / ideal_mean; }
};

/// Currents of one column, an array each [A].
struct ColumnReads {
  std::vector<double> real;
  std::vector<double> ideal;
};

/// What a column is measured by.
struct DropScale {
  double ideal_mean = 0.0;  ///< [A]
  double step = 1.0;        ///< of a MAC value [A]
  double gain = 1.0;
  double confidence = 0.95;
  /// Of real less ideal current: mean over the column and its neighbours [A^2], of which there are
  /// `neighbours` in all.
  double common_variance = 0.0;
  std::size_t neighbours = 1;
};

/// Variance of real less ideal current [A^2].
double difference_variance(const ColumnReads& reads);

/// Sets what `scale` says of the neighbours of a column, up to four to each side: wires make the
/// spread of near columns alike, not of all. `variances` are those of all columns.
void add_neighbours(const std::vector<double>& variances, std::size_t column, DropScale& scale);

/// At least 2 arrays. The interval of a paired difference is the wider of two, Student's t each: of
/// the column's own variance, and of the columns' common one. The first alone would be empty where
/// the few cells of two arrays happen to be alike; it covers as promised for normal differences,
/// and the second only widens it.
ColumnDrop column_drop(const ColumnReads& reads, const DropScale& scale);

}  // namespace cimstat::experiments
