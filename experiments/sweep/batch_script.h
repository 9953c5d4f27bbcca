#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The scripts by which batch systems run a sweep.
namespace cimstat::experiments {

enum class Scheduler { slurm, lsf, pbs, grid_engine };

enum class Launch {
  array,  ///< a job array of shards; a job behind it merges
  mpi,    ///< one job of `tasks` MPI processes, which merge themselves (Slurm)
};

struct BatchJob {
  Scheduler scheduler = Scheduler::slurm;
  Launch launch = Launch::array;
  std::uint32_t tasks = 1;
  std::uint32_t threads = 1;                 ///< of each task
  std::optional<std::uint64_t> seconds;      ///< time limit of a task; none: that of the queue
  std::optional<std::uint64_t> megabytes;    ///< of memory, for each task
  std::vector<std::string> directives;       ///< more of them, such as "--partition=long"
  std::string parallel_environment = "smp";  ///< of Grid Engine
  std::string program = "cimstat";           ///< `cimstat-mpi` lies beside it
  std::string config;                        ///< as seen from where the script is submitted
  std::string folder;
  std::string result;
  std::vector<std::string> arguments;  ///< more of `cimstat sweep`, such as "--seed", "7"
};

/// A script for bash. Run by hand it queues itself, and behind it the merge; queued directly, it is
/// the tasks alone. Queued once more, each task goes on where it stopped. Shards are counted as
/// read_shard (experiments/sweep/shard.h) does. Where there is a time limit, a task stops itself
/// two minutes ahead of it (a fifth of it where it is short), and the batch system asks it to a
/// minute (a tenth) ahead, where it can. Throws UsageError where a name holds a control character.
std::string batch_script(const BatchJob& job);

/// A word that the shell takes as it is.
std::string shell_word(std::string_view text);

}  // namespace cimstat::experiments
