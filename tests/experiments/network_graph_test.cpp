#include <algorithm>
#include <array>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"

namespace cimstat::experiments {
namespace {

std::vector<double> logits(const ForwardPass& pass, const std::vector<std::uint8_t>& pixels,
                           const Arithmetic& arithmetic, const DrawOrigin& origin = {}) {
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, arithmetic, origin, workspace);
  return workspace.values;
}

std::vector<double> exact_logits(const Network& network, const std::vector<std::uint8_t>& pixels) {
  return logits(ForwardPass(network, {.rows = 64}), pixels, ExactIntegers{});
}

TEST(NetworkGraph, GivesTheNumbersOfTheDefinitions) {
  std::array<int, 8> kinds{};
  int reals = 0;
  int grouped = 0;
  int levels_beyond = 0;
  int sums_of_both = 0;
  for (std::uint32_t seed = 0; seed < 3000; ++seed) {
    RandomNetwork random(seed);
    const Network network = random.make();
    for (int i = 0; i < 2; ++i) {
      const std::vector<std::uint8_t> pixels = random.image();
      ASSERT_EQ(exact_logits(network, pixels), reference::run(network, pixels).values)
          << "seed " << seed;
    }
    std::map<std::string, bool> is_real;
    for (const Layer& layer : network.layers) {
      ++kinds[static_cast<std::size_t>(layer.kind)];
      const bool real = requantises(layer.kind) ? layer.output_bits == 0 : is_real[layer.inputs[0]];
      is_real[layer.name] = real;
      reals += real;
      grouped += layer.groups > 1;
      levels_beyond += !layer.padding_level.empty() && layer.padding != Padding();
      sums_of_both +=
          layer.kind == LayerKind::add && is_real[layer.inputs[0]] != is_real[layer.inputs[1]];
    }
  }
  EXPECT_THAT(kinds, testing::Each(testing::Gt(500)));
  EXPECT_GT(reals, 1000);
  EXPECT_GT(grouped, 1000);
  EXPECT_GT(levels_beyond, 1000);
  EXPECT_GT(sums_of_both, 100);
}

TEST(NetworkGraph, GivesTheSameNumbersFromColumnsWithoutErrors) {
  IdealCodes ideal;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    RandomNetwork random(seed);
    const Network network = random.make();
    const std::vector<std::uint8_t> pixels = random.image();
    const std::array row_choices{3U, 9U, 32U, 33U, 128U, 1000U};
    for (const WeightMapping mapping :
         {WeightMapping::twos_complement, WeightMapping::differential}) {
      const ForwardPass pass(network, {.rows = row_choices[random.below(6)],
                                       .weights = mapping,
                                       .first_layer = random.below(4) == 0 ? LayerPlace::digital
                                                                           : LayerPlace::analog});
      ASSERT_EQ(logits(pass, pixels, ColumnReading(SourcedCodes{&ideal})),
                reference::run(network, pixels).values)
          << "seed " << seed;
    }
  }
}

/// A convolution whose every feature shows in its sums, and the sums as logits.
Network one_convolution() {
  std::mt19937 random(1);
  Layer layer = fixtures::random_convolution("c", "input", 4, 2, 3, 1, 1, 5, 0, random);
  layer.kernel = {3, 2};
  layer.stride = {2, 1};
  layer.dilation = {1, 2};
  layer.padding = {2, 1, 1, 0};
  layer.groups = 2;
  layer.weight_shape = {4, 1, 3, 2};
  layer.weight.resize(24);
  layer.padding_level = {3, 12};
  Layer flat;
  flat.name = "flat";
  flat.inputs = {"c"};
  Network network;
  network.name = "one";
  network.input_shape = {2, 5, 6};
  network.layers = {layer, flat};
  network.classes = 4 * 3 * 5;
  return network;
}

std::vector<std::uint8_t> some_pixels(std::size_t count) {
  std::mt19937 random(7);
  std::vector<std::uint8_t> pixels(count);
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() % 256);
  return pixels;
}

// The reference notices each number of a window: other ones give other sums.
TEST(NetworkGraph, HasAReferenceThatEveryNumberOfAWindowMatters) {
  const Network network = one_convolution();
  const std::vector<std::uint8_t> pixels = some_pixels(60);
  const std::vector<double> sums = exact_logits(network, pixels);
  EXPECT_EQ(sums, reference::run(network, pixels).values);
  const auto expect_other = [&](const auto& change) {
    Network other = network;
    change(other.layers[0]);
    EXPECT_NE(reference::run(other, pixels).values, sums);
  };
  expect_other([](Layer& layer) { layer.padding = {1, 1, 2, 0}; });
  expect_other([](Layer& layer) { layer.padding = {2, 0, 1, 1}; });
  expect_other([](Layer& layer) { layer.padding_level = {12, 3}; });
  expect_other([](Layer& layer) { layer.padding_level.clear(); });
  expect_other([](Layer& layer) { layer.padding_level[1] = 13; });
  expect_other([](Layer& layer) { layer.dilation = {1, 1}; });
  expect_other([](Layer& layer) { layer.stride = {1, 1}; });
  expect_other([](Layer& layer) { layer.weight[23] ^= 1; });
}

TEST(NetworkGraph, CountsColumnsAndRowsOfEachGroup) {
  const Network network = one_convolution();  // 6 inputs, 2 outputs a group; 15 pixels, 4 x 5 bits
  const ForwardPass pass(network, {.rows = 4});
  EXPECT_EQ(pass.partial_sums(), 2u * 15 * 2 * 4 * 5 * 2);
  EXPECT_EQ(pass.batches(), 2u * 15 * 2 * 4 * 2);  // five vectors are two batches
  EXPECT_EQ(pass.most_active_rows(), 4u);
  EXPECT_EQ(ForwardPass(network, {.rows = 100}).most_active_rows(), 6u);
}

/// Codes with noise, of two equal groups: the same weights, the same inputs.
std::vector<double> noisy_groups(core::Stream stream) {
  Network network = one_convolution();
  Layer& layer = network.layers[0];
  layer.padding_level[1] = layer.padding_level[0];
  std::copy_n(layer.weight.begin(), 12, layer.weight.begin() + 12);
  std::vector<std::uint8_t> pixels = some_pixels(60);
  std::copy_n(pixels.begin(), 30, pixels.begin() + 30);
  const std::vector<double> sums = exact_logits(network, pixels);
  EXPECT_TRUE(std::equal(sums.begin(), sums.begin() + 30, sums.begin() + 30));
  const CodeSampler sampler(fixtures::normal_table(6, 0.1, 0.02, 0.8));
  return logits(ForwardPass(network, {.rows = 6}), pixels,
                ColumnReading(SampledCodes{&sampler, stream}), {{5}, 17});
}

TEST(NetworkGraph, DrawsForEachGroupAnew) {
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    const std::vector<double> sums = noisy_groups(stream);
    int equal = 0;
    for (std::size_t i = 0; i < 30; ++i) equal += sums[i] == sums[i + 30];
    EXPECT_LT(equal, 10);  // 30 if the groups shared their random numbers
    EXPECT_EQ(sums, noisy_groups(stream));
  }
}

// What a group draws is what a layer of that group alone draws, behind the batches before it.
TEST(NetworkGraph, GivesTheBatchesToTheGroupsInTurn) {
  const Network network = one_convolution();
  const std::vector<std::uint8_t> pixels = some_pixels(60);
  const ForwardPass pass(network, {.rows = 6});
  const CodeSampler sampler(fixtures::normal_table(6, 0.1, 0.02, 0.8));
  const SampledCodes codes{&sampler, core::Stream::philox};
  const DrawOrigin origin{{5}, 17};
  const std::vector<double> sums = logits(pass, pixels, ColumnReading(codes), origin);
  const std::vector<std::uint8_t> levels = pass.input_levels(pixels);
  std::uint64_t first_batch = 0;
  for (std::uint32_t k = 0; k < 2; ++k) {
    const Layer group = group_of(network.layers[0], k);
    const ColumnLayer columns(group, {1, 5, 6}, 4, {.rows = 6}, 1, first_batch);
    first_batch += columns.batches();
    std::vector<double> expected(30);
    ColumnLayer::Workspace workspace = columns.workspace();
    columns.estimate(std::span(levels).subspan(30 * k, 30), codes, origin, workspace, expected);
    for (std::size_t i = 0; i < 30; ++i) {
      const std::size_t channel = 2 * k + i / 15;
      expected[i] =
          expected[i] * network.layers[0].scale[channel] + network.layers[0].bias[channel];
    }
    EXPECT_EQ(std::vector(sums.begin() + 30 * k, sums.begin() + 30 * (k + 1)), expected);
  }
}

TEST(NetworkGraph, RefusesMoreGroupsThanThereAreStreams) {
  std::mt19937 random(1);
  Network network;
  network.name = "wide";
  network.input_shape = {4096, 1, 1};
  std::string before = "input";
  for (int i = 0; i < 4; ++i) {
    const std::string name = "c" + std::to_string(i);
    Layer layer = fixtures::random_convolution(name, before, 4096, 1, 1, 1, 0, 2, 1, random);
    layer.groups = 4096;
    network.layers.push_back(layer);
    before = name;
  }
  network.layers.back().output_bits = 0;
  network.classes = 4096;
  EXPECT_THROW(ForwardPass(network, {.rows = 4}), core::UsageError);  // 4 x 4095 of 15,360
  network.layers.pop_back();
  network.layers.back().output_bits = 0;
  EXPECT_EQ(ForwardPass(network, {.rows = 4}).partial_sums(), 4096u * (4 + 1 + 1) * 2);
}

}  // namespace
}  // namespace cimstat::experiments
