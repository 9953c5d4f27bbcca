#pragma once

#include "core/config/section_reader.h"

#include "experiments/macro/macro.h"

namespace cimstat::experiments {

/// Refuses times beyond what the cells' model was measured up to. Before the cell is read, which
/// knows no place of [conditions]. Throws UsageError.
void check_latest_time(const core::SectionReader& root, const devices::Conditions& conditions);

/// Refuses conditions that change nothing, and warns of a temperature that only the circuits around
/// the cells know. `root` is the whole file; `common_factor_sd` is column.common_factor_sd. The
/// cell must have been read. Throws UsageError.
void check_conditions(const core::SectionReader& root, Macro& macro);

}  // namespace cimstat::experiments
