#include "experiments/commands/sweep_options.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "core/error.h"
#include "core/interrupt.h"
#include "core/utf8.h"

#include "experiments/commands/number_check.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

void SweepOptions::add_sweep_options(CLI::App& app) {
  add_to(app);
  app.add_option("--folder", given_folder,
                 "where finished work is kept and found again; shared by all workers of the sweep "
                 "(default: the configuration's name with .sweep, here)")
      ->type_name("FOLDER");
  app.add_option("--max-seconds", most_seconds,
                 "stop after this time, behind the chunk in work, with exit code 75: started again "
                 "it goes on")
      ->type_name("S")
      ->check(number_between(0.0, 1e9));
  app.add_option("--segment-seconds", segment_seconds,
                 "write finished chunks at least so often; what a killed run loses")
      ->type_name("S")
      ->check(number_between(0.0, 1e6))
      ->capture_default_str();
}

std::filesystem::path SweepOptions::folder() const {
  return given_folder.empty() ? std::filesystem::path(config.stem().string() + ".sweep")
                              : given_folder;
}

namespace {

/// What an axis sets at every point can't be overridden for all of them.
void refuse_swept(const std::vector<std::string>& overrides, const SweepPlan& plan) {
  for (const std::string& assignment : overrides) {
    std::string key = assignment.substr(0, assignment.find('='));
    while (key.ends_with(' ')) key.pop_back();
    for (const SweepAxis& axis : plan.axes()) {
      if (std::find(axis.keys.begin(), axis.keys.end(), key) == axis.keys.end()) continue;
      throw core::UsageError(
          core::error_line("--set " + key, "has no effect",
                           fmt::format("the axis {} sets it at every point", axis.name),
                           fmt::format("leave it out, or change sweep.axis.{}", axis.name)));
    }
  }
}

}  // namespace

SweepWork SweepOptions::open_sweep() const {
  core::note_signal_too(SIGUSR1);
  const SweepPlan plan = read_sweep_plan(open());
  refuse_swept(overrides, plan);
  print_warnings(plan.base());
  ProgressMeter meter("checking", {"points", static_cast<double>(plan.points())}, verbosity());
  return SweepWork(plan, &network_file, thread_count(), meter.callback());
}

SweepRunOptions SweepOptions::run_options(std::string worker) const {
  return {.folder = folder(),
          .worker = std::move(worker),
          .segment_seconds = segment_seconds,
          .most_seconds = most_seconds};
}

void tell_end(const SweepRunResult& result, const SweepWork& work,
              const std::filesystem::path& folder) {
  fmt::print("{} computed, {} found in {}\n", counted(result.computed, "chunk"), result.found,
             core::one_line(folder.string()));
  if (result.stopped_early > 0) {
    fmt::print("{} known well enough before the last trial\n",
               counted(result.stopped_early, "point"));
  }
  if (result.end == SweepEnd::done) return;
  fmt::print("stopped early ({}): run it again to go on; at most {} chunks are missing\n",
             result.why, work.chunks() - std::min(work.chunks(), result.found + result.computed));
  throw CLI::RuntimeError(static_cast<int>(core::ExitCode::resumable));
}

}  // namespace cimstat::experiments
