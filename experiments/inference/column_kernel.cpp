#include "experiments/inference/column_kernel.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/column_kernel.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "experiments/inference/column_counts-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// LRS cells among the active ones in each column of `batches` neighbouring batches, in each of
/// `count` reads of the same cells: visit(read, batch, vector of the batch, first lane, counts).
template <std::uint32_t count, std::uint32_t batches, class Visit>
HWY_INLINE void visit_batches(const ActiveRows* HWY_RESTRICT rows, const ColumnRead& read,
                              std::uint32_t batch, const Visit& visit) {
  const std::uint32_t size = read.row_bytes;
  const std::size_t stride = std::size_t{size} * batch_words;
  for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
    Bytes sums[count * batches];
    sum_bytes<count, batches>(rows, read.bytes + batch * stride + lane * batch_vectors, stride, 0,
                              size, sums);
#pragma GCC unroll 8
    for (std::uint32_t i = 0; i < count * batches; ++i) {
#pragma GCC unroll 4
      for (std::uint32_t v = 0; v < batch_vectors; ++v) {
        visit(i / batches, batch + i % batches, v, lane, count_of(sums[i], v));
      }
    }
  }
}

/// The same of one batch with more active rows than its bytes can count.
template <class Visit>
HWY_INLINE void visit_long_batch(const ActiveRows& rows, const ColumnRead& read,
                                 std::uint32_t batch, const Visit& visit) {
  const std::uint32_t size = read.row_bytes;
  const std::uint8_t* cells = read.bytes + std::size_t{batch} * size * batch_words;
  for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
    Words counts[batch_vectors];
    for (Words& of_vector : counts) of_vector = hn::Zero(Columns());
    for (std::uint32_t first = 0; first < size; first += most_summed) {
      Bytes sums[1];
      sum_bytes<1, 1>(&rows, cells + lane * batch_vectors, 0, first,
                      std::min(size, first + most_summed), sums);
      for (std::uint32_t v = 0; v < batch_vectors; ++v) {
        counts[v] = hn::Add(counts[v], count_of(sums[0], v));
      }
    }
    for (std::uint32_t v = 0; v < batch_vectors; ++v) visit(batch, v, lane, counts[v]);
  }
}

/// The same for all batches of `count` reads.
template <std::uint32_t count, class Visit>
HWY_INLINE void visit_reads(const ColumnRead* reads, std::uint32_t batches, const Visit& visit) {
  ActiveRows rows[count];
  for (std::uint32_t r = 0; r < count; ++r) find_rows(reads[r].input, reads[r].words, rows[r]);
  // A byte counts up to 255; of levels of several bits more rows are driven than any count.
  std::uint32_t most = 0;
  for (std::uint32_t r = 0; r < count; ++r) most = std::max(most, reads[r].active_rows);
  if (HWY_UNLIKELY(most > 255)) {
    for (std::uint32_t r = 0; r < count; ++r) {
      for (std::uint32_t batch = 0; batch < batches; ++batch) {
        visit_long_batch(rows[r], reads[r], batch,
                         [&](std::uint32_t at, std::uint32_t vector, std::uint32_t lane, Words lrs)
                             HWY_ATTR { visit(r, at, vector, lane, lrs); });
      }
    }
    return;
  }
  std::uint32_t batch = 0;
  for (; batch + 2 <= batches; batch += 2) visit_batches<count, 2>(rows, *reads, batch, visit);
  if (batch < batches) visit_batches<count, 1>(rows, *reads, batch, visit);
}

void count_lrs(const ColumnRead& read, std::uint32_t vectors, std::uint32_t* counts) {
  const Columns d;
  visit_reads<1>(&read, (vectors + batch_vectors - 1) / batch_vectors,
                 [=](std::uint32_t, std::uint32_t batch, std::uint32_t vector, std::uint32_t lane,
                     Words count) HWY_ATTR {
                   const std::uint32_t at = batch * batch_vectors + vector;
                   if (at < vectors) hn::Store(count, d, counts + at * group_channels + lane);
                 });
}

/// Adds 2^bit times the LRS counts.
void add_lrs(const ColumnRead& read, std::uint32_t vectors, std::uint32_t bit,
             std::uint32_t* counts) {
  const Columns d;
  const int shift = static_cast<int>(bit);
  visit_reads<1>(&read, (vectors + batch_vectors - 1) / batch_vectors,
                 [=](std::uint32_t, std::uint32_t batch, std::uint32_t vector, std::uint32_t lane,
                     Words count) HWY_ATTR {
                   const std::uint32_t at = batch * batch_vectors + vector;
                   if (at >= vectors) return;
                   std::uint32_t* to = counts + at * group_channels + lane;
                   hn::Store(hn::Add(hn::Load(d, to), hn::ShiftLeftSame(count, shift)), d, to);
                 });
}

/// Which slot each word picks in `count` reads of the same cells, also in planes that don't count.
template <std::uint32_t count>
HWY_NOINLINE void find_read_slots(const ColumnRead* reads, std::uint32_t batches,
                                  const CodeSampler& sampler,
                                  const std::uint32_t* HWY_RESTRICT words,
                                  std::uint32_t* HWY_RESTRICT slots) {
  const Columns d;
  const int slot_bits = static_cast<int>(sampler.slot_bits());
  const Words slot_mask = hn::Set(d, (1U << slot_bits) - 1);
  std::uint32_t first[count];
  for (std::uint32_t r = 0; r < count; ++r) first[r] = sampler.first_slot(reads[r].active_rows);
  const std::size_t size = std::size_t{batches} * batch_words;
  visit_reads<count>(
      reads, batches,
      [&](std::uint32_t read, std::uint32_t batch, std::uint32_t vector, std::uint32_t lane,
          Words lrs) HWY_ATTR {
        const std::size_t i = read * size + batch * batch_words + vector * group_channels + lane;
        const Words of_class = hn::Add(hn::ShiftLeftSame(lrs, slot_bits), hn::Set(d, first[read]));
        const Words slot = hn::And(hn::Load(d, words + i), slot_mask);
        hn::Store(hn::Add(of_class, slot), d, slots + i);
      });
}

void find_slots(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                const CodeSampler& sampler, const std::uint32_t* words, std::uint32_t* slots) {
  const std::uint32_t batches = groups.batches();
  for (std::size_t i = 0; i < reads.size();) {
    const ColumnRead* read = reads.data() + i;
    std::size_t same = 1;
    while (same < most_reads && i + same < reads.size() && read[same].bytes == read->bytes) ++same;
    switch (same) {
      case 1:
        find_read_slots<1>(read, batches, sampler, words, slots);
        break;
      case 2:
        find_read_slots<2>(read, batches, sampler, words, slots);
        break;
      case 3:
        find_read_slots<3>(read, batches, sampler, words, slots);
        break;
      default:
        find_read_slots<4>(read, batches, sampler, words, slots);
    }
    words += same * batches * batch_words;
    slots += same * batches * batch_words;
    i += same;
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
  alignas(64) std::uint32_t result[group_channels];
  hn::Store(codes, d, result);
  for (std::uint32_t lane = 0; lane < width; ++lane) {
    if (result[lane] != CodeSampler::escape) continue;
    const std::uint32_t* column =
        read.weights + std::size_t{vector} * read.words * group_channels + first_lane + lane;
    const std::uint32_t count = cimstat::experiments::count_lrs(read.input, column, read.words);
    const std::uint64_t draw = draw_number(read.first_batch, vector, first_lane + lane);
    result[lane] =
        context.sampler.escaped_code({count, read.active_rows}, escape_word(context.origin, draw));
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
HWY_EXPORT(find_slots);
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
  assert(!sampler.steps());
  assert(words.size() >= reads.size() * groups.batches() * batch_words);
  assert(scratch.size() >= reads.size() * groups.batches() * batch_words);
  assert(sums.size() == std::size_t{groups.groups} * group_channels);
  HWY_DYNAMIC_DISPATCH(find_slots)(reads, groups, sampler, words.data(), scratch.data());
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
