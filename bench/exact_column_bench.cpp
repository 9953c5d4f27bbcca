// The exact error table of a 128-row column with lognormal cells and logistic or Gaussian noise, 64
// codes. Targets (AVX-512 machine, one thread, CPU time): n = 128 alone (129 classes) in 10 ms, all
// n <= 128 (8,385 classes) in 0.7 s.

#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include <benchmark/benchmark.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

namespace cimstat::circuits {
namespace {

ColumnDesign lognormal_column(NoiseShape noise_shape) {
  ColumnDesign design;
  design.rows = 128;
  design.lrs = core::Law::lognormal(10.0, 0.1);
  design.hrs = core::Law::lognormal(0.5, 0.5);
  design.sense.noise_sd = 2.0;
  design.sense.noise_shape = noise_shape;
  design.ladder = uniform_ladder(design, 128, 64);
  return design;
}

std::vector<ColumnClass> all_classes(std::uint32_t first, std::uint32_t last) {
  std::vector<std::uint32_t> active_rows(last - first + 1);
  std::iota(active_rows.begin(), active_rows.end(), first);
  return classes_for(active_rows);
}

/// P(code 32 | k = 64, n = 128), the same by convolution in extended precision.
double known_probability(NoiseShape noise_shape) {
  return noise_shape == NoiseShape::logistic ? 0.4839047757320336 : 0.4839283844595121;
}

void run(benchmark::State& state, std::uint32_t first, NoiseShape noise_shape) {
  const ColumnDesign design = lognormal_column(noise_shape);
  const std::vector<ColumnClass> classes = all_classes(first, 128);
  const std::size_t wanted = classes.size() - 129 + 64;
  for (auto _ : state) {
    const auto exact = exact_probabilities(design, classes, {}, {1});
    const double found = exact.probability[wanted * design.ladder.codes + 32];
    if (!(std::abs(found - known_probability(noise_shape)) <= 1e-12)) {
      state.SkipWithError("wrong probability");
      break;
    }
  }
  state.counters["classes"] = static_cast<double>(classes.size());
}

void OneNumberOfActiveRows(benchmark::State& state, NoiseShape shape) { run(state, 128, shape); }
void AllNumbersOfActiveRows(benchmark::State& state, NoiseShape shape) { run(state, 0, shape); }

/// All classes with every row active, midpoint references: lognormal HRS and Gaussian noise.
ColumnDesign midpoint_column(std::uint32_t rows) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(10.0, 0.05);
  design.hrs = core::Law::lognormal(0.5, 0.5);
  design.sense.noise_sd = 2.0;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// P(code n / 2 | k = n / 2, n), the same by convolution in extended precision.
double known_middle(std::int64_t rows) {
  return rows == 32 ? 0.8751964579043807 : 0.2758158629583438;
}

void EveryRowActive(benchmark::State& state) {
  const auto rows = static_cast<std::uint32_t>(state.range(0));
  const ColumnDesign design = midpoint_column(rows);
  const std::vector<ColumnClass> classes = all_classes(rows, rows);
  for (auto _ : state) {
    const auto exact = exact_probabilities(design, classes, {}, {1});
    const double found = exact.probability[(rows / 2) * design.ladder.codes + rows / 2];
    if (!(std::abs(found - known_middle(rows)) <= 1e-12)) {
      state.SkipWithError("wrong probability");
      break;
    }
  }
  state.counters["classes"] = static_cast<double>(classes.size());
}
BENCHMARK(EveryRowActive)->Arg(32)->Arg(1024)->Unit(benchmark::kMillisecond);

BENCHMARK_CAPTURE(OneNumberOfActiveRows, logistic, NoiseShape::logistic)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(OneNumberOfActiveRows, gaussian, NoiseShape::gaussian)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(AllNumbersOfActiveRows, logistic, NoiseShape::logistic)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(AllNumbersOfActiveRows, gaussian, NoiseShape::gaussian)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace cimstat::circuits

BENCHMARK_MAIN();
