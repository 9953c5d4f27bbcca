#include "experiments/sweep/sweep_run.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"

#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Static shares. Points stay whole where there are enough of them to share out evenly, so that
/// what is prepared for a point is prepared once.
class ShardSource : public WorkSource {
 public:
  ShardSource(std::uint64_t units, std::uint64_t units_per_group, Shard shard)
      : units_(units), group_(units_per_group), shard_(shard), next_(shard.index) {}

  std::optional<UnitRange> next() override {
    const std::lock_guard lock(mutex_);
    const std::uint64_t first = next_ * group_;
    if (first >= units_) return std::nullopt;
    next_ += shard_.count;
    return UnitRange{first, std::min(first + group_, units_)};
  }
  double share() const override { return 1.0 / shard_.count; }

 private:
  std::uint64_t units_;
  std::uint64_t group_;
  Shard shard_;
  std::mutex mutex_;
  std::uint64_t next_;
};

/// Finished chunks in memory, until there are enough for a segment.
class SegmentBuffer {
 public:
  SegmentBuffer(const SweepWork& work, const SweepRunOptions& options, WorkerRecord record)
      : work_(work), options_(options), record_(std::move(record)) {
    write_worker_record(record_, options_.folder);
  }

  void add(ChunkResult result) {
    std::vector<ChunkResult> full;
    {
      const std::lock_guard lock(mutex_);
      bytes_ += 8 * (result.integers.size() + result.numbers.size() + 4);
      results_.push_back(std::move(result));
      if (bytes_ < options_.segment_bytes && seconds_since(last_) < options_.segment_seconds) {
        return;
      }
      full = take();
    }
    write(std::move(full));
  }

  /// Writes what is left, and how it ended.
  void finish(WorkerState state, const std::string& message) {
    std::vector<ChunkResult> rest;
    {
      const std::lock_guard lock(mutex_);
      rest = take();
    }
    write(std::move(rest));
    const std::lock_guard lock(writing_);
    record_.state = state;
    record_.message = message;
    tell();
  }

  /// It failed, and what is left can perhaps still be written.
  void fail(const std::string& message) noexcept {
    try {
      finish(WorkerState::failed, message);
    } catch (const std::exception&) {
      record_.state = WorkerState::failed;
      record_.message = message;
      tell();
    }
  }

 private:
  std::vector<ChunkResult> take() {
    bytes_ = 0;
    last_ = Clock::now();
    return std::exchange(results_, {});
  }

  void write(std::vector<ChunkResult> results) {
    if (results.empty()) return;
    const std::lock_guard lock(writing_);
    const std::uint64_t count = results.size();
    write_segment(work_, std::move(results), options_.folder);
    record_.computed += count;
    tell();
  }

  void tell() {
    record_.elapsed_seconds = seconds_since(start_);
    write_worker_record(record_, options_.folder);
  }

  const SweepWork& work_;
  const SweepRunOptions& options_;
  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;  ///< of what is in memory
  std::vector<ChunkResult> results_;
  std::uint64_t bytes_ = 0;
  Clock::time_point last_ = start_;
  std::mutex writing_;
  WorkerRecord record_;
};

/// Hands the units of a source to threads one by one.
class UnitQueue {
 public:
  explicit UnitQueue(WorkSource& source) : source_(source) {}
  std::optional<std::uint64_t> next() {
    const std::lock_guard lock(mutex_);
    while (at_ == range_.end) {
      const std::optional<UnitRange> more = source_.next();
      if (!more) return std::nullopt;
      range_ = *more;
      at_ = range_.first;
    }
    return at_++;
  }

 private:
  WorkSource& source_;
  std::mutex mutex_;
  UnitRange range_;
  std::uint64_t at_ = 0;
};

class SweepRun {
 public:
  SweepRun(const SweepWork& work, WorkSource& source, const SweepRunOptions& options,
           core::Threads threads, const core::Progress& progress)
      : work_(work),
        options_(options),
        threads_(threads),
        progress_(progress),
        finished_(work, options.folder),
        queue_(source),
        expected_(std::max<std::uint64_t>(
            static_cast<std::uint64_t>(source.share() * static_cast<double>(work.units())), 1)),
        buffer_(work, options,
                {.name = options.worker,
                 .message = {},
                 .host = {},
                 .total_chunks = work.chunks(),
                 .found = finished_.count(),
                 .interval_seconds = options.segment_seconds}) {}

  SweepRunResult run() {
    // What is computed is kept: a signal waits for the chunks in work.
    const core::FinishFirst finish_first;
    try {
      const std::size_t pullers = core::resolved(threads_);
      core::for_each_block(pullers, threads_, [&](std::size_t, std::size_t) { pull(); });
    } catch (const std::exception& error) {
      buffer_.fail(error.what());
      throw;
    }
    SweepRunResult result;
    result.found = finished_.count();
    result.computed = computed_;
    result.stopped_early = stopped_early_;
    result.why = why_stopped();
    // Stopped behind the last unit is done.
    if (all_done_) result.why.clear();
    result.end = result.why.empty() ? SweepEnd::done : SweepEnd::stopped;
    buffer_.finish(result.end == SweepEnd::done ? WorkerState::finished : WorkerState::stopped,
                   result.why);
    return result;
  }

 private:
  std::string why_stopped() const {
    if (core::stop_requested()) return core::stop_name();
    if (options_.most_seconds && seconds_since(start_) >= *options_.most_seconds) {
      return fmt::format("{:g} s are over", *options_.most_seconds);
    }
    return {};
  }

  bool must_stop() const { return failed_ || !why_stopped().empty(); }

  void pull() {
    try {
      while (!must_stop()) {
        const std::optional<std::uint64_t> unit = queue_.next();
        if (!unit) {
          all_done_ = open_ == 0;
          return;
        }
        ++open_;
        const bool is_done = work_.layout().is_point_whole ? do_point(*unit) : do_chunk(*unit);
        if (is_done) --open_;
        told();
      }
    } catch (...) {
      failed_ = true;
      throw;
    }
  }

  bool do_chunk(std::uint64_t chunk) {
    if (!finished_.has(chunk)) keep(work_.compute(chunk, {}, threads_));
    return true;
  }

  /// False where it had to stop before the point had all that it needs.
  bool do_point(std::uint64_t point) {
    if (finished_.has_point(point)) return true;
    std::vector<ChunkResult> results;
    std::optional<std::uint64_t> chunk = work_.next(point, results);
    while (chunk) {
      if (finished_.has(*chunk)) {
        results.push_back(finished_.read(*chunk));
        chunk = work_.next(point, results);
        continue;
      }
      if (must_stop()) return false;
      results.push_back(work_.compute(*chunk, results, threads_));
      chunk = work_.next(point, results);
      results.back().completes_point = !chunk.has_value();
      keep(results.back());
    }
    if (results.size() < work_.layout().chunks_per_point()) ++stopped_early_;
    return true;
  }

  void keep(ChunkResult result) {
    ++computed_;
    buffer_.add(std::move(result));
  }

  void told() {
    if (!progress_) return;
    const std::lock_guard lock(progress_mutex_);
    ++units_done_;
    progress_(static_cast<std::size_t>(std::min(units_done_, expected_)),
              static_cast<std::size_t>(expected_));
  }

  const SweepWork& work_;
  const SweepRunOptions& options_;
  core::Threads threads_;
  const core::Progress& progress_;
  const Clock::time_point start_ = Clock::now();
  FinishedChunks finished_;
  UnitQueue queue_;
  std::uint64_t expected_;
  SegmentBuffer buffer_;
  std::atomic<std::uint64_t> computed_ = 0;
  std::atomic<std::uint64_t> stopped_early_ = 0;
  std::atomic<std::uint64_t> open_ = 0;  ///< units handed out and not done
  std::atomic<bool> all_done_ = false;
  std::atomic<bool> failed_ = false;
  std::mutex progress_mutex_;
  std::uint64_t units_done_ = 0;
};

}  // namespace

std::unique_ptr<WorkSource> shard_source(const SweepWork& work, Shard shard) {
  constexpr std::uint64_t points_for_each = 8;
  const bool by_point =
      !work.layout().is_point_whole && work.plan().points() >= points_for_each * shard.count;
  const std::uint64_t group = shard.count == 1 ? work.units()
                              : by_point       ? work.layout().chunks_per_point()
                                               : 1;
  return std::make_unique<ShardSource>(work.units(), group, shard);
}

SweepRunResult run_sweep(const SweepWork& work, WorkSource& source, const SweepRunOptions& options,
                         core::Threads threads, const core::Progress& progress) {
  return SweepRun(work, source, options, threads, progress).run();
}

}  // namespace cimstat::experiments
