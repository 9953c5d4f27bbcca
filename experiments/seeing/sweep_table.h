#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/file/json.h"

#include "experiments/seeing/sweep_points.h"

/// The points of a sweep in text, CSV and JSON.
namespace cimstat::experiments {

/// All points of a sweep, or those at some values of its axes.
struct SweepSlice {
  std::vector<std::uint64_t> points;  ///< ascending
  std::vector<std::string> notes;     ///< where an axis does not have the value asked for
};

/// Each of `at` is NAME=VALUE: a word of the axis, or a number, with or without a unit, of which
/// the nearest value is taken. Of sampled axes one can be named. Throws UsageError naming --at.
SweepSlice slice_of(const SweepRecord& record, const std::vector<std::string>& at);

/// The axes, the extremes of each quantity among these points, and where they are few the points.
std::string format_sweep(const SweepRecord& record, const SweepSlice& slice);

/// A line for each point: coordinates in SI units, then value, lower and upper end of each
/// quantity, in digits that read back the same; what is not known stays empty.
std::string sweep_as_csv(const SweepRecord& record, const SweepSlice& slice);

/// The same as members "points", "axes" and "quantities" of an object.
core::Json sweep_as_json(const SweepRecord& record, const SweepSlice& slice);

}  // namespace cimstat::experiments
