#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include "core/interrupt.h"

namespace cimstat::core {
namespace {

constexpr unsigned kMostThreads = 1024;

/// Pieces a thread's share is cut into: few enough that scheduling (about 0.2 us a piece) is lost
/// in blocks of 5 us, enough that threads end within about 2 % of each other.
constexpr std::size_t kPiecesPerThread = 64;

/// "quota period" of a Linux control group, "max" or a negative quota meaning no limit.
unsigned processors_of_quota(std::istream& source) {
  std::string quota;
  double period = 0.0;
  if (!(source >> quota >> period) || quota == "max" || quota.front() == '-' || period <= 0.0) {
    return kMostThreads;
  }
  const double processors = std::ceil(std::strtod(quota.c_str(), nullptr) / period);
  return static_cast<unsigned>(std::clamp(processors, 1.0, static_cast<double>(kMostThreads)));
}

/// The tightest limit of this process's control group and those above it. A container shows only
/// its own part of the hierarchy, mounted as the root: then the walk ends there.
unsigned container_limit() {
  const std::filesystem::path root = "/sys/fs/cgroup";
  unsigned limit = kMostThreads;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (line.compare(0, 4, "0::/") != 0) continue;
    for (std::filesystem::path group = line.substr(4);; group = group.parent_path()) {
      std::ifstream quota(root / group / "cpu.max");
      if (quota) limit = std::min(limit, processors_of_quota(quota));
      if (group.empty() || group == group.parent_path()) break;
    }
  }
  std::ifstream quota_v1(root / "cpu/cpu.cfs_quota_us");
  std::ifstream period_v1(root / "cpu/cpu.cfs_period_us");
  if (std::string quota, period; quota_v1 >> quota && period_v1 >> period) {
    std::istringstream both(quota + " " + period);
    limit = std::min(limit, processors_of_quota(both));
  }
  return limit;
}

unsigned usable_processors() {
  const int allowed = oneapi::tbb::info::default_concurrency();  // honours the affinity mask
  return std::min(static_cast<unsigned>(std::max(allowed, 1)), container_limit());
}

/// Counts finished blocks and tells the caller's function, one call at a time; silent once it or a
/// block has thrown.
class ProgressGate {
 public:
  ProgressGate(const Progress& progress, std::size_t total) : progress_(progress), total_(total) {}
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  void stop() { stopped_.store(true, std::memory_order_relaxed); }
  void block_done() {
    if (!progress_) return;
    const std::lock_guard lock(mutex_);
    if (!stopped()) progress_(++done_, total_);
  }

 private:
  const Progress& progress_;
  std::size_t total_;
  std::size_t done_ = 0;
  std::mutex mutex_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace

unsigned resolved(Threads threads) {
  if (threads.count > 0) return std::min(threads.count, kMostThreads);
  static const unsigned here = usable_processors();
  return here;
}

void for_each_block(std::size_t blocks, Threads threads,
                    const std::function<void(std::size_t block, std::size_t slot)>& body,
                    const Progress& progress) {
  const std::size_t workers = std::min<std::size_t>(resolved(threads), blocks);
  if (workers <= 1) {
    for (std::size_t block = 0; block < blocks; ++block) {
      stop_if_requested();
      body(block, 0);
      if (progress) progress(block + 1, blocks);
    }
    return;
  }

  namespace tbb = oneapi::tbb;
  using Parallelism = tbb::global_control;
  // TBB starts no more threads than there are processors unless told to.
  const Parallelism allow(
      Parallelism::max_allowed_parallelism,
      std::max(workers, Parallelism::active_value(Parallelism::max_allowed_parallelism)));
  ProgressGate gate(progress, blocks);
  const auto run = [&](const tbb::blocked_range<std::size_t>& piece) {
    const auto slot = static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
    try {
      for (std::size_t block = piece.begin(); block != piece.end() && !gate.stopped(); ++block) {
        stop_if_requested();
        body(block, slot);
        gate.block_done();
      }
    } catch (...) {
      gate.stop();
      throw;
    }
  };
  const std::size_t grain = std::max<std::size_t>(1, blocks / (workers * kPiecesPerThread));
  // An arena of its own numbers the slots, and keeps a thread that waits in a nested call from
  // taking up a second block of this one.
  tbb::task_arena arena(static_cast<int>(workers));
  arena.execute([&] {
    tbb::parallel_for(tbb::blocked_range<std::size_t>(0, blocks, grain), run,
                      tbb::simple_partitioner());
  });
}

}  // namespace cimstat::core
