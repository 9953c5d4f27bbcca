#include "circuits/column_kernel.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/column_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;
using core::tile_trials;

/// Random words are made this many rows at a time, then used: fused loops run out of registers.
constexpr std::size_t chunk_rows = 32;

struct alignas(64) TileMemory {
  std::uint32_t words[chunk_rows * tile_trials];
  std::uint32_t index[chunk_rows * tile_trials];
  float sums[tile_trials];
  std::uint32_t buckets[tile_trials];
  kernel::PhiloxTile philox;
  kernel::FastTile fast;
};

HWY_INLINE void begin(const ColumnProgram& program, std::uint64_t trial, TileMemory& tile) {
  if (program.stream == core::Stream::philox) {
    kernel::begin_tile(program.schedule, trial, tile.philox);
  } else {
    kernel::begin_tile(program.schedule.key(), program.schedule.first_block(), trial, tile.fast);
  }
}

/// Rows `row` (a multiple of 4) to `row + rows - 1` of the tile's words, and their segments.
HWY_INLINE void fill(const ColumnProgram& program, std::size_t row, std::size_t rows,
                     TileMemory& tile) {
  if (program.stream == core::Stream::philox) {
    kernel::fill_words(program.schedule, tile.philox, row / 4, (rows + 3) / 4, tile.words);
  } else {
    kernel::fill_words(tile.fast, rows, tile.words);
  }
  kernel::store_segment_indices(tile.words, rows * tile_trials, tile.index);
}

HWY_INLINE void add_scaled(const ScaledDraw& draw, std::size_t row, TileMemory& tile) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const auto variance = hn::Set(df, draw.variance);
  const auto slope = hn::Set(df, draw.variance_slope);
  for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
    const std::size_t i = row * tile_trials + lane;
    const auto sum = hn::Load(df, tile.sums + lane);
    const auto t = kernel::signed_tails(hn::Load(du, tile.words + i));
    const auto z = kernel::line_values(draw.table->segments().data(), tile.index + i, t);
    const auto sd = hn::Sqrt(hn::Max(hn::Zero(df), hn::Add(variance, hn::Mul(slope, sum))));
    hn::Store(hn::Add(sum, hn::Mul(z, sd)), df, tile.sums + lane);
  }
}

/// The sums of the 64 trials from `trial` on, in tile.sums.
HWY_INLINE void sample_tile(const ColumnProgram& program, std::uint64_t trial, TileMemory& tile) {
  std::fill_n(tile.sums, tile_trials, 0.0f);
  begin(program, trial, tile);
  std::size_t rows_left = program.words();
  std::size_t next_row = 0;  // of the program
  std::size_t row = 0;       // of the chunk
  std::size_t rows = 0;
  const auto next_chunk = [&]() HWY_ATTR {
    rows = std::min(rows_left, chunk_rows);
    fill(program, next_row, rows, tile);
    next_row += rows;
    rows_left -= rows;
    row = 0;
  };
  for (const CellDraws& draws : program.cells) {
    for (std::size_t left = draws.count; left > 0;) {
      if (row == rows) next_chunk();
      const std::size_t now = std::min(left, rows - row);
      kernel::add_quantiles(*draws.table, tile.words + row * tile_trials,
                            tile.index + row * tile_trials, now, tile.sums);
      row += now;
      left -= now;
    }
  }
  for (const ScaledDraw& draw : program.scaled) {
    if (row == rows) next_chunk();
    add_scaled(draw, row++, tile);
  }
}

void sample_sums_here(const ColumnProgram& program, TrialRange trials, float* sums) {
  TileMemory tile;
  for (std::uint64_t trial = trials.first; trial < trials.end; trial += tile_trials) {
    sample_tile(program, trial, tile);
    const std::size_t count = std::min<std::uint64_t>(tile_trials, trials.end - trial);
    sums = std::copy_n(tile.sums, count, sums);
  }
}

/// Counts into four histograms in turn, so that a code that comes twice in a row does not wait for
/// itself.
void sample_codes_here(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                       std::uint32_t* counts) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const hn::RebindToSigned<kernel::QuantileLanes> di;
  const auto low = hn::Set(df, search.low());
  const auto scale = hn::Set(df, search.scale());
  const auto last = hn::Set(df, search.last());
  TileMemory tile;
  for (std::uint64_t trial = trials.first; trial < trials.end; trial += tile_trials) {
    sample_tile(program, trial, tile);
    for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
      const auto offset = hn::Sub(hn::Load(df, tile.sums + lane), low);
      const auto position = hn::Add(hn::Mul(offset, scale), hn::Set(df, 1.0f));
      const auto inside = hn::Min(hn::Max(position, hn::Zero(df)), last);
      hn::Store(hn::BitCast(du, hn::ConvertTo(di, inside)), du, tile.buckets + lane);
    }
    const std::size_t count = std::min<std::uint64_t>(tile_trials, trials.end - trial);
    for (std::size_t i = 0; i < count; ++i) {
      ++counts[std::size_t{4} * search.code(tile.sums[i], tile.buckets[i]) + i % 4];
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(sample_sums_here);
HWY_EXPORT(sample_codes_here);

std::uint32_t ColumnProgram::words() const {
  auto count = static_cast<std::uint32_t>(scaled.size());
  for (const CellDraws& draws : cells) count += draws.count;
  return count;
}

void sample_sums(const ColumnProgram& program, TrialRange trials, std::span<float> sums) {
  assert(trials.first % core::tile_trials == 0);
  assert(sums.size() >= trials.end - trials.first);
  HWY_DYNAMIC_DISPATCH(sample_sums_here)(program, trials, sums.data());
}

void sample_codes(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                  std::span<std::uint64_t> counts) {
  assert(trials.first % core::tile_trials == 0);
  std::vector<std::uint32_t> quarters(4 * counts.size(), 0);
  HWY_DYNAMIC_DISPATCH(sample_codes_here)(program, search, trials, quarters.data());
  for (std::size_t code = 0; code < counts.size(); ++code) {
    for (std::size_t quarter = 0; quarter < 4; ++quarter) {
      counts[code] += quarters[4 * code + quarter];
    }
  }
}

}  // namespace cimstat::circuits
#endif
