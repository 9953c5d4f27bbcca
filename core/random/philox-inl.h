// Philox4x32-10 in vector lanes. Included once for each instruction set, after hwy/highway.h.
#if defined(CIMSTAT_CORE_PHILOX_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_CORE_PHILOX_INL_H
#undef CIMSTAT_CORE_PHILOX_INL_H
#else
#define CIMSTAT_CORE_PHILOX_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "core/random/random.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Words sit in the low halves of 64-bit lanes. What stands in the high halves is of no account: the
// widening multiplication does not read it, and the end drops it.
using PhiloxLanes = hn::CappedTag<std::uint64_t, 8>;
using PhiloxVector = hn::Vec<PhiloxLanes>;

/// The state of `chains` vectors of counters that go through the rounds side by side: one chain
/// alone would wait for its own multiplications.
template <std::size_t chains>
struct PhiloxState {
  // Written out, since an implied one is compiled without the target's instructions.
  HWY_INLINE PhiloxState() {}
  PhiloxVector word0[chains];
  PhiloxVector word1[chains];
  PhiloxVector word2[chains];
  PhiloxVector word3[chains];
};

HWY_INLINE PhiloxVector philox_product(PhiloxVector word, std::uint32_t multiplier) {
  const PhiloxLanes d64;
  const hn::Repartition<std::uint32_t, PhiloxLanes> d32;
  return hn::MulEven(hn::BitCast(d32, word), hn::BitCast(d32, hn::Set(d64, multiplier)));
}

/// Rounds `first` (counted from 0) to 9.
template <std::size_t first, std::size_t chains>
HWY_INLINE void philox_rounds(const std::array<PhiloxKey, 10>& keys, PhiloxState<chains>& state) {
  const PhiloxLanes d64;
#pragma GCC unroll 10
  for (std::size_t round = first; round < 10; ++round) {
    const PhiloxVector key0 = hn::Set(d64, keys[round][0]);
    const PhiloxVector key1 = hn::Set(d64, keys[round][1]);
#pragma GCC unroll 8
    for (std::size_t i = 0; i < chains; ++i) {
      const PhiloxVector product0 = philox_product(state.word0[i], philox_multiplier[0]);
      const PhiloxVector product1 = philox_product(state.word2[i], philox_multiplier[1]);
      state.word0[i] = hn::Xor3(hn::ShiftRight<32>(product1), state.word1[i], key0);
      state.word1[i] = product1;
      state.word2[i] = hn::Xor3(hn::ShiftRight<32>(product0), state.word3[i], key1);
      state.word3[i] = product0;
    }
  }
}

/// What the instances of one tile add to Philox's first rounds; the same for all blocks of a
/// schedule. Instance i of the tile in element i.
struct alignas(64) PhiloxTile {
  std::uint64_t word0[tile_trials];
  std::uint64_t word2[tile_trials];
  std::uint64_t word3[tile_trials];
};

/// `first_instance` is a multiple of 64.
HWY_INLINE void begin_tile(const BlockSchedule& schedule, std::uint64_t first_instance,
                           PhiloxTile& tile) {
  const PhiloxLanes d64;
  const PhiloxCounter counter =
      counter_of(schedule.key(), schedule.domain(), first_instance, schedule.first_block());
  const std::array<PhiloxKey, 10>& keys = schedule.round_keys();
  const PhiloxVector word1 = hn::Set(d64, counter[1] ^ keys[0][0]);
  const PhiloxVector key2 = hn::Set(d64, keys[2][1]);
  // Round 0: of the products only that of word 2, the instance, differs between lanes.
  // Round 1: of its products only that of word 0, which no block number has touched yet.
  const PhiloxVector ramp = hn::Iota(d64, 0);
  for (std::size_t i = 0; i < tile_trials; i += hn::Lanes(d64)) {
    const PhiloxVector instance = hn::Add(ramp, hn::Set(d64, counter[2] + i));
    const PhiloxVector product1 = philox_product(instance, philox_multiplier[1]);
    const PhiloxVector product0 =
        philox_product(hn::Xor(hn::ShiftRight<32>(product1), word1), philox_multiplier[0]);
    hn::Store(product1, d64, tile.word0 + i);
    hn::Store(hn::ShiftRight<32>(product0), d64, tile.word2 + i);
    hn::Store(hn::Xor(product0, key2), d64, tile.word3 + i);
  }
}

/// Words of `blocks` blocks from the schedule's `first` on: word j of block b and instance i at
/// words[(4 (b - first) + j) * 64 + i]. `words` is aligned to 64 bytes.
HWY_INLINE void fill_words(const BlockSchedule& schedule, const PhiloxTile& tile, std::size_t first,
                           std::size_t blocks, std::uint32_t* HWY_RESTRICT words) {
  const PhiloxLanes d64;
  const hn::Repartition<std::uint32_t, PhiloxLanes> d32;
  constexpr std::size_t chains = 2;
  const std::array<PhiloxKey, 10>& keys = schedule.round_keys();
  const std::size_t lanes = hn::Lanes(d64);
  for (std::size_t i = 0; i < tile_trials; i += chains * lanes) {
    PhiloxState<chains> start;
#pragma GCC unroll 8
    for (std::size_t c = 0; c < chains; ++c) {
      start.word0[c] = hn::Load(d64, tile.word0 + i + c * lanes);
      start.word2[c] = hn::Load(d64, tile.word2 + i + c * lanes);
      start.word3[c] = hn::Load(d64, tile.word3 + i + c * lanes);
    }
    const BlockSchedule::Block* block = schedule.blocks().data() + first;
    std::uint32_t* HWY_RESTRICT to = words + i;
    for (std::size_t b = 0; b < blocks; ++b, ++block, to += 4 * tile_trials) {
      PhiloxState<chains> state;
      const PhiloxVector block0 = hn::Set(d64, block->word0);
      const PhiloxVector block1 = hn::Set(d64, block->word1);
      const PhiloxVector block2 = hn::Set(d64, block->word2);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < chains; ++c) {
        const PhiloxVector product0 =
            philox_product(hn::Xor(start.word0[c], block0), philox_multiplier[0]);
        const PhiloxVector product1 =
            philox_product(hn::Xor(start.word2[c], block2), philox_multiplier[1]);
        state.word0[c] = hn::Xor(hn::ShiftRight<32>(product1), block1);
        state.word1[c] = product1;
        state.word2[c] = hn::Xor(hn::ShiftRight<32>(product0), start.word3[c]);
        state.word3[c] = product0;
      }
      philox_rounds<3>(keys, state);
#pragma GCC unroll 8
      for (std::size_t c = 0; c < chains; c += 2) {
        const auto pack = [d32](PhiloxVector low, PhiloxVector high) HWY_ATTR {
          return hn::ConcatEven(d32, hn::BitCast(d32, high), hn::BitCast(d32, low));
        };
        std::uint32_t* HWY_RESTRICT out = to + c * lanes;
        hn::Store(pack(state.word0[c], state.word0[c + 1]), d32, out);
        hn::Store(pack(state.word1[c], state.word1[c + 1]), d32, out + tile_trials);
        hn::Store(pack(state.word2[c], state.word2[c + 1]), d32, out + 2 * tile_trials);
        hn::Store(pack(state.word3[c], state.word3[c + 1]), d32, out + 3 * tile_trials);
      }
    }
  }
}

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
