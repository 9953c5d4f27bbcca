#include "core/law/shape.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <numbers>
#include <string>

#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "core/law/clamped.h"
#include "core/law/quantile_curve.h"
#include "core/law/truncated.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

template <class S>
concept Clamped = std::same_as<S, ClampedNormal> || std::same_as<S, ClampedLogNormal>;

/// The sum of weight * value(shape) over what a clamped shape consists of.
template <Clamped S, class Value>
double sum_over_parts(const S& shape, Value&& value) {
  double sum = 0.0;
  for (const WeightedShape& part : parts_of(shape)) sum += part.weight * value(part.shape);
  return sum;
}

Normal parent_of(const ClampedNormal& s) { return {s.mean, s.sd}; }
LogNormal parent_of(const ClampedLogNormal& s) { return {s.median, s.sigma}; }

double empirical_tail(const Empirical& s, Tail side, double b) {
  if (b < s.value.front()) return side == Tail::lower ? 0.0 : 1.0;
  if (b >= s.value.back()) return side == Tail::lower ? 1.0 : 0.0;
  const auto next = static_cast<std::size_t>(std::upper_bound(s.value.begin(), s.value.end(), b) -
                                             s.value.begin());
  const double part = (b - s.value[next - 1]) / (s.value[next] - s.value[next - 1]);
  const double width = s.probability[next] - s.probability[next - 1];
  return side == Tail::lower ? s.probability[next - 1] + part * width
                             : (1.0 - s.probability[next]) + (1.0 - part) * width;
}

double empirical_density(const Empirical& s, double b) {
  if (b < s.value.front() || b >= s.value.back()) return 0.0;
  const auto next = static_cast<std::size_t>(std::upper_bound(s.value.begin(), s.value.end(), b) -
                                             s.value.begin());
  return (s.probability[next] - s.probability[next - 1]) / (s.value[next] - s.value[next - 1]);
}

double empirical_quantile(const Empirical& s, Tail side, double probability) {
  const auto at_or_above = [&](std::size_t i) {
    return side == Tail::lower ? s.probability[i] >= probability
                               : 1.0 - s.probability[i] <= probability;
  };
  std::size_t next = 1;
  while (next + 1 < s.value.size() && !at_or_above(next)) ++next;
  const double width = s.probability[next] - s.probability[next - 1];
  const double part = side == Tail::lower
                          ? (probability - s.probability[next - 1]) / width
                          : 1.0 - (probability - (1.0 - s.probability[next])) / width;
  return s.value[next - 1] + std::clamp(part, 0.0, 1.0) * (s.value[next] - s.value[next - 1]);
}

std::vector<Node> empirical_nodes(const Empirical& s, double widest) {
  std::vector<Node> result;
  for (std::size_t i = 1; i < s.value.size(); ++i) {
    const double mass = s.probability[i] - s.probability[i - 1];
    const double width = s.value[i] - s.value[i - 1];
    if (width == 0.0) {
      result.push_back({s.value[i], mass});
      continue;
    }
    const double panels = std::max(1.0, std::ceil(width / widest));
    for (double panel = 0.0; panel < panels; panel += 1.0) {
      for (const Node& node : gauss_legendre_16()) {
        const double part = (panel + 0.5 * (1.0 + node.value)) / panels;
        result.push_back({s.value[i - 1] + part * width, 0.5 * node.weight * mass / panels});
      }
    }
  }
  return result;
}

template <class Value>
std::vector<Node> gaussian_nodes(double low, double high, const Value& value) {
  constexpr double step = 0.125;
  std::vector<Node> result;
  for (double z = low; z <= high; z += step) {
    result.push_back({value(z), step * normal_density(z)});
  }
  return result;
}

void require(bool holds, const std::string& problem, const std::string& why,
             const std::string& remedy = {}) {
  if (!holds) throw LawError(problem, why, remedy);
}

void check_spread(double location, double spread, const char* what) {
  require(std::isfinite(location) && std::isfinite(spread),
          fmt::format("a parameter of the {} is not finite", what), "it is too large");
  require(spread >= 0.0, fmt::format("the {} has the spread {:g}", what, spread),
          "must not be negative");
}

void check_range(double low, double high, const char* what) {
  require(std::isfinite(low) && std::isfinite(high) && low < high,
          fmt::format("the {} on [{:g}, {:g}]", what, low, high),
          "the ends must be finite and ascending");
}

/// `parent` must keep some of its probability between the ends.
void check_mass(const Shape& parent, double low, double high, const char* what) {
  require(tail_probability(parent, Tail::lower, low) < 1.0 - 1e-15 &&
              tail_probability(parent, Tail::upper, high) < 1.0 - 1e-15,
          fmt::format("the {} lies outside of its range from low to high", what),
          "nothing would be left of it", "widen the range");
}

void check_empirical(const Empirical& s) {
  require(s.probability.size() >= 2 && s.probability.size() == s.value.size(),
          "an empirical law of unequal lists", "as many values as probabilities, at least two");
  require(s.probability.front() == 0.0 && s.probability.back() == 1.0,
          "an empirical law that ends early", "must run from probability 0 to probability 1");
  for (std::size_t i = 0; i < s.value.size(); ++i) {
    require(std::isfinite(s.value[i]), "a value of the empirical law is not finite",
            "it is too large");
    if (i == 0) continue;
    require(s.probability[i] > s.probability[i - 1], "probabilities of an empirical law",
            "must be strictly increasing");
    require(s.value[i] >= s.value[i - 1], "values of an empirical law", "must not decrease");
  }
}

}  // namespace

double normal_density(double z) {
  return std::exp(-0.5 * z * z) * (0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi);
}

Tail opposite(Tail side) { return side == Tail::lower ? Tail::upper : Tail::lower; }

double normal_tail(Tail side, double z) {
  const double x = side == Tail::upper ? z : -z;
  return 0.5 * std::erfc(x / std::numbers::sqrt2);
}

double normal_quantile(Tail side, double probability) {
  const double z = std::numbers::sqrt2 * boost::math::erfc_inv(2.0 * probability);
  return side == Tail::upper ? z : -z;
}

double tail_probability(const Shape& shape, Tail side, double b) {
  return std::visit(
      Overloaded{
          [&](const Point& s) { return (side == Tail::lower) == (s.value <= b) ? 1.0 : 0.0; },
          [&](const Normal& s) { return normal_tail(side, (b - s.mean) / s.sd); },
          [&](const LogNormal& s) {
            if (b <= 0.0) return side == Tail::lower ? 0.0 : 1.0;
            return normal_tail(side, std::log(b / s.median) / s.sigma);
          },
          [&](const Empirical& s) { return empirical_tail(s, side, b); },
          [&](const QuantileCurve& s) { return curve_tail(s, side, b); },
          [&]<Clamped S>(const S& s) {
            return sum_over_parts(
                s, [&](const Shape& part) { return tail_probability(part, side, b); });
          },
          [&](const auto& s) { return truncated_tail(s, side, b); },
      },
      shape);
}

double density(const Shape& shape, double b) {
  return std::visit(Overloaded{
                        [](const Point&) { return 0.0; },
                        [&](const Normal& s) { return normal_density((b - s.mean) / s.sd) / s.sd; },
                        [&](const LogNormal& s) {
                          if (b <= 0.0) return 0.0;
                          return normal_density(std::log(b / s.median) / s.sigma) / (s.sigma * b);
                        },
                        [&](const Empirical& s) { return empirical_density(s, b); },
                        [&](const QuantileCurve& s) { return curve_density(s, b); },
                        [&]<Clamped S>(const S& s) {
                          return sum_over_parts(
                              s, [&](const Shape& part) { return density(part, b); });
                        },
                        [&](const auto& s) { return truncated_density(s, b); },
                    },
                    shape);
}

double quantile(const Shape& shape, Tail side, double probability) {
  return std::visit(
      Overloaded{
          [&](const Point& s) { return s.value; },
          [&](const Normal& s) { return s.mean + s.sd * normal_quantile(side, probability); },
          [&](const LogNormal& s) {
            return s.median * std::exp(s.sigma * normal_quantile(side, probability));
          },
          [&](const Empirical& s) { return empirical_quantile(s, side, probability); },
          [&](const QuantileCurve& s) { return curve_quantile(s, side, probability); },
          [&]<Clamped S>(const S& s) {
            return std::clamp(quantile(parent_of(s), side, probability), s.low, s.high);
          },
          [&](const auto& s) { return truncated_quantile(s, side, probability); },
      },
      shape);
}

std::pair<double, double> support(const Shape& shape) {
  using Range = std::pair<double, double>;
  return std::visit(Overloaded{
                        [](const Point& s) { return Range(s.value, s.value); },
                        [](const Normal&) { return Range(-infinity, infinity); },
                        [](const LogNormal&) { return Range(0.0, infinity); },
                        [](const Empirical& s) { return Range(s.value.front(), s.value.back()); },
                        [](const QuantileCurve& s) { return curve_support(s); },
                        [](const auto& s) { return Range(s.low, s.high); },
                    },
                    shape);
}

std::vector<double> knots(const Shape& shape) {
  std::vector<double> result;
  std::visit(Overloaded{
                 [](const Point&) {},
                 [&](const Normal& s) {
                   for (int z = -38; z <= 38; z += 2) result.push_back(s.mean + s.sd * z);
                 },
                 [&](const LogNormal& s) {
                   for (int z = -38; z <= 38; z += 2)
                     result.push_back(s.median * std::exp(s.sigma * z));
                 },
                 [&](const Empirical& s) { result = s.value; },
                 [&](const QuantileCurve& s) { result = curve_knots(s); },
                 [&]<Clamped S>(const S& s) {
                   for (const WeightedShape& part : parts_of(s)) {
                     const std::vector<double> own = knots(part.shape);
                     result.insert(result.end(), own.begin(), own.end());
                   }
                 },
                 [&](const auto& s) { result = truncated_knots(s); },
             },
             shape);
  return result;
}

std::vector<Node> expectation_nodes(const Shape& shape, double widest) {
  return std::visit(
      Overloaded{
          [](const Point& s) {
            return std::vector<Node>{{s.value, 1.0}};
          },
          [](const Normal& s) {
            return gaussian_nodes(-10.0, 10.0, [&](double z) { return s.mean + s.sd * z; });
          },
          [](const LogNormal& s) {
            return gaussian_nodes(-10.0, 10.0 + 2.0 * s.sigma,
                                  [&](double z) { return s.median * std::exp(s.sigma * z); });
          },
          [&](const Empirical& s) { return empirical_nodes(s, widest); },
          [&](const QuantileCurve& s) { return curve_nodes(s, widest); },
          [&]<Clamped S>(const S& s) {
            std::vector<Node> nodes;
            for (const WeightedShape& part : parts_of(s)) {
              for (const Node& node : expectation_nodes(part.shape, widest)) {
                nodes.push_back({node.value, part.weight * node.weight});
              }
            }
            return nodes;
          },
          [&](const auto& s) { return truncated_nodes(s, widest); },
      },
      shape);
}

void check(const Shape& shape) {
  constexpr const char* without_spread = "a truncated law has no spread";
  constexpr const char* use_point = "use distribution = \"point\"";
  std::visit(Overloaded{
                 [](const Point& s) {
                   require(std::isfinite(s.value), "the value is not finite", "it is too large");
                 },
                 [](const Normal& s) { check_spread(s.mean, s.sd, "normal law"); },
                 [](const LogNormal& s) {
                   check_spread(s.median, s.sigma, "lognormal law");
                   require(s.median > 0.0, fmt::format("the median {:g}", s.median),
                           "must be positive");
                 },
                 [](const ClampedNormal& s) {
                   check(Shape(TruncatedNormal{s.mean, s.sd, s.low, s.high}));
                 },
                 [](const ClampedLogNormal& s) {
                   check(Shape(TruncatedLogNormal{s.median, s.sigma, s.low, s.high}));
                 },
                 [](const TruncatedNormal& s) {
                   check_spread(s.mean, s.sd, "normal law");
                   check_range(s.low, s.high, "normal law");
                   require(s.sd > 0.0, without_spread, {}, use_point);
                   check_mass(Normal{s.mean, s.sd}, s.low, s.high, "normal law");
                 },
                 [](const TruncatedLogNormal& s) {
                   check_spread(s.median, s.sigma, "lognormal law");
                   check_range(s.low, s.high, "lognormal law");
                   require(s.median > 0.0 && s.low >= 0.0,
                           fmt::format("the median {:g} and low {:g}", s.median, s.low),
                           "must be positive, low at least 0");
                   require(s.sigma > 0.0, without_spread, {}, use_point);
                   check_mass(LogNormal{s.median, s.sigma}, s.low, s.high, "lognormal law");
                 },
                 [](const Empirical& s) { check_empirical(s); },
                 [](const QuantileCurve& s) { check_curve(s); },
             },
             shape);
}

Shape simplified(const Shape& shape) {
  return std::visit(Overloaded{
                        [](const Normal& s) -> Shape {
                          if (s.sd == 0.0) return Point{s.mean};
                          return s;
                        },
                        [](const LogNormal& s) -> Shape {
                          if (s.sigma == 0.0) return Point{s.median};
                          return s;
                        },
                        [](const Empirical& s) -> Shape {
                          if (s.value.front() == s.value.back()) return Point{s.value.front()};
                          return s;
                        },
                        [](const auto& s) -> Shape { return s; },
                    },
                    shape);
}

const std::vector<Node>& gauss_legendre_16() {
  static const std::vector<Node> nodes = [] {
    using Rule = boost::math::quadrature::gauss<double, 16>;
    std::vector<Node> result;
    for (std::size_t i = 0; i < Rule::abscissa().size(); ++i) {
      result.push_back({-Rule::abscissa()[i], Rule::weights()[i]});
      result.push_back({Rule::abscissa()[i], Rule::weights()[i]});
    }
    std::sort(result.begin(), result.end(),
              [](const Node& a, const Node& b) { return a.value < b.value; });
    return result;
  }();
  return nodes;
}

}  // namespace cimstat::core
