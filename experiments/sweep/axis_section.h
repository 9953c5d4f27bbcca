#pragma once

#include <string>

#include "experiments/sweep/sweep_section.h"

namespace cimstat::experiments {

/// The list of [sweep.axis.NAME].
core::Section axis_section();

/// Reads [sweep.axis.NAME], of which `axes` is the table around. Throws UsageError.
AxisSetting read_axis(const core::SectionReader& section, const std::string& name,
                      const core::SectionReader& axes);

}  // namespace cimstat::experiments
