/// What version 1.4 of the network file added: scale and concatenate.
#include <algorithm>
#include <functional>
#include <limits>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/hdf5_file.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/seeing/network_summary.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/residual_block.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::at;
using fixtures::layer_of;
using fixtures::message_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using tests::bytes_of;
using tests::TemporaryFolder;

std::vector<double> logits(const ForwardPass& pass, const std::vector<std::uint8_t>& pixels,
                           const Arithmetic& arithmetic) {
  ForwardPass::Workspace workspace = pass.workspace();
  pass.classify(pixels, arithmetic, {}, workspace);
  return workspace.values;
}

TEST(JoinedNetwork, GivesTheNumbersOfTheDefinitions) {
  int scales = 0;
  int joints = 0;
  int mixed = 0;
  int twice = 0;
  for (std::uint32_t seed = 0; seed < 2000; ++seed) {
    RandomNetwork random(seed, RandomNetwork::Kinds::joined);
    const Network network = random.make();
    const std::vector<std::uint8_t> pixels = random.image();
    ASSERT_EQ(logits(ForwardPass(network, {.rows = 64}), pixels, ExactIntegers{}),
              reference::run(network, pixels).values)
        << "seed " << seed;
    std::set<std::string> reals;
    for (const Layer& layer : network.layers) {
      scales += layer.kind == LayerKind::scale;
      joints += layer.kind == LayerKind::concatenate;
      const bool passes = !requantises(layer.kind) && reals.contains(layer.inputs[0]);
      if (passes || (requantises(layer.kind) && layer.output_bits == 0)) reals.insert(layer.name);
      if (layer.kind != LayerKind::concatenate) continue;
      const auto is_real = [&](const std::string& name) { return reals.contains(name); };
      const auto found = std::count_if(layer.inputs.begin(), layer.inputs.end(), is_real);
      mixed += found > 0 && found < static_cast<std::ptrdiff_t>(layer.inputs.size());
      twice += std::set<std::string>(layer.inputs.begin(), layer.inputs.end()).size() <
               layer.inputs.size();
    }
  }
  EXPECT_GT(scales, 1000);
  EXPECT_GT(joints, 1000);
  EXPECT_GT(mixed, 200);
  EXPECT_GT(twice, 200);
}

TEST(JoinedNetwork, GivesTheSameNumbersFromColumnsWithoutErrors) {
  IdealCodes ideal;
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    RandomNetwork random(seed, RandomNetwork::Kinds::joined);
    const Network network = random.make();
    const std::vector<std::uint8_t> pixels = random.image();
    ASSERT_EQ(
        logits(ForwardPass(network, {.rows = 33}), pixels, ColumnReading(SourcedCodes{&ideal})),
        reference::run(network, pixels).values)
        << "seed " << seed;
  }
}

TEST(JoinedNetwork, RoundsHalvesToTheEvenLevelWhereAskedTo) {
  for (std::uint32_t seed = 0; seed < 500; ++seed) {
    RandomNetwork random(seed, RandomNetwork::Kinds::joined);
    const Network network = random.make();
    const std::vector<std::uint8_t> pixels = random.image();
    const ForwardPass pass(network, {.rows = 64, .ties = circuits::Ties::even});
    ASSERT_EQ(logits(pass, pixels, ExactIntegers{}),
              reference::run(network, pixels, reference::Halves::to_even).values)
        << "seed " << seed;
  }
}

/// Two convolutions whose channels are joined, normalised, and classified.
Network joined_block() {
  Network network;
  network.name = "joined";
  network.description = "made by hand";
  network.input_shape = {1, 4, 4};
  network.classes = 2;
  Layer first = fixtures::convolution("first", "input", {2, 1, 1, 1});
  first.output_bits = 4;
  const Layer second = fixtures::convolution("second", "first", {3, 2, 1, 1});
  Layer joint = layer_of(LayerKind::concatenate, "joint", {"first", "second"});
  joint.scale = {0.5, 1.0};
  joint.bias = {0.0, -0.25};
  Layer norm = layer_of(LayerKind::scale, "norm", {"joint"});
  norm.scale = {1.0, -1.0, 2.0, 0.5, 1.5};
  norm.bias = {0.0, 8.0, 1.0, 2.0, 3.0};
  norm.output_bits = 4;
  Layer mean = layer_of(LayerKind::average_pool, "mean", {"norm"});
  mean.kernel = 4;
  mean.scale = {0.0625};
  mean.bias = {0.0};
  mean.output_bits = 4;
  Layer classes = fixtures::convolution("classes", "mean", {2, 5, 1, 1});
  network.layers = {first, second, joint, norm, mean, classes};
  return network;
}

TEST(JoinedNetwork, ComesBackFromItsFile) {
  const TemporaryFolder folder;
  std::vector<Network> networks{joined_block()};
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    networks.push_back(RandomNetwork(seed, RandomNetwork::Kinds::joined).make());
  }
  for (const Network& network : networks) {
    const bool is_joined =
        std::any_of(network.layers.begin(), network.layers.end(), [](const Layer& layer) {
          return layer.kind == LayerKind::scale || layer.kind == LayerKind::concatenate;
        });
    write_network(network, folder / "a.h5");
    const auto version = core::Hdf5Input(folder / "a.h5").integers_attribute("/", "schema_version");
    EXPECT_EQ(version.at(1) == 4, is_joined);
    const Network read = read_network(folder / "a.h5");
    EXPECT_EQ(content_hash(read), content_hash(network));
    ASSERT_EQ(read.layers.size(), network.layers.size());
    for (std::size_t i = 0; i < read.layers.size(); ++i) {
      EXPECT_EQ(read.layers[i].kind, network.layers[i].kind);
      EXPECT_EQ(read.layers[i].inputs, network.layers[i].inputs);
      EXPECT_EQ(read.layers[i].scale, network.layers[i].scale);
      EXPECT_EQ(read.layers[i].bias, network.layers[i].bias);
      EXPECT_EQ(read.layers[i].output_bits, network.layers[i].output_bits);
    }
    write_network(read, folder / "b.h5");
    EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
  }
}

TEST(JoinedNetwork, HasAnotherHashForEachOfItsNumbers) {
  std::set<std::string> hashes{content_hash(joined_block())};
  const auto add = [&](const std::string& layer, const std::function<void(Layer&)>& change) {
    Network network = joined_block();
    change(at(network, layer));
    hashes.insert(content_hash(network));
  };
  add("joint", [](Layer& l) { l.bias[1] += 1.0; });
  add("joint", [](Layer& l) { l.scale[0] += 1.0; });
  add("joint", [](Layer& l) { std::swap(l.inputs[0], l.inputs[1]); });
  add("norm", [](Layer& l) { l.scale[4] += 1.0; });
  add("norm", [](Layer& l) { l.output_bits = 5; });
  EXPECT_EQ(hashes.size(), 6u);
}

TEST(JoinedNetwork, IsShown) {
  const std::string text = format_network(joined_block());
  EXPECT_THAT(text, HasSubstr("  joint            concatenate     5 x 4 x 4        real"));
  EXPECT_THAT(text, HasSubstr("  norm             scale           5 x 4 x 4           4"));
}

struct Refusal {
  std::string name;
  std::function<void(Network&)> spoil;
  std::string message;
};

void PrintTo(const Refusal& refusal, std::ostream* stream) { *stream << refusal.name; }

class JoinedNetworkRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(JoinedNetworkRefusal, IsOneLineThatNamesThePlace) {
  Network network = joined_block();
  EXPECT_NO_THROW(check(network));
  GetParam().spoil(network);
  const std::string message = message_of([&] { check(network, "here"); });
  EXPECT_THAT(message, HasSubstr("here: "));
  EXPECT_THAT(message, HasSubstr(GetParam().message));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    JoinedNetwork, JoinedNetworkRefusal,
    ::testing::Values(
        Refusal{"OneInput",
                [](Network& n) {
                  at(n, "joint").inputs.pop_back();
                  at(n, "joint").scale.pop_back();
                  at(n, "joint").bias.pop_back();
                },
                "_joint: has 1 inputs (concatenate takes 2 or more)"},
        Refusal{"OtherRows", [](Network& n) { at(n, "second").stride = 2; },
                "_joint: its inputs differ in rows or columns (2 x 4 x 4 and 3 x 2 x 2) (their "
                "channels follow each other)"},
        Refusal{"TooFewScales", [](Network& n) { at(n, "joint").scale.pop_back(); },
                "_joint: 1 scales and 2 biases (2 and 2 are needed)"},
        Refusal{"ScalesOfChannels", [](Network& n) { at(n, "joint").scale.resize(5, 1.0); },
                "_joint: 5 scales and 2 biases (2 and 2 are needed)"},
        Refusal{"BiasesOfOtherChannels", [](Network& n) { at(n, "norm").bias.pop_back(); },
                "_norm: 5 scales and 4 biases (5 and 5 are needed)"},
        Refusal{"OtherChannels",
                [](Network& n) {
                  at(n, "norm").scale.pop_back();
                  at(n, "norm").bias.pop_back();
                },
                "_norm: 4 scales for an input of 5 x 4 x 4 (one for each channel)"},
        Refusal{"NoScales",
                [](Network& n) {
                  at(n, "norm").scale.clear();
                  at(n, "norm").bias.clear();
                },
                "_norm: 0 scales for an input of 5 x 4 x 4"},
        Refusal{"TwoInputsOfAScale",
                [](Network& n) {
                  at(n, "norm").inputs = {"joint", "joint"};
                },
                "_norm: has 2 inputs (scale takes 1)"},
        Refusal{"NineBits", [](Network& n) { at(n, "norm").output_bits = 9; },
                "_norm: output_bits 9 (1 .. 8; 0 for real values)"},
        Refusal{
            "WithoutEnd",
            [](Network& n) { at(n, "norm").scale[2] = std::numeric_limits<double>::infinity(); },
            "_norm: a scale or bias is not finite"},
        Refusal{"BeyondDoubles",
                [](Network& n) {
                  at(n, "joint").scale[1] = 1e250;
                  at(n, "norm").scale[1] = 1e50;
                },
                "_norm: its scales and biases can give a value that is not finite"},
        Refusal{"Groups", [](Network& n) { at(n, "joint").groups = 2; },
                "_joint: concatenate has no groups (1)"},
        Refusal{"Weights", [](Network& n) { at(n, "norm").weight = {1}; },
                "_norm: scale has no weights"},
        Refusal{"RealsForAConvolution", [](Network& n) { at(n, "mean").output_bits = 0; },
                "_classes: its input 'mean' delivers real values"}),
    [](const auto& refusal) { return refusal.param.name; });

}  // namespace
}  // namespace cimstat::experiments
