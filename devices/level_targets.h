#pragma once

#include <vector>

#include "core/config/parameter.h"
#include "core/config/section_reader.h"

/// The conductances that the levels of a cell with a continuous range aim at.
namespace cimstat::devices {

/// Where a published model holds, and the levels where the configuration names none [S].
struct TargetRange {
  double lowest = 0.0;
  double highest = 0.0;
};

/// The keys `levels`, `lowest`, `highest` and `targets`.
std::vector<core::Parameter> target_parameters();

/// Conductances [S], ascending: those of `targets`, or `levels` of them evenly spaced from `lowest`
/// to `highest`, by default two over the whole range. Throws UsageError for targets outside of the
/// range, not ascending, fewer than two or more than most_levels.
std::vector<double> read_targets(const core::SectionReader& cell, TargetRange range);

}  // namespace cimstat::devices
