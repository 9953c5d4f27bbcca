#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/random.h"

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/code_sampler.h"

/// The vector code of column_layer: what happens between packed bits and channel sums.
namespace cimstat::experiments {

/// One read: the columns of one tile with the rows of one activation plane active.
struct ColumnRead {
  const std::uint32_t* input = nullptr;    ///< [word]
  const std::uint32_t* weights = nullptr;  ///< [group][plane][word][16 channels]
  std::uint32_t words = 0;
  std::uint32_t active_rows = 0;
  std::uint32_t shift = 0;        ///< the activation plane: codes count 2^shift-fold
  std::uint64_t first_batch = 0;  ///< of the random words
};

/// What all reads of a layer have in common. A *vector* is 16 columns: one weight plane of one
/// group of 16 channels (groups outside, planes inside).
struct ColumnGroups {
  std::uint32_t groups = 0;  ///< of all column sets
  std::uint32_t planes = 0;
  bool top_plane_negative = false;

  std::uint32_t vectors() const { return groups * planes; }
  /// Random words come in batches of four vectors: 16 Philox blocks, lane = block, vector = word.
  std::uint32_t batches() const { return (vectors() + 3) / 4; }
};

inline constexpr std::size_t batch_words = 64;

/// The word of vector `vector`, lane `lane` of a read whose first batch is `first_batch` is the
/// draw with this number.
inline std::uint64_t draw_number(std::uint64_t first_batch, std::uint32_t vector,
                                 std::uint32_t lane) {
  return 4 * (16 * (first_batch + vector / 4) + lane) + vector % 4;
}

/// Whose random numbers: one image-read, or one test.
struct DrawOrigin {
  core::StreamKey key;
  std::uint64_t instance = 0;
};

/// The 64 uniform bits behind an escaped draw: the first two words of block `draw` of
/// Domain::code_escape.
std::uint64_t escape_word(const DrawOrigin& origin, std::uint64_t draw);

/// LRS counts: counts[vector][lane] for one read.
void count_lrs(const ColumnRead& read, const ColumnGroups& groups, std::span<std::uint32_t> counts);

/// Draws a code for each column of each read, and adds it, times 2^(plane + shift), to sums[group]
/// [lane]. words: groups.batches() * 64 for each read, in turn.
void sample_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                  const CodeSampler& sampler, const DrawOrigin& origin,
                  std::span<const std::uint32_t> words, std::span<std::int32_t> sums);

/// Random words of `reads` in turn, groups.batches() * 64 for each: word w of Philox block
/// 16 * batch + lane stands at [batch][w][lane].
void fill_philox(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                 const DrawOrigin& origin, core::Domain domain, std::span<std::uint32_t> words);

/// The same for `batches` batches from `first_batch` on.
void fill_batches(const DrawOrigin& origin, core::Domain domain, std::uint64_t first_batch,
                  std::uint32_t batches, std::span<std::uint32_t> words);

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
