#include "circuits/columns/fresh_noise.h"

#include <cmath>
#include <numbers>

#include "core/law/shape.h"

namespace cimstat::circuits {

namespace {

double normal_tail(double z) { return core::normal_tail(core::Tail::upper, z); }

double logistic_tail(double z) {
  if (z < 0.0) return 1.0 / (1.0 + std::exp(z));
  const double e = std::exp(-z);
  return e / (1.0 + e);
}

/// E[f(Z)], Z standard normal, on midpoints: the error falls off exponentially with the distance of
/// f's poles from the real axis.
template <class Function>
double normal_mean(Function&& f) {
  constexpr double step = 0.25;
  constexpr int most = 36;  // 9 sigma
  double sum = 0.0;
  double weight = 0.0;
  for (int i = -most; i <= most; ++i) {
    const double z = i * step;
    const double density = std::exp(-0.5 * z * z);
    sum += density * f(z);
    weight += density;
  }
  return sum / weight;
}

/// E[f(U)], U logistic with scale 1.
template <class Function>
double logistic_mean(Function&& f) {
  constexpr double step = 0.5;
  constexpr int most = 80;  // P(|U| > 40) = 8e-18
  double sum = 0.0;
  double weight = 0.0;
  for (int i = -most; i <= most; ++i) {
    const double u = i * step;
    const double e = std::exp(-std::abs(u));
    const double density = e / ((1.0 + e) * (1.0 + e));
    sum += density * f(u);
    weight += density;
  }
  return sum / weight;
}

}  // namespace

double FreshNoise::tail(double distance) const {
  const double scale = std::numbers::sqrt3 / std::numbers::pi * std::sqrt(logistic_variance);
  const double sd = std::sqrt(normal_variance);
  if (scale == 0.0 && sd == 0.0) return distance < 0.0 ? 1.0 : 0.0;
  if (scale == 0.0) return normal_tail(distance / sd);
  if (sd == 0.0) return logistic_tail(distance / scale);
  // The narrower part is averaged over the wider: the poles of the logistic lie pi scale off.
  if (scale < 0.5 * sd) {
    return logistic_mean([&](double u) { return normal_tail((distance - scale * u) / sd); });
  }
  return normal_mean([&](double z) { return logistic_tail((distance - sd * z) / scale); });
}

double majority(unsigned reads, double p) {
  if (p <= 0.0) return 0.0;
  if (p >= 1.0) return 1.0;
  // From the term of (reads + 1) / 2 on; each follows from the one before.
  const unsigned least = reads / 2 + 1;
  double term = 1.0;
  for (unsigned i = 0; i < least; ++i) term *= p * (reads - i) / (least - i);
  term *= std::pow(1.0 - p, static_cast<double>(reads - least));
  double sum = term;
  for (unsigned k = least; k < reads; ++k) {
    term *= p / (1.0 - p) * (reads - k) / (k + 1);
    sum += term;
  }
  return sum > 1.0 ? 1.0 : sum;
}

}  // namespace cimstat::circuits
