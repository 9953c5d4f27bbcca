#include "experiments/sweep/sweep_run.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <sys/mount.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/atomic_file.h"
#include "core/interrupt.h"

#include "experiments/margin/margin.h"
#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/work_folder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;

const std::string macro = R"(
name = "small"
seed = 7
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
[converter]
references = "midpoint"
[table]
method = "monte_carlo"
trials = 30000
active_rows = [3, 4]
)";

const std::string two_axes = R"(
[sweep.axis.sigma]
key = "cell.lrs.sigma"
values = [0.1, 0.2, 0.4]
[sweep.axis.noise]
key = "sense_amplifier.noise_sd"
values = ["1 uA", "2 uA"]
)";

std::string sweep_of(const std::string& settings, const std::string& axes = two_axes) {
  return macro + "[sweep]\n" + settings + "\n" + axes;
}

const std::string sampled = sweep_of(R"(outputs = ["table", "margin"]
chunk_trials = 8192)");

using Overrides = std::vector<std::string>;

SweepWork work_of(const std::string& text, const Overrides& overrides = {}) {
  return {read_sweep_plan(core::Config::from_text(text, "sweep", overrides)), {}, {1}};
}

std::vector<ChunkResult> compute_all(const SweepWork& work, std::uint64_t point) {
  std::vector<ChunkResult> results;
  while (const auto chunk = work.next(point, results)) {
    results.push_back(work.compute(*chunk, results, {1}));
  }
  return results;
}

/// The field of that name among the values of a point.
std::vector<std::uint64_t> integers(const SweepWork& work, const PointValues& values,
                                    std::string_view name) {
  const auto& fields = work.fields().integers;
  const auto found = std::ranges::find(fields, name, &SweepField::name);
  return values.integers.at(static_cast<std::size_t>(found - fields.begin()));
}

std::vector<double> numbers(const SweepWork& work, const PointValues& values,
                            std::string_view name) {
  const auto& fields = work.fields().numbers;
  const auto found = std::ranges::find(fields, name, &SweepField::name);
  return values.numbers.at(static_cast<std::size_t>(found - fields.begin()));
}

circuits::ErrorTable table_of(const SweepWork& work, std::uint64_t point) {
  const Experiment experiment = work.plan().experiment(point);
  return make_table(experiment, circuits::classes_for(experiment.table.active_rows), {1}).table;
}

TEST(SweepWork, HasFieldsOfTheWidthsThatItGives) {
  for (const std::string& text :
       {sampled, sweep_of("outputs = [\"misread\"]"),
        sweep_of("outputs = [\"misread\", \"margin\"]"),
        sweep_of("outputs = [\"table\"]",
                 "[sweep.axis.n]\nkey = \"table.active_rows\"\nvalues = [1, 3]\n"),
        sweep_of("outputs = [\"margin\"]")}) {
    const SweepWork work = work_of(text);
    for (const std::uint64_t point : {std::uint64_t{0}, work.plan().points() - 1}) {
      const PointValues values = work.values(point, compute_all(work, point));
      ASSERT_EQ(values.integers.size(), work.fields().integers.size());
      ASSERT_EQ(values.numbers.size(), work.fields().numbers.size());
      for (std::size_t i = 0; i < values.integers.size(); ++i) {
        EXPECT_EQ(values.integers[i].size(), work.fields().width(work.fields().integers[i]));
      }
      for (std::size_t i = 0; i < values.numbers.size(); ++i) {
        EXPECT_EQ(values.numbers[i].size(), work.fields().width(work.fields().numbers[i]));
      }
    }
  }
}

TEST(SweepWork, CountsAreThoseOfTheTableOfThePointInAnyChunks) {
  for (const int chunk_trials : {4096, 8192, 65536}) {
    const SweepWork work =
        work_of(sweep_of("outputs = [\"table\"]\nchunk_trials = " + std::to_string(chunk_trials)));
    for (const std::uint64_t point : {0U, 5U}) {
      const PointValues values = work.values(point, compute_all(work, point));
      const circuits::ErrorTable table = table_of(work, point);
      EXPECT_EQ(integers(work, values, "counts"), table.counts);
      std::uint64_t misreads = 0;
      std::uint64_t most = 0;
      for (std::size_t i = 0; i < table.size(); ++i) {
        misreads += table.misreads(i);
        most = std::max(most, table.misreads(i));
      }
      EXPECT_EQ(numbers(work, values, "misread_worst").front(),
                static_cast<double>(most) / 30000.0);
      EXPECT_NEAR(numbers(work, values, "misread_mean").front(),
                  static_cast<double>(misreads) / (30000.0 * static_cast<double>(table.size())),
                  1e-15);
      EXPECT_LT(numbers(work, values, "misread_worst_lower").front(),
                numbers(work, values, "misread_worst").front());
      EXPECT_GT(numbers(work, values, "misread_mean_upper").front(),
                numbers(work, values, "misread_mean").front());
    }
  }
}

const std::string until_known = sweep_of("outputs = [\"table\"]\nchunk_trials = 4096");
const Overrides target = {"table.target_relative_error=0.1"};

TEST(SweepWork, StopsEachClassWhereItsTableDoes) {
  const SweepWork work = work_of(until_known, target);
  EXPECT_TRUE(work.layout().is_point_whole);
  for (const std::uint64_t point : {1U, 4U}) {
    const PointValues values = work.values(point, compute_all(work, point));
    const circuits::ErrorTable table = table_of(work, point);
    EXPECT_EQ(integers(work, values, "counts"), table.counts);
    std::vector<std::uint64_t> last;
    for (const core::GammaBernoulli& found : table.guaranteed->classes)
      last.push_back(found.trials);
    EXPECT_EQ(integers(work, values, "last_misread_trial"), last);
    EXPECT_TRUE(std::ranges::any_of(last, [](std::uint64_t trial) { return trial > 0; }));
  }
}

TEST(SweepWork, TakesNoHeedOfWhatWasSampledBehindTheEndOfAClass) {
  const SweepWork work = work_of(until_known, target);
  std::vector<ChunkResult> results = compute_all(work, 2);
  const PointValues expected = work.values(2, results);
  for (std::size_t i = 1; i < results.size(); ++i) {
    // As if another worker had gone on with all classes.
    const ChunkResult further = work.compute(results[i].chunk, {}, {1});
    for (std::size_t j = 0; j < further.integers.size(); ++j) {
      if (results[i].integers[j] == 0) results[i].integers[j] = further.integers[j];
    }
  }
  const PointValues values = work.values(2, results);
  EXPECT_EQ(values.integers, expected.integers);
  EXPECT_EQ(values.numbers, expected.numbers);
}

TEST(SweepWork, ExactFiguresAreThoseOfTheTableOfThePoint) {
  const SweepWork work =
      work_of(sweep_of("outputs = [\"table\", \"margin\"]"), {"table.method=exact"});
  EXPECT_EQ(work.chunks(), work.plan().points());
  const PointValues values = work.values(3, compute_all(work, 3));
  const circuits::ErrorTable table = table_of(work, 3);
  EXPECT_EQ(numbers(work, values, "probability"), table.probability);
  EXPECT_EQ(numbers(work, values, "error_bound"), table.error_bound);
  double worst = 0.0;
  for (std::size_t i = 0; i < table.size(); ++i) worst = std::max(worst, table.misread(i));
  EXPECT_EQ(numbers(work, values, "misread_worst").front(), worst);
}

TEST(SweepWork, MarginsOfPairsAreThoseOfTheMarginCommandAtThePoint) {
  const Overrides pairs = {"mapping.weights=differential", "margin.active_rows=3"};
  const SweepWork work = work_of(sweep_of("outputs = [\"margin\"]"), pairs);
  const PointValues values = work.values(3, compute_all(work, 3));
  const MarginResult margins = measure_gaps(work.plan().experiment(3), {1});
  ASSERT_EQ(margins.levels.size(), 7u);
  const GapFigures& worst = margins.gaps[margins.worst_gap];
  EXPECT_EQ(numbers(work, values, "margin_quantile").front(), worst.quantile);
  EXPECT_EQ(integers(work, values, "margin_gap").front(),
            static_cast<std::uint64_t>(worst.level + 3));
  for (const std::string output : {"misread", "table", "accuracy"}) {
    try {
      work_of(sweep_of("outputs = [\"" + output + "\"]"), pairs);
      FAIL();
    } catch (const core::Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("sweep.outputs: only margins can be swept"));
    }
  }
}

TEST(SweepWork, MarginsBehindALineAreInItsUnit) {
  const Overrides line = {"bit_line.kind=discharge",      "bit_line.precharge=0.8",
                          "bit_line.capacitance=400e-15", "bit_line.time=1e-9",
                          "sense_amplifier.noise_sd=0",   "sense_amplifier.noise_voltage_sd=2e-3"};
  const std::string one_value =
      "[sweep.axis.sigma]\nkey = \"cell.lrs.sigma\"\nvalues = [0.1, 0.2]\n";
  const SweepWork work = work_of(sweep_of("outputs = [\"margin\"]", one_value), line);
  for (const SweepField& field : work.fields().numbers) {
    EXPECT_EQ(field.units, field.name == "overlap" ? "1" : "V") << field.name;
  }
  const PointValues values = work.values(1, compute_all(work, 1));
  const MarginResult margins = measure_gaps(work.plan().experiment(1), {1});
  EXPECT_EQ(numbers(work, values, "margin_quantile").front(),
            margins.gaps[margins.worst_gap].quantile);
}

TEST(SweepWork, CommonRandomNumbersAreThoseOfEveryPointAndIndependentOnesAreNot) {
  const std::string one_value =
      "[sweep.axis.sigma]\nkey = \"cell.lrs.sigma\"\n"
      "values = [0.2, 0.2000000001]\n";
  const auto counts = [](const SweepWork& work, std::uint64_t point) {
    return integers(work, work.values(point, compute_all(work, point)), "counts");
  };
  const SweepWork common =
      work_of(sweep_of("outputs = [\"table\"]\nrandom_numbers = \"common\"", one_value));
  const SweepWork independent =
      work_of(sweep_of("outputs = [\"table\"]\nrandom_numbers = \"independent\"", one_value));
  EXPECT_EQ(counts(common, 0), counts(common, 1));
  EXPECT_NE(counts(independent, 0), counts(independent, 1));
}

TEST(SweepWork, NamesThePointThatCannotBe) {
  try {
    work_of(sweep_of("outputs = [\"misread\"]",
                     "[sweep.axis.n]\nkey = \"table.active_rows\"\nvalues = [4, 5]\n"));
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("n = 5"));
  }
}

// ---- running ----

/// What segments of a folder hold, chunk by chunk.
std::map<std::uint64_t, std::vector<std::uint64_t>> content(const SweepWork& work,
                                                            const std::filesystem::path& folder) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> all;
  for (const std::filesystem::path& file : segment_files(folder)) {
    const SegmentReader segment(work, file);
    for (const ChunkResult& result : segment.read(0, segment.chunks().size())) {
      EXPECT_FALSE(all.contains(result.chunk)) << "computed twice";
      all[result.chunk] = result.integers;
    }
  }
  return all;
}

SweepRunResult run_in(const SweepWork& work, const std::filesystem::path& folder, Shard shard = {},
                      unsigned threads = 1, SweepRunOptions options = {},
                      const core::Progress& progress = {}) {
  open_work_folder(work.plan(), folder);
  options.folder = folder;
  return run_sweep(work, *shard_source(work, shard), options, {threads}, progress);
}

TEST(SweepRun, GivesTheSameChunksForAnyThreadsShardsAndInterruptions) {
  for (const Overrides& overrides : {Overrides{}, target}) {
    const SweepWork work = work_of(sampled, overrides);
    const tests::TemporaryFolder folder;
    EXPECT_EQ(run_in(work, folder / "serial").end, SweepEnd::done);
    const auto expected = content(work, folder / "serial");
    EXPECT_GE(expected.size(), work.plan().points());

    EXPECT_EQ(run_in(work, folder / "threads", {}, 2).end, SweepEnd::done);
    EXPECT_EQ(content(work, folder / "threads"), expected);

    for (std::uint32_t shard = 0; shard < 8; ++shard) {
      run_in(work, folder / "shards", {shard, 8}, 1 + shard % 2, {.segment_seconds = 0.0});
    }
    EXPECT_EQ(content(work, folder / "shards"), expected);

    std::size_t runs = 0;
    SweepRunResult result;
    std::uint64_t computed = 0;
    do {  // asked to stop a few units later each time
      result = run_in(work, folder / "stopped", {}, 2, {.segment_seconds = 1000.0},
                      [&](std::size_t done, std::size_t) {
                        if (done > 3 * runs) core::request_stop(SIGTERM);
                      });
      core::forget_stop();
      EXPECT_EQ(result.found, computed);
      computed += result.computed;
      ++runs;
    } while (result.end == SweepEnd::stopped && runs < 100);
    EXPECT_GT(runs, 2U);
    EXPECT_EQ(content(work, folder / "stopped"), expected);
    EXPECT_EQ(computed, expected.size());
  }
}

TEST(SweepRun, StopsInTheMiddleOfAPointAndGoesOnThere) {
  const SweepWork work = work_of(until_known, {target.front(), "table.trials=1e5"});
  const tests::TemporaryFolder folder;
  run_in(work, folder / "whole");
  const auto expected = content(work, folder / "whole");
  SweepRunResult result;
  std::size_t runs = 0;
  std::uint64_t computed = 0;
  double seconds = 0.02;
  do {  // a few chunks a run; on a slow machine preparing the point alone may take longer
    core::forget_stop();
    result = run_in(work, folder / "pieces", {}, 1, {.most_seconds = 1e-9});
    EXPECT_EQ(result.computed, 0U);
    EXPECT_EQ(result.why, "1e-09 s are over");
    result = run_in(work, folder / "pieces", {}, 1, {.most_seconds = seconds});
    if (result.computed == 0) seconds *= 2.0;
    computed += result.computed;
    ++runs;
  } while (result.end == SweepEnd::stopped && runs < 1000);
  EXPECT_EQ(result.end, SweepEnd::done);
  EXPECT_EQ(content(work, folder / "pieces"), expected);
  EXPECT_EQ(computed, expected.size());
}

TEST(SweepRun, ComputesNothingTwiceAndTellsHowItFared) {
  const SweepWork work = work_of(sampled);
  const tests::TemporaryFolder folder;
  EXPECT_EQ(run_in(work, folder / "f").computed, work.chunks());
  const SweepRunResult again = run_in(work, folder / "f", {}, 2);
  EXPECT_EQ(again.computed, 0U);
  EXPECT_EQ(again.found, work.chunks());
  const std::vector<WorkerRecord> records = worker_records(folder / "f");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records.front().state, WorkerState::finished);
  EXPECT_EQ(records.front().total_chunks, work.chunks());
  EXPECT_EQ(records.front().found, work.chunks());
}

TEST(SweepRun, RefusesTheFolderAndTheSegmentsOfAnotherSweep) {
  const SweepWork work = work_of(sampled);
  const SweepWork other = work_of(sampled, {"seed=8"});
  const SweepWork recut = work_of(sampled, {"sweep.chunk_trials=4096"});
  const tests::TemporaryFolder folder;
  run_in(work, folder / "f");
  for (const SweepWork* foreign : {&other, &recut}) {
    EXPECT_THROW(run_in(*foreign, folder / "f"), core::UsageError);
    open_work_folder(foreign->plan(), folder / "g");
    const std::filesystem::path segment = segment_files(folder / "f").front();
    const std::filesystem::path copy = folder / "g" / segment.filename();
    std::filesystem::copy_file(segment, copy);
    try {
      run_in(*foreign, folder / "g");
      FAIL();
    } catch (const core::DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(copy.string()));
    }
    std::filesystem::remove_all(folder / "g");
  }
  EXPECT_THROW(plan_of_folder(folder / "nowhere"), core::UsageError);
  EXPECT_EQ(plan_of_folder(folder / "f").sha256(), work.plan().sha256());
  EXPECT_EQ(plan_of_folder(folder / "f").settings().chunk_trials, 8192U);
}

TEST(SweepRun, MakesALostConfigurationOfTheFolderAgain) {
  const SweepWork work = work_of(sampled);
  const tests::TemporaryFolder folder;
  run_in(work, folder / "f");
  std::filesystem::remove(folder / "f/sweep.toml");
  EXPECT_EQ(run_in(work, folder / "f").computed, 0U);
  EXPECT_EQ(plan_of_folder(folder / "f").sha256(), work.plan().sha256());
  tests::write_bytes(folder / "f/sweep.toml", {'x'});
  EXPECT_THROW(run_in(work, folder / "f"), core::DataError);
  EXPECT_THROW(plan_of_folder(folder / "f"), core::DataError);
  std::filesystem::remove(folder / "f/sweep.toml");
  EXPECT_THROW(run_in(work_of(sampled, {"seed=8"}), folder / "f"), core::DataError);
}

TEST(SweepRun, RemovesTemporariesOfKilledWorkersAndOnlyThose) {
  const SweepWork work = work_of(sampled);
  const tests::TemporaryFolder folder;
  open_work_folder(work.plan(), folder / "f");
  tests::write_bytes(folder / "f/segment-00000000000-1-0123456789abcdef.h5.tmp", {'x'});
  core::AtomicFile alive(folder / "f/segment-alive.h5");
  open_work_folder(work.plan(), folder / "f");
  EXPECT_FALSE(std::filesystem::exists(folder / "f/segment-00000000000-1-0123456789abcdef.h5.tmp"));
  EXPECT_TRUE(std::filesystem::exists(folder / "f/segment-alive.h5.tmp"));
}

TEST(SweepRun, LosesNothingThatWasWrittenWhereTheFolderVanishes) {
  const SweepWork work = work_of(sampled);
  const tests::TemporaryFolder folder;
  open_work_folder(work.plan(), folder / "f");
  bool is_moved = false;
  EXPECT_THROW(run_in(work, folder / "f", {}, 1, {.segment_seconds = 0.0},
                      [&](std::size_t done, std::size_t) {
                        if (done < 3 || is_moved) return;
                        std::filesystem::rename(folder / "f", folder / "g");
                        is_moved = true;
                      }),
               core::Error);
  std::filesystem::rename(folder / "g", folder / "f");
  const SweepRunResult rest = run_in(work, folder / "f");
  EXPECT_GE(rest.found, 3U);
  EXPECT_EQ(rest.found + rest.computed, work.chunks());
}

/// A file system of so many bytes.
class SmallDisk {
 public:
  SmallDisk(std::filesystem::path folder, const std::string& size) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    is_there_ = ::mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0;
  }
  ~SmallDisk() {
    if (is_there_) ::umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  bool is_there() const { return is_there_; }
  bool grow(const std::string& size) const {
    return ::mount("tmpfs", folder_.c_str(), "tmpfs", MS_REMOUNT, ("size=" + size).c_str()) == 0;
  }

 private:
  std::filesystem::path folder_;
  bool is_there_ = false;
};

TEST(SweepRun, LosesOnlyWhatWasNotWrittenWhereTheDiskIsFull) {
  const tests::TemporaryFolder folder;
  const SmallDisk disk(folder / "disk", "80k");
  if (!disk.is_there()) GTEST_SKIP() << "a small file system needs the rights of root";
  const SweepWork work = work_of(sampled);
  run_in(work, folder / "roomy");
  const auto expected = content(work, folder / "roomy");
  const std::filesystem::path full = folder / "disk/f";
  std::string problem;
  try {
    run_in(work, full, {}, 2, {.segment_seconds = 0.0});
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), core::ExitCode::failure);
    problem = error.what();
  }
  EXPECT_THAT(problem, HasSubstr("No space left on device"));
  EXPECT_THAT(problem, HasSubstr("make room"));
  const auto kept = content(work, full);
  EXPECT_GE(kept.size(), 2U);
  EXPECT_LT(kept.size(), expected.size());
  ASSERT_TRUE(disk.grow("10m"));
  const SweepRunResult rest = run_in(work, full);
  EXPECT_EQ(rest.found, kept.size());
  EXPECT_EQ(rest.computed, expected.size() - kept.size());
  EXPECT_EQ(content(work, full), expected);
  for (const auto& entry : std::filesystem::directory_iterator(full)) {
    EXPECT_NE(entry.path().extension(), ".tmp");
  }
}

}  // namespace
}  // namespace cimstat::experiments
