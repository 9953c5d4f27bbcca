#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact/exact_column.h"

/// P(code) of lines that are more than a sum, without sampling.
///
/// A curve of the sum without noise behind it moves the references back to currents, where the
/// engine of sums reads them. Otherwise the density of the noiseless reading (from the engine of
/// sums, or in closed form where charge is shared) is integrated against what the noise makes of
/// it, by the trapezoidal rule with halved steps: their last difference bounds the error.
namespace cimstat::circuits {

/// Why P(code) can't be had for this line, or nothing where it can. The line is not ideal.
std::optional<std::string> line_obstacle(const ColumnDesign& design);

/// As exact_probabilities gives it; the design has been checked. Throws ExactObstacle.
ExactProbabilities line_probabilities(const ColumnDesign& design,
                                      std::span<const ColumnClass> classes,
                                      const ExactOptions& options, core::Threads threads,
                                      const core::Progress& progress);

/// P(V <= v) or P(V > v) of shared charge before its noise and injection, where capacitances are
/// normal: sum_on C (supply - v) - v (sum_off C + parasitic) is normal. For classes whose V varies.
double shared_charge_tail(const ColumnDesign& design, ColumnClass column_class, core::Tail side,
                          double v);

/// Standard deviation of V at its nominal value, of first order in the mismatch: without parasitic
/// and for k of n capacitors (sigma_C / C) sqrt(k (n - k) / n^3) supply [V].
double shared_charge_sd(const ColumnDesign& design, ColumnClass column_class);

}  // namespace cimstat::circuits
