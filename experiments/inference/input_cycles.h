#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "experiments/inference/array_options.h"

namespace cimstat::experiments {

/// Activation bits at the most.
inline constexpr std::uint32_t most_input_bits = 8;

/// Which activation bits drive word lines together: cycles of `bits_per_cycle` from the lowest bit
/// on, the top one shorter where they don't divide `input_bits` (ASiM's input encoding). With a
/// sign the top bit is that of two's complement and the top cycle its own, which counts negatively.
struct InputCycles {
  std::uint32_t input_bits = 1;
  std::uint32_t bits_per_cycle = 1;
  bool has_sign = false;

  /// Bits that aren't the sign.
  std::uint32_t magnitude_bits() const { return has_sign ? input_bits - 1 : input_bits; }
  std::uint32_t count() const {
    return (magnitude_bits() + bits_per_cycle - 1) / bits_per_cycle + (has_sign ? 1 : 0);
  }
  bool is_sign(std::uint32_t bit) const { return has_sign && bit + 1 == input_bits; }
  std::uint32_t first_bit(std::uint32_t cycle) const {
    return has_sign && cycle + 1 == count() ? input_bits - 1 : cycle * bits_per_cycle;
  }
  std::uint32_t bits(std::uint32_t cycle) const {
    const std::uint32_t first = first_bit(cycle);
    return is_sign(first) ? 1 : std::min(bits_per_cycle, magnitude_bits() - first);
  }
  std::uint32_t cycle_of(std::uint32_t bit) const {
    return is_sign(bit) ? count() - 1 : bit / bits_per_cycle;
  }
};

/// Bits of two's complement for levels of `bits` bits less `zero_level`, which is one of them.
constexpr std::uint32_t bits_with_sign(std::uint32_t bits, std::uint32_t zero_level) {
  const std::uint32_t reach = std::max(zero_level, (1U << bits) - zero_level);
  std::uint32_t result = 1;
  while (1U << (result - 1) < reach) ++result;
  return result;
}

/// What full drive of a row counts.
constexpr std::uint32_t highest_level(std::uint32_t bits) { return (1U << bits) - 1; }

/// Throws UsageError for more bits in a cycle than the layer's input has, or its magnitude, for
/// more than most_input_bits with a sign, and for votes of several.
void check_cycles(const InputCycles& cycles, const std::string& layer,
                  const ProtectedDiagonals& diagonals);

}  // namespace cimstat::experiments
