#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/law.h"
#include "core/parallel.h"
#include "core/quantile_table.h"

#include "circuits/code_search.h"
#include "circuits/column.h"
#include "circuits/column_kernel.h"
#include "circuits/sampled_column.h"

namespace cimstat::circuits {

/// How many draws a part takes from each table: [b] of the sum of 2^b cells.
using DrawCounts = std::array<std::uint32_t, std::bit_width(row_limit)>;

/// One kind of cell current of a column and its tables.
class PreparedLaw {
 public:
  PreparedLaw(core::Law law, Summation summation);

  /// The draws for `count` cells: one for each set bit where tables of sums are allowed; where a
  /// sum of 2^b cells is not possible, as many of the largest possible sums instead.
  DrawCounts draws(std::uint32_t count) const;
  /// Variance of `count` cells that take no draw of their own: it joins the class's normal draw.
  double joined_variance(std::uint32_t count) const;

  void build(std::size_t bit, double unit);
  const core::QuantileTable& table(std::size_t bit) const { return tables_[bit]; }
  double sd() const { return law_.sd(); }

 private:
  /// Points take no draw; normal parts may be summed beforehand.
  bool joins() const;

  core::Law law_;
  std::optional<core::Normal> normal_;
  Summation summation_;
  DrawCounts largest_{};  ///< [b]: log2 of the largest table for 2^b cells
  std::array<core::QuantileTable, std::bit_width(row_limit)> tables_;
};

/// A design made ready for sampling. Sums are deviations from the class's mean current, in units
/// of a power of two near the largest spread, so that the unit costs no rounding.
class PreparedColumn {
 public:
  /// Builds the tables that `classes` need. Refers to `design` from then on.
  PreparedColumn(const ColumnDesign& design, std::span<const ColumnClass> classes,
                 const SamplingOptions& options, core::Threads threads);
  PreparedColumn(const PreparedColumn&) = delete;
  PreparedColumn& operator=(const PreparedColumn&) = delete;

  ColumnProgram program(ColumnClass column_class) const;
  CodeSearch search(ColumnClass column_class) const;
  std::uint32_t words(ColumnClass column_class) const;  ///< of a trial
  double unit() const { return unit_; }                 ///< [A]

 private:
  static constexpr std::size_t law_count = 4;  ///< LRS, HRS, leakage, dummy, as in parts_of

  std::array<std::uint32_t, law_count> counts(ColumnClass column_class) const;
  std::vector<ScaledDraw> scaled_draws(ColumnClass column_class) const;

  const ColumnDesign* design_;
  core::StreamKey key_;
  core::Stream stream_;
  std::vector<PreparedLaw> laws_;
  core::QuantileTable normal_;    ///< standard
  core::QuantileTable logistic_;  ///< mean 0, sd 1
  double unit_ = 1.0;
};

}  // namespace cimstat::circuits
