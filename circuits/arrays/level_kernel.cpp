#include "circuits/arrays/level_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/arrays/level_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;

/// Random words are made this many rows at a time, then used: fused loops run out of registers.
constexpr std::size_t chunk_rows = 32;

struct alignas(64) ChunkMemory {
  std::uint32_t words[chunk_rows * tile_columns];
  std::uint32_t index[chunk_rows * tile_columns];
};

HWY_INLINE void store_level_indices(std::span<const SlotRow> slots, ChunkMemory& chunk) {
  const kernel::QuantileWords du;
  const hn::Rebind<std::uint16_t, kernel::QuantileWords> d16;
  for (std::size_t row = 0; row < slots.size(); ++row) {
    for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(du)) {
      const std::size_t i = row * tile_columns + lane;
      const auto slot = hn::PromoteTo(du, hn::Load(d16, slots[row].column.data() + lane));
      const auto segment =
          kernel::segment_indices(kernel::signed_tails(hn::Load(du, chunk.words + i)));
      hn::Store(hn::Add(segment, hn::ShiftLeft<LevelTables::slot_shift>(slot)), du,
                chunk.index + i);
    }
  }
}

HWY_INLINE kernel::QuantileVector in_range(Negatives negatives, kernel::QuantileVector values) {
  if (negatives == Negatives::kept) return values;
  return negatives == Negatives::mirrored ? hn::Abs(values)
                                          : hn::Max(values, hn::Zero(kernel::QuantileLanes()));
}

/// Cells whose segment is cut are looked up one by one.
HWY_NOINLINE void repair(const LevelDraws& draws, std::span<const SlotRow> slots,
                         const ChunkMemory& chunk, std::span<TileRow> values) {
  for (std::size_t row = 0; row < slots.size(); ++row) {
    for (std::size_t lane = 0; lane < tile_columns; ++lane) {
      const std::size_t level = LevelTables::level_of(slots[row].column[lane]);
      const float value = draws.tables->table(level)(chunk.words[row * tile_columns + lane]);
      const float negative = draws.negatives == Negatives::kept       ? value
                             : draws.negatives == Negatives::mirrored ? -value
                                                                      : 0.0f;
      values[row].column[lane] = value < 0.0f ? negative : value;
    }
  }
}

HWY_INLINE void draw_chunk(const LevelDraws& draws, std::span<const SlotRow> slots,
                           const ChunkMemory& chunk, std::span<TileRow> values) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const core::QuantileTable::Segment* HWY_RESTRICT segments = draws.tables->segments().data();
  auto check = hn::Zero(df);
  for (std::size_t row = 0; row < slots.size(); ++row) {
    float* HWY_RESTRICT to = values[row].data();
    for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
      const std::size_t i = row * tile_columns + lane;
      const auto t = kernel::signed_tails(hn::Load(du, chunk.words + i));
      const auto value = kernel::line_values(segments, chunk.index + i, t);
      check = hn::Add(check, value);
      hn::Store(in_range(draws.negatives, value), df, to + lane);
    }
  }
  if (HWY_UNLIKELY(!hn::AllFalse(df, hn::IsNaN(check)))) repair(draws, slots, chunk, values);
}

void draw_levels_here(const LevelDraws& draws, std::uint64_t first_instance, std::size_t first_row,
                      std::span<const SlotRow> slots, std::span<TileRow> values) {
  kernel::PhiloxTile tile;
  ChunkMemory chunk;
  kernel::begin_tile(*draws.schedule, first_instance, tile);
  for (std::size_t row = 0; row < slots.size(); row += chunk_rows) {
    const std::size_t rows = std::min(chunk_rows, slots.size() - row);
    kernel::fill_words(*draws.schedule, tile, (first_row + row) / 4, (rows + 3) / 4, chunk.words);
    store_level_indices(slots.subspan(row, rows), chunk);
    draw_chunk(draws, slots.subspan(row, rows), chunk, values.subspan(row, rows));
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(draw_levels_here);

void draw_levels(const LevelDraws& draws, std::uint64_t first_instance, std::size_t first_row,
                 std::span<const SlotRow> slots, std::span<TileRow> values) {
  assert(first_instance % tile_columns == 0 && first_row % 4 == 0);
  assert(slots.size() == values.size());
  HWY_DYNAMIC_DISPATCH(draw_levels_here)(draws, first_instance, first_row, slots, values);
}

}  // namespace cimstat::circuits
#endif
