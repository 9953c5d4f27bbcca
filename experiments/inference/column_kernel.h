#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/code_sampler.h"
#include "experiments/inference/draw_words.h"

/// The vector code of column_layer: what happens between packed bits and channel sums.
namespace cimstat::experiments {

/// Weight planes begin .. end - 1 of each group.
struct PlaneRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;

  bool holds(std::uint32_t plane) const { return begin <= plane && plane < end; }
  std::uint32_t size() const { return end - begin; }
};

/// One read: the columns of one tile with the rows of one activation plane active, or driven at the
/// levels that several neighbouring planes make.
struct ColumnRead {
  const std::uint32_t* input = nullptr;    ///< [word]
  const std::uint32_t* weights = nullptr;  ///< [group][plane][word][16 channels]
  std::uint32_t words = 0;
  const std::uint8_t* bytes = nullptr;  ///< the same cells as in WeightPlanes::bytes
  std::uint32_t row_bytes = 0;          ///< runs of eight rows
  std::uint32_t active_rows = 0;        ///< of several planes the sum of their levels
  std::uint32_t shift = 0;              ///< the (lowest) activation plane: codes count 2^shift-fold
  std::uint64_t first_batch = 0;        ///< of its draws
  PlaneRange planes = {};               ///< those whose codes count
  std::uint32_t bits = 1;               ///< activation planes
  std::uint32_t next_plane = 0;         ///< words from one of them to the next
  std::int64_t units = 0;               ///< what a unit of each of its codes adds up to
};

/// What all reads of a layer have in common. A *vector* is 16 columns: one weight plane of one
/// group of 16 channels (groups outside, planes inside).
struct ColumnGroups {
  std::uint32_t groups = 0;  ///< of all column sets
  std::uint32_t planes = 0;
  bool top_plane_negative = false;
  std::uint32_t channels = 0;  ///< of each column set; its last group has lanes without one

  std::uint32_t vectors() const { return groups * planes; }
  /// Lanes of a vector that have a channel.
  std::uint32_t lanes(std::uint32_t vector) const {
    const std::uint32_t groups_of_set = (channels + group_channels - 1) / group_channels;
    const std::uint32_t group = vector / planes % groups_of_set;
    return std::min(group_channels, channels - group * group_channels);
  }
  PlaneRange all_planes() const { return {0, planes}; }
  /// Draws come in batches of four vectors, 64 of them (draw_words.h, step_kernel.h).
  std::uint32_t batches() const { return (vectors() + batch_vectors - 1) / batch_vectors; }
};

/// The LRS count of one column: `words` words of input, and of cells those of every 16th place.
inline std::uint32_t count_lrs(const std::uint32_t* input, const std::uint32_t* cells,
                               std::uint32_t words) {
  int count = 0;
  for (std::uint32_t word = 0; word < words; ++word) {
    count += std::popcount(input[word] & cells[word * group_channels]);
  }
  return static_cast<std::uint32_t>(count);
}

/// LRS counts: counts[vector][lane] for one read; of several planes the levels of the rows in LRS.
void count_lrs(const ColumnRead& read, const ColumnGroups& groups, std::span<std::uint32_t> counts);

/// Draws a code for each column of each read's planes from the slots of a sampler without steps,
/// and adds it, times 2^(plane + shift), to sums[group][lane]. words: groups.batches() * 64 for
/// each read, in turn; `scratch` has room for as many.
void sample_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                  const CodeSampler& sampler, const DrawOrigin& origin,
                  std::span<const std::uint32_t> words, std::span<std::uint32_t> scratch,
                  std::span<std::int32_t> sums);

/// Adds codes[vector][lane] of one read's planes, times 2^(plane + shift), to sums[group][lane].
void add_codes(const ColumnRead& read, const ColumnGroups& groups,
               std::span<const std::uint32_t> codes, std::span<std::int32_t> sums);

}  // namespace cimstat::experiments
