#pragma once

#include <cstdint>
#include <string_view>

#include "core/config/config.h"

#include "circuits/column.h"

/// What the line of a design delivers, without its noise.
namespace cimstat::circuits {

/// The reading of nominal cells: each adds its mean, and along a resistive wire all rows add the
/// same. References are placed by it. For an ideal line the mean current; else within the curvature
/// of the line of the mean reading. `level` may lie above `active_rows`: the sum goes on linearly.
double nominal_reading(const ColumnDesign& design, std::uint32_t level, std::uint32_t active_rows);

/// nominal_reading of a class.
double mean_reading(const ColumnDesign& design, ColumnClass column_class);

/// Mean of what all capacitors of a class add up to, with the parasitic one [F].
double total_capacitance(const ColumnDesign& design);

/// Standard deviation of what a line adds to its readings by itself: thermal noise of shared
/// charge, ASiM's noise. In what the line delivers.
double line_noise_sd(const ColumnDesign& design, ColumnClass column_class);

/// "A" or "V": of the references and readings of a design.
std::string_view reading_unit(const ColumnDesign& design);

/// Throws UsageError for parameters of the line that make no sense, and for what it can't be
/// combined with: dummy cells, and a common factor other than that of a curve of the sum.
void check_line(const ColumnDesign& design);

}  // namespace cimstat::circuits
