#pragma once

#include <vector>

#include "circuits/column.h"

/// P(code | class) of converters with noisy decisions and of common factors by plain nested
/// integration in extended precision. Shares nothing with the exact engine but the description of
/// the column.
namespace cimstat::tests {

struct OracleGrid {
  double step = 0.0;         ///< [A] of the convolved densities; unused where all cells are normal
  unsigned log2_points = 0;  ///< sums stay below step 2^log2_points
};

/// Cells are points, normal or (where there is a grid) lognormal; few references.
std::vector<long double> code_probabilities(const circuits::ColumnDesign& design,
                                            circuits::ColumnClass column_class,
                                            const OracleGrid& grid);

/// P(code | current) where the decisions alone are random.
std::vector<long double> response_oracle(const circuits::Comparator& comparator,
                                         const std::vector<double>& references,
                                         long double current);

}  // namespace cimstat::tests
