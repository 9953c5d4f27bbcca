#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>

#include <boost/math/tools/toms748_solve.hpp>
#include <fmt/format.h>

#include "core/interrupt.h"
#include "core/law/quantile_curve.h"

namespace cimstat::core {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double first_step = 0.25;
/// Slopes at most this many times the rises beside them: the cubic then increases.
constexpr double steepest = 2.5;

/// A function at multiples of a unit, each asked for once.
class Samples {
 public:
  Samples(const std::function<double(double)>& value, double unit) : value_(value), unit_(unit) {}
  double operator()(std::int64_t index) {
    const auto [place, is_new] = known_.try_emplace(index, 0.0);
    if (!is_new) return place->second;
    stop_if_requested();  // a value may be an integral
    const double z = unit_ * static_cast<double>(index);
    const double b = value_(z);
    if (!std::isfinite(b)) {
      throw LawError(fmt::format("the value at {:g} standard deviations is not finite", z),
                     "a law lies on the real axis");
    }
    return known_[index] = b;
  }

 private:
  const std::function<double(double)>& value_;
  double unit_;
  std::unordered_map<std::int64_t, double> known_;
};

/// Whether b is above a by more than rounding.
bool rises(double a, double b) { return b - a > 1e-14 * std::max(std::abs(a), std::abs(b)); }

[[noreturn]] void refuse(double z, bool falls) {
  if (falls) {
    throw LawError(fmt::format("values fall at {:g} standard deviations", z),
                   "a quantile function does not decrease");
  }
  throw LawError(fmt::format("values stand still at {:g} standard deviations", z),
                 "an atom has no place on a curve", "give it a component of its own");
}

/// The curve on a grid of `stride` units, ends cut off where doubles no longer rise.
QuantileCurve curve_on(Samples& samples, std::int64_t stride, double unit, const CurveGrid& grid) {
  const double step = unit * static_cast<double>(stride);
  auto last = static_cast<std::int64_t>(std::ceil(grid.reach / step)) * stride;
  auto first = -last;
  for (const double sign : {-1.0, 1.0}) {
    std::int64_t& end = sign < 0.0 ? first : last;
    const std::int64_t inward = sign < 0.0 ? stride : -stride;
    while (std::abs(static_cast<double>(end)) * unit > grid.continuous) {
      const double outer = samples(end);
      const double inner = samples(end + inward);
      if (sign < 0.0 ? rises(outer, inner) : rises(inner, outer)) break;
      end += inward;
    }
  }
  QuantileCurve curve{unit * static_cast<double>(first), step, {}, {}};
  for (std::int64_t i = first; i <= last; i += stride) {
    const double b = samples(i);
    if (!curve.value.empty() && !rises(curve.value.back(), b)) {
      refuse(unit * static_cast<double>(i), b < curve.value.back());
    }
    curve.value.push_back(b);
  }
  const auto n = curve.value.size();
  const std::int64_t half = stride / 2;
  for (std::size_t k = 0; k < n; ++k) {
    const std::int64_t i = first + static_cast<std::int64_t>(k) * stride;
    const double near = samples(i + half) - samples(i - half);
    const double middle = samples(i + 2 * half) - samples(i - 2 * half);
    const double far = samples(i + 3 * half) - samples(i - 3 * half);
    const double slope = (45.0 * near - 9.0 * middle + far) / (30.0 * step);
    double least = infinity;
    if (k > 0) least = std::min(least, (curve.value[k] - curve.value[k - 1]) / step);
    if (k + 1 < n) least = std::min(least, (curve.value[k + 1] - curve.value[k]) / step);
    curve.slope.push_back(std::clamp(slope, 0.01 * least, steepest * least));
  }
  return curve;
}

/// The largest |P(B <= b) - Phi(z)|, about, half way between grid points.
double probability_error(Samples& samples, const QuantileCurve& curve, std::int64_t stride,
                         double unit) {
  const auto first = static_cast<std::int64_t>(std::llround(curve.start / unit));
  double largest = 0.0;
  for (std::size_t k = 0; k + 1 < curve.value.size(); ++k) {
    const std::int64_t i = first + static_cast<std::int64_t>(k) * stride + stride / 2;
    const double z = unit * static_cast<double>(i);
    const double miss = std::abs(curve_value(curve, z) - samples(i));
    largest = std::max(largest, normal_density(z) * miss / curve_slope(curve, z));
  }
  return largest;
}

}  // namespace

QuantileCurve curve_of_scores(const std::function<double(double)>& value, CurveGrid grid) {
  const double unit = 0.5 * grid.finest;
  Samples samples(value, unit);
  auto stride = std::max<std::int64_t>(
      2, static_cast<std::int64_t>(std::exp2(std::round(std::log2(first_step / unit)))));
  QuantileCurve curve = curve_on(samples, stride, unit, grid);
  while (stride > 2 && probability_error(samples, curve, stride, unit) > grid.probability_error) {
    stride /= 2;
    curve = curve_on(samples, stride, unit, grid);
  }
  if (curve.value.front() >= 0.0) curve.low = curve_score(curve, 0.0);
  return curve;
}

QuantileCurve curve_of_quantiles(const std::function<double(Tail, double)>& quantile,
                                 CurveGrid grid) {
  return curve_of_scores(
      [&](double z) {
        const Tail side = z < 0.0 ? Tail::lower : Tail::upper;
        return quantile(side, normal_tail(side, z));
      },
      grid);
}

QuantileCurve curve_of_tails(const std::function<double(Tail, double)>& tail, double centre,
                             double spread, CurveGrid grid) {
  const auto quantile = [&](Tail side, double probability) {
    const double sign = side == Tail::lower ? 1.0 : -1.0;
    // Increasing in b, zero at the quantile.
    const auto excess = [&](double b) {
      const double p = tail(side, b);
      return sign * ((p > 0.0 ? std::log(p) : -800.0) - std::log(probability));
    };
    const double outward = spread * std::abs(normal_quantile(side, probability));
    double low = centre - (side == Tail::lower ? outward : 0.0);
    double high = centre + (side == Tail::upper ? outward : 0.0);
    double width = 0.25 * spread;
    for (int i = 0; i < 2000 && excess(low) >= 0.0; ++i) {
      high = low;
      low -= width;
      width *= 1.5;
    }
    width = 0.25 * spread;
    for (int i = 0; i < 2000 && excess(high) < 0.0; ++i) {
      low = high;
      high += width;
      width *= 1.5;
    }
    if (excess(high) == 0.0) return high;
    std::uintmax_t iterations = 200;
    const auto bracket = boost::math::tools::toms748_solve(
        excess, low, high, boost::math::tools::eps_tolerance<double>(52), iterations);
    return 0.5 * (bracket.first + bracket.second);
  };
  return curve_of_quantiles(quantile, grid);
}

QuantileCurve restricted(QuantileCurve curve, double low, double high) {
  curve.low = std::max(curve.low, low);
  curve.high = std::min(curve.high, high);
  check_curve(curve);
  return curve;
}

}  // namespace cimstat::core
