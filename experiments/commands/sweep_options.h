#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

#include "experiments/commands/command.h"
#include "experiments/sweep/sweep_run.h"
#include "experiments/sweep/sweep_work.h"

namespace cimstat::experiments {

/// What everything that works on a sweep takes: `cimstat sweep` and `cimstat-mpi`.
struct SweepOptions : CommonOptions {
  std::filesystem::path given_folder;
  std::optional<double> most_seconds;
  double segment_seconds = 60.0;

  void add_sweep_options(CLI::App& app);
  /// Where the workers meet: as given, or the configuration's name with .sweep, here.
  std::filesystem::path folder() const;
  /// Reads the sweep with --set and --seed applied, and checks every point; from here on SIGUSR1
  /// stops it as SIGTERM does.
  SweepWork open_sweep() const;
  SweepRunOptions run_options(std::string worker) const;
};

/// What a run came to, on stdout; throws CLI::RuntimeError(75) where it stopped early.
void tell_end(const SweepRunResult& result, const SweepWork& work,
              const std::filesystem::path& folder);

/// Points, chunks, trials, bytes and the time estimated from short probes on this machine, a line
/// each.
std::string sweep_plan_text(const SweepWork& work, core::Threads threads);

}  // namespace cimstat::experiments
