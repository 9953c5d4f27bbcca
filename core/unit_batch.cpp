#include "core/unit_batch.h"

#include <algorithm>
#include <cmath>

namespace cimstat::core {

std::uint64_t wished_batch(std::uint64_t units, double seconds) {
  constexpr double batch_seconds = 0.5;
  constexpr double most_growth = 4.0;
  if (units == 0) return 1;
  const auto before = static_cast<double>(units);
  const double growth =
      seconds > batch_seconds / most_growth ? batch_seconds / seconds : most_growth;
  constexpr double most_units = 0x1p62;
  return static_cast<std::uint64_t>(std::clamp(std::floor(before * growth), 1.0, most_units));
}

std::uint64_t granted_batch(std::uint64_t wished, std::uint64_t left, std::uint64_t workers) {
  const std::uint64_t share = left / std::max<std::uint64_t>(workers, 1) / 4;
  return std::clamp<std::uint64_t>(wished, 1, std::max<std::uint64_t>(share, 1));
}

}  // namespace cimstat::core
