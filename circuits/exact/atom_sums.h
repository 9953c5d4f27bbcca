#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/law/split_law.h"

namespace cimstat::circuits {

/// What a sum of cells is when every cell sits at an atom of its law.
struct AtomSums {
  std::vector<core::Atom> sums;  ///< ascending in value, all different beyond rounding
  double dropped = 0.0;          ///< probability of the sums left out
};

/// Weights below `negligible` are left out. Nothing where more than `most` sums remain.
std::optional<AtomSums> atom_sums(std::span<const core::SplitLaw> laws,
                                  std::span<const std::uint32_t> counts, double negligible,
                                  std::size_t most);

/// The probability that a cell sits at an atom.
double atom_mass(const core::SplitLaw& law);

/// How far sums of the atoms of that many cells may be from what they are without rounding: values
/// no further apart count as equal.
double rounding_of_sums(std::span<const core::SplitLaw> laws,
                        std::span<const std::uint32_t> counts);

}  // namespace cimstat::circuits
