#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random/random.h"

#include "circuits/columns/pool_kernel.h"

/// Whole arrays of cells, and where their random numbers are.
///
/// Columns stand in the lanes of the kernels, 64 to a tile, and rows in their loops, so a cell's
/// draws are a function of (seed, point, chip, column of the chip, row) alone: Philox instance =
/// chip * 2^24 + column of the chip, word = row, in a domain for each draw that a cell takes.
namespace cimstat::circuits {

inline constexpr std::uint32_t array_row_limit = 4096;
inline constexpr std::uint32_t chip_column_limit = std::uint32_t{1} << 24;
inline constexpr std::uint64_t chip_limit = std::uint64_t{1} << 24;
inline constexpr std::size_t array_level_limit = 256;

struct ArrayShape {
  std::uint32_t rows = 1;
  std::uint32_t columns = 1;

  std::size_t cells() const { return std::size_t{rows} * columns; }
  std::size_t tiles() const { return (std::size_t{columns} + tile_columns - 1) / tile_columns; }
  bool operator==(const ArrayShape&) const = default;
};

/// Which devices an array consists of.
struct ArrayPlace {
  core::StreamKey key = {};
  std::uint64_t chip = 0;
  /// The array's first column among those of its chip, a multiple of 64: arrays that share none are
  /// independent.
  std::uint32_t first_column = 0;

  std::uint64_t first_instance(std::size_t tile) const {
    return chip * chip_column_limit + first_column + tile * tile_columns;
  }
};

/// Throws UsageError where the array does not fit the limits above.
void check(const ArrayPlace& place, ArrayShape shape);

/// One float of each cell. Columns behind the last one of the shape hold what the kernels left.
class ArrayPlane {
 public:
  ArrayPlane() = default;
  /// Zeros. Throws UsageError for a side of 0 and for more than array_row_limit rows.
  explicit ArrayPlane(ArrayShape shape);
  /// `values` [row][column].
  ArrayPlane(ArrayShape shape, std::span<const float> values);

  ArrayShape shape() const { return shape_; }
  std::span<TileRow> tile(std::size_t index) {
    return std::span(rows_).subspan(index * shape_.rows, shape_.rows);
  }
  std::span<const TileRow> tile(std::size_t index) const {
    return std::span(rows_).subspan(index * shape_.rows, shape_.rows);
  }
  float at(std::uint32_t row, std::uint32_t column) const {
    return tile(column / tile_columns)[row].column[column % tile_columns];
  }
  std::vector<float> row_major() const;  ///< [row][column]

 private:
  ArrayShape shape_{0, 0};
  std::vector<TileRow> rows_;  ///< [tile][row]
};

/// Where the table of a cell's level begins (level_tables.h), for a tile's row.
struct alignas(64) SlotRow {
  std::array<std::uint16_t, tile_columns> column{};
};

/// What each cell is programmed to.
class LevelPlane {
 public:
  LevelPlane() = default;
  /// `levels` [row][column]; throws UsageError as ArrayPlane does.
  LevelPlane(ArrayShape shape, std::span<const std::uint8_t> levels);

  ArrayShape shape() const { return shape_; }
  std::uint8_t highest() const { return highest_; }
  std::span<const SlotRow> tile(std::size_t index) const {
    return std::span(rows_).subspan(index * shape_.rows, shape_.rows);
  }

 private:
  ArrayShape shape_{0, 0};
  std::uint8_t highest_ = 0;
  std::vector<SlotRow> rows_;  ///< [tile][row]
};

}  // namespace cimstat::circuits
