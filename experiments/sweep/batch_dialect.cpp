#include "experiments/sweep/batch_dialect.h"

#include <algorithm>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

std::string clock_text(std::uint64_t seconds) {
  return fmt::format("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::uint64_t minutes_of(std::uint64_t seconds) { return (seconds + 59) / 60; }

Dialect slurm(const BatchJob& job, const std::string& name) {
  Dialect it{.prefix = "#SBATCH",
             .tasks = {"--job-name=" + name},
             .merge = {"--job-name=" + name + "-merge", "--output=" + name + ".sweep-merge.log",
                       "--open-mode=append", "--ntasks=1"},
             .queued = "${SLURM_ARRAY_TASK_ID:-}",
             .enqueue = "sweep=$(sbatch --parsable \"$0\") || exit\n  sweep=${sweep%%;*}",
             .behind = "sbatch --dependency=afterany:\"$sweep\"",
             .enter = {}};
  if (job.launch == Launch::array) {
    it.tasks.push_back(fmt::format("--array=0-{}", job.tasks - 1));
    it.tasks.push_back("--output=" + name + ".sweep-%a.log");
    it.tasks.push_back("--ntasks=1");
  } else {
    it.queued = "${SLURM_JOB_ID:-}";
    it.tasks.push_back("--output=" + name + ".sweep-mpi.log");
    it.tasks.push_back(fmt::format("--ntasks={}", job.tasks));
  }
  it.tasks.push_back("--open-mode=append");
  it.tasks.push_back(fmt::format("--cpus-per-task={}", job.threads));
  if (job.seconds) {
    it.tasks.push_back("--time=" + clock_text(*job.seconds));
    it.merge.push_back(it.tasks.back());
    it.tasks.push_back(fmt::format("--signal=B:USR1@{}", lead_of(*job.seconds).signal));
  }
  if (job.megabytes) {
    it.merge.push_back(fmt::format("--mem={}M", *job.megabytes));
    // Slurm counts memory by node or by processor, not by task.
    it.tasks.push_back(
        job.launch == Launch::array
            ? it.merge.back()
            : fmt::format("--mem-per-cpu={}M", (*job.megabytes + job.threads - 1) / job.threads));
  }
  return it;
}

Dialect lsf(const BatchJob& job, const std::string& name) {
  Dialect it{
      .prefix = "#BSUB",
      .tasks = {fmt::format("-J \"{}[1-{}]\"", name, job.tasks), "-o " + name + ".sweep-%I.log",
                fmt::format("-n {}", job.threads), "-R \"span[hosts=1]\""},
      .merge = {fmt::format("-J {}-merge", name), "-o " + name + ".sweep-merge.log", "-n 1"},
      .queued = "${LSB_JOBINDEX:-}",
      .enqueue =
          "sweep=$(bsub <\"$0\") || exit\n"
          "  sweep=${sweep#*<} # Job <123> is submitted to queue <normal>.\n"
          "  sweep=${sweep%%>*}",
      .behind = "bsub -w \"numended($sweep,*)\"",
      .enter = {}};
  if (job.seconds) {
    it.tasks.push_back(fmt::format("-W {}", minutes_of(*job.seconds)));
    it.merge.push_back(it.tasks.back());
    it.tasks.push_back("-wa USR1");
    it.tasks.push_back(fmt::format("-wt {}", minutes_of(lead_of(*job.seconds).signal)));
  }
  if (job.megabytes) {
    for (auto* directives : {&it.tasks, &it.merge}) {
      directives->push_back(fmt::format("-M {}MB", *job.megabytes));
      directives->push_back(fmt::format("-R \"rusage[mem={}MB]\"", *job.megabytes));
    }
  }
  return it;
}

Dialect pbs(const BatchJob& job, const std::string& name) {
  const std::string memory =
      job.megabytes ? fmt::format(":mem={}mb", *job.megabytes) : std::string();
  Dialect it{.prefix = "#PBS",
             .tasks = {"-N " + name},
             .merge = {"-N " + name + "-merge", "-j oe", "-l select=1:ncpus=1" + memory},
             .queued = "${PBS_ENVIRONMENT:-}",
             .enqueue = "sweep=$(qsub \"$0\") || exit",
             .behind = "qsub -W depend=afterany:\"$sweep\"",
             .enter = "cd \"$PBS_O_WORKDIR\" || exit"};
  // PBS knows no array of one.
  if (job.tasks > 1) it.tasks.push_back(fmt::format("-J 0-{}", job.tasks - 1));
  it.tasks.push_back("-j oe");
  it.tasks.push_back(fmt::format("-l select=1:ncpus={}{}", job.threads, memory));
  if (job.seconds) {
    it.tasks.push_back("-l walltime=" + clock_text(*job.seconds));
    it.merge.push_back(it.tasks.back());
  }
  return it;
}

Dialect grid_engine(const BatchJob& job, const std::string& name) {
  Dialect it{.prefix = "#$",
             .tasks = {"-N " + name, fmt::format("-t 1-{}", job.tasks),
                       "-o " + name + ".sweep-$TASK_ID.log"},
             .merge = {"-N " + name + "-merge", "-o " + name + ".sweep-merge.log"},
             .queued = "${SGE_TASK_ID:-}",
             .enqueue = "sweep=$(qsub -terse \"$0\") || exit\n  sweep=${sweep%%.*}",
             .behind = "qsub -hold_jid \"$sweep\"",
             .enter = {}};
  for (auto* directives : {&it.tasks, &it.merge}) {
    directives->insert(directives->end(), {"-S /bin/bash", "-cwd", "-j y"});
  }
  if (job.threads > 1) {
    it.tasks.push_back(fmt::format("-pe {} {}", job.parallel_environment, job.threads));
  }
  if (job.seconds) {
    // At the soft limit comes SIGUSR1.
    it.tasks.push_back("-l s_rt=" + clock_text(*job.seconds - lead_of(*job.seconds).signal));
    it.tasks.push_back("-l h_rt=" + clock_text(*job.seconds));
    it.merge.push_back(it.tasks.back());
  }
  if (job.megabytes) {
    // A limit of each slot.
    it.tasks.push_back(
        fmt::format("-l h_vmem={}M", (*job.megabytes + job.threads - 1) / job.threads));
    it.merge.push_back(fmt::format("-l h_vmem={}M", *job.megabytes));
  }
  return it;
}

}  // namespace

Dialect dialect_of(const BatchJob& job, const std::string& name) {
  switch (job.scheduler) {
    case Scheduler::slurm:
      return slurm(job, name);
    case Scheduler::lsf:
      return lsf(job, name);
    case Scheduler::pbs:
      return pbs(job, name);
    case Scheduler::grid_engine:
      return grid_engine(job, name);
  }
  return {};
}

Lead lead_of(std::uint64_t limit_seconds) {
  constexpr std::uint64_t minute = 60;
  const std::uint64_t signal = std::min(minute, limit_seconds / 10);
  return {2 * signal, signal};
}

}  // namespace cimstat::experiments
