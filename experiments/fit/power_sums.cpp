#include "experiments/fit/sum_regression.h"

namespace cimstat::experiments {

void PowerSums::add(double value) {
  const double before = static_cast<double>(count_);
  ++count_;
  const double n = static_cast<double>(count_);
  const double delta = value - mean_;
  const double part = delta / n;
  const double square = part * part;
  const double term = delta * part * before;
  mean_ += part;
  fourth_ += term * square * (n * n - 3.0 * n + 3.0) + 6.0 * square * second_ - 4.0 * part * third_;
  third_ += term * part * (n - 2.0) - 3.0 * part * second_;
  second_ += term;
}

double PowerSums::about(double centre, int power) const {
  const double n = static_cast<double>(count_);
  const double d = mean_ - centre;
  if (power == 2) return second_ + n * d * d;
  if (power == 3) return third_ + 3.0 * d * second_ + n * d * d * d;
  return fourth_ + 4.0 * d * third_ + 6.0 * d * d * second_ + n * d * d * d * d;
}

}  // namespace cimstat::experiments
