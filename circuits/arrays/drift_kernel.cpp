#include "circuits/arrays/drift_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/arrays/drift_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"

#include "circuits/arrays/float_functions-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;
using kernel::QuantileLanes;
using kernel::QuantileVector;
using kernel::QuantileWords;

/// Rows are taken so many at a time: indices are stored well before they are loaded one by one.
constexpr std::size_t chunk_rows = 16;

struct alignas(64) ChunkMemory {
  std::uint32_t words[chunk_rows * tile_columns];
  std::uint32_t index[chunk_rows * tile_columns];
};

HWY_INLINE QuantileVector states_inside(const StateCurve& curve, const float* states) {
  const QuantileLanes df;
  return hn::Min(hn::Max(hn::Load(df, states), hn::Set(df, curve.low())),
                 hn::Set(df, curve.high()));
}

void apply_curve_here(const StateCurve& curve, std::span<const TileRow> states,
                      std::span<TileRow> values) {
  const QuantileLanes df;
  const QuantileWords du;
  constexpr int shift = static_cast<int>(StateCurve::index_shift);
  const StateCurve::Segment* HWY_RESTRICT segments = curve.segments().data();
  const auto first_index = hn::Set(du, curve.first_index());
  ChunkMemory chunk;
  for (std::size_t first = 0; first < states.size(); first += chunk_rows) {
    const std::size_t rows = std::min(chunk_rows, states.size() - first);
    for (std::size_t i = 0; i < rows * tile_columns; i += hn::Lanes(df)) {
      const auto x =
          states_inside(curve, states[first + i / tile_columns].data() + i % tile_columns);
      hn::Store(hn::Sub(hn::ShiftRight<shift>(hn::BitCast(du, x)), first_index), du,
                chunk.index + i);
    }
    auto check = hn::Zero(df);
    for (std::size_t i = 0; i < rows * tile_columns; i += hn::Lanes(df)) {
      const std::size_t row = first + i / tile_columns;
      const auto x = states_inside(curve, states[row].data() + i % tile_columns);
      const auto value = kernel::line_values(segments, chunk.index + i, x);
      check = hn::Add(check, value);
      hn::Store(value, df, values[row].data() + i % tile_columns);
    }
    if (HWY_LIKELY(hn::AllFalse(df, hn::IsNaN(check)))) continue;
    for (std::size_t row = first; row < first + rows; ++row) {
      for (std::size_t c = 0; c < tile_columns; ++c) {
        float& value = values[row].column[c];
        if (value != value) value = curve(states[row].column[c]);
      }
    }
  }
}

struct DriftedLanes {
  // Written out, since an implied one is compiled without the target's instructions.
  HWY_INLINE DriftedLanes(QuantileVector g, QuantileVector sd) : conductance(g), noise_sd(sd) {}
  QuantileVector conductance;
  QuantileVector noise_sd;
};

HWY_INLINE DriftedLanes drifted(const DriftingRows& cells, DriftTime time, std::size_t row,
                                std::size_t lane) {
  const QuantileLanes df;
  const auto exponent = hn::Load(df, cells.exponent[row].data() + lane);
  const auto programmed = hn::Load(df, cells.programmed[row].data() + lane);
  const auto octaves = hn::Mul(exponent, hn::Set(df, -time.octaves));
  const auto conductance = hn::Mul(programmed, exp2_values(df, octaves));
  const auto noise =
      hn::Mul(hn::Load(df, cells.quality[row].data() + lane), hn::Set(df, time.noise_factor));
  return {conductance, hn::Mul(conductance, noise)};
}

void drift_rows_here(const DriftingRows& cells, DriftTime time, std::span<TileRow> conductance,
                     std::span<TileRow> noise_sd) {
  const QuantileLanes df;
  for (std::size_t row = 0; row < conductance.size(); ++row) {
    for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
      const DriftedLanes now = drifted(cells, time, row, lane);
      hn::Store(now.conductance, df, conductance[row].data() + lane);
      hn::Store(now.noise_sd, df, noise_sd[row].data() + lane);
    }
  }
}

void read_drifted_rows_here(const DriftingRows& cells, DriftTime time,
                            const core::QuantileTable& normal, const core::BlockSchedule& schedule,
                            std::uint64_t first_instance, std::size_t first_row,
                            std::span<TileRow> reads) {
  const QuantileLanes df;
  const QuantileWords du;
  const core::QuantileTable::Segment* HWY_RESTRICT segments = normal.segments().data();
  kernel::PhiloxTile tile;
  ChunkMemory chunk;
  kernel::begin_tile(schedule, first_instance, tile);
  for (std::size_t first = 0; first < reads.size(); first += chunk_rows) {
    const std::size_t rows = std::min(chunk_rows, reads.size() - first);
    kernel::fill_words(schedule, tile, (first_row + first) / 4, (rows + 3) / 4, chunk.words);
    kernel::store_segment_indices(chunk.words, rows * tile_columns, chunk.index);
    for (std::size_t i = 0; i < rows * tile_columns; i += hn::Lanes(df)) {
      const std::size_t row = first + i / tile_columns;
      const DriftedLanes now = drifted(cells, time, row, i % tile_columns);
      const auto t = kernel::signed_tails(hn::Load(du, chunk.words + i));
      const auto z = kernel::line_values(segments, chunk.index + i, t);
      const auto read = hn::Add(now.conductance, hn::Mul(now.noise_sd, z));
      hn::Store(hn::Max(read, hn::Zero(df)), df, reads[row].data() + i % tile_columns);
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(apply_curve_here);
HWY_EXPORT(drift_rows_here);
HWY_EXPORT(read_drifted_rows_here);

void apply_curve(const StateCurve& curve, std::span<const TileRow> states,
                 std::span<TileRow> values) {
  assert(states.size() == values.size());
  HWY_DYNAMIC_DISPATCH(apply_curve_here)(curve, states, values);
}

void drift_rows(const DriftingRows& cells, DriftTime time, std::span<TileRow> conductance,
                std::span<TileRow> noise_sd) {
  assert(conductance.size() == noise_sd.size() && conductance.size() == cells.programmed.size());
  HWY_DYNAMIC_DISPATCH(drift_rows_here)(cells, time, conductance, noise_sd);
}

void read_drifted_rows(const DriftingRows& cells, DriftTime time, const core::QuantileTable& normal,
                       const core::BlockSchedule& schedule, std::uint64_t first_instance,
                       std::size_t first_row, std::span<TileRow> reads) {
  assert(first_instance % tile_columns == 0 && first_row % 4 == 0);
  HWY_DYNAMIC_DISPATCH(read_drifted_rows_here)
  (cells, time, normal, schedule, first_instance, first_row, reads);
}

}  // namespace cimstat::circuits
#endif
