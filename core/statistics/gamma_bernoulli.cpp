#include "core/statistics/gamma_bernoulli.h"

#include <algorithm>
#include <string_view>

#include <boost/math/special_functions/gamma.hpp>
#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::core {

namespace {

void require_fraction(std::string_view name, double value) {
  if (value > 0.0 && value < 1.0) return;
  throw UsageError(
      error_line(name, fmt::format("{:g} is out of range", value), "must lie between 0 and 1"));
}

}  // namespace

double gamma_bernoulli_failure(std::uint64_t successes, double relative_error) {
  const auto k = static_cast<double>(successes);
  // Too large an estimate is a short time.
  return boost::math::gamma_p(k, (k - 1.0) / (1.0 + relative_error)) +
         boost::math::gamma_q(k, (k - 1.0) / (1.0 - relative_error));
}

std::uint64_t gamma_bernoulli_successes(double relative_error, double confidence) {
  require_fraction("relative error", relative_error);
  require_fraction("confidence", confidence);
  constexpr std::uint64_t most = std::uint64_t{1} << 24;
  const auto suffice = [&](std::uint64_t successes) {
    return gamma_bernoulli_failure(successes, relative_error) <= 1.0 - confidence;
  };
  std::uint64_t enough = 2;
  while (!suffice(enough)) {
    if (enough >= most) {
      throw UsageError(error_line("relative error",
                                  fmt::format("{:g} is too small", relative_error),
                                  "it takes more than 2^24 misreads", "raise it"));
    }
    enough *= 2;
  }
  std::uint64_t too_few = enough / 2;  // the failure falls with the number of successes
  while (enough - too_few > 1) {
    const std::uint64_t middle = too_few + (enough - too_few) / 2;
    (suffice(middle) ? enough : too_few) = middle;
  }
  return enough;
}

double GammaBernoulli::probability() const {
  return std::min(1.0, (static_cast<double>(successes) - 1.0) / time);
}

Interval GammaBernoulli::interval(double confidence) const {
  const auto k = static_cast<double>(successes);
  const double side = 0.5 * (1.0 - confidence);
  return {std::min(1.0, boost::math::gamma_p_inv(k, side) / time),
          std::min(1.0, boost::math::gamma_q_inv(k, side) / time)};
}

GammaBernoulli gamma_bernoulli(std::uint64_t successes, std::uint64_t trials, double uniform) {
  return {successes, trials, boost::math::gamma_p_inv(static_cast<double>(trials), uniform)};
}

}  // namespace cimstat::core
