#include "experiments/sweep/mpi_source.h"

namespace cimstat::experiments {

std::optional<UnitRange> MpiSource::next() {
  const std::optional<core::UnitNumbers> numbers = queue_.next();
  if (!numbers) return std::nullopt;
  handed_out_ = numbers->end;  // they go out in order
  return UnitRange{numbers->first, numbers->end};
}

}  // namespace cimstat::experiments
