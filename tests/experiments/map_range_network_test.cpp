/// Levels that span each image's own map: ASiM's scales with a batch of 1.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/recalibration.h"
#include "tests/experiments/asim_reference.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/small_network.h"
#include "tests/experiments/spanned_block.h"

namespace cimstat::experiments {
namespace {

using fixtures::layer_of;
using fixtures::message_of;
using fixtures::spanned_block;
using fixtures::spanning;

/// The network that ASiM's quantisers make of a model.
Network network_of(const asim::Model& model) {
  Network network;
  const auto narrow = [](long number) { return static_cast<std::uint32_t>(number); };
  network.input_shape = {narrow(model.channels), narrow(model.side), narrow(model.side)};
  network.input_bits = model.input_bits;
  network.classes = narrow(model.layers.back().outputs);
  std::string from = "input";
  const auto append = [&](Layer layer) {
    from = layer.name;
    network.layers.push_back(std::move(layer));
  };
  const double top = std::pow(2.0, model.weight_bits - 1.0) - 1.0;
  for (const asim::Layer& plain : model.layers) {
    const std::string number = std::to_string(network.layers.size());
    const bool first = from == "input";
    if (!first) {
      append(spanning("levels" + number, from, model.bits));
      network.layers.back().epsilon = asim::epsilon;
    }
    const bool linear = plain.kernel == 0;
    Layer layer = layer_of(linear ? LayerKind::fully_connected : LayerKind::convolution,
                           "weights" + number, {from});
    const auto outputs = static_cast<std::size_t>(plain.outputs);
    const auto each = narrow(static_cast<long>(plain.weight.size() / outputs));
    layer.weight_bits = model.weight_bits;
    layer.weight_shape = {narrow(plain.outputs), each, 1, 1};
    if (!linear) {
      layer.kernel = narrow(plain.kernel);
      layer.padding = narrow(plain.padding);
      layer.weight_shape = {narrow(plain.outputs), narrow(plain.inputs), narrow(plain.kernel),
                            narrow(plain.kernel)};
    }
    const asim::Levels weights = asim::weight_levels(plain.weight, model.weight_bits);
    layer.weight.assign(weights.values.begin(), weights.values.end());
    const double of_pixels = first ? std::pow(2.0, model.input_bits) - 1.0 : 1.0;
    layer.scale.assign(outputs, weights.scale / (top * of_pixels));
    layer.bias = plain.bias;
    append(std::move(layer));
    if (plain.relu) append(layer_of(LayerKind::relu, "relu" + number, {from}));
    if (!plain.pool) continue;
    Layer pool = layer_of(LayerKind::max_pool, "pool" + number, {from});
    pool.kernel = pool.stride = 2;
    append(std::move(pool));
  }
  return network;
}

/// An ideal column behind a converter that rounds as ASiM's.
class RoundedCodes : public CodeSource {
 public:
  explicit RoundedCodes(const asim::Converter& converter) : converter_(converter) {}
  void read(const ColumnRead&, const ColumnGroups&, const DrawOrigin&,
            std::span<std::uint32_t> counts) override {
    for (std::uint32_t& count : counts) {
      count = static_cast<std::uint32_t>(converter_.code(count));
    }
  }

 private:
  asim::Converter converter_;
};

/// Levels to the last one, and scores to 1e-9 of the largest.
void expect_equal(const ForwardPass& pass, const ForwardPass::Workspace& workspace,
                  const asim::Result& expected, std::uint32_t seed) {
  std::size_t number = 0;
  for (std::size_t node = 1; node < pass.nodes(); ++node) {
    if (!is_weighted(pass.layer(node).kind)) continue;
    const std::vector<std::uint8_t>& levels = workspace.maps[pass.inputs(node)[0]];
    ASSERT_EQ(std::vector<int>(levels.begin(), levels.end()), expected.levels.at(number++))
        << "seed " << seed << ", layer " << pass.name(node);
  }
  double largest = 0.0;
  for (const double score : expected.scores) largest = std::max(largest, std::abs(score));
  ASSERT_EQ(workspace.values.size(), expected.scores.size());
  for (std::size_t i = 0; i < expected.scores.size(); ++i) {
    ASSERT_NEAR(workspace.values[i], expected.scores[i], 1e-9 * largest) << "seed " << seed;
  }
}

TEST(MapRangeNetwork, GivesAsimsLevelsAndScoresInExactIntegers) {
  for (std::uint32_t seed = 0; seed < 600; ++seed) {
    const asim::Model model = asim::random_model(seed, asim::Signs::any);
    const std::vector<std::uint8_t> pixels = asim::random_pixels(model, seed);
    const ForwardPass pass(network_of(model), {.rows = 64, .ties = circuits::Ties::even});
    ForwardPass::Workspace workspace = pass.workspace();
    pass.classify(pixels, ExactIntegers{}, {}, workspace);
    expect_equal(pass, workspace, asim::run(model, asim::levels(model, pixels)), seed);
  }
}

TEST(MapRangeNetwork, GivesAsimsLevelsAndScoresBehindItsConverters) {
  int coarse = 0;
  for (std::uint32_t seed = 0; seed < 400; ++seed) {
    const asim::Model model = asim::random_model(seed, asim::Signs::any);
    const std::vector<std::uint8_t> pixels = asim::random_pixels(model, seed);
    const asim::Converter converter{.rows = 9 + seed % 32, .steps = 3 + (seed / 7) % 40};
    coarse += converter.steps < converter.rows;
    const ForwardPass pass(network_of(model), {.rows = static_cast<std::uint32_t>(converter.rows),
                                               .tiling = Tiling::whole_channels,
                                               .ties = circuits::Ties::even});
    ForwardPass::Workspace workspace = pass.workspace();
    RoundedCodes codes(converter);
    const SourcedCodes source{
        .source = &codes,
        .code_step = static_cast<double>(converter.rows) / static_cast<double>(converter.steps)};
    pass.classify(pixels, ColumnReading(source), {}, workspace);
    expect_equal(pass, workspace, asim::run(model, asim::levels(model, pixels), converter), seed);
  }
  EXPECT_GT(coarse, 100);
}

TEST(MapRangeNetwork, OfAnotherRangeGivesOtherLevels) {
  // The twin: steps of twice the largest value.
  const asim::Model model = asim::random_model(4, asim::Signs::rectified);
  Network network = network_of(model);
  const std::vector<std::uint8_t> pixels = asim::random_pixels(model, 4);
  const asim::Result expected = asim::run(model, asim::levels(model, pixels));
  for (Layer& layer : network.layers) {
    if (has_map_range(layer)) layer.epsilon = 1.0;
  }
  const ForwardPass pass(network, {.rows = 64, .ties = circuits::Ties::even});
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, ExactIntegers{}, {}, workspace);
  EXPECT_GT(std::abs(workspace.values[0] - expected.scores[0]), 1e-3);
}

std::vector<double> logits(const ForwardPass& pass, const std::vector<std::uint8_t>& pixels,
                           const Arithmetic& arithmetic) {
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, arithmetic, {}, workspace);
  return workspace.values;
}

TEST(MapRangeNetwork, GivesTheNumbersOfTheDefinitions) {
  IdealCodes ideal;
  int steps = 0;
  int handed_on = 0;
  for (std::uint32_t seed = 0; seed < 1500; ++seed) {
    RandomNetwork random(seed, RandomNetwork::Kinds::spanned);
    const Network network = random.make();
    const std::vector<std::uint8_t> pixels = random.image();
    const bool even = seed % 3 == 0;
    const ForwardPass pass(network,
                           {.rows = 33, .ties = even ? circuits::Ties::even : circuits::Ties::up});
    const auto halves = even ? reference::Halves::to_even : reference::Halves::up;
    const std::vector<double> expected = reference::run(network, pixels, halves).values;
    ASSERT_EQ(logits(pass, pixels, ExactIntegers{}), expected) << "seed " << seed;
    ASSERT_EQ(logits(pass, pixels, ColumnReading(SourcedCodes{&ideal})), expected)
        << "seed " << seed;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      steps += has_map_range(network.layers[i]);
      handed_on += i > 0 && has_map_range(network.layers[i - 1]) &&
                   network.layers[i].kind == LayerKind::relu;
    }
  }
  EXPECT_GT(steps, 1000);
  EXPECT_GT(handed_on, 200);
}

TEST(MapRangeNetwork, AMapWithoutAValueAboveZeroLeavesTheBias) {
  Network network = spanned_block();
  network.layers[0].bias.assign(2, -1e9);
  network.layers[3].bias = {0.25, -3.0};
  const std::vector<std::uint8_t> pixels(16, 200);
  IdealCodes ideal;
  const ForwardPass pass(network, {.rows = 16});
  for (const Arithmetic& arithmetic :
       {Arithmetic(ExactIntegers{}), Arithmetic(ColumnReading(SourcedCodes{&ideal}))}) {
    EXPECT_EQ(logits(pass, pixels, arithmetic), (std::vector{0.25, -3.0}));
  }
}

/// Four weighted layers and more.
Network deep_network() {
  for (std::uint32_t seed = 0;; ++seed) {
    const asim::Model model = asim::random_model(seed, asim::Signs::rectified);
    if (model.layers.size() > 3 && model.bits > 2 && model.weight_bits > 2) {
      return network_of(model);
    }
  }
}

TEST(MapRangeNetwork, HasTheSameScalesOfCalibrationForAnyNumberOfThreads) {
  const Network network = deep_network();
  const ImageSet images = fixtures::images_for(network, 24);
  const ForwardPass pass(network, {.rows = 16});
  const asim::Converter converter{.rows = 16, .steps = 5};
  const auto with = [&](unsigned threads) {
    std::vector<RoundedCodes> codes(threads, RoundedCodes(converter));
    return recalibrated(
        pass, {&images, 0, images.size()},
        [&](std::size_t slot) -> Arithmetic {
          return ColumnReading(SourcedCodes{.source = &codes[slot], .code_step = 16.0 / 5.0});
        },
        [](std::size_t image) {
          return DrawOrigin{{3}, image};
        },
        {threads});
  };
  const NetworkScales one = with(1);
  const NetworkScales two = with(2);
  ASSERT_EQ(one.size(), two.size());
  std::size_t moved = 0;
  for (std::size_t node = 0; node < one.size(); ++node) {
    EXPECT_EQ(one[node].scale, two[node].scale);
    EXPECT_EQ(one[node].bias, two[node].bias);
    moved += !one[node].scale.empty() && one[node].scale != pass.layer(node).scale;
  }
  EXPECT_GT(moved, 0U);
}

TEST(MapRangeNetwork, AnswersAlikeFromATableWithoutErrorsAndForAnyNumberOfThreads) {
  const Network network = deep_network();
  const ImageSet images = fixtures::images_for(network, 40);
  const circuits::ErrorTable identity = fixtures::identity_table(16);
  const circuits::ErrorTable noisy = fixtures::normal_table(16, 0.3, 0.1, 0.3);
  AccuracyOptions options;
  options.array.rows = 16;
  options.layers = true;
  const AccuracyResult exact = accuracy_with_table(network, images, identity, options, {2});
  EXPECT_EQ(exact.answers.sampled, exact.answers.exact);
  const AccuracyResult one = accuracy_with_table(network, images, noisy, options, {1});
  const AccuracyResult two = accuracy_with_table(network, images, noisy, options, {2});
  EXPECT_EQ(one.answers.sampled, two.answers.sampled);
  EXPECT_NE(one.answers.sampled, one.answers.exact);
}

TEST(MapRangeNetwork, MayBeDeep) {
  Network network;
  network.input_shape = {1, 1, 1};
  network.classes = 1;
  std::string from = "input";
  for (int depth = 0; depth < 200; ++depth) {
    const std::string number = std::to_string(depth);
    network.layers.push_back(fixtures::convolution("c" + number, from, {1, 1, 1, 1}));
    network.layers.back().weight = {7};
    if (depth < 199) network.layers.push_back(spanning("l" + number, "c" + number, 4));
    from = "l" + number;
  }
  EXPECT_EQ(message_of([&] { check(network); }), "no DataError");
  const std::vector<double> scores =
      logits(ForwardPass(network, {.rows = 4}), {255}, ExactIntegers{});
  EXPECT_TRUE(std::isfinite(scores[0]));
}

}  // namespace
}  // namespace cimstat::experiments
