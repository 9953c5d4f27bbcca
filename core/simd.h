#pragma once

#include <string>
#include <string_view>
#include <vector>

/// Which instruction set the kernels run with. A speed knob only: all give the same bits.
namespace cimstat::core {

/// Names of the targets compiled in that this CPU can run, best first, for example "AVX3_DL",
/// "AVX3", "AVX2", "SSE4", "EMU128".
std::vector<std::string> simd_targets();
/// The one in use.
std::string simd_target();
/// Uses `name` (or the best one, where empty) from here on. Not thread-safe; for the start of the
/// program, tests and benchmarks. Throws UsageError when this CPU can't.
void use_simd_target(std::string_view name);

}  // namespace cimstat::core
