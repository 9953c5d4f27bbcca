#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/law/law.h"
#include "core/law/quantile_table.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/sampled/code_search.h"
#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {

/// The numbers of cells that there are tables of sums for: 1, 2 and 3 times the powers of 4, so
/// that a count takes one draw for each of its base-4 digits that is not 0.
inline constexpr std::array<std::uint32_t, 16> sum_sizes{1,  2,  3,   4,   8,   12,  16,  32,
                                                         48, 64, 128, 192, 256, 512, 768, 1024};
static_assert(sum_sizes.back() == row_limit);

/// How many draws a part takes from the table of each size.
using DrawCounts = std::array<std::uint32_t, sum_sizes.size()>;

/// One kind of cell current of a column and its tables.
class PreparedLaw {
 public:
  /// For at most `largest_count` cells.
  PreparedLaw(core::Law law, Summation summation, std::uint32_t largest_count);

  /// The draws for `count` cells, from the largest sums that are allowed and possible down.
  DrawCounts draws(std::uint32_t count) const;
  /// Variance of `count` cells that take no draw of their own: it joins the class's normal draw.
  double joined_variance(std::uint32_t count) const;

  void build(std::size_t size_index, double unit, core::Threads threads);
  const core::QuantileTable& table(std::size_t size_index) const { return tables_[size_index]; }
  double sd() const { return law_.sd(); }

 private:
  /// Points take no draw; normal parts may be summed beforehand.
  bool joins() const;

  core::Law law_;
  std::optional<core::Normal> normal_;
  Summation summation_;
  std::array<bool, sum_sizes.size()> possible_{};
  std::array<core::QuantileTable, sum_sizes.size()> tables_;
};

/// A design made ready for sampling. Sums are deviations from the class's mean current, in units
/// of a power of two near the largest spread, so that the unit costs no rounding.
class PreparedColumn {
 public:
  /// Builds the tables that `classes` need; Interrupted when the program was asked to stop.
  PreparedColumn(const ColumnDesign& design, std::span<const ColumnClass> classes,
                 const SamplingOptions& options, core::Threads threads);
  PreparedColumn(const PreparedColumn&) = delete;
  PreparedColumn& operator=(const PreparedColumn&) = delete;

  ColumnProgram program(ColumnClass column_class) const;
  CodeSearch search(ColumnClass column_class) const;
  std::uint32_t words(ColumnClass column_class) const;  ///< of a trial
  double unit() const { return reading_unit_; }         ///< of readings, [A] or [V]

 private:
  /// Of each of laws_.
  std::vector<std::uint32_t> counts(ColumnClass column_class) const;
  std::vector<ScaledDraw> scaled_draws(ColumnClass column_class) const;
  // Lines that are more than a sum (prepared_line.cpp).
  double spread_of_readings() const;
  void add_cells(std::size_t law, std::uint32_t count, std::vector<CellDraws>& cells) const;
  void add_normal(double variance, double unit, std::vector<ScaledDraw>& draws) const;
  void add_curve(ColumnClass column_class, ColumnProgram& program) const;
  void add_wire(ColumnClass column_class, ColumnProgram& program) const;
  void add_sharing(ColumnClass column_class, ColumnProgram& program) const;
  void add_noise_behind_line(ColumnClass column_class, ColumnProgram& program) const;
  void add_line(ColumnClass column_class, ColumnProgram& program) const;
  std::optional<Decisions> decisions(ColumnClass column_class) const;
  std::vector<float> references(ColumnClass column_class) const;  ///< as sums are

  ColumnDesign design_;  ///< over_converters()
  core::StreamKey key_;
  core::Stream stream_;
  std::vector<PreparedLaw> laws_;
  core::QuantileTable normal_;    ///< standard
  core::QuantileTable logistic_;  ///< mean 0, sd 1
  double unit_ = 1.0;             ///< of sums
  double reading_unit_ = 1.0;     ///< of what the line delivers: the same for plain sums
};

}  // namespace cimstat::circuits
