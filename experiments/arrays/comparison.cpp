#include "experiments/arrays/comparison.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

namespace cimstat::experiments {

MomentComparison compare_moments(std::span<const double> values, double law_mean, double law_sd,
                                 double confidence) {
  core::Moments moments;
  for (const double value : values) moments.add(value);
  const double z = core::normal_z(confidence);
  const double reach = z * moments.standard_error();
  const double sd = std::sqrt(moments.variance());
  core::Moments squares;
  for (const double value : values) squares.add(std::pow(value - moments.mean(), 2));
  // sd^2 +- r is about sd +- r / (2 sd).
  const double spread = sd > 0.0 ? z * squares.standard_error() / (2.0 * sd) : 0.0;
  return {{law_mean, moments.mean(), {moments.mean() - reach, moments.mean() + reach}},
          {law_sd, sd, {std::max(0.0, sd - spread), sd + spread}}};
}

std::string value_text(double value, core::Quantity quantity) {
  return std::isfinite(value) ? core::format_quantity(value, quantity) : "?";
}

std::string sampled_text(const Comparison& comparison, core::Quantity quantity) {
  return fmt::format("{} [{}, {}]", value_text(comparison.sampled, quantity),
                     value_text(comparison.interval.lower, quantity),
                     value_text(comparison.interval.upper, quantity));
}

core::Json json_of(const Comparison& comparison) {
  return {{"law", comparison.law},
          {"sampled", comparison.sampled},
          {"interval", {comparison.interval.lower, comparison.interval.upper}}};
}

}  // namespace cimstat::experiments
