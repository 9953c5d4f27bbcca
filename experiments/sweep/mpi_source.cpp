#include "experiments/sweep/mpi_source.h"

#include <algorithm>

namespace cimstat::experiments {

std::optional<UnitRange> MpiSource::next() {
  const std::optional<core::UnitNumbers> numbers = queue_.next();
  if (!numbers) return std::nullopt;
  const std::uint64_t end = std::min(numbers->end * group_, units_);
  handed_out_ = end;  // they go out in order
  return UnitRange{numbers->first * group_, end};
}

}  // namespace cimstat::experiments
