#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "experiments/sweep/work_folder.h"

/// How far a sweep is, from the files of its folder alone: nobody is asked.
namespace cimstat::experiments {

/// What is thought of a worker: its own word, unless it has fallen silent.
enum class WorkerCondition {
  running,
  finished,
  stopped,  ///< early; started again it goes on
  failed,
  vanished,  ///< says that it runs, but its process is no more (seen on its own host only)
  silent,    ///< says that it runs, but has not written for much longer than it meant to
};

struct WorkerStatus {
  WorkerRecord record;
  WorkerCondition condition = WorkerCondition::running;
  /// Seconds since it wrote; 0 where its clock is ahead of ours.
  double age_seconds = 0.0;
};

struct DamagedSegment {
  std::string file;
  std::string problem;
};

struct SweepStatus {
  std::string name;  ///< of the experiment
  std::string folder;
  std::uint64_t points = 0;
  std::uint64_t chunks = 0;           ///< of the whole sweep, at the most; 0: nobody has said
  std::uint64_t finished_chunks = 0;  ///< distinct ones in segments
  std::uint64_t settled_chunks = 0;   ///< those, and what points that stopped early do not need
  std::uint64_t segments = 0;
  std::vector<DamagedSegment> damaged;
  std::vector<WorkerStatus> workers;
  /// Of workers that run, by their own unjumping clocks: computed chunks over elapsed time.
  double chunks_per_second = 0.0;

  bool is_complete() const { return chunks > 0 && settled_chunks == chunks && damaged.empty(); }
  double share() const;  ///< 0 .. 1
  std::optional<double> seconds_left() const;
  std::vector<const WorkerStatus*> workers_in(WorkerCondition condition) const;
};

/// Where and when it is looked at.
struct Observer {
  std::string host;
  std::int64_t now = 0;  ///< seconds since 1970, UTC
};
Observer this_observer();

/// Throws as plan_of_folder does.
SweepStatus sweep_status(const std::filesystem::path& folder, const Observer& observer);

}  // namespace cimstat::experiments
