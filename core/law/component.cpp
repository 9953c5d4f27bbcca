#include "core/law/component.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/law/quantile_curve.h"
#include "core/law/shape.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

double compressed(const Component& c, double b) { return b / (1.0 + c.compression * b); }

double uncompressed(const Component& c, double g) {
  const double left = 1.0 - c.compression * g;
  return left > 0.0 ? g / left : infinity;
}

std::optional<double> atom(const Component& c) {
  if (c.scale == 0.0) return 0.0;
  const auto* point = std::get_if<Point>(&c.base);
  if (point == nullptr) return std::nullopt;
  const double value = c.scale * compressed(c, point->value);
  if (c.relative_noise != 0.0 && value != 0.0) return std::nullopt;
  return value;
}

std::optional<Normal> normal_component(const Component& c) {
  if (const auto value = atom(c)) return Normal{*value, 0.0};
  if (const auto* point = std::get_if<Point>(&c.base)) {
    const double value = c.scale * compressed(c, point->value);
    return Normal{value, std::abs(value) * c.relative_noise};
  }
  const auto* normal = std::get_if<Normal>(&c.base);
  if (normal == nullptr || c.compression != 0.0 || c.relative_noise != 0.0) return std::nullopt;
  return Normal{c.scale * normal->mean, std::abs(c.scale) * normal->sd};
}

namespace {

/// Tails and densities of one base for many values, bit for bit those of shape.h.
class BaseTails {
 public:
  explicit BaseTails(const Shape& base) : base_(base) {
    if (const auto* curve = std::get_if<QuantileCurve>(&base)) curve_.emplace(*curve);
  }
  double tail(Tail side, double b) const {
    return curve_ ? curve_->tail(side, b) : tail_probability(base_, side, b);
  }
  double density(double b) const { return curve_ ? curve_->density(b) : core::density(base_, b); }

 private:
  const Shape& base_;
  std::optional<CurveTails> curve_;
};

/// P(G (1 + r xi) on `side` of y) up to 1e-22, for r < 0.1: noise of up to 10 standard deviations
/// decides only while G lies within [y / (1 + 10 r), y / (1 - 10 r)]; there it is integrated over
/// G.
double nearly_noisy_tail(const Component& c, const std::vector<double>& base_knots, Tail side,
                         double y) {
  const double r = c.relative_noise;
  const double inner = uncompressed(c, y / (1.0 + 10.0 * r));
  const double outer = uncompressed(c, y / (1.0 - 10.0 * r));
  const double low = std::clamp(std::min(inner, outer), base_knots.front(), base_knots.back());
  const double high = std::clamp(std::max(inner, outer), base_knots.front(), base_knots.back());
  const BaseTails base(c.base);
  double sum = side == Tail::lower ? base.tail(Tail::lower, low) : base.tail(Tail::upper, high);
  const auto between = [&](double first, double last) {
    constexpr double widest = 2.0;  // in standard deviations of the noise
    const double first_g = compressed(c, first);
    const double noise = r * std::abs(y);
    const auto panels =
        static_cast<std::size_t>(std::ceil((compressed(c, last) - first_g) / (widest * noise)));
    const double half = 0.5 * (last - first) / static_cast<double>(panels);
    for (std::size_t i = 0; i < panels; ++i) {
      for (const Node& node : gauss_legendre_16()) {
        const double b = first + half * (2.0 * static_cast<double>(i) + 1.0 + node.value);
        const double g = compressed(c, b);
        sum +=
            half * node.weight * base.density(b) * normal_tail(side, (y - g) / (r * std::abs(g)));
      }
    }
  };
  double first = low;
  for (const double knot : base_knots) {
    if (knot <= low || knot >= high) continue;
    between(first, knot);
    first = knot;
  }
  between(first, high);
  return sum;
}

/// P(G (1 + r xi) on `side` of y) for xi within `window`, integrated over xi between the points
/// where something bends: the integrand is analytic in each panel and every term is positive, so
/// that tails keep their relative accuracy.
double noisy_tail(const Component& c, const std::vector<double>& base_knots, Tail side, double y,
                  double window, double step) {
  const double r = c.relative_noise;
  std::vector<double> ends;
  for (double xi = -window; xi <= window; xi += step) ends.push_back(xi);
  const auto add = [&](double xi) {
    if (std::abs(xi) < window) ends.push_back(xi);
  };
  add(-1.0 / r);
  for (const double b : base_knots) {
    const double g = compressed(c, b);
    if (g != 0.0) add((y / g - 1.0) / r);
  }
  std::sort(ends.begin(), ends.end());
  const BaseTails base(c.base);
  double sum = 0.0;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const double half = 0.5 * (ends[i] - ends[i - 1]);
    if (half <= 0.0) continue;
    const double centre = 0.5 * (ends[i] + ends[i - 1]);
    double panel = 0.0;
    for (const Node& node : gauss_legendre_16()) {
      const double xi = centre + half * node.value;
      const double factor = 1.0 + r * xi;
      const double inner =
          base.tail(factor > 0.0 ? side : opposite(side), uncompressed(c, y / factor));
      if (inner == 0.0) continue;
      panel += node.weight * inner * std::exp(-0.5 * xi * xi);
    }
    sum += half * panel;
  }
  return sum * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
}

}  // namespace

double component_tail(const Component& c, const std::vector<double>& base_knots, Tail side,
                      double x, double smallest) {
  if (const auto value = atom(c)) return (side == Tail::lower) == (*value <= x) ? 1.0 : 0.0;
  double y = x / c.scale;
  if (c.scale < 0.0) {
    side = opposite(side);
    y = std::nextafter(y, -infinity);  // an atom at x stays on the side that it was on
  }
  if (c.relative_noise == 0.0) return tail_probability(c.base, side, uncompressed(c, y));
  if (const auto* point = std::get_if<Point>(&c.base)) {
    const double value = compressed(c, point->value);
    return normal_tail(side, (y - value) / (std::abs(value) * c.relative_noise));
  }
  stop_if_requested();
  const bool atomic = std::adjacent_find(base_knots.begin(), base_knots.end()) != base_knots.end();
  const double near = c.relative_noise < 0.09 && y != 0.0 && !atomic
                          ? nearly_noisy_tail(c, base_knots, side, y)
                          : noisy_tail(c, base_knots, side, y, 10.0, 1.0);
  return std::max(near, smallest) > 1e-10 ? near : noisy_tail(c, base_knots, side, y, 38.5, 0.5);
}

double component_density(const Component& c, double x) {
  if (c.scale == 0.0) return 0.0;
  const double b = uncompressed(c, x / c.scale);
  if (!(std::abs(b) < infinity)) return 0.0;
  const double stretch = 1.0 + c.compression * b;
  return density(c.base, b) * stretch * stretch / std::abs(c.scale);
}

double component_mean(const Component& c) {
  const auto* normal = std::get_if<Normal>(&c.base);
  const auto* lognormal = std::get_if<LogNormal>(&c.base);
  if (normal != nullptr && c.compression == 0.0) return c.scale * normal->mean;
  if (lognormal != nullptr && c.compression == 0.0) {
    return c.scale * lognormal->median * std::exp(0.5 * lognormal->sigma * lognormal->sigma);
  }
  double sum = 0.0;
  for (const Node& node : expectation_nodes(c.base)) {
    sum += node.weight * compressed(c, node.value);
  }
  return c.scale * sum;
}

// Around the mean: E X^2 - (E X)^2 would cancel.
double component_variance(const Component& c, double mean) {
  if (const auto normal = normal_component(c)) return normal->sd * normal->sd;
  const double noise = c.relative_noise * c.relative_noise;
  const auto* normal = std::get_if<Normal>(&c.base);
  const auto* lognormal = std::get_if<LogNormal>(&c.base);
  double spread = 0.0;
  if (normal != nullptr && c.compression == 0.0) {
    spread = c.scale * c.scale * normal->sd * normal->sd;
  } else if (lognormal != nullptr && c.compression == 0.0) {
    spread = mean * mean * std::expm1(lognormal->sigma * lognormal->sigma);
  } else {
    for (const Node& node : expectation_nodes(c.base)) {
      const double deviation = c.scale * compressed(c, node.value) - mean;
      spread += node.weight * deviation * deviation;
    }
  }
  return spread + noise * (spread + mean * mean);
}

void check_component(const Component& c) {
  check(c.base);
  if (!std::isfinite(c.compression) || c.compression < 0.0) {
    throw LawError(fmt::format("series resistance {:g}", c.compression),
                   "must be finite and not negative");
  }
  if (!std::isfinite(c.relative_noise) || c.relative_noise < 0.0) {
    throw LawError(fmt::format("relative noise {:g}", c.relative_noise),
                   "must be finite and not negative");
  }
  if (!std::isfinite(c.scale)) throw LawError("scale is not finite", {});
  if (c.compression == 0.0) return;
  const auto* normal = std::get_if<Normal>(&c.base);
  const auto* curve = std::get_if<QuantileCurve>(&c.base);
  const double lowest = normal != nullptr  ? normal->mean - 9.0 * normal->sd
                        : curve != nullptr ? curve_value(*curve, std::max(curve->low, -9.0))
                                           : support(c.base).first;
  if (lowest <= -1.0 / c.compression) {
    throw LawError(fmt::format("conductances down to {:g} behind a series resistance {:g}", lowest,
                               c.compression),
                   "reaches the pole of G / (1 + R G)",
                   fmt::format("truncate the law above {:g}", -1.0 / c.compression));
  }
}

}  // namespace cimstat::core
