#include "experiments/inference/chip_kernel.h"

#include <algorithm>
#include <cassert>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/chip_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/law/quantile_table-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace lanes = core::HWY_NAMESPACE;

// 16 columns for every instruction set, in one, two or four registers.
using Columns = hn::CappedTag<float, group_channels>;
using Floats = hn::Vec<Columns>;
using Integers = hn::RebindToSigned<Columns>;
inline constexpr std::size_t width = hn::MaxLanes(Columns());
inline constexpr std::uint32_t tables_of_a_word = 32 / rows_of_a_choice;

void build_choices(const float* HWY_RESTRICT values, std::size_t tables, float* HWY_RESTRICT to) {
  const Columns d;
  for (std::size_t table = 0; table < tables; ++table) {
    for (std::size_t lane = 0; lane < group_channels; lane += width) {
      float* HWY_RESTRICT entries = to + table * choice_table + lane;
      hn::Store(hn::Zero(d), d, entries);
      for (std::size_t row = 0; row < rows_of_a_choice; ++row) {
        const Floats value =
            hn::Load(d, values + (table * rows_of_a_choice + row) * group_channels + lane);
        for (std::size_t choice = 0; choice < std::size_t{1} << row; ++choice) {
          const Floats without = hn::Load(d, entries + choice * group_channels);
          hn::Store(hn::Add(without, value), d,
                    entries + (choice + (std::size_t{1} << row)) * group_channels);
        }
      }
    }
  }
}

/// What `tables` tables (8 or fewer) add for one word of an input.
template <std::uint32_t known>
HWY_INLINE Floats word_sum(const float* HWY_RESTRICT tables, std::uint32_t count,
                           std::uint32_t word) {
  const Columns d;
  const std::uint32_t end = known == 0 ? count : known;
  Floats sum = hn::Load(d, tables + (word & 15U) * group_channels);
#pragma GCC unroll 8
  for (std::uint32_t table = 1; table < end; ++table) {
    const std::size_t choice = word >> (rows_of_a_choice * table) & 15U;
    sum = hn::Add(sum, hn::Load(d, tables + table * choice_table + choice * group_channels));
  }
  return sum;
}

/// What the active rows of one read add, for the columns from `tables`' lane on.
HWY_INLINE Floats choice_sum(const std::uint32_t* HWY_RESTRICT input,
                             const float* HWY_RESTRICT tables, std::uint32_t count) {
  const std::uint32_t words = count / tables_of_a_word;
  const std::uint32_t rest = count % tables_of_a_word;
  constexpr std::size_t word_tables = tables_of_a_word * choice_table;
  if (words == 0) return word_sum<0>(tables, rest, input[0]);
  Floats sum = word_sum<tables_of_a_word>(tables, tables_of_a_word, input[0]);
  for (std::uint32_t word = 1; word < words; ++word) {
    sum = hn::Add(sum, word_sum<tables_of_a_word>(tables + word * word_tables, tables_of_a_word,
                                                  input[word]));
  }
  if (rest > 0) {
    sum = hn::Add(sum, word_sum<0>(tables + words * word_tables, rest, input[words]));
  }
  return sum;
}

void sum_choices(std::span<const ChipRead> reads, std::span<const float> tables,
                 const float* HWY_RESTRICT base, float* HWY_RESTRICT sums) {
  const Columns d;
  const auto count = static_cast<std::uint32_t>(tables.size() / choice_table);
  for (std::size_t lane = 0; lane < group_channels; lane += width) {
    const Floats start = hn::Load(d, base + lane);
    for (const ChipRead& read : reads) {
      const Floats sum = choice_sum(read.input, tables.data() + lane, count);
      hn::Store(hn::Add(start, sum), d, sums + read.position * group_channels + lane);
    }
  }
}

void draw_deviates(const core::QuantileTable& table, std::span<const std::uint32_t> words,
                   std::uint32_t* HWY_RESTRICT index, float* HWY_RESTRICT deviates) {
  const lanes::QuantileLanes df;
  const lanes::QuantileWords du;
  lanes::store_segment_indices(words.data(), words.size(), index);
  for (std::size_t i = 0; i < words.size(); i += hn::Lanes(df)) {
    const auto t = lanes::signed_tails(hn::Load(du, words.data() + i));
    hn::Store(lanes::line_values(table.segments().data(), index + i, t), df, deviates + i);
  }
}

/// Which draws there are is settled outside of the loop over the reads.
template <bool normal_draw, bool logistic_draw, bool constant_sd>
HWY_INLINE void sense_all(const ChipVector& vector, float* HWY_RESTRICT currents) {
  const Columns d;
  const ChipNoise& noise = vector.noise;
  const auto tables = static_cast<std::uint32_t>(vector.tables.size() / choice_table);
  const Floats variance = hn::Set(d, noise.variance);
  const Floats slope = hn::Set(d, noise.slope);
  const Floats sd = hn::Sqrt(variance);
  for (std::size_t lane = 0; lane < group_channels; lane += width) {
    const Floats idle = hn::Load(d, vector.idle + lane);
    const Floats offset = hn::Load(d, vector.offset + lane);
    for (const ChipRead& read : vector.reads) {
      const std::size_t at = read.position * group_channels + lane;
      const Floats sum = choice_sum(read.input, vector.tables.data() + lane, tables);
      const Floats current = hn::Add(idle, sum);
      Floats sensed = hn::Add(current, offset);
      if constexpr (constant_sd) {
        sensed = hn::Add(sensed, hn::Mul(hn::Load(d, vector.normal.data() + at), sd));
      } else {
        const Floats sense = hn::Max(hn::Zero(d), hn::Add(variance, hn::Mul(slope, current)));
        Floats of_normal = hn::Zero(d);
        if constexpr (!logistic_draw) of_normal = sense;
        if (noise.has_cells) {
          // What is left of rows that add nothing may lie below 0 by rounding.
          const Floats cells = hn::Load(d, vector.variances.data() + at);
          of_normal = hn::Add(of_normal, hn::Max(hn::Zero(d), cells));
        }
        if constexpr (normal_draw) {
          sensed =
              hn::Add(sensed, hn::Mul(hn::Load(d, vector.normal.data() + at), hn::Sqrt(of_normal)));
        }
        if constexpr (logistic_draw) {
          sensed =
              hn::Add(sensed, hn::Mul(hn::Load(d, vector.logistic.data() + at), hn::Sqrt(sense)));
        }
      }
      hn::Store(sensed, d, currents + at);
    }
  }
}

void sense_currents(const ChipVector& vector, float* currents) {
  const ChipNoise& noise = vector.noise;
  if (noise.has_logistic()) {
    if (noise.has_cells) return sense_all<true, true, false>(vector, currents);
    return sense_all<false, true, false>(vector, currents);
  }
  if (!noise.has_normal()) return sense_all<false, false, false>(vector, currents);
  if (noise.has_cells || noise.slope != 0.0f) {
    return sense_all<true, false, false>(vector, currents);
  }
  sense_all<true, false, true>(vector, currents);
}

/// += or -= codes << shift.
HWY_INLINE void add_to_sums(hn::Vec<Integers> codes, const ChipRead& read, const ChipSums& to,
                            std::size_t lane) {
  const Integers di;
  const auto sign = hn::Set(di, to.negative ? -1 : 0);
  std::int32_t* HWY_RESTRICT sums = to.sums + read.pixel * to.stride + lane;
  const auto shifted = hn::ShiftLeftSame(codes, static_cast<int>(to.plane + read.shift));
  const auto signed_codes = hn::Sub(hn::Xor(shifted, sign), sign);
  hn::Store(hn::Add(hn::Load(di, sums), signed_codes), di, sums);
}

void add_even_codes(std::span<const ChipRead> reads, std::span<const ChipLadder> ladders,
                    const float* HWY_RESTRICT currents, const ChipSums& to) {
  const Columns d;
  const Integers di;
  const bool follows = ladders.size() > 1;
  for (const ChipRead& read : reads) {
    const ChipLadder& ladder = ladders[follows ? read.active_rows : 0];
    const Floats low = hn::Set(d, ladder.low);
    const Floats scale = hn::Set(d, ladder.scale);
    const Floats last = hn::Set(d, ladder.last);
    for (std::size_t lane = 0; lane < group_channels; lane += width) {
      const Floats current = hn::Load(d, currents + read.position * group_channels + lane);
      const Floats place = hn::Add(hn::Mul(hn::Sub(current, low), scale), hn::Set(d, 1.0f));
      const Floats code = hn::Min(hn::Max(place, hn::Zero(d)), last);
      add_to_sums(hn::ConvertTo(di, code), read, to, lane);
    }
  }
}

void add_chip_codes(std::span<const ChipRead> reads, const std::uint32_t* HWY_RESTRICT codes,
                    const ChipSums& to) {
  const Integers di;
  const hn::RebindToUnsigned<Columns> du;
  for (const ChipRead& read : reads) {
    for (std::size_t lane = 0; lane < group_channels; lane += width) {
      const auto code = hn::Load(du, codes + read.position * group_channels + lane);
      add_to_sums(hn::BitCast(di, code), read, to, lane);
    }
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(build_choices);
HWY_EXPORT(sum_choices);
HWY_EXPORT(draw_deviates);
HWY_EXPORT(sense_currents);
HWY_EXPORT(add_even_codes);
HWY_EXPORT(add_chip_codes);

void build_choices(std::span<const float> values, std::span<float> tables) {
  const std::size_t count = values.size() / (rows_of_a_choice * group_channels);
  assert(tables.size() >= count * choice_table);
  HWY_DYNAMIC_DISPATCH(build_choices)(values.data(), count, tables.data());
}

void sum_choices(std::span<const ChipRead> reads, std::span<const float> tables, const float* base,
                 std::span<float> sums) {
  HWY_DYNAMIC_DISPATCH(sum_choices)(reads, tables, base, sums.data());
}

void draw_deviates(const core::QuantileTable& table, std::span<const std::uint32_t> words,
                   std::span<std::uint32_t> index, std::span<float> deviates) {
  assert(words.size() % core::tile_trials == 0 && index.size() >= words.size());
  HWY_DYNAMIC_DISPATCH(draw_deviates)(table, words, index.data(), deviates.data());
}

void sense_currents(const ChipVector& vector, std::span<float> currents) {
  HWY_DYNAMIC_DISPATCH(sense_currents)(vector, currents.data());
}

void add_even_codes(std::span<const ChipRead> reads, std::span<const ChipLadder> ladders,
                    std::span<const float> currents, const ChipSums& to) {
  HWY_DYNAMIC_DISPATCH(add_even_codes)(reads, ladders, currents.data(), to);
}

void add_chip_codes(std::span<const ChipRead> reads, std::span<const std::uint32_t> codes,
                    const ChipSums& to) {
  HWY_DYNAMIC_DISPATCH(add_chip_codes)(reads, codes.data(), to);
}

}  // namespace cimstat::experiments
#endif
