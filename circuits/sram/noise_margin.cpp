#include "circuits/sram/noise_margin.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/law/shape.h"

namespace cimstat::circuits {

namespace {

double product(const std::vector<double>& slope, std::size_t shift) {
  double sum = 0.0;
  for (std::size_t i = 0; i < slope.size(); ++i)
    sum += slope[i] * slope[(i + shift) % slope.size()];
  return sum;
}

}  // namespace

double NoiseMargin::distance() const {
  return nominal / (threshold_sd * std::sqrt(product(slope, 0)));
}

double NoiseMargin::correlation() const {
  return product(slope, slope.size() / 2) / product(slope, 0);
}

LimitState NoiseMargin::limit() const {
  return {slope.size(), [cell = *this](std::span<const double> z) {
            const std::size_t half = z.size() / 2;
            double one = 0.0;
            double other = 0.0;
            for (std::size_t i = 0; i < z.size(); ++i) {
              one += cell.slope[i] * z[i];
              other += cell.slope[i < half ? i + half : i - half] * z[i];
            }
            return cell.nominal + cell.threshold_sd * std::min(one, other);
          }};
}

double NoiseMargin::failure_probability() const {
  const double beta = distance();
  return 2.0 * core::normal_tail(core::Tail::upper, beta) - both_above(beta, correlation());
}

double both_above(double beta, double correlation) {
  constexpr int panels = 64;
  const double end = std::asin(std::clamp(correlation, -1.0, 1.0));
  const double half = 0.5 * end / panels;
  double sum = 0.0;
  for (int i = 0; i < panels; ++i) {
    for (const core::Node& node : core::gauss_legendre_16()) {
      const double t = (2 * i + 1 + node.value) * half;
      sum += half * node.weight * std::exp(-beta * beta / (1.0 + std::sin(t)));
    }
  }
  const double one = core::normal_tail(core::Tail::upper, beta);
  return one * one + sum / (2.0 * std::numbers::pi);
}

}  // namespace cimstat::circuits
