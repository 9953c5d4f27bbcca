#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include "core/law/law.h"

#include "devices/conditions.h"

/// What every cell model has in common. A model is a plain struct of parameters in SI units that
/// holds the conditions of its reads (devices/conditions.h) as well.
namespace cimstat::devices {

/// Levels of a cell at the most: a cell of three bits.
inline constexpr std::uint32_t most_levels = 8;

/// Levels are numbered 0 .. levels() - 1, from the least conductance (HRS) to the highest (LRS).
template <class Model>
concept CellModel = requires(const Model& cell, std::uint32_t level) {
  { cell.levels() } -> std::convertible_to<std::uint32_t>;  ///< 2 .. most_levels
  /// What a level aims at, before any spread, drift or access transistor [S].
  { cell.target(level) } -> std::convertible_to<double>;
  /// What is frozen while a column is read, at the conditions of the read [S].
  { cell.programmed(level) } -> std::convertible_to<core::Law>;
  /// One fresh read of a freshly made cell [S]: `programmed` with the noise of the read. Its
  /// components' relative_noise is what is fresh; all else in them is frozen.
  { cell.read(level) } -> std::convertible_to<core::Law>;
  /// The conditions that it knows; any other is refused.
  { Model::condition_uses() } -> std::convertible_to<std::vector<ConditionUse>>;
};

}  // namespace cimstat::devices
