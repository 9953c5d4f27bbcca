#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <new>
#include <numeric>
#include <optional>
#include <unistd.h>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/communicator.h"
#include "core/error.h"
#include "core/file/provenance.h"
#include "core/interrupt.h"

#include "experiments/commands/command_line.h"
#include "experiments/commands/program_model.h"
#include "experiments/commands/progress_meter.h"
#include "experiments/commands/run_clock.h"
#include "experiments/commands/sweep_options.h"
#include "experiments/counted.h"
#include "experiments/sweep/mpi_source.h"
#include "experiments/sweep/sweep_merge.h"

/// `cimstat sweep` by all processes that mpirun has started. Every step is taken by all of them,
/// and they agree on how it ended before the next one, so that nobody waits for one that has left.
namespace cimstat::experiments {

namespace {

using core::Communicator;
using core::ExitCode;

constexpr int done = static_cast<int>(ExitCode::done);
constexpr int resumable = static_cast<int>(ExitCode::resumable);

struct MpiOptions : SweepOptions {
  std::filesystem::path output_file;
};

struct Failure {
  int code = done;
  std::string message;
};

Failure outcome_of(const std::function<void()>& step) {
  try {
    step();
    return {};
  } catch (const core::Error& error) {
    return {static_cast<int>(error.code()), error.what()};
  } catch (const std::bad_alloc&) {
    return {static_cast<int>(ExitCode::failure), "out of memory"};
  } catch (const std::exception& error) {
    return {static_cast<int>(ExitCode::failure), error.what()};
  }
}

void tell(const Communicator& communicator, const std::string& message) {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host = {};
  std::fputs(fmt::format("cimstat-mpi: rank {} of {} on {}: {}\n", communicator.rank(),
                         communicator.size(), host.data(), message)
                 .c_str(),
             stderr);
}

/// Worse than having stopped is having failed; the first rank that did has the word.
int worst(const std::vector<std::int64_t>& codes) {
  const auto failed = std::find_if(codes.begin(), codes.end(),
                                   [](auto code) { return code != done && code != resumable; });
  if (failed != codes.end()) return static_cast<int>(*failed);
  return std::find(codes.begin(), codes.end(), resumable) != codes.end() ? resumable : done;
}

/// A step before the work. What goes wrong does so for all, as a rule: one tells.
int prepare(const Communicator& communicator, const std::function<void()>& step) {
  const Failure failure = outcome_of(step);
  const auto codes = communicator.everyone(failure.code);
  const auto first = std::find_if(codes.begin(), codes.end(), [](auto code) { return code != 0; });
  if (first - codes.begin() == communicator.rank()) tell(communicator, failure.message);
  return worst(codes);
}

/// Points stay whole where there are enough of them, so that each is prepared once.
std::uint64_t units_per_group(const Communicator& communicator, const SweepWork& work) {
  constexpr std::uint64_t points_for_each = 8;
  const auto ranks = static_cast<std::uint64_t>(communicator.size());
  const bool by_point =
      !work.layout().is_point_whole && work.plan().points() >= points_for_each * ranks;
  return by_point ? work.layout().chunks_per_point() : 1;
}

/// This process's part of the work.
int work_through(const Communicator& communicator, const MpiOptions& options, const SweepWork& work,
                 SweepRunResult& result) {
  const bool is_first = communicator.rank() == 0;
  const Failure failure = outcome_of([&] {
    const std::uint64_t group = units_per_group(communicator, work);
    communicator.share((work.units() + group - 1) / group, [&](core::UnitQueue& queue) {
      MpiSource source(queue, work.units(), group);
      const auto units = static_cast<double>(work.units());
      ProgressMeter meter("sweep", {work.layout().is_point_whole ? "points" : "chunks", units},
                          is_first ? options.verbosity() : Verbosity::quiet);
      const core::Progress callback = meter.callback();
      const auto progress = [&](std::size_t, std::size_t) {
        if (callback) callback(source.handed_out(), work.units());
      };
      const std::string worker =
          fmt::format("rank-{}-of-{}", communicator.rank(), communicator.size());
      try {
        result =
            run_sweep(work, source, options.run_options(worker), options.thread_count(), progress);
      } catch (const std::exception& error) {
        tell(communicator, error.what());  // now: the others may go on for hours
        throw;
      }
    });
  });
  if (failure.code != done) return failure.code;
  return result.end == SweepEnd::stopped ? resumable : done;
}

void merge_all(const MpiOptions& options, const SweepWork& work, const std::filesystem::path& file,
               const RunClock& clock) {
  {
    ProgressMeter meter("merging", {"points", static_cast<double>(work.plan().points())},
                        options.verbosity());
    merge_sweep(work, options.folder(), file, MergeKind::copy, options.thread_count(),
                meter.callback());
  }
  clock.write_record("sweep", file, options.thread_count());
  fmt::print("{}; written {} in {:.2f} s\n", counted(work.plan().points(), "point"), file.string(),
             clock.wall_seconds());
}

int run(const Communicator& communicator, const MpiOptions& options) {
  const RunClock clock;
  const bool is_first = communicator.rank() == 0;
  std::filesystem::path file;
  std::unique_ptr<SweepWork> work;
  // The first makes what the others then find.
  int code = prepare(communicator, [&] {
    if (!is_first) return;
    file = options.output(options.output_file, ".sweep.h5");
  });
  if (code != done) return code;
  code = prepare(communicator, [&] {
    work.reset(new SweepWork(options.open_sweep()));  // it can't be moved
    if (is_first) open_work_folder(work->plan(), options.folder());
  });
  if (code != done) return code;
  SweepRunResult result;
  const int own_code = work_through(communicator, options, *work, result);
  const auto codes = communicator.everyone(own_code);
  const auto computed = communicator.everyone(static_cast<std::int64_t>(result.computed));
  code = worst(codes);
  if (is_first) {
    fmt::print("{} computed by {}, {} found in {}\n",
               counted(static_cast<std::uint64_t>(
                           std::accumulate(computed.begin(), computed.end(), std::int64_t{0})),
                       "chunk"),
               counted(static_cast<std::uint64_t>(communicator.size()), "rank"), result.found,
               options.folder().string());
    for (std::size_t rank = 0; rank < codes.size(); ++rank) {
      if (codes[rank] != done && codes[rank] != resumable) {
        fmt::print("rank {} failed: its part is missing; run it again to go on\n", rank);
      }
    }
    if (code == resumable) {
      fmt::print("stopped early{}: run it again to go on\n",
                 result.why.empty() ? "" : " (" + result.why + ")");
    }
  }
  if (code != done) return code;
  return prepare(communicator, [&] {
    if (is_first) merge_all(options, *work, file, clock);
  });
}

void add_options(CLI::App& app, MpiOptions& options) {
  app.name("cimstat-mpi");
  app.description(
      "cimstat-mpi: `cimstat sweep` by all processes that mpirun starts; points are handed out on "
      "request");
  app.set_version_flag("--version", core::source_text(), "print version and git revision");
  app.set_help_flag("--help,-h", "print this help");
  options.add_sweep_options(app);
  add_output_option(app, options.output_file,
                    "result (default: the configuration's name with .sweep.h5, here)")
      ->type_name("FILE.h5");
  app.footer(
      "--threads counts those of each process. One process a node, with all its cores, does best: "
      "mpirun --map-by\nppr:1:node --bind-to none. Stopped (SIGUSR1, SIGTERM, --max-seconds: exit "
      "code 75) or killed, it goes on where\nit was when it is started again, with any number of "
      "processes, or by `cimstat sweep`; no byte of the result\ndepends on it.\n"
      "Example: mpirun -n 4 --bind-to none cimstat-mpi big.toml --threads 8");
}

}  // namespace

}  // namespace cimstat::experiments

// What a handler throws ends the program, as it should. NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) {
  using namespace cimstat;
  core::note_interrupts(&experiments::clear_progress);
  int code = 0;
  try {
    const core::Communicator communicator(argc, argv);
    const bool is_first = communicator.rank() == 0;
    CLI::App app;
    experiments::MpiOptions options;
    experiments::add_options(app, options);
    try {
      app.parse(argc, argv);
      code = experiments::run(communicator, options);
    } catch (const CLI::Success& success) {
      if (is_first) app.exit(success);
    } catch (const CLI::ParseError& error) {
      if (is_first) {
        std::fputs(fmt::format("cimstat-mpi: {}\n", experiments::usage_line(app, error, argc, argv))
                       .c_str(),
                   stderr);
      }
      code = static_cast<int>(core::ExitCode::usage);
    }
  } catch (const core::Error& error) {
    std::fputs(fmt::format("cimstat-mpi: {}\n", error.what()).c_str(), stderr);
    return static_cast<int>(error.code());
  }
  std::cout.flush();
  if (std::fflush(stdout) != 0 && code == 0) code = static_cast<int>(core::ExitCode::failure);
  return code;
}
