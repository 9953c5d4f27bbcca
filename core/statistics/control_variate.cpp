#include "core/statistics/control_variate.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::core {

namespace {

constexpr std::size_t least_samples = 8;

/// Slope of the regression of the values on the controls, over every second sample from `first`.
double slope(std::span<const double> values, std::span<const double> controls, std::size_t first) {
  Moments value;
  Moments control;
  for (std::size_t i = first; i < values.size(); i += 2) {
    value.add(values[i]);
    control.add(controls[i]);
  }
  double product = 0.0;
  double square = 0.0;
  for (std::size_t i = first; i < values.size(); i += 2) {
    const double shift = controls[i] - control.mean();
    product += shift * (values[i] - value.mean());
    square += shift * shift;
  }
  return square > 0.0 ? product / square : 0.0;
}

}  // namespace

double ControlledMean::variance_reduction() const {
  const double ratio = plain_standard_error / standard_error;
  return ratio * ratio;
}

Interval ControlledMean::interval(double confidence) const {
  const double half = student_t(confidence, static_cast<double>(count - 4)) * standard_error;
  return {mean - half, mean + half};
}

ControlledMean controlled_mean(std::span<const double> values, std::span<const double> controls,
                               double control_mean) {
  if (values.size() != controls.size() || values.size() < least_samples) {
    throw UsageError(error_line(
        "control variate", fmt::format("{} values and {} controls", values.size(), controls.size()),
        fmt::format("as many of each are needed, {} at least", least_samples), "give more"));
  }
  const std::array slopes{slope(values, controls, 0), slope(values, controls, 1)};
  Moments plain;
  std::array<Moments, 2> halves;
  for (std::size_t i = 0; i < values.size(); ++i) {
    plain.add(values[i]);
    halves[i % 2].add(values[i] - slopes[1 - i % 2] * (controls[i] - control_mean));
  }
  ControlledMean result{.mean = 0.0,
                        .standard_error = 0.0,
                        .plain_mean = plain.mean(),
                        .plain_standard_error = plain.standard_error(),
                        .coefficient = 0.5 * (slopes[0] + slopes[1]),
                        .count = values.size()};
  double variance = 0.0;
  for (const Moments& half : halves) {
    const double share = static_cast<double>(half.count()) / static_cast<double>(values.size());
    result.mean += share * half.mean();
    variance += share * share * half.standard_error() * half.standard_error();
  }
  result.standard_error = std::sqrt(variance);
  return result;
}

}  // namespace cimstat::core
