#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

#include "devices/conditions.h"

#include "circuits/column.h"

/// The section [bit_line] of a configuration.
namespace cimstat::circuits {

core::Section bit_line_section();

/// What a line needs to know besides its own section.
struct LineSurroundings {
  std::uint32_t rows = 1;
  double read_voltage = 0.0;  ///< [V], supply included
  double parasitic = 0.0;     ///< of a line of capacitors, where the section says nothing [F]
  devices::Conditions conditions;
};

/// Throws UsageError.
BitLine read_bit_line(const core::SectionReader& section, const LineSurroundings& surroundings);

/// Of a design whose cells are known: throws UsageError where the line ends below the voltage at
/// which its cells leave saturation, all rows in LRS.
void check_saturation(const core::SectionReader& section, const ColumnDesign& design);

/// The same where the injected charge alone moves the line by more than its cells are driven to.
void check_injection(const core::SectionReader& section, const ColumnDesign& design);

// Keys in what a line delivers come in pairs, one in amperes and one in volts; the one of the other
// unit is refused.

/// The parameter in volts beside one in amperes; optional.
core::Parameter voltage_parameter(std::string_view key, std::string_view meaning,
                                  std::string_view example);

/// The value of the key that suits the line; the one in amperes has a default, the one in volts is
/// 0 where it is left out. Throws UsageError.
double delivered_number(const core::SectionReader& section, const BitLine& line,
                        std::string_view current_key, std::string_view voltage_key);

/// Offset and noise of the sense amplifier of a line that delivers volts; leaves those of others as
/// they are. Throws UsageError.
void read_voltages(const core::SectionReader& sense_amplifier, ColumnDesign& design);

/// The line in words, with units; ASCII.
std::string describe(const BitLine& line);

}  // namespace cimstat::circuits
