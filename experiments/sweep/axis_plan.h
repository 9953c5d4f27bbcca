#pragma once

#include <vector>

#include "experiments/sweep/sweep_section.h"

namespace cimstat::experiments {

/// The axis that a setting describes; sampled ones and columns have no values yet. Throws
/// UsageError where a grid of whole numbers has one twice.
SweepAxis make_axis(const AxisSetting& setting);

void add_value(SweepAxis& axis, const core::ConfigScalar& value);

/// What an axis sets its key `key` to at its value `index`.
core::ConfigScalar value_at(const AxisSetting& setting, const SweepAxis& axis, std::size_t key,
                            std::size_t index);

/// The ends of a grid or of a sampled axis.
struct AxisRange {
  double from = 0.0;
  double to = 0.0;
};
AxisRange range_of(const AxisSetting& setting);

}  // namespace cimstat::experiments
