#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/arrays/state_curve.h"
#include "circuits/columns/pool_kernel.h"

/// The inner loops of drifting_array.h: a tile's rows, columns in lanes.
namespace cimstat::circuits {

/// values = curve(states), cell by cell.
void apply_curve(const StateCurve& curve, std::span<const TileRow> states,
                 std::span<TileRow> values);

/// What is frozen in the cells of some rows of a tile.
struct DriftingRows {
  std::span<const TileRow> programmed;
  std::span<const TileRow> exponent;
  std::span<const TileRow> quality;  ///< read noise of the cell, relative to its conductance
};

/// How far time has got.
struct DriftTime {
  float octaves = 0.0f;       ///< log2(t / t_0)
  float noise_factor = 0.0f;  ///< of the read noise
};

/// conductance = programmed * 2^(-exponent * octaves); noise_sd = conductance * quality *
/// noise_factor.
void drift_rows(const DriftingRows& cells, DriftTime time, std::span<TileRow> conductance,
                std::span<TileRow> noise_sd);

/// One read of each: max(0, conductance + noise_sd * z), with word `row` of the schedule; the rows
/// are those from `first_row` (a multiple of 4) on.
void read_drifted_rows(const DriftingRows& cells, DriftTime time, const core::QuantileTable& normal,
                       const core::BlockSchedule& schedule, std::uint64_t first_instance,
                       std::size_t first_row, std::span<TileRow> reads);

}  // namespace cimstat::circuits
