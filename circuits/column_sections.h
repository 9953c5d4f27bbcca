#pragma once

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "devices/conditions.h"

#include "circuits/column.h"
#include "circuits/references/references.h"

/// What a configuration says of a column: the sections [column], [sense_amplifier] and [converter].
namespace cimstat::circuits {

core::Section column_section();
core::Section sense_amplifier_section();
core::Section converter_section();

/// Thermal noise at the conditions' temperature. Throws UsageError.
SenseAmplifier read_sense_amplifier(const core::SectionReader& section,
                                    const devices::Conditions& conditions = {});

/// ColumnDesign::common_factor_sd of a design whose sense amplifier has a gain error of its own;
/// `section` is the sense amplifier's. Throws UsageError where the design has both.
double common_factor(const core::SectionReader& section, const ColumnDesign& design);

struct Converter {
  Comparator comparator;
  Placement placement = Placement::midpoint;
  std::uint32_t reference_rows = 0;
  Ladder ladder;
};

/// Places the references of a design whose currents are known. Throws UsageError.
Converter read_converter(const core::SectionReader& section, const ColumnDesign& design);

}  // namespace cimstat::circuits
