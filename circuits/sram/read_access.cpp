#include "circuits/sram/read_access.h"

#include <cmath>

#include "core/law/shape.h"

namespace cimstat::circuits {

namespace {

constexpr double reach = 38.0;  // beyond lies nothing that a double can hold

}  // namespace

double ReadAccess::node(double access_normal) const {
  return word_line - (access_threshold + access_sd * access_normal) -
         std::pow(least_current / access_factor, 1.0 / exponent);
}

LimitState ReadAccess::limit() const {
  return {2, [cell = *this](std::span<const double> z) {
            const double node = cell.node(z[0]);
            // Without a voltage across it nothing flows; continued so that a search finds its way.
            const double overdrive =
                node > 0.0 ? cell.supply - (cell.pull_down_threshold + cell.pull_down_sd * z[1])
                           : cell.supply;
            const double current =
                cell.pull_down_factor * (overdrive * node - 0.5 * node * std::abs(node));
            return current / cell.least_current - 1.0;
          }};
}

double ReadAccess::failure_probability() const {
  // Above `last` the node is at ground: all cells fail. Panels shrink towards it, where the
  // boundary turns away to infinity.
  const double last = node(0.0) / access_sd;
  const auto fails = [&](double z) {
    const double v = node(z);
    const double highest = supply - 0.5 * v - least_current / (pull_down_factor * v);
    return core::normal_tail(core::Tail::upper, (highest - pull_down_threshold) / pull_down_sd);
  };
  const auto panel = [&](double low, double high) {
    double sum = 0.0;
    for (const core::Node& node : core::gauss_legendre_16()) {
      const double z = 0.5 * (low + high) + 0.5 * (high - low) * node.value;
      sum += 0.5 * (high - low) * node.weight * core::normal_density(z) * fails(z);
    }
    return sum;
  };
  if (last <= -reach) return 1.0;
  const double end = std::min(last, reach);
  double sum = core::normal_tail(core::Tail::upper, end);
  double high = end;
  for (double width = 1e-6; high > -reach; width = std::min(1.25 * width, 0.0625)) {
    const double low = std::max(high - width, -reach);
    sum += panel(low, high);
    high = low;
  }
  return sum;
}

}  // namespace cimstat::circuits
