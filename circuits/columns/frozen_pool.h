#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/columns/input_pattern.h"
#include "circuits/columns/pool_kernel.h"

/// Columns that are drawn once and read often: what is frozen (conductances and stuck cells,
/// offset, the factor of the die) belongs to the column, what is fresh (read noise of the cells,
/// sense noise) to the read.
///
/// Words of column c, by Philox: cells of kind q (0 LRS, 1 HRS, 2 leakage, 3 dummy) and row r are
/// word r of (key, Domain::column_cells, instance = c) from block 256 q on; the offset is word 0 of
/// Domain::column_offset; the factor of die d word 0 of (Domain::die_factor, instance = d), or of
/// column d where it is the gain of its sense amplifier; converters as converter_draws() says;
/// fresh noise as FreshDraws says from block 0 of Domain::column_noise. A cell has both an LRS and
/// an HRS current in store, so that the same column can be read with other weights.
namespace cimstat::circuits {

struct PoolOptions {
  std::uint64_t columns = 1;
  std::uint64_t columns_of_a_die = 1;  ///< consecutive ones share the design's common factor
  core::StreamKey key = {};
};

/// The frozen offset of a column, in standard deviations.
double column_offset(core::StreamKey key, std::uint64_t column);
/// How many times as much as others the cells of a die conduct: 1 + sd N(0, 1).
double die_factor(core::StreamKey key, std::uint64_t die, double sd);

/// Its sd: column.common_factor_sd, but 0 where that is the factor of the sense amplifiers, which
/// is each column's own.
double die_factor_sd(const ColumnDesign& design);

class FrozenPool {
 public:
  /// Throws UsageError for a class that does not fit, and for cell
  /// laws whose components differ in relative read noise.
  FrozenPool(ColumnDesign design, PatternSet patterns, const PoolOptions& options,
             core::Threads threads);

  const ColumnDesign& design() const { return design_; }
  const PatternSet& patterns() const { return patterns_; }
  const PoolOptions& options() const { return options_; }
  double unit() const { return unit_; }  ///< of all float currents [A]
  std::size_t tiles() const;
  /// How many of a tile's 64 columns the pool has.
  std::size_t columns_of(std::size_t tile) const;

  /// Scratch memory of one worker.
  struct Memory {
    std::vector<TileRow> plane;      ///< [row]: dummy cells
    StateRows values;                ///< deviations of the currents of each state
    StateRows noises;                ///< variances of the cells' read noise in each state
    std::vector<TileRow> sums;       ///< [pattern]: deviation of the cells' sum from its mean
    std::vector<TileRow> variances;  ///< [pattern]: of the cells' read noise; empty where none
    TileColumns frozen;
  };
  /// Draws the tile's columns and adds up their cells for all patterns.
  void draw(std::size_t tile, Memory& memory) const;

  const std::vector<PatternRead>& reads() const { return reads_; }      ///< [pattern]
  const std::vector<ClassLadder>& ladders() const { return ladders_; }  ///< [class]
  FreshDraws fresh_draws(std::uint32_t reads) const;

 private:
  struct Plane {
    std::size_t kind = 0;
    core::QuantileTable table;
    core::BlockSchedule schedule;
    float mean = 0.0f;
    float relative_noise = 0.0f;
    bool varies = false;  ///< some spread is frozen in it
  };
  void add_plane(std::size_t kind, const core::Law& law);
  RowChoices row_choices() const;

  ColumnDesign design_;
  PatternSet patterns_;
  PoolOptions options_;
  double unit_ = 1.0;
  std::vector<Plane> planes_;
  RowChoices choices_;
  bool has_read_noise_ = false;
  std::vector<PatternRead> reads_;
  std::vector<ClassLadder> ladders_;
  core::QuantileTable logistic_;
};

}  // namespace cimstat::circuits
