#include "experiments/sweep/sweep_fields.h"

namespace cimstat::experiments {

std::size_t SweepFields::width(const SweepField& field) const {
  switch (field.shape) {
    case FieldShape::row:
      return classes;
    case FieldShape::table:
      return classes * codes;
    case FieldShape::point:
      break;
  }
  return 1;
}

}  // namespace cimstat::experiments
