#pragma once

#include <chrono>
#include <filesystem>
#include <string_view>

#include "core/parallel.h"

namespace cimstat::experiments {

/// Wall and CPU time from construction on; writes the run record of a result.
class RunClock {
 public:
  RunClock();
  double wall_seconds() const;
  void write_record(std::string_view command, const std::filesystem::path& result,
                    core::Threads threads) const;

 private:
  std::chrono::steady_clock::time_point wall_;
  double cpu_;
};

}  // namespace cimstat::experiments
