#include "core/law/curve_contour.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <limits>

#include "core/interrupt.h"
#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

using Complex = std::complex<double>;
constexpr int samples = 8;  // of a leg, or of a panel across
/// Covers what lies between samples.
constexpr double between = 1.05;
constexpr double panel = 0.125;
/// Beyond so many standard deviations lies less than 1e-37.
constexpr double reach = 13.0;

Complex value_on(const Component& c, const CurvePiece& p, Complex z) {
  const Complex x = z - p.origin;
  const Complex b = p.value + x * (p.slope + x * (p.square + x * p.cube));
  return c.scale * b / (1.0 + c.compression * b);
}

/// A leg at z: how fast the wave falls on it, at the least.
double rate_of_leg(const Component& c, const CurvePiece& p, double z, double height) {
  double rate = std::numeric_limits<double>::infinity();
  for (int i = 1; i <= samples; ++i) {
    const double y = height * i / samples;
    rate = std::min(rate, std::copysign(1.0, c.scale) * value_on(c, p, {z, y}).imag() / y);
  }
  return rate / between;
}

}  // namespace

std::optional<CurveContour> curve_contour(const Component& c, double height) {
  stop_if_requested();
  const auto& curve = std::get<QuantileCurve>(c.base);
  const std::vector<CurvePiece> pieces = curve_pieces(curve);
  const double growth = std::exp(0.5 * height * height) / curve_mass(curve);
  CurveContour result;
  double panel_mass = 0.0;
  double panel_rate = std::numeric_limits<double>::infinity();
  double panel_start = pieces.front().low;
  const auto close_panel = [&](double z) {
    if (panel_mass > 0.0) {
      result.weight.push_back(panel_mass * growth);
      result.rate.push_back(panel_rate / between);
    }
    panel_mass = 0.0;
    panel_rate = std::numeric_limits<double>::infinity();
    panel_start = z;
  };
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const CurvePiece& p = pieces[i];
    if (p.high < std::min(-reach, curve.high - 1.0)) continue;
    if (p.low > std::max(reach, curve.low + 1.0)) continue;
    // Across. Tails are linear: one rate serves all of each.
    const bool tail = p.cube == 0.0 && p.square == 0.0 && c.compression == 0.0;
    const double step = tail ? p.high - p.low : std::min(panel, p.high - p.low);
    for (double low = p.low; low < p.high; low += step) {
      const double high = std::min(p.high, low + step);
      for (int s = 0; s <= 2; ++s) {
        const double x = low + 0.5 * s * (high - low);
        const double imaginary = value_on(c, p, {x, height}).imag() * c.scale;
        if (!(imaginary > 0.0)) return std::nullopt;
        panel_rate = std::min(panel_rate, imaginary / std::abs(c.scale));
      }
      panel_mass += low > 0.0 ? normal_tail(Tail::upper, low) - normal_tail(Tail::upper, high)
                              : normal_tail(Tail::lower, high) - normal_tail(Tail::lower, low);
      if (high - panel_start >= panel) close_panel(high);
    }
    // Down at its right end, and up again on the next piece.
    const bool last = i + 1 == pieces.size();
    const double rate = rate_of_leg(c, p, p.high, height);
    if (!(rate > 0.0)) return std::nullopt;
    const double density = normal_density(p.high) * growth;
    if (last) {
      result.ends += density / rate;
      continue;
    }
    const CurvePiece& next = pieces[i + 1];
    const double slowest = std::min(rate, rate_of_leg(c, next, p.high, height));
    if (!(slowest > 0.0)) return std::nullopt;
    // |difference of the exponents| <= u (square y^2 + cube y^3)
    const double b =
        p.value + (p.high - p.origin) *
                      (p.slope + (p.high - p.origin) * (p.square + (p.high - p.origin) * p.cube));
    const double stretch = 1.0 + c.compression * b;
    const double square = std::abs(c.scale) / (stretch * stretch) *
                          std::abs(p.square + 3.0 * (p.high - p.origin) * p.cube - next.square -
                                   3.0 * (p.high - next.origin) * next.cube);
    double cube = 0.0;
    for (int s = 1; s <= samples; ++s) {
      const double y = height * s / samples;
      const Complex z(p.high, y);
      const double difference = std::abs(value_on(c, p, z) - value_on(c, next, z));
      cube = std::max(cube, (difference - square * y * y) / (y * y * y));
    }
    result.joints_second += density * between * square * 2.0 / std::pow(slowest, 3);
    result.joints_third += density * between * cube * 6.0 / std::pow(slowest, 4);
  }
  close_panel(0.0);
  const double first = rate_of_leg(c, pieces.front(), pieces.front().low, height);
  if (!(first > 0.0)) return std::nullopt;
  result.ends += normal_density(pieces.front().low) * growth / first;
  return result;
}

}  // namespace cimstat::core
