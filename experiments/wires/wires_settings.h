#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "circuits/wires/crossbar.h"

namespace cimstat::experiments {

/// The section that a resistance comes from.
enum class WireSource { wires, bit_line };

/// What a configuration asks of whole arrays with the resistance of their wires: the section
/// [wires]. Their inputs are the column's rows.
struct WiresSettings {
  std::uint32_t columns = 1;
  std::uint32_t active_rows = 0;
  circuits::Supply supply = circuits::Supply::input_line;
  circuits::Pairing pairing = circuits::Pairing::none;
  circuits::WireResistances wires;
  WireSource column_segment_from = WireSource::wires;
  WireSource sense_from = WireSource::wires;
  double highest_share = 0.5;  ///< of cells (of pairs: the positive ones) in the highest level
  std::uint64_t arrays = 1;
  double tolerance = 1e-9;
  std::string unused_line;  ///< the kind of [bit_line] where it is neither ideal nor a wire
  std::vector<std::string> warnings;  ///< where [wires] and [bit_line] say different things
};

core::Section wires_section();

/// From [wires]; where [bit_line] is a wire (wire_resistance or lumped_wire), its resistances are
/// the defaults of the bit line's. `rows` is the column's. Throws UsageError.
WiresSettings read_wires_settings(const core::SectionReader& root, std::uint32_t rows);

/// "input_line" and so on.
std::string_view word_of(circuits::Supply supply);

}  // namespace cimstat::experiments
