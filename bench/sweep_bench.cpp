// What a sweep costs besides what it computes. Aims: bookkeeping and output of 1e5 points in 25 us
// of processor time a point (checking the configuration of every point apart), and 5 % of the whole
// at 1e5 trials a class. Each point is a table of 33 classes and 33 codes.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/config/config.h"

#include "experiments/sweep/segment_file.h"
#include "experiments/sweep/sweep_file.h"
#include "experiments/sweep/sweep_merge.h"
#include "experiments/sweep/sweep_run.h"
#include "experiments/sweep/work_folder.h"

namespace cimstat::experiments {
namespace {

std::string sweep_text(std::uint64_t points, std::uint64_t trials, std::string_view output) {
  return R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "100 uS"
sigma = 0.1
[cell.hrs]
distribution = "lognormal"
median = "5 uS"
sigma = 0.3
[column]
rows = 32
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1 uA"
[converter]
references = "midpoint"
[table]
method = "monte_carlo"
active_rows = [32]
trials = )" +
         std::to_string(trials) + R"(
[sweep]
outputs = [")" +
         std::string(output) + R"("]
[sweep.axis.sigma]
key = "cell.lrs.sigma"
from = 0.05
to = 0.15
count = )" +
         std::to_string(points) + "\n";
}

SweepWork work_of(std::uint64_t points, std::uint64_t trials, std::string_view output = "table") {
  return {read_sweep_plan(core::Config::from_text(sweep_text(points, trials, output), "bench")),
          {},
          {1}};
}

class Folder {
 public:
  Folder() {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("cimstat-sweep-bench-" + std::to_string(::getpid()));
};

void per_point(benchmark::State& state, std::uint64_t points) {
  state.counters["per_point"] = benchmark::Counter(
      static_cast<double>(points),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void CheckingEveryPoint(benchmark::State& state) {
  const auto points = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    const SweepWork work = work_of(points, 100'000);
    if (work.units() != points) state.SkipWithError("wrong number of points");
  }
  per_point(state, points);
}

/// Everything but computing: chunks come ready-made.
void WritingAndMerging(benchmark::State& state, std::string_view output) {
  const auto points = static_cast<std::uint64_t>(state.range(0));
  constexpr std::uint64_t chunks_per_segment = 4096;
  const SweepWork work = work_of(points, 100'000, output);
  const ChunkResult model = work.compute(0, {}, {1});
  for (auto _ : state) {
    const Folder folder;
    open_work_folder(work.plan(), folder.path());
    for (std::uint64_t first = 0; first < points; first += chunks_per_segment) {
      std::vector<ChunkResult> results;
      for (std::uint64_t i = first; i < std::min(first + chunks_per_segment, points); ++i) {
        results.push_back(model);
        results.back().chunk = i;
      }
      write_segment(work, std::move(results), folder.path());
    }
    const std::filesystem::path file = folder.path() / "result.h5";
    merge_sweep(work, folder.path(), file, MergeKind::copy, {1});
    state.counters["bytes_per_point"] =
        static_cast<double>(std::filesystem::file_size(file)) / static_cast<double>(points);
    state.PauseTiming();
    if (read_sweep_file(file).points() != points) state.SkipWithError("wrong result");
    state.ResumeTiming();
  }
  per_point(state, points);
}

constexpr std::uint64_t few_points = 16;

void ChunksAlone(benchmark::State& state) {
  const SweepWork work = work_of(few_points, 100'000);
  for (auto _ : state) {
    for (std::uint64_t chunk = 0; chunk < work.chunks(); ++chunk) {
      benchmark::DoNotOptimize(work.compute(chunk, {}, {1}));
    }
  }
  per_point(state, few_points);
}

void ChunksInASweep(benchmark::State& state) {
  for (auto _ : state) {
    const Folder folder;
    const SweepWork work = work_of(few_points, 100'000);
    open_work_folder(work.plan(), folder.path());
    const auto source = shard_source(work, {});
    run_sweep(work, *source, {.folder = folder.path()}, {1});
    const std::filesystem::path file = folder.path() / "result.h5";
    merge_sweep(work, folder.path(), file, MergeKind::copy, {1});
    if (read_sweep_file(file).points() != few_points) state.SkipWithError("wrong result");
  }
  per_point(state, few_points);
}

BENCHMARK(CheckingEveryPoint)->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WritingAndMerging, tables, "table")
    ->Arg(1000)
    ->Arg(100'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(WritingAndMerging, misreads, "misread")
    ->Arg(1000)
    ->Arg(100'000)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(ChunksAlone)->Unit(benchmark::kMillisecond);
BENCHMARK(ChunksInASweep)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cimstat::experiments

BENCHMARK_MAIN();
