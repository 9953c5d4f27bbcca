#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "experiments/sweep/work_source.h"

/// Which part of a sweep an array task does.
namespace cimstat::experiments {

/// The value of an environment variable; nothing where it is not set.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;

/// That of this process.
Environment process_environment();

/// What `--shard` says: "i/N" with 0 <= i < N, or "auto/N", where the index is that of the array
/// task in the environment. Arrays are those that `cimstat submit` writes: Slurm
/// (SLURM_ARRAY_TASK_ID) and PBS (PBS_ARRAY_INDEX, Torque's PBS_ARRAYID) count 0 .. N - 1; LSF
/// (LSB_JOBINDEX) and Grid Engine (SGE_TASK_ID), which know no index 0, count 1 .. N. The first
/// index of the running array does not tell the base: tasks 3 and 5 submitted once more are still
/// shards 3 and 5. Throws UsageError where the text is neither, where no array task or several are
/// in the environment, and where the array does not fit N (its last index is looked at where it is
/// known, so that all tasks refuse, not one).
Shard read_shard(std::string_view text, const Environment& environment);

}  // namespace cimstat::experiments
