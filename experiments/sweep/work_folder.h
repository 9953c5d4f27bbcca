#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/sweep_plan.h"
#include "experiments/sweep/sweep_work.h"

/// The folder in which the workers of a sweep meet: the configuration, segments, and a record of
/// each worker.
///   sweep.toml           canonical configuration; points.csv beside it where it has one
///   segment-*.h5         finished chunks
///   worker-*.json        how each worker fares; decides nothing
namespace cimstat::experiments {

/// Makes the folder with its configuration, or checks that it is of this sweep; removes temporaries
/// of killed workers. Throws UsageError where it belongs to another sweep, DataError where its
/// configuration is damaged, Error (failure) where it can't be used.
void open_work_folder(const SweepPlan& plan, const std::filesystem::path& folder);

/// The plan of the sweep that a folder belongs to. Throws UsageError where it is none, DataError
/// where it is damaged.
SweepPlan plan_of_folder(const std::filesystem::path& folder);

/// Which chunks the segments of a folder hold, and where.
class FinishedChunks {
 public:
  /// Throws DataError for a segment that can't be used.
  FinishedChunks(const SweepWork& work, const std::filesystem::path& folder);
  bool has(std::uint64_t chunk) const { return has_[chunk]; }
  /// Where points are whole: whether one has all that it needs.
  bool has_point(std::uint64_t point) const { return !points_.empty() && points_[point]; }
  std::uint64_t count() const { return count_; }  ///< distinct chunks
  const std::vector<SegmentReader>& segments() const { return segments_; }
  /// A chunk that is there. For the odd one; merging reads segments in order.
  ChunkResult read(std::uint64_t chunk) const;

 private:
  std::vector<bool> has_;
  std::vector<bool> points_;
  std::uint64_t count_ = 0;
  std::vector<SegmentReader> segments_;
};

enum class WorkerState { running, finished, stopped, failed };

/// How a worker fares, as it says itself at each segment.
struct WorkerRecord {
  std::string name;  ///< "shard-3-of-8", "rank-2-of-4"; of its file too
  WorkerState state = WorkerState::running;
  std::string message;  ///< why it failed or stopped
  std::string host;
  std::uint64_t process = 0;
  std::uint64_t total_chunks = 0;  ///< of the whole sweep, at the most
  std::uint64_t found = 0;         ///< chunks that were there when it started
  std::uint64_t computed = 0;      ///< by this run, and written
  double elapsed_seconds = 0.0;
  double interval_seconds = 0.0;  ///< it means to write at least so often
  std::int64_t updated = 0;       ///< seconds since 1970, UTC
};
/// Sets host, process and updated. Failures are passed over: no result depends on it.
void write_worker_record(WorkerRecord record, const std::filesystem::path& folder) noexcept;
/// All records of a folder, by name; those that can't be read are passed over.
std::vector<WorkerRecord> worker_records(const std::filesystem::path& folder);

}  // namespace cimstat::experiments
