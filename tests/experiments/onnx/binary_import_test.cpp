/// Networks of binary weights and signs against the models that they were made of.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/onnx/import_model.h"
#include "tests/experiments/onnx/import_check.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/experiments/onnx/plain_model.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::integer_scores;
using fixtures::options_of;
using fixtures::random_images;
using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::PlainModel;
using tests::set;
using tests::TemporaryFolder;

class Numbers {
 public:
  explicit Numbers(std::uint32_t seed) : random_(seed) {}
  std::vector<float> normal(std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal_(random_);
    return values;
  }
  /// +-one number of each output, of which no sum is 1.
  std::vector<float> signs(std::size_t outputs, std::size_t each) {
    std::vector<float> values;
    for (std::size_t output = 0; output < outputs; ++output) {
      const float magnitude = 0.3f * static_cast<float>(1 + output % 3);
      for (std::size_t i = 0; i < each; ++i) {
        values.push_back(random_() % 2 == 0 ? magnitude : -magnitude);
      }
    }
    return values;
  }

 private:
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
};

void add_norm(ModelBuilder& builder, Numbers& numbers, const std::string& from,
              const std::string& to, std::int64_t channels) {
  const auto count = static_cast<std::size_t>(channels);
  std::vector<float> variance = numbers.normal(count);
  for (float& value : variance) value = 1.0f + value * value;
  builder.reals(to + "s", {channels}, numbers.normal(count));
  builder.reals(to + "b", {channels}, numbers.normal(count));
  builder.reals(to + "m", {channels}, numbers.normal(count));
  builder.reals(to + "v", {channels}, variance);
  builder.node("BatchNormalization", {from, to + "s", to + "b", to + "m", to + "v"}, {to});
}

/// As XNOR-Net has it: convolution, norm, sign, convolution of signs and binary weights, padded,
/// with pools, a sum of two maps of signs and a ReLU of one.
ModelBuilder binary_model(std::uint32_t seed) {
  Numbers numbers(seed);
  ModelBuilder builder;
  builder.input("image", {1, 2, 6, 6}).output("scores");
  const auto convolution = [&](const std::string& from, const std::string& name,
                               std::int64_t outputs, std::int64_t inputs) {
    const auto each = static_cast<std::size_t>(inputs * 9);
    builder.reals("w" + name, {outputs, inputs, 3, 3},
                  numbers.signs(static_cast<std::size_t>(outputs), each));
    onnx::NodeProto& node = builder.node("Conv", {from, "w" + name}, {name});
    set(node, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  };
  convolution("image", "c1", 5, 2);
  add_norm(builder, numbers, "c1", "n1", 5);
  builder.node("Sign", {"n1"}, {"s1"});
  convolution("s1", "c2", 4, 5);
  add_norm(builder, numbers, "c2", "n2", 4);
  builder.node("Sign", {"n2"}, {"s2"});
  onnx::NodeProto& pool = builder.node("MaxPool", {"s2"}, {"p2"});
  set(pool, "kernel_shape", std::vector<std::int64_t>{3, 3});
  set(pool, "strides", std::vector<std::int64_t>{1, 1});
  set(pool, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  convolution("p2", "c3", 4, 4);
  builder.node("Add", {"c3", "s2"}, {"a3"});
  builder.node("Sign", {"a3"}, {"s3"});
  builder.node("Relu", {"s3"}, {"r3"});
  convolution("r3", "c4", 4, 4);
  add_norm(builder, numbers, "c4", "n4", 4);
  builder.node("Sign", {"n4"}, {"s4"});
  builder.node("Flatten", {"s4"}, {"f"});
  builder.reals("w5", {3, 144}, numbers.signs(3, 144));
  builder.reals("b5", {3}, numbers.normal(3));
  onnx::NodeProto& last = builder.node("Gemm", {"f", "w5", "b5"}, {"scores"}, "last");
  set(last, "transB", std::int64_t{1});
  return builder;
}

QuantiseOptions binary_options(std::size_t channels) {
  QuantiseOptions options = options_of(4, 0);
  options.weights = {WeightRule::binary, WeightScale::per_channel, 1};
  options.image = {std::vector<double>(channels, 0.0), std::vector<double>(channels, 1.0)};
  return options;
}

std::vector<double> plain_scores(const ModelBuilder& builder, const ImageSet& images,
                                 std::size_t index, double mean, double deviation) {
  std::vector<double> image;
  for (const std::uint8_t pixel : images.image(index)) {
    image.push_back((pixel / 255.0 - mean) / deviation);
  }
  return PlainModel(builder.model).run(image);
}

// Weights that are +-s of each channel lose nothing: all is as in the model, written out in loops.
TEST(BinaryImport, KeepsAModelOfBinaryWeightsAndSignsAsItIs) {
  const TemporaryFolder folder;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    const ModelBuilder builder = binary_model(seed);
    builder.write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const ImageSet images = random_images(model, 12);
    const Network network = import_model(model, images, binary_options(2), {1});
    std::size_t of_signs = 0;
    for (const Layer& layer : network.layers) {
      if (!is_weighted(layer.kind)) continue;
      EXPECT_EQ(layer.weight_bits, 1u);
      EXPECT_TRUE(layer.padding_level.empty());
      of_signs += layer.input_values == InputValues::signs ? 1U : 0U;
    }
    EXPECT_EQ(of_signs, 3u);  // not the image, nor the ReLU of signs
    for (std::size_t image = 0; image < images.size(); ++image) {
      const std::vector<double> integer = integer_scores(network, images.image(image));
      const std::vector<double> plain = plain_scores(builder, images, image, 0.0, 1.0);
      ASSERT_EQ(integer.size(), plain.size());
      for (std::size_t i = 0; i < plain.size(); ++i) {
        ASSERT_NEAR(integer[i], plain[i], 1e-6) << "seed " << seed << ", image " << image;
      }
    }
  }
}

// Two levels about the mean are signs, and zeros beyond the edge are neither.
TEST(BinaryImport, TakesImagesOfOneBitForSigns) {
  Numbers numbers(4);
  ModelBuilder builder;
  builder.input("image", {1, 2, 5, 5}).output("scores");
  builder.reals("w1", {6, 2, 3, 3}, numbers.signs(6, 18));
  builder.reals("b1", {6}, {0.1f, -0.1f, 0.1f, 0.1f, -0.1f, 0.1f});  // no sum is 0
  onnx::NodeProto& first = builder.node("Conv", {"image", "w1", "b1"}, {"a"});
  set(first, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  builder.node("Sign", {"a"}, {"b"});
  builder.node("Flatten", {"b"}, {"c"});
  builder.reals("w2", {3, 150}, numbers.signs(3, 150));
  onnx::NodeProto& last = builder.node("Gemm", {"c", "w2"}, {"scores"}, "last");
  set(last, "transB", std::int64_t{1});
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  ImageSet images = random_images(model, 20);
  for (std::uint8_t& pixel : images.pixels) pixel = pixel < 128 ? 0 : 255;
  QuantiseOptions options = binary_options(2);
  options.input_bits = 1;
  options.image = {{0.5, 0.5}, {0.5, 0.5}};
  const Network network = import_model(model, images, options, {1});
  EXPECT_EQ(network.layers[0].input_values, InputValues::signs);
  EXPECT_TRUE(network.layers[0].padding_level.empty());
  for (std::size_t image = 0; image < images.size(); ++image) {
    const std::vector<double> plain = plain_scores(builder, images, image, 0.5, 0.5);
    const std::vector<double> integer = integer_scores(network, images.image(image));
    for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(integer[i], plain[i], 1e-6);
  }
  const Layer& conv = network.layers[0];
  EXPECT_NEAR(conv.scale[0], 0.3, 1e-6);
  EXPECT_NEAR(conv.scale[2], 0.9, 1e-6);
}

/// Two convolutions, one right behind the other, so that what lies between has a sign.
ModelBuilder signed_model() {
  Numbers numbers(9);
  ModelBuilder builder;
  builder.input("image", {1, 1, 5, 5}).output("scores");
  builder.reals("w1", {4, 1, 3, 3}, numbers.normal(36));
  builder.reals("w2", {3, 4, 3, 3}, numbers.normal(108));
  builder.node("Conv", {"image", "w1"}, {"a"}, "first");
  builder.node("Conv", {"a", "w2"}, {"b"}, "second");
  builder.node("Flatten", {"b"}, {"f"});
  builder.reals("w3", {2, 3}, numbers.normal(6));
  onnx::NodeProto& last = builder.node("Gemm", {"f", "w3"}, {"scores"}, "last");
  set(last, "transB", std::int64_t{1});
  return builder;
}

TEST(BinaryImport, MakesSignsOfActivationsWithASignAtOneBit) {
  const ModelBuilder builder = signed_model();
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  QuantiseOptions options = options_of(8, 0);
  options.image = {{0.5}, {0.3}};
  options.activation_bits = 1;
  const ImageSet images = random_images(model, 30);
  const Network network = import_model(model, images, options, {1});
  const Layer& levels = network.layers[1];
  ASSERT_EQ(levels.name, "first_signs");
  EXPECT_EQ(levels.output_bits, 1u);
  EXPECT_EQ(levels.bias[0], 0.5);
  EXPECT_EQ(network.layers[2].input_values, InputValues::signs);
  // 2 s is the step, s the mean magnitude of the first layer's values.
  const PlainModel plain(builder.model);
  const std::vector<double>& weights = plain.constant("w1").values;
  double sum = 0.0;
  std::size_t count = 0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    std::vector<double> pixels;
    for (const std::uint8_t pixel : images.image(image)) {
      pixels.push_back((pixel / 255.0 - 0.5) / 0.3);
    }
    for (std::size_t o = 0; o < 4; ++o) {
      for (std::size_t p = 0; p < 9; ++p) {
        double value = 0.0;
        for (std::size_t k = 0; k < 9; ++k) {
          value += weights[9 * o + k] * pixels[(p / 3 + k / 3) * 5 + p % 3 + k % 3];
        }
        sum += std::abs(value);
        ++count;
      }
    }
  }
  EXPECT_NEAR(1.0 / levels.scale[0], 2.0 * sum / static_cast<double>(count),
              0.01 * sum / static_cast<double>(count));
}

TEST(BinaryImport, TakesStoredWeightsOfOneMagnitudeForOneBit) {
  const auto bits_of_network = [](int of_first) {
    std::mt19937 random(5);
    ModelBuilder builder;
    builder.input("image", {1, 1, 3, 3}).output("scores");
    onnx::TensorProto& weights = builder.constant("w", {2, 1, 3, 3}, onnx::TensorProto::INT8);
    weights.add_int32_data(of_first);
    for (int i = 1; i < 18; ++i) weights.add_int32_data(random() % 2 == 0 ? -1 : 1);
    builder.reals("step", {}, {0.05f});
    builder.reals("pixel", {}, {1.0f / 255.0f});
    builder.constant("zero", {}, onnx::TensorProto::UINT8).add_int32_data(0);
    builder.node("QuantizeLinear", {"image", "pixel", "zero"}, {"p"});
    builder.node("DequantizeLinear", {"p", "pixel", "zero"}, {"x"});
    builder.node("DequantizeLinear", {"w", "step"}, {"wx"});
    builder.node("Conv", {"x", "wx"}, {"scores"});
    const TemporaryFolder folder;
    builder.write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const Network network = import_quantised_model(model, {{0.0}, {1.0}});
    const ImageSet images = random_images(model, 4);
    for (std::size_t image = 0; image < images.size(); ++image) {
      const std::vector<double> plain = plain_scores(builder, images, image, 0.0, 1.0);
      const std::vector<double> integer = integer_scores(network, images.image(image));
      for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(integer[i], plain[i], 1e-6);
    }
    return network.layers[0].weight_bits;
  };
  EXPECT_EQ(bits_of_network(1), 1u);
  EXPECT_EQ(bits_of_network(0), 2u);
  EXPECT_EQ(bits_of_network(-2), 2u);
  EXPECT_EQ(bits_of_network(2), 3u);
}

TEST(BinaryImport, PutsTheLevelOf0IntoTheMiddleWhereAskedTo) {
  const ModelBuilder builder = signed_model();
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  QuantiseOptions options = options_of(8, 0);
  options.image = {{0.5}, {0.3}};
  options.activation_bits = 5;
  options.zero_level = ZeroLevel::middle;
  const ImageSet images = random_images(model, 30);
  const Network network = import_model(model, images, options, {1});
  const Layer& levels = network.layers[1];
  ASSERT_EQ(levels.name, "first_levels");
  EXPECT_EQ(levels.bias[0], 16.0);
  options.zero_level = ZeroLevel::of_range;
  const Layer other = import_model(model, images, options, {1}).layers[1];
  // 31 steps over the range, or 15 over its larger side.
  const double width = 31.0 / other.scale[0];
  const double larger = std::max(other.bias[0], 31.0 - other.bias[0]) / other.scale[0];
  EXPECT_NEAR(15.0 / levels.scale[0], larger, 0.6 / other.scale[0]);
  EXPECT_GT(width, larger);
}

TEST(BinaryImport, KeepsTheOuterLayersBits) {
  const TemporaryFolder folder;
  binary_model(1).write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  QuantiseOptions options = binary_options(2);
  options.weights = {WeightRule::ternary, WeightScale::per_layer, 2};
  options.outer_weight_bits = 6;
  const Network network = import_model(model, random_images(model, 4), options, {1});
  std::vector<std::uint32_t> bits;
  for (const Layer& layer : network.layers) {
    if (is_weighted(layer.kind)) bits.push_back(layer.weight_bits);
  }
  EXPECT_EQ(bits, (std::vector<std::uint32_t>{6, 2, 2, 2, 6}));
}

TEST(BinaryImport, RefusesSignsWhereTheyHaveNoPlace) {
  const TemporaryFolder folder;
  const auto message = [&](const ModelBuilder& builder) -> std::string {
    builder.write(folder / "model.onnx");
    try {
      const OnnxModel model(folder / "model.onnx");
      QuantiseOptions options = binary_options(1);
      import_model(model, random_images(model, 4), options, {1});
    } catch (const core::DataError& error) {
      return error.what();
    }
    return "no DataError";
  };
  ModelBuilder at_the_end = signed_model();
  at_the_end.model.mutable_graph()->mutable_node(3)->set_output(0, "g");
  at_the_end.node("Sign", {"g"}, {"scores"});
  EXPECT_THAT(message(at_the_end), HasSubstr("its last layer is no matrix product"));
  ModelBuilder of_the_image = signed_model();
  of_the_image.model.mutable_graph()->mutable_node(0)->set_input(0, "s");
  of_the_image.node("Sign", {"image"}, {"s"}, "early");
  EXPECT_THAT(message(of_the_image), HasSubstr("layer 'early': works on the image itself"));
  ModelBuilder of_levels = signed_model();
  of_levels.model.mutable_graph()->mutable_node(1)->set_input(0, "s");
  of_levels.node("Relu", {"a"}, {"r"});
  of_levels.node("Sign", {"r"}, {"s"}, "late");
  EXPECT_THAT(message(of_levels),
              HasSubstr("layer 'late': takes the signs of what has none (levels from 0 on are its "
                        "input)"));
  ModelBuilder padded_mean = signed_model();
  padded_mean.model.mutable_graph()->mutable_node(1)->set_input(0, "m");
  padded_mean.node("Sign", {"a"}, {"s"});
  onnx::NodeProto& mean = padded_mean.node("AveragePool", {"s"}, {"m"}, "mean");
  set(mean, "kernel_shape", std::vector<std::int64_t>{3, 3});
  set(mean, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  set(mean, "count_include_pad", std::int64_t{1});
  EXPECT_THAT(message(padded_mean), HasSubstr("layer 'mean': pads signs"));
}

}  // namespace
}  // namespace cimstat::experiments
