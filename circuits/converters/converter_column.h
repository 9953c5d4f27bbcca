#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/exact/exact_column.h"
#include "circuits/exact/sum_series.h"

/// The exact engine for comparators with noise of their own and for common factors.
namespace cimstat::circuits {

/// Whether a design has either.
bool has_own_decisions(const ColumnDesign& design);

/// Why P(code) of some of these classes can't be had, or nothing where it can.
std::optional<std::string> converter_obstacle(const ColumnDesign& design,
                                              std::span<const ColumnClass> classes);

/// P(code | class) as exact_probabilities gives it; the design has been checked.
ExactProbabilities converter_probabilities(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes,
                                           const ExactOptions& options, core::Threads threads,
                                           const core::Progress& progress);

/// Sensed currents of each class under a common factor, as series.
std::vector<SumSeries> factored_currents(const ColumnDesign& design,
                                         std::span<const ColumnClass> classes,
                                         const ExactOptions& options, core::Threads threads);

/// Why a common factor can't be done with this sense amplifier or these classes.
std::optional<std::string> factor_obstacle(const ColumnDesign& design,
                                           std::span<const ColumnClass> classes);

}  // namespace cimstat::circuits
