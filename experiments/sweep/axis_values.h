#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/sweep/sweep_section.h"

/// The values of axes: grids, samples, and what a file of points holds.
namespace cimstat::experiments {

/// `count` values with both ends, those between rounded to 12 digits, so that no machine's
/// arithmetic shows in them.
std::vector<double> grid_values(double from, double to, std::uint64_t count, Spacing spacing);

/// The value at the share `u`, in (0, 1), of the way, likewise rounded.
double value_between(double from, double to, Spacing spacing, double u);
/// A whole number from `from` to `to`: equally likely, or with equal ratios so.
double whole_between(double from, double to, Spacing spacing, double u);

/// Shares in (0, 1), [axis][sample]: a function of what is given alone.
std::vector<std::vector<double>> sample_shares(std::uint64_t seed, Sampling sampling,
                                               std::size_t axes, std::uint64_t samples);

}  // namespace cimstat::experiments
