#pragma once

#include "circuits/column.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {

struct WireMean {
  double mean = 0.0;            ///< of the current behind the wire [A]
  double standard_error = 0.0;  ///< [A]
  /// How many times the variance of a plain average over as many trials.
  double variance_reduction = 1.0;
};

/// The mean current of a class on a resistive bit line, with two control variates whose means are
/// known exactly: the sum of the cells without the wire, and that sum with each cell weighted by
/// the drop that it causes in first order. Their coefficients come from the first eighth of
/// `options.trials`, the mean from the others, so that it is unbiased. The sense amplifier adds
/// nothing. Throws UsageError for another line or fewer than 1,024 trials.
WireMean mean_wire_current(const ColumnDesign& design, ColumnClass column_class,
                           const SamplingOptions& options);

}  // namespace cimstat::circuits
