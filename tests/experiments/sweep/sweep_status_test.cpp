#include "experiments/sweep/sweep_status.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/commands/status_text.h"
#include "experiments/sweep/segment_file.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::string sweep_text = R"(
name = "six points"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "100 uS"
sigma = 0.2
[cell.hrs]
distribution = "lognormal"
median = "20 uS"
sigma = 0.3
[column]
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1 uA"
[table]
active_rows = [3]
[sweep]
outputs = ["misread"]
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.1, 0.15, 0.2, 0.25, 0.3, 0.4]
)";

constexpr std::int64_t now = 1'800'000'000;

/// The folder of a sweep of six points of a chunk each.
class SweepStatusOf : public ::testing::Test {
 protected:
  SweepStatusOf() : work_(read_sweep_plan(core::Config::from_text(sweep_text, "x.toml")), {}, {1}) {
    open_work_folder(work_.plan(), folder());
  }
  std::filesystem::path folder() const { return place_ / "x.sweep"; }

  void add_segment(const std::vector<std::uint64_t>& chunks) {
    std::vector<ChunkResult> results;
    for (const std::uint64_t chunk : chunks) results.push_back(work_.compute(chunk, {}, {1}));
    write_segment(work_, std::move(results), folder());
  }
  /// As worker records are written, but with host, process and time of our choice.
  void add_worker(const std::string& name, const std::string& state, std::int64_t updated,
                  const std::string& host = "elsewhere", std::uint64_t process = 1) {
    std::ofstream(folder() / ("worker-" + name + ".json")) << fmt::format(
        R"({{"name": "{}", "state": "{}", "message": "disk\nfull", "host": "{}", "process": {},)"
        R"("total_chunks": 6, "found": 0, "computed": 2, "elapsed_seconds": 4.0,)"
        R"("interval_seconds": 60.0, "updated": {}}})",
        name, state, host, process, updated);
  }
  SweepStatus look(std::int64_t when = now) const {
    return sweep_status(folder(), {.host = "here", .now = when});
  }
  WorkerCondition condition(std::int64_t when = now) const {
    return look(when).workers.at(0).condition;
  }

  tests::TemporaryFolder place_;
  SweepWork work_;
};

TEST_F(SweepStatusOf, AFreshFolderKnowsNoChunks) {
  const SweepStatus status = look();
  EXPECT_EQ(status.points, 6U);
  EXPECT_EQ(status.chunks, 0U);
  EXPECT_FALSE(status.is_complete());
  EXPECT_THAT(status_as_text(status),
              AllOf(HasSubstr("six points, 6 points\n  no worker has said yet"),
                    HasSubstr("\nnobody is at work: run the sweep again")));
}

TEST_F(SweepStatusOf, CountsEachChunkOnce) {
  add_worker("shard-0-of-2", "running", now - 10);
  add_segment({0, 2});
  add_segment({2, 4});
  const SweepStatus status = look();
  EXPECT_EQ(status.chunks, 6U);
  EXPECT_EQ(status.finished_chunks, 3U);
  EXPECT_EQ(status.segments, 2U);
  EXPECT_DOUBLE_EQ(status.share(), 0.5);
  EXPECT_DOUBLE_EQ(status.chunks_per_second, 0.5);
  EXPECT_DOUBLE_EQ(status.seconds_left().value(), 6.0);
  EXPECT_THAT(
      status_as_text(status),
      AllOf(HasSubstr("  50.0 % done: 3 of 6 chunks in 2 segments\n"),
            HasSubstr("  0.5 chunks/s, about 6 s left\n"), HasSubstr("\n1 worker at work\n")));
}

TEST_F(SweepStatusOf, ACompleteSweepSaysWhatIsNext) {
  add_worker("whole", "finished", now - 1000);
  add_segment({0, 1, 2, 3, 4, 5});
  const SweepStatus status = look();
  EXPECT_TRUE(status.is_complete());
  EXPECT_EQ(status.seconds_left(), std::nullopt);
  EXPECT_THAT(status_as_text(status),
              AllOf(HasSubstr("100.0 % done"), HasSubstr("all chunks are there: cimstat merge " +
                                                         folder().string() + " checks them")));
}

TEST_F(SweepStatusOf, NamesTheFailedAndTheSilent) {
  add_worker("shard-0-of-3", "running", now - 20);
  add_worker("shard-1-of-3", "failed", now - 300);
  add_worker("shard-2-of-3", "running", now - 300);
  const SweepStatus status = look();
  const std::string text = status_as_text(status);
  EXPECT_THAT(text,
              HasSubstr("shard-1-of-3          failed           2 in 4 s          on elsewhere  "
                        "disk\\x0afull\n"));
  EXPECT_THAT(text,
              HasSubstr("shard-2-of-3          silent           2 in 4 s          on elsewhere  "
                        "no sign of life for 5 min 0 s, though it means to write every 1 min 0 "
                        "s: killed?\n"));
  // Trouble stands first.
  EXPECT_LT(text.find("shard-2-of-3"), text.find("shard-0-of-3"));
  EXPECT_THAT(text, HasSubstr("1 worker at work; run those in trouble again when they have ended"));
  // The rate is that of the one that works.
  EXPECT_DOUBLE_EQ(status.chunks_per_second, 0.5);
}

TEST_F(SweepStatusOf, SilenceIsMeasuredByWhatWasPromised) {
  add_worker("shard-0-of-1", "running", now);
  EXPECT_EQ(condition(now + 240), WorkerCondition::running);
  EXPECT_EQ(condition(now + 241), WorkerCondition::silent);
}

TEST_F(SweepStatusOf, AClockThatJumpedBackMakesNoNonsense) {
  add_worker("shard-0-of-1", "running", now + 86400);
  const SweepStatus status = look();
  EXPECT_EQ(status.workers.at(0).condition, WorkerCondition::running);
  EXPECT_EQ(status.workers.at(0).age_seconds, 0.0);
  // Rates rest on elapsed times, which come from a clock that does not jump.
  EXPECT_DOUBLE_EQ(status.chunks_per_second, 0.5);
  EXPECT_DOUBLE_EQ(status.seconds_left().value(), 12.0);
}

TEST_F(SweepStatusOf, OnItsOwnHostTheProcessIsLookedAtAndNotTheClock) {
  add_worker("whole", "running", now - 86400, "here", static_cast<std::uint64_t>(::getpid()));
  EXPECT_EQ(condition(), WorkerCondition::running);
  const std::uint64_t nobody = (std::uint64_t{1} << 22) + 1;  // beyond what Linux gives out
  add_worker("whole", "running", now - 1, "here", nobody);
  EXPECT_EQ(condition(), WorkerCondition::vanished);
  EXPECT_THAT(status_as_text(look()),
              HasSubstr("its process is no more: killed?\nnobody is at work"));
}

TEST_F(SweepStatusOf, ADamagedSegmentIsNamed) {
  add_worker("whole", "finished", now);
  add_segment({0, 1, 2, 3, 4, 5});
  std::ofstream(folder() / "segment-00000000009-1-abc.h5") << "no HDF5";
  const SweepStatus status = look();
  ASSERT_EQ(status.damaged.size(), 1U);
  EXPECT_FALSE(status.is_complete());
  EXPECT_THAT(status_as_text(status),
              AllOf(HasSubstr("  damaged: "), HasSubstr("segment-00000000009-1-abc.h5"),
                    HasSubstr("damaged segments stop every run: move them away")));
}

TEST_F(SweepStatusOf, RecordsThatMakeNoSenseArePassedOver) {
  add_worker("whole", "running", now);
  std::ofstream(folder() / "worker-bad.json") << "{";
  std::ofstream(folder() / "worker-huge.json")
      << R"({"name": "huge", "state": "running", "message": "", "host": "", "process": 1,)"
         R"("total_chunks": 18446744073709551612, "found": 0, "computed": 5, "elapsed_seconds": 0.0,)"
         R"("interval_seconds": 60.0, "updated": 0})";
  const SweepStatus status = look();
  EXPECT_EQ(status.chunks, 6U);
  EXPECT_DOUBLE_EQ(status.chunks_per_second, 0.5);
}

TEST_F(SweepStatusOf, AThousandWorkersTakeFewLines) {
  for (int i = 0; i < 100; ++i) add_worker(fmt::format("shard-{}-of-100", i), "running", now);
  const std::string text = status_as_text(look());
  EXPECT_THAT(text, HasSubstr("  and 76 more (--json lists all)\n100 workers at work\n"));
}

TEST_F(SweepStatusOf, JsonHoldsEveryWorker) {
  add_worker("shard-0-of-2", "running", now - 10);
  add_worker("shard-1-of-2", "failed", now - 10);
  add_segment({0, 2});
  const core::Json json = status_as_json(look());
  EXPECT_EQ(json["finished_chunks"], 2);
  EXPECT_EQ(json["is_complete"], false);
  EXPECT_DOUBLE_EQ(json["seconds_left"], 8.0);
  EXPECT_EQ(json["workers"].size(), 2U);
  EXPECT_EQ(json["workers"][1]["condition"], "failed");
  EXPECT_EQ(json["workers"][1]["message"], "disk\nfull");
}

TEST(SweepStatus, AnotherFolderIsRefused) {
  const tests::TemporaryFolder folder;
  EXPECT_THROW(sweep_status(folder.path(), this_observer()), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
