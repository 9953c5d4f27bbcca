#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "devices/any_cell.h"

#include "circuits/arrays/array_plane.h"

#include "experiments/arrays/comparison.h"

/// One chip of a macro's array, cell by cell, beside the laws that its cells are drawn from.
namespace cimstat::experiments {

inline constexpr std::array<double, 5> chip_quantiles{0.001, 0.01, 0.5, 0.99, 0.999};

struct LevelSummary {
  double target = 0.0;
  std::uint64_t cells = 0;
  MomentComparison moments = {};
  /// At chip_quantiles; between order statistics, whatever the law.
  std::array<Comparison, chip_quantiles.size()> quantiles = {};
  /// That cells of the law would be as far from it (G over quantiles of the law), after Holm over
  /// the levels.
  double p_value = 1.0;
};

struct SampledChip {
  circuits::ArrayShape shape;
  std::uint64_t chip = 0;
  /// What a cell is: a conductance [S], or a capacitance [F] in the charge domain.
  core::Quantity quantity = core::Quantity::conductance;
  std::vector<std::uint8_t> levels = {};  ///< [row][column]: in turn along rows and columns
  std::vector<float> values = {};         ///< [row][column], as programmed
  std::vector<LevelSummary> summaries = {};
};

inline constexpr std::uint64_t chip_cell_limit = std::uint64_t{1} << 26;

/// All levels of a cell in turn, [row][column]. Throws UsageError for more cells than
/// chip_cell_limit.
std::vector<std::uint8_t> levels_in_turn(circuits::ArrayShape shape, std::uint32_t levels);

/// Draws the chip, whose cells conduct `factor` times as much as their laws say, and sets it beside
/// its laws with that factor. Throws UsageError as levels_in_turn does.
SampledChip sample_chip(const devices::AnyCell& cell, circuits::ArrayShape shape,
                        std::uint64_t chip, double factor, core::StreamKey key, double confidence,
                        core::Threads threads);

/// What stands above the tables.
struct ChipHeading {
  std::string name;
  std::uint64_t seed = 0;
  double confidence = 0.95;
  double factor = 1.0;  ///< of the die: corner, or a draw of the common factor
};

/// A line about the factor, or nothing where it is 1.
std::string factor_text(const ChipHeading& heading);

std::string chip_as_text(const ChipHeading& heading, const SampledChip& chip);
std::string chip_as_json(const ChipHeading& heading, const SampledChip& chip);
/// row,column,level,conductance_S (or capacitance_F): a line for each cell.
std::string chip_as_csv(const SampledChip& chip);

}  // namespace cimstat::experiments
