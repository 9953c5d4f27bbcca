// Quantile tables in vector lanes. Included once for each instruction set, after hwy/highway.h.
#if defined(CIMSTAT_CORE_QUANTILE_TABLE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_CORE_QUANTILE_TABLE_INL_H
#undef CIMSTAT_CORE_QUANTILE_TABLE_INL_H
#else
#define CIMSTAT_CORE_QUANTILE_TABLE_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hwy/highway.h>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Eight lanes at most. The table look-ups are loads of 64 bits each, whatever the register width:
// gather instructions are no faster than these, and three to four times slower on processors with
// the mitigation against Downfall (Intel, Skylake to Ice Lake).
using QuantileLanes = hn::CappedTag<float, 8>;
using QuantileVector = hn::Vec<QuantileLanes>;
using QuantileWords = hn::Rebind<std::uint32_t, QuantileLanes>;

/// t of QuantileTable, for each word.
HWY_INLINE QuantileVector signed_tails(hn::Vec<QuantileWords> words) {
  const QuantileLanes df;
  const hn::Rebind<std::int32_t, QuantileLanes> di;
  return hn::Add(hn::ConvertTo(df, hn::BitCast(di, words)), hn::Set(df, 0.5f));
}

/// Which segments hold these t.
HWY_INLINE hn::Vec<QuantileWords> segment_indices(QuantileVector t) {
  constexpr int shift = static_cast<int>(QuantileTable::index_shift);
  return hn::ShiftRight<shift>(hn::BitCast(QuantileWords(), t));
}

/// c0 + c1 * t, where the segments' indices stand in memory.
HWY_INLINE QuantileVector line_values(const QuantileTable::Segment* HWY_RESTRICT segments,
                                      const std::uint32_t* HWY_RESTRICT index, QuantileVector t) {
  const QuantileLanes df;
  const hn::CappedTag<float, 4> d4;
  const hn::Half<decltype(d4)> d2;
  const auto two_segments = [=](std::size_t i) HWY_ATTR {
    std::uint64_t both;
    std::memcpy(&both, index + i, sizeof(both));
    return hn::Combine(d4, hn::Load(d2, &segments[both >> 32].c0),
                       hn::Load(d2, &segments[both & 0xffffffffu].c0));
  };
#if HWY_TARGET <= HWY_AVX2
  // In the order that lets a shuffle inside each 128 bits finish the job.
  const auto first = hn::Combine(df, two_segments(4), two_segments(0));
  const auto second = hn::Combine(df, two_segments(6), two_segments(2));
  const QuantileVector c0{_mm256_shuffle_ps(first.raw, second.raw, _MM_SHUFFLE(2, 0, 2, 0))};
  const QuantileVector c1{_mm256_shuffle_ps(first.raw, second.raw, _MM_SHUFFLE(3, 1, 3, 1))};
#else
  const auto first = two_segments(0);
  const auto second = two_segments(2);
  const QuantileVector c0 = hn::ConcatEven(df, second, first);
  const QuantileVector c1 = hn::ConcatOdd(df, second, first);
#endif
  return hn::Add(c0, hn::Mul(c1, t));
}

/// Segment indices of `count` words, a multiple of 64. Kept apart from their use by at least a few
/// hundred instructions: narrow loads right behind a wide store stall.
HWY_INLINE void store_segment_indices(const std::uint32_t* HWY_RESTRICT words, std::size_t count,
                                      std::uint32_t* HWY_RESTRICT index) {
  const QuantileWords du;
  for (std::size_t i = 0; i < count; i += hn::Lanes(du)) {
    hn::Store(segment_indices(signed_tails(hn::Load(du, words + i))), du, index + i);
  }
}

/// The same with the values of cut segments, which look-ups give as NaN, put right.
HWY_INLINE QuantileVector repaired(const QuantileTable& table, QuantileVector values,
                                   const std::uint32_t* HWY_RESTRICT words) {
  const QuantileLanes df;
  if (hn::AllFalse(df, hn::IsNaN(values))) return values;
  alignas(32) float lane[hn::MaxLanes(df)];
  hn::Store(values, df, lane);
  for (std::size_t i = 0; i < hn::Lanes(df); ++i) {
    if (lane[i] != lane[i]) lane[i] = table(words[i]);
  }
  return hn::Load(df, lane);
}

/// Adds the quantiles of `rows` rows of 64 words to the sums of 64 trials, in row order.
HWY_INLINE void add_quantiles(const QuantileTable& table, const std::uint32_t* HWY_RESTRICT words,
                              const std::uint32_t* HWY_RESTRICT index, std::size_t rows,
                              float* HWY_RESTRICT sums) {
  const QuantileLanes df;
  const QuantileWords du;
  const QuantileTable::Segment* HWY_RESTRICT segments = table.segments().data();
  for (std::size_t lane = 0; lane < tile_trials; lane += hn::Lanes(df)) {
    const QuantileVector start = hn::Load(df, sums + lane);
    QuantileVector sum = start;
    for (std::size_t i = lane; i < rows * tile_trials; i += tile_trials) {
      const QuantileVector t = signed_tails(hn::Load(du, words + i));
      sum = hn::Add(sum, line_values(segments, index + i, t));
    }
    if (HWY_UNLIKELY(!hn::AllFalse(df, hn::IsNaN(sum)))) {
      sum = start;
      for (std::size_t i = lane; i < rows * tile_trials; i += tile_trials) {
        const QuantileVector t = signed_tails(hn::Load(du, words + i));
        sum = hn::Add(sum, repaired(table, line_values(segments, index + i, t), words + i));
      }
    }
    hn::Store(sum, df, sums + lane);
  }
}

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
