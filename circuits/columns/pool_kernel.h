#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/code_search.h"

/// The inner loops of frozen_pool.h: tiles of 64 columns, columns in lanes, rows and reads in the
/// loops, so that no result depends on the width of a register.
namespace cimstat::circuits {

inline constexpr std::size_t tile_columns = core::tile_trials;
/// Rows are added four at a time, from tables of the sums of each choice of them (the method of the
/// four Russians), and so many tables are used on all patterns before the next ones.
inline constexpr std::size_t rows_of_a_table = 4;
inline constexpr std::size_t tables_of_a_block = 8;

/// One number of each column of a tile.
struct alignas(64) TileRow {
  std::array<float, tile_columns> column{};
  float* data() { return column.data(); }
  const float* data() const { return column.data(); }
};

/// Which rows of one plane each pattern selects: four bits for each table,
/// [block of tables][pattern][table of the block].
struct RowChoices {
  std::size_t blocks = 0;
  std::vector<std::uint8_t> nibbles;
};

/// One kind of current that each cell has in store: `values` [row], draws of `table`, whose words
/// are those of the schedule, row after row.
struct PlaneDraws {
  const core::QuantileTable* table = nullptr;
  core::BlockSchedule schedule;
  std::size_t rows = 0;
};
void draw_plane(const PlaneDraws& draws, std::uint64_t first_column, std::span<TileRow> values);

/// values := (factor * (values + mean))^2.
void square_plane(float factor, float mean, std::span<TileRow> values);

/// sums[pattern] += the selected rows of the plane: four rows in order make a table's entry, and
/// entries are added in order. `values` has a whole number of blocks of tables, with zeros behind
/// the last row.
void add_selected(const RowChoices& choices, std::span<const TileRow> values,
                  std::span<TileRow> sums);

/// How the reads of one pattern go, in the pool's unit: the current of column c is
/// mean + deviation, deviation = gain[c] * sum + (gain[c] - 1) * mean.
struct PatternRead {
  float mean = 0.0f;
  float noise_variance = 0.0f;  ///< of the sense noise where the deviation is 0
  float noise_slope = 0.0f;     ///< of its variance, over the deviation
  std::uint32_t class_index = 0;
};

/// What one class's currents are compared with, relative to the mean of the class.
struct ClassLadder {
  CodeSearch search;
  std::uint32_t ideal_code = 0;
  /// From the first of these currents on and below the second the code is the ideal one.
  float right_from = 0.0f;
  float right_below = 0.0f;
};

/// Fresh noise of all reads of a tile: for each pattern and read one normal draw where `normal` is
/// there, then one logistic where that is there.
struct FreshDraws {
  const core::QuantileTable* normal = nullptr;
  const core::QuantileTable* logistic = nullptr;
  core::BlockSchedule schedule;
  std::uint32_t reads = 1;

  std::size_t words() const {
    return (normal != nullptr ? 1U : 0U) + (logistic != nullptr ? 1U : 0U);
  }
};

/// What is frozen in a tile of columns besides its cells.
struct TileColumns {
  TileRow gain;    ///< 1, or the die's factor
  TileRow offset;  ///< in the pool's unit
};

struct TileReads {
  std::span<const PatternRead> patterns;
  std::span<const ClassLadder> ladders;  ///< [class]
  std::span<const TileRow> sums;         ///< [pattern]
  std::span<const TileRow> variances;    ///< [pattern] of the cells' fresh noise, or empty
};

struct TileCounts {
  std::size_t codes = 0;
  std::vector<std::uint32_t> code;  ///< [class][code][4]: the sum over the last axis counts
  std::vector<TileRow> right;       ///< [class]: how often each column was right
};

/// Reads every pattern on the first `columns` columns of the tile.
void read_tile(const FreshDraws& draws, const TileReads& reads, const TileColumns& frozen,
               std::uint64_t first_column, std::size_t columns, TileCounts& counts);

}  // namespace cimstat::circuits
