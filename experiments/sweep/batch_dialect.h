#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "experiments/sweep/batch_script.h"

/// What differs between the scripts of batch systems.
namespace cimstat::experiments {

struct Dialect {
  std::string prefix;  ///< of a directive
  std::vector<std::string> tasks;
  std::vector<std::string> merge;
  std::string queued;   ///< a test that holds in the job
  std::string enqueue;  ///< shell: queues "$0" and sets `sweep` to its number
  std::string behind;   ///< shell: queues standard input behind it
  std::string enter;    ///< shell, in the job: goes to where it was submitted; empty: it is there
};

/// `name`: of the job and its logs; letters, digits, "_" and "-", a letter first.
Dialect dialect_of(const BatchJob& job, const std::string& name);

/// How long ahead of the time limit a task ends, in seconds.
struct Lead {
  std::uint64_t stop = 0;    ///< the task stops itself so many seconds ahead of its limit
  std::uint64_t signal = 0;  ///< ... and is asked to
};
Lead lead_of(std::uint64_t limit_seconds);

}  // namespace cimstat::experiments
