#include "circuits/sampled/column_kernel.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/sampled/column_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

#include "circuits/bit_line/line_steps-inl.h"

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
  float seen[tile_trials];
  std::uint32_t buckets[tile_trials];  ///< or codes
  std::uint32_t running[tile_trials];
  float others[tile_trials];  ///< grounded capacitors
  WireTile wire;
  kernel::PhiloxTile philox;
  kernel::FastTile fast;
  std::vector<float> draws;  ///< of converters, [draw][trial]
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

/// Where a tile is in its words: rows are made a chunk at a time.
struct Rows {
  std::size_t total = 0;
  std::size_t begin = 0;  ///< first row of the chunk, a multiple of 4
  std::size_t count = 0;  ///< rows in the chunk
  std::size_t next = 0;   ///< the row to use next

  std::size_t in_chunk() const { return next - begin; }
  std::size_t left_in_chunk() const { return begin + count - next; }
};

/// Makes the chunk that holds the next row.
HWY_INLINE void need_row(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  while (rows.next >= rows.begin + rows.count) {
    rows.begin += rows.count;
    if (program.stream == core::Stream::philox) rows.begin = rows.next / 4 * 4;
    rows.count = std::min(rows.total - rows.begin, chunk_rows);
    fill(program, rows.begin, rows.count, tile);
  }
}

HWY_INLINE void add_scaled(const ScaledDraw& draw, std::size_t row, const TileMemory& tile,
                           float* HWY_RESTRICT sums) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const auto level = hn::Set(df, draw.level);
  const auto slope = hn::Set(df, draw.slope);
  for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
    const std::size_t i = row * tile_trials + lane;
    const auto sum = hn::Load(df, sums + lane);
    const auto t = kernel::signed_tails(hn::Load(du, tile.words + i));
    const auto z = kernel::line_values(draw.table->segments().data(), tile.index + i, t);
    const auto scale = hn::Add(level, hn::Mul(slope, sum));
    const auto sd =
        draw.scaling == Scaling::factor ? scale : hn::Sqrt(hn::Max(hn::Zero(df), scale));
    hn::Store(hn::Add(sum, hn::Mul(z, sd)), df, sums + lane);
  }
}

HWY_INLINE void add_cells(const ColumnProgram& program, const std::vector<CellDraws>& cells,
                          Rows& rows, TileMemory& tile, float* HWY_RESTRICT sums) {
  for (const CellDraws& draws : cells) {
    for (std::size_t left = draws.count; left > 0;) {
      need_row(program, rows, tile);
      const std::size_t now = std::min(left, rows.left_in_chunk());
      kernel::add_quantiles(*draws.table, tile.words + rows.in_chunk() * tile_trials,
                            tile.index + rows.in_chunk() * tile_trials, now, sums);
      rows.next += now;
      left -= now;
    }
  }
}

HWY_INLINE void add_all_scaled(const ColumnProgram& program, const std::vector<ScaledDraw>& scaled,
                               Rows& rows, TileMemory& tile, float* HWY_RESTRICT sums) {
  for (const ScaledDraw& draw : scaled) {
    need_row(program, rows, tile);
    add_scaled(draw, rows.in_chunk(), tile, sums);
    ++rows.next;
  }
}

HWY_INLINE void walk_wire(const ColumnProgram& program, const WireStep& step, Rows& rows,
                          TileMemory& tile) {
  begin_wire(step, tile.wire);
  const float many = static_cast<float>(step.rows);
  const float mean_weight = (many + 1.0f) * (2.0f * many + 1.0f) / 6.0f;
  const std::size_t words = step.is_mixed() ? 2 : 1;
  for (std::uint32_t left = step.rows; left > 0; --left) {
    // Chunks begin at a multiple of 4 and hold an even number of rows: a pair is never parted.
    need_row(program, rows, tile);
    const std::size_t first = rows.in_chunk() * tile_trials;
    const float i = static_cast<float>(left);
    const float weight = (i * many - 0.5f * i * (i - 1.0f)) / mean_weight;
    walk_row(step, left, weight, tile.words + first, tile.index + first, tile.wire);
    rows.next += words;
  }
  end_wire(step, tile.wire, tile.sums);
}

/// From sums to readings.
HWY_INLINE void pass_line(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  if (const auto* curve = std::get_if<CurveStep>(&program.line)) {
    apply_curve(*curve, tile.sums);
  } else if (const auto* wire = std::get_if<WireStep>(&program.line)) {
    walk_wire(program, *wire, rows, tile);
  } else if (const auto* sharing = std::get_if<SharingStep>(&program.line)) {
    std::fill_n(tile.others, tile_trials, 0.0f);
    add_cells(program, program.grounded, rows, tile, tile.others);
    add_all_scaled(program, program.grounded_scaled, rows, tile, tile.others);
    share_charge(*sharing, tile.sums, tile.others);
  }
}

/// The sums of the 64 trials from `trial` on, in tile.sums, and the row that follows them.
HWY_INLINE Rows sample_tile(const ColumnProgram& program, std::uint64_t trial, TileMemory& tile) {
  std::fill_n(tile.sums, tile_trials, 0.0f);
  begin(program, trial, tile);
  Rows rows;
  rows.total = program.words();
  add_cells(program, program.cells, rows, tile, tile.sums);
  add_all_scaled(program, program.scaled, rows, tile, tile.sums);
  if (!std::holds_alternative<std::monostate>(program.line)) {
    pass_line(program, rows, tile);
    add_all_scaled(program, program.behind_line, rows, tile, tile.sums);
  }
  return rows;
}

/// What the comparators see with one row of noise: sums + sd z.
HWY_INLINE void see(const Decisions& decisions, float sd, std::size_t row, const float* sums,
                    TileMemory& tile) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
    const std::size_t i = row * tile_trials + lane;
    const auto t = kernel::signed_tails(hn::Load(du, tile.words + i));
    const auto z = kernel::line_values(decisions.normal->segments().data(), tile.index + i, t);
    hn::Store(hn::Add(hn::Load(df, sums + lane), hn::Mul(z, hn::Set(df, sd))), df,
              tile.seen + lane);
  }
}

/// One comparator's answer for each trial, counted where it is still asked.
HWY_INLINE void count_above(ConverterKind kind, float reference, TileMemory& tile) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
    const auto above = hn::Ge(hn::Load(df, tile.seen + lane), hn::Set(df, reference));
    auto one = hn::And(hn::BitCast(du, hn::VecFromMask(df, above)), hn::Set(du, 1));
    if (kind != ConverterKind::flash) {
      one = hn::And(one, hn::Load(du, tile.running + lane));
      hn::Store(one, du, tile.running + lane);
    }
    hn::Store(hn::Add(hn::Load(du, tile.buckets + lane), one), du, tile.buckets + lane);
  }
}

/// The comparators of a flash converter or the steps of a ramp in turn. Those that are far from all
/// 64 currents need no noise: a table reaches 6.4 standard deviations.
HWY_INLINE void decide_in_turn(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  const Decisions& decisions = *program.decisions;
  const std::vector<float>& references = decisions.references;
  const auto [least, most] = std::minmax_element(tile.sums, tile.sums + tile_trials);
  const float reach = 7.0f * decisions.sd;
  const auto first = static_cast<std::size_t>(
      std::lower_bound(references.begin(), references.end(), *least - reach) - references.begin());
  const auto end = static_cast<std::size_t>(
      std::upper_bound(references.begin(), references.end(), *most + reach) - references.begin());
  std::fill_n(tile.buckets, tile_trials, static_cast<std::uint32_t>(first));
  std::fill_n(tile.running, tile_trials, 1U);
  rows.next += first;
  for (std::size_t j = first; j < end; ++j) {
    need_row(program, rows, tile);
    see(decisions, decisions.sd, rows.in_chunk(), tile.sums, tile);
    count_above(decisions.kind, references[j], tile);
    ++rows.next;
  }
}

/// Bits from the highest down; codes beyond the last have an infinite reference.
HWY_INLINE void decide_bits(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  const Decisions& decisions = *program.decisions;
  const std::vector<float>& references = decisions.references;
  std::fill_n(tile.buckets, tile_trials, 0U);
  for (std::size_t bit = std::bit_floor(references.size()); bit > 0; bit /= 2) {
    need_row(program, rows, tile);
    see(decisions, decisions.sd, rows.in_chunk(), tile.sums, tile);
    ++rows.next;
    for (std::size_t i = 0; i < tile_trials; ++i) {
      const std::size_t trial = tile.buckets[i] | bit;
      const float reference = trial <= references.size() ? references[trial - 1]
                                                         : std::numeric_limits<float>::infinity();
      if (tile.seen[i] >= reference) tile.buckets[i] = static_cast<std::uint32_t>(trial);
    }
  }
}

/// The converters that the trials make, each with its own draws.
HWY_INLINE void decide_by_circuit(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  const Decisions& decisions = *program.decisions;
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const std::size_t count = decisions.circuit->frozen_draws() + decisions.circuit->fresh_draws();
  tile.draws.resize(count * tile_trials);
  for (std::size_t draw = 0; draw < count; ++draw) {
    need_row(program, rows, tile);
    for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
      const std::size_t i = rows.in_chunk() * tile_trials + lane;
      const auto t = kernel::signed_tails(hn::Load(du, tile.words + i));
      const auto z = kernel::line_values(decisions.normal->segments().data(), tile.index + i, t);
      hn::StoreU(z, df, tile.draws.data() + draw * tile_trials + lane);
    }
    ++rows.next;
  }
  convert_tile(decisions, tile.draws.data(), tile.sums, tile.buckets);
}

/// One comparison with all references at once: the current alone decides.
HWY_INLINE void decide_at_once(const Decisions& decisions, TileMemory& tile) {
  const std::vector<float>& references = decisions.references;
  for (std::size_t i = 0; i < tile_trials; ++i) {
    const auto above = std::upper_bound(references.begin(), references.end(), tile.sums[i]);
    tile.buckets[i] = static_cast<std::uint32_t>(above - references.begin());
  }
}

/// The codes of a tile whose sums are known, in tile.buckets.
HWY_INLINE void decide(const ColumnProgram& program, Rows& rows, TileMemory& tile) {
  const Decisions& decisions = *program.decisions;
  if (decisions.shared_sd > 0.0f) {
    need_row(program, rows, tile);
    see(decisions, decisions.shared_sd, rows.in_chunk(), tile.sums, tile);
    std::copy_n(tile.seen, tile_trials, tile.sums);
    ++rows.next;
  }
  if (decisions.circuit) {
    decide_by_circuit(program, rows, tile);
  } else if (decisions.sd == 0.0f) {
    decide_at_once(decisions, tile);
  } else if (decisions.kind == ConverterKind::sar) {
    decide_bits(program, rows, tile);
  } else {
    decide_in_turn(program, rows, tile);
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

void sample_wires_here(const ColumnProgram& program, TrialRange trials, WireTrial* results) {
  TileMemory tile;
  for (std::uint64_t trial = trials.first; trial < trials.end; trial += tile_trials) {
    sample_tile(program, trial, tile);
    const std::size_t count = std::min<std::uint64_t>(tile_trials, trials.end - trial);
    for (std::size_t i = 0; i < count; ++i) {
      *results++ = {tile.sums[i], tile.wire.plain[i], tile.wire.leaning[i]};
    }
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
    Rows rows = sample_tile(program, trial, tile);
    const std::size_t count = std::min<std::uint64_t>(tile_trials, trials.end - trial);
    if (program.decisions) {
      decide(program, rows, tile);
      for (std::size_t i = 0; i < count; ++i) ++counts[std::size_t{4} * tile.buckets[i] + i % 4];
      continue;
    }
    for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
      const auto offset = hn::Sub(hn::Load(df, tile.sums + lane), low);
      const auto position = hn::Add(hn::Mul(offset, scale), hn::Set(df, 1.0f));
      const auto inside = hn::Min(hn::Max(position, hn::Zero(df)), last);
      hn::Store(hn::BitCast(du, hn::ConvertTo(di, inside)), du, tile.buckets + lane);
    }
    for (std::size_t i = 0; i < count; ++i) {
      ++counts[std::size_t{4} * search.code(tile.sums[i], tile.buckets[i]) + i % 4];
    }
  }
}

void sample_each_code_here(const ColumnProgram& program, const CodeSearch& search,
                           TrialRange trials, std::uint32_t* codes) {
  TileMemory tile;
  for (std::uint64_t trial = trials.first; trial < trials.end; trial += tile_trials) {
    Rows rows = sample_tile(program, trial, tile);
    const std::size_t count = std::min<std::uint64_t>(tile_trials, trials.end - trial);
    if (program.decisions) {
      decide(program, rows, tile);
      codes = std::copy_n(tile.buckets, count, codes);
    } else {
      for (std::size_t i = 0; i < count; ++i) *codes++ = search(tile.sums[i]);
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(sample_sums_here);
HWY_EXPORT(sample_wires_here);
HWY_EXPORT(sample_codes_here);
HWY_EXPORT(sample_each_code_here);

std::uint32_t Decisions::words() const {
  const std::uint32_t shared = shared_sd > 0.0f ? 1 : 0;
  if (circuit) {
    return shared + static_cast<std::uint32_t>(circuit->frozen_draws() + circuit->fresh_draws());
  }
  if (sd == 0.0f) return shared;
  const auto count = static_cast<std::uint32_t>(references.size());
  const auto bits = static_cast<std::uint32_t>(std::bit_width(references.size()));
  return shared + (kind == ConverterKind::sar ? bits : count);
}

void convert_tile(const Decisions& decisions, const float* draws, const float* sums,
                  std::uint32_t* codes) {
  const ConverterCircuit& circuit = *decisions.circuit;
  const std::size_t frozen = circuit.frozen_draws();
  std::vector<double> values;
  for (std::size_t i = 0; i < core::tile_trials; ++i) {
    const NormalDraws own{draws + i, core::tile_trials};
    if (i == 0 || frozen > 0) circuit.freeze(own, values);
    const double current = decisions.mean + decisions.unit * double{sums[i]};
    codes[i] = circuit.code(values, circuit.position(current), own.from(frozen));
  }
}

std::uint32_t ColumnProgram::words() const {
  auto count =
      static_cast<std::uint32_t>(scaled.size() + grounded_scaled.size() + behind_line.size());
  if (decisions) count += decisions->words();
  for (const CellDraws& draws : cells) count += draws.count;
  for (const CellDraws& draws : grounded) count += draws.count;
  if (const auto* wire = std::get_if<WireStep>(&line)) count += wire->words();
  return count;
}

void sample_wires(const ColumnProgram& program, TrialRange trials, std::span<WireTrial> results) {
  assert(std::holds_alternative<WireStep>(program.line));
  assert(trials.first % core::tile_trials == 0);
  assert(results.size() >= trials.end - trials.first);
  HWY_DYNAMIC_DISPATCH(sample_wires_here)(program, trials, results.data());
}

void sample_sums(const ColumnProgram& program, TrialRange trials, std::span<float> sums) {
  assert(trials.first % core::tile_trials == 0);
  assert(sums.size() >= trials.end - trials.first);
  HWY_DYNAMIC_DISPATCH(sample_sums_here)(program, trials, sums.data());
}

void sample_each_code(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                      std::span<std::uint32_t> codes) {
  assert(trials.first % core::tile_trials == 0);
  assert(codes.size() >= trials.end - trials.first);
  HWY_DYNAMIC_DISPATCH(sample_each_code_here)(program, search, trials, codes.data());
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
