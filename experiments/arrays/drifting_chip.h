#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "devices/any_cell.h"

#include "circuits/arrays/array_plane.h"

#include "experiments/arrays/comparison.h"
#include "experiments/arrays/sampled_chip.h"

/// The same devices of one chip at several times, beside the closed forms of their model.
namespace cimstat::experiments {

/// A level at one time.
struct TimeSummary {
  MomentComparison moments = {};  ///< [S]
  /// Of the conductances at this time and at the first one; Fisher's interval, for conductances
  /// that are about normal. At the first time itself and where nothing varies: 1.
  Comparison correlation = {};
};

struct DriftingChip {
  circuits::ArrayShape shape;
  std::uint64_t chip = 0;
  std::vector<double> times = {};                        ///< [s]
  std::vector<std::uint8_t> levels = {};                 ///< [row][column]
  std::vector<std::vector<float>> conductance = {};      ///< [time][cell], [S]; without read noise
  std::vector<std::vector<TimeSummary>> summaries = {};  ///< [level][time]
};

/// Draws the chip. Throws UsageError for a cell that keeps no state over time, and as
/// levels_in_turn does.
DriftingChip drift_chip(const devices::AnyCell& cell, circuits::ArrayShape shape,
                        std::uint64_t chip, const std::vector<double>& times, core::StreamKey key,
                        double confidence, core::Threads threads);

std::string chip_as_text(const ChipHeading& heading, const DriftingChip& chip);
std::string chip_as_json(const ChipHeading& heading, const DriftingChip& chip);
/// row,column,level and a column of conductances [S] for each time.
std::string chip_as_csv(const DriftingChip& chip);

}  // namespace cimstat::experiments
