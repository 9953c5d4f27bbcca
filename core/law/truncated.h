#pragma once

#include <vector>

#include "core/law/law.h"
#include "core/law/shape.h"

/// Truncated normal and lognormal laws, in the standard normal variable of their parent.
namespace cimstat::core {

// Each is defined for TruncatedNormal and TruncatedLogNormal, and means what the function of
// shape.h without `truncated_` means.
template <class Truncated>
double truncated_tail(const Truncated& shape, Tail side, double b);
template <class Truncated>
double truncated_density(const Truncated& shape, double b);
/// The parent's probability between the ends; the same with that given, for many values of b.
template <class Truncated>
double truncated_mass(const Truncated& shape);
template <class Truncated>
double truncated_tail(const Truncated& shape, double mass, Tail side, double b);
template <class Truncated>
double truncated_density(const Truncated& shape, double mass, double b);
template <class Truncated>
double truncated_quantile(const Truncated& shape, Tail side, double probability);
template <class Truncated>
std::vector<double> truncated_knots(const Truncated& shape);
template <class Truncated>
std::vector<Node> truncated_nodes(const Truncated& shape, double widest);

}  // namespace cimstat::core
