#pragma once

#include <optional>
#include <vector>

#include "core/law/law.h"

/// One component of a mixture: X = scale * C(B) * (1 + relative_noise * xi).
namespace cimstat::core {

/// C(b), and the b with C(b) = g (infinite at and beyond the asymptote 1 / compression).
double compressed(const Component& component, double b);
double uncompressed(const Component& component, double g);

/// Where the component is an atom: its value.
std::optional<double> atom(const Component& component);
/// The normal (or point, sd = 0) that the component is exactly, where it is one.
std::optional<Normal> normal_component(const Component& component);

/// P(X <= x) or P(X > x). `base_knots` are knots(component.base), asked for with relative noise
/// only. Relative accuracy is kept for results of `smallest` and above.
double component_tail(const Component& component, const std::vector<double>& base_knots, Tail side,
                      double x, double smallest);

/// Density at x of a component without relative noise; 0 for an atom.
double component_density(const Component& component, double x);

double component_mean(const Component& component);
double component_variance(const Component& component, double mean);

/// Throws UsageError as Law's constructor promises.
void check_component(const Component& component);

}  // namespace cimstat::core
