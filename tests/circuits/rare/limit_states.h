#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>

#include "circuits/rare/limit_state.h"
#include "circuits/rare/log_tail.h"

/// Limit states whose probability of failure is known.
namespace cimstat::tests {

inline constexpr double q6 = 9.865876450377e-10;  // P(N(0,1) > 6)

/// Fails where the sum of all variables is `distance` of its standard deviations above 0.
inline circuits::LimitState half_space(std::size_t dimension, double distance) {
  return {dimension, [=](std::span<const double> z) {
            std::array<double, 4> sums{};
            for (std::size_t i = 0; i < z.size(); ++i) sums[i % 4] += z[i];
            const double sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            return distance - sum / std::sqrt(double(dimension));
          }};
}

/// The four-branch series system (k = 6: 4.457331e-3, k = 7: 2.222795e-3).
inline circuits::LimitState four_branches(double k) {
  return {2, [k](std::span<const double> z) {
            const double difference = z[0] - z[1];
            const double sum = (z[0] + z[1]) / std::numbers::sqrt2;
            const double bowl = 3.0 + 0.1 * difference * difference;
            const double ramp = k / std::numbers::sqrt2;
            return std::min({bowl - sum, bowl + sum, difference + ramp, ramp - difference});
          }};
}

/// A static noise margin: the lesser of two halves' margins, linear in 12 threshold voltages, the
/// second half the first with its transistors exchanged. Two lobes of equal weight.
struct LobedMargin {
  static constexpr std::size_t dimension = 12;
  static constexpr double beta = 5.0;  ///< of each lobe
  static constexpr std::array<double, dimension> slope{1.0, -0.7, 0.5, 0.3,  -0.2, 0.1,
                                                       0.4, 0.2,  0.1, -0.3, 0.2,  0.6};

  static double slope_of(std::size_t half, std::size_t i) {
    return slope[half == 0 ? i : (i + dimension / 2) % dimension];
  }

  circuits::LimitState limit() const {
    const double norm = std::sqrt(product(0, 0));
    return {dimension, [norm](std::span<const double> z) {
              double least = 1e300;
              for (std::size_t half = 0; half < 2; ++half) {
                double margin = beta * norm;
                for (std::size_t i = 0; i < dimension; ++i) margin += slope_of(half, i) * z[i];
                least = std::min(least, margin);
              }
              return least;
            }};
  }

  /// 2 Q(beta) - P(both), the last by Simpson's rule over one of two correlated normals.
  double truth() const {
    const double rho = product(0, 1) / product(0, 0);
    const auto tail = [](double x) { return 0.5 * std::erfc(x / std::numbers::sqrt2); };
    const auto both = [&](double x) {
      return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi) *
             tail((beta - rho * x) / std::sqrt(1.0 - rho * rho));
    };
    constexpr int steps = 4000;
    const double h = 8.0 / steps;
    double sum = both(beta) + both(beta + 8.0);
    for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4.0 : 2.0) * both(beta + i * h);
    return 2.0 * tail(beta) - sum * h / 3.0;
  }

 private:
  static double product(std::size_t half, std::size_t other) {
    double sum = 0.0;
    for (std::size_t i = 0; i < dimension; ++i) sum += slope_of(half, i) * slope_of(other, i);
    return sum;
  }
};

}  // namespace cimstat::tests
