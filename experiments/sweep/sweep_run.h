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

/// The units of one shard: whole points at a distance of `count` from each other, or chunks where
/// there are few points.
std::unique_ptr<WorkSource> shard_source(const SweepWork& work, Shard shard);

struct SweepRunOptions {
  std::filesystem::path folder = {};
  std::string worker = "all";     ///< name of its record
  double segment_seconds = 60.0;  ///< a segment is written at least so often, between two chunks
  std::uint64_t segment_bytes = std::uint64_t{64} << 20;  ///< of results in memory
  std::optional<double> most_seconds = {};                ///< stop, resumably, after this
};

enum class SweepEnd {
  done,     ///< the source has nothing left
  stopped,  ///< asked to, by a signal or the time limit; what was finished is written
};

struct SweepRunResult {
  SweepEnd end = SweepEnd::done;
  std::string why;                  ///< it stopped
  std::uint64_t found = 0;          ///< chunks that were there before, of the whole sweep
  std::uint64_t computed = 0;       ///< chunks
  std::uint64_t stopped_early = 0;  ///< points that this run finished before their last chunk
};

/// Progress is told in units of what the source hands out. A signal that asks to stop is answered
/// behind the chunks in work. Throws Error where a chunk can't be computed or a segment not be
/// written: whatever was finished before is written, if it can be.
SweepRunResult run_sweep(const SweepWork& work, WorkSource& source, const SweepRunOptions& options,
                         core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
