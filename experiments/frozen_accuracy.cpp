#include "experiments/frozen_accuracy.h"

#include "experiments/macro/die_factor.h"

namespace cimstat::experiments {

ChipDesign chip_design(const Experiment& experiment) {
  refuse_field(experiment.macro, "a frozen chip");
  return ChipDesign(experiment.macro.design);
}

std::vector<std::string> frozen_parts(const Experiment& experiment) {
  const ChipDesign design = chip_design(experiment);
  std::vector<std::string> parts;
  const auto add = [&parts](bool is_frozen, const char* name) {
    if (is_frozen) parts.emplace_back(name);
  };
  add(design.lrs.table.has_value(), "LRS cells");
  add(design.hrs.table.has_value(), "HRS cells");
  add(design.leakage && design.leakage->table, "leakage");
  add(design.dummy && design.dummy->table, "dummy cells");
  add(design.offset_sd > 0.0f, "offsets");
  add(design.factor_sd > 0.0f, design.own_gain ? "gains" : "a factor of the chip");
  add(design.converter.has_value(), "converters");
  return parts;
}

}  // namespace cimstat::experiments
