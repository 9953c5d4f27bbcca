#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "experiments/inference/code_sampler.h"
#include "experiments/inference/column_kernel.h"
#include "experiments/inference/draw_words.h"

/// The vector code behind codes that are drawn by steps (CodeSteps), 16 bits each.
namespace cimstat::experiments {

/// The random words of a batch of 64 draws: byte v of word l is the upper byte of the draw of
/// vector v, lane l, and of word 16 + l the lower one.
inline constexpr std::size_t step_words = 32;

/// What some reads are drawn with. Words, codes and sums begin at multiples of 64 bytes.
struct StepDraws {
  std::span<const ColumnRead> reads;
  std::span<const std::uint32_t> words;
  /// Where the words of each read's batches begin in them, in units of step_words.
  std::span<const std::uint32_t> first_words;
};

/// Draws a code for each column of each read, of planes that don't count too: codes[read][batch of
/// groups.batches()][lane][vector of the batch].
void draw_step_codes(const StepDraws& draws, const ColumnGroups& groups, const CodeSampler& sampler,
                     const DrawOrigin& origin, std::span<std::uint8_t> codes);

/// Adds the codes of each read's planes, times 2^(plane + shift), to sums[group][lane].
void add_step_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                    std::span<const std::uint8_t> codes, std::span<std::int32_t> sums);

}  // namespace cimstat::experiments
