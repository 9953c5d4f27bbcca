#include "core/law/contour.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "core/law/shape.h"

namespace cimstat::core {
namespace {

using Complex = std::complex<double>;

/// Beyond so many standard deviations lies less than 1e-20 of a parent.
constexpr double reach = 9.5;
constexpr int leg_panels = 20;  // each half as long as the next
constexpr double widest_panel = 0.25;

/// A truncated base in the plane of its parent's standard normal variable.
struct Parent {
  double low = 0.0;  ///< z
  double high = 0.0;
  double centre = 0.0;  ///< of a normal; of a lognormal's logarithm
  double spread = 1.0;
  bool lognormal = false;

  Complex value(Complex z) const {
    const Complex b = centre + spread * z;
    return lognormal ? std::exp(b) : b;
  }
};

Parent parent_of(const Shape& base) {
  Parent parent;
  if (const auto* normal = std::get_if<TruncatedNormal>(&base)) {
    parent = {(normal->low - normal->mean) / normal->sd, (normal->high - normal->mean) / normal->sd,
              normal->mean, normal->sd, false};
  } else {
    const auto& law = std::get<TruncatedLogNormal>(base);
    const double centre = std::log(law.median);
    parent = {(std::log(law.low) - centre) / law.sigma, (std::log(law.high) - centre) / law.sigma,
              centre, law.sigma, true};
  }
  parent.low = std::max(parent.low, -reach);
  parent.high = std::min(parent.high, reach);
  return parent;
}

}  // namespace

std::vector<ContourNode> truncated_contour(const Component& c, double height) {
  const Parent parent = parent_of(c.base);
  double top = std::min(height, parent.high - parent.low);
  // The wave must not grow on the way up: x turns by spread * top.
  if (parent.lognormal) top = std::min(top, 0.25 * std::numbers::pi / parent.spread);
  std::vector<ContourNode> nodes;
  const auto line = [&](Complex from, Complex to) {
    const Complex half = 0.5 * (to - from);
    for (const Node& node : gauss_legendre_16()) {
      const Complex z = from + half * (1.0 + node.value);
      const Complex b = parent.value(z);
      nodes.push_back(
          {c.scale * b / (1.0 + c.compression * b), half * node.weight * std::exp(-0.5 * z * z)});
    }
  };
  const auto leg = [&](double end, double sign) {
    double lower = 0.0;
    for (int panel = leg_panels; panel >= 0; --panel) {
      const double upper = std::ldexp(top, -panel);
      const Complex from(end, sign > 0.0 ? lower : upper);
      const Complex to(end, sign > 0.0 ? upper : lower);
      line(from, to);
      lower = upper;
    }
  };
  leg(parent.low, 1.0);
  const auto panels =
      static_cast<std::size_t>(std::ceil((parent.high - parent.low) / widest_panel));
  const double width = (parent.high - parent.low) / static_cast<double>(panels);
  for (std::size_t panel = 0; panel < panels; ++panel) {
    const double start = parent.low + width * static_cast<double>(panel);
    line({start, top}, {start + width, top});
  }
  leg(parent.high, -1.0);
  Complex total = 0.0;
  for (const ContourNode& node : nodes) total += node.weight;
  for (ContourNode& node : nodes) {
    node.weight /= total;
    if (c.scale < 0.0) node = {std::conj(node.value), std::conj(node.weight)};
  }
  return nodes;
}

}  // namespace cimstat::core
