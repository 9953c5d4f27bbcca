#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>

#include "core/simd.h"

#include "circuits/references/references.h"

#include "experiments/inference/chip_reader.h"

/// CPU time of frozen chips. `image`: all weighted layers of a ResNet-20 for 32 x 32 images (7.47 M
/// partial sums), 4-bit two's complement weights, 4-bit activations of which half are 0, 128 word
/// lines; packing and noise included. `sense`: normal sense noise; `cells`: read noise of each cell
/// too. `draw`: a chip of it. The naive twin adds up the currents of the active rows of one column
/// after another in a loop, and asks boost::random for the noise. All must find the errors that
/// offset, noise and rounding make.
namespace cimstat::experiments {
namespace {

constexpr std::uint32_t rows = 128;
constexpr std::uint32_t bits = 4;
constexpr double current = 8e-6;
constexpr double offset_sd = 0.3;  ///< in LRS currents
constexpr double noise_sd = 0.4;

enum class Noise { sense, cells };

circuits::ColumnDesign bench_design(Noise noise) {
  core::Component lrs;
  lrs.base = core::LogNormal{current, 0.02};
  lrs.relative_noise = noise == Noise::cells ? 0.02 : 0.0;
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law({lrs});
  design.hrs = core::Law::lognormal(0.001 * current, 0.1);
  design.sense = {.offset_sd = offset_sd * current, .noise_sd = noise_sd * current};
  design.ladder = circuits::midpoint_ladder(design, rows);
  return design;
}

struct Place {
  Layer layer;
  MapShape input;
};

Place place(std::uint32_t outputs, std::uint32_t inputs, std::uint32_t size, std::uint32_t stride,
            std::uint32_t kernel, std::mt19937& random) {
  Layer layer;
  layer.name = "bench";
  layer.kind = LayerKind::convolution;
  layer.kernel = kernel;
  layer.stride = stride;
  layer.padding = kernel / 2;
  layer.weight_bits = bits;
  layer.weight_shape = {outputs, inputs, kernel, kernel};
  for (std::uint32_t i = 0; i < outputs * inputs * kernel * kernel; ++i) {
    layer.weight.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 16) - 8));
  }
  return {layer, {inputs, size, size}};
}

/// 3 -> 16, three stages of three blocks of two convolutions, 64 -> 10.
std::vector<Place> resnet20() {
  std::mt19937 random(1);
  std::vector<Place> places{place(16, 3, 32, 1, 3, random)};
  std::uint32_t channels = 16;
  for (std::uint32_t stage = 0; stage < 3; ++stage) {
    for (std::uint32_t i = 0; i < 6; ++i) {
      const bool reduces = stage > 0 && i == 0;
      const std::uint32_t outputs = 16U << stage;
      places.push_back(place(outputs, channels, reduces ? 64U >> stage : 32U >> stage,
                             reduces ? 2 : 1, 3, random));
      channels = outputs;
    }
  }
  places.push_back(place(10, 64, 1, 1, 1, random));
  return places;
}

std::vector<std::uint8_t> random_map(std::size_t size) {
  std::mt19937 random(2);
  std::vector<std::uint8_t> map(size);
  for (std::uint8_t& value : map) {
    value = static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : random() % 16);
  }
  return map;
}

struct Bench {
  explicit Bench(Noise noise) : design(bench_design(noise)) {
    std::uint64_t first_batch = 0;
    for (const Place& one : resnet20()) {
      const auto index = static_cast<std::uint32_t>(layers.size());
      layers.emplace_back(one.layer, one.input, bits, ArrayOptions{.rows = rows}, index, 0);
      maps.push_back(random_map(one.input.size()));
      chip.places[index] = {draw_chip_layer(design, layers.back(), {1}, 0, {1}), first_batch};
      first_batch += layers.back().batches() * 8;
      partial_sums += layers.back().partial_sums();
      estimates.emplace_back(one.layer.weight_shape[0] * layers.back().geometry().pixels());
    }
  }

  ChipDesign design;
  std::vector<ColumnLayer> layers;
  std::vector<std::vector<std::uint8_t>> maps;
  std::vector<std::vector<double>> estimates;
  ChipNetwork chip;
  std::uint64_t partial_sums = 0;
};

/// Mean square of estimate - exact of a layer of 64 channels, against what offset, noise and
/// rounding make of five tiles: the offset of a column is in all its activation planes.
std::string check(const Bench& bench) {
  constexpr std::size_t layer = 18;
  IdealCodes ideal;
  ColumnLayer::Workspace workspace = bench.layers[layer].workspace();
  std::vector<double> exact(bench.estimates[layer].size());
  bench.layers[layer].estimate(bench.maps[layer], SourcedCodes{&ideal}, {}, workspace, exact);
  double square = 0.0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double error = bench.estimates[layer][i] - exact[i];
    square += error * error;
  }
  square /= static_cast<double>(exact.size());
  const double expected =
      5.0 * 85.0 * (225.0 * offset_sd * offset_sd + 85.0 * (noise_sd * noise_sd + 1.0 / 12.0));
  return std::abs(square / expected - 1.0) > 0.25 ? "wrong errors" : "";
}

void image(benchmark::State& state, Noise noise, core::Stream stream, const std::string& target) {
  core::use_simd_target(target);
  Bench bench(noise);
  ChipReader reader(bench.design, stream);
  reader.use(bench.chip);
  std::uint64_t read = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < bench.layers.size(); ++i) {
      reader.estimate(bench.layers[i], bench.maps[i], {{1}, chip_read_instance(0, read)},
                      bench.estimates[i]);
    }
    ++read;
    benchmark::DoNotOptimize(bench.estimates.data());
  }
  const std::string problem = check(bench);
  if (!problem.empty()) state.SkipWithError(problem.c_str());
  state.counters["images"] = benchmark::Counter(1.0, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(bench.partial_sums),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  core::use_simd_target("");
}

void draw(benchmark::State& state) {
  const Bench bench(Noise::cells);
  std::uint32_t chip = 0;
  float last = 0.0f;
  for (auto _ : state) {
    for (const ColumnLayer& layer : bench.layers) {
      const ChipLayer drawn = draw_chip_layer(bench.design, layer, {1}, chip % 16, {1});
      last = drawn.cells.front();
    }
    ++chip;
    benchmark::DoNotOptimize(last);
  }
  if (!(last > -1.0f && last < 2.0f)) state.SkipWithError("wrong cells");
}

/// Reads of columns of 128 rows with offsets of their own, the obvious way.
void naive(benchmark::State& state, Noise noise) {
  boost::random::mt19937 random(1);
  boost::random::normal_distribution<float> normal;
  constexpr std::size_t columns = 64;
  constexpr float relative_noise = 0.02f;
  const float cell_noise = noise == Noise::cells ? relative_noise : 0.0f;
  std::vector<float> cells(columns * rows);
  for (float& cell : cells) cell = random() % 2 == 0 ? 1.0f + 0.02f * normal(random) : 0.0f;
  std::vector<float> offset(columns);
  double expected = noise_sd * noise_sd + 1.0 / 12.0;
  for (float& one : offset) {
    one = static_cast<float>(offset_sd) * normal(random);
    expected += static_cast<double>(one * one) / columns;
  }
  std::vector<std::uint8_t> active(rows);
  double square = 0.0;
  std::uint64_t reads = 0;
  for (auto _ : state) {
    for (std::uint8_t& row : active) row = static_cast<std::uint8_t>(random() % 4 == 0);
    for (std::size_t column = 0; column < columns; ++column) {
      float sum = 0.0f;
      float variance = static_cast<float>(noise_sd * noise_sd);
      for (std::size_t row = 0; row < rows; ++row) {
        if (active[row] == 0) continue;
        const float cell = cells[column * rows + row];
        sum += cell;
        if (noise == Noise::cells) variance += cell_noise * cell_noise * cell * cell;
      }
      const float sensed = sum + offset[column] + std::sqrt(variance) * normal(random);
      std::uint32_t code = 0;
      while (code < rows && static_cast<float>(code) + 0.5f <= sensed) ++code;
      const double error = static_cast<double>(code) - static_cast<double>(sum);
      square += error * error;
      ++reads;
    }
  }
  // Offset and noise together spread over a whole step: rounding adds its 1/12. (Noise alone does
  // not, next to sums that are nearly whole.)
  const auto count = static_cast<double>(reads);
  if (std::abs(square / count / expected - 1.0) > 0.1 + 5.0 * std::sqrt(2.0 / count)) {
    state.SkipWithError("wrong errors");
  }
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(columns),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void register_all() {
  for (const auto& [noise, name] :
       {std::pair(Noise::sense, "sense"), std::pair(Noise::cells, "cells")}) {
    benchmark::RegisterBenchmark(("chip/naive/" + std::string(name)).c_str(), naive, noise);
    for (const std::string& target : core::simd_targets()) {
      for (const auto& [stream, stream_name] :
           {std::pair(core::Stream::philox, "philox"), std::pair(core::Stream::fast, "fast")}) {
        benchmark::RegisterBenchmark(
            ("chip/image/" + std::string(name) + "/" + stream_name + "/" + target).c_str(), image,
            noise, stream, target)
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
  benchmark::RegisterBenchmark("chip/draw", draw)->Unit(benchmark::kMillisecond);
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
