#include "core/statistics/proportion_interval.h"

#include <stdexcept>

namespace cimstat::core {

double simultaneous_level(double confidence, std::uint64_t members) {
  if (members == 0) throw std::invalid_argument("no interval is to hold");
  return members == 1 ? confidence : 1.0 - (1.0 - confidence) / static_cast<double>(members);
}

Interval proportion_interval(IntervalMethod method, std::uint64_t successes, std::uint64_t trials,
                             double confidence) {
  switch (method) {
    case IntervalMethod::jeffreys:
      return jeffreys(successes, trials, confidence);
    case IntervalMethod::goodman:
      return wilson(successes, trials, confidence);
    case IntervalMethod::clopper_pearson:
      break;
  }
  return clopper_pearson(successes, trials, confidence);
}

}  // namespace cimstat::core
