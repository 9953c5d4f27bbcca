#include "experiments/sweep/batch_script.h"

#include <algorithm>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/sweep/batch_limits.h"
#include "tests/support/child_process.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

BatchJob typical(Scheduler scheduler) {
  return {.scheduler = scheduler,
          .launch = Launch::array,
          .tasks = 8,
          .threads = 4,
          .seconds = 7200,
          .megabytes = 4096,
          .directives = {},
          .parallel_environment = "smp",
          .program = "cimstat",
          .config = "x.toml",
          .folder = "x.sweep",
          .result = "x.sweep.h5",
          .arguments = {"--set", "table.trials=1e9"}};
}

BatchJob by_mpi() {
  BatchJob job = typical(Scheduler::slurm);
  job.launch = Launch::mpi;
  return job;
}

constexpr std::string_view slurm_script = R"script(#!/bin/bash
# A sweep in 8 tasks, and a job behind them that merges.
# Run it by hand (bash) to queue all of that; once more, and it goes on where it stopped.
#SBATCH --job-name=x
#SBATCH --array=0-7
#SBATCH --output=x.sweep-%a.log
#SBATCH --ntasks=1
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@60
#SBATCH --mem=4096M

if [ -z "${SLURM_ARRAY_TASK_ID:-}" ]; then
  [ -f "$0" ] || { echo "write this script to a file first" >&2; exit 2; }
  sweep=$(sbatch --parsable "$0") || exit
  sweep=${sweep%%;*}
  sbatch --dependency=afterany:"$sweep" <<-'END_OF_MERGE'
	#!/bin/bash
	#SBATCH --job-name=x-merge
	#SBATCH --output=x.sweep-merge.log
	#SBATCH --open-mode=append
	#SBATCH --ntasks=1
	#SBATCH --time=02:00:00
	#SBATCH --mem=4096M
	exec cimstat merge x.sweep -o x.sweep.h5
	END_OF_MERGE
  exit
fi
exec cimstat sweep x.toml --folder x.sweep --shard auto/8 --threads 4 --max-seconds 7080 --set table.trials=1e9 --quiet
)script";

constexpr std::string_view lsf_script = R"script(#!/bin/bash
# A sweep in 8 tasks, and a job behind them that merges.
# Run it by hand (bash) to queue all of that; once more, and it goes on where it stopped.
#BSUB -J "x[1-8]"
#BSUB -o x.sweep-%I.log
#BSUB -n 4
#BSUB -R "span[hosts=1]"
#BSUB -W 120
#BSUB -wa USR1
#BSUB -wt 1
#BSUB -M 4096MB
#BSUB -R "rusage[mem=4096MB]"

if [ -z "${LSB_JOBINDEX:-}" ]; then
  [ -f "$0" ] || { echo "write this script to a file first" >&2; exit 2; }
  sweep=$(bsub <"$0") || exit
  sweep=${sweep#*<} # Job <123> is submitted to queue <normal>.
  sweep=${sweep%%>*}
  bsub -w "numended($sweep,*)" <<-'END_OF_MERGE'
	#!/bin/bash
	#BSUB -J x-merge
	#BSUB -o x.sweep-merge.log
	#BSUB -n 1
	#BSUB -W 120
	#BSUB -M 4096MB
	#BSUB -R "rusage[mem=4096MB]"
	exec cimstat merge x.sweep -o x.sweep.h5
	END_OF_MERGE
  exit
fi
exec cimstat sweep x.toml --folder x.sweep --shard auto/8 --threads 4 --max-seconds 7080 --set table.trials=1e9 --quiet
)script";

constexpr std::string_view pbs_script = R"script(#!/bin/bash
# A sweep in 8 tasks, and a job behind them that merges.
# Run it by hand (bash) to queue all of that; once more, and it goes on where it stopped.
#PBS -N x
#PBS -J 0-7
#PBS -j oe
#PBS -l select=1:ncpus=4:mem=4096mb
#PBS -l walltime=02:00:00
# Torque has -t 0-7 for -J 0-7, and -l nodes=1:ppn=4 for select.

if [ -z "${PBS_ENVIRONMENT:-}" ]; then
  [ -f "$0" ] || { echo "write this script to a file first" >&2; exit 2; }
  sweep=$(qsub "$0") || exit
  qsub -W depend=afterany:"$sweep" <<-'END_OF_MERGE'
	#!/bin/bash
	#PBS -N x-merge
	#PBS -j oe
	#PBS -l select=1:ncpus=1:mem=4096mb
	#PBS -l walltime=02:00:00
	cd "$PBS_O_WORKDIR" || exit
	exec cimstat merge x.sweep -o x.sweep.h5
	END_OF_MERGE
  exit
fi
cd "$PBS_O_WORKDIR" || exit
exec cimstat sweep x.toml --folder x.sweep --shard auto/8 --threads 4 --max-seconds 7080 --set table.trials=1e9 --quiet
)script";

constexpr std::string_view sge_script = R"script(#!/bin/bash
# A sweep in 8 tasks, and a job behind them that merges.
# Run it by hand (bash) to queue all of that; once more, and it goes on where it stopped.
#$ -N x
#$ -t 1-8
#$ -o x.sweep-$TASK_ID.log
#$ -S /bin/bash
#$ -cwd
#$ -j y
#$ -pe smp 4
#$ -l s_rt=01:59:00
#$ -l h_rt=02:00:00
#$ -l h_vmem=1024M

if [ -z "${SGE_TASK_ID:-}" ]; then
  [ -f "$0" ] || { echo "write this script to a file first" >&2; exit 2; }
  sweep=$(qsub -terse "$0") || exit
  sweep=${sweep%%.*}
  qsub -hold_jid "$sweep" <<-'END_OF_MERGE'
	#!/bin/bash
	#$ -N x-merge
	#$ -o x.sweep-merge.log
	#$ -S /bin/bash
	#$ -cwd
	#$ -j y
	#$ -l h_rt=02:00:00
	#$ -l h_vmem=4096M
	exec cimstat merge x.sweep -o x.sweep.h5
	END_OF_MERGE
  exit
fi
exec cimstat sweep x.toml --folder x.sweep --shard auto/8 --threads 4 --max-seconds 7080 --set table.trials=1e9 --quiet
)script";

constexpr std::string_view mpi_script = R"script(#!/bin/bash
# A sweep by 8 MPI processes, which merge at the end.
# Run it by hand (bash) to queue it; once more, and it goes on where it stopped.
#SBATCH --job-name=x
#SBATCH --output=x.sweep-mpi.log
#SBATCH --ntasks=8
#SBATCH --open-mode=append
#SBATCH --cpus-per-task=4
#SBATCH --time=02:00:00
#SBATCH --signal=B:USR1@60
#SBATCH --mem-per-cpu=1024M

if [ -z "${SLURM_JOB_ID:-}" ]; then
  [ -f "$0" ] || { echo "write this script to a file first" >&2; exit 2; }
  sbatch "$0"
  exit
fi
# When a process dies, Open MPI gives the others a second to write what they have.
export OMPI_MCA_odls_base_sigkill_timeout=60
exec mpirun --bind-to none cimstat-mpi x.toml --folder x.sweep -o x.sweep.h5 --threads 4 --max-seconds 7080 --set table.trials=1e9 --quiet
)script";

TEST(BatchScript, OfEachSchedulerIsAsItStandsHere) {
  EXPECT_EQ(batch_script(typical(Scheduler::slurm)), slurm_script);
  EXPECT_EQ(batch_script(typical(Scheduler::lsf)), lsf_script);
  EXPECT_EQ(batch_script(typical(Scheduler::pbs)), pbs_script);
  EXPECT_EQ(batch_script(typical(Scheduler::grid_engine)), sge_script);
  EXPECT_EQ(batch_script(by_mpi()), mpi_script);
}

TEST(BatchScript, LeavesOutWhatWasNotAskedFor) {
  for (const Scheduler scheduler :
       {Scheduler::slurm, Scheduler::lsf, Scheduler::pbs, Scheduler::grid_engine}) {
    BatchJob job = typical(scheduler);
    job.seconds.reset();
    job.megabytes.reset();
    job.threads = 1;
    const std::string text = batch_script(job);
    for (const std::string word :
         {"time", "USR1", "#BSUB -W", "_rt", "mem", "-M ", "max-seconds", "#$ -pe"}) {
      EXPECT_THAT(text, Not(HasSubstr(word)));
    }
  }
}

TEST(BatchScript, ATaskEndsAheadOfItsTimeLimit) {
  BatchJob job = typical(Scheduler::slurm);
  job.seconds = 120;
  EXPECT_THAT(batch_script(job), AllOf(HasSubstr("--time=00:02:00\n"), HasSubstr("B:USR1@12\n"),
                                       HasSubstr("--max-seconds 96 ")));
  job.seconds = 400'000;  // hours pass beyond two digits
  EXPECT_THAT(batch_script(job), AllOf(HasSubstr("--time=111:06:40\n"), HasSubstr("B:USR1@60\n"),
                                       HasSubstr("--max-seconds 399880 ")));
}

TEST(BatchScript, OneTaskOfPbsIsNoArray) {
  BatchJob job = typical(Scheduler::pbs);
  job.tasks = 1;
  EXPECT_THAT(batch_script(job), AllOf(HasSubstr("--shard 0/1"), Not(HasSubstr("-J"))));
  job.scheduler = Scheduler::grid_engine;
  EXPECT_THAT(batch_script(job), AllOf(HasSubstr("--shard auto/1"), HasSubstr("-t 1-1\n")));
}

TEST(BatchScript, MoreDirectivesGoToTasksAndMerge) {
  BatchJob job = typical(Scheduler::lsf);
  job.directives = {"-q long", "-P \"a project\""};
  const std::string text = batch_script(job);
  EXPECT_THAT(text, AllOf(HasSubstr("\n#BSUB -q long\n#BSUB -P \"a project\"\n"),
                          HasSubstr("\n\t#BSUB -q long\n\t#BSUB -P \"a project\"\n")));
}

TEST(BatchScript, ControlCharactersAreRefused) {
  BatchJob job = typical(Scheduler::slurm);
  job.config = "x\ny.toml";
  EXPECT_THROW(batch_script(job), core::UsageError);
  job = typical(Scheduler::slurm);
  job.directives = {"--partition=a\n#SBATCH --nodes=9"};
  EXPECT_THROW(batch_script(job), core::UsageError);
}

/// Names that mean something to shells and batch systems.
BatchJob oddly_named(BatchJob job) {
  job.config = "it's 100 % \"odd\" $HOME `id` <1> & \\ ;.toml";
  job.folder = "-a folder";
  job.result = "r*?.h5";
  job.arguments = {"--set", "title=\"two words\""};
  return job;
}

/// A folder of programs that write down what they are given.
class FakeCluster {
 public:
  FakeCluster() {
    add("sbatch", "echo '77;cluster'");
    add("bsub", "echo 'Job <77> is submitted to queue <normal>.'");
    add("qsub", "case \"$1\" in -terse) echo 77.1-8:1;; *) echo '77[].server';; esac");
    add("cimstat", "");
    add("mpirun", "");
  }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  /// What was called, a line for each program with its arguments in <>, then standard input.
  std::string run(const std::string& script, const std::string& environment) {
    std::ofstream(file("script")) << script;
    std::filesystem::remove(file("log"));
    const tests::Outcome outcome = tests::run_program(
        "cd '" + folder_.path().string() + "'; PATH=\"$PWD:$PATH\" PBS_O_WORKDIR=\"$PWD\" " +
        environment + " bash script </dev/null 2>&1");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return tests::text_of(file("log"));
  }

 private:
  void add(const std::string& name, const std::string& answer) {
    std::ofstream(file(name)) << "#!/bin/bash\n{ printf '" << name
                              << "'; printf ' <%s>' \"$@\"; echo; cat; } >>log\n"
                              << answer << "\n";
    std::filesystem::permissions(file(name), std::filesystem::perms::owner_all);
  }
  tests::TemporaryFolder folder_;
};

struct Case {
  std::string name;
  BatchJob job;
  std::string first;    ///< the call that queues the tasks
  std::string second;   ///< ... and the merge behind them
  std::string in_task;  ///< environment of a task
};

std::vector<Case> cases() {
  return {{"slurm", typical(Scheduler::slurm), "sbatch <--parsable> <script>\n",
           "sbatch <--dependency=afterany:77>\n", "SLURM_ARRAY_TASK_ID=0"},
          {"lsf", typical(Scheduler::lsf), "bsub <>\n", "bsub <-w> <numended(77,*)>\n",
           "LSB_JOBINDEX=1"},
          {"pbs", typical(Scheduler::pbs), "qsub <script>\n",
           "qsub <-W> <depend=afterany:77[].server>\n", "PBS_ENVIRONMENT=PBS_BATCH"},
          {"sge", typical(Scheduler::grid_engine), "qsub <-terse> <script>\n",
           "qsub <-hold_jid> <77>\n", "SGE_TASK_ID=1"}};
}

TEST(BatchScript, IsWhatBashTakes) {
  FakeCluster cluster;
  std::vector<Case> all = cases();
  all.push_back({"mpi", by_mpi(), "", "", ""});
  for (const Case& each : all) {
    for (const BatchJob& job : {each.job, oddly_named(each.job)}) {
      std::ofstream(cluster.file("script")) << batch_script(job);
      const tests::Outcome outcome =
          tests::run_program("bash -n '" + cluster.file("script").string() + "' 2>&1");
      EXPECT_EQ(outcome.exit_code, 0) << each.name << "\n" << outcome.output;
      EXPECT_EQ(outcome.output, "") << each.name;
    }
  }
}

TEST(BatchScript, RunByHandQueuesTheTasksAndTheMergeBehindThem) {
  FakeCluster cluster;
  for (const Case& each : cases()) {
    const std::string log = cluster.run(batch_script(oddly_named(each.job)), "");
    EXPECT_THAT(log, ::testing::StartsWith(each.first)) << each.name;
    EXPECT_THAT(log, AllOf(HasSubstr("\n" + each.second + "#!/bin/bash\n#"),
                           HasSubstr("\nexec cimstat merge './-a folder' -o 'r*?.h5'\n")))
        << each.name;
    EXPECT_THAT(log, Not(HasSubstr("\ncimstat <"))) << each.name;
  }
  const std::string log = cluster.run(batch_script(by_mpi()), "");
  EXPECT_EQ(log, "sbatch <script>\n");
}

TEST(BatchScript, InATaskRunsTheProgramWithTheNamesAsGiven) {
  FakeCluster cluster;
  const std::string arguments =
      "<it's 100 % \"odd\" $HOME `id` <1> & \\ ;.toml> <--folder> <./-a folder> ";
  const std::string behind =
      "<--threads> <4> <--max-seconds> <7080> <--set> <title=\"two words\"> <--quiet>\n";
  for (const Case& each : cases()) {
    EXPECT_EQ(cluster.run(batch_script(oddly_named(each.job)), each.in_task),
              "cimstat <sweep> " + arguments + "<--shard> <auto/8> " + behind)
        << each.name;
  }
  EXPECT_EQ(cluster.run(batch_script(oddly_named(by_mpi())), "SLURM_JOB_ID=7"),
            "mpirun <--bind-to> <none> <cimstat-mpi> " + arguments + "<-o> <r*?.h5> " + behind);
}

TEST(BatchLimits, TimesAreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_time_limit("2 h"), 7200U);
  EXPECT_EQ(parse_time_limit("2h"), 7200U);
  EXPECT_EQ(parse_time_limit("90 min"), 5400U);
  EXPECT_EQ(parse_time_limit("1.5 d"), 129600U);
  EXPECT_EQ(parse_time_limit("30 s"), 30U);
  EXPECT_EQ(parse_time_limit("2:00:00"), 7200U);
  EXPECT_EQ(parse_time_limit("1-02:03:04"), 93784U);
  for (const std::string text : {"", "2", "2:00", "h", "-2 h", "nan h", "inf h", "9 s", "367 d",
                                 "1e300 h", "2:60:00", "2:00:60", ":00:00", "1-2 h", "2 hours",
                                 "1-:00:00", "2:-1:00", "2:00:00 ", "00002:00:00"}) {
    EXPECT_EQ(parse_time_limit(text), std::nullopt) << text;
  }
}

TEST(BatchLimits, SizesAreReadAsPeopleWriteThem) {
  EXPECT_EQ(parse_memory("4G"), 4096U);
  EXPECT_EQ(parse_memory("4 GB"), 4096U);
  EXPECT_EQ(parse_memory("500M"), 500U);
  EXPECT_EQ(parse_memory("1.5T"), 1572864U);
  EXPECT_EQ(parse_memory("0.1M"), 1U);
  for (const std::string text : {"", "4", "G", "-4G", "0G", "nanG", "2000T", "4 g", "4GiB"}) {
    EXPECT_EQ(parse_memory(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace cimstat::experiments
