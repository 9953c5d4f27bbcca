// The column kernel beside its naive Boost.Random twin, on every instruction set that this CPU has.
// bench/ratios.py prints the ratios that count from the JSON output of one interleaved run.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/random/lognormal_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>

#include "core/law/law.h"
#include "core/law/quantile_table.h"
#include "core/random/random.h"
#include "core/simd.h"

#include "circuits/column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/column_kernel.h"
#include "circuits/sampled/prepared_column.h"
#include "circuits/sampled/sampled_column.h"

#include "bench/kernel_stages.h"

namespace {

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;

constexpr std::uint32_t rows = 128;
constexpr std::uint32_t codes = 64;
constexpr double lrs_sigma = 0.2;
constexpr double hrs_median = 0.1;
constexpr double hrs_sigma = 0.5;
constexpr std::uint64_t trials = 1024;  // an iteration

enum class Cells { lognormal, normal };

circuits::ColumnDesign design_of(Cells cells) {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(1.0, lrs_sigma);
  design.hrs = core::Law::lognormal(hrs_median, hrs_sigma);
  if (cells == Cells::normal) {
    design.lrs = core::Law::normal(design.lrs.mean(), design.lrs.sd());
    design.hrs = core::Law::normal(design.hrs.mean(), design.hrs.sd());
  }
  design.ladder = circuits::uniform_ladder(design, rows, codes);
  design.sense.noise_sd = 0.3 * (design.ladder.references[1] - design.ladder.references[0]);
  return design;
}

/// Mean code and its standard error.
struct MeanCode {
  double mean = 0.0;
  double error = 0.0;
};

MeanCode mean_code(const std::vector<std::uint64_t>& counts) {
  double total = 0.0;
  double sum = 0.0;
  double squares = 0.0;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const auto count = static_cast<double>(counts[code]);
    const auto value = static_cast<double>(code);
    total += count;
    sum += count * value;
    squares += count * value * value;
  }
  const double mean = sum / total;
  return {mean, std::sqrt((squares / total - mean * mean) / total)};
}

/// A column as one would write it with Boost.Random.
class NaiveColumn {
 public:
  NaiveColumn(Cells cells, std::uint32_t seed)
      : cells_(cells), design_(design_of(cells)), engine_(seed) {}

  void add(std::uint32_t lrs_count, std::uint64_t count, std::vector<std::uint64_t>& counts) {
    if (cells_ == Cells::lognormal) {
      add(boost::random::lognormal_distribution<double>(0.0, lrs_sigma),
          boost::random::lognormal_distribution<double>(std::log(hrs_median), hrs_sigma), lrs_count,
          count, counts);
    } else {
      add(boost::random::normal_distribution<double>(design_.lrs.mean(), design_.lrs.sd()),
          boost::random::normal_distribution<double>(design_.hrs.mean(), design_.hrs.sd()),
          lrs_count, count, counts);
    }
  }

 private:
  template <class Distribution>
  void add(Distribution lrs, Distribution hrs, std::uint32_t lrs_count, std::uint64_t count,
           std::vector<std::uint64_t>& counts) {
    boost::random::normal_distribution<double> noise(0.0, design_.sense.noise_sd);
    const std::vector<double>& references = design_.ladder.references;
    for (std::uint64_t trial = 0; trial < count; ++trial) {
      double current = 0.0;
      for (std::uint32_t row = 0; row < lrs_count; ++row) current += lrs(engine_);
      for (std::uint32_t row = lrs_count; row < rows; ++row) current += hrs(engine_);
      current += noise(engine_);
      const auto above = std::upper_bound(references.begin(), references.end(), current);
      ++counts[static_cast<std::size_t>(above - references.begin())];
    }
  }

  Cells cells_;
  circuits::ColumnDesign design_;
  boost::random::mt19937 engine_;
};

/// From a naive run, made once.
MeanCode expected(Cells cells, std::uint32_t lrs_count) {
  static std::map<std::pair<Cells, std::uint32_t>, MeanCode> known;
  const auto [entry, fresh] = known.try_emplace({cells, lrs_count});
  if (fresh) {
    NaiveColumn column(cells, 1);
    std::vector<std::uint64_t> counts(codes, 0);
    column.add(lrs_count, 100'000, counts);
    entry->second = mean_code(counts);
  }
  return entry->second;
}

/// A design with its tables, made once.
struct Prepared {
  Prepared(Cells cells, circuits::Summation summation)
      : design(design_of(cells)),
        column(design, classes, {.trials = 0, .key = {1, 0}, .summation = summation}, {}) {}

  std::array<circuits::ColumnClass, 2> classes{{{rows / 2 - 1, rows}, {rows / 2, rows}}};
  circuits::ColumnDesign design;
  circuits::PreparedColumn column;
};

const Prepared& prepared(Cells cells, circuits::Summation summation) {
  static std::map<std::pair<Cells, circuits::Summation>, Prepared> known;
  return known.try_emplace({cells, summation}, cells, summation).first->second;
}

/// Every result that was timed must agree with a naive run of its own.
void check(benchmark::State& state, const std::vector<std::uint64_t>& counts,
           const MeanCode& reference) {
  const MeanCode found = mean_code(counts);
  const double error = std::hypot(found.error, reference.error);
  if (!(std::abs(found.mean - reference.mean) < 6.0 * error)) {
    state.SkipWithError("mean code differs from the naive column's by more than 6 standard errors");
  }
}

void per_cell(benchmark::State& state, double count) {
  state.counters["per_cell"] = benchmark::Counter(
      count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void naive(benchmark::State& state, Cells cells) {
  NaiveColumn column(cells, 2);
  std::vector<std::uint64_t> counts(codes, 0);
  for (auto _ : state) column.add(rows / 2, trials, counts);
  check(state, counts, expected(cells, rows / 2));
  per_cell(state, trials * rows);
}

/// The kernel's inner loops, as sampled_counts calls them.
void kernel(benchmark::State& state, const std::string& target, Cells cells, core::Stream stream,
            circuits::Summation summation, std::uint32_t lrs_count) {
  core::use_simd_target(target);
  const circuits::PreparedColumn& column = prepared(cells, summation).column;
  circuits::ColumnProgram program = column.program({lrs_count, rows});
  program.stream = stream;
  const circuits::CodeSearch search = column.search({lrs_count, rows});
  std::vector<std::uint64_t> counts(codes, 0);
  std::uint64_t first = 0;
  for (auto _ : state) {
    circuits::sample_codes(program, search, {first, first + trials}, counts);
    first += trials;
  }
  check(state, counts, expected(cells, lrs_count));
  per_cell(state, trials * rows);
  core::use_simd_target("");
}

void stage(benchmark::State& state, const std::string& target, cimstat::bench::Stage which) {
  core::use_simd_target(target);
  cimstat::bench::KernelStages stages(rows);
  std::uint64_t tile = 0;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < trials / core::tile_trials; ++i) stages.run(which, tile++);
  }
  if (!stages.last_result_is_right(which)) state.SkipWithError("the stage's result is wrong");
  per_cell(state, trials * rows);
  core::use_simd_target("");
}

/// A job of at least 100 ms through the public interface; processor time of all threads.
void threads(benchmark::State& state) {
  const circuits::ColumnDesign design = design_of(Cells::lognormal);
  const circuits::ColumnClass column_class{rows / 2, rows};
  const MeanCode reference = expected(Cells::lognormal, rows / 2);
  std::vector<std::uint64_t> counts;
  for (auto _ : state) {
    counts = circuits::sampled_counts(design, {&column_class, 1},
                                      {.trials = std::uint64_t{1} << 21,
                                       .key = {.seed = 1, .point = 0},
                                       .stream = core::Stream::philox,
                                       .summation = circuits::Summation::per_cell},
                                      {static_cast<unsigned>(state.range(0))});
  }
  check(state, counts, reference);
}

void build_table(benchmark::State& state) {
  const core::Law law = core::Law::lognormal(1.0, lrs_sigma);
  for (auto _ : state) benchmark::DoNotOptimize(core::QuantileTable(law, 1.0, law.mean()));
}

void register_all() {
  using benchmark::RegisterBenchmark;
  RegisterBenchmark("naive/lognormal", naive, Cells::lognormal);
  RegisterBenchmark("naive/normal", naive, Cells::normal);
  const std::array streams{std::pair{"philox", core::Stream::philox},
                           std::pair{"fast", core::Stream::fast}};
  const auto per_cell_sums = circuits::Summation::per_cell;
  const auto block_sums = circuits::Summation::block_tables;
  for (const std::string& target : core::simd_targets()) {
    const auto name = [&target](const std::string& what) { return what + "/" + target; };
    for (const auto& [stream_name, stream] : streams) {
      const std::string of = std::string("/") + stream_name;
      RegisterBenchmark(name("kernel/lognormal" + of).c_str(), kernel, target, Cells::lognormal,
                        stream, per_cell_sums, rows / 2);
      RegisterBenchmark(name("kernel/normal" + of).c_str(), kernel, target, Cells::normal, stream,
                        per_cell_sums, rows / 2);
      // The worst case: 63 = 111111b, and 65 others.
      RegisterBenchmark(name("kernel/lognormal_63" + of).c_str(), kernel, target, Cells::lognormal,
                        stream, per_cell_sums, rows / 2 - 1);
      RegisterBenchmark(name("sums/lognormal_63" + of).c_str(), kernel, target, Cells::lognormal,
                        stream, block_sums, rows / 2 - 1);
      RegisterBenchmark(name("sums/normal" + of).c_str(), kernel, target, Cells::normal, stream,
                        block_sums, rows / 2);
    }
    RegisterBenchmark(name("stage/philox").c_str(), stage, target, cimstat::bench::Stage::philox);
    RegisterBenchmark(name("stage/fast").c_str(), stage, target, cimstat::bench::Stage::fast);
    RegisterBenchmark(name("stage/transform").c_str(), stage, target,
                      cimstat::bench::Stage::transform);
  }
  RegisterBenchmark("threads", threads)
      ->Arg(1)
      ->Arg(2)
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  RegisterBenchmark("build_table", build_table)->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  register_all();
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
