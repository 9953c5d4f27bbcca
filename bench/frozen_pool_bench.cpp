// A frozen pool of columns under many input patterns beside naive reads that each draw their own
// cells with Boost.Random: 512 columns x 128 rows x 256 patterns, noise and converter in both, the
// drawing of the pool's cells included. bench/ratios.py prints the ratios from the JSON output of
// one interleaved run.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/random/lognormal_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>

#include "core/law/law.h"
#include "core/random/random.h"
#include "core/simd.h"
#include "core/statistics/statistics.h"

#include "circuits/column.h"
#include "circuits/columns/frozen_pool.h"
#include "circuits/columns/input_pattern.h"
#include "circuits/columns/pool_rates.h"
#include "circuits/references/references.h"

namespace {

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;

constexpr std::uint32_t rows = 128;
constexpr std::uint32_t lrs_cells = 64;
constexpr std::uint32_t codes = 64;
constexpr std::uint64_t columns = 512;
constexpr std::size_t patterns = 256;
constexpr double lrs_sigma = 0.2;
constexpr double hrs_median = 0.1;
constexpr double hrs_sigma = 0.5;
constexpr std::uint64_t naive_reads = 1024;  // an iteration
constexpr circuits::ColumnClass column_class{lrs_cells, rows};

circuits::ColumnDesign make_design() {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(1.0, lrs_sigma);
  design.hrs = core::Law::lognormal(hrs_median, hrs_sigma);
  design.ladder = circuits::uniform_ladder(design, rows, codes);
  design.sense.noise_sd = 0.3 * (design.ladder.references[1] - design.ladder.references[0]);
  return design;
}

/// All rows active; each pattern has 64 random cells in LRS.
circuits::PatternSet make_patterns() {
  circuits::PatternSet set{.rows = rows, .classes = {column_class}, .patterns = {}};
  for (std::size_t p = 0; p < patterns; ++p) {
    core::TrialRandom random({1, 0}, core::Domain::test, p);
    circuits::InputPattern pattern{circuits::RowBits(rows), circuits::RowBits(rows), 0};
    std::array<std::uint32_t, rows> order;
    for (std::uint32_t row = 0; row < rows; ++row) {
      pattern.active.set(row);
      order[row] = row;
    }
    for (std::uint32_t i = 0; i < lrs_cells; ++i) {
      std::swap(order[i], order[i + random() % (rows - i)]);
      pattern.lrs.set(order[i]);
    }
    set.patterns.push_back(std::move(pattern));
  }
  return set;
}

struct Rate {
  double mean = 0.0;
  double error = 0.0;
};

/// A read as one would write it with Boost.Random.
class NaiveReads {
 public:
  explicit NaiveReads(std::uint32_t seed) : engine_(seed) {}

  /// How many of so many reads are misread; the codes are counted too.
  std::uint64_t read(std::uint64_t count, std::vector<std::uint64_t>& counts) {
    boost::random::lognormal_distribution<double> lrs(0.0, lrs_sigma);
    boost::random::lognormal_distribution<double> hrs(std::log(hrs_median), hrs_sigma);
    boost::random::normal_distribution<double> noise(0.0, design_.sense.noise_sd);
    const std::vector<double>& references = design_.ladder.references;
    const std::uint32_t ideal = design_.ladder.ideal_code(lrs_cells);
    std::uint64_t misread = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      double current = 0.0;
      for (std::uint32_t row = 0; row < lrs_cells; ++row) current += lrs(engine_);
      for (std::uint32_t row = lrs_cells; row < rows; ++row) current += hrs(engine_);
      current += noise(engine_);
      const auto above = std::upper_bound(references.begin(), references.end(), current);
      const auto code = static_cast<std::size_t>(above - references.begin());
      ++counts[code];
      misread += code != ideal;
    }
    return misread;
  }

 private:
  circuits::ColumnDesign design_ = make_design();
  boost::random::mt19937 engine_;
};

Rate rate_of(std::uint64_t misread, std::uint64_t reads) {
  const double p = static_cast<double>(misread) / static_cast<double>(reads);
  return {p, std::sqrt(p * (1.0 - p) / static_cast<double>(reads))};
}

const Rate& expected() {
  static const Rate rate = [] {
    constexpr std::uint64_t reads = 100'000;
    std::vector<std::uint64_t> counts(codes, 0);
    return rate_of(NaiveReads(1).read(reads, counts), reads);
  }();
  return rate;
}

/// Every result that was timed must agree with a naive run of its own.
void check(benchmark::State& state, const Rate& found) {
  if (!(std::abs(found.mean - expected().mean) < 6.0 * std::hypot(found.error, expected().error))) {
    state.SkipWithError("misread rate differs from the naive one by more than 6 standard errors");
  }
}

void naive(benchmark::State& state) {
  NaiveReads reads(2);
  std::vector<std::uint64_t> counts(codes, 0);
  std::uint64_t misread = 0;
  for (auto _ : state) misread += reads.read(naive_reads, counts);
  check(state, rate_of(misread, naive_reads * static_cast<std::uint64_t>(state.iterations())));
  state.counters["reads"] = static_cast<double>(naive_reads);
}

/// Errors from columns: the patterns of a column share its cells.
void pool(benchmark::State& state, const std::string& target) {
  core::use_simd_target(target);
  static const circuits::FrozenPool frozen(make_design(), make_patterns(),
                                           {.columns = columns, .key = {1, 0}}, {});
  circuits::PoolCounts counts;
  for (auto _ : state) counts = circuits::sampled_reads(frozen, 1, {1});
  core::Moments moments;
  for (const std::uint64_t misread : counts.misread) {
    moments.add(static_cast<double>(misread) / patterns);
  }
  check(state, {moments.mean(), moments.standard_error()});
  state.counters["reads"] = static_cast<double>(columns * patterns);
  core::use_simd_target("");
}

/// The same with the noise integrated: the rate of each column, exact for its cells.
void integrated(benchmark::State& state) {
  static const circuits::FrozenPool frozen(make_design(), make_patterns(),
                                           {.columns = columns, .key = {1, 0}}, {});
  circuits::ColumnRates rates;
  for (auto _ : state) rates = circuits::integrated_rates(frozen, 3, {1});
  core::Moments moments;
  for (const double rate : rates.misread) moments.add(rate);
  check(state, {moments.mean(), moments.standard_error()});
  state.counters["reads"] = static_cast<double>(columns * patterns);
}

/// What is done once for a design: tables of quantiles.
void prepare(benchmark::State& state) {
  const circuits::PatternSet set = make_patterns();
  for (auto _ : state) {
    benchmark::DoNotOptimize(circuits::FrozenPool(make_design(), set, {.columns = columns}, {1}));
  }
}

}  // namespace

int main(int argc, char** argv) {
  using benchmark::RegisterBenchmark;
  benchmark::Initialize(&argc, argv);
  RegisterBenchmark("read/naive", naive)->Unit(benchmark::kMillisecond);
  for (const std::string& target : core::simd_targets()) {
    RegisterBenchmark(("read/pool/" + target).c_str(), pool, target)->Unit(benchmark::kMillisecond);
  }
  RegisterBenchmark("read/integrated", integrated)->Unit(benchmark::kMillisecond);
  RegisterBenchmark("prepare/pool", prepare)->Unit(benchmark::kMillisecond);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
