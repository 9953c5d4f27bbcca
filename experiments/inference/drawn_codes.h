#pragma once

#include <cstdint>
#include <span>

#include "experiments/inference/code_sampler.h"
#include "experiments/inference/column_kernel.h"
#include "experiments/inference/column_layer.h"

/// The codes that column_kernel has added up without keeping them, once more, for observers.
namespace cimstat::experiments {

/// What sample_codes was given, and the slots that it left in its scratch memory.
struct DrawnReads {
  std::span<const ColumnRead> reads;
  std::span<const std::uint32_t> words;  ///< groups.batches() * 64 for each read
  std::span<const std::uint32_t> slots;
};

/// Shows the columns of one read's planes, [vector][lane].
void show_codes(const ColumnRead& read, const ColumnGroups& groups,
                std::span<const std::uint32_t> counts, std::span<const std::uint32_t> codes,
                ReadObserver& observer);

/// Shows each read with its LRS counts and the codes that draw_step_codes has drawn.
void show_step_codes(std::span<const ColumnRead> reads, const ColumnGroups& groups,
                     std::span<const std::uint8_t> codes, ReadObserver& observer);

/// Shows each read with its LRS counts and the very codes that sample_codes has drawn.
void show_drawn_codes(const DrawnReads& drawn, const ColumnGroups& groups,
                      const CodeSampler& sampler, const DrawOrigin& origin, ReadObserver& observer);

}  // namespace cimstat::experiments
