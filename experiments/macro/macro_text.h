#pragma once

#include <span>
#include <string>
#include <vector>

#include "experiments/macro/macro.h"

/// What a macro is made of, in the words of the field: one source for every place that says it.
namespace cimstat::experiments {

/// A part of the macro and what is in force of it; ASCII, with units.
struct MacroLine {
  std::string part;  ///< "LRS", "sense amplifier" ...
  std::string text;
};

/// LRS, HRS, on/off ratio, cell (where it is more than its two levels), column, leakage, sense
/// amplifier, converter. What is switched off (a spread of 0, no dummy column) is not named.
std::vector<MacroLine> macro_lines(const Macro& macro);

/// The same for a terminal: each line indented by two blanks and ended, the texts below each other.
std::string aligned_text(std::span<const MacroLine> lines);

}  // namespace cimstat::experiments
