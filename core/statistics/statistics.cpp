#include "core/statistics/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <stdexcept>

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>

namespace cimstat::core {
namespace {

/// Intervals of 1e5 points are made while a result is written: long doubles take four times as
/// long, for digits beyond the thirteenth at 1e9 trials.
using InDoubles = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

void require_proportion(std::uint64_t successes, std::uint64_t trials, double confidence) {
  if (successes > trials) throw std::invalid_argument("more successes than trials");
  if (!(confidence > 0.0 && confidence < 1.0)) {
    throw std::invalid_argument("a confidence level lies between 0 and 1");
  }
}

}  // namespace

Interval clopper_pearson(std::uint64_t successes, std::uint64_t trials, double confidence) {
  require_proportion(successes, trials, confidence);
  const double tail = 0.5 * (1.0 - confidence);
  const auto hits = static_cast<double>(successes);
  const auto misses = static_cast<double>(trials - successes);
  Interval interval;
  if (successes == trials) {
    if (trials > 0) interval.lower = std::exp(std::log(tail) / hits);
  } else if (successes > 0) {
    interval.lower = boost::math::ibeta_inv(hits, misses + 1.0, tail, InDoubles());
  }
  if (successes == 0) {
    if (trials > 0) interval.upper = -std::expm1(std::log(tail) / misses);
  } else if (successes < trials) {
    interval.upper = boost::math::ibetac_inv(hits + 1.0, misses, tail, InDoubles());
  }
  return interval;
}

Interval jeffreys(std::uint64_t successes, std::uint64_t trials, double confidence) {
  require_proportion(successes, trials, confidence);
  const double tail = 0.5 * (1.0 - confidence);
  const double hits = static_cast<double>(successes) + 0.5;
  const double misses = static_cast<double>(trials - successes) + 0.5;
  Interval interval;
  if (successes > 0) interval.lower = boost::math::ibeta_inv(hits, misses, tail);
  if (successes < trials) interval.upper = boost::math::ibetac_inv(hits, misses, tail);
  return interval;
}

Interval wilson(std::uint64_t successes, std::uint64_t trials, double confidence) {
  require_proportion(successes, trials, confidence);
  if (trials == 0) return {};
  const double z = normal_z(confidence);
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n;
  const double q = static_cast<double>(trials - successes) / n;
  const double shrink = 1.0 + z * z / n;
  const double centre = p + z * z / (2.0 * n);
  const double half = z * std::sqrt(p * q / n + z * z / (4.0 * n * n));
  const double upper = (centre + half) / shrink;
  // The product of the two ends is p^2 / shrink: no cancellation where p is small.
  return {successes == 0 ? 0.0 : p * p / (shrink * upper),
          successes == trials ? 1.0 : std::min(upper, 1.0)};
}

double normal_z(double confidence) {
  return std::sqrt(2.0) * boost::math::erfc_inv(1.0 - confidence);
}

double student_t(double confidence, double degrees) {
  return boost::math::quantile(
      boost::math::complement(boost::math::students_t(degrees), 0.5 * (1.0 - confidence)));
}

double chi_square_tail(double statistic, double degrees) {
  if (std::isinf(statistic) && statistic > 0.0) return 0.0;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(degrees), statistic));
}

void Moments::add(double value) {
  ++count_;
  const double from_old_mean = value - mean_;
  mean_ += from_old_mean / static_cast<double>(count_);
  sum_of_squares_ += from_old_mean * (value - mean_);
}

Moments& Moments::operator+=(const Moments& other) {
  if (other.count_ == 0) return *this;
  if (count_ == 0) return *this = other;
  const auto ours = static_cast<double>(count_);
  const auto theirs = static_cast<double>(other.count_);
  const double apart = other.mean_ - mean_;
  count_ += other.count_;
  mean_ += apart * (theirs / (ours + theirs));
  sum_of_squares_ += other.sum_of_squares_ + apart * apart * (ours * (theirs / (ours + theirs)));
  return *this;
}

double Moments::variance() const {
  return count_ < 2 ? 0.0 : sum_of_squares_ / static_cast<double>(count_ - 1);
}

double Moments::standard_error() const {
  return count_ < 2 ? 0.0 : std::sqrt(variance() / static_cast<double>(count_));
}

void Histogram::add(double value) {
  if (value < low) {
    ++below;
  } else if (!(value < high) || bins.empty()) {  // NaN too: the total stays the number of values
    ++above;
  } else {
    const double position = (value - low) / (high - low) * static_cast<double>(bins.size());
    ++bins[std::min(static_cast<std::size_t>(position), bins.size() - 1)];
  }
}

Histogram& Histogram::operator+=(const Histogram& other) {
  if (low != other.low || high != other.high || bins.size() != other.bins.size()) {
    throw std::invalid_argument("histograms with other bins can't be added");
  }
  below += other.below;
  above += other.above;
  for (std::size_t bin = 0; bin < bins.size(); ++bin) bins[bin] += other.bins[bin];
  return *this;
}

double sample_quantile(std::span<const double> sorted, double probability) {
  assert(!sorted.empty() && probability >= 0.0 && probability <= 1.0);
  const double position = probability * static_cast<double>(sorted.size() - 1);
  const auto index = std::min(static_cast<std::size_t>(position), sorted.size() - 1);
  const double fraction = position - static_cast<double>(index);
  if (fraction == 0.0) return sorted[index];
  const std::size_t next = index + 1;
  return sorted[index] + fraction * (sorted[next] - sorted[index]);
}

}  // namespace cimstat::core
