#pragma once

#include <cstdint>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "circuits/wires/crossbar.h"

namespace cimstat::experiments {

/// What a configuration asks of whole arrays with the resistance of their wires: the section
/// [wires]. Their inputs are the column's rows.
struct WiresSettings {
  std::uint32_t columns = 1;
  std::uint32_t active_rows = 0;
  circuits::Supply supply = circuits::Supply::input_line;
  circuits::Pairing pairing = circuits::Pairing::none;
  circuits::WireResistances wires;
  double highest_share = 0.5;  ///< of cells (of pairs: the positive ones) in the highest level
  std::uint64_t arrays = 1;
  double tolerance = 1e-9;
};

core::Section wires_section();

/// `rows` is the column's. Throws UsageError.
WiresSettings read_wires_settings(const core::SectionReader& section, std::uint32_t rows);

/// "input_line" and so on.
std::string_view word_of(circuits::Supply supply);

}  // namespace cimstat::experiments
