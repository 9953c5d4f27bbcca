#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/sampled/code_search.h"

/// The inner loops of frozen_pool.h: tiles of 64 columns, columns in lanes, rows and reads in the
/// loops, so that no result depends on the width of a register.
namespace cimstat::circuits {

inline constexpr std::size_t tile_columns = core::tile_trials;
/// What a pattern does to the cell of a row: not selected, in LRS, in HRS.
inline constexpr std::size_t row_states = 3;
/// Rows are added three at a time, from tables of the sums of each choice of their states (the
/// method of the four Russians), and so many tables are used on all patterns before the next ones.
inline constexpr std::size_t rows_of_a_table = 3;
inline constexpr std::size_t tables_of_a_block = 4;
inline constexpr std::size_t rows_of_a_block = rows_of_a_table * tables_of_a_block;

/// One number of each column of a tile.
struct alignas(64) TileRow {
  std::array<float, tile_columns> column{};
  float* data() { return column.data(); }
  const float* data() const { return column.data(); }
};

/// The states of the rows in each pattern: s_0 + 3 s_1 + 9 s_2 for the three rows of each table,
/// [block of tables][pattern][table of the block].
struct RowChoices {
  std::size_t blocks = 0;
  std::vector<std::uint8_t> entries;
};

/// What each state adds to the current of a column, [state][row]; a whole number of blocks of rows,
/// zeros behind the last one.
using StateRows = std::array<std::vector<TileRow>, row_states>;

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

/// sums[pattern] += what the rows' states add: three rows in order make a table's entry, and
/// entries are added in order.
void add_rows(const RowChoices& choices, const StateRows& values, std::span<TileRow> sums);

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
