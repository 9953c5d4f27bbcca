#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/columns/column_rates.h"
#include "circuits/columns/frozen_pool.h"
#include "circuits/exact/exact_column.h"

/// Columns of which only the offset is frozen: cells are drawn afresh at each read, as a table for
/// the ensemble takes them. What the offset alone does to the spread between columns; exact, since
/// the misread rate is then a function of one normal number.
namespace cimstat::circuits {

class OffsetRates {
 public:
  /// Throws ExactObstacle where the exact engine can't do the design without its offset, UsageError
  /// where comparators have noise of their own or the currents a common factor.
  OffsetRates(const ColumnDesign& design, std::span<const ColumnClass> classes,
              const ExactOptions& options, core::Threads threads);

  /// P(code < ideal) and P(code > ideal) of a class on a column with this offset [A].
  struct Sides {
    double below = 0.0;
    double above = 0.0;
  };
  Sides sides(std::size_t class_index, double offset) const;
  /// P(code != ideal).
  double misread(std::size_t class_index, double offset) const;
  /// Mean over the classes.
  double misread(double offset) const;

  /// P over columns that the mean over the classes is at most `rate`, and the rate that a share
  /// `level` of all columns reaches at most; by the crossings of the rate along the offset, to a
  /// relative 1e-6. 0 < level < 1.
  double columns_within(double rate) const;
  double quantile(double level) const;
  /// Over columns, of the mean over the classes.
  double mean() const;

  const std::vector<ColumnClass>& classes() const { return classes_; }
  double offset_sd() const { return offset_sd_; }  ///< [A]

 private:
  struct Edges {
    double low;   ///< below it a code is too low
    double high;  ///< from it on a code is too high
  };
  double offset_of(double z) const { return offset_sd_ * z; }

  std::vector<ColumnClass> classes_;
  std::vector<SensedCurrent> currents_;
  std::vector<Edges> edges_;
  double offset_sd_ = 0.0;
  std::vector<double> grid_;  ///< misread(offset) at offsets of z = -grid_reach .. grid_reach
};

/// The rates of columns with the offsets of a FrozenPool of the same options; `votes` is odd.
ColumnRates offset_rates(const OffsetRates& rates, const PoolOptions& options, unsigned votes,
                         core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::circuits
