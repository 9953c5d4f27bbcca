#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "core/parallel.h"

#include "experiments/sweep/sweep_work.h"
#include "experiments/sweep/work_source.h"

/// Working through a sweep: chunks are computed and written as segments until all are there, or
/// until it is asked to stop.
namespace cimstat::experiments {

/// The units of one shard, those at a distance of `count` from each other.
std::unique_ptr<WorkSource> shard_source(const SweepWork& work, Shard shard);

struct SweepRunOptions {
  std::filesystem::path folder;
  std::string worker = "worker";  ///< name of its record
  double segment_seconds = 60.0;  ///< a segment is written at least so often
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;  ///< of results in memory
  std::optional<double> most_seconds;                     ///< stop, resumably, after this
};

enum class SweepEnd {
  done,     ///< the source has nothing left
  stopped,  ///< asked to, by a signal or the time limit; what was finished is written
};

struct SweepRunResult {
  SweepEnd end = SweepEnd::done;
  std::string why;          ///< it stopped
  std::uint64_t found = 0;  ///< chunks that were there before
  std::uint64_t computed = 0;
};

/// Progress is told in chunks of all that this worker may do. Throws Error where a segment can't be
/// written: all segments written before stay.
SweepRunResult run_sweep(const SweepWork& work, WorkSource& source, const SweepRunOptions& options,
                         core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
