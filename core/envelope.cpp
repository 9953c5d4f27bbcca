#include "core/envelope.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>

#include "core/component.h"
#include "core/shape.h"

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

template <class Function>
double Envelope::line_sum(const Line& line, double u, const Function& f) {
  double sum = 0.0;
  for (std::size_t i = 0; i < line.weight.size(); ++i) {
    sum += f(i) * line.weight[i] * std::exp(-u * (line.rate[i] + u * line.square[i]));
  }
  return sum;
}

double Envelope::bound_on(const Line& line, double u) {
  return line_sum(line, u, [](std::size_t) { return 1.0; });
}

const Envelope::Line& Envelope::best_line(double u) const {
  return *std::min_element(lines_.begin(), lines_.end(), [u](const Line& a, const Line& b) {
    return bound_on(a, u) < bound_on(b, u);
  });
}

bool Envelope::closed_form() const { return lines_.empty() && variation_ < 0.0; }

/// The bound where a noise that the rest leaves out is 0.
double Envelope::unperturbed(double u) const {
  if (lines_.empty()) return std::min(1.0, variation_ / u + atoms_);
  double smallest = 1.0;
  for (const Line& line : lines_) smallest = std::min(smallest, bound_on(line, u));
  return smallest;
}

double Envelope::log_bound(double u) const {
  if (closed_form()) {
    const double left = 1.0 + u * u * spread_;
    return -0.5 * (u * u * gaussian_ / left + std::log(left));
  }
  double bound = 0.0;
  if (noise_ == 0.0) {
    bound = unperturbed(u);
  } else if (noise_ * noise_reach < 1.0) {
    // X (1 + r xi) given xi is the bare law at the frequency u (1 + r xi).
    bound = unperturbed(u * (1.0 - noise_reach * noise_)) + noise_beyond;
  } else {
    return 0.0;
  }
  return std::min(0.0, std::log(std::max(bound, 1e-300)) + slack);
}

double Envelope::slope(double u) const {
  if (closed_form()) {
    // With noise the exponential falls to a plateau; only the root in front of it is log-concave.
    const double square = u * u * spread_;
    return spread_ > 0.0 ? square / (1.0 + square) : u * u * gaussian_;
  }
  if (!concave_ || log_bound(u) == 0.0) return 0.0;
  if (lines_.empty()) return 1.0;
  const Line& line = best_line(u);
  const double falling = line_sum(
      line, u, [&](std::size_t i) { return u * (line.rate[i] + 2.0 * u * line.square[i]); });
  return falling / bound_on(line, u);
}

double Envelope::tail_integral(double u) const {
  if (lines_.empty() || noise_ > 0.0 || log_bound(u) == 0.0) {
    return std::numeric_limits<double>::infinity();
  }
  // Integral of exp(-(v - u) rate) dv / v = e^x E1(x) <= ln(1 + 1 / x), x = u rate.
  const Line& line = best_line(u);
  const double integral = line_sum(
      line, u, [&](std::size_t i) { return std::log1p(1.0 / std::max(u * line.rate[i], 1e-300)); });
  return integral / bound_on(line, u);
}

}  // namespace cimstat::core
