#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/parallel.h"

#include "experiments/sweep/sweep_work.h"
#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {

enum class MergeKind {
  copy,  ///< one file that holds everything
  /// Tables stay in the segments and are an HDF5 virtual dataset of the result, which must lie
  /// beside their folder or above it: for results too big to copy. Takes points of one chunk each.
  virtually,
};

/// Makes the result of a complete sweep from the segments of its folder. Writing it again gives the
/// same bytes. Throws DataError, naming what is wrong, where chunks are missing (which, and how
/// many), where a segment is damaged, foreign or of another version, and where two segments hold
/// different results of one chunk; where they hold the same, one is taken.
/// Throws UsageError where it can't be made virtually.
void merge_sweep(const SweepWork& work, const std::filesystem::path& folder,
                 const std::filesystem::path& result, MergeKind kind, core::Threads threads,
                 const core::Progress& progress = {});

}  // namespace cimstat::experiments
