#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/file/json.h"

#include "experiments/seeing/sweep_points.h"

/// Two results of sweeps over the same points: where they differ beyond their intervals.
namespace cimstat::experiments {

struct SweepDifference {
  std::size_t quantity = 0;  ///< of a's scalars
  std::size_t other = 0;     ///< the same of b's
  std::uint64_t point = 0;
  /// Adjusted after Holm over all that was compared; 0 where exact values differ, or bounds of the
  /// computation do not meet.
  double p_value = 0.0;
};

struct SweepComparison {
  std::uint64_t compared = 0;              ///< values of quantities at points, with numbers in both
  std::uint64_t unknown = 0;               ///< known in one of the two alone
  std::vector<SweepDifference> differing;  ///< at the level, the most significant first
  std::vector<std::string> unmatched;      ///< quantities that one of the two alone has

  bool differ() const { return !differing.empty() || unknown > 0 || !unmatched.empty(); }
};

/// What keeps two sweeps from being compared point by point: "sigma has 7 values, and 8"; "" where
/// they have the same axes.
std::string axes_difference(const SweepRecord& a, const SweepRecord& b);

/// Quantities of one name are compared at every point. Intervals are taken for those of normal
/// estimates, on the side that faces the other: z = |a - b| over the root of the sum of the squared
/// half widths, each divided by its normal quantile. That is close to the exact conditional test
/// for counts (0 against 10: 0.0021 instead of 0.0020), and on its safe side for points that share
/// random numbers. `level`: of reporting any difference where there is none. The axes are the same.
SweepComparison compare_sweeps(const SweepRecord& a, const SweepRecord& b, double level);

std::string format_comparison(const SweepRecord& a, const SweepRecord& b,
                              const SweepComparison& comparison, double level, std::size_t listed);
core::Json comparison_as_json(const SweepRecord& a, const SweepRecord& b,
                              const SweepComparison& comparison, double level);

}  // namespace cimstat::experiments
