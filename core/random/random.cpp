#include "core/random/random.h"

#include <cassert>

namespace cimstat::core {

PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (unsigned round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{philox_multiplier[0]} * counter[0];
    const std::uint64_t product1 = std::uint64_t{philox_multiplier[1]} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += philox_key_step[0];
    key[1] += philox_key_step[1];
  }
  return counter;
}

PhiloxKey key_of(StreamKey key) {
  return {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)};
}

PhiloxCounter counter_of(StreamKey key, Domain domain, std::uint64_t instance,
                         std::uint64_t block) {
  assert(instance < instance_limit);
  assert(block < block_limit);
  return {static_cast<std::uint32_t>(block),
          static_cast<std::uint32_t>(block >> 32) |
              std::uint32_t{static_cast<std::uint8_t>(domain)} << 8 |
              static_cast<std::uint32_t>(instance >> 32) << 16,
          static_cast<std::uint32_t>(instance), key.point};
}

TrialRandom::TrialRandom(StreamKey key, Domain domain, std::uint64_t instance,
                         std::uint64_t first_block)
    : key_(key), domain_(domain), instance_(instance), block_(first_block) {}

TrialRandom::result_type TrialRandom::operator()() {
  if (next_ == 4) {
    words_ = philox4x32(counter_of(key_, domain_, instance_, block_), key_of(key_));
    ++block_;
    next_ = 0;
  }
  return words_[next_++];
}

double TrialRandom::uniform() {
  const std::uint64_t high = (*this)();
  const std::uint64_t low = (*this)();
  // An odd multiple of 2^-53: never 0, never 1, and exact.
  const std::uint64_t odd = ((high << 20 | low >> 12) << 1) + 1;
  return static_cast<double>(odd) * 0x1p-53;
}

BlockSchedule::BlockSchedule(StreamKey key, Domain domain, std::uint64_t first_block,
                             std::size_t count)
    : key_(key), domain_(domain), first_block_(first_block) {
  assert(count == 0 || first_block >> 32 == (first_block + count - 1) >> 32);
  PhiloxKey round_key = key_of(key);
  for (PhiloxKey& stored : round_keys_) {
    stored = round_key;
    round_key[0] += philox_key_step[0];
    round_key[1] += philox_key_step[1];
  }
  blocks_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const PhiloxCounter counter = counter_of(key, domain, 0, first_block + i);
    const std::uint64_t first = std::uint64_t{philox_multiplier[0]} * counter[0];
    const std::uint32_t word2 =
        static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ round_keys_[0][1];
    const std::uint64_t second = std::uint64_t{philox_multiplier[1]} * word2;
    blocks_.push_back({static_cast<std::uint32_t>(second >> 32) ^ round_keys_[1][0],
                       static_cast<std::uint32_t>(second) ^ round_keys_[2][0],
                       static_cast<std::uint32_t>(first) ^ round_keys_[1][1]});
  }
}

}  // namespace cimstat::core
