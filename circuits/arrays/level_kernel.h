#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/random/random.h"

#include "circuits/arrays/array_plane.h"
#include "circuits/arrays/level_tables.h"

/// The inner loop of programmed_array.h: columns in lanes, rows in the loop.
namespace cimstat::circuits {

/// What becomes of values below zero.
enum class Negatives { kept, raised_to_zero, mirrored };

/// One draw of each cell: word `row` of the schedule, through the table of the cell's level.
struct LevelDraws {
  const LevelTables* tables = nullptr;
  const core::BlockSchedule* schedule = nullptr;
  Negatives negatives = Negatives::kept;
};

/// Rows `first_row` (a multiple of 4) and on, as many as `slots` and `values` have, of the 64
/// columns from `first_instance` on.
void draw_levels(const LevelDraws& draws, std::uint64_t first_instance, std::size_t first_row,
                 std::span<const SlotRow> slots, std::span<TileRow> values);

}  // namespace cimstat::circuits
