#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "devices/any_cell.h"

#include "circuits/column.h"
#include "circuits/references/references.h"
#include "circuits/weights/mapping_section.h"

namespace cimstat::experiments {

/// A column of cells with its sense amplifier and converter, as described and as the engines see
/// it.
struct Macro {
  devices::AnyCell cell;
  devices::Conditions conditions;
  circuits::Mapping mapping;
  bool has_field = false;              ///< [spatial_field]: in the laws of cells and common factor
  std::optional<core::Shape> leakage;  ///< conductance of one unselected row [S]
  double read_voltage = 0.0;           ///< [V]
  /// What conditions.corner makes of all currents of cells that know no corner themselves.
  double corner_factor = 1.0;
  circuits::Placement placement = circuits::Placement::midpoint;
  std::uint32_t reference_rows = 0;
  circuits::ColumnDesign design;
  std::vector<std::string> warnings;  ///< lines about what can be computed but is likely not meant
};

/// The sections that describe a macro: [cell], [column], [sense_amplifier], [converter],
/// [bit_line], [conditions], [mapping].
std::vector<core::Section> macro_sections();

/// Reads them; `root` is the whole file. Throws UsageError.
Macro read_macro(const core::SectionReader& root);

}  // namespace cimstat::experiments
