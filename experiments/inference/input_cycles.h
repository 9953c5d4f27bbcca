#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "experiments/inference/array_options.h"

namespace cimstat::experiments {

/// Activation bits at the most.
inline constexpr std::uint32_t most_input_bits = 8;

/// Which activation bits drive word lines together: cycles of `bits_per_cycle` from the lowest bit
/// on, the top one shorter where they don't divide `input_bits` (ASiM's input encoding).
struct InputCycles {
  std::uint32_t input_bits = 1;
  std::uint32_t bits_per_cycle = 1;

  std::uint32_t count() const { return (input_bits + bits_per_cycle - 1) / bits_per_cycle; }
  std::uint32_t first_bit(std::uint32_t cycle) const { return cycle * bits_per_cycle; }
  std::uint32_t bits(std::uint32_t cycle) const {
    return std::min(bits_per_cycle, input_bits - first_bit(cycle));
  }
  std::uint32_t cycle_of(std::uint32_t bit) const { return bit / bits_per_cycle; }
};

/// What full drive of a row counts.
constexpr std::uint32_t highest_level(std::uint32_t bits) { return (1U << bits) - 1; }

/// Throws UsageError for more bits in a cycle than the layer's input has, and for votes of several.
void check_cycles(const InputCycles& cycles, const std::string& layer,
                  const ProtectedDiagonals& diagonals);

}  // namespace cimstat::experiments
