#include "core/random/random.h"

#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <Random123/philox.h>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#undef philox4x32  // Random123's macro for C

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/core/random_test.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "core/random/philox-inl.h"
#include "core/random/xoshiro-inl.h"

HWY_BEFORE_NAMESPACE();
namespace cimstat::core::HWY_NAMESPACE {

void fill_philox(const BlockSchedule& schedule, std::uint64_t first_instance, std::uint32_t* out) {
  PhiloxTile tile;
  begin_tile(schedule, first_instance, tile);
  fill_words(schedule, tile, 0, schedule.blocks().size(), out);
}

void fill_fast(StreamKey key, std::uint64_t first_block, std::uint64_t first_instance,
               std::size_t rows, std::uint32_t* out) {
  FastTile tile;
  begin_tile(key, first_block, first_instance, tile);
  // In two calls: the state must survive between them.
  fill_words(tile, rows / 2, out);
  fill_words(tile, rows - rows / 2, out + rows / 2 * tile_trials);
}

}  // namespace cimstat::core::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::core {
namespace {

HWY_EXPORT(fill_philox);
HWY_EXPORT(fill_fast);

/// 64-byte aligned words.
class Words {
 public:
  explicit Words(std::size_t rows) : lines_(rows * tile_trials / 16) {}
  std::uint32_t* data() { return lines_.data()->word; }
  std::uint32_t at(std::size_t row, std::size_t trial) const {
    const std::size_t i = row * tile_trials + trial;
    return lines_[i / 16].word[i % 16];
  }

 private:
  struct alignas(64) Line {
    std::uint32_t word[16];
  };
  std::vector<Line> lines_;
};

/// Runs the test body once for each instruction set, and puts the best one back.
template <class Body>
void on_every_target(Body&& body) {
  for (const std::string& target : simd_targets()) {
    SCOPED_TRACE(target);
    use_simd_target(target);
    body();
  }
  use_simd_target("");
}

PhiloxCounter random123(PhiloxCounter counter, PhiloxKey key) {
  const r123::Philox4x32 philox;
  const r123::Philox4x32::ctr_type result =
      philox({{counter[0], counter[1], counter[2], counter[3]}}, {{key[0], key[1]}});
  return {result[0], result[1], result[2], result[3]};
}

TEST(Philox, GivesThePublishedKnownAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, EqualsRandom123WordForWord) {
  boost::random::mt19937 any(1);
  for (int i = 0; i < 10000; ++i) {
    const PhiloxCounter counter{any(), any(), any(), any()};
    const PhiloxKey key{any(), any()};
    ASSERT_EQ(philox4x32(counter, key), random123(counter, key));
  }
}

TEST(Philox, PutsEachPartOfTheAddressIntoItsOwnBits) {
  const StreamKey key{0x1122334455667788, 0x99aabbcc};
  const PhiloxCounter counter = counter_of(key, Domain::code_escape, 0xa1b2c3d4e5f6, 0x2f12345678);
  EXPECT_EQ(counter, (PhiloxCounter{0x12345678, 0xa1b2902f, 0xc3d4e5f6, 0x99aabbcc}));
  EXPECT_EQ(key_of(key), (PhiloxKey{0x55667788, 0x11223344}));
}

TEST(Philox, VectorTilesEqualRandom123OnEveryTarget) {
  const std::vector<StreamKey> keys{{0, 0}, {~0ULL, ~0U}, {0x0123456789abcdef, 77}};
  // At the ends of the counter's fields and across the carry from one word to the next.
  const std::vector<std::uint64_t> instances{
      0, 64, (1ULL << 32) - 64, 1ULL << 32, (1ULL << 47) + 64, instance_limit - tile_trials};
  constexpr std::size_t blocks = 9;
  const std::vector<std::uint64_t> first_blocks{0, 65536 - blocks, (1ULL << 32) - blocks,
                                                (2048ULL * 128 + 63) << 16, block_limit - blocks};
  on_every_target([&] {
    Words words(4 * blocks);
    for (const StreamKey& key : keys) {
      for (const std::uint64_t instance : instances) {
        for (const std::uint64_t first_block : first_blocks) {
          const BlockSchedule schedule(key, Domain::column_sum, first_block, blocks);
          HWY_DYNAMIC_DISPATCH(fill_philox)(schedule, instance, words.data());
          for (std::size_t row = 0; row < 4 * blocks; ++row) {
            for (std::size_t i = 0; i < tile_trials; ++i) {
              const PhiloxCounter counter =
                  counter_of(key, Domain::column_sum, instance + i, first_block + row / 4);
              ASSERT_EQ(words.at(row, i), random123(counter, key_of(key))[row % 4])
                  << "row " << row << ", trial " << i << ", instance " << instance << ", block "
                  << first_block;
            }
          }
        }
      }
    }
  });
}

TEST(TrialRandom, GivesTheWordsOfItsBlocksInOrder) {
  const StreamKey key{42, 7};
  TrialRandom random(key, Domain::programming, 1234567890123, 5);
  for (std::uint64_t block = 5; block < 9; ++block) {
    const PhiloxCounter words =
        philox4x32(counter_of(key, Domain::programming, 1234567890123, block), key_of(key));
    for (const std::uint32_t word : words) EXPECT_EQ(random(), word);
  }
}

TEST(TrialRandom, UniformsStayInsideTheOpenIntervalAndAreUniform) {
  TrialRandom random({1, 0}, Domain::test, 0);
  constexpr int count = 1'000'000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < count; ++i) {
    const double u = random.uniform();
    ASSERT_GT(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  // Standard errors of the mean of u and of u^2: sqrt(1/12/n), sqrt(4/45/n). Five of each.
  EXPECT_NEAR(sum / count, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / count));
  EXPECT_NEAR(squares / count, 1.0 / 3.0, 5.0 * std::sqrt(4.0 / 45.0 / count));
}

TEST(TrialRandom, DrivesTheDistributionsOfBoostAndOfTheStandardLibrary) {
  static_assert(std::uniform_random_bit_generator<TrialRandom>);
  TrialRandom random({1, 0}, Domain::test, 1);
  boost::random::normal_distribution<double> boost_normal;
  std::normal_distribution<double> standard_normal;
  constexpr int count = 200'000;
  double boost_sum = 0.0;
  double standard_sum = 0.0;
  for (int i = 0; i < count; ++i) {
    boost_sum += boost_normal(random);
    standard_sum += standard_normal(random);
  }
  EXPECT_NEAR(boost_sum / count, 0.0, 5.0 / std::sqrt(count));
  EXPECT_NEAR(standard_sum / count, 0.0, 5.0 / std::sqrt(count));
}

/// xoshiro128++ as its authors define it.
class Xoshiro {
 public:
  explicit Xoshiro(std::array<std::uint32_t, 4> state) : s_(state) {}
  std::uint32_t operator()() {
    const std::uint32_t result = std::rotl(s_[0] + s_[3], 7) + s_[0];
    const std::uint32_t shifted = s_[1] << 9;
    s_[2] ^= s_[0];
    s_[3] ^= s_[1];
    s_[1] ^= s_[2];
    s_[0] ^= s_[3];
    s_[2] ^= shifted;
    s_[3] = std::rotl(s_[3], 11);
    return result;
  }

 private:
  std::array<std::uint32_t, 4> s_;
};

TEST(FastStream, IsXoshiroInSixteenLanesSeededFromPhiloxOnEveryTarget) {
  const StreamKey key{0x0123456789abcdef, 3};
  constexpr std::size_t rows = 37;
  on_every_target([&] {
    Words words(rows);
    for (const std::uint64_t instance : {std::uint64_t{0}, instance_limit - tile_trials}) {
      for (const std::uint64_t first_block : {std::uint64_t{0}, block_limit - 65536}) {
        HWY_DYNAMIC_DISPATCH(fill_fast)(key, first_block, instance, rows, words.data());
        for (std::size_t lane = 0; lane < 16; ++lane) {
          Xoshiro xoshiro(philox4x32(
              counter_of(key, Domain::stream_seed, instance, first_block + lane), key_of(key)));
          for (std::size_t step = 0; step < 4 * rows; ++step) {
            ASSERT_EQ(words.at(step / 4, step % 4 * 16 + lane), xoshiro())
                << "step " << step << ", lane " << lane;
          }
        }
      }
    }
  });
}

TEST(FastStream, ReferenceGivesTheKnownFirstWords) {
  Xoshiro xoshiro({1, 2, 3, 4});
  for (const std::uint32_t word : {641U, 1573767U, 3222811527U, 3517856514U, 836907274U}) {
    EXPECT_EQ(xoshiro(), word);
  }
}

TEST(SimdTarget, IsTheOneThatWasAskedFor) {
  ASSERT_FALSE(simd_targets().empty());
  for (const std::string& target : simd_targets()) {
    use_simd_target(target);
    EXPECT_EQ(simd_target(), target);
  }
  use_simd_target("");
  EXPECT_EQ(simd_target(), simd_targets().front());
}

TEST(SimdTarget, IsRefusedWhereThisProcessorLacksIt) {
  EXPECT_THROW(use_simd_target("AVX9"), UsageError);
  EXPECT_EQ(simd_target(), simd_targets().front());
}

}  // namespace
}  // namespace cimstat::core
#endif
