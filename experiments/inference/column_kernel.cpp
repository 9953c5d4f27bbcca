#include "experiments/inference/column_kernel.h"

#include <cassert>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/column_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/philox-inl.h"
#include "core/xoshiro-inl.h"

#ifndef CIMSTAT_COLUMN_KERNEL_ONCE
#define CIMSTAT_COLUMN_KERNEL_ONCE
namespace cimstat::experiments {
namespace {

std::array<core::PhiloxKey, 10> round_keys(core::StreamKey key) {
  std::array<core::PhiloxKey, 10> keys;
  core::PhiloxKey round_key = core::key_of(key);
  for (core::PhiloxKey& stored : keys) {
    stored = round_key;
    round_key[0] += core::philox_key_step[0];
    round_key[1] += core::philox_key_step[1];
  }
  return keys;
}

}  // namespace
}  // namespace cimstat::experiments
#endif

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace lanes = core::HWY_NAMESPACE;

// Columns in lanes: 16 for every instruction set, in one, two or four registers.
using Columns = hn::CappedTag<std::uint32_t, group_channels>;
using Words = hn::Vec<Columns>;
inline constexpr std::uint32_t width = hn::MaxLanes(Columns());

// Whether one instruction counts the bits of 32-bit lanes. Else they are counted in bytes, which
// are added up once a tile.
#if HWY_TARGET == HWY_AVX3_DL
inline constexpr bool counts_words = true;
#else
inline constexpr bool counts_words = false;
#endif

/// LRS cells among the active ones in the columns of one vector. `known` is the number of words, 0
/// where it is not known at compile time; `input` holds them, broadcast, where it is.
template <std::uint32_t known>
HWY_INLINE Words lrs_count(const ColumnRead& read, const Words* input,
                           const std::uint32_t* HWY_RESTRICT weights) {
  const Columns d;
  const std::uint32_t words = known == 0 ? read.words : known;
  const auto active_cells = [&](std::uint32_t word) HWY_ATTR {
    const Words active = known == 0 ? hn::Set(d, read.input[word]) : input[word];
    return hn::And(active, hn::Load(d, weights + word * group_channels));
  };
  if constexpr (counts_words) {
    Words sum = hn::PopulationCount(active_cells(0));
    for (std::uint32_t word = 1; word < words; ++word) {
      sum = hn::Add(sum, hn::PopulationCount(active_cells(word)));
    }
    return sum;
  } else {
    const hn::Repartition<std::uint8_t, Columns> d8;
    const auto in_bytes = [&](std::uint32_t word) HWY_ATTR {
      return hn::PopulationCount(hn::BitCast(d8, active_cells(word)));
    };
    if constexpr (known >= 1 && known <= 7) {  // all four bytes of a lane add up to 255 at the most
      auto bytes = in_bytes(0);
      for (std::uint32_t word = 1; word < known; ++word) bytes = hn::Add(bytes, in_bytes(word));
      const Words pairs = hn::Add(hn::BitCast(d, bytes), hn::ShiftRight<8>(hn::BitCast(d, bytes)));
      return hn::And(hn::Add(pairs, hn::ShiftRight<16>(pairs)), hn::Set(d, 0xff));
    } else {
      const Words mask = hn::Set(d, 0x00ff00ff);
      Words pairs = hn::Zero(d);
      for (std::uint32_t first = 0; first < words; first += 31) {  // a byte holds 31 * 8
        const std::uint32_t end = words - first < 31 ? words : first + 31;
        auto bytes = in_bytes(first);
        for (std::uint32_t word = first + 1; word < end; ++word) {
          bytes = hn::Add(bytes, in_bytes(word));
        }
        const Words sum = hn::BitCast(d, bytes);
        pairs = hn::Add(pairs, hn::Add(hn::And(sum, mask), hn::And(hn::ShiftRight<8>(sum), mask)));
      }
      return hn::Add(hn::And(pairs, hn::Set(d, 0xffff)), hn::ShiftRight<16>(pairs));
    }
  }
}

/// What sampling needs beside the read itself.
struct SamplingContext {
  const CodeSampler& sampler;
  const DrawOrigin& origin;
  const std::uint32_t* slots;
};

/// Second draws for the escaped codes among `count` lanes from `first_lane` on.
HWY_NOINLINE void replace_escapes(const SamplingContext& context, const ColumnRead& read,
                                  std::uint32_t vector, std::uint32_t first_lane,
                                  const std::uint32_t* lrs_counts, std::uint32_t* codes) {
  for (std::uint32_t lane = 0; lane < width; ++lane) {
    if (codes[lane] != CodeSampler::escape) continue;
    codes[lane] = context.sampler.escaped_code(
        {lrs_counts[lane], read.active_rows},
        escape_word(context.origin, draw_number(read.first_batch, vector, first_lane + lane)));
  }
}

/// Adds codes of `planes` neighbouring weight planes, the lowest being `vector`, to 2^planes * sum.
template <std::uint32_t known, std::uint32_t planes>
HWY_INLINE Words sample_planes(const SamplingContext& context, const ColumnRead& read,
                               const Words* input, std::uint32_t vector, std::uint32_t first_lane,
                               const std::uint32_t* HWY_RESTRICT random, Words sum,
                               Words top_sign) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  const std::size_t stride = std::size_t{known == 0 ? read.words : known} * group_channels;
  const std::uint32_t* HWY_RESTRICT weights = read.weights + vector * stride + first_lane;
  const unsigned slot_bits = context.sampler.slot_bits();
  const Words slot_mask = hn::Set(d, (1U << slot_bits) - 1);
  const Words byte_mask = hn::Set(d, 0xff);
  Words codes[planes];
#pragma GCC unroll 4
  for (std::uint32_t plane = 0; plane < planes; ++plane) {
    const Words count = lrs_count<known>(read, input, weights + plane * stride);
    const Words word = hn::Load(d, random + (vector + plane) * group_channels + first_lane);
    const Words index =
        hn::Or(hn::ShiftLeftSame(count, static_cast<int>(slot_bits)), hn::And(word, slot_mask));
    const Words slot = hn::GatherIndex(d, context.slots, hn::BitCast(di, index));
    // word >> 16 < threshold, without the shifts: no slot's codes are above 0xffff.
    const auto own = hn::Lt(hn::Or(word, hn::Set(d, 0xffff)), slot);
    codes[plane] = hn::And(hn::IfThenElse(own, slot, hn::ShiftRight<8>(slot)), byte_mask);
  }
  Words largest = codes[0];
  for (std::uint32_t plane = 1; plane < planes; ++plane) {
    largest = hn::Max(largest, codes[plane]);
  }
  if (HWY_UNLIKELY(!hn::AllFalse(d, hn::Eq(largest, byte_mask)))) {
    alignas(64) std::uint32_t counts_of_lanes[group_channels];
    alignas(64) std::uint32_t codes_of_lanes[group_channels];
    for (std::uint32_t plane = 0; plane < planes; ++plane) {
      hn::Store(lrs_count<known>(read, input, weights + plane * stride), d, counts_of_lanes);
      hn::Store(codes[plane], d, codes_of_lanes);
      replace_escapes(context, read, vector + plane, first_lane, counts_of_lanes, codes_of_lanes);
      codes[plane] = hn::Load(d, codes_of_lanes);
    }
  }
  // Horner's scheme, from the top plane down.
  const Words top = hn::Sub(hn::Xor(codes[planes - 1], top_sign), top_sign);
  sum = hn::Add(hn::Add(sum, sum), top);
  for (std::uint32_t plane = planes - 1; plane-- > 0;) {
    sum = hn::Add(hn::Add(sum, sum), codes[plane]);
  }
  return sum;
}

template <std::uint32_t known>
HWY_INLINE void sample_read(const SamplingContext& context, const ColumnRead& read,
                            const ColumnGroups& groups, const std::uint32_t* HWY_RESTRICT random,
                            std::int32_t* HWY_RESTRICT sums) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  Words input[known == 0 ? 1 : known];
  for (std::uint32_t word = 0; word < known; ++word) input[word] = hn::Set(d, read.input[word]);
  const Words sign = hn::Set(d, groups.top_plane_negative ? ~0U : 0U);
  for (std::uint32_t group = 0; group < groups.groups; ++group) {
    for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
      std::uint32_t plane = groups.planes;
      Words sum = hn::Zero(d);
      Words top_sign = sign;
      const auto down = [&](auto count) HWY_ATTR {
        plane -= count.value;
        sum = sample_planes<known, count.value>(context, read, input, group * groups.planes + plane,
                                                lane, random, sum, top_sign);
        top_sign = hn::Zero(d);
      };
      switch (groups.planes % 4) {
        case 1:
          down(std::integral_constant<std::uint32_t, 1>());
          break;
        case 2:
          down(std::integral_constant<std::uint32_t, 2>());
          break;
        case 3:
          down(std::integral_constant<std::uint32_t, 3>());
          break;
        default:
          break;
      }
      while (plane > 0) down(std::integral_constant<std::uint32_t, 4>());
      std::int32_t* HWY_RESTRICT to = sums + group * group_channels + lane;
      const auto shifted = hn::BitCast(di, hn::ShiftLeftSame(sum, static_cast<int>(read.shift)));
      hn::Store(hn::Add(hn::Load(di, to), shifted), di, to);
    }
  }
}

void sample_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                  const CodeSampler& sampler, const DrawOrigin& origin, const std::uint32_t* words,
                  std::int32_t* sums) {
  for (const ColumnRead& read : reads) {
    const SamplingContext context{sampler, origin, sampler.slots(read.active_rows)};
    switch (read.words) {
      case 1:
        sample_read<1>(context, read, groups, words, sums);
        break;
      case 2:
        sample_read<2>(context, read, groups, words, sums);
        break;
      case 3:
        sample_read<3>(context, read, groups, words, sums);
        break;
      case 4:
        sample_read<4>(context, read, groups, words, sums);
        break;
      default:
        sample_read<0>(context, read, groups, words, sums);
        break;
    }
    words += groups.batches() * batch_words;
  }
}

void count_lrs(const ColumnRead& read, std::uint32_t vectors, std::uint32_t* counts) {
  const Columns d;
  const std::size_t stride = std::size_t{read.words} * group_channels;
  for (std::uint32_t vector = 0; vector < vectors; ++vector) {
    for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
      const Words count = lrs_count<0>(read, nullptr, read.weights + vector * stride + lane);
      hn::Store(count, d, counts + vector * group_channels + lane);
    }
  }
}

/// Makes batches for one origin and domain.
struct BatchFiller {
  const DrawOrigin& origin;
  core::Domain domain;
  const std::array<core::PhiloxKey, 10> keys;

  HWY_INLINE void fill(std::uint64_t batch, std::uint32_t* HWY_RESTRICT words) const {
    const lanes::PhiloxLanes d64;
    const hn::Repartition<std::uint32_t, lanes::PhiloxLanes> d32;
    const std::size_t half = hn::Lanes(d64);
    const lanes::PhiloxVector ramp = hn::Iota(d64, 0);
    // The 16 blocks of a batch differ in the lowest bits of the first counter word alone.
    const core::PhiloxCounter counter =
        core::counter_of(origin.key, domain, origin.instance, 16 * batch);
    for (std::size_t first = 0; first < 16; first += 2 * half) {
      lanes::PhiloxState<2> state;
      for (std::size_t chain = 0; chain < 2; ++chain) {
        state.word0[chain] = hn::Add(ramp, hn::Set(d64, counter[0] + first + chain * half));
        state.word1[chain] = hn::Set(d64, counter[1]);
        state.word2[chain] = hn::Set(d64, counter[2]);
        state.word3[chain] = hn::Set(d64, counter[3]);
      }
      lanes::philox_rounds<0>(keys, state);
      const auto pack = [d32](const lanes::PhiloxVector* word) HWY_ATTR {
        return hn::ConcatEven(d32, hn::BitCast(d32, word[1]), hn::BitCast(d32, word[0]));
      };
      hn::Store(pack(state.word0), d32, words + first);
      hn::Store(pack(state.word1), d32, words + 16 + first);
      hn::Store(pack(state.word2), d32, words + 32 + first);
      hn::Store(pack(state.word3), d32, words + 48 + first);
    }
  }
};

void fill_philox(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                 const DrawOrigin& origin, core::Domain domain, std::uint32_t* words) {
  const BatchFiller filler{origin, domain, round_keys(origin.key)};
  for (const ColumnRead& read : reads) {
    for (std::uint32_t batch = 0; batch < groups.batches(); ++batch, words += batch_words) {
      filler.fill(read.first_batch + batch, words);
    }
  }
}

void fill_batches(const DrawOrigin& origin, core::Domain domain, std::uint64_t first_batch,
                  std::uint32_t batches, std::uint32_t* words) {
  const BatchFiller filler{origin, domain, round_keys(origin.key)};
  for (std::uint32_t batch = 0; batch < batches; ++batch, words += batch_words) {
    filler.fill(first_batch + batch, words);
  }
}

void begin_fast(const DrawOrigin& origin, std::uint64_t address, std::uint32_t* state) {
  lanes::FastTile tile;
  lanes::begin_tile(origin.key, 16 * address, origin.instance, tile);
  std::memcpy(state, tile.state, sizeof tile.state);
}

void fill_fast(std::uint32_t* state, std::size_t rows, std::uint32_t* words) {
  lanes::FastTile tile;
  std::memcpy(tile.state, state, sizeof tile.state);
  lanes::fill_words(tile, rows, words);
  std::memcpy(state, tile.state, sizeof tile.state);
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(count_lrs);
HWY_EXPORT(sample_codes);
HWY_EXPORT(fill_philox);
HWY_EXPORT(fill_batches);
HWY_EXPORT(begin_fast);
HWY_EXPORT(fill_fast);

std::uint64_t escape_word(const DrawOrigin& origin, std::uint64_t draw) {
  const core::PhiloxCounter words = core::philox4x32(
      core::counter_of(origin.key, core::Domain::code_escape, origin.instance, draw),
      core::key_of(origin.key));
  return std::uint64_t{words[1]} << 32 | words[0];
}

void count_lrs(const ColumnRead& read, const ColumnGroups& groups,
               std::span<std::uint32_t> counts) {
  assert(counts.size() == std::size_t{groups.vectors()} * group_channels);
  HWY_DYNAMIC_DISPATCH(count_lrs)(read, groups.vectors(), counts.data());
}

void sample_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                  const CodeSampler& sampler, const DrawOrigin& origin,
                  std::span<const std::uint32_t> words, std::span<std::int32_t> sums) {
  assert(words.size() >= reads.size() * groups.batches() * batch_words);
  assert(sums.size() == std::size_t{groups.groups} * group_channels);
  HWY_DYNAMIC_DISPATCH(sample_codes)(reads, groups, sampler, origin, words.data(), sums.data());
}

void fill_philox(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                 const DrawOrigin& origin, core::Domain domain, std::span<std::uint32_t> words) {
  assert(words.size() >= reads.size() * groups.batches() * batch_words);
  HWY_DYNAMIC_DISPATCH(fill_philox)(reads, groups, origin, domain, words.data());
}

void fill_batches(const DrawOrigin& origin, core::Domain domain, std::uint64_t first_batch,
                  std::uint32_t batches, std::span<std::uint32_t> words) {
  assert(words.size() >= batches * batch_words);
  HWY_DYNAMIC_DISPATCH(fill_batches)(origin, domain, first_batch, batches, words.data());
}

FastStream::FastStream(const DrawOrigin& origin, std::uint64_t address) {
  HWY_DYNAMIC_DISPATCH(begin_fast)(origin, address, state_.data());
}

void FastStream::fill(std::span<std::uint32_t> words) {
  assert(words.size() % batch_words == 0);
  HWY_DYNAMIC_DISPATCH(fill_fast)(state_.data(), words.size() / batch_words, words.data());
}

}  // namespace cimstat::experiments
#endif
