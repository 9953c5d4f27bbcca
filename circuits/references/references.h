#pragma once

#include <cstdint>

#include "circuits/column.h"

/// Ladders for a flash converter, placed from the class means (design.md: "references").
/// mu(k, n) is the mean bit-line current of k LRS and n - k HRS cells, with leakage and dummy
/// column; for other lines than the ideal one their nominal reading
/// (circuits/bit_line/line_reading.h).
namespace cimstat::circuits {

/// Of a column of more than two states a row, midpoint and uniform ladders are evenly spaced from
/// the mean current of the lowest MAC value of reference_rows rows (all in the lowest state) to
/// that of the highest, with a code for each value (midpoint) or as many codes as are asked for. On
/// evenly spaced levels these are the midpoints. Behind a curve of the sum, midpoint ladders lie
/// half way between the readings of these even currents, uniform ones are even in what the line
/// delivers. The other placements throw UsageError there.

/// Codes of a midpoint ladder: one for each MAC value of reference_rows rows.
std::uint32_t code_per_value(const ColumnDesign& design, std::uint32_t reference_rows);

enum class Placement {
  uniform,
  midpoint,
  dual,
  replica,
  calibrated,
  percentile,
  neurosim,
  listed,
};

/// T_j = (mu(j, n) + mu(j + 1, n)) / 2 at n = reference_rows, j = 0 .. n - 1; code = MAC value.
Ladder midpoint_ladder(const ColumnDesign& design, std::uint32_t reference_rows);

/// T_j half way between the highest nominal current of level j (all other active rows in HRS) and
/// the lowest of level j + 1 (no other row active): (mu(j, n) + mu(j + 1, j + 1)) / 2.
/// After DL-RSIM (Lin et al., ICCAD 2018).
Ladder dual_ladder(const ColumnDesign& design, std::uint32_t reference_rows);

/// The midpoint ladder of each n on its own, from replica cells that follow the number of active
/// rows (Chen et al., ISSCC 2018, 31.4); continued linearly for j >= n so that all n have
/// reference_rows references.
Ladder replica_ladder(const ColumnDesign& design, std::uint32_t reference_rows);

/// `codes` codes evenly spaced from mu(0, n) to mu(n, n), n = reference_rows:
/// T_j = mu(0, n) + (j + 1/2) (mu(n, n) - mu(0, n)) / (codes - 1); code c stands for c n / (codes -
/// 1).
Ladder uniform_ladder(const ColumnDesign& design, std::uint32_t reference_rows,
                      std::uint32_t codes);

}  // namespace cimstat::circuits
