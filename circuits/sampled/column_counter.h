#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/sampled/sampled_column.h"
#include "circuits/sampled/stopped_column.h"

/// Sampling in pieces: the trials of sampled_column.h, range by range.
namespace cimstat::circuits {

class PreparedColumn;

/// Counts codes from tables that are built once. Refers to `design`.
class ColumnCounter {
 public:
  /// `options.trials` is not looked at. Throws UsageError for classes out of range, Interrupted
  /// when asked to stop.
  ColumnCounter(const ColumnDesign& design, std::span<const ColumnClass> classes,
                const SamplingOptions& options, core::Threads threads);
  ~ColumnCounter();
  ColumnCounter(const ColumnCounter&) = delete;
  ColumnCounter& operator=(const ColumnCounter&) = delete;

  // Both may be called from several threads at once, and throw UsageError for trials out of range.

  /// [class][code]: how often each code came in these trials of each class. Counts of ranges that
  /// don't overlap add up to those of their union.
  std::vector<std::uint64_t> counts(TrialRange trials, core::Threads threads,
                                    const core::Progress& progress = {}) const;

  /// The same, but the trials of class i end with the chunk of stopping_chunk trials in which
  /// misread wanted[i] of this range comes; a class of which none is wanted has no trials.
  /// trials.first is a multiple of stopping_chunk; `last` counts from the first trial of all.
  StoppedCounts counts_until(TrialRange trials, std::span<const std::uint64_t> wanted,
                             core::Threads threads, const core::Progress& progress = {}) const;

 private:
  const ColumnDesign& design_;
  std::vector<ColumnClass> classes_;
  std::unique_ptr<PreparedColumn> column_;
};

}  // namespace cimstat::circuits
