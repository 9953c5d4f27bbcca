#include "circuits/columns/pool_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuits/columns/pool_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"
#include "core/random/philox-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::circuits::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace kernel = core::HWY_NAMESPACE;
using Lanes = hn::CappedTag<float, 16>;

/// Random words are made this many rows at a time, then used.
constexpr std::size_t chunk_rows = 32;
constexpr std::size_t entries = row_states * row_states * row_states;
static_assert(rows_of_a_table == 3);

struct alignas(64) WordChunk {
  std::uint32_t words[chunk_rows * tile_columns];
  std::uint32_t index[chunk_rows * tile_columns];
};

HWY_INLINE void fill_chunk(const core::BlockSchedule& schedule, const kernel::PhiloxTile& tile,
                           std::size_t row, std::size_t rows, WordChunk& chunk) {
  kernel::fill_words(schedule, tile, row / 4, (rows + 3) / 4, chunk.words);
  kernel::store_segment_indices(chunk.words, rows * tile_columns, chunk.index);
}

void draw_plane_here(const PlaneDraws& draws, std::uint64_t first_column, TileRow* values) {
  kernel::PhiloxTile tile;
  WordChunk chunk;
  kernel::begin_tile(draws.schedule, first_column, tile);
  for (std::size_t first = 0; first < draws.rows; first += chunk_rows) {
    const std::size_t rows = std::min(chunk_rows, draws.rows - first);
    fill_chunk(draws.schedule, tile, first, rows, chunk);
    for (std::size_t row = 0; row < rows; ++row) {
      float* HWY_RESTRICT to = values[first + row].data();
      std::fill_n(to, tile_columns, 0.0f);
      kernel::add_quantiles(*draws.table, chunk.words + row * tile_columns,
                            chunk.index + row * tile_columns, 1, to);
    }
  }
}

void square_plane_here(float factor, float mean, std::span<TileRow> values) {
  const Lanes df;
  const auto factors = hn::Set(df, factor);
  const auto means = hn::Set(df, mean);
  for (TileRow& row : values) {
    for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
      const auto value = hn::Mul(factors, hn::Add(hn::Load(df, row.data() + lane), means));
      hn::Store(hn::Mul(value, value), df, row.data() + lane);
    }
  }
}

/// The sums of each choice of states of three rows, [entry][column].
HWY_INLINE void fill_table(const StateRows& values, std::size_t row, float* HWY_RESTRICT table) {
  const Lanes df;
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
    float* to = table + lane;
    for (std::size_t third = 0; third < row_states; ++third) {
      const auto value2 = hn::Load(df, values[third][row + 2].data() + lane);
      for (std::size_t second = 0; second < row_states; ++second) {
        const auto value1 = hn::Load(df, values[second][row + 1].data() + lane);
        for (std::size_t first = 0; first < row_states; ++first, to += tile_columns) {
          const auto value0 = hn::Load(df, values[first][row].data() + lane);
          hn::Store(hn::Add(hn::Add(value0, value1), value2), df, to);
        }
      }
    }
  }
}

void add_rows_here(const RowChoices& choices, const StateRows& values, std::span<TileRow> sums) {
  constexpr std::size_t table_size = entries * tile_columns;
  struct alignas(64) Tables {
    float entry[tables_of_a_block * table_size];
  } tables;
  const Lanes df;
  const std::uint8_t* entry_of = choices.entries.data();
  for (std::size_t block = 0; block < choices.blocks; ++block) {
    for (std::size_t t = 0; t < tables_of_a_block; ++t) {
      fill_table(values, block * rows_of_a_block + t * rows_of_a_table,
                 tables.entry + t * table_size);
    }
    for (TileRow& row : sums) {
      float* HWY_RESTRICT sum = row.data();
      const float* from[tables_of_a_block];
      for (std::size_t t = 0; t < tables_of_a_block; ++t) {
        from[t] = tables.entry + t * table_size + entry_of[t] * tile_columns;
      }
      // Four registers side by side: one alone would wait for its own additions.
      for (std::size_t lane = 0; lane < tile_columns; lane += 4 * hn::Lanes(df)) {
        const std::size_t lanes = hn::Lanes(df);
        auto total0 = hn::Load(df, sum + lane);
        auto total1 = hn::Load(df, sum + lane + lanes);
        auto total2 = hn::Load(df, sum + lane + 2 * lanes);
        auto total3 = hn::Load(df, sum + lane + 3 * lanes);
#pragma GCC unroll 4
        for (std::size_t t = 0; t < tables_of_a_block; ++t) {
          const float* HWY_RESTRICT entry = from[t] + lane;
          total0 = hn::Add(total0, hn::Load(df, entry));
          total1 = hn::Add(total1, hn::Load(df, entry + lanes));
          total2 = hn::Add(total2, hn::Load(df, entry + 2 * lanes));
          total3 = hn::Add(total3, hn::Load(df, entry + 3 * lanes));
        }
        hn::Store(total0, df, sum + lane);
        hn::Store(total1, df, sum + lane + lanes);
        hn::Store(total2, df, sum + lane + 2 * lanes);
        hn::Store(total3, df, sum + lane + 3 * lanes);
      }
      entry_of += tables_of_a_block;
    }
  }
}

/// What the reads of one pattern share.
struct PatternColumns {
  TileRow center;       ///< deviation + offset
  TileRow normal_sd;    ///< of the normal draw
  TileRow logistic_sd;  ///< of the logistic draw
};

HWY_INLINE void prepare(const PatternRead& read, const TileColumns& frozen, const float* sums,
                        const float* variances, bool is_logistic, PatternColumns& columns) {
  const Lanes df;
  const auto mean = hn::Set(df, read.mean);
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
    const auto gain = hn::Load(df, frozen.gain.data() + lane);
    const auto common = hn::Mul(hn::Sub(gain, hn::Set(df, 1.0f)), mean);
    const auto deviation = hn::Add(hn::Mul(gain, hn::Load(df, sums + lane)), common);
    const auto slope = hn::Mul(hn::Set(df, read.noise_slope), deviation);
    const auto sense = hn::Max(hn::Zero(df), hn::Add(hn::Set(df, read.noise_variance), slope));
    auto cells = hn::Zero(df);
    if (variances != nullptr) {
      cells = hn::Mul(hn::Mul(gain, gain), hn::Load(df, variances + lane));
    }
    const auto normal = is_logistic ? cells : hn::Add(cells, sense);
    hn::Store(hn::Add(deviation, hn::Load(df, frozen.offset.data() + lane)), df,
              columns.center.data() + lane);
    hn::Store(hn::Sqrt(normal), df, columns.normal_sd.data() + lane);
    hn::Store(hn::Sqrt(sense), df, columns.logistic_sd.data() + lane);
  }
}

/// sensed += sd * draw, for one row of words.
HWY_INLINE void add_noise(const core::QuantileTable& table, const WordChunk& chunk, std::size_t row,
                          const float* HWY_RESTRICT sd, float* HWY_RESTRICT sensed) {
  const kernel::QuantileLanes df;
  const kernel::QuantileWords du;
  const std::uint32_t* HWY_RESTRICT words = chunk.words + row * tile_columns;
  const std::uint32_t* HWY_RESTRICT index = chunk.index + row * tile_columns;
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
    const auto t = kernel::signed_tails(hn::Load(du, words + lane));
    const auto z = kernel::line_values(table.segments().data(), index + lane, t);
    const auto noise = hn::Mul(z, hn::Load(df, sd + lane));
    hn::Store(hn::Add(hn::Load(df, sensed + lane), noise), df, sensed + lane);
  }
}

struct alignas(64) SensedTile {
  float current[tile_columns];
  std::uint32_t bucket[tile_columns];
};

/// Counts the codes of one read; into four histograms in turn, so that a code that comes twice in a
/// row does not wait for itself.
HWY_INLINE void count_codes(const ClassLadder& ladder, std::size_t columns, SensedTile& sensed,
                            std::uint32_t* HWY_RESTRICT codes, float* HWY_RESTRICT right) {
  const Lanes df;
  const hn::RebindToUnsigned<Lanes> du;
  const hn::RebindToSigned<Lanes> di;
  const auto low = hn::Set(df, ladder.search.low());
  const auto scale = hn::Set(df, ladder.search.scale());
  const auto last = hn::Set(df, ladder.search.last());
  const auto right_from = hn::Set(df, ladder.right_from);
  const auto right_below = hn::Set(df, ladder.right_below);
  for (std::size_t lane = 0; lane < tile_columns; lane += hn::Lanes(df)) {
    const auto current = hn::Load(df, sensed.current + lane);
    const auto is_right = hn::And(hn::Ge(current, right_from), hn::Lt(current, right_below));
    const auto one = hn::IfThenElseZero(is_right, hn::Set(df, 1.0f));
    hn::Store(hn::Add(hn::Load(df, right + lane), one), df, right + lane);
    const auto offset = hn::Sub(current, low);
    const auto position = hn::Add(hn::Mul(offset, scale), hn::Set(df, 1.0f));
    const auto inside = hn::Min(hn::Max(position, hn::Zero(df)), last);
    hn::Store(hn::BitCast(du, hn::ConvertTo(di, inside)), du, sensed.bucket + lane);
  }
  for (std::size_t i = 0; i < columns; ++i) {
    const std::uint32_t code = ladder.search.code(sensed.current[i], sensed.bucket[i]);
    ++codes[std::size_t{4} * code + i % 4];
  }
}

void read_tile_here(const FreshDraws& draws, const TileReads& reads, const TileColumns& frozen,
                    std::uint64_t first_column, std::size_t columns, TileCounts& counts) {
  kernel::PhiloxTile tile;
  WordChunk chunk;
  PatternColumns pattern_columns;
  SensedTile sensed;
  const std::size_t words = draws.words();
  std::size_t words_left = reads.patterns.size() * draws.reads * words;
  std::size_t next_row = 0;  // of the schedule
  std::size_t row = 0;       // of the chunk
  std::size_t rows = 0;
  if (words > 0) kernel::begin_tile(draws.schedule, first_column, tile);
  const auto take_row = [&]() HWY_ATTR {
    if (row == rows) {
      rows = std::min(words_left, chunk_rows);
      fill_chunk(draws.schedule, tile, next_row, rows, chunk);
      next_row += rows;
      words_left -= rows;
      row = 0;
    }
    return row++;
  };
  for (std::size_t p = 0; p < reads.patterns.size(); ++p) {
    const PatternRead& pattern = reads.patterns[p];
    prepare(pattern, frozen, reads.sums[p].data(),
            reads.variances.empty() ? nullptr : reads.variances[p].data(),
            draws.logistic != nullptr, pattern_columns);
    std::uint32_t* codes = counts.code.data() + 4 * counts.codes * pattern.class_index;
    float* right = counts.right[pattern.class_index].data();
    for (std::uint32_t read = 0; read < draws.reads; ++read) {
      std::copy_n(pattern_columns.center.data(), tile_columns, sensed.current);
      if (draws.normal != nullptr) {
        add_noise(*draws.normal, chunk, take_row(), pattern_columns.normal_sd.data(),
                  sensed.current);
      }
      if (draws.logistic != nullptr) {
        add_noise(*draws.logistic, chunk, take_row(), pattern_columns.logistic_sd.data(),
                  sensed.current);
      }
      count_codes(reads.ladders[pattern.class_index], columns, sensed, codes, right);
    }
  }
}

}  // namespace cimstat::circuits::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::circuits {

HWY_EXPORT(draw_plane_here);
HWY_EXPORT(square_plane_here);
HWY_EXPORT(add_rows_here);
HWY_EXPORT(read_tile_here);

void draw_plane(const PlaneDraws& draws, std::uint64_t first_column, std::span<TileRow> values) {
  assert(first_column % tile_columns == 0);
  assert(values.size() >= draws.rows);
  HWY_DYNAMIC_DISPATCH(draw_plane_here)(draws, first_column, values.data());
}

void square_plane(float factor, float mean, std::span<TileRow> values) {
  HWY_DYNAMIC_DISPATCH(square_plane_here)(factor, mean, values);
}

void add_rows(const RowChoices& choices, const StateRows& values, std::span<TileRow> sums) {
  assert(choices.entries.size() == choices.blocks * sums.size() * tables_of_a_block);
  for ([[maybe_unused]] const std::vector<TileRow>& rows : values) {
    assert(rows.size() >= choices.blocks * rows_of_a_block);
  }
  HWY_DYNAMIC_DISPATCH(add_rows_here)(choices, values, sums);
}

void read_tile(const FreshDraws& draws, const TileReads& reads, const TileColumns& frozen,
               std::uint64_t first_column, std::size_t columns, TileCounts& counts) {
  assert(first_column % tile_columns == 0);
  HWY_DYNAMIC_DISPATCH(read_tile_here)(draws, reads, frozen, first_column, columns, counts);
}

}  // namespace cimstat::circuits
#endif
