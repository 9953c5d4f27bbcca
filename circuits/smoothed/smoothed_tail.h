#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "circuits/column.h"
#include "circuits/rare/rare_column.h"
#include "circuits/rare/rare_estimate.h"

/// Misread tails of the body (down to about 1e-6) by conditional Monte Carlo on scrambled Sobol
/// points: whatever is exactly normal and the fresh noise are integrated, so that the rest is
/// smooth, and smooth integrands are what low-discrepancy points are good for.
namespace cimstat::circuits {

/// What samples the variables that are left.
enum class PointSet {
  scrambled_sobol,
  independent,  ///< plain Monte Carlo, for comparison
};

struct SmoothedOptions {
  unsigned log2_points = 12;       ///< of each scrambling; at most ScrambledSobol::log2_size_limit
  std::uint32_t scramblings = 16;  ///< independent ones: 2 .. 2^12; 16 to 32 make a good interval
  core::StreamKey key = {};
};

/// Means over independent scramblings of one set of points. Their spread is the error: points of
/// one scrambling depend on each other, scramblings don't.
struct SmoothedEstimate {
  std::vector<double> means;  ///< one for each scrambling
  std::uint64_t points = 0;   ///< of each scrambling
  std::string refusal;        ///< why there is no number; empty where there is one

  double mean() const;
  double standard_error() const;  ///< of mean()
  bool trustworthy() const { return refusal.empty(); }
  std::optional<double> probability() const;
  /// t_interval, within 0 and 1.
  std::optional<core::Interval> interval(double confidence) const;
};

/// Student's t over means of independent scramblings, two or more.
core::Interval t_interval(std::span<const double> means, double confidence);

/// The probability of failure. Variables stand in the order of their spread, the widest first.
/// Refused where failure sits further out than the points reach: integrating the noise over
/// devices that never come near it looks converged and is wrong. Random words: Domain::scrambling,
/// instance = failure.first_block + scrambling. Equal for any number of threads.
SmoothedEstimate smoothed_sum(const SumFailure& failure, const SmoothedOptions& options,
                              PointSet points, core::Threads threads,
                              const core::Progress& progress = {});

/// Throws UsageError when the class does not fit the design.
SmoothedEstimate smoothed_tail(const ColumnDesign& design, const MisreadTail& tail,
                               const SmoothedOptions& options, core::Threads threads,
                               const core::Progress& progress = {});

}  // namespace cimstat::circuits
