#pragma once

#include <cstdint>

#include "core/statistics/statistics.h"

/// Intervals of one proportion, or of all proportions of a multinomial row or of a whole table at
/// once.
namespace cimstat::core {

enum class IntervalMethod {
  clopper_pearson,  ///< never covers less than promised: for claims
  jeffreys,         ///< covers about as promised, shorter: for display
  goodman,          ///< Wilson's form; for all proportions of a row Goodman's (1965): approximate
};

/// The level of each of `members` intervals such that all of them hold together at `confidence`, by
/// Bonferroni's inequality: 1 - (1 - confidence) / members. members >= 1.
double simultaneous_level(double confidence, std::uint64_t members);

/// Of k = `successes` of n = `trials`; the lower end is 0 where k = 0 and the upper 1 where k = n:
/// nothing seen gives an upper limit. At simultaneous_level, Clopper-Pearson gives Bonferroni's and
/// Goodman (Technometrics 7, 1965, 247: chi^2_1 at (1 - confidence) / K) Goodman's simultaneous
/// intervals.
Interval proportion_interval(IntervalMethod method, std::uint64_t successes, std::uint64_t trials,
                             double confidence);

}  // namespace cimstat::core
