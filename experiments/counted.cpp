#include "experiments/counted.h"

#include <fmt/format.h>

namespace cimstat::experiments {

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  if (count == 1) return fmt::format("1 {}", one);
  return many.empty() ? fmt::format("{} {}s", count, one) : fmt::format("{} {}", count, many);
}

}  // namespace cimstat::experiments
