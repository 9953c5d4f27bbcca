/// Layers of transformers against their formulas, and the functions that they are made of.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/real_functions.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/small_network.h"
#include "tests/experiments/token_network.h"
#include "tests/experiments/token_reference.h"

namespace cimstat::experiments {
namespace {

TEST(RealFunctions, AreThoseOfTheLibraryToTheLastBits) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> exponent(-699.0, 699.0);
  std::uniform_real_distribution<double> argument(-7.0, 7.0);
  for (int i = 0; i < 200'000; ++i) {
    const double x = i % 2 == 0 ? exponent(random) : exponent(random) / 100.0;
    ASSERT_NEAR(exponential(x) / std::exp(x), 1.0, 1e-15) << x;
    const double y = argument(random);
    ASSERT_NEAR(error_function(y), std::erf(y), 2e-15) << y;
    ASSERT_NEAR(error_function(y / 1e6), std::erf(y / 1e6), 1e-20) << y;
    ASSERT_EQ(error_function(-y), -error_function(y));
  }
  EXPECT_EQ(exponential(0.0), 1.0);
  EXPECT_EQ(exponential(-1e300), 0.0);
  EXPECT_EQ(exponential(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(error_function(-1e300), -1.0);
  EXPECT_EQ(error_function(0.0), 0.0);
}

// On every machine: bits that were printed once.
TEST(RealFunctions, HaveTheSameBitsEverywhere) {
  std::uint64_t hash = 1469598103934665603U;
  const auto add = [&](double value) {
    hash = (hash ^ std::bit_cast<std::uint64_t>(value)) * 1099511628211U;
  };
  for (int i = -4000; i <= 4000; ++i) {
    add(exponential(i / 64.0 * 1.1));
    add(error_function(i / 600.0));
  }
  EXPECT_EQ(hash, 16512135592190460582U);
}

reference::Map map_of(const ForwardPass::Workspace& workspace, std::size_t node,
                      const std::array<std::uint32_t, 3>& shape, std::uint32_t bits) {
  reference::Map map{.channels = shape[0], .rows = shape[1], .columns = shape[2], .bits = bits};
  if (bits > 0) {
    map.values.assign(workspace.maps[node].begin(), workspace.maps[node].end());
  } else {
    map.values = workspace.reals[node];
  }
  return map;
}

/// Each layer's map, from the maps that it really had: levels and integers to the last bit.
void expect_definitions(const Network& network, const std::vector<std::uint8_t>& pixels) {
  const ForwardPass pass(network, {.rows = 64});
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, ExactIntegers{}, {}, workspace);
  const auto shapes = output_shapes(network);
  std::map<std::string, reference::Map> maps{
      {"input", map_of(workspace, 0, network.input_shape, network.input_bits)}};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = network.layers[i];
    const reference::Map& first = maps.at(layer.inputs[0]);
    const reference::Map* second = layer.inputs.size() > 1 ? &maps.at(layer.inputs[1]) : nullptr;
    const reference::Map expected = reference::layer(layer, first, second);
    const std::uint32_t bits = requantises(layer.kind) ? layer.output_bits : first.bits;
    const reference::Map map = map_of(workspace, i + 1, shapes[i], bits);
    ASSERT_EQ(map.values.size(), expected.values.size()) << layer.name;
    const bool rounded = layer.kind == LayerKind::layer_norm || layer.kind == LayerKind::gelu ||
                         layer.kind == LayerKind::softmax;
    for (std::size_t at = 0; at < map.values.size(); ++at) {
      const double tolerance =
          rounded && bits == 0 ? 1e-12 * std::max(1.0, std::abs(expected.values[at])) : 0.0;
      ASSERT_NEAR(map.values[at], expected.values[at], tolerance) << layer.name << " at " << at;
    }
    maps[layer.name] = map;
  }
}

TEST(TokenLayers, GiveTheNumbersOfTheirDefinitions) {
  std::mt19937 random(9);
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    Network network = fixtures::token_network(seed);
    // Real values in between, or levels.
    for (Layer& layer : network.layers) {
      const bool may_be_levels = layer.name == "tokens" || layer.name == "places" ||
                                 layer.name == "norm_c" || layer.name == "context";
      if (!may_be_levels || random() % 3 != 0) continue;
      if (layer.name == "places" || layer.name == "context") continue;
      layer.output_bits = 1 + random() % 8;
    }
    std::vector<std::uint8_t> pixels(16);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() % 256);
    expect_definitions(network, pixels);
    if (testing::Test::HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

// Values far apart, equal ones, and very small ones.
TEST(TokenLayers, KeepTheirFormulasAtTheEdges) {
  Network network = fixtures::token_network(3);
  const auto scaled = [&](double factor) {
    Network other = network;
    for (double& scale : other.layers[0].scale) scale *= factor;
    for (double& bias : other.layers[0].bias) bias *= factor;
    for (double& bias : other.layers[1].bias) bias *= factor;
    for (double& bias : other.layers[2].bias) bias *= factor;
    fixtures::at(other, "scores").scale[0] *= factor;
    return other;
  };
  const std::vector<std::uint8_t> pixels(16, 200);
  for (const double factor : {0.0, 1e-30, 1e-3, 1e3, 1e30}) {
    expect_definitions(scaled(factor), pixels);
    if (testing::Test::HasFatalFailure()) FAIL() << factor;
  }
}

TEST(TokenLayers, GiveTheSameAnswersForAnyNumberOfThreads) {
  const Network network = fixtures::token_network();
  const ImageSet images = fixtures::images_for(network, 60);
  const circuits::ErrorTable table = fixtures::normal_table(16, 0.1, 0.02, 0.2);
  AccuracyOptions options;
  options.array = {.rows = 16, .attention = LayerPlace::analog};
  options.reads = 2;
  options.layers = options.sensitivity = true;
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    options.stream = stream;
    const AccuracyResult one = accuracy_with_table(network, images, table, options, {1});
    const AccuracyResult two = accuracy_with_table(network, images, table, options, {2});
    EXPECT_EQ(one.answers, two.answers);
    EXPECT_EQ(one.layers, two.layers);
    EXPECT_EQ(one.sensitivity, two.sensitivity);
    EXPECT_EQ(one.sensitivity.layers.size(), 10u);  // 8 with weights, both products
    EXPECT_NE(one.answers.sampled, one.answers.exact);
    // Part of the images: the same answers to these.
    options.images = 20;
    options.first_image = 30;
    const AccuracyResult part = accuracy_with_table(network, images, table, options, {2});
    options.images = options.first_image = 0;
    for (std::size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(part.answers.sampled[i], one.answers.sampled[30 + i]);
    }
  }
  options.array.attention = LayerPlace::digital;
  EXPECT_EQ(accuracy_with_table(network, images, table, options, {2}).sensitivity.layers.size(),
            8u);
}

}  // namespace
}  // namespace cimstat::experiments
