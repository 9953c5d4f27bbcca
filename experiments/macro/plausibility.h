#pragma once

#include <string>
#include <vector>

#include "core/config/section_reader.h"

#include "experiments/macro/macro.h"

namespace cimstat::experiments {

/// Lines about magnitudes that can be computed but that no macro known to us has, as where a prefix
/// was forgotten (8 for 8 kohm) or a percentage written for a fraction. `root` is the whole file.
std::vector<std::string> implausible_magnitudes(const core::SectionReader& root,
                                                const Macro& macro);

}  // namespace cimstat::experiments
