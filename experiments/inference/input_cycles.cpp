#include "experiments/inference/input_cycles.h"

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {

void check_cycles(const InputCycles& cycles, const std::string& layer,
                  const ProtectedDiagonals& diagonals) {
  const auto refuse = [&](const std::string& why, const std::string& remedy) {
    throw core::UsageError(core::error_line(
        "accuracy.input_bits_per_cycle",
        fmt::format("{} bits can't drive a row at once", cycles.bits_per_cycle), why, remedy));
  };
  if (cycles.bits_per_cycle < 1 || cycles.bits_per_cycle > cycles.input_bits) {
    refuse(fmt::format("layer '{}' has inputs of {} bits", layer, cycles.input_bits),
           fmt::format("write 1 to {}", cycles.input_bits));
  }
  if (cycles.bits_per_cycle > 1 && diagonals.count > 0 && diagonals.kind == Protection::vote) {
    refuse("votes are of reads of one bit", "protect by \"digital\" or \"converter\"");
  }
}

}  // namespace cimstat::experiments
