#include "circuits/rare/log_tail.h"

#include <cmath>
#include <numbers>

namespace cimstat::circuits {

double log_normal_tail(double z) {
  if (z < 30.0) return std::log(0.5 * std::erfc(z * (0.5 * std::numbers::sqrt2)));
  // Mills' ratio: 1/z (1 - 1/z^2 + 3/z^4 - 15/z^6), wrong by 105/z^8 < 2e-10.
  const double y = 1.0 / (z * z);
  return -0.5 * z * z - std::log(z * std::sqrt(2.0 * std::numbers::pi)) +
         std::log1p(-y * (1.0 - y * (3.0 - 15.0 * y)));
}

double log_logistic_tail(double z) {
  return z > 0.0 ? -z - std::log1p(std::exp(-z)) : -std::log1p(std::exp(z));
}

}  // namespace cimstat::circuits
