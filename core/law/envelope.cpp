#include "core/law/envelope.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>

#include "core/law/component.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

/// Beyond this many standard deviations a noise is left out.
constexpr double noise_reach = 8.0;
constexpr double noise_beyond = 1.3e-15;
/// Covers the quadrature over a line (natural log).
constexpr double slack = 1e-3;

/// Integral of |f'| for the density f of a truncated or empirical shape, atoms left out.
double total_variation(const Shape& shape) {
  if (const auto* measured = std::get_if<Empirical>(&shape)) {
    double variation = 0.0;
    double last = 0.0;
    for (std::size_t i = 1; i < measured->value.size(); ++i) {
      const double width = measured->value[i] - measured->value[i - 1];
      if (width == 0.0) continue;
      const double here = (measured->probability[i] - measured->probability[i - 1]) / width;
      variation += std::abs(here - last);
      last = here;
    }
    return variation + last;
  }
  // One peak: up and down again.
  double peak = 0.0;
  if (const auto* s = std::get_if<TruncatedNormal>(&shape)) {
    peak = std::clamp(s->mean, s->low, s->high);
  } else if (const auto* t = std::get_if<TruncatedLogNormal>(&shape)) {
    peak = std::clamp(t->median * std::exp(-t->sigma * t->sigma), t->low, t->high);
  }
  return 2.0 * density(shape, peak);
}

double mass_of_atoms(const Shape& shape) {
  const auto* measured = std::get_if<Empirical>(&shape);
  if (measured == nullptr) return 0.0;
  double mass = 0.0;
  for (std::size_t i = 1; i < measured->value.size(); ++i) {
    if (measured->value[i] == measured->value[i - 1]) {
      mass += measured->probability[i] - measured->probability[i - 1];
    }
  }
  return mass;
}

}  // namespace

Envelope::Envelope(const Component& c) {
  const auto* normal = std::get_if<Normal>(&c.base);
  const auto* lognormal = std::get_if<LogNormal>(&c.base);
  if (const auto exact = normal_component(c)) {
    gaussian_ = exact->sd * exact->sd;
  } else if (normal != nullptr && c.compression == 0.0) {
    const double r = c.relative_noise;
    const double m = c.scale * normal->mean;
    const double s = c.scale * normal->sd;
    gaussian_ = s * s + r * r * m * m;
    spread_ = r * r * s * s;
  } else if (normal != nullptr || lognormal != nullptr) {
    // The noise is integrated in closed form where its factor decays along with the wave.
    const double sigma = lognormal != nullptr ? lognormal->sigma : 0.0;
    const double widest_angle =
        c.relative_noise > 0.0 ? 0.25 * std::numbers::pi : 0.5 * std::numbers::pi;
    if (lognormal == nullptr) noise_ = c.relative_noise;
    concave_ = lognormal != nullptr && c.compression == 0.0;
    const double step = std::min(0.25, 0.35 / std::max(sigma, 1e-300));
    const double widest = lognormal != nullptr ? widest_angle / sigma : 8.0;
    for (const double eta : {0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0}) {
      const double shift = std::min(eta, widest);
      Line line;
      for (double x = -9.5; x <= 9.5; x += step) {
        const std::complex<double> z(x, shift);
        const std::complex<double> b = lognormal != nullptr
                                           ? lognormal->median * std::exp(sigma * z)
                                           : normal->mean + normal->sd * z;
        const std::complex<double> g = c.scale * b / (1.0 + c.compression * b);
        line.weight.push_back(step * normal_density(x) * std::exp(0.5 * shift * shift));
        line.rate.push_back(std::abs(g.imag()));
        const double r = lognormal != nullptr ? c.relative_noise : 0.0;
        line.square.push_back(0.5 * r * r * std::max(0.0, (g * g).real()));
      }
      lines_.push_back(std::move(line));
      if (shift < eta) break;
    }
  } else {
    noise_ = c.relative_noise;
    concave_ = c.relative_noise == 0.0 && c.compression == 0.0;
    atoms_ = c.compression == 0.0 ? mass_of_atoms(c.base) : 1.0;
    variation_ = c.compression == 0.0 ? total_variation(c.base) / std::abs(c.scale) : 0.0;
    if (atoms_ > 0.0) concave_ = false;
  }
}

Envelope::Bound Envelope::normal_bound(double u) const {
  const double square = u * u * spread_;
  Bound bound;
  bound.log_value = -0.5 * (u * u * gaussian_ / (1.0 + square) + std::log1p(square));
  // With noise the exponential falls to a plateau; only the root in front of it is log-concave.
  bound.slope = spread_ > 0.0 ? square / (1.0 + square) : u * u * gaussian_;
  return bound;
}

Envelope::Bound Envelope::variation_bound(double u) const {
  const double value = variation_ / u + atoms_;
  Bound bound;
  if (value >= 1.0) return bound;
  bound.log_value = std::log(value);
  if (atoms_ == 0.0) bound.slope = 1.0;
  return bound;
}

Envelope::Bound Envelope::line_bound(double u) const {
  double smallest = 1.0;
  const Line* best = nullptr;
  for (const Line& line : lines_) {
    double sum = 0.0;
    for (std::size_t i = 0; i < line.weight.size(); ++i) {
      const double exponent = u * (line.rate[i] + u * line.square[i]);
      if (exponent < 100.0) sum += line.weight[i] * std::exp(-exponent);
    }
    if (sum < smallest) {
      smallest = sum;
      best = &line;
    }
  }
  Bound bound;
  if (best == nullptr) return bound;
  smallest = std::max(smallest, 1e-30);
  bound.log_value = std::min(0.0, std::log(smallest) + slack);
  double falling = 0.0;
  double integral = 0.0;
  for (std::size_t i = 0; i < best->weight.size(); ++i) {
    const double exponent = u * (best->rate[i] + u * best->square[i]);
    if (exponent >= 100.0) continue;
    const double term = best->weight[i] * std::exp(-exponent);
    falling += term * u * (best->rate[i] + 2.0 * u * best->square[i]);
    // Integral of exp(-(v - u) rate) dv / v = e^x E1(x) <= ln(1 + 1 / x), x = u rate.
    integral += term * std::log1p(1.0 / std::max(u * best->rate[i], 1e-300));
  }
  if (concave_) bound.slope = falling / smallest;
  bound.tail_integral = integral / smallest;
  return bound;
}

Envelope::Bound Envelope::operator()(double u) const {
  const bool lines = !lines_.empty();
  if (!lines && variation_ < 0.0) return normal_bound(u);
  if (noise_ == 0.0) return lines ? line_bound(u) : variation_bound(u);
  if (noise_ * noise_reach >= 1.0) return {};
  // X (1 + r xi) given xi is the bare law at the frequency u (1 + r xi).
  const double lowest = u * (1.0 - noise_reach * noise_);
  const Bound bare = lines ? line_bound(lowest) : variation_bound(lowest);
  Bound bound;
  bound.log_value = std::min(0.0, std::log(std::exp(bare.log_value) + noise_beyond));
  return bound;
}

}  // namespace cimstat::core
