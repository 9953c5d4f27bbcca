#pragma once

#include <span>
#include <string>

#include "core/config/config.h"
#include "core/file/json.h"
#include "core/statistics/statistics.h"

/// What is known of cells beside what is seen of them.
namespace cimstat::experiments {

/// A property of some cells: as the law has it, as the cells have it, and an interval of the
/// latter.
struct Comparison {
  double law = 0.0;
  double sampled = 0.0;
  core::Interval interval = {};
};

struct MomentComparison {
  Comparison mean;  ///< a normal interval
  Comparison sd;    ///< a normal interval, with the variance of squares that the values have
};

MomentComparison compare_moments(std::span<const double> values, double law_mean, double law_sd,
                                 double confidence);

/// "40.1 uS"; "?" where the value is infinite: too few cells to say.
std::string value_text(double value, core::Quantity quantity);
/// "40.1 uS [39.8 uS, 40.4 uS]".
std::string sampled_text(const Comparison& comparison, core::Quantity quantity);
core::Json json_of(const Comparison& comparison);

}  // namespace cimstat::experiments
