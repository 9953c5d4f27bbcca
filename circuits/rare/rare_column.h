#pragma once

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/rare/rare_estimate.h"
#include "circuits/rare/rare_sum.h"

/// Misread tails of a column that no direct simulation reaches (1e-6 to 1e-15), by importance
/// sampling.
namespace cimstat::circuits {

/// P(sensed current >= reference) (upper) or P(sensed current < reference) (lower) [A].
struct MisreadTail {
  ColumnClass column_class;
  core::Tail side = core::Tail::upper;
  double reference = 0.0;
};

/// The tail as a failure of a sum. Gaussian and logistic noise are integrated; where the noise is
/// Gaussian and its sd constant, so are all normal cells and the offset. Samples take their words
/// from block (2048 n + k) 2^16 on, so that tails of one class share their random numbers. Throws
/// UsageError where comparators have noise of their own or the currents a common factor: neither is
/// part of these tails.
SumFailure failure_of(const ColumnDesign& design, const MisreadTail& tail);

/// Throws UsageError when the class does not fit the design, or as failure_of does.
RareEstimate misread_tail(const ColumnDesign& design, const MisreadTail& tail,
                          const RareOptions& options, core::Threads threads,
                          const core::Progress& progress = {});

}  // namespace cimstat::circuits
