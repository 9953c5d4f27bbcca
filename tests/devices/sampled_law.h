#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "core/law/law.h"
#include "core/law/shape.h"
#include "core/random/random.h"

/// Samples against the law that they claim to come from.
namespace cimstat::tests {

/// Standard normal numbers of one stream.
class NormalNumbers {
 public:
  explicit NormalNumbers(std::uint64_t seed) : random_({seed, 0}, core::Domain::test, 0) {}
  double operator()() { return core::normal_quantile(core::Tail::lower, random_.uniform()); }

 private:
  core::TrialRandom random_;
};

/// The largest deviation in standard errors: of the mean, of the variance, and of how many samples
/// lie below quantiles of the law, eleven comparisons in all. Of a right law it exceeds
/// `bonferroni_limit` with probability 1e-6.
inline double largest_deviation(const std::vector<double>& samples, const core::Law& law) {
  const auto count = static_cast<double>(samples.size());
  double mean = 0.0;
  for (const double x : samples) mean += x / count;
  double square = 0.0;
  double fourth = 0.0;
  for (const double x : samples) {
    const double deviation = x - law.mean();
    square += deviation * deviation / count;
    fourth += deviation * deviation * deviation * deviation / count;
  }
  double largest = std::abs(mean - law.mean()) / (law.sd() / std::sqrt(count));
  largest = std::max(
      largest, std::abs(square - law.variance()) / std::sqrt((fourth - square * square) / count));
  for (const double p : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
    const double x = law.quantile(core::Tail::lower, p);
    const double expected = law.tail_probability(core::Tail::lower, x);
    const auto below = static_cast<double>(
        std::count_if(samples.begin(), samples.end(), [&](double s) { return s <= x; }));
    largest = std::max(largest, std::abs(below / count - expected) /
                                    std::sqrt(expected * (1.0 - expected) / count));
  }
  return largest;
}

inline constexpr double bonferroni_limit = 5.33;  // 2 * 11 * P(N(0, 1) > this) = 1e-6

}  // namespace cimstat::tests
