#include "core/law.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <utility>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/shape.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double compressed(const Component& c, double b) { return b / (1.0 + c.compression * b); }

/// The b with C(b) = g; infinite at and beyond the asymptote 1 / compression.
double uncompressed(const Component& c, double g) {
  const double left = 1.0 - c.compression * g;
  return left > 0.0 ? g / left : infinity;
}

/// Where a component is an atom: its value.
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
  double sum = 0.0;
  for (std::size_t i = 1; i < ends.size(); ++i) {
    const double half = 0.5 * (ends[i] - ends[i - 1]);
    if (half <= 0.0) continue;
    const double centre = 0.5 * (ends[i] + ends[i - 1]);
    double panel = 0.0;
    for (const Node& node : gauss_legendre_16()) {
      const double xi = centre + half * node.value;
      const double factor = 1.0 + r * xi;
      const double inner = tail_probability(c.base, factor > 0.0 ? side : opposite(side),
                                            uncompressed(c, y / factor));
      panel += node.weight * inner * std::exp(-0.5 * xi * xi);
    }
    sum += half * panel;
  }
  return sum * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
}

double component_tail(const Component& c, const std::vector<double>& base_knots, Tail side,
                      double x) {
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
  const double near = noisy_tail(c, base_knots, side, y, 10.0, 1.0);
  return near > 1e-10 ? near : noisy_tail(c, base_knots, side, y, 38.5, 0.5);
}

/// E X and E X^2 of one component.
std::pair<double, double> raw_moments(const Component& c) {
  double first = 0.0;
  double second = 0.0;
  const auto* normal = std::get_if<Normal>(&c.base);
  const auto* lognormal = std::get_if<LogNormal>(&c.base);
  if (normal != nullptr && c.compression == 0.0) {
    first = normal->mean;
    second = normal->mean * normal->mean + normal->sd * normal->sd;
  } else if (lognormal != nullptr && c.compression == 0.0) {
    const double square = lognormal->sigma * lognormal->sigma;
    first = lognormal->median * std::exp(0.5 * square);
    second = lognormal->median * lognormal->median * std::exp(2.0 * square);
  } else {
    for (const Node& node : expectation_nodes(c.base)) {
      const double g = compressed(c, node.value);
      first += node.weight * g;
      second += node.weight * g * g;
    }
  }
  return {c.scale * first,
          c.scale * c.scale * second * (1.0 + c.relative_noise * c.relative_noise)};
}

/// Var of one component, without the cancellation of E X^2 - (E X)^2.
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
    throw UsageError(
        fmt::format("law: compression {:g} (a series resistance must be finite and not negative)",
                    c.compression));
  }
  if (!std::isfinite(c.relative_noise) || c.relative_noise < 0.0) {
    throw UsageError(fmt::format("law: relative noise {:g} (must be finite and not negative)",
                                 c.relative_noise));
  }
  if (!std::isfinite(c.scale)) throw UsageError("law: scale is not finite");
  if (c.compression == 0.0) return;
  const auto* normal = std::get_if<Normal>(&c.base);
  const double lowest = normal != nullptr ? normal->mean - 9.0 * normal->sd : support(c.base).first;
  if (lowest <= -1.0 / c.compression) {
    throw UsageError(fmt::format(
        "law: conductances down to {:g} with a series resistance {:g} (reaches the pole of "
        "G / (1 + R G)) truncate the law above {:g}",
        lowest, c.compression, -1.0 / c.compression));
  }
}

}  // namespace

Law::Law() : Law(std::vector<Component>{Component{.base = Point{0.0}}}) {}

Law::Law(std::vector<Component> components) {
  double total = 0.0;
  for (Component& c : components) {
    if (!std::isfinite(c.weight) || c.weight < 0.0) {
      throw UsageError(fmt::format("law: weight {:g} (must not be negative)", c.weight));
    }
    total += c.weight;
    check_component(c);
    c.base = simplified(c.base);
    if (c.weight > 0.0) components_.push_back(std::move(c));
  }
  if (!(std::abs(total - 1.0) <= 1e-12)) {
    throw UsageError(fmt::format("law: weights sum to {:.15g} (must be 1)", total));
  }
  std::vector<double> means;
  for (const Component& c : components_) {
    means.push_back(raw_moments(c).first);
    mean_ += c.weight * means.back();
  }
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const double shift = means[i] - mean_;
    variance_ +=
        components_[i].weight * (component_variance(components_[i], means[i]) + shift * shift);
  }
  if (!std::isfinite(mean_) || !std::isfinite(variance_)) {
    throw UsageError("law: mean or variance is not finite (spread too large)");
  }
}

Law Law::point(double value) { return Law({Component{.base = Point{value}}}); }

Law Law::normal(double mean, double sd) { return Law({Component{.base = Normal{mean, sd}}}); }

Law Law::lognormal(double median, double sigma) {
  return Law({Component{.base = LogNormal{median, sigma}}});
}

double Law::sd() const { return std::sqrt(variance_); }

double Law::tail_probability(Tail side, double x) const {
  double sum = 0.0;
  for (const Component& c : components_) {
    const auto base_knots = c.relative_noise > 0.0 ? knots(c.base) : std::vector<double>();
    sum += c.weight * component_tail(c, base_knots, side, x);
  }
  return std::min(sum, 1.0);
}

double Law::quantile(Tail side, double probability) const {
  if (!(probability > 0.0 && probability < 1.0)) {
    throw UsageError(
        fmt::format("quantile: probability {:g} (must lie between 0 and 1)", probability));
  }
  if (const auto normal = as_normal()) {
    return normal->sd == 0.0 ? normal->mean
                             : normal->mean + normal->sd * normal_quantile(side, probability);
  }
  if (components_.size() == 1 && components_.front().relative_noise == 0.0) {
    const Component& c = components_.front();
    const Tail base_side = c.scale > 0.0 ? side : opposite(side);
    return c.scale * compressed(c, core::quantile(c.base, base_side, probability));
  }
  std::vector<std::vector<double>> base_knots;
  for (const Component& c : components_) {
    base_knots.push_back(c.relative_noise > 0.0 ? knots(c.base) : std::vector<double>());
  }
  const double sign = side == Tail::lower ? 1.0 : -1.0;
  const double goal = std::log(probability);
  // Increasing in x, zero at the quantile.
  const auto excess = [&](double x) {
    double sum = 0.0;
    for (std::size_t i = 0; i < components_.size(); ++i) {
      sum += components_[i].weight * component_tail(components_[i], base_knots[i], side, x);
    }
    return sign * ((sum > 0.0 ? std::log(sum) : -800.0) - goal);
  };
  double low = mean_;
  double high = mean_;
  double step = sd();
  while (excess(low) >= 0.0) {
    high = low;
    low -= step;
    step *= 2.0;
  }
  step = sd();
  while (excess(high) < 0.0) {
    low = high;
    high += step;
    step *= 2.0;
  }
  if (excess(high) == 0.0) return high;
  std::uintmax_t iterations = 200;
  return boost::math::tools::toms748_solve(
             excess, low, high, boost::math::tools::eps_tolerance<double>(50), iterations)
      .second;
}

Law Law::scaled(double factor) const {
  std::vector<Component> components = components_;
  for (Component& c : components) c.scale *= factor;
  return Law(std::move(components));
}

std::optional<Normal> Law::as_normal() const {
  if (components_.size() != 1) return std::nullopt;
  return normal_component(components_.front());
}

}  // namespace cimstat::core
