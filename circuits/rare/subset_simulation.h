#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "circuits/rare/limit_state.h"

/// Subset simulation (Au and Beck 2001; conditional sampling after Papaioannou et al. 2015): the
/// probability as a product of conditional ones of 0.1 each. For limit states whose design points
/// can't be found; no precision tool. It misses a failure region that no chain ever enters.
namespace cimstat::circuits {

struct SubsetOptions {
  std::uint32_t samples_per_level = 2000;  ///< a multiple of 10
  std::uint32_t runs = 20;                 ///< independent; at least 10
  double correlation = 0.8;                ///< of successive samples of a chain, before rejection
  core::StreamKey key = {};
};

struct SubsetEstimate {
  std::vector<double> run_probability;
  std::uint64_t evaluations = 0;  ///< of the margin
  std::string refusal;            ///< why there is no number; empty where there is one

  bool trustworthy() const { return refusal.empty(); }
  /// Mean of the runs.
  std::optional<double> probability() const;
  /// Of the mean, the runs' results being lognormal (Cox's method, with Student's t).
  std::optional<core::Interval> interval(double confidence) const;
};

/// Equal for any number of threads. Throws UsageError for fewer than 10 runs or samples per level
/// that are no multiple of 10.
SubsetEstimate subset_simulation(const LimitState& limit, const SubsetOptions& options,
                                 core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::circuits
