#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/random/random.h"

/// Random words for columns: sixteen lanes, four vectors to a batch.
namespace cimstat::experiments {

/// Whose random numbers: one image-read, or one test.
struct DrawOrigin {
  core::StreamKey key;
  std::uint64_t instance = 0;
};

/// A batch of words is that of 16 Philox blocks: lane = block, vector = word (by slots).
inline constexpr std::size_t batch_words = 64;

/// The word of vector `vector`, lane `lane` of a read whose first batch is `first_batch` is the
/// draw with this number.
inline std::uint64_t draw_number(std::uint64_t first_batch, std::uint32_t vector,
                                 std::uint32_t lane) {
  return 4 * (16 * (first_batch + vector / 4) + lane) + vector % 4;
}

/// For each of `first_batches` in turn, the words of `count` batches from there on: word w of
/// Philox block 16 * batch + lane stands at [batch][w][lane]. words.data() is a multiple of 64.
void fill_batches(const DrawOrigin& origin, core::Domain domain,
                  std::span<const std::uint64_t> first_batches, std::uint32_t count,
                  std::span<std::uint32_t> words);

/// The 64 uniform bits behind an escaped draw: the first two words of block `draw` of
/// Domain::code_escape.
std::uint64_t escape_word(const DrawOrigin& origin, std::uint64_t draw);

/// The fast stream of one row of pixels: xoshiro128++ in 16 lanes, lane l seeded with the words of
/// Philox block 16 * address + l of Domain::stream_seed. No random access inside.
class FastStream {
 public:
  FastStream(const DrawOrigin& origin, std::uint64_t address);
  /// The next words; words.size() is a multiple of 64, and words.data() one of 64 bytes.
  void fill(std::span<std::uint32_t> words);

 private:
  alignas(64) std::array<std::uint32_t, 64> state_{};
};

}  // namespace cimstat::experiments
