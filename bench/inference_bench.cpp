#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/random/discrete_distribution.hpp>
#include <boost/random/mersenne_twister.hpp>

#include "core/simd.h"

#include "circuits/error_table.h"

#include "bench/naive_layers.h"
#include "experiments/inference/column_layer.h"

/// CPU time per partial sum of a layer like ResNet-20's last stage (64 channels, 3 x 3 kernel: 576
/// inputs), 4-bit two's complement weights, 4-bit activations, 128 word lines, a code sampled for
/// each partial sum; packing of the activations included. `partial_sum`: all rows of a tile active,
/// so that the table's rows of one n suffice, as in the naive twin. `mixed`: random activations, so
/// that those of some forty n compete for the first-level cache. The naive twin counts 0/1 bytes in
/// a loop and asks boost::random::discrete_distribution for each code. All must find the noise that
/// the table holds.
namespace cimstat::experiments {
namespace {

constexpr std::uint32_t rows = 128;
constexpr std::uint32_t channels = 64;
constexpr double misread = 0.07;  ///< P(k - 1), and P(k + 1) likewise

Layer bench_layer() {
  Layer layer;
  layer.name = "bench";
  layer.kind = LayerKind::convolution;
  layer.kernel = 3;
  layer.weight_bits = bits;
  layer.weight_shape = {channels, channels, 3, 3};
  std::mt19937 random(1);
  for (std::uint32_t i = 0; i < channels * channels * 9; ++i) {
    layer.weight.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 16) - 8));
  }
  return layer;
}

constexpr MapShape input_shape{channels, 10, 10};
constexpr std::size_t pixels = 64;

enum class Activations { full, random };

std::vector<std::uint8_t> bench_map(Activations activations) {
  std::mt19937 random(2);
  std::vector<std::uint8_t> map(input_shape.size(), 15);
  if (activations == Activations::full) return map;
  for (std::uint8_t& value : map) value = static_cast<std::uint8_t>(random() % 16);
  return map;
}

/// Mean and variance of estimate - exact over all sums of the layer, against what independent
/// misreads of +-1 give: 0 and 2 misread sum 4^(i + j) for each tile.
std::string check(const std::vector<double>& estimates, const std::vector<double>& exact) {
  double mean = 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = estimates[i] - exact[i];
    mean += error;
    square += error * error;
  }
  const auto count = static_cast<double>(exact.size());
  mean /= count;
  square /= count;
  const double expected = 2.0 * misread * 5.0 * 85.0 * 85.0;
  if (std::abs(mean) > 5.0 * std::sqrt(expected / count)) return "wrong mean";
  // Excess kurtosis is small beside 2.
  if (std::abs(square / expected - 1.0) > 5.0 * std::sqrt(3.0 / count)) {
    return "wrong variance";
  }
  return {};
}

std::vector<double> ideal_sums(const ColumnLayer& layer, const std::vector<std::uint8_t>& map) {
  IdealCodes ideal;
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> sums(channels * pixels);
  layer.estimate(map, SourcedCodes{&ideal}, {}, workspace, sums);
  return sums;
}

void sampled(benchmark::State& state, core::Stream stream, Activations activations,
             const std::string& target) {
  core::use_simd_target(target);
  const CodeSampler sampler(bench_table(rows, misread));
  const ColumnLayer layer(bench_layer(), input_shape, bits, {.rows = rows}, 1, 0);
  const std::vector<std::uint8_t> map = bench_map(activations);
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> estimates(channels * pixels);
  std::uint64_t instance = 0;
  for (auto _ : state) {
    layer.estimate(map, SampledCodes{&sampler, stream}, {{1}, instance++}, workspace, estimates);
    benchmark::DoNotOptimize(estimates.data());
  }
  const std::string problem = check(estimates, ideal_sums(layer, map));
  if (!problem.empty()) state.SkipWithError(problem.c_str());
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(layer.partial_sums()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  core::use_simd_target("");
}

void ideal(benchmark::State& state, const std::string& target) {
  core::use_simd_target(target);
  const ColumnLayer layer(bench_layer(), input_shape, bits, {.rows = rows}, 1, 0);
  const std::vector<std::uint8_t> map = bench_map(Activations::full);
  IdealCodes codes;
  ColumnLayer::Workspace workspace = layer.workspace();
  std::vector<double> sums(channels * pixels);
  for (auto _ : state) {
    layer.estimate(map, SourcedCodes{&codes}, {}, workspace, sums);
    benchmark::DoNotOptimize(sums.data());
  }
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(layer.partial_sums()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  core::use_simd_target("");
}

/// One output pixel of the same layer, the obvious way.
void naive(benchmark::State& state) {
  const circuits::ErrorTable table = bench_table(rows, misread);
  std::vector<boost::random::discrete_distribution<int>> law;
  const std::size_t first = *table.find({0, rows});
  for (std::size_t k = 0; k <= rows; ++k) {
    law.emplace_back(table.row(first + k), table.row(first + k) + table.codes);
  }
  boost::random::mt19937 random(1);
  constexpr std::size_t tiles = 4;
  const Layer layer = bench_layer();
  // cells[plane][output][input], active[plane][input]
  std::vector<std::uint8_t> cells(bits * channels * tiles * rows);
  std::vector<std::uint8_t> active(bits * tiles * rows);
  std::mt19937 pattern(3);
  for (std::uint8_t& a : active) a = static_cast<std::uint8_t>(pattern() & 1);
  for (std::size_t plane = 0; plane < bits; ++plane) {
    for (std::size_t output = 0; output < channels; ++output) {
      for (std::size_t input = 0; input < tiles * rows; ++input) {
        cells[(plane * channels + output) * tiles * rows + input] =
            static_cast<std::uint8_t>((layer.weight[output * 576 + input] >> plane) & 1);
      }
    }
  }
  double mean = 0.0;
  double square = 0.0;
  std::uint64_t count = 0;
  for (auto _ : state) {
    for (std::size_t output = 0; output < channels; ++output) {
      int sum = 0;
      int ideal_sum = 0;
      for (std::size_t tile = 0; tile < tiles; ++tile) {
        for (std::size_t i = 0; i < bits; ++i) {
          for (std::size_t j = 0; j < bits; ++j) {
            const std::uint8_t* x = active.data() + (i * tiles + tile) * rows;
            const std::uint8_t* w = cells.data() + ((j * channels + output) * tiles + tile) * rows;
            int k = 0;
            for (std::size_t row = 0; row < rows; ++row) k += x[row] & w[row];
            const int code = law[static_cast<std::size_t>(k)](random);
            const int unit = j + 1 == bits ? -(1 << (i + j)) : 1 << (i + j);
            sum += unit * code;
            ideal_sum += unit * k;
          }
        }
      }
      const double error = sum - ideal_sum;
      mean += error;
      square += error * error;
      ++count;
    }
    benchmark::DoNotOptimize(square);
  }
  const double expected = 2.0 * misread * tiles * 85.0 * 85.0;
  const auto sums = static_cast<double>(count);
  if (std::abs(mean / sums) > 5.0 * std::sqrt(expected / sums)) state.SkipWithError("wrong mean");
  if (std::abs(square / sums / expected - 1.0) > 5.0 * std::sqrt(3.0 / sums)) {
    state.SkipWithError("wrong variance");
  }
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(channels * tiles * bits * bits),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void register_all() {
  benchmark::RegisterBenchmark("partial_sum/naive", naive);
  for (const std::string& target : core::simd_targets()) {
    benchmark::RegisterBenchmark(("partial_sum/ideal/" + target).c_str(), ideal, target);
    for (const auto& [stream, name] :
         {std::pair(core::Stream::philox, "/philox/"), std::pair(core::Stream::fast, "/fast/")}) {
      benchmark::RegisterBenchmark(("partial_sum" + (name + target)).c_str(), sampled, stream,
                                   Activations::full, target);
      benchmark::RegisterBenchmark(("mixed" + (name + target)).c_str(), sampled, stream,
                                   Activations::random, target);
    }
  }
}

}  // namespace
}  // namespace cimstat::experiments

int main(int argc, char** argv) {
  cimstat::experiments::register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
