#pragma once

#include <vector>

#include "core/law/law.h"

/// Clamped normal and lognormal laws as what they consist of: the parent cut off, and an atom at
/// each end.
namespace cimstat::core {

struct WeightedShape {
  double weight = 0.0;
  Shape shape;
};

/// Those of positive weight; the weights add up to 1.
std::vector<WeightedShape> parts_of(const ClampedNormal& shape);
std::vector<WeightedShape> parts_of(const ClampedLogNormal& shape);

/// The component as components none of which is clamped.
std::vector<Component> without_clamps(const Component& component);

}  // namespace cimstat::core
