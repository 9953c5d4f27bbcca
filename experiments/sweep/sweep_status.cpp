#include "experiments/sweep/sweep_status.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "experiments/result_header.h"
#include "experiments/sweep/segment_file.h"

namespace cimstat::experiments {

namespace {

/// A chunk can take longer than a worker means to be silent, and clocks differ a little.
constexpr double patience_factor = 3.0;
constexpr double patience_seconds = 60.0;

bool is_process(std::uint64_t id) {
  std::error_code ignored;
  return std::filesystem::exists(fmt::format("/proc/{}", id), ignored);
}

WorkerStatus judged(WorkerRecord record, const Observer& observer) {
  WorkerStatus status;
  const std::int64_t age = observer.now - record.updated;
  status.age_seconds = age > 0 ? static_cast<double>(age) : 0.0;
  switch (record.state) {
    case WorkerState::finished:
      status.condition = WorkerCondition::finished;
      break;
    case WorkerState::stopped:
      status.condition = WorkerCondition::stopped;
      break;
    case WorkerState::failed:
      status.condition = WorkerCondition::failed;
      break;
    case WorkerState::running:
      if (record.host == observer.host) {
        // No clock is needed where the process can be looked at.
        if (!is_process(record.process)) status.condition = WorkerCondition::vanished;
      } else if (status.age_seconds >
                 patience_factor * record.interval_seconds + patience_seconds) {
        status.condition = WorkerCondition::silent;
      }
      break;
  }
  status.record = std::move(record);
  return status;
}

/// Which chunks there are. Segments may overlap, where two workers did the same.
class Tally {
 public:
  Tally(std::uint64_t points, std::uint64_t chunks)
      : chunks_per_point_(points > 0 ? chunks / points : 0),
        has_(chunks),
        completed_(chunks_per_point_ > 0 ? points : 0) {}

  void add(const std::filesystem::path& file) {
    const core::Hdf5Input input(file);
    input.require_type(segment_filetype, result_schema_major);
    const core::Shape64 shape = input.shape("/chunk");
    const std::uint64_t rows = shape.size() == 1 ? shape.front() : 0;
    if (rows == 0 || rows > has_.size()) input.fail("/chunk", "has a wrong shape", {}, {});
    const std::vector<std::uint64_t> chunks = input.unsigneds("/chunk", rows);
    const std::vector<std::uint64_t> completes = input.unsigneds("/completes_point", rows);
    if (completes.size() != rows || std::any_of(chunks.begin(), chunks.end(),
                                                [&](auto chunk) { return chunk >= has_.size(); })) {
      input.fail("/chunk", "holds chunks that the sweep does not have", {}, {});
    }
    for (std::size_t row = 0; row < rows; ++row) {
      has_[chunks[row]] = true;
      if (completes[row] != 0) completed_[chunks[row] / chunks_per_point_] = true;
    }
  }

  void count(SweepStatus& status) const {
    for (std::uint64_t chunk = 0; chunk < has_.size(); ++chunk) {
      const bool is_settled = has_[chunk] || completed_[chunk / chunks_per_point_];
      if (has_[chunk]) ++status.finished_chunks;
      if (is_settled) ++status.settled_chunks;
    }
  }

 private:
  std::uint64_t chunks_per_point_;
  std::vector<bool> has_;
  std::vector<bool> completed_;  ///< points that need no more
};

}  // namespace

double SweepStatus::share() const {
  return chunks == 0 ? 0.0 : static_cast<double>(settled_chunks) / static_cast<double>(chunks);
}

std::optional<double> SweepStatus::seconds_left() const {
  if (chunks == 0 || settled_chunks == chunks) return std::nullopt;
  if (!(chunks_per_second > 0.0)) return std::nullopt;
  return static_cast<double>(chunks - settled_chunks) / chunks_per_second;
}

std::vector<const WorkerStatus*> SweepStatus::workers_in(WorkerCondition condition) const {
  std::vector<const WorkerStatus*> list;
  for (const WorkerStatus& worker : workers) {
    if (worker.condition == condition) list.push_back(&worker);
  }
  return list;
}

Observer this_observer() {
  std::array<char, 256> name{};
  const bool is_known = ::gethostname(name.data(), name.size() - 1) == 0;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {is_known ? name.data() : "",
          std::chrono::duration_cast<std::chrono::seconds>(now).count()};
}

SweepStatus sweep_status(const std::filesystem::path& folder, const Observer& observer) {
  const SweepPlan plan = plan_of_folder(folder);
  SweepStatus status;
  status.name = plan.base().name;
  status.folder = folder.string();
  status.points = plan.points();
  for (WorkerRecord& record : worker_records(folder)) {
    // A record is no result: what it says is taken with care.
    constexpr std::uint64_t most_chunks = std::uint64_t{1} << 36;
    if (record.total_chunks <= most_chunks && record.total_chunks % status.points == 0) {
      status.chunks = std::max(status.chunks, record.total_chunks);
    }
    status.workers.push_back(judged(std::move(record), observer));
  }
  for (const WorkerStatus* worker : status.workers_in(WorkerCondition::running)) {
    const WorkerRecord& record = worker->record;
    if (record.elapsed_seconds > 0.0) {
      status.chunks_per_second += static_cast<double>(record.computed) / record.elapsed_seconds;
    }
  }
  const std::vector<std::filesystem::path> files = segment_files(folder);
  status.segments = files.size();
  if (status.chunks == 0) return status;
  Tally tally(status.points, status.chunks);
  for (const std::filesystem::path& file : files) {
    try {
      tally.add(file);
    } catch (const core::Error& error) {
      status.damaged.push_back({file.filename().string(), error.what()});
    }
  }
  tally.count(status);
  return status;
}

}  // namespace cimstat::experiments
