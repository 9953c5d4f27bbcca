#include "experiments/commands/run_clock.h"

#include <ctime>

#include "core/file/provenance.h"
#include "core/simd.h"

namespace cimstat::experiments {

namespace {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

}  // namespace

RunClock::RunClock() : wall_(std::chrono::steady_clock::now()), cpu_(cpu_seconds()) {}

double RunClock::wall_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count();
}

void RunClock::write_record(std::string_view command, const std::filesystem::path& result,
                            core::Threads threads) const {
  core::write_run_record({.command = std::string(command),
                          .result_file = result.filename().string(),
                          .result_sha256 = core::sha256_of_file(result),
                          .simd_target = core::simd_target(),
                          .threads = core::resolved(threads),
                          .wall_seconds = wall_seconds(),
                          .cpu_seconds = cpu_seconds() - cpu_},
                         result);
}

}  // namespace cimstat::experiments
