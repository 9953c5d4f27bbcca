#include "experiments/inference/input_cycles.h"

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

void check_cycles(const InputCycles& cycles, const std::string& layer,
                  const ProtectedDiagonals& diagonals) {
  const auto refuse = [&](const std::string& why, const std::string& remedy) {
    throw core::UsageError(core::error_line(
        "accuracy.input_bits_per_cycle",
        fmt::format("{} can't drive a row at once", counted(cycles.bits_per_cycle, "bit")), why,
        remedy));
  };
  if (cycles.input_bits > most_input_bits) {
    throw core::UsageError(core::error_line(
        "accuracy.input_signs",
        fmt::format("layer '{}' takes {} bits with a sign", layer, cycles.input_bits),
        fmt::format("{} at most, and one fewer where the level of 0 is not the middle one",
                    most_input_bits),
        "import with --zero-level middle or fewer --activation-bits, or write \"zero_point\""));
  }
  const std::uint32_t most = std::max(cycles.magnitude_bits(), 1U);
  if (cycles.bits_per_cycle < 1 || cycles.bits_per_cycle > most) {
    refuse(fmt::format("layer '{}' has inputs of {}{}", layer, counted(most, "bit"),
                       cycles.has_sign ? " beside their sign" : ""),
           most == 1 ? "write 1" : fmt::format("write 1 to {}", most));
  }
  if (cycles.bits_per_cycle > 1 && diagonals.count > 0 && diagonals.kind == Protection::vote) {
    refuse("votes are of reads of one bit", "protect by \"digital\" or \"converter\"");
  }
}

}  // namespace cimstat::experiments
