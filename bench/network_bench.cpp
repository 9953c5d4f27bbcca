#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include "core/simd.h"

#include "bench/naive_layers.h"
#include "experiments/inference/forward_pass.h"

/// Whole networks, one image at a time on one thread: everything from pixels to the class, a code
/// sampled for each partial sum by a table of all (k, n). `resnet20` and `resnet18` have the shapes
/// of He et al.'s networks for 32 x 32 images, 4-bit two's complement weights and 4-bit
/// activations, 128 word lines. `layer/...` are the layers that ASiM was timed with: 255 rows, 4
/// bits each. Weights and images are random. The naive twin counts 0/1 bytes in a loop and asks
/// boost::random::discrete_distribution for each code, in arithmetic that is otherwise the same.
/// Without misreads both must give the logits of exact integers.
namespace cimstat::experiments {
namespace {

constexpr double misread = 0.07;  ///< P(k - 1), and P(k + 1) likewise

const CodeSampler& sampler_of(std::uint32_t rows) {
  static const CodeSampler of_128(bench_table(128, misread));
  static const CodeSampler of_255(bench_table(255, misread));
  return rows == 128 ? of_128 : of_255;
}

class NetworkMaker {
 public:
  explicit NetworkMaker(std::array<std::uint32_t, 3> input) {
    network_.name = "bench";
    network_.input_shape = input;
    network_.input_bits = bits;
  }

  /// Weights of both signs alike, scaled so that levels are spread around the middle.
  std::string weighted(LayerKind kind, const std::string& from, std::uint32_t inputs,
                       std::uint32_t outputs, std::uint32_t kernel, std::uint32_t stride,
                       unsigned output_bits) {
    Layer layer = named(kind, {from});
    if (kind == LayerKind::convolution) {
      layer.kernel = kernel;
      layer.stride = stride;
      layer.padding = kernel / 2;
    }
    layer.weight_bits = bits;
    layer.weight_shape = {outputs, inputs, kernel, kernel};
    const std::uint32_t columns = inputs * kernel * kernel;
    for (std::uint32_t i = 0; i < outputs * columns; ++i) {
      layer.weight.push_back(static_cast<std::int8_t>(static_cast<int>(random_() % 15) - 7));
    }
    layer.scale.assign(outputs, 0.1 / std::sqrt(columns));
    layer.bias.assign(outputs, 4.0);
    return add(std::move(layer), output_bits);
  }

  std::string sum(const std::string& a, const std::string& b) {
    Layer layer = named(LayerKind::add, {a, b});
    layer.scale = {0.5, 0.5};
    layer.bias = {0.0};
    return add(std::move(layer), bits);
  }

  std::string mean(const std::string& from, std::uint32_t side) {
    Layer layer = named(LayerKind::average_pool, {from});
    layer.kernel = side;
    layer.stride = side;
    layer.scale = {1.0 / (side * side)};
    layer.bias = {0.0};
    return add(std::move(layer), bits);
  }

  const Network& network() const { return network_; }

 private:
  Layer named(LayerKind kind, std::vector<std::string> inputs) {
    Layer layer;
    layer.name = std::to_string(network_.layers.size());
    layer.kind = kind;
    layer.inputs = std::move(inputs);
    return layer;
  }
  std::string add(Layer layer, unsigned output_bits) {
    layer.output_bits = output_bits;
    network_.layers.push_back(std::move(layer));
    return network_.layers.back().name;
  }

  Network network_;
  std::mt19937 random_{1};
};

/// `blocks` pairs of convolutions at each width, of which the first one after a change of width
/// moves by two.
Network residual(std::uint32_t blocks, const std::vector<std::uint32_t>& widths) {
  NetworkMaker maker({3, 32, 32});
  std::string x = maker.weighted(LayerKind::convolution, "input", 3, widths[0], 3, 1, bits);
  std::uint32_t width = widths[0];
  for (const std::uint32_t next : widths) {
    for (std::uint32_t block = 0; block < blocks; ++block) {
      const std::uint32_t stride = next != width ? 2 : 1;
      const std::string first =
          maker.weighted(LayerKind::convolution, x, width, next, 3, stride, bits);
      const std::string second =
          maker.weighted(LayerKind::convolution, first, next, next, 3, 1, bits);
      if (next != width) x = maker.weighted(LayerKind::convolution, x, width, next, 1, 2, bits);
      x = maker.sum(second, x);
      width = next;
    }
  }
  const std::uint32_t side = 32U >> (widths.size() - 1);
  x = maker.mean(x, side);
  maker.weighted(LayerKind::fully_connected, x, width, 10, 1, 1, 0);
  return maker.network();
}

/// A layer of its own, between a pixel's quantisation and logits that cost next to nothing.
Network single(std::uint32_t inputs, std::uint32_t outputs, std::uint32_t kernel,
               std::uint32_t stride, std::uint32_t side) {
  NetworkMaker maker({inputs, side, side});
  const std::string x =
      maker.weighted(LayerKind::convolution, "input", inputs, outputs, kernel, stride, bits);
  maker.weighted(LayerKind::fully_connected, maker.mean(x, side / stride), outputs, 10, 1, 1, 0);
  return maker.network();
}

std::vector<std::uint8_t> random_image(const Network& network) {
  std::mt19937 random(2);
  const auto& [channels, rows, columns] = network.input_shape;
  std::vector<std::uint8_t> pixels(std::size_t{channels} * rows * columns);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
  return pixels;
}

struct Shape {
  std::string name;
  Network network;
  ArrayOptions array;
};

void count(benchmark::State& state, const ForwardPass& pass) {
  state.counters["images"] = benchmark::Counter(1.0, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["partial_sum"] = benchmark::Counter(
      static_cast<double>(pass.partial_sums()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

/// Ends the benchmark unless the arithmetic, without misreads, gives the logits of exact integers.
void check(benchmark::State& state, const ForwardPass& pass, const std::vector<std::uint8_t>& image,
           const Arithmetic& faultless, ForwardPass::Workspace& workspace) {
  pass.classify(image, ExactIntegers{}, {}, workspace);
  const std::vector<double> exact = workspace.values;
  pass.classify(image, faultless, {{1}, 0}, workspace);
  if (workspace.values != exact) state.SkipWithError("wrong logits");
}

const CodeSampler& faultless_sampler(std::uint32_t rows) {
  static const CodeSampler of_128(bench_table(128, 0.0));
  static const CodeSampler of_255(bench_table(255, 0.0));
  return rows == 128 ? of_128 : of_255;
}

void sampled(benchmark::State& state, const Shape* of_bench, core::Stream stream,
             const std::string& target) {
  const Shape& shape = *of_bench;
  core::use_simd_target(target);
  const ForwardPass pass(shape.network, shape.array);
  const SampledCodes codes{&sampler_of(shape.array.rows), stream};
  ForwardPass::Workspace workspace = pass.workspace();
  const std::vector<std::uint8_t> image = random_image(shape.network);
  const SampledCodes faultless{&faultless_sampler(shape.array.rows), stream};
  check(state, pass, image, ColumnReading(faultless), workspace);
  std::uint64_t instance = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        pass.classify(image, ColumnReading(codes), {{1}, instance++}, workspace));
  }
  count(state, pass);
  core::use_simd_target("");
}

void naive(benchmark::State& state, const Shape* of_bench) {
  const Shape& shape = *of_bench;
  const ForwardPass pass(shape.network, shape.array);
  NaiveLayers layers(shape.array.rows, misread);
  ForwardPass::Workspace workspace = pass.workspace();
  const std::vector<std::uint8_t> image = random_image(shape.network);
  NaiveLayers faultless(shape.array.rows, 0.0);
  check(state, pass, image, &faultless, workspace);
  for (auto _ : state) {
    benchmark::DoNotOptimize(pass.classify(image, &layers, {}, workspace));
  }
  count(state, pass);
}

void register_all() {
  static const std::vector<Shape> shapes{
      {"resnet20", residual(3, {16, 32, 64}), {.rows = 128}},
      {"resnet18", residual(2, {64, 128, 256, 512}), {.rows = 128}},
      {"layer/64_64_3x3_32x32", single(64, 64, 3, 1, 32), {.rows = 255}},
      {"layer/128_128_3x3_16x16", single(128, 128, 3, 1, 16), {.rows = 255}},
      {"layer/256_256_3x3_8x8", single(256, 256, 3, 1, 8), {.rows = 255}},
      {"layer/512_512_3x3_4x4", single(512, 512, 3, 1, 4), {.rows = 255}},
      {"layer/64_128_3x3_by_2_32x32", single(64, 128, 3, 2, 32), {.rows = 255}},
      {"layer/64_128_1x1_by_2_32x32", single(64, 128, 1, 2, 32), {.rows = 255}},
  };
  for (const Shape& shape : shapes) {
    benchmark::RegisterBenchmark((shape.name + "/naive").c_str(), naive, &shape)
        ->Unit(benchmark::kMillisecond);
    for (const std::string& target : core::simd_targets()) {
      for (const auto& [stream, name] :
           {std::pair(core::Stream::philox, "/philox/"), std::pair(core::Stream::fast, "/fast/")}) {
        benchmark::RegisterBenchmark((shape.name + (name + target)).c_str(), sampled, &shape,
                                     stream, target)
            ->Unit(benchmark::kMillisecond);
      }
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
