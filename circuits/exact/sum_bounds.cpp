#include "circuits/exact/sum_bounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace cimstat::circuits {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
// Exponents looked at for a sum, in units of 1 / sd. The best one for a tail of 1e-15 is 8 for a
// normal sum and less for heavier tails.
constexpr double smallest_exponent = 0.004;
constexpr double largest_exponent = 40.0;

bool serves(double theta, double sd) {
  return theta * sd >= smallest_exponent && theta * sd <= largest_exponent;
}

double combined(Counts counts, const std::vector<double>& per_law) {
  double sum = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) sum += counts[i] * per_law[i];
  }
  return sum;
}

/// ln(x / sin(x)), 0 <= x < pi.
double log_logistic_moment(double x) {
  if (x >= std::numbers::pi) return infinity;
  return x < 1e-4 ? x * x / 6.0 : std::log(x / std::sin(x));
}

}  // namespace

double log_logistic(double x) {
  if (x < 1e-3) return -x * x / 6.0 + x * x * x * x / 180.0;
  return std::log(2.0 * x) - x - std::log1p(-std::exp(-2.0 * x));
}

TailBounds::TailBounds(const std::vector<core::Law>& laws, const SumNoise& noise, double narrowest,
                       double widest)
    : noise_(noise) {
  std::vector<core::ExponentialMoment> moments;
  for (const core::Law& law : laws) {
    moments.emplace_back(law);
    discarded_.push_back(moments.back().discarded());
  }
  std::vector<double> thetas;
  const int first = static_cast<int>(std::floor(4.0 * std::log2(smallest_exponent / widest)));
  const int last = static_cast<int>(std::ceil(4.0 * std::log2(largest_exponent / narrowest)));
  for (int i = first; i <= last; ++i) thetas.push_back(std::exp2(0.25 * i));
  if (noise.logistic_scale > 0.0) {
    for (int i = 1; i <= 6; ++i) thetas.push_back((1.0 - std::exp2(-i)) / noise.logistic_scale);
  }
  std::sort(thetas.begin(), thetas.end());
  for (const double theta : thetas) {
    Exponent exponent{
        theta, log_logistic_moment(std::numbers::pi * noise.logistic_scale * theta), {}, {}, {}};
    const double bent = noise.bend * theta * theta;
    for (const core::ExponentialMoment& moment : moments) {
      exponent.upper.push_back(moment.log_moment(theta + bent));
      exponent.lower.push_back(moment.log_moment(-theta + bent));
      if (noise.bend > 0.0) exponent.plain.push_back(moment.log_moment(-theta));
    }
    exponents_.push_back(std::move(exponent));
  }
}

TailBounds::Extent TailBounds::extent(Counts counts, double mean, double sd,
                                      double probability) const {
  const double variance = noise_.gaussian_variance + 2.0 * noise_.bend * mean;
  const double digits = -std::log(probability);
  Extent result{-infinity, infinity, probability};
  for (std::size_t i = 0; i < counts.size(); ++i) result.outside += counts[i] * discarded_[i];
  for (const Exponent& e : exponents_) {
    if (!serves(e.theta, sd)) continue;
    const double shared = 0.5 * e.theta * e.theta * variance + e.logistic + digits;
    result.high = std::min(result.high, (combined(counts, e.upper) + shared) / e.theta);
    result.low = std::max(result.low, -(combined(counts, e.lower) + shared) / e.theta);
  }
  return result;
}

TailBounds::Floor TailBounds::floor(Counts counts, std::span<const double> means,
                                    const std::vector<bool>& chosen, double sd,
                                    double probability) const {
  std::vector<std::uint32_t> kept(counts.begin(), counts.end());
  double mean = 0.0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!chosen[i]) kept[i] = 0;
    mean += kept[i] * means[i];
  }
  if (std::all_of(kept.begin(), kept.end(), [](std::uint32_t count) { return count == 0; })) {
    return {};
  }
  Floor best{-infinity, 0.0};
  for (const Exponent& e : exponents_) {
    if (!serves(e.theta, sd)) continue;
    const double value = mean - (combined(kept, e.plain) - std::log(probability)) / e.theta;
    if (value > best.value) best = {value, e.theta};
  }
  return best;
}

FrequencyBounds::FrequencyBounds(const std::vector<core::Characteristic>& transforms,
                                 const SumNoise& noise)
    : transforms_(transforms), noise_(noise) {}

const FrequencyBounds::Point& FrequencyBounds::point(int index) {
  if (points_.empty()) first_ = index;
  if (index < first_) {
    points_.insert(points_.begin(), static_cast<std::size_t>(first_ - index), std::nullopt);
    first_ = index;
  }
  const auto slot = static_cast<std::size_t>(index - first_);
  if (slot >= points_.size()) points_.resize(slot + 1);
  if (!points_[slot]) {
    const double u = std::exp2(0.125 * index);
    Point& here = points_[slot].emplace();
    for (const core::Characteristic& transform : transforms_) {
      const core::Envelope::Bound bound = transform.envelope(u);
      here.log_value.push_back(bound.log_value);
      here.slope.push_back(bound.slope);
      here.tail.push_back(bound.tail_integral);
    }
    const double x = std::numbers::pi * noise_.logistic_scale * u;
    here.logistic = log_logistic(x);
    here.logistic_slope = x < 1e-3 ? x * x / 3.0 : x / std::tanh(x) - 1.0;
  }
  return *points_[slot];
}

std::optional<FrequencyBounds::Cutoff> FrequencyBounds::cutoff(Counts counts, double variance,
                                                               double step, double start,
                                                               double highest, double error) {
  for (int i = static_cast<int>(std::floor(8.0 * std::log2(start)));; ++i) {
    const double u = std::exp2(0.125 * i);
    if (u > highest) return std::nullopt;
    const Point& here = point(i);
    const double log_bound =
        combined(counts, here.log_value) + here.logistic - 0.5 * variance * u * u;
    // The integral of |phi(v)| dv / v above u, in units of the bound at u: all factors that are
    // log-concave in ln v fall together as a power of v; else one falls and the others only don't
    // rise.
    const double slope = combined(counts, here.slope) + here.logistic_slope + variance * u * u;
    double integral = 1.0 / slope;
    for (std::size_t l = 0; l < counts.size(); ++l) {
      if (counts[l] > 0) integral = std::min(integral, here.tail[l]);
    }
    if (!(integral < infinity)) continue;
    // The sum over u_k >= u of |phi(u_k)| / (pi (k + 1/2)): its first term, and the integral.
    const double left = std::exp(log_bound) / std::numbers::pi * (step / u + integral);
    if (left <= error) return Cutoff{u, left};
  }
}

}  // namespace cimstat::circuits
