// The fast stream in vector lanes. Included once for each instruction set, after hwy/highway.h.
#if defined(CIMSTAT_CORE_XOSHIRO_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef CIMSTAT_CORE_XOSHIRO_INL_H
#undef CIMSTAT_CORE_XOSHIRO_INL_H
#else
#define CIMSTAT_CORE_XOSHIRO_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "core/random/philox-inl.h"
#include "core/random/random.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// xoshiro128++ (Blackman and Vigna, ACM TOMS 47:36, 2021) in 16 virtual lanes, whatever the width
/// of a register. Virtual lane l starts from the four words of Philox block first_block + l of
/// instance `first_instance` in Domain::stream_seed.
struct alignas(64) FastTile {
  std::uint32_t state[4][16];
};

HWY_INLINE void begin_tile(StreamKey key, std::uint64_t first_block, std::uint64_t first_instance,
                           FastTile& tile) {
  const PhiloxLanes d64;
  const hn::Repartition<std::uint32_t, PhiloxLanes> d32;
  const PhiloxCounter counter = counter_of(key, Domain::stream_seed, first_instance, first_block);
  std::array<PhiloxKey, 10> keys;
  PhiloxKey round_key = key_of(key);
  for (PhiloxKey& stored : keys) {
    stored = round_key;
    round_key[0] += philox_key_step[0];
    round_key[1] += philox_key_step[1];
  }
  const std::size_t lanes = hn::Lanes(d64);
  const PhiloxVector ramp = hn::Iota(d64, 0);
  for (std::size_t i = 0; i < 16; i += 2 * lanes) {
    PhiloxState<2> state;
    for (std::size_t c = 0; c < 2; ++c) {
      // No carry into the second word: first_block is a multiple of 16.
      state.word0[c] = hn::Add(ramp, hn::Set(d64, counter[0] + i + c * lanes));
      state.word1[c] = hn::Set(d64, counter[1]);
      state.word2[c] = hn::Set(d64, counter[2]);
      state.word3[c] = hn::Set(d64, counter[3]);
    }
    philox_rounds<0>(keys, state);
    const auto pack = [d32](const PhiloxVector* word) HWY_ATTR {
      return hn::ConcatEven(d32, hn::BitCast(d32, word[1]), hn::BitCast(d32, word[0]));
    };
    hn::Store(pack(state.word0), d32, tile.state[0] + i);
    hn::Store(pack(state.word1), d32, tile.state[1] + i);
    hn::Store(pack(state.word2), d32, tile.state[2] + i);
    hn::Store(pack(state.word3), d32, tile.state[3] + i);
  }
}

/// The next `rows` rows of 64 words. Step s of the generator since the start of the tile gives
/// words 16 (s mod 4) .. 16 (s mod 4) + 15 of row s / 4, virtual lanes in order.
HWY_INLINE void fill_words(FastTile& tile, std::size_t rows, std::uint32_t* HWY_RESTRICT words) {
  const hn::CappedTag<std::uint32_t, 16> d32;
  for (std::size_t lane = 0; lane < 16; lane += hn::Lanes(d32)) {
    auto s0 = hn::Load(d32, tile.state[0] + lane);
    auto s1 = hn::Load(d32, tile.state[1] + lane);
    auto s2 = hn::Load(d32, tile.state[2] + lane);
    auto s3 = hn::Load(d32, tile.state[3] + lane);
    std::uint32_t* HWY_RESTRICT to = words + lane;
    for (std::size_t step = 0; step < 4 * rows; ++step, to += 16) {
      hn::Store(hn::Add(hn::RotateRight<32 - 7>(hn::Add(s0, s3)), s0), d32, to);
      const auto shifted = hn::ShiftLeft<9>(s1);
      const auto t2 = hn::Xor(s2, s0);
      const auto t3 = hn::Xor(s3, s1);
      s1 = hn::Xor(s1, t2);
      s0 = hn::Xor(s0, t3);
      s2 = hn::Xor(t2, shifted);
      s3 = hn::RotateRight<32 - 11>(t3);
    }
    hn::Store(s0, d32, tile.state[0] + lane);
    hn::Store(s1, d32, tile.state[1] + lane);
    hn::Store(s2, d32, tile.state[2] + lane);
    hn::Store(s3, d32, tile.state[3] + lane);
  }
}

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
