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

/// What is left of drift where outputs are multiplied by what reading all rows at the first time
/// and again says (circuits/drift_compensation.h). Errors are rms over cells, of their conductance
/// less that at the first time, relative to the highest level's target.
struct DriftCorrection {
  double factor = 1.0;  ///< one for all columns
  double column_mean = 1.0;
  double column_sd = 0.0;  ///< of one factor for each column
  double error_without = 0.0;
  double error_with_one = 0.0;
  double error_with_columns = 0.0;
};

struct DriftingChip {
  circuits::ArrayShape shape;
  std::uint64_t chip = 0;
  std::vector<double> times = {};                        ///< [s]
  std::vector<std::uint8_t> levels = {};                 ///< [row][column]
  std::vector<std::vector<float>> conductance = {};      ///< [time][cell], [S]; without read noise
  std::vector<std::vector<TimeSummary>> summaries = {};  ///< [level][time]
  std::vector<DriftCorrection> corrections = {};         ///< [time]
};

/// Draws the chip, as sample_chip does. Throws UsageError for a cell that keeps no state over time,
/// and as levels_in_turn does.
DriftingChip drift_chip(const devices::AnyCell& cell, circuits::ArrayShape shape,
                        std::uint64_t chip, double factor, const std::vector<double>& times,
                        core::StreamKey key, double confidence, core::Threads threads);

std::string chip_as_text(const ChipHeading& heading, const DriftingChip& chip);
std::string chip_as_json(const ChipHeading& heading, const DriftingChip& chip);
/// row,column,level and a column of conductances [S] for each time.
std::string chip_as_csv(const DriftingChip& chip);

}  // namespace cimstat::experiments
