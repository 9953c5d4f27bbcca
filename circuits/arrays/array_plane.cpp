#include "circuits/arrays/array_plane.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/arrays/level_tables.h"

namespace cimstat::circuits {

namespace {

void check(ArrayShape shape) {
  if (shape.rows > 0 && shape.columns > 0 && shape.rows <= array_row_limit &&
      shape.columns <= chip_column_limit) {
    return;
  }
  throw core::UsageError(core::error_line(
      "array", fmt::format("can't have {} rows and {} columns", shape.rows, shape.columns),
      fmt::format("1 to {} rows and 1 to {} columns", array_row_limit, chip_column_limit),
      "divide it"));
}

}  // namespace

void check(const ArrayPlace& place, ArrayShape shape) {
  check(shape);
  assert(place.first_column % tile_columns == 0);
  if (place.chip >= chip_limit) {
    throw core::UsageError(core::error_line("array", fmt::format("there is no chip {}", place.chip),
                                            fmt::format("chips count to {}", chip_limit - 1),
                                            "take another seed for further chips"));
  }
  if (place.first_column + shape.tiles() * tile_columns > chip_column_limit) {
    throw core::UsageError(core::error_line(
        "array", fmt::format("columns from {} on do not fit the chip", place.first_column),
        fmt::format("a chip has at most {} columns", chip_column_limit), "use fewer arrays"));
  }
}

ArrayPlane::ArrayPlane(ArrayShape shape) : shape_(shape) {
  check(shape);
  rows_.resize(shape.tiles() * shape.rows);
}

ArrayPlane::ArrayPlane(ArrayShape shape, std::span<const float> values) : ArrayPlane(shape) {
  assert(values.size() == shape.cells());
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      tile(column / tile_columns)[row].column[column % tile_columns] =
          values[std::size_t{row} * shape.columns + column];
    }
  }
}

std::vector<float> ArrayPlane::row_major() const {
  std::vector<float> values;
  values.reserve(shape_.cells());
  for (std::uint32_t row = 0; row < shape_.rows; ++row) {
    for (std::uint32_t column = 0; column < shape_.columns; ++column) {
      values.push_back(at(row, column));
    }
  }
  return values;
}

LevelPlane::LevelPlane(ArrayShape shape, std::span<const std::uint8_t> levels) : shape_(shape) {
  check(shape);
  assert(levels.size() == shape.cells());
  highest_ = *std::max_element(levels.begin(), levels.end());
  rows_.resize(shape.tiles() * shape.rows);
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      SlotRow& slots = rows_[column / tile_columns * shape.rows + row];
      slots.column[column % tile_columns] =
          LevelTables::slot(levels[std::size_t{row} * shape.columns + column]);
    }
  }
}

}  // namespace cimstat::circuits
