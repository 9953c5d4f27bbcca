#include "experiments/frozen_accuracy.h"

#include "experiments/macro/die_factor.h"

namespace cimstat::experiments {

ChipDesign chip_design(const Experiment& experiment) {
  refuse_field(experiment.macro, "a frozen chip");
  return ChipDesign(experiment.macro.design);
}

}  // namespace cimstat::experiments
