#include "core/law/quantile_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include <boost/math/quadrature/gauss.hpp>
#include <fmt/format.h>

#include "core/law/truncated.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Where scores end that are infinite.
constexpr double farthest = 38.0;
/// Less than this beyond an end is as good as nothing.
constexpr double no_mass = 1e-17;

double last_of_grid(const QuantileCurve& c) {
  return c.start + c.step * static_cast<double>(c.value.size() - 1);
}

/// The piece that holds z: the left one of two.
CurvePiece piece_at(const QuantileCurve& c, double z) {
  const double end = last_of_grid(c);
  if (z <= c.start) {
    return {-infinity, c.start, c.start, c.value.front(), c.slope.front(), 0.0, 0.0};
  }
  if (z >= end) return {end, infinity, end, c.value.back(), c.slope.back(), 0.0, 0.0};
  const auto i = std::min(static_cast<std::size_t>((z - c.start) / c.step), c.value.size() - 2);
  const double origin = c.start + c.step * static_cast<double>(i);
  const double secant = (c.value[i + 1] - c.value[i]) / c.step;
  return {origin,
          origin + c.step,
          origin,
          c.value[i],
          c.slope[i],
          (3.0 * secant - 2.0 * c.slope[i] - c.slope[i + 1]) / c.step,
          (c.slope[i] + c.slope[i + 1] - 2.0 * secant) / (c.step * c.step)};
}

double value_on(const CurvePiece& p, double z) {
  const double x = z - p.origin;
  return p.value + x * (p.slope + x * (p.square + x * p.cube));
}

double slope_on(const CurvePiece& p, double z) {
  const double x = z - p.origin;
  return p.slope + x * (2.0 * p.square + 3.0 * x * p.cube);
}

TruncatedNormal scores(const QuantileCurve& c) {
  return {0.0, 1.0, std::max(c.low, -farthest - 2.0), std::min(c.high, farthest + 2.0)};
}

/// Whether more than `no_mass` lies beyond z.
bool is_beyond(Tail side, double z) {
  const double outward = side == Tail::lower ? -z : z;
  // P(Z > 8.494) = no_mass: only close to it does one need to know.
  if (outward > 8.6) return false;
  return outward < 8.4 || normal_tail(side, z) > no_mass;
}

/// Whether an end takes away so much that the rest must be renormalised.
bool is_cut(const QuantileCurve& c) {
  return is_beyond(Tail::lower, c.low) || is_beyond(Tail::upper, c.high);
}

/// Gauss-Legendre rules of increasing size, and what the rule's error is for exp(k t) on [-1, 1]:
/// coefficient k^(2 size).
struct Rule {
  std::vector<Node> nodes;
  double coefficient = 0.0;
};

template <unsigned size>
Rule rule() {
  using Gauss = boost::math::quadrature::gauss<double, size>;
  Rule result;
  for (std::size_t i = 0; i < Gauss::abscissa().size(); ++i) {
    result.nodes.push_back({Gauss::abscissa()[i], Gauss::weights()[i]});
    result.nodes.push_back({-Gauss::abscissa()[i], Gauss::weights()[i]});
  }
  const double m = size;
  result.coefficient = std::exp((2.0 * m + 1.0) * std::log(2.0) + 4.0 * std::lgamma(m + 1.0) -
                                std::log(2.0 * m + 1.0) - 3.0 * std::lgamma(2.0 * m + 1.0));
  return result;
}

const std::vector<Rule>& rules() {
  static const std::vector<Rule> all{rule<4>(), rule<6>(), rule<10>(), rule<16>()};
  return all;
}

}  // namespace

double curve_mass(const QuantileCurve& c) {
  if (!is_cut(c)) return 1.0;
  const bool high_side = c.low > 0.0;
  const double low = high_side ? -c.high : c.low;
  const double high = high_side ? -c.low : c.high;
  // From the side whose tails are small; a narrow slice loses a few digits, never its sign.
  return normal_tail(Tail::lower, high) - normal_tail(Tail::lower, low);
}

double curve_value(const QuantileCurve& c, double z) { return value_on(piece_at(c, z), z); }
double curve_slope(const QuantileCurve& c, double z) { return slope_on(piece_at(c, z), z); }

double curve_score(const QuantileCurve& c, double b) {
  if (b <= c.value.front()) return c.start + (b - c.value.front()) / c.slope.front();
  if (b >= c.value.back()) return last_of_grid(c) + (b - c.value.back()) / c.slope.back();
  const auto next = std::upper_bound(c.value.begin(), c.value.end(), b) - c.value.begin();
  const CurvePiece p = piece_at(c, c.start + c.step * (static_cast<double>(next) - 0.5));
  // Newton's steps, halved where they leave the bracket.
  double low = p.low;
  double high = p.high;
  double z = low + c.step * (b - p.value) / (c.value[static_cast<std::size_t>(next)] - p.value);
  for (int i = 0; i < 60; ++i) {
    const double excess = value_on(p, z) - b;
    if (excess == 0.0) return z;
    (excess < 0.0 ? low : high) = z;
    double better = z - excess / slope_on(p, z);
    if (!(better > low && better < high)) better = 0.5 * (low + high);
    if (std::abs(better - z) <= 1e-15 * std::max(1.0, std::abs(z))) return better;
    z = better;
  }
  return z;
}

std::vector<CurvePiece> curve_pieces(const QuantileCurve& c) {
  const double first = std::max(c.low, -farthest);
  const double last = std::min(c.high, farthest);
  std::vector<CurvePiece> result;
  for (double z = first; z < last;) {
    // Half way into the piece that begins at z.
    const double end = last_of_grid(c);
    CurvePiece p;
    if (z < c.start) {
      p = piece_at(c, z);
    } else if (z >= end) {
      p = piece_at(c, z);
    } else {
      const double cell = std::floor((z - c.start) / c.step * (1.0 + 1e-15) + 1e-12);
      p = piece_at(c, c.start + c.step * (cell + 0.5));
    }
    p.low = z;
    p.high = std::min(p.high, last);
    z = p.high;
    result.push_back(p);
  }
  return result;
}

double curve_tail(const QuantileCurve& c, Tail side, double b) {
  return CurveTails(c).tail(side, b);
}

double curve_density(const QuantileCurve& c, double b) { return CurveTails(c).density(b); }

CurveTails::CurveTails(const QuantileCurve& c)
    : curve_(c), is_cut_(is_cut(c)), scores_(scores(c)), below_(-infinity), above_(infinity) {
  if (is_cut_) mass_ = truncated_mass(scores_);
  // A grid point's room for the roundings of scores.
  const double last = static_cast<double>(c.value.size() - 1);
  const double low = std::floor((c.low - c.start) / c.step) - 1.0;
  if (low >= 0.0) below_ = c.value[static_cast<std::size_t>(std::min(low, last))];
  const double high = std::ceil((c.high - c.start) / c.step) + 1.0;
  if (high <= last) above_ = c.value[static_cast<std::size_t>(std::max(high, 0.0))];
}

double CurveTails::tail(Tail side, double b) const {
  const auto below = [&] { return side == Tail::lower ? 0.0 : 1.0; };
  const auto above = [&] { return side == Tail::lower ? 1.0 : 0.0; };
  if (b <= below_) return below();
  if (b >= above_) return above();
  const double z = curve_score(curve_, b);
  if (z <= curve_.low) return below();
  if (z >= curve_.high) return above();
  return is_cut_ ? truncated_tail(scores_, mass_, side, z) : normal_tail(side, z);
}

double CurveTails::density(double b) const {
  if (b <= below_ || b >= above_) return 0.0;
  const double z = curve_score(curve_, b);
  if (z < curve_.low || z > curve_.high) return 0.0;
  const double share = is_cut_ ? truncated_density(scores_, mass_, z) : normal_density(z);
  return share / curve_slope(curve_, z);
}

double curve_quantile(const QuantileCurve& c, Tail side, double probability) {
  const double z = is_cut(c) ? truncated_quantile(scores(c), side, probability)
                             : std::clamp(normal_quantile(side, probability), c.low, c.high);
  return curve_value(c, z);
}

std::pair<double, double> curve_support(const QuantileCurve& c) {
  return {c.low == -infinity ? -infinity : curve_value(c, c.low),
          c.high == infinity ? infinity : curve_value(c, c.high)};
}

std::vector<double> curve_knots(const QuantileCurve& c) {
  constexpr double spacing = 0.5;
  std::vector<double> result;
  if (c.low > -infinity) result.push_back(curve_value(c, c.low));
  const double end = last_of_grid(c);
  const auto add = [&](double z) {
    if (z > c.low && z < c.high) result.push_back(curve_value(c, z));
  };
  for (double z = -farthest; z < c.start; z += 2.0) add(z);
  const double stride = std::max(1.0, std::round(spacing / c.step));
  const auto cells = static_cast<double>(c.value.size() - 1);
  for (double i = 0.0; i < cells; i += stride) add(c.start + c.step * i);
  add(end);
  for (double z = farthest - 2.0 * std::floor((farthest - end) / 2.0); z <= farthest; z += 2.0) {
    if (z > end) add(z);
  }
  if (c.high < infinity) result.push_back(curve_value(c, c.high));
  return result;
}

std::vector<Node> curve_nodes(const QuantileCurve& c, double widest) {
  constexpr double reach = 9.75;  // beyond it lies 2e-22
  constexpr double piece_error = 1e-20;
  constexpr double widest_panel = 0.5;  // where a tail is linear
  std::vector<Node> result;
  double total = 0.0;
  double from = std::max(c.low, -reach);
  double to = std::min(c.high, reach);
  if (c.low > reach - 1.0) to = std::min(c.high, (from = c.low) + 1.0);
  if (c.high < 1.0 - reach) from = std::max(c.low, (to = c.high) - 1.0);
  for (const CurvePiece& p : curve_pieces(c)) {
    const double low = std::max(p.low, from);
    const double high = std::min(p.high, to);
    if (!(high > low)) continue;
    const double rise = value_on(p, high) - value_on(p, low);
    double panels = std::ceil((high - low) / widest_panel);
    while (rise > panels * widest) panels *= 2.0;
    const double half = 0.5 * (high - low) / panels;
    for (double panel = 0.5; panel < panels; panel += 1.0) {
      const double middle = low + half * 2.0 * panel;
      const double nearest = std::max(0.0, std::abs(middle) - half);
      const double rate = 2.0 * rise / (panels * widest) + half * (std::abs(middle) + half + 1.0);
      const double size = half * normal_density(nearest);
      const Rule* chosen = &rules().back();
      for (const Rule& rule : rules()) {
        const double order = 2.0 * static_cast<double>(rule.nodes.size());
        if (size * rule.coefficient * std::pow(rate, order) > piece_error) continue;
        chosen = &rule;
        break;
      }
      for (const Node& node : chosen->nodes) {
        const double z = middle + half * node.value;
        const double weight = half * node.weight * normal_density(z);
        total += weight;
        result.push_back({value_on(p, z), weight});
      }
    }
  }
  for (Node& node : result) node.weight /= total;
  return result;
}

void check_curve(const QuantileCurve& c) {
  const auto require = [](bool holds, const char* problem, const char* why) {
    if (!holds) throw LawError(problem, why);
  };
  require(c.value.size() >= 2 && c.value.size() == c.slope.size(),
          "a quantile curve of unequal lists", "as many slopes as values, at least two");
  require(std::isfinite(c.start) && std::isfinite(c.step) && c.step > 0.0,
          "the grid of a quantile curve", "start must be finite, step positive");
  require(c.low < c.high && c.low < farthest && c.high > -farthest,
          "the scores of a quantile curve", "low must lie below high, both within 38");
  for (std::size_t i = 0; i < c.value.size(); ++i) {
    require(std::isfinite(c.value[i]) && std::isfinite(c.slope[i]),
            "a value or slope of a quantile curve is not finite", "it is too large");
    require(c.slope[i] > 0.0, "a slope of a quantile curve", "must be positive");
    if (i == 0) continue;
    const double secant = (c.value[i] - c.value[i - 1]) / c.step;
    require(secant > 0.0, "values of a quantile curve", "must increase");
    // Within these limits the cubic increases everywhere (Fritsch and Carlson, 1980).
    require(std::max(c.slope[i], c.slope[i - 1]) <= 3.0 * secant &&
                c.slope[i] + c.slope[i - 1] < 5.999 * secant,
            "slopes of a quantile curve", "at most 3 times the rise beside them");
  }
}

}  // namespace cimstat::core
