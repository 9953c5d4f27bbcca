#include "experiments/inference/draw_words.h"

#include <cassert>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/draw_words.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace lanes = core::HWY_NAMESPACE;

void fill_batches(const DrawOrigin& origin, core::Domain domain,
                  const std::array<core::PhiloxKey, 10>& keys,
                  std::span<const std::uint64_t> first_batches, std::uint32_t count,
                  std::uint32_t* HWY_RESTRICT words) {
  const lanes::PhiloxLanes d64;
  const hn::Repartition<std::uint32_t, lanes::PhiloxLanes> d32;
  const std::size_t half = hn::Lanes(d64);
  const lanes::PhiloxVector ramp = hn::Iota(d64, 0);
  for (const std::uint64_t first_batch : first_batches) {
    for (std::uint32_t i = 0; i < count; ++i, words += batch_words) {
      const std::uint64_t batch = first_batch + i;
      // The 16 blocks of a batch differ in the lowest bits of the first counter word alone, so that
      // one of the two products of each of the first two rounds is common to all.
      const core::PhiloxCounter counter =
          core::counter_of(origin.key, domain, origin.instance, 16 * batch);
      const std::uint64_t product1 = std::uint64_t{core::philox_multiplier[1]} * counter[2];
      const std::uint64_t product0 =
          core::philox_multiplier[0] * ((product1 >> 32) ^ counter[1] ^ keys[0][0]);
      const auto key = hn::Set(d64, counter[3] ^ keys[0][1]);
      const auto word0 = hn::Set(d64, (product1 & 0xffffffffU) ^ keys[1][0]);
      const auto word2 = hn::Set(d64, (product0 >> 32) ^ keys[1][1]);
      const auto word3 = hn::Set(d64, product0 & 0xffffffffU);
      for (std::size_t first = 0; first < 16; first += 2 * half) {
        lanes::PhiloxState<2> state;
        for (std::size_t chain = 0; chain < 2; ++chain) {
          const auto block = hn::Add(ramp, hn::Set(d64, counter[0] + first + chain * half));
          const auto round0 = lanes::philox_product(block, core::philox_multiplier[0]);
          const auto round1 = lanes::philox_product(hn::Xor(hn::ShiftRight<32>(round0), key),
                                                    core::philox_multiplier[1]);
          state.word0[chain] = hn::Xor(hn::ShiftRight<32>(round1), word0);
          state.word1[chain] = round1;
          state.word2[chain] = hn::Xor(round0, word2);
          state.word3[chain] = word3;
        }
        lanes::philox_rounds<2>(keys, state);
        const auto pack = [d32](const lanes::PhiloxVector* word) HWY_ATTR {
          return hn::ConcatEven(d32, hn::BitCast(d32, word[1]), hn::BitCast(d32, word[0]));
        };
        hn::Store(pack(state.word0), d32, words + first);
        hn::Store(pack(state.word1), d32, words + 16 + first);
        hn::Store(pack(state.word2), d32, words + 32 + first);
        hn::Store(pack(state.word3), d32, words + 48 + first);
      }
    }
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

HWY_EXPORT(fill_batches);
HWY_EXPORT(begin_fast);
HWY_EXPORT(fill_fast);

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

void fill_batches(const DrawOrigin& origin, core::Domain domain,
                  std::span<const std::uint64_t> first_batches, std::uint32_t count,
                  std::span<std::uint32_t> words) {
  assert(words.size() >= first_batches.size() * count * batch_words);
  HWY_DYNAMIC_DISPATCH(fill_batches)
  (origin, domain, round_keys(origin.key), first_batches, count, words.data());
}

std::uint64_t escape_word(const DrawOrigin& origin, std::uint64_t draw) {
  const core::PhiloxCounter words = core::philox4x32(
      core::counter_of(origin.key, core::Domain::code_escape, origin.instance, draw),
      core::key_of(origin.key));
  return std::uint64_t{words[1]} << 32 | words[0];
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
