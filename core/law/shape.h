#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "core/law/law.h"

/// Tails, quantiles and quadratures of one base shape of a law.
namespace cimstat::core {

/// P(N(0,1) <= z) or P(N(0,1) > z).
double normal_tail(Tail side, double z);
double normal_density(double z);
/// The z with normal_tail(side, z) = probability.
double normal_quantile(Tail side, double probability);
Tail opposite(Tail side);

/// P(B <= b) or P(B > b).
double tail_probability(const Shape& shape, Tail side, double b);
double density(const Shape& shape, double b);  ///< 0 for a point
double quantile(const Shape& shape, Tail side, double probability);
/// The smallest interval that holds all of the probability; infinite where a tail is.
std::pair<double, double> support(const Shape& shape);

/// Values of B, ascending, between which its distribution function is smooth on the scale of the
/// spacing: ends and corners, and every second standard deviation out to 38. Empty for a point.
std::vector<double> knots(const Shape& shape);

/// E f(B) is the sum of weight * f(value), up to rounding, for f analytic around the support:
/// slowly varying there (powers, a series resistance) or, on truncated and empirical shapes, waves
/// of up to 4 rad over the distance `widest`.
struct Node {
  double value = 0.0;
  double weight = 0.0;
};
std::vector<Node> expectation_nodes(const Shape& shape,
                                    double widest = std::numeric_limits<double>::infinity());

/// Throws LawError when a parameter is not finite or out of order.
void check(const Shape& shape);
/// The shape, or the point that it is when it has no spread.
Shape simplified(const Shape& shape);

/// Nodes and weights of the 16-point Gauss-Legendre rule on [-1, 1].
const std::vector<Node>& gauss_legendre_16();

}  // namespace cimstat::core
