#include "core/law/envelope.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>
#include <numbers>

#include "core/law/component.h"
#include "core/law/contour.h"
#include "core/law/curve_contour.h"
#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

/// Beyond this many standard deviations a noise is left out.
constexpr double noise_reach = 8.0;
constexpr double noise_beyond = 1.3e-15;
/// Covers the quadrature over a line (natural log).
constexpr double slack = 1e-3;

/// The values of a truncated or measured base between which its density is monotonic.
std::vector<double> monotonic_pieces(const Shape& shape) {
  if (const auto* measured = std::get_if<Empirical>(&shape)) return measured->value;
  if (const auto* curve = std::get_if<QuantileCurve>(&shape)) {
    std::vector<double> ends;
    for (const CurvePiece& piece : curve_pieces(*curve)) {
      ends.push_back(curve_value(*curve, piece.low));
      ends.push_back(curve_value(*curve, 0.5 * (piece.low + piece.high)));
    }
    ends.push_back(curve_value(*curve, curve_pieces(*curve).back().high));
    return ends;
  }
  const auto [low, high] = support(shape);
  double peak = low;
  if (const auto* s = std::get_if<TruncatedNormal>(&shape)) {
    peak = s->mean;
  } else if (const auto* t = std::get_if<TruncatedLogNormal>(&shape)) {
    peak = t->median * std::exp(-t->sigma * t->sigma);
  }
  if (peak <= low || peak >= high) return {low, high};
  return {low, peak, high};
}

/// A bound on the integral of |f'|, leaps included, for the density f of C(B), B a truncated or
/// measured base whose atoms are left out: f(C(b)) = density(b) (1 + compression b)^2.
double total_variation(const Component& c) {
  const auto stretch = [&](double b) { return std::pow(1.0 + c.compression * b, 2); };
  const std::vector<double> ends = monotonic_pieces(c.base);
  const bool measured = std::holds_alternative<Empirical>(c.base);
  const bool curve = std::holds_alternative<QuantileCurve>(c.base);
  double variation = 0.0;
  double last = 0.0;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    if (ends[i] == ends[i - 1]) continue;
    const int steps = c.compression == 0.0 || measured || curve ? 1 : 256;
    double left = density(c.base, ends[i - 1]);
    variation += std::abs(left * stretch(ends[i - 1]) - last);
    for (int step = 1; step <= steps; ++step) {
      const double from = ends[i - 1] + (ends[i] - ends[i - 1]) * (step - 1) / steps;
      const double to = ends[i - 1] + (ends[i] - ends[i - 1]) * step / steps;
      const double right = measured ? left : density(c.base, to);
      variation += std::abs(right - left) * stretch(to) +
                   std::max(left, right) * (stretch(to) - stretch(from));
      left = right;
    }
    last = left * stretch(ends[i]);
  }
  return variation + last;
}

bool is_truncated(const Shape& shape) {
  return std::holds_alternative<TruncatedNormal>(shape) ||
         std::holds_alternative<TruncatedLogNormal>(shape);
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
    concave_ = false;
    atoms_ = mass_of_atoms(c.base);
    variation_ = total_variation(c) / std::abs(c.scale);
    if (std::holds_alternative<QuantileCurve>(c.base)) {
      std::vector<Line>& bare = noise_ > 0.0 ? bare_lines_ : lines_;
      for (const double height : {0.05, 0.125, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0}) {
        const std::optional<CurveContour> path = curve_contour(c, height);
        if (!path) break;
        bare.push_back({path->weight, path->rate, std::vector<double>(path->rate.size(), 0.0),
                        path->ends, path->joints_second, path->joints_third});
      }
    }
    if (noise_ > 0.0) {
      Line line;
      for (const Node& node : expectation_nodes(c.base)) {
        const double noise = noise_ * c.scale * compressed(c, node.value);
        line.weight.push_back(node.weight);
        line.rate.push_back(0.0);
        line.square.push_back(0.5 * noise * noise);
      }
      lines_.push_back(std::move(line));
    } else if (is_truncated(c.base)) {
      for (const double height : {0.75, 2.0, 4.0, 8.0}) {
        Line line;
        for (const ContourNode& node : truncated_contour(c, height)) {
          line.weight.push_back(std::abs(node.weight));
          line.rate.push_back(std::abs(node.value.imag()));
          line.square.push_back(0.0);
        }
        lines_.push_back(std::move(line));
      }
    }
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

Envelope::Bound Envelope::line_bound(const std::vector<Line>& lines, double u) const {
  double smallest = 1.0;
  const Line* best = nullptr;
  for (const Line& line : lines) {
    double sum = 0.0;
    for (std::size_t i = 0; i < line.weight.size(); ++i) {
      const double exponent = u * (line.rate[i] + u * line.square[i]);
      if (exponent < 100.0) sum += line.weight[i] * std::exp(-exponent);
    }
    sum += (line.first + (line.second + line.third / u) / u) / u;
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
    // Integral of exp(-(v - u) rate) dv / v = e^x E1(x) <= ln(1 + 1 / x), x = u rate; half of that
    // for exp(-(v^2 - u^2) square), x = u^2 square.
    integral += term * std::min(std::log1p(1.0 / std::max(u * best->rate[i], 1e-300)),
                                0.5 * std::log1p(1.0 / std::max(u * u * best->square[i], 1e-300)));
  }
  integral += (best->first + (best->second / 2.0 + best->third / (3.0 * u)) / u) / u;
  if (concave_) bound.slope = falling / smallest;
  bound.tail_integral = integral / smallest;
  return bound;
}

Envelope::Bound Envelope::operator()(double u) const {
  const bool lines = !lines_.empty();
  if (variation_ >= 0.0) return variation_or_line_bound(u);
  if (!lines) return normal_bound(u);
  if (noise_ == 0.0) return line_bound(lines_, u);
  return blurred(line_bound(lines_, u * (1.0 - noise_reach * noise_)));
}

Envelope::Bound Envelope::bare_bound(double u) const {
  const Bound by_variation = variation_bound(u);
  if (bare_lines_.empty()) return by_variation;
  const Bound by_line = line_bound(bare_lines_, u);
  return by_line.log_value < by_variation.log_value ? by_line : by_variation;
}

/// X (1 + r xi) given xi is the bare law at the frequency u (1 + r xi).
Envelope::Bound Envelope::blurred(const Bound& bare) const {
  if (noise_ * noise_reach >= 1.0) return {};
  Bound bound;
  bound.log_value = std::min(0.0, std::log(std::exp(bare.log_value) + noise_beyond));
  return bound;
}

Envelope::Bound Envelope::variation_or_line_bound(double u) const {
  const Bound by_variation =
      noise_ == 0.0 ? variation_bound(u) : blurred(bare_bound(u * (1.0 - noise_reach * noise_)));
  if (lines_.empty()) return by_variation;
  Bound by_line = line_bound(lines_, u);
  if (by_line.log_value <= by_variation.log_value) return by_line;
  Bound bound = by_variation;
  bound.tail_integral =
      by_line.tail_integral * std::exp(by_line.log_value - by_variation.log_value);
  return bound;
}

}  // namespace cimstat::core
