#pragma once

#include <cstdint>

#include "core/statistics/statistics.h"

/// How long to sample for a probability that is to be known to a given relative error, whatever it
/// is: the gamma Bernoulli approximation scheme (Huber, Random Structures & Algorithms 50, 2017,
/// 173).
///
/// Trials run until success k comes, in trial N. With an exponential time of mean 1 between trials
/// that takes R ~ Gamma(N, 1) altogether, and the times between successes are exponential too, with
/// rate p: p R ~ Gamma(k, 1), and the relative error of (k - 1) / R has a law that is known before
/// the first trial.
namespace cimstat::core {

/// P(|estimate / p - 1| > relative_error) for any p; successes >= 2, 0 < relative_error < 1.
double gamma_bernoulli_failure(std::uint64_t successes, double relative_error);

/// The fewest successes for which that is at most 1 - confidence: 385 for 10 % at 95 %. Throws
/// UsageError where that takes more than 2^24, or relative_error or confidence is not between 0
/// and 1.
std::uint64_t gamma_bernoulli_successes(double relative_error, double confidence);

struct GammaBernoulli {
  std::uint64_t successes = 0;  ///< k
  std::uint64_t trials = 0;     ///< N, in which success k came
  double time = 0.0;            ///< R

  double probability() const;                  ///< (k - 1) / R, unbiased; but at most 1
  Interval interval(double confidence) const;  ///< of p; exact, half of what may go wrong each side
};

/// R from one uniform number, 0 < uniform < 1, by inversion. successes >= 2, trials >= successes.
GammaBernoulli gamma_bernoulli(std::uint64_t successes, std::uint64_t trials, double uniform);

}  // namespace cimstat::core
