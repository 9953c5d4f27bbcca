#include "experiments/frozen_accuracy.h"

#include "core/error.h"

#include "experiments/inference/chip_accuracy.h"
#include "experiments/inference/level_accuracy.h"
#include "experiments/macro/die_factor.h"

namespace cimstat::experiments {

namespace {

/// Of chips with keys of their own (LevelOptions::any).
LevelDesign level_design(const Experiment& experiment) {
  refuse_field(experiment.macro, "a frozen chip");
  const AccuracySettings& settings = experiment.accuracy;
  if (settings.half_width && settings.levels.range == ConverterRange::observed) {
    throw core::UsageError(core::error_line(
        "accuracy.half_width", "has no place beside an observed converter_range",
        "a run that ends early would cut batches of images", "leave one of them out"));
  }
  if (experiment.macro.conditions.calibration == devices::Calibration::nominal &&
      settings.levels.range == ConverterRange::observed) {
    throw core::UsageError(core::error_line(
        "conditions.references", "has no place beside an observed converter_range",
        "there are no references, and codes count in steps of the cells as they are read",
        "leave one of them out"));
  }
  return {experiment.macro.design, settings.levels};
}

}  // namespace

ChipDesign chip_design(const Experiment& experiment) {
  refuse_field(experiment.macro, "a frozen chip");
  if (experiment.accuracy.levels.any()) level_design(experiment);
  return ChipDesign(experiment.macro.design);
}

AccuracyResult frozen_accuracy(const Experiment& experiment, const Network& network,
                               const ImageSet& image_set, const AccuracyOptions& options,
                               core::Threads threads, const core::Progress& progress) {
  if (experiment.accuracy.levels.any()) {
    return accuracy_on_level_chips(network, image_set, level_design(experiment), options, threads,
                                   progress);
  }
  return accuracy_on_chips(network, image_set, chip_design(experiment), options, threads, progress);
}

void check_frozen_accuracy(const Experiment& experiment, const Network& network,
                           const ImageSet& image_set, const AccuracyOptions& options) {
  if (experiment.accuracy.levels.any()) {
    check_accuracy_on_level_chips(network, image_set, level_design(experiment), options);
  } else {
    check_accuracy_on_chips(network, image_set, chip_design(experiment), options);
  }
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
