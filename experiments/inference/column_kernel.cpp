#include "experiments/inference/column_kernel.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/column_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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

/// Calls visit(vector, first lane, LRS counts) for all columns of a read.
template <std::uint32_t known, class Visit>
HWY_INLINE void visit_counts(const ColumnRead& read, std::uint32_t vectors, const Visit& visit) {
  const Columns d;
  Words input[known == 0 ? 1 : known];
  for (std::uint32_t word = 0; word < known; ++word) input[word] = hn::Set(d, read.input[word]);
  const std::size_t stride = std::size_t{known == 0 ? read.words : known} * group_channels;
  const std::uint32_t* HWY_RESTRICT weights = read.weights;
  for (std::uint32_t vector = 0; vector < vectors; ++vector, weights += stride) {
    for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
      visit(vector, lane, lrs_count<known>(read, input, weights + lane));
    }
  }
}

template <class Visit>
HWY_INLINE void visit_all_counts(const ColumnRead& read, std::uint32_t vectors,
                                 const Visit& visit) {
  switch (read.words) {
    case 1:
      return visit_counts<1>(read, vectors, visit);
    case 2:
      return visit_counts<2>(read, vectors, visit);
    case 3:
      return visit_counts<3>(read, vectors, visit);
    case 4:
      return visit_counts<4>(read, vectors, visit);
    default:
      return visit_counts<0>(read, vectors, visit);
  }
}

void count_lrs(const ColumnRead& read, std::uint32_t vectors, std::uint32_t* counts) {
  const Columns d;
  visit_all_counts(read, vectors,
                   [=](std::uint32_t vector, std::uint32_t lane, Words count)
                       HWY_ATTR { hn::Store(count, d, counts + vector * group_channels + lane); });
}

/// Adds 2^bit times the LRS counts.
void add_lrs(const ColumnRead& read, std::uint32_t vectors, std::uint32_t bit,
             std::uint32_t* counts) {
  const Columns d;
  const int shift = static_cast<int>(bit);
  visit_all_counts(read, vectors,
                   [=](std::uint32_t vector, std::uint32_t lane, Words count) HWY_ATTR {
                     std::uint32_t* to = counts + vector * group_channels + lane;
                     hn::Store(hn::Add(hn::Load(d, to), hn::ShiftLeftSame(count, shift)), d, to);
                   });
}

/// Which slot each word of `vectors` neighbouring vectors picks.
HWY_INLINE void find_slots(const ColumnRead& read, std::uint32_t vectors,
                           const CodeSampler& sampler, const std::uint32_t* words,
                           std::uint32_t* slots) {
  const Columns d;
  const int slot_bits = static_cast<int>(sampler.slot_bits());
  const Words slot_mask = hn::Set(d, (1U << slot_bits) - 1);
  const Words first = hn::Set(d, sampler.first_slot(read.active_rows));
  visit_all_counts(
      read, vectors, [=](std::uint32_t vector, std::uint32_t lane, Words count) HWY_ATTR {
        const std::size_t i = vector * group_channels + lane;
        const Words of_class = hn::Add(hn::ShiftLeftSame(count, slot_bits), first);
        hn::Store(hn::Add(of_class, hn::And(hn::Load(d, words + i), slot_mask)), d, slots + i);
      });
}

/// The same where not all planes of a group count.
HWY_NOINLINE void find_plane_slots(const ColumnRead& read, const ColumnGroups& groups,
                                   const CodeSampler& sampler, const std::uint32_t* words,
                                   std::uint32_t* slots) {
  const std::size_t stride = std::size_t{read.words} * group_channels;
  for (std::uint32_t group = 0; group < groups.groups; ++group) {
    const std::size_t first = std::size_t{group} * groups.planes + read.planes.begin;
    ColumnRead part = read;
    part.weights += first * stride;
    find_slots(part, read.planes.size(), sampler, words + first * group_channels,
               slots + first * group_channels);
  }
}

/// Which slot each word picks; 0 in planes that don't count.
void find_all_slots(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                    const CodeSampler& sampler, const std::uint32_t* words, std::uint32_t* slots) {
  const std::size_t size = groups.batches() * batch_words;
  for (const ColumnRead& read : reads) {
    const bool whole = read.planes.size() == groups.planes;
    std::fill(slots + (whole ? groups.vectors() * group_channels : 0), slots + size, 0U);
    if (whole) {
      find_slots(read, groups.vectors(), sampler, words, slots);
    } else {
      find_plane_slots(read, groups, sampler, words, slots);
    }
    words += size;
    slots += size;
  }
}

/// Replaces the numbers of slots by the slots. Plain loads, a few hundred instructions behind the
/// stores of their addresses: gather instructions are no faster, and several times slower on
/// processors with the mitigation against Downfall.
void look_up(const std::uint32_t* HWY_RESTRICT table, std::size_t batches,
             std::uint32_t* HWY_RESTRICT slots) {
  const hn::CappedTag<std::uint32_t, 4> d4;
  for (std::uint32_t* end = slots + batches * batch_words; slots != end; slots += 4) {
    std::uint64_t pair[2];
    std::memcpy(pair, slots, sizeof pair);
    auto four = hn::Set(d4, table[pair[0] & 0xffffffffU]);
    four = hn::InsertLane(four, 1, table[pair[0] >> 32]);
    four = hn::InsertLane(four, 2, table[pair[1] & 0xffffffffU]);
    four = hn::InsertLane(four, 3, table[pair[1] >> 32]);
    hn::Store(four, d4, slots);
  }
}

/// What second draws need.
struct EscapeContext {
  const CodeSampler& sampler;
  const DrawOrigin& origin;
  const ColumnRead& read;
};

/// Second draws for the escaped codes among the lanes from `first_lane` on.
HWY_NOINLINE Words replace_escapes(const EscapeContext& context, std::uint32_t vector,
                                   std::uint32_t first_lane, Words codes) {
  const Columns d;
  const ColumnRead& read = context.read;
  alignas(64) std::uint32_t counts[group_channels];
  alignas(64) std::uint32_t result[group_channels];
  const std::uint32_t* weights =
      read.weights + std::size_t{vector} * read.words * group_channels + first_lane;
  hn::Store(lrs_count<0>(read, nullptr, weights), d, counts);
  hn::Store(codes, d, result);
  for (std::uint32_t lane = 0; lane < width; ++lane) {
    if (result[lane] != CodeSampler::escape) continue;
    const std::uint64_t draw = draw_number(read.first_batch, vector, first_lane + lane);
    result[lane] = context.sampler.escaped_code({counts[lane], read.active_rows},
                                                escape_word(context.origin, draw));
  }
  return hn::Load(d, result);
}

/// 2^planes * sum and the codes of `planes` neighbouring weight planes, the lowest being `vector`.
template <std::uint32_t planes>
HWY_INLINE Words add_planes(const EscapeContext& context, std::uint32_t vector,
                            std::uint32_t first_lane, const std::uint32_t* HWY_RESTRICT words,
                            const std::uint32_t* HWY_RESTRICT slots, Words sum, Words top_sign) {
  const Columns d;
  const Words byte_mask = hn::Set(d, 0xff);
  Words codes[planes];
  Words largest = hn::Zero(d);
#pragma GCC unroll 4
  for (std::uint32_t plane = 0; plane < planes; ++plane) {
    const std::size_t i = (vector + plane) * group_channels + first_lane;
    const Words slot = hn::Load(d, slots + i);
    // word >> 16 < threshold, without the shifts: no slot's codes are above 0xffff.
    const auto own = hn::Lt(hn::Or(hn::Load(d, words + i), hn::Set(d, 0xffff)), slot);
    codes[plane] = hn::And(hn::IfThenElse(own, slot, hn::ShiftRight<8>(slot)), byte_mask);
    largest = hn::Max(largest, codes[plane]);
  }
  if (HWY_UNLIKELY(!hn::AllFalse(d, hn::Eq(largest, byte_mask)))) {
    for (std::uint32_t plane = 0; plane < planes; ++plane) {
      codes[plane] = replace_escapes(context, vector + plane, first_lane, codes[plane]);
    }
  }
  // Horner's scheme, from the top plane down.
  sum = hn::Add(hn::Add(sum, sum), hn::Sub(hn::Xor(codes[planes - 1], top_sign), top_sign));
  for (std::uint32_t plane = planes - 1; plane-- > 0;) {
    sum = hn::Add(hn::Add(sum, sum), codes[plane]);
  }
  return sum;
}

/// Codes from slots, shifted and added.
void add_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
               const CodeSampler& sampler, const DrawOrigin& origin, const std::uint32_t* words,
               const std::uint32_t* slots, std::int32_t* sums) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  const Words sign = hn::Set(d, groups.top_plane_negative ? ~0U : 0U);
  for (const ColumnRead& read : reads) {
    const EscapeContext context{sampler, origin, read};
    const std::uint32_t planes = read.planes.size();
    const Words sign_of_read = read.planes.end == groups.planes ? sign : hn::Zero(d);
    const int shift = static_cast<int>(read.shift + read.planes.begin);
    for (std::uint32_t group = 0; group < groups.groups; ++group) {
      for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
        const std::uint32_t lowest = group * groups.planes + read.planes.begin;
        std::uint32_t vector = lowest + planes;
        Words sum = hn::Zero(d);
        Words top_sign = sign_of_read;
        const auto down = [&](auto some) HWY_ATTR {
          vector -= some.value;
          sum = add_planes<some.value>(context, vector, lane, words, slots, sum, top_sign);
          top_sign = hn::Zero(d);
        };
        switch (planes % 4) {
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
        while (vector > lowest) down(std::integral_constant<std::uint32_t, 4>());
        std::int32_t* HWY_RESTRICT to = sums + group * group_channels + lane;
        const auto shifted = hn::BitCast(di, hn::ShiftLeftSame(sum, shift));
        hn::Store(hn::Add(hn::Load(di, to), shifted), di, to);
      }
    }
    words += groups.batches() * batch_words;
    slots += groups.batches() * batch_words;
  }
}

/// The same for one read whose codes are known: codes[vector][lane].
void add_known_codes(const ColumnRead& read, const ColumnGroups& groups,
                     const std::uint32_t* HWY_RESTRICT codes, std::int32_t* HWY_RESTRICT sums) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  const bool has_top = read.planes.end == groups.planes;
  const Words sign = hn::Set(d, groups.top_plane_negative && has_top ? ~0U : 0U);
  const int shift = static_cast<int>(read.shift + read.planes.begin);
  for (std::uint32_t group = 0; group < groups.groups; ++group, sums += group_channels) {
    const std::uint32_t* HWY_RESTRICT top =
        codes + (group * groups.planes + read.planes.end - 1) * group_channels;
    for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
      Words sum = hn::Sub(hn::Xor(hn::Load(d, top + lane), sign), sign);
      for (std::uint32_t plane = 1; plane < read.planes.size(); ++plane) {
        sum = hn::Add(hn::Add(sum, sum), hn::Load(d, top - plane * group_channels + lane));
      }
      const auto shifted = hn::BitCast(di, hn::ShiftLeftSame(sum, shift));
      hn::Store(hn::Add(hn::Load(di, sums + lane), shifted), di, sums + lane);
    }
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(count_lrs);
HWY_EXPORT(add_lrs);
HWY_EXPORT(find_all_slots);
HWY_EXPORT(look_up);
HWY_EXPORT(add_codes);
HWY_EXPORT(add_known_codes);

void count_lrs(const ColumnRead& read, const ColumnGroups& groups,
               std::span<std::uint32_t> counts) {
  assert(counts.size() == std::size_t{groups.vectors()} * group_channels);
  HWY_DYNAMIC_DISPATCH(count_lrs)(read, groups.vectors(), counts.data());
  ColumnRead plane = read;
  for (std::uint32_t bit = 1; bit < read.bits; ++bit) {
    plane.input += read.next_plane;
    HWY_DYNAMIC_DISPATCH(add_lrs)(plane, groups.vectors(), bit, counts.data());
  }
}

void sample_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                  const CodeSampler& sampler, const DrawOrigin& origin,
                  std::span<const std::uint32_t> words, std::span<std::uint32_t> scratch,
                  std::span<std::int32_t> sums) {
  assert(words.size() >= reads.size() * groups.batches() * batch_words);
  assert(scratch.size() >= reads.size() * groups.batches() * batch_words);
  assert(sums.size() == std::size_t{groups.groups} * group_channels);
  HWY_DYNAMIC_DISPATCH(find_all_slots)(reads, groups, sampler, words.data(), scratch.data());
  HWY_DYNAMIC_DISPATCH(look_up)
  (sampler.slots(), reads.size() * groups.batches(), scratch.data());
  HWY_DYNAMIC_DISPATCH(add_codes)
  (reads, groups, sampler, origin, words.data(), scratch.data(), sums.data());
}

void add_codes(const ColumnRead& read, const ColumnGroups& groups,
               std::span<const std::uint32_t> codes, std::span<std::int32_t> sums) {
  assert(codes.size() == std::size_t{groups.vectors()} * group_channels);
  assert(sums.size() == std::size_t{groups.groups} * group_channels);
  HWY_DYNAMIC_DISPATCH(add_known_codes)(read, groups, codes.data(), sums.data());
}

}  // namespace cimstat::experiments
#endif
