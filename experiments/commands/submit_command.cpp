#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/utf8.h"

#include "experiments/commands/cluster_commands.h"
#include "experiments/commands/command.h"
#include "experiments/commands/number_check.h"
#include "experiments/sweep/batch_limits.h"
#include "experiments/sweep/batch_script.h"
#include "experiments/sweep/sweep_plan.h"

namespace cimstat::experiments {

namespace {

struct SubmitOptions {
  std::filesystem::path config;
  std::vector<std::string> overrides;
  std::optional<std::int64_t> seed;
  std::string scheduler;
  std::string time;
  std::string memory;
  bool mpi = false;
  std::filesystem::path folder;
  std::filesystem::path result;
  std::filesystem::path output_file;
  BatchJob job;
};

constexpr std::array<std::pair<std::string_view, Scheduler>, 4> schedulers = {
    {{"slurm", Scheduler::slurm},
     {"lsf", Scheduler::lsf},
     {"pbs", Scheduler::pbs},
     {"sge", Scheduler::grid_engine}}};

Scheduler scheduler_named(const std::string& name) {
  for (const auto& [known, scheduler] : schedulers) {
    if (name == known) return scheduler;
  }
  throw core::UsageError(core::error_line("--scheduler", fmt::format("\"{}\" is unknown", name), {},
                                          "use slurm, lsf, pbs or sge"));
}

/// "cimstat" where the shell finds this very program under that name; else where it lies.
std::string this_program() {
  std::error_code ignored;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  const char* const path = std::getenv("PATH");
  std::string_view folders = path != nullptr ? path : "";
  while (!folders.empty()) {
    const std::size_t end = std::min(folders.find(':'), folders.size());
    const std::filesystem::path found = std::filesystem::path(folders.substr(0, end)) / "cimstat";
    if (std::filesystem::exists(found, ignored)) {
      return std::filesystem::equivalent(found, program, ignored) ? "cimstat" : program.string();
    }
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return program.string();
}

template <class Value>
Value required(const std::optional<Value>& value, std::string_view option, const std::string& text,
               std::string_view remedy) {
  if (value) return *value;
  throw core::UsageError(core::error_line(fmt::format("{} {}", option, text),
                                          "can't be the limit of a job", {}, remedy));
}

BatchJob job_of(const SubmitOptions& options) {
  BatchJob job = options.job;
  job.scheduler = scheduler_named(options.scheduler);
  if (options.mpi) {
    if (job.scheduler != Scheduler::slurm) {
      throw core::UsageError(core::error_line(
          "--mpi", "is for --scheduler slurm", "how MPI is started elsewhere differs by site",
          "leave it out, or run mpirun cimstat-mpi in a job of your own"));
    }
    job.launch = Launch::mpi;
  }
  if (!options.time.empty()) {
    job.seconds = required(parse_time_limit(options.time), "--time", options.time,
                           "write \"90 min\", \"2 h\" or 2:00:00, from 10 s to 366 d");
  }
  if (!options.memory.empty()) {
    job.megabytes = required(parse_memory(options.memory), "--memory", options.memory,
                             "write a size such as 500M or 4G");
  }
  if (job.program.empty()) job.program = this_program();
  job.config = options.config.string();
  const std::string stem = options.config.stem().string();
  job.folder = options.folder.empty() ? stem + ".sweep" : options.folder.string();
  job.result = options.result.empty() ? stem + ".sweep.h5" : options.result.string();
  for (const std::string& override : options.overrides) {
    job.arguments.insert(job.arguments.end(), {"--set", override});
  }
  if (options.seed) {
    job.arguments.insert(job.arguments.end(), {"--seed", fmt::format("{}", *options.seed)});
  }
  return job;
}

/// What no task would get far with is refused before anything waits in a queue.
void check_config(const SubmitOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  if (options.seed) overrides.push_back(fmt::format("seed={}", *options.seed));
  read_sweep_plan(core::Config::from_file(options.config, overrides));
}

void submit(const SubmitOptions& options) {
  check_config(options);
  const BatchJob job = job_of(options);
  const std::string script = batch_script(job);
  if (options.output_file.empty()) {
    std::fputs(script.c_str(), stdout);
    return;
  }
  check_output(options.output_file, {options.config});
  core::write_atomically(options.output_file, script);
  const std::string file = options.output_file.string();
  fmt::print("written {0}\nbash {1} queues it; cimstat status {2} tells how far it is\n",
             core::one_line(file), shell_word(file), shell_word(job.folder));
}

}  // namespace

void add_submit_command(CLI::App& app) {
  const auto options = std::make_shared<SubmitOptions>();
  options->job.program.clear();
  CLI::App* command = app.add_subcommand(
      "submit", "Batch script that runs a sweep on a cluster (Slurm, LSF, PBS, Grid Engine)");
  command->add_option("config", options->config, "experiment file (TOML) with a [sweep]")
      ->required()
      ->type_name("FILE.toml");
  command->add_option("--scheduler", options->scheduler, "slurm, lsf, pbs or sge (Grid Engine)")
      ->required()
      ->type_name("NAME");
  command
      ->add_option("--tasks", options->job.tasks,
                   "shards, each a task of the job array; with --mpi, MPI processes")
      ->required()
      ->type_name("N")
      ->transform(whole_number(1, 1'000'000));
  command->add_option("--threads", options->job.threads, "threads of each task")
      ->type_name("N")
      ->transform(whole_number(1, 4096))
      ->capture_default_str();
  command
      ->add_option(
          "--time", options->time,
          "time limit of a task, such as \"2 h\" or 2:00:00 (default: that of the queue). "
          "Ahead of it the task finishes its chunk, writes and ends; submit again to go on")
      ->type_name("TIME");
  command
      ->add_option("--memory", options->memory,
                   "memory for each task, such as 4G (default: that of the queue)")
      ->type_name("SIZE");
  command->add_flag("--mpi", options->mpi,
                    "one job of cimstat-mpi instead of an array: points are handed out on request "
                    "(Slurm)");
  command
      ->add_option("--folder", options->folder,
                   "folder of the work (default: the configuration's name with .sweep)")
      ->type_name("FOLDER");
  command
      ->add_option("--result", options->result,
                   "merged file (default: the configuration's name with .sweep.h5)")
      ->type_name("FILE.h5");
  command->add_option("--set", options->overrides, "override a key of the file; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--seed", options->seed, "seed of all random numbers")
      ->type_name("N")
      ->transform(whole_number(0, std::numeric_limits<std::int64_t>::max()));
  command
      ->add_option("--directive", options->job.directives,
                   "one more directive of the batch system, such as --directive=--partition=long; "
                   "may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  command
      ->add_option("--parallel-environment", options->job.parallel_environment,
                   "Grid Engine's name for threads on one host")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--program", options->job.program,
                   "cimstat on the cluster (default: this program)")
      ->type_name("FILE");
  add_output_option(*command, options->output_file, "the script (default: standard output)")
      ->type_name("FILE");
  command->footer(
      "Paths stay as given, seen from where the script is submitted. Run by bash, the script "
      "queues "
      "the tasks and,\nbehind them, the merge; sbatch, bsub or qsub with it queue the tasks alone. "
      "Queued once more, each task goes on\nwhere it stopped, and skips what is done. Look into "
      "the "
      "script, and change it as you like.\n"
      "Example: cimstat submit x.toml --scheduler slurm --tasks 100 --threads 16 --time \"2 h\" -o "
      "x.slurm; bash x.slurm\n"
      "         cimstat submit x.toml --scheduler slurm --mpi --tasks 8 --threads 16 -o x.slurm\n"
      "         cimstat submit x.toml --scheduler lsf --tasks 100 --memory 4G "
      "--directive=\"-q long\" -o x.lsf\n"
      "         cimstat submit x.toml --scheduler pbs --tasks 100 --threads 8 --time 12:00:00 -o "
      "x.pbs\n"
      "         cimstat submit x.toml --scheduler sge --tasks 100 --threads 4 -o x.sge");
  command->callback([options] { submit(*options); });
}

}  // namespace cimstat::experiments
