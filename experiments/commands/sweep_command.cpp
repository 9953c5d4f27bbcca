#include <memory>
#include <optional>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/sweep_options.h"
#include "experiments/counted.h"
#include "experiments/sweep/shard.h"
#include "experiments/sweep/sweep_merge.h"
#include "experiments/sweep/sweep_run.h"
#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {

namespace {

struct SweepCommandOptions : SweepOptions {
  std::filesystem::path output_file;
  std::string shard_text;

  std::optional<Shard> shard() const {
    if (shard_text.empty()) return std::nullopt;
    return read_shard(shard_text, process_environment());
  }
};

std::string worker_name(std::optional<Shard> shard) {
  return shard ? fmt::format("shard-{}-of-{}", shard->index, shard->count) : std::string("whole");
}

void work_through(const SweepCommandOptions& options, const SweepWork& work,
                  std::optional<Shard> shard) {
  const std::unique_ptr<WorkSource> source = shard_source(work, shard.value_or(Shard{}));
  SweepRunResult result;
  {
    const bool by_point = work.layout().is_point_whole;
    ProgressMeter meter(
        "sweep",
        {by_point ? "points" : "chunks", source->share() * static_cast<double>(work.units())},
        options.verbosity());
    result = run_sweep(work, *source, options.run_options(worker_name(shard)),
                       options.thread_count(), meter.callback());
  }
  tell_end(result, work, options.folder());
}

void merge_all(const SweepCommandOptions& options, const SweepWork& work,
               const std::filesystem::path& file) {
  ProgressMeter meter("merging", {"points", static_cast<double>(work.plan().points())},
                      options.verbosity());
  merge_sweep(work, options.folder(), file, MergeKind::copy, options.thread_count(),
              meter.callback());
}

}  // namespace

void add_sweep_command(CLI::App& app) {
  const auto options = std::make_shared<SweepCommandOptions>();
  CLI::App* command = app.add_subcommand(
      "sweep",
      "Margins, misread rates, tables or accuracy at many points, resumable and shared out");
  options->add_sweep_options(*command);
  add_output_option(*command, options->output_file,
                    "result of a whole run (default: the configuration's name with .sweep.h5, "
                    "here); not with --shard")
      ->type_name("FILE.h5");
  command
      ->add_option("--shard", options->shard_text,
                   "do only this part of the sweep: part i of N, counted from 0, or auto/N for the "
                   "array task of Slurm, LSF, PBS or Grid Engine")
      ->type_name("I/N");
  command->add_flag("--dry-run", options->dry_run,
                    "check every point, and print points, chunks, trials, bytes and time");
  command->footer(
      "The section [sweep] of the file says what varies and what is asked at each point (`cimstat "
      "describe sweep`).\nFinished chunks are kept in the folder: a run that was stopped (Ctrl-C, "
      "SIGTERM, SIGUSR1, --max-seconds: exit\ncode 75) or killed goes on where it was. With "
      "--shard "
      "many runs share the folder; `cimstat status FOLDER` tells how\nfar they are, `cimstat merge "
      "FOLDER` makes the result. Neither shards, threads nor interruptions change a byte of it.\n"
      "Example: cimstat sweep experiments/configs/sweep_9rows.toml\n"
      "         cimstat sweep big.toml --shard 3/8 --folder /scratch/big.sweep");
  command->callback([options] {
    const RunClock clock;
    const std::optional<Shard> shard = options->shard();
    if (shard && !options->output_file.empty()) {
      throw core::UsageError(core::error_line("--out", "has no effect with --shard",
                                              "a part of a sweep is no result",
                                              "name it in `cimstat merge`"));
    }
    if (options->dry_run) {
      const SweepWork work = options->open_sweep();
      return fmt::print("{}", sweep_plan_text(work, options->thread_count()));
    }
    std::filesystem::path file;
    if (!shard) file = options->output(options->output_file, ".sweep.h5");
    const SweepWork work = options->open_sweep();
    open_work_folder(work.plan(), options->folder());
    work_through(*options, work, shard);
    if (shard) return;
    merge_all(*options, work, file);
    clock.write_record("sweep", file, options->thread_count());
    fmt::print("{}; written {} in {:.2f} s\n", counted(work.plan().points(), "point"),
               core::one_line(file.string()), clock.wall_seconds());
  });
}

}  // namespace cimstat::experiments
