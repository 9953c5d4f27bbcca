#include "experiments/inference/network.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/file/hdf5_file.h"

#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::bytes_of;
using tests::TemporaryFolder;
using tests::write_bytes;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "no DataError";
}

Layer layer_of(LayerKind kind, std::string name, std::vector<std::string> inputs) {
  Layer layer;
  layer.kind = kind;
  layer.name = std::move(name);
  layer.inputs = std::move(inputs);
  return layer;
}

Layer weighted(LayerKind kind, std::string name, std::string input,
               std::array<std::uint32_t, 4> shape) {
  Layer layer = layer_of(kind, std::move(name), {std::move(input)});
  layer.weight_bits = 4;
  layer.weight_shape = shape;
  layer.weight.resize(std::size_t{shape[0]} * shape[1] * shape[2] * shape[3]);
  for (std::size_t i = 0; i < layer.weight.size(); ++i) {
    layer.weight[i] = static_cast<std::int8_t>(static_cast<int>(i * 7 % 16) - 8);
  }
  for (std::uint32_t channel = 0; channel < shape[0]; ++channel) {
    layer.scale.push_back(0.01 * (channel + 1));
    layer.bias.push_back(0.3 - 0.1 * channel);
  }
  layer.kernel = shape[2];
  layer.output_bits = 4;
  return layer;
}

/// Every kind once: a residual block, both pools, logits.
Network sample() {
  Network network;
  network.name = "sample";
  network.description = "made by hand; \xC2\xB5";
  network.input_shape = {1, 12, 10};
  network.input_bits = 4;
  network.classes = 3;
  auto& layers = network.layers;
  layers.push_back(weighted(LayerKind::convolution, "conv1", "input", {4, 1, 3, 3}));
  layers.back().padding = 1;
  layers.push_back(layer_of(LayerKind::relu, "relu1", {"conv1"}));
  layers.push_back(weighted(LayerKind::convolution, "conv2", "relu1", {4, 4, 3, 3}));
  layers.back().padding = 1;
  layers.push_back(layer_of(LayerKind::add, "sum", {"conv2", "relu1"}));
  layers.back().scale = {0.5, 0.5};
  layers.back().bias = {0.0};
  layers.back().output_bits = 3;
  layers.push_back(layer_of(LayerKind::max_pool, "pool1", {"sum"}));
  layers.back().kernel = layers.back().stride = 2;
  layers.push_back(layer_of(LayerKind::average_pool, "pool2", {"pool1"}));
  layers.back().kernel = 2;
  layers.back().stride = 2;
  layers.back().padding = 1;
  layers.back().scale = {0.25};
  layers.back().bias = {0.0};
  layers.back().output_bits = 4;
  layers.push_back(layer_of(LayerKind::flatten, "flat", {"pool2"}));
  layers.push_back(weighted(LayerKind::fully_connected, "logits", "flat", {3, 48, 1, 1}));
  layers.back().output_bits = 0;
  return network;
}

void expect_equal(const Network& a, const Network& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.input_shape, b.input_shape);
  EXPECT_EQ(a.input_bits, b.input_bits);
  EXPECT_EQ(a.classes, b.classes);
  ASSERT_EQ(a.layers.size(), b.layers.size());
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    const Layer& x = a.layers[i];
    const Layer& y = b.layers[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.kind, y.kind);
    EXPECT_EQ(x.inputs, y.inputs);
    EXPECT_EQ(std::tie(x.kernel, x.stride, x.padding), std::tie(y.kernel, y.stride, y.padding));
    EXPECT_EQ(std::tie(x.weight_bits, x.output_bits), std::tie(y.weight_bits, y.output_bits));
    EXPECT_EQ(x.weight_shape, y.weight_shape);
    EXPECT_EQ(x.weight, y.weight);
    EXPECT_EQ(x.scale, y.scale);
    EXPECT_EQ(x.bias, y.bias);
  }
}

TEST(Network, ComesBackFromItsFile) {
  const TemporaryFolder folder;
  write_network(sample(), folder / "a.h5");
  expect_equal(read_network(folder / "a.h5"), sample());
}

TEST(Network, GivesTheSameBytesTwice) {
  const TemporaryFolder folder;
  write_network(sample(), folder / "a.h5");
  write_network(read_network(folder / "a.h5"), folder / "b.h5");
  EXPECT_EQ(bytes_of(folder / "a.h5"), bytes_of(folder / "b.h5"));
}

TEST(Network, HasAContentHashOfAllThatIsComputedAndOfNothingElse) {
  const std::string hash = content_hash(sample());
  const auto changed = [&](const std::function<void(Network&)>& change) {
    Network network = sample();
    change(network);
    return content_hash(network) != hash;
  };
  EXPECT_FALSE(changed([](Network& n) { n.name = n.description = "other"; }));
  EXPECT_TRUE(changed([](Network& n) { n.layers[0].weight[7] ^= 1; }));
  EXPECT_TRUE(changed([](Network& n) { n.layers[0].scale[1] *= 1.0 + 1e-15; }));
  EXPECT_TRUE(changed([](Network& n) { n.layers[0].bias[1] = -n.layers[0].bias[1]; }));
  EXPECT_TRUE(changed([](Network& n) { n.layers[0].padding = 2; }));
  EXPECT_TRUE(changed([](Network& n) { n.input_bits = 5; }));
  EXPECT_TRUE(changed([](Network& n) { n.classes = 4; }));
  EXPECT_TRUE(changed([](Network& n) { std::swap(n.layers[3].inputs[0], n.layers[3].inputs[1]); }));
}

TEST(Network, KnowsTheShapeThatEachLayerDelivers) {
  using Shape = std::array<std::uint32_t, 3>;
  EXPECT_THAT(output_shapes(sample()),
              ElementsAre(Shape{4, 12, 10}, Shape{4, 12, 10}, Shape{4, 12, 10}, Shape{4, 12, 10},
                          Shape{4, 6, 5}, Shape{4, 4, 3}, Shape{48, 1, 1}, Shape{3, 1, 1}));
}

struct Refusal {
  std::string name;
  std::function<void(Network&)> spoil;
  std::string message;
};

void PrintTo(const Refusal& refusal, std::ostream* stream) { *stream << refusal.name; }

class NetworkRefusal : public ::testing::TestWithParam<Refusal> {};

TEST_P(NetworkRefusal, NamesThePlaceAndLeavesNoFile) {
  Network network = sample();
  GetParam().spoil(network);
  EXPECT_THAT(message_of([&] { check(network, "here"); }), HasSubstr("here: "));
  EXPECT_THAT(message_of([&] { check(network); }), HasSubstr(GetParam().message));
  EXPECT_THROW(output_shapes(network), core::DataError);
  const TemporaryFolder folder;
  EXPECT_THROW(write_network(network, folder / "a.h5"), core::DataError);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

Layer& at(Network& network, const std::string& name) {
  for (Layer& layer : network.layers) {
    if (layer.name == name) return layer;
  }
  throw std::logic_error(name);
}

const double not_a_number = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Network, NetworkRefusal,
    ::testing::Values(
        Refusal{"NoLayers", [](Network& n) { n.layers.clear(); }, "0 layers"},
        Refusal{"TooManyLayers",
                [](Network& n) { n.layers.insert(n.layers.begin() + 2, 1000, n.layers[1]); },
                "1008 layers"},
        Refusal{"EmptyInput", [](Network& n) { n.input_shape[1] = 0; }, "input_shape 1 x 0 x 10"},
        Refusal{"HugeInput",
                [](Network& n) {
                  n.input_shape = {4096, 4096, 4096};
                },
                "input_shape 4096 x 4096 x 4096"},
        Refusal{"NineInputBits", [](Network& n) { n.input_bits = 9; }, "input_bits 9"},
        Refusal{"WrongClasses", [](Network& n) { n.classes = 4; }, "delivers 3 x 1 x 1"},
        Refusal{"NoName", [](Network& n) { n.layers[0].name = ""; }, "no usable name"},
        Refusal{"NameWithSlash", [](Network& n) { n.layers[0].name = "a/b"; }, "no usable name"},
        Refusal{"NameOfTheInput", [](Network& n) { n.layers[0].name = "input"; }, "no usable name"},
        Refusal{"NameTwice", [](Network& n) { at(n, "pool1").name = "sum"; }, "used twice"},
        Refusal{"ForwardInput", [](Network& n) { at(n, "relu1").inputs = {"conv2"}; },
                "/layers/001_relu1: its input 'conv2' is not an earlier layer"},
        Refusal{"OwnInput", [](Network& n) { at(n, "relu1").inputs = {"relu1"}; },
                "not an earlier layer"},
        Refusal{"UnknownInput", [](Network& n) { at(n, "flat").inputs = {"pool9"}; },
                "its input 'pool9'"},
        Refusal{"NoInput", [](Network& n) { at(n, "flat").inputs.clear(); }, "has 0 inputs"},
        Refusal{"TwoInputs",
                [](Network& n) {
                  at(n, "flat").inputs = {"pool2", "pool1"};
                },
                "has 2 inputs"},
        Refusal{"AddOfOne", [](Network& n) { at(n, "sum").inputs = {"conv2"}; }, "has 1 inputs"},
        Refusal{"AddOfOtherShapes", [](Network& n) { at(n, "sum").inputs[1] = "input"; },
                "differ in shape (4 x 12 x 10 and 1 x 12 x 10)"},
        Refusal{"KernelZero", [](Network& n) { at(n, "pool1").kernel = 0; }, "kernel 0"},
        Refusal{"StrideZero", [](Network& n) { at(n, "pool1").stride = 0; }, "stride 0"},
        Refusal{"PaddingOfAKernel", [](Network& n) { at(n, "pool1").padding = 2; }, "padding 2"},
        Refusal{"KernelBeyondTheInput", [](Network& n) { at(n, "pool1").kernel = 20; },
                "a kernel of 20 does not fit an input of 4 x 12 x 10"},
        Refusal{"HugeKernel", [](Network& n) { at(n, "pool1").kernel = 1000; }, "kernel 1000"},
        Refusal{"ReluWithKernel", [](Network& n) { at(n, "relu1").kernel = 3; },
                "relu has no kernel"},
        Refusal{"ReluWithBits", [](Network& n) { at(n, "relu1").output_bits = 4; },
                "output_bits 4"},
        Refusal{"HiddenLogits", [](Network& n) { at(n, "conv1").output_bits = 0; },
                "/layers/002_conv2: its input 'relu1' delivers real values (convolution takes "
                "levels); put a quantise layer between them"},
        Refusal{"NineOutputBits", [](Network& n) { at(n, "sum").output_bits = 9; },
                "output_bits 9"},
        Refusal{"QuantisedLogits", [](Network& n) { at(n, "logits").output_bits = 4; },
                "0 for the logits"},
        Refusal{"LastLayerWithoutWeights",
                [](Network& n) {
                  n.layers.pop_back();
                  n.classes = 48;
                },
                "not a weighted layer that gives logits"},
        Refusal{"NoWeightBits", [](Network& n) { at(n, "conv1").weight_bits = 0; },
                "weight_bits 0 (1 .. 8)"},
        Refusal{"OtherWeightsOfOneBit", [](Network& n) { at(n, "conv1").weight_bits = 1; },
                "is not of 1 bit (such weights are -1 and 1)"},
        Refusal{"NineWeightBits", [](Network& n) { at(n, "conv1").weight_bits = 9; },
                "weight_bits 9"},
        Refusal{"WeightTooLarge", [](Network& n) { at(n, "conv1").weight[5] = 8; },
                "a weight of 8 does not fit 4 bits (-8 .. 7)"},
        Refusal{"WeightTooSmall", [](Network& n) { at(n, "conv1").weight[5] = -9; },
                "a weight of -9"},
        Refusal{"TooFewWeights", [](Network& n) { at(n, "conv1").weight.pop_back(); },
                "35 weights for a shape of 4 x 1 x 3 x 3"},
        Refusal{"EmptyWeights", [](Network& n) { at(n, "conv1").weight_shape[0] = 0; },
                "weights 0 x 1 x 3 x 3"},
        Refusal{"WeightsBeyondTheLimit",
                [](Network& n) { at(n, "conv1").weight_shape = {4294967295U, 4294967295U, 3, 3}; },
                "at most 67108864"},
        Refusal{"WeightsOfAPool", [](Network& n) { at(n, "pool1").weight.push_back(1); },
                "max_pool has no weights"},
        Refusal{"OtherChannels", [](Network& n) { at(n, "conv2").inputs = {"input"}; },
                "do not fit a kernel of 3 on an input of 1 x 12 x 10"},
        Refusal{"OtherKernel", [](Network& n) { at(n, "conv2").kernel = 2; },
                "do not fit a kernel of 2"},
        Refusal{"OtherInputSize", [](Network& n) { at(n, "flat").inputs = {"pool1"}; },
                "do not fit an input of 120 x 1 x 1"},
        Refusal{"TooFewScales", [](Network& n) { at(n, "conv1").scale.pop_back(); },
                "3 scales and 4 biases (4 and 4 are needed)"},
        Refusal{"NoBias", [](Network& n) { at(n, "pool2").bias.clear(); }, "0 biases"},
        Refusal{"ScaleOfAFlatten", [](Network& n) { at(n, "flat").scale = {1.0}; }, "1 scales"},
        Refusal{"TooManyValuesInAll",
                [](Network& n) {
                  n.input_shape = {1, 4096, 4096};
                  n.layers.erase(n.layers.begin(), n.layers.begin() + 6);
                  for (int i = 0; i < 20; ++i) {
                    n.layers.insert(n.layers.begin() + i,
                                    layer_of(LayerKind::relu, "r" + std::to_string(i),
                                             {i == 0 ? "input" : "r" + std::to_string(i - 1)}));
                  }
                },
                "more than 268435456 values at the outputs in all"},
        Refusal{"ScaleNotANumber", [](Network& n) { at(n, "conv1").scale[2] = not_a_number; },
                "not finite"},
        Refusal{"ScalesWhoseValuesCancel",
                [](Network& n) {
                  at(n, "sum").scale = {1.7e308, -1.7e308};
                },
                "/layers/003_sum: its scales and biases can give a value that is not finite"},
        Refusal{"ScaleThatLeavesTheRangeOfADouble",
                [](Network& n) { at(n, "conv2").scale[1] = -1e300; }, "that is not finite"},
        Refusal{"BiasThatLeavesTheRangeOfADouble",
                [](Network& n) {
                  at(n, "conv2").scale[1] = 1e289;
                  at(n, "conv2").bias[1] = 1.79e308;
                },
                "that is not finite"},
        Refusal{"InfiniteBias", [](Network& n) { at(n, "sum").bias[0] = HUGE_VAL; }, "not finite"}),
    [](const auto& refusal) { return refusal.param.name; });

TEST(Network, AllowsExactlyTheSumsThatFit32Bits) {
  const auto wide = [](std::uint32_t rows, std::uint32_t columns) {
    Network network = sample();
    network.input_shape = {1, rows, columns};
    network.input_bits = 8;
    network.layers = {
        weighted(LayerKind::fully_connected, "logits", "input", {3, rows * columns, 1, 1})};
    network.layers[0].weight_bits = 8;
    network.layers[0].output_bits = 0;
    return network;
  };
  EXPECT_NO_THROW(check(wide(273, 241)));                  // 65793 * 128 * 255 < 2^31
  EXPECT_THAT(message_of([&] { check(wide(134, 491)); }),  // 65794 * 128 * 255 >= 2^31
              HasSubstr("sums of 65794 products of 8-bit weights and 8-bit inputs can overflow"));
}

/// A network file written by hand, so that it can say what write_network refuses to say.
struct HandMade {
  std::string filetype = "cimstat network";
  std::vector<std::int64_t> schema{1, 0};
  std::vector<std::int64_t> input_shape{1, 1, 2};
  std::int64_t input_bits = 4;
  std::string group = "000_logits";
  std::string kind = "fully_connected";
  std::int64_t output_bits = 0;
  core::Shape64 weight_shape{2, 2};
  std::vector<std::int32_t> weight{1, 2, 3, -4};
  core::Shape64 scale_shape{2};
  bool has_scale = true;

  void write(const std::filesystem::path& file) const {
    core::Hdf5Output output(file);
    output.attribute("/", "filetype", filetype);
    output.attribute("/", "schema_version", schema);
    output.attribute("/", "name", "hand-made");
    output.attribute("/", "description", "");
    output.attribute("/", "input_shape", input_shape);
    output.attribute("/", "input_bits", input_bits);
    output.attribute("/", "classes", std::int64_t{2});
    const std::string path = "/layers/" + group;
    output.group(path);
    output.attribute(path, "name", "logits");
    output.attribute(path, "kind", kind);
    output.attribute(path, "inputs", "input");
    for (const auto* name : {"kernel", "stride"}) output.attribute(path, name, std::int64_t{1});
    output.attribute(path, "padding", std::int64_t{0});
    output.attribute(path, "weight_bits", std::int64_t{4});
    output.attribute(path, "output_bits", output_bits);
    output.dataset(path + "/weight", std::span(weight), weight_shape);
    if (has_scale) output.dataset(path + "/scale", std::vector<double>{1, 1}, scale_shape);
    output.dataset(path + "/bias", std::vector<double>{0, 0}, {2});
    output.commit();
  }

  std::string message() const {
    const TemporaryFolder folder;
    write(folder / "a.h5");
    return message_of([&] { read_network(folder / "a.h5"); });
  }
};

TEST(NetworkFile, MayBeWrittenByOthersWithOtherIntegerTypes) {
  EXPECT_EQ(HandMade().message(), "no DataError");
}

TEST(NetworkFile, SaysWhatItRefuses) {
  EXPECT_THAT((HandMade{.filetype = "cimstat table"}.message()),
              HasSubstr("is a file of type 'cimstat table'"));
  EXPECT_THAT((HandMade{.schema = {2, 0}}.message()), HasSubstr("has schema version 2.0"));
  EXPECT_THAT((HandMade{.input_shape = {1, 2}}.message()), HasSubstr("[channels, rows, columns]"));
  EXPECT_THAT((HandMade{.input_shape = {1, -1, 2}}.message()), HasSubstr("'input_shape' is -1"));
  EXPECT_THAT((HandMade{.input_bits = std::int64_t{1} << 40}.message()),
              HasSubstr("'input_bits' is 1099511627776"));
  EXPECT_THAT((HandMade{.group = "001_logits"}.message()),
              HasSubstr("/layers/001_logits: is not called 000_logits"));
  EXPECT_THAT((HandMade{.kind = "hardtanh"}.message()),
              HasSubstr("/layers/000_logits: is of the unknown kind 'hardtanh'"));
  EXPECT_THAT((HandMade{.kind = "softmax"}.message()),
              HasSubstr("/layers/000_logits: is of kind 'softmax' (the file is of version 1.0, and "
                        "1.3 brought this)"));
  EXPECT_THAT((HandMade{.kind = "convolution"}.message()),
              HasSubstr("/layers/000_logits/weight: has 2 axes (4 of convolution are needed)"));
  EXPECT_THAT((HandMade{.weight = {1, 2, 3, 300}}.message()), HasSubstr("holds 300"));
  EXPECT_THAT((HandMade{.weight = {1, 2, 3, 100}}.message()), HasSubstr("a weight of 100"));
  EXPECT_THAT((HandMade{.input_shape = {1, 1, 3}}.message()), HasSubstr("do not fit an input"));
  EXPECT_THAT((HandMade{.scale_shape = {2, 1}}.message()), HasSubstr("is not one-dimensional"));
  EXPECT_THAT((HandMade{.has_scale = false}.message()), HasSubstr("0 scales"));
}

TEST(NetworkFile, NeverGivesAnotherNetworkWhenItIsDamaged) {
  const TemporaryFolder folder;
  write_network(sample(), folder / "a.h5");
  std::vector<char> bytes = bytes_of(folder / "a.h5");
  const char* step_text = std::getenv("CIMSTAT_TEST_DAMAGE_STEP");
  const std::size_t step = step_text == nullptr ? 29 : std::stoul(step_text);
  for (std::size_t place = 0; place < bytes.size(); place += step) {
    const char before = bytes[place];
    bytes[place] = static_cast<char>(bytes[place] ^ 0x10);
    write_bytes(folder / "b.h5", bytes);
    bytes[place] = before;
    try {
      expect_equal(read_network(folder / "b.h5"), sample());
    } catch (const core::DataError&) {
    }
    ASSERT_FALSE(HasFailure()) << "byte " << place;
  }
  for (std::size_t length = 0; length < bytes.size(); length += 131) {
    write_bytes(folder / "b.h5",
                {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_THROW(read_network(folder / "b.h5"), core::DataError) << length;
  }
}

}  // namespace
}  // namespace cimstat::experiments
