#include "core/law/truncated.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <boost/math/tools/toms748_solve.hpp>

namespace cimstat::core {
namespace {

/// P(a < N(0,1) < a + width). A narrow interval is integrated, because the difference of two tails
/// would keep no digit of it.
double normal_interval(double a, double width) {
  if (!(width > 0.0)) return 0.0;
  if (width < 0.5) {
    double sum = 0.0;
    for (const Node& node : gauss_legendre_16()) {
      sum += node.weight * normal_density(a + 0.5 * width * (1.0 + node.value));
    }
    return 0.5 * width * sum;
  }
  const double b = a + width;
  if (a > 0.0) return normal_tail(Tail::upper, a) - normal_tail(Tail::upper, b);
  if (b < 0.0) return normal_tail(Tail::lower, b) - normal_tail(Tail::lower, a);
  return 1.0 - normal_tail(Tail::lower, a) - normal_tail(Tail::upper, b);
}

/// A truncated shape in units of its parent's standard normal variable.
struct Truncation {
  double low;    ///< z of the lower end
  double width;  ///< z of the upper end minus `low`
};

/// log(b / a) without cancellation when they are close. 0 < a, 0 < b.
double log_ratio(double b, double a) {
  return std::abs(b - a) < 0.5 * a ? std::log1p((b - a) / a) : std::log(b / a);
}

/// Where a truncated lognormal begins: 40 sigma down is as good as 0.
double start_of(const TruncatedLogNormal& s) {
  return std::max(s.low, s.median * std::exp(-40.0 * s.sigma));
}

Truncation truncation(const TruncatedNormal& s) {
  return {(s.low - s.mean) / s.sd, (s.high - s.low) / s.sd};
}

Truncation truncation(const TruncatedLogNormal& s) {
  const double low = start_of(s);
  return {std::log(low / s.median) / s.sigma, log_ratio(s.high, low) / s.sigma};
}

double parent_z(const TruncatedNormal& s, double b) { return (b - s.mean) / s.sd; }
double parent_z(const TruncatedLogNormal& s, double b) { return std::log(b / s.median) / s.sigma; }

double parent_value(const TruncatedNormal& s, double z) {
  return std::clamp(s.mean + s.sd * z, s.low, s.high);
}
double parent_value(const TruncatedLogNormal& s, double z) {
  return std::clamp(s.median * std::exp(s.sigma * z), s.low, s.high);
}

/// db / dz.
double spread_at(const TruncatedNormal& s, double) { return s.sd; }
double spread_at(const TruncatedLogNormal& s, double b) { return s.sigma * b; }

/// How far b lies from the end on `side`, in standard deviations of the parent.
double distance(const TruncatedNormal& s, Tail side, double b) {
  return (side == Tail::lower ? b - s.low : s.high - b) / s.sd;
}

double distance(const TruncatedLogNormal& s, Tail side, double b) {
  const double low = start_of(s);
  if (b <= low) return side == Tail::lower ? 0.0 : log_ratio(s.high, low) / s.sigma;
  return (side == Tail::lower ? log_ratio(b, low) : log_ratio(s.high, b)) / s.sigma;
}

/// The b at that distance.
double value_at(const TruncatedNormal& s, Tail side, double d) {
  const double b = side == Tail::lower ? s.low + s.sd * d : s.high - s.sd * d;
  return std::clamp(b, s.low, s.high);
}

double value_at(const TruncatedLogNormal& s, Tail side, double d) {
  const double b =
      side == Tail::lower ? start_of(s) * std::exp(s.sigma * d) : s.high * std::exp(-s.sigma * d);
  return std::clamp(b, s.low, s.high);
}

}  // namespace

template <class S>
double truncated_mass(const S& s) {
  const Truncation t = truncation(s);
  return normal_interval(t.low, t.width);
}

template <class S>
double truncated_tail(const S& s, double mass, Tail side, double b) {
  if (b <= s.low) return side == Tail::lower ? 0.0 : 1.0;
  if (b >= s.high) return side == Tail::lower ? 1.0 : 0.0;
  const Truncation t = truncation(s);
  const double part = distance(s, side, b);
  // Mirrored for the upper side, so that the wanted tail starts at the end of the range.
  const double start = side == Tail::lower ? t.low : -(t.low + t.width);
  return std::min(normal_interval(start, part) / mass, 1.0);
}

template <class S>
double truncated_tail(const S& s, Tail side, double b) {
  const bool inside = b > s.low && b < s.high;
  return truncated_tail(s, inside ? truncated_mass(s) : 1.0, side, b);
}

template <class S>
double truncated_density(const S& s, double mass, double b) {
  if (b < s.low || b > s.high) return 0.0;
  const double z = truncation(s).low + distance(s, Tail::lower, b);
  return normal_density(z) / (mass * spread_at(s, b));
}

template <class S>
double truncated_density(const S& s, double b) {
  const bool inside = b >= s.low && b <= s.high;
  return truncated_density(s, inside ? truncated_mass(s) : 1.0, b);
}

template <class S>
double truncated_quantile(const S& s, Tail side, double probability) {
  const Truncation t = truncation(s);
  const double start = side == Tail::lower ? t.low : -(t.low + t.width);
  const double target = probability * normal_interval(start, t.width);
  const auto excess = [&](double log_distance) {
    const double mass = normal_interval(start, std::exp(log_distance));
    return mass > 0.0 ? std::log(mass / target) : -800.0;
  };
  double high = std::log(t.width);
  double low = high - 1.0;
  while (excess(low) > 0.0) low -= 2.0 * (high - low);
  std::uintmax_t iterations = 100;
  const auto bracket = boost::math::tools::toms748_solve(
      excess, low, high, boost::math::tools::eps_tolerance<double>(52), iterations);
  return value_at(s, side, std::exp(0.5 * (bracket.first + bracket.second)));
}

template <class S>
std::vector<double> truncated_knots(const S& s) {
  const Truncation t = truncation(s);
  constexpr double farthest = 40.0;
  const double pieces = std::ceil(t.width / 2.0);
  std::vector<double> result{s.low};
  // The range may be a billion standard deviations wide: only pieces that carry anything are
  // visited, of which there are fewer than 96, as each is wider than 1.
  const double first = std::max(1.0, std::floor((-farthest - t.low) / t.width * pieces) - 1.0);
  for (int next = 0; next < 96 && first + next < pieces; ++next) {
    const double d = t.width * (first + next) / pieces;
    if (std::abs(t.low + d) < farthest) result.push_back(value_at(s, Tail::lower, d));
  }
  result.push_back(s.high);
  return result;
}

template <class S>
std::vector<Node> truncated_nodes(const S& s, double widest) {
  const Truncation t = truncation(s);
  const double all = normal_interval(t.low, t.width);
  // What lies 40 standard deviations out carries nothing.
  const double last = std::min(parent_z(s, s.high), 40.0);
  std::vector<Node> result;
  // Ends at multiples of 1/2 are exact, so that neighbouring panels neither overlap nor leave gaps.
  for (double start = std::max(t.low, -40.0); start < last;) {
    const double end = std::min(last, 0.5 * (std::floor(2.0 * start) + 1.0));
    double panels = 1.0;
    while (parent_value(s, end) - parent_value(s, start) > panels * widest) panels *= 2.0;
    const double half = 0.5 * (end - start) / panels;
    for (double panel = 0.5; panel < panels; panel += 1.0) {
      for (const Node& node : gauss_legendre_16()) {
        const double z = start + half * (2.0 * panel + node.value);
        const double weight = half * node.weight * normal_density(z) / all;
        if (weight > 1e-40) result.push_back({parent_value(s, z), weight});
      }
    }
    start = end;
  }
  return result;
}

template double truncated_mass(const TruncatedNormal&);
template double truncated_tail(const TruncatedNormal&, double, Tail, double);
template double truncated_tail(const TruncatedNormal&, Tail, double);
template double truncated_density(const TruncatedNormal&, double, double);
template double truncated_density(const TruncatedNormal&, double);
template double truncated_quantile(const TruncatedNormal&, Tail, double);
template std::vector<double> truncated_knots(const TruncatedNormal&);
template std::vector<Node> truncated_nodes(const TruncatedNormal&, double);
template double truncated_mass(const TruncatedLogNormal&);
template double truncated_tail(const TruncatedLogNormal&, double, Tail, double);
template double truncated_tail(const TruncatedLogNormal&, Tail, double);
template double truncated_density(const TruncatedLogNormal&, double, double);
template double truncated_density(const TruncatedLogNormal&, double);
template double truncated_quantile(const TruncatedLogNormal&, Tail, double);
template std::vector<double> truncated_knots(const TruncatedLogNormal&);
template std::vector<Node> truncated_nodes(const TruncatedLogNormal&, double);

}  // namespace cimstat::core
