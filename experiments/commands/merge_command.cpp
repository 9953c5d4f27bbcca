#include <memory>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/counted.h"
#include "experiments/sweep/sweep_merge.h"
#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {

namespace {

struct MergeCommandOptions {
  std::filesystem::path folder;
  std::filesystem::path output_file;
  unsigned threads = 0;
  bool is_virtual = false;
  bool quiet = false;

  core::Threads thread_count() const { return {threads}; }
  Verbosity verbosity() const { return quiet ? Verbosity::quiet : Verbosity::normal; }

  /// As given, or the folder's name with its ending, here.
  std::filesystem::path output() const {
    if (!output_file.empty()) return output_file;
    std::filesystem::path path = std::filesystem::absolute(folder).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    std::string name = path.filename().string();
    if (!name.ends_with(".sweep")) name += ".sweep";
    return name + ".h5";
  }
};

SweepWork open_work(const MergeCommandOptions& options) {
  const SweepPlan plan = plan_of_folder(options.folder);
  ProgressMeter meter("checking", {"points", static_cast<double>(plan.points())},
                      options.verbosity());
  return SweepWork(plan, &network_file, options.thread_count(), meter.callback());
}

}  // namespace

void add_merge_command(CLI::App& app) {
  const auto options = std::make_shared<MergeCommandOptions>();
  CLI::App* command =
      app.add_subcommand("merge", "Makes the result of a sweep from the work of all its workers");
  command->add_option("folder", options->folder, "folder of a sweep that is done")
      ->type_name("FOLDER")
      ->required();
  add_output_option(*command, options->output_file,
                    "result file (default: the folder's name with .sweep.h5, here)")
      ->type_name("FILE.h5");
  command->add_flag(
      "--virtual", options->is_virtual,
      "leave the tables in the folder and refer to them: for results too big to copy");
  command
      ->add_option("--threads", options->threads,
                   "threads to use; 0 = all cores. Never changes a result")
      ->type_name("N")
      ->transform(whole_number(0, 4096))
      ->capture_default_str();
  command->add_flag("-q,--quiet", options->quiet, "no progress on stderr");
  command->footer(
      "Reads all segments of the folder, checks that they are whole, of this sweep and of this "
      "version, compares what\nseveral of them hold, and writes one file, the same bytes whoever "
      "computed which part. The folder stays as it is.\nExit code 3 where something is missing "
      "(which points, and how much), damaged, foreign or contradictory; 2 where\nthe folder is "
      "none "
      "of a sweep.\n"
      "Example: cimstat merge big.sweep -o big.sweep.h5\n"
      "         cimstat merge /scratch/big.sweep --virtual -o /scratch/big.sweep.h5");
  command->callback([options] {
    const RunClock clock;
    const std::filesystem::path file = options->output();
    check_output(file, {});
    const SweepWork work = open_work(*options);
    {
      ProgressMeter meter("merging", {"points", static_cast<double>(work.plan().points())},
                          options->verbosity());
      merge_sweep(work, options->folder, file,
                  options->is_virtual ? MergeKind::virtually : MergeKind::copy,
                  options->thread_count(), meter.callback());
    }
    clock.write_record("merge", file, options->thread_count());
    fmt::print("{}; written {} in {:.2f} s\n", counted(work.plan().points(), "point"),
               core::one_line(file.string()), clock.wall_seconds());
  });
}

}  // namespace cimstat::experiments
