#pragma once

#include <optional>
#include <vector>

#include "core/law/law.h"

namespace cimstat::core {

/// A value that has a probability of its own.
struct Atom {
  double value = 0.0;
  double weight = 0.0;
};

/// A law as its atoms and the rest, which has a density: points, and equal values of a measured
/// law, are atoms where no noise blurs them.
struct SplitLaw {
  std::vector<Atom> atoms;  ///< ascending in value, all different
  double smooth_weight = 0.0;
  std::optional<Law>
      smooth;  ///< given that it is none of the atoms; nothing where it always is one
};

SplitLaw split(const Law& law);

}  // namespace cimstat::core
