#include "experiments/sweep/shard.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found != variables.end() ? std::optional(found->second) : std::nullopt;
  };
}

std::string refusal(std::string_view text, std::map<std::string, std::string> variables = {}) {
  try {
    read_shard(text, environment_of(std::move(variables)));
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "not refused";
}

std::uint32_t task_of_eight(std::map<std::string, std::string> variables) {
  const Shard shard = read_shard("auto/8", environment_of(std::move(variables)));
  EXPECT_EQ(shard.count, 8U);
  return shard.index;
}

TEST(Shard, IsReadFromItsText) {
  const Shard shard = read_shard("3/8", environment_of({{"SLURM_ARRAY_TASK_ID", "5"}}));
  EXPECT_EQ(shard.index, 3U);
  EXPECT_EQ(shard.count, 8U);
  EXPECT_EQ(read_shard("0/1", environment_of({})).count, 1U);
  EXPECT_EQ(read_shard("4294967294/4294967295", environment_of({})).index, 4294967294U);
}

TEST(Shard, OtherTextsAreRefused) {
  for (const std::string text : {"", "3", "/", "3/", "/8", "a/8", "-1/8", "3/8/2", "3 / 8", "1.5/8",
                                 "auto", "auto/", "auto/x", "AUTO/8", "3/4294967296"}) {
    EXPECT_EQ(refusal(text), "--shard " + text +
                                 ": is no part of a sweep; write i/N, such as 0/8, or auto/8 in a "
                                 "task of a job array");
  }
  EXPECT_EQ(refusal("8/8"),
            "--shard 8/8: there is no such part (parts count from 0); i must be from 0 to 7");
  EXPECT_EQ(refusal("0/0"), "--shard 0/0: is a part of nothing; N must be at least 1");
  EXPECT_EQ(refusal("auto/0"), "--shard auto/0: is a part of nothing; N must be at least 1");
}

TEST(Shard, IsTheArrayTaskOfEachScheduler) {
  EXPECT_EQ(task_of_eight({{"SLURM_ARRAY_TASK_ID", "0"}, {"SLURM_ARRAY_TASK_MAX", "7"}}), 0U);
  EXPECT_EQ(task_of_eight({{"SLURM_ARRAY_TASK_ID", "7"}}), 7U);
  EXPECT_EQ(task_of_eight({{"LSB_JOBINDEX", "1"}, {"LSB_JOBINDEX_END", "8"}}), 0U);
  EXPECT_EQ(task_of_eight({{"LSB_JOBINDEX", "8"}}), 7U);
  EXPECT_EQ(task_of_eight({{"PBS_ARRAY_INDEX", "0"}}), 0U);
  EXPECT_EQ(task_of_eight({{"PBS_ARRAYID", "7"}}), 7U);
  EXPECT_EQ(task_of_eight({{"SGE_TASK_ID", "1"}, {"SGE_TASK_LAST", "8"}}), 0U);
  EXPECT_EQ(task_of_eight({{"SGE_TASK_ID", "8"}}), 7U);
}

TEST(Shard, ATaskSubmittedOnceMoreKeepsItsPart) {
  EXPECT_EQ(task_of_eight({{"SLURM_ARRAY_TASK_ID", "3"},
                           {"SLURM_ARRAY_TASK_MIN", "3"},
                           {"SLURM_ARRAY_TASK_MAX", "5"},
                           {"SLURM_ARRAY_TASK_COUNT", "2"}}),
            3U);
  EXPECT_EQ(task_of_eight({{"SGE_TASK_ID", "4"}, {"SGE_TASK_FIRST", "4"}, {"SGE_TASK_LAST", "4"}}),
            3U);
}

TEST(Shard, WhatASchedulerSetsForJobsWithoutAnArrayIsNoTask) {
  const std::map<std::string, std::string> plain_jobs = {{"LSB_JOBINDEX", "0"},
                                                         {"SGE_TASK_ID", "undefined"}};
  EXPECT_THAT(refusal("auto/8", plain_jobs),
              AllOf(HasSubstr("--shard auto/8: this is no array task (none of SLURM_ARRAY_TASK_ID"),
                    HasSubstr("name it: --shard i/8, i from 0 to 7")));
  EXPECT_EQ(
      task_of_eight(
          {{"LSB_JOBINDEX", "0"}, {"SGE_TASK_ID", "undefined"}, {"SLURM_ARRAY_TASK_ID", "2"}}),
      2U);
}

TEST(Shard, NoneOrSeveralTasksAreRefused) {
  EXPECT_THAT(refusal("auto/8"), HasSubstr("this is no array task"));
  EXPECT_EQ(refusal("auto/8", {{"SLURM_ARRAY_TASK_ID", "2"}, {"SGE_TASK_ID", "3"}}),
            "--shard auto/8: there are several array tasks in the environment "
            "(SLURM_ARRAY_TASK_ID=2, SGE_TASK_ID=3); name it: --shard i/8, i from 0 to 7");
}

TEST(Shard, AnArrayOfAnotherSizeIsRefusedByEachOfItsTasks) {
  for (const std::string task : {"1", "8"}) {
    EXPECT_EQ(refusal("auto/8", {{"SLURM_ARRAY_TASK_ID", task}, {"SLURM_ARRAY_TASK_MAX", "8"}}),
              "--shard auto/8: SLURM_ARRAY_TASK_MAX is \"8\" (Slurm tasks of a sweep count from 0 "
              "to 7); ask for the array with --array=0-7");
    EXPECT_THAT(refusal("auto/7", {{"LSB_JOBINDEX", task}, {"LSB_JOBINDEX_END", "8"}}),
                HasSubstr("ask for the array with -J \"sweep[1-7]\""));
  }
  EXPECT_THAT(refusal("auto/8", {{"PBS_ARRAY_INDEX", "8"}}), HasSubstr("-J 0-7"));
  EXPECT_THAT(refusal("auto/8", {{"SGE_TASK_ID", "0"}}), HasSubstr("-t 1-8"));
  EXPECT_THAT(refusal("auto/8", {{"PBS_ARRAYID", "x\n7"}}),
              HasSubstr("PBS_ARRAYID is \"x\\x0a7\" (Torque tasks of a sweep count from 0 to 7)"));
  EXPECT_THAT(refusal("auto/4294967295", {{"SGE_TASK_ID", "0"}}), HasSubstr("-t 1-4294967295"));
}

TEST(Shard, ReadsTheEnvironmentOfTheProcess) {
  ASSERT_EQ(::setenv("PBS_ARRAYID", "4", 1), 0);
  EXPECT_EQ(process_environment()("PBS_ARRAYID"), "4");
  ASSERT_EQ(::unsetenv("PBS_ARRAYID"), 0);
  EXPECT_EQ(process_environment()("PBS_ARRAYID"), std::nullopt);
}

}  // namespace
}  // namespace cimstat::experiments
