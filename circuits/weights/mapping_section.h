#pragma once

#include <optional>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "circuits/weights/row_states.h"

/// The section [mapping]: how weights lie on cells and inputs on word lines.
namespace cimstat::circuits {

struct Mapping {
  WeightForm form = WeightForm::single;
  std::uint32_t input_steps = 2;
  Subtraction subtraction = Subtraction::analog;
  std::optional<std::uint32_t> weight_bits = {};  ///< of a whole weight, cut into slices
};

core::Section mapping_section();

/// Throws UsageError.
Mapping read_mapping(const core::SectionReader& section);

}  // namespace cimstat::circuits
