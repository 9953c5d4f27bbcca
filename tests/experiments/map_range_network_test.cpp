/// Levels that span each image's own map: ASiM's scales with a batch of 1.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/file/hdf5_file.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/forward_pass.h"
#include "experiments/inference/recalibration.h"
#include "experiments/seeing/network_summary.h"
#include "tests/experiments/asim_reference.h"
#include "tests/experiments/inference_fixtures.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/random_network.h"
#include "tests/experiments/residual_block.h"
#include "tests/experiments/small_network.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::layer_of;
using fixtures::message_of;
using ::testing::HasSubstr;
using tests::TemporaryFolder;

Layer spanning(const std::string& name, const std::string& input, std::uint32_t bits) {
  Layer layer = layer_of(LayerKind::quantise, name, {input});
  layer.range = LevelRange::map;
  layer.output_bits = bits;
  return layer;
}

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

/// Two convolutions, levels of their own before the second.
Network small_block() {
  Network network;
  network.name = "spanned";
  network.description = "made by hand";
  network.input_shape = {1, 4, 4};
  network.classes = 2;
  Layer relu = layer_of(LayerKind::relu, "relu", {"first"});
  network.layers = {fixtures::convolution("first", "input", {2, 1, 1, 1}), relu,
                    spanning("levels", "relu", 4),
                    fixtures::convolution("logits", "levels", {2, 2, 4, 4})};
  return network;
}

TEST(MapRangeNetwork, AMapWithoutAValueAboveZeroLeavesTheBias) {
  Network network = small_block();
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

std::string refusal_of(const std::function<void(Network&)>& change) {
  Network network = small_block();
  change(network);
  return message_of([&] { check(network); });
}

TEST(MapRangeNetwork, RefusesWhatHasNoUseForAStepOfEachImage) {
  EXPECT_EQ(refusal_of([](Network&) {}), "no DataError");
  const auto behind_levels = [](Layer layer) {
    return refusal_of([&](Network& network) {
      layer.inputs.resize(1);
      layer.inputs[0] = "levels";
      if (layer.kind == LayerKind::add) layer.inputs.emplace_back("relu");
      network.layers.insert(network.layers.begin() + 3, layer);
    });
  };
  Layer mean = layer_of(LayerKind::average_pool, "mean", {""});
  mean.scale = {1.0};
  mean.bias = {0.0};
  EXPECT_EQ(behind_levels(mean),
            "network: /layers/003_mean: its input 'levels' has a step of its own in each image "
            "(average_pool knows stored steps); let weighted layers alone read such levels");
  Layer sum = layer_of(LayerKind::add, "sum", {""});
  sum.scale = {1.0, 1.0};
  sum.bias = {0.0};
  EXPECT_THAT(behind_levels(sum), HasSubstr("(add knows stored steps)"));
  EXPECT_THAT(behind_levels(spanning("again", "", 4)), HasSubstr("(quantise knows stored steps)"));
  EXPECT_EQ(behind_levels(layer_of(LayerKind::relu, "more", {""})), "no DataError");
  EXPECT_THAT(refusal_of([](Network& network) {
                network.layers[2].output_bits = 1;
                network.layers[3].input_values = InputValues::signs;
              }),
              HasSubstr("(signs knows stored steps)"));
}

TEST(MapRangeNetwork, RefusesNumbersThatItHasNoUseFor) {
  EXPECT_THAT(refusal_of([](Network& network) {
                network.layers[2].scale = {1.0};
                network.layers[2].bias = {0.0};
              }),
              HasSubstr("/layers/002_levels: 1 scales and 1 biases (0 and 0 are needed)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[2].epsilon = -1.0; }),
              HasSubstr("/layers/002_levels: epsilon -1 (0 or above)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[2].output_bits = 0; }),
              HasSubstr("/layers/002_levels: output_bits 0 (1 .. 8)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[1].range = LevelRange::map; }),
              HasSubstr("/layers/001_relu: relu has no range (a quantise layer has one)"));
  EXPECT_THAT(refusal_of([](Network& network) { network.layers[3].scale.assign(2, 1e280); }),
              HasSubstr("can give a value that is not finite"));
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

TEST(MapRangeNetwork, IsWrittenAndReadAsVersion14) {
  const TemporaryFolder folder;
  Network network = small_block();
  network.layers[2].epsilon = 1e-7;
  write_network(network, folder / "a.h5");
  const core::Hdf5Input file(folder / "a.h5");
  EXPECT_EQ(file.integers_attribute("/", "schema_version"), (std::vector<std::int64_t>{1, 4}));
  EXPECT_EQ(file.text_attribute("/layers/002_levels", "range"), "map");
  EXPECT_FALSE(file.has("/layers/002_levels/scale"));
  const Network read = read_network(folder / "a.h5");
  EXPECT_EQ(read.layers[2].range, LevelRange::map);
  EXPECT_EQ(read.layers[2].epsilon, 1e-7);
  EXPECT_EQ(content_hash(read), content_hash(network));
  Network other = network;
  other.layers[2].epsilon = 0.0;
  EXPECT_NE(content_hash(other), content_hash(network));
  other = network;
  other.layers[2].range = LevelRange::stored;
  EXPECT_NE(content_hash(other), content_hash(network));
  EXPECT_THAT(format_network(network), HasSubstr("range of each image's map"));
}

/// A file whose quantise layer says `range`.
std::string message_of_file(std::int64_t minor, const std::string& range) {
  const TemporaryFolder folder;
  {
    core::Hdf5Output output(folder / "a.h5");
    output.attribute("/", "filetype", "cimstat network");
    output.attribute("/", "schema_version", std::vector<std::int64_t>{1, minor});
    output.attribute("/", "name", "hand-made");
    output.attribute("/", "description", "");
    output.attribute("/", "input_shape", std::vector<std::int64_t>{1, 1, 1});
    output.attribute("/", "input_bits", std::int64_t{4});
    output.attribute("/", "classes", std::int64_t{1});
    const auto add = [&](const std::string& path, const std::string& name, const std::string& kind,
                         const std::string& input, std::int64_t weights, std::int64_t bits) {
      output.group(path);
      output.attribute(path, "name", name);
      output.attribute(path, "kind", kind);
      output.attribute(path, "inputs", input);
      for (const char* one : {"kernel", "stride"}) output.attribute(path, one, std::int64_t{1});
      output.attribute(path, "padding", std::int64_t{0});
      output.attribute(path, "weight_bits", weights);
      output.attribute(path, "output_bits", bits);
    };
    add("/layers/000_q", "q", "quantise", "input", 0, 4);
    output.attribute("/layers/000_q", "range", range);
    add("/layers/001_w", "w", "fully_connected", "q", 4, 0);
    output.dataset("/layers/001_w/weight", std::vector<std::int8_t>{3}, {1, 1});
    output.dataset("/layers/001_w/scale", std::vector<double>{1}, {1});
    output.dataset("/layers/001_w/bias", std::vector<double>{0}, {1});
    output.commit();
  }
  return message_of([&] { read_network(folder / "a.h5"); });
}

TEST(MapRangeNetwork, FilesSayARangeThatIsOne) {
  EXPECT_EQ(message_of_file(4, "map"), "no DataError");
  EXPECT_THAT(message_of_file(4, "image"),
              HasSubstr("/layers/000_q: has range 'image'; write \"map\", or leave it out"));
  EXPECT_THAT(message_of_file(3, "map"), HasSubstr("unknown attribute 'range'"));
  EXPECT_THAT(message_of_file(4, "stored"), HasSubstr("0 scales and 0 biases (1 and 1 are"));
}

}  // namespace
}  // namespace cimstat::experiments
