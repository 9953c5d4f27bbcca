// The crossbar solver at the settings of the peers' figures: conductances uniform in 0.01 .. 1 of
// 1 / R_min, segments of 1e-4 R_min on both lines, all input lines driven, relative tolerance 1e-9.
// Set-up, one vector and a batch of vectors (on one thread, same factors) apart; each result is
// checked by Kirchhoff's laws at every node. Times are CPU times.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/random/random.h"

#include "circuits/wires/crossbar.h"

namespace {

namespace core = cimstat::core;
namespace circuits = cimstat::circuits;

constexpr double greatest_conductance = 1e-4;
constexpr double segment = 1.0;  // 1e-4 of 1 / greatest_conductance
constexpr double tolerance = 1e-9;
constexpr std::size_t batch = 16;

circuits::CrossbarDesign design_of(const benchmark::State& state) {
  return {.inputs = static_cast<std::size_t>(state.range(0)),
          .columns = static_cast<std::size_t>(state.range(1)),
          .supply = static_cast<circuits::Supply>(state.range(2)),
          .wires = {.supply_segment = segment, .column_segment = segment}};
}

std::vector<double> cells_of(const circuits::CrossbarDesign& design) {
  core::TrialRandom random({1, 0}, core::Domain::test, 0);
  std::vector<double> cells(design.inputs * design.columns);
  for (double& cell : cells) cell = greatest_conductance * (0.01 + 0.99 * random.uniform());
  return cells;
}

std::vector<double> inputs_of(const circuits::CrossbarDesign& design, std::size_t vectors) {
  core::TrialRandom random({1, 0}, core::Domain::test, 1);
  std::vector<double> inputs(design.inputs * vectors);
  for (double& input : inputs) {
    const double uniform = random.uniform();
    input = design.supply == circuits::Supply::input_line ? uniform : std::round(uniform);
  }
  return inputs;
}

/// The current that Kirchhoff's laws miss at the worst node, relative to the largest column
/// current.
double worst_node(const circuits::CrossbarDesign& design, std::span<const double> cells,
                  std::span<const double> inputs) {
  const auto all = circuits::Crossbar(design, cells).voltages(inputs, {.tolerance = tolerance});
  const bool is_gated = design.supply != circuits::Supply::input_line;
  double largest = 0.0;
  for (const double current : all.read.currents) largest = std::max(largest, std::abs(current));
  double worst = 0.0;
  const std::size_t columns = design.columns;
  for (std::size_t row = 0; row < design.inputs; ++row) {
    const double gate = is_gated ? inputs[row] : 1.0;
    for (std::size_t column = 0; column < columns; ++column) {
      const std::size_t at = row * columns + column;
      const double v = all.column[at];
      const double above = row == 0 ? v : all.column[at - columns];
      const double below = row + 1 == design.inputs ? 0.0 : all.column[at + columns];
      const double cell = gate * cells[at] * (all.supply[at] - v);
      worst = std::max(worst, std::abs(cell + (above - v + below - v) / segment));
    }
  }
  return worst / largest;
}

void check(benchmark::State& state, const circuits::CrossbarDesign& design,
           std::span<const double> cells, std::span<const double> inputs) {
  const double missed = worst_node(design, cells, inputs);
  state.counters["worst_node"] = missed;
  if (!(missed < 1e-7)) state.SkipWithError("Kirchhoff's current law does not hold");
}

void set_up(benchmark::State& state) {
  const auto design = design_of(state);
  const auto cells = cells_of(design);
  for (auto _ : state) {
    circuits::Crossbar crossbar(design, cells);
    benchmark::DoNotOptimize(crossbar);
  }
}

void one_vector(benchmark::State& state) {
  const auto design = design_of(state);
  const auto cells = cells_of(design);
  const auto inputs = inputs_of(design, 1);
  const circuits::Crossbar crossbar(design, cells);
  circuits::CrossbarRead read;
  for (auto _ : state) read = crossbar.read(inputs, {.tolerance = tolerance});
  state.counters["iterations"] = read.iterations;
  check(state, design, cells, inputs);
}

void batch_of_vectors(benchmark::State& state) {
  const auto design = design_of(state);
  const auto cells = cells_of(design);
  const auto inputs = inputs_of(design, batch);
  const circuits::Crossbar crossbar(design, cells);
  std::vector<circuits::CrossbarRead> reads;
  for (auto _ : state) reads = crossbar.read_all(inputs, {.tolerance = tolerance}, {1});
  state.counters["per_vector"] =
      benchmark::Counter(static_cast<double>(batch), benchmark::Counter::kIsIterationInvariantRate |
                                                         benchmark::Counter::kInvert);
  check(state, design, cells, std::span(inputs).last(design.inputs));
}

void sizes(benchmark::internal::Benchmark* all) {
  all->Unit(benchmark::kMillisecond)->ArgNames({"inputs", "columns", "supply"});
  for (const auto& [inputs, columns] : {std::pair{16, 16},
                                        {64, 64},
                                        {128, 64},
                                        {128, 128},
                                        {256, 64},
                                        {256, 256},
                                        {512, 256},
                                        {1152, 64}}) {
    all->Args({inputs, columns, 0});
  }
  all->Args({256, 256, 1})->Args({256, 256, 2});
}

BENCHMARK(set_up)->Apply(sizes);
BENCHMARK(one_vector)->Apply(sizes);
BENCHMARK(batch_of_vectors)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
