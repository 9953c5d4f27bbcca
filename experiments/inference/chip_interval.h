#pragma once

#include <span>

#include "core/statistics/statistics.h"

/// Intervals over few chips, whose accuracies have a long tail: most chips lie close to the best
/// possible accuracy, some far below.
namespace cimstat::experiments {

/// Of the mean: Student's t, and that of Hall (1992), "On the removal of skewness by
/// transformation", whose t is corrected by a cubic in it for the skewness of the values; each end
/// is that which lies further out. Two or more values that are not all equal.
core::Interval mean_of_chips(std::span<const double> values, double confidence);

/// Of the standard deviation: that of normal values (chi-square), and from five on that of Bonett
/// (2006), "Approximate confidence interval for standard deviation of nonnormal distributions",
/// which takes the kurtosis from the values; each end is that which lies further out.
core::Interval spread_of_chips(std::span<const double> values, double confidence);

}  // namespace cimstat::experiments
