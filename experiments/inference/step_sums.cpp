#include <cassert>

#include "experiments/inference/step_kernel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/step_sums.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "experiments/inference/column_counts-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Codes of four neighbouring planes, a byte each, as one number; `top_sign` is all ones where the
/// highest counts negatively.
HWY_INLINE Words weighted(Words codes, Words top_sign) {
  const Columns d;
  const Words byte = hn::Set(d, 0xff);
  const Words lowest = hn::And(codes, byte);
  const Words second = hn::And(hn::ShiftRight<8>(codes), byte);
  const Words third = hn::And(hn::ShiftRight<16>(codes), byte);
  const Words top = hn::Sub(hn::Xor(hn::ShiftRight<24>(codes), top_sign), top_sign);
  const Words upper = hn::Add(third, hn::Add(top, top));
  return hn::Add(hn::Add(lowest, hn::Add(second, second)), hn::ShiftLeft<2>(upper));
}

/// Weight planes by the four: a batch holds planes of one group.
void add_fours(const ColumnRead& read, const ColumnGroups& groups,
               const std::uint8_t* HWY_RESTRICT codes, std::int32_t* HWY_RESTRICT sums) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  for (std::uint32_t plane = 0; plane < groups.planes; plane += 4) {
    std::uint32_t counting = 0;
    for (std::uint32_t v = 0; v < 4; ++v) {
      if (read.planes.holds(plane + v)) counting |= 0xffU << 8 * v;
    }
    if (counting == 0) continue;
    const Words mask = hn::Set(d, counting);
    const bool negative = groups.top_plane_negative && plane + 4 == groups.planes;
    const Words top_sign = hn::Set(d, negative ? ~0U : 0U);
    const int shift = static_cast<int>(read.shift + plane);
    for (std::uint32_t group = 0; group < groups.groups; ++group) {
      const std::uint32_t batch = (group * groups.planes + plane) / 4;
      for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
        const Words four = hn::BitCast(
            d, hn::Load(ByteColumns(), codes + batch * batch_words + lane * batch_vectors));
        const Words sum = hn::ShiftLeftSame(weighted(hn::And(four, mask), top_sign), shift);
        std::int32_t* to = sums + group * group_channels + lane;
        hn::Store(hn::Add(hn::Load(di, to), hn::BitCast(di, sum)), di, to);
      }
    }
  }
}

/// Any number of weight planes.
void add_each(const ColumnRead& read, const ColumnGroups& groups,
              const std::uint8_t* HWY_RESTRICT codes, std::int32_t* HWY_RESTRICT sums) {
  const Columns d;
  const hn::RebindToSigned<Columns> di;
  for (std::uint32_t group = 0; group < groups.groups; ++group) {
    for (std::uint32_t lane = 0; lane < group_channels; lane += width) {
      std::int32_t* to = sums + group * group_channels + lane;
      Words sum = hn::BitCast(d, hn::Load(di, to));
      for (std::uint32_t plane = read.planes.begin; plane < read.planes.end; ++plane) {
        const std::uint32_t vector = group * groups.planes + plane;
        const Words four =
            hn::BitCast(d, hn::Load(ByteColumns(), codes + vector / batch_vectors * batch_words +
                                                       lane * batch_vectors));
        const Words code =
            hn::ShiftLeftSame(count_of(hn::BitCast(ByteColumns(), four), vector % batch_vectors),
                              static_cast<int>(read.shift + plane));
        const bool negative = groups.top_plane_negative && plane + 1 == groups.planes;
        sum = negative ? hn::Sub(sum, code) : hn::Add(sum, code);
      }
      hn::Store(hn::BitCast(di, sum), di, to);
    }
  }
}

void add_step_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                    const std::uint8_t* codes, std::int32_t* sums) {
  for (const ColumnRead& read : reads) {
    if (groups.planes % 4 == 0) {
      add_fours(read, groups, codes, sums);
    } else {
      add_each(read, groups, codes, sums);
    }
    codes += groups.batches() * batch_words;
  }
}

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(add_step_codes);

void add_step_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                    std::span<const std::uint8_t> codes, std::span<std::int32_t> sums) {
  assert(codes.size() >= reads.size() * groups.batches() * batch_words);
  assert(sums.size() == std::size_t{groups.groups} * group_channels);
  HWY_DYNAMIC_DISPATCH(add_step_codes)(reads, groups, codes.data(), sums.data());
}

}  // namespace cimstat::experiments
#endif
