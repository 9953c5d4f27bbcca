/// Models that hold levels and scales of their own, against loops over their graphs.
#include "experiments/onnx/stored_scales.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/experiments/onnx/plain_model.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::PlainModel;
using tests::set;
using tests::TemporaryFolder;

constexpr auto int8 = onnx::TensorProto::INT8;
constexpr auto uint8 = onnx::TensorProto::UINT8;

/// A quantised model, node by node; tensors get names of their own.
class Quantised : public ModelBuilder {
 public:
  explicit Quantised(const std::vector<std::int64_t>& image = {1, 3, 8, 8}) {
    input("image", image).output("scores");
  }

  std::string real(double value) {
    reals(fresh(), {}, {static_cast<float>(value)});
    return name_;
  }
  std::string reals_of(const std::vector<double>& values) {
    reals(fresh(), {static_cast<std::int64_t>(values.size())},
          std::vector<float>(values.begin(), values.end()));
    return name_;
  }
  std::string whole_of(onnx::TensorProto::DataType type, const std::vector<std::int64_t>& shape,
                       const std::vector<int>& values) {
    onnx::TensorProto& tensor = constant(fresh(), shape, type);
    for (const int value : values) tensor.add_int32_data(value);
    return name_;
  }
  std::string draw(onnx::TensorProto::DataType type, const std::vector<std::int64_t>& shape,
                   int lowest, int highest) {
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    std::vector<int> values(static_cast<std::size_t>(count));
    const auto levels = static_cast<unsigned>(highest - lowest + 1);
    for (int& value : values) value = lowest + static_cast<int>(random_() % levels);
    return whole_of(type, shape, values);
  }
  std::string then(const std::string& kind, const std::vector<std::string>& inputs) {
    last_ = &node(kind, inputs, {fresh()}, kind + "_" + name_);
    return name_;
  }
  onnx::NodeProto& last() { return *last_; }

  /// QuantizeLinear, Clip to the limits if there are any, DequantizeLinear.
  std::string levels(const std::string& x, double scale, int zero = 0,
                     std::optional<std::pair<int, int>> limits = {},
                     onnx::TensorProto::DataType type = uint8) {
    const std::string step = real(scale);
    const std::string origin = whole_of(type, {}, {zero});
    std::string result = then("QuantizeLinear", {x, step, origin});
    if (limits) {
      result = then("Clip", {result, whole_of(type, {}, {limits->first}),
                             whole_of(type, {}, {limits->second})});
    }
    return then("DequantizeLinear", {result, step, origin});
  }
  /// Levels of so many bits, a scale for each place of the axis.
  std::string weights(const std::vector<std::int64_t>& shape, int top, std::int64_t axis = 0) {
    const auto outputs = static_cast<std::size_t>(shape[static_cast<std::size_t>(axis)]);
    std::vector<double> scales(outputs);
    for (double& scale : scales) scale = 0.01 + 1e-6 * static_cast<double>(random_() % 90000);
    const std::string levels = draw(int8, shape, -top, top);
    names.push_back(levels);
    const std::string step = reals_of(scales);
    then("DequantizeLinear", {levels, step});
    set(last(), "axis", axis);
    return name_;
  }
  std::string convolution(const std::string& x, const std::string& weight, std::int64_t padding,
                          const std::string& bias = {}) {
    then("Conv", bias.empty() ? std::vector{x, weight} : std::vector{x, weight, bias});
    set(last(), "pads", std::vector<std::int64_t>(4, padding));
    return name_;
  }
  /// A pool of 2 x 2.
  std::string pool(const std::string& kind, const std::string& x, std::int64_t padding = 0) {
    then(kind, {x});
    set(last(), "kernel_shape", std::vector<std::int64_t>{2, 2});
    set(last(), "strides", std::vector<std::int64_t>{2, 2});
    set(last(), "pads", std::vector<std::int64_t>(4, padding));
    return name_;
  }
  /// A matrix product of all that is left; its output is the scores.
  void classify(const std::string& x, std::int64_t inputs, std::int64_t classes = 4) {
    then("MatMul", {then("Flatten", {x}), weights({inputs, classes}, 7, 1)});
    last().set_output(0, "scores");
  }

  std::vector<std::string> names;  ///< of the weights

 private:
  std::string fresh() { return name_ = "n" + std::to_string(++count_); }

  std::string name_;
  int count_ = 0;
  onnx::NodeProto* last_ = nullptr;
  std::mt19937 random_{5};
};

struct Result {
  Network network;
  double largest_error = 0.0;  ///< of a score, relative to the largest; infinite for a wrong answer
};

/// Imports and runs it on images; every score against loops over `graph`.
Result held_against_loops(const onnx::ModelProto& proto, const ImageScale& scale,
                          const onnx::ModelProto& graph) {
  const TemporaryFolder folder;
  ModelBuilder::write(folder / "model.onnx", proto.SerializeAsString());
  const OnnxModel model(folder / "model.onnx");
  Result result{import_quantised_model(model, scale)};
  const PlainModel plain(graph);
  const ForwardPass pass(result.network, {.rows = 64});
  ForwardPass::Workspace workspace = pass.workspace();
  std::mt19937 random(7);
  const auto channels = static_cast<std::size_t>(model.input().shape[1]);
  const auto each = static_cast<std::size_t>(model.input().shape[2] * model.input().shape[3]);
  double largest = 0.0;
  for (int image = 0; image < 40; ++image) {
    std::vector<std::uint8_t> pixels(channels * each);
    std::vector<double> reals(pixels.size());
    for (std::size_t i = 0; i < pixels.size(); ++i) {
      pixels[i] = static_cast<std::uint8_t>(random() >> 24);
      const std::size_t channel = i / each;
      reals[i] = (pixels[i] / 255.0 - scale.mean[channel]) / scale.deviation[channel];
    }
    const std::vector<double> expected = plain.run(reals);
    const std::uint32_t answer = pass.classify(pixels, ExactIntegers{}, {}, workspace);
    if (answer != std::max_element(expected.begin(), expected.end()) - expected.begin()) {
      result.largest_error = std::numeric_limits<double>::infinity();
    }
    EXPECT_EQ(workspace.values.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i]));
      result.largest_error =
          std::max(result.largest_error, std::abs(workspace.values[i] - expected[i]));
    }
  }
  EXPECT_GT(largest, 0.0);
  result.largest_error /= largest;
  return result;
}

Result held_against_loops(const onnx::ModelProto& proto, const ImageScale& scale) {
  return held_against_loops(proto, scale, proto);
}

ImageScale plain_scale(std::size_t channels = 3) {
  return {std::vector<double>(channels, 0.0), std::vector<double>(channels, 1.0)};
}

/// A wrong level anywhere would show at about 1e-3.
constexpr double rounding = 1e-13;

onnx::ModelProto fixture(const std::string& name) {
  std::ifstream stream(std::string(CIMSTAT_MODELS) + "/" + name + ".onnx", std::ios::binary);
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromIstream(&stream));
  return model;
}

std::vector<LayerKind> kinds_of(const Network& network) {
  std::vector<LayerKind> kinds;
  for (const Layer& layer : network.layers) kinds.push_back(layer.kind);
  return kinds;
}

std::vector<const Layer*> weighted_layers(const Network& network) {
  std::vector<const Layer*> layers;
  for (const Layer& layer : network.layers) {
    if (is_weighted(layer.kind)) layers.push_back(&layer);
  }
  return layers;
}

TEST(StoredScales, AResidualNetworkOfFourBitsKeepsItsLevels) {
  const onnx::ModelProto model = fixture("clipped_residual");
  const Result result = held_against_loops(model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  using enum LayerKind;
  EXPECT_THAT(
      kinds_of(result.network),
      ElementsAre(convolution, relu, quantise, convolution, convolution, add, convolution,
                  convolution, convolution, add, relu, average_pool, flatten, fully_connected));
  EXPECT_EQ(result.network.input_bits, 8U);
  const PlainModel plain(model);
  const std::vector<const Layer*> layers = weighted_layers(result.network);
  std::size_t at = 0;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() != "DequantizeLinear" || node.input(0)[0] != 'c') continue;
    EXPECT_EQ(std::vector<double>(layers[at]->weight.begin(), layers[at]->weight.end()),
              plain.constant(node.input(0)).values);
    EXPECT_EQ(layers[at]->weight_bits, 4U);
    ++at;
  }
  EXPECT_EQ(at, layers.size());
}

TEST(StoredScales, WhatPyTorchTrainedWithZeroPointsKeepsThem) {
  const Result result = held_against_loops(fixture("fake_quantised"), plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  EXPECT_EQ(result.network.layers[1].padding_level, std::vector<std::uint8_t>(6, 119));
}

TEST(StoredScales, OneWrongWeightShows) {
  const onnx::ModelProto model = fixture("clipped_residual");
  onnx::ModelProto other = model;
  for (onnx::TensorProto& tensor : *other.mutable_graph()->mutable_initializer()) {
    if (tensor.data_type() != int8 || tensor.dims_size() != 4) continue;
    (*tensor.mutable_raw_data())[7] ^= 1;
    break;
  }
  EXPECT_GT(held_against_loops(model, plain_scale(), other).largest_error, 1e-3);
}

TEST(StoredScales, MaximaBetweenAReluAndItsQuantiserAreTakenOfLevels) {
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  x = model.then("Relu", {model.convolution(x, model.weights({4, 3, 3, 3}, 7), 1)});
  x = model.levels(model.pool("MaxPool", x, 1), 0.07, 0, {{0, 15}});
  model.classify(x, 4 * 5 * 5);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  using enum LayerKind;
  EXPECT_THAT(kinds_of(result.network),
              ElementsAre(convolution, max_pool, flatten, fully_connected));
  EXPECT_EQ(result.network.layers[0].output_bits, 4U);
}

TEST(StoredScales, NormalisationFoldsIntoScalesAndLeavesWeights) {
  Quantised model;
  const std::string bias = model.then(
      "DequantizeLinear", {model.draw(onnx::TensorProto::INT32, {4}, -900, 900), model.real(3e-4)});
  std::string x = model.levels("image", 1.0 / 255);
  x = model.convolution(x, model.weights({4, 3, 3, 3}, 7), 0, bias);
  x = model.then("BatchNormalization",
                 {x, model.reals_of({1.1, -0.8, 0.6, -1.2}), model.reals_of({0.1, 0.3, -0.2, 0.5}),
                  model.reals_of({0.2, -0.1, 0.4, 0.3}), model.reals_of({0.9, 1.3, 0.7, 0.5})});
  x = model.then("Relu", {x});
  model.classify(model.levels(x, 0.09, 0, {{0, 15}}), 4 * 36);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  EXPECT_LT(result.network.layers[0].scale[1], 0.0);
  const auto& stored = PlainModel(model.model).constant(model.names[0]).values;
  const auto& kept = result.network.layers[0].weight;
  EXPECT_EQ(std::vector<double>(kept.begin(), kept.end()), stored);
}

TEST(StoredScales, LevelsOfAnyNumberAreKept) {
  // 255 of int8 without its least one; 15 of 16; a range within uint8.
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  x = model.convolution(x, model.weights({4, 3, 3, 3}, 7), 1);
  x = model.levels(x, 0.004, 0, {{-127, 127}}, int8);
  x = model.convolution(x, model.weights({4, 4, 3, 3}, 3), 1);
  x = model.levels(x, 0.05, 9, {{3, 17}});
  x = model.convolution(x, model.weights({5, 4, 3, 3}, 127), 1);
  x = model.levels(model.then("Relu", {x}), 0.2, 100);
  model.classify(x, 5 * 64);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  const std::vector<const Layer*> layers = weighted_layers(result.network);
  EXPECT_EQ(layers[0]->output_bits, 8U);
  EXPECT_EQ(layers[1]->padding_level, std::vector<std::uint8_t>(4, 127));
  EXPECT_EQ(layers[1]->weight_bits, 3U);
  EXPECT_EQ(layers[1]->output_bits, 4U);
  EXPECT_EQ(layers[2]->padding_level, std::vector<std::uint8_t>(4, 6));
  EXPECT_EQ(layers[2]->weight_bits, 8U);
}

TEST(StoredScales, ClipsOfRealNumbersNarrowTheQuantiserBehindThem) {
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  x = model.convolution(x, model.weights({4, 3, 3, 3}, 7), 1);
  x = model.then("Clip", {x, model.real(0.0), model.real(15 * 0.06)});
  x = model.levels(x, 0.06);
  x = model.convolution(x, model.weights({4, 4, 1, 1}, 7), 0);
  x = model.then("Clip", {x, model.real(-8 * 0.05), model.real(7 * 0.05)});
  x = model.levels(x, 0.05, 0, {}, int8);
  model.classify(x, 4 * 64);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  const std::vector<const Layer*> layers = weighted_layers(result.network);
  EXPECT_EQ(layers[0]->output_bits, 4U);
  EXPECT_EQ(layers[1]->output_bits, 4U);
}

TEST(StoredScales, SumsAndMeansOfLevelsTakeTheirZeroPoints) {
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  const std::string a =
      model.levels(model.convolution(x, model.weights({4, 3, 1, 1}, 7), 0), 0.013, 131);
  const std::string b =
      model.levels(model.convolution(x, model.weights({4, 3, 1, 1}, 7), 0), 0.011, -7, {}, int8);
  x = model.levels(model.then("Add", {a, b}), 0.017, 120);
  x = model.then("Relu", {x});
  x = model.levels(model.pool("AveragePool", x), 0.012, 3);
  x = model.levels(model.pool("MaxPool", x), 0.025, 2);  // from levels to levels
  model.classify(x, 4 * 4);
  EXPECT_LT(held_against_loops(model.model, plain_scale()).largest_error, rounding);
}

TEST(StoredScales, WeightsComeInAnyFormThatExportersWrite) {
  // Real numbers behind QuantizeLinear and Clip; a zero point of 128; a transpose; groups; factors.
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  model.reals("w", {6, 1, 3, 3}, std::vector<float>(54, 0.0f));
  for (int i = 0; i < 54; ++i) {
    model.model.mutable_graph()->mutable_initializer(2)->set_float_data(
        i, static_cast<float>(std::sin(0.37 + 2.1 * i)));
  }
  const std::string step = model.reals_of({0.11, 0.12, 0.13, 0.14, 0.15, 0.16});
  const std::string zeros = model.whole_of(int8, {6}, {0, 0, 0, 0, 0, 0});
  std::string w = model.then("QuantizeLinear", {"w", step, zeros});
  set(model.last(), "axis", std::int64_t{0});
  w = model.then("Clip", {w, model.whole_of(int8, {}, {-3}), model.whole_of(int8, {}, {3})});
  w = model.then("DequantizeLinear", {w, step, zeros});
  set(model.last(), "axis", std::int64_t{0});
  x = model.convolution(x, w, 1);
  set(model.last(), "group", std::int64_t{3});
  x = model.levels(x, 0.02, 128);
  w = model.then("DequantizeLinear", {model.draw(uint8, {4, 384}, 121, 135), model.real(0.02),
                                      model.whole_of(uint8, {}, {128})});
  w = model.then("Transpose", {w});
  x = model.then("Add", {model.then("MatMul", {model.then("Flatten", {x}), w}),
                         model.reals_of({0.5, -0.5, 0.25, 0.1})});
  model.last().set_output(0, "scores");
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  EXPECT_EQ(result.network.layers[0].weight_bits, 3U);
  EXPECT_EQ(result.network.layers.back().weight_bits, 4U);
}

TEST(StoredScales, ScoresThatAreQuantisedThemselvesStayIt) {
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  x = model.then("Flatten", {model.convolution(x, model.weights({5, 3, 8, 8}, 7), 0)});
  x = model.levels(x, 0.0421, 117);
  model.last().set_output(0, "scores");
  EXPECT_LT(held_against_loops(model.model, plain_scale()).largest_error, rounding);
}

TEST(StoredScales, ImagesOfFewerBitsTakeTheNetworksOwnLevels) {
  Quantised model;
  model.classify(model.levels("image", 1.0 / 15, 0, {{0, 15}}), 192);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  EXPECT_EQ(result.network.input_bits, 4U);
  EXPECT_EQ(result.network.layers[0].kind, LayerKind::flatten);
}

TEST(StoredScales, NormalisedImagesAreQuantisedOnce) {
  // Behind the quantiser: into scales and biases. Before it: levels of a layer's own.
  for (const bool before : {true, false}) {
    Quantised model({1, 1, 8, 8});
    std::string x = before ? "image" : model.levels("image", 1.0 / 255);
    x = model.then("Div", {model.then("Sub", {x, model.real(0.286)}), model.real(0.353)});
    if (before) x = model.levels(x, 0.0123, 66);
    x = model.convolution(x, model.weights({3, 1, 3, 3}, 7), before ? 1 : 0);
    model.classify(model.levels(x, 0.05, 7, {{0, 15}}), before ? 192 : 108);
    const Result result = held_against_loops(model.model, plain_scale(1));
    EXPECT_LT(result.largest_error, rounding);
    EXPECT_EQ(result.network.layers[0].kind, before ? LayerKind::quantise : LayerKind::convolution);
  }
}

TEST(StoredScales, ImagesNeedNoQuantiserOfTheirOwn) {
  // What the data set's mean and deviation make of pixels is a number for each of 256 levels.
  Quantised model;
  std::string x = model.convolution("image", model.weights({4, 3, 3, 3}, 7), 0);
  model.classify(model.levels(x, 0.21, 9, {{0, 15}}), 4 * 36);
  const Result result = held_against_loops(model.model, {{0.49, 0.48, 0.44}, {0.25, 0.25, 0.25}});
  EXPECT_LT(result.largest_error, rounding);
}

TEST(StoredScales, EqualQuantisersOfOneMapAreOne) {
  Quantised model;
  std::string x = model.levels("image", 1.0 / 255);
  x = model.then("Relu", {model.convolution(x, model.weights({4, 3, 3, 3}, 7), 1)});
  const auto branch = [&] {
    return model.convolution(model.levels(x, 0.08, 0, {{0, 15}}), model.weights({4, 4, 1, 1}, 7),
                             0);
  };
  const std::string a = branch();
  model.classify(model.levels(model.then("Add", {a, branch()}), 0.05, 120), 256);
  const Result result = held_against_loops(model.model, plain_scale());
  EXPECT_LT(result.largest_error, rounding);
  EXPECT_EQ(result.network.layers[1].inputs, result.network.layers[2].inputs);
  EXPECT_EQ(result.network.layers[0].output_bits, 4U);
}

std::string refusal(const ModelBuilder& builder, const ImageScale& scale = plain_scale()) {
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  try {
    import_quantised_model(OnnxModel(folder / "model.onnx"), scale);
  } catch (const core::DataError& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), line.npos);
    return line;
  }
  return {};
}

/// Levels of the image and a convolution; `more` makes of them what a matrix product takes.
std::string refusal_of(const std::function<std::string(Quantised&, std::string)>& more) {
  Quantised model;
  const std::string x = model.levels("image", 1.0 / 255);
  model.classify(more(model, model.convolution(x, model.weights({3, 3, 1, 1}, 7), 0)), 192);
  return refusal(model);
}

TEST(StoredScales, NamesWhatItCanNotKeep) {
  EXPECT_EQ(refusal_of([](Quantised& model, const std::string& x) { return model.levels(x, 0.1); }),
            "");
  EXPECT_THAT(refusal_of([](Quantised&, const std::string& x) { return x; }),
              HasSubstr("layer 'MatMul_"));
  EXPECT_THAT(refusal_of([](Quantised&, const std::string& x) { return x; }),
              HasSubstr("takes real values (no QuantizeLinear and DequantizeLinear stand"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string zeros = model.whole_of(uint8, {3}, {0, 0, 0});
                const std::string steps = model.reals_of({0.1, 0.2, 0.3});
                return model.then("DequantizeLinear",
                                  {model.then("QuantizeLinear", {x, steps, zeros}), steps, zeros});
              }),
              HasSubstr("(QuantizeLinear): has 3 scales (a map has one step)"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string zero = model.whole_of(uint8, {}, {0});
                const std::string q = model.then("QuantizeLinear", {x, model.real(0.1), zero});
                return model.then("DequantizeLinear", {q, model.real(0.2), zero});
              }),
              HasSubstr("(DequantizeLinear): has another scale or zero point"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                return model.levels(x, 0.1, 0, {{4, 4}});
              }),
              HasSubstr("(QuantizeLinear): leaves one level"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string real = model.reals_of({1, 2, 3, 4, 5, 6, 7, 8, 9});
                model.model.mutable_graph()->mutable_initializer()->rbegin()->add_dims(1);
                auto& dims = *model.model.mutable_graph()->mutable_initializer()->rbegin();
                dims.clear_dims();
                for (const int extent : {3, 3, 1, 1}) dims.add_dims(extent);
                return model.levels(model.convolution(model.levels(x, 0.1), real, 0), 0.1);
              }),
              HasSubstr("(Conv): its weights are real numbers (the model has levels of its own"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string w = model.weights({3, 3, 1, 1}, 7, 1);
                return model.levels(model.convolution(model.levels(x, 0.1), w, 0), 0.1);
              }),
              HasSubstr("(Conv): its weights have a scale for each place of axis 1"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string w =
                    model.then("DequantizeLinear",
                               {model.draw(uint8, {3, 3, 1, 1}, 200, 255), model.real(0.1)});
                return model.levels(model.convolution(model.levels(x, 0.1), w, 0), 0.1);
              }),
              HasSubstr("less its zero point (a weight has at most 8 bits)"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string level = model.levels(x, 0.1, 0, {{2, 17}});
                const std::string w = model.weights({3, 3, 3, 3}, 7);
                return model.levels(model.convolution(level, w, 1), 0.1);
              }),
              HasSubstr("pads with zeros, which none of its input's levels stands for"));
  EXPECT_THAT(
      refusal_of([](Quantised& model, const std::string& x) {
        const std::string zero = model.whole_of(uint8, {}, {0});
        const std::string step = model.real(0.1);
        const std::string q = model.then("QuantizeLinear", {x, step, zero});
        const std::string all = model.then("DequantizeLinear", {q, step, zero});
        const std::string cut = model.then("Clip", {q, zero, model.whole_of(uint8, {}, {7})});
        return model.levels(
            model.then("Add", {all, model.then("DequantizeLinear", {cut, step, zero})}), 0.1);
      }),
      HasSubstr("(Clip): narrows levels that others take as they are"));
  EXPECT_THAT(refusal_of([](Quantised& model, const std::string& x) {
                const std::string clip = model.then("Clip", {x, model.real(0), model.real(1)});
                return model.levels(model.then("Add", {clip, model.levels(clip, 0.1)}), 0.1);
              }),
              HasSubstr("is a Clip whose values others take, too"));
}

TEST(StoredScales, NamesImagesThatDoNotGoWithPixelLevels) {
  Quantised model;
  std::string x = model.then("Div", {model.then("Sub", {"image", "mean"}), "deviation"});
  model.reals("mean", {1, 3, 1, 1}, {0.49f, 0.48f, 0.44f});
  model.reals("deviation", {1, 3, 1, 1}, {0.2f, 0.3f, 0.25f});
  model.classify(model.levels(x, 0.02, 120), 192);
  EXPECT_THAT(refusal(model), HasSubstr("makes levels of the image that are not its pixels'"));
  Quantised unequal;
  unequal.classify("image", 192);
  EXPECT_THAT(refusal(unequal, {{0.1, 0.2, 0.3}, {0.2, 0.3, 0.25}}),
              HasSubstr("takes channels of unequal scales"));
}

TEST(StoredScales, ModelsWithoutAnyAreToldApart) {
  const OnnxModel plain(std::string(CIMSTAT_MODELS) + "/plain.onnx");
  EXPECT_FALSE(holds_scales(plain));
  const OnnxModel quantised(std::string(CIMSTAT_MODELS) + "/clipped_residual.onnx");
  EXPECT_TRUE(holds_scales(quantised));
}

}  // namespace
}  // namespace cimstat::experiments
