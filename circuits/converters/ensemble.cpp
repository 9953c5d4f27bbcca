#include "circuits/converters/ensemble.h"

#include <cmath>

namespace cimstat::circuits {

ColumnDesign over_converters(ColumnDesign design) {
  Comparator& comparator = design.comparator;
  double& offset_sd = comparator.mismatch.offset_sd;
  if (offset_sd == 0.0) return design;
  switch (comparator.kind) {
    case ConverterKind::flash:
    case ConverterKind::flash_lowest_zero:
    case ConverterKind::pipeline:
      comparator.noise_sd = std::hypot(comparator.noise_sd, offset_sd);
      offset_sd = 0.0;
      break;
    case ConverterKind::sar:
    case ConverterKind::ramp:
      design.sense.offset_sd = std::hypot(design.sense.offset_sd, offset_sd);
      offset_sd = 0.0;
      break;
    case ConverterKind::cyclic:
      break;
  }
  return design;
}

std::optional<std::string> circuit_reason(const Comparator& comparator) {
  const ConverterMismatch& mismatch = comparator.mismatch;
  const bool in_stages =
      comparator.kind == ConverterKind::pipeline || comparator.kind == ConverterKind::cyclic;
  if (mismatch.element_sd > 0.0) {
    switch (comparator.kind) {
      case ConverterKind::flash:
      case ConverterKind::flash_lowest_zero:
        return "the resistors of a converter shift its references together";
      case ConverterKind::sar:
      case ConverterKind::pipeline:
      case ConverterKind::cyclic:
        return "the capacitors of a converter shift its decisions together";
      case ConverterKind::ramp:
        return "the steps of a ramp add up";
    }
  }
  if (in_stages && std::isfinite(mismatch.amplifier_gain)) {
    return "the amplifiers of a converter shift its decisions together";
  }
  if (comparator.kind == ConverterKind::cyclic && mismatch.offset_sd > 0.0) {
    return "a cyclic converter asks the same comparators again and again";
  }
  if (comparator.noise_sd == 0.0) return std::nullopt;
  if (in_stages) return "what a stage of a converter decides, the next ones see";
  if (comparator.kind == ConverterKind::sar && mismatch.radix < 2.0) {
    return "later decisions of a converter make good earlier ones";
  }
  return std::nullopt;
}

}  // namespace cimstat::circuits
