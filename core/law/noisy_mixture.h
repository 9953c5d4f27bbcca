#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "core/law/law.h"
#include "core/law/shape.h"

namespace cimstat::core {

/// Quantiles of mixtures of curves with read noise, thousands of times cheaper than Law::quantile,
/// which integrates each component anew for each step of its root search. Here each curve is laid
/// out once as nodes (value g, weight w) no wider apart than the noise resolves, so that a tail is
/// the sum of w P(g (1 + r xi) on that side of x), of which only nodes within reach of x cost
/// anything. All terms are positive: tails keep their relative accuracy, about 1e-9 down to 2^-33.
class NoisyMixture {
 public:
  /// Nothing where it would not pay: fewer than two curves with noise, or noise that is all but
  /// none, or other shapes with noise.
  static std::optional<NoisyMixture> of(const Law& law);

  double tail_probability(Tail side, double x) const;
  /// The x with tail_probability(side, x) = probability, which is 2^-34 to 1/2.
  double quantile(Tail side, double probability) const;

 private:
  /// Nodes of one sign of one component, ascending in |g|: scores (x - g) / (r |g|) are monotonic.
  struct Run {
    double noise = 0.0;
    double sign = 1.0;
    std::vector<double> magnitude;  ///< |g| > 0
    std::vector<double> weight;
    std::vector<double> before;  ///< sum of the weights of the nodes before this one; one more
    std::vector<double> behind;  ///< of this one and those behind it; one more
  };
  /// A tail and the density at the same place.
  struct Mass {
    double tail = 0.0;
    double density = 0.0;
  };
  struct Known {
    double x = 0.0;
    double lower = 0.0;
    double upper = 0.0;
  };

  NoisyMixture() = default;
  void add_curve(const Component& component);
  void tabulate();
  void add(const Run& run, Tail side, double x, Mass& mass) const;
  Mass smooth_mass(Tail side, double x) const;
  double atom_mass(Tail side, double x) const;

  std::vector<Run> runs_;
  std::vector<Component> quiet_;  ///< without noise, no atoms
  std::vector<Node> atoms_;       ///< ascending
  std::vector<Known> known_;      ///< of the smooth part alone, ascending
};

}  // namespace cimstat::core
