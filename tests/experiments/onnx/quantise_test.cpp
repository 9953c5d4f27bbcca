/// Networks of integers against the models that they were made of.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"
#include "tests/experiments/onnx/import_check.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::integer_scores;
using fixtures::options_of;
using fixtures::random_images;
using fixtures::relative_error;
using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::set;
using tests::TemporaryFolder;

std::string fixture(const std::string& name) {
  return std::string(CIMSTAT_MODELS) + "/" + name + ".onnx";
}

/// A second convolution right behind the first: its input has a sign and gets a level for 0.
ModelBuilder signed_model() {
  ModelBuilder builder;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const auto draw = [&](std::size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  };
  builder.input("image", {1, 3, 6, 6}).output("scores");
  builder.reals("w1", {6, 1, 3, 3}, draw(54));  // each channel of the image on its own
  builder.reals("w2", {4, 6, 3, 3}, draw(216));
  builder.reals("w3", {3, 4}, draw(12));
  builder.reals("b3", {3}, draw(3));
  onnx::NodeProto& first = builder.node("Conv", {"image", "w1"}, {"a"}, "first");
  set(first, "group", std::int64_t{3});
  set(first, "pads", std::vector<std::int64_t>{1, 0, 1, 2});
  onnx::NodeProto& second = builder.node("Conv", {"a", "w2"}, {"b"}, "second");
  set(second, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  builder.node("GlobalAveragePool", {"b"}, {"c"});
  builder.node("Flatten", {"c"}, {"d"});
  onnx::NodeProto& last = builder.node("Gemm", {"d", "w3", "b3"}, {"scores"}, "last");
  set(last, "transB", std::int64_t{1});
  return builder;
}

TEST(Quantise, EightBitsAnswerAsTheModelsDo) {
  for (const char* name : {"plain", "residual"}) {
    const OnnxModel model(fixture(name));
    EXPECT_LT(relative_error(model, options_of(8, 3)), 0.04) << name;
    EXPECT_GT(relative_error(model, options_of(2, 3)), 0.2) << name;  // the twin
  }
}

TEST(Quantise, InputsWithASignGetALevelForZeroAndPaddingTakesIt) {
  const TemporaryFolder folder;
  signed_model().write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  EXPECT_LT(relative_error(model, options_of(8, 3)), 0.04);
  const Network network = import_model(model, random_images(model, 8), options_of(8, 3), {1});
  ASSERT_EQ(network.layers[1].name, "first_levels");
  EXPECT_EQ(network.layers[1].kind, LayerKind::quantise);
  EXPECT_EQ(network.layers[0].padding_level.size(), 3U);
  const auto zero = static_cast<std::uint8_t>(network.layers[1].bias[0]);
  EXPECT_GT(zero, 0);
  EXPECT_EQ(network.layers[2].padding_level, std::vector<std::uint8_t>(6, zero));
}

TEST(Quantise, WholeWeightsOnWholePixelsAreKeptToTheLastBit) {
  ModelBuilder builder;
  std::mt19937 random(11);
  std::vector<float> weights(2 * 2 * 9);
  for (float& weight : weights) weight = static_cast<float>(static_cast<int>(random() % 255) - 127);
  weights[0] = weights[18] = 127.0f;
  builder.input("image", {1, 2, 3, 3}).output("scores");
  builder.reals("w", {2, 2, 3, 3}, weights);
  builder.reals("b", {2}, {5.0f, -3.0f});
  builder.node("Conv", {"image", "w", "b"}, {"scores"});
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  QuantiseOptions options = options_of(8, 0);
  options.image = {{0.0, 0.0}, {1.0 / 255.0, 1.0 / 255.0}};
  const ImageSet images = random_images(model, 8);
  const Network network = import_model(model, images, options, {1});
  for (std::size_t image = 0; image < images.size(); ++image) {
    const std::span<const std::uint8_t> pixels = images.image(image);
    const std::vector<double> scores = integer_scores(network, pixels);
    for (std::size_t output = 0; output < 2; ++output) {
      int sum = output == 0 ? 5 : -3;
      for (std::size_t i = 0; i < 18; ++i) {
        sum += static_cast<int>(weights[18 * output + i]) * pixels[i];
      }
      EXPECT_EQ(scores[output], sum);
    }
  }
}

TEST(Quantise, TheSameForAnyNumberOfThreads) {
  const OnnxModel model(fixture("residual"));
  const ImageSet images = random_images(model, 20);
  for (const RangeRule rule : {RangeRule::largest, RangeRule::percentile, RangeRule::mean_square}) {
    QuantiseOptions options = options_of(4, 3);
    options.calibration.rule = rule;
    EXPECT_EQ(content_hash(import_model(model, images, options, {1})),
              content_hash(import_model(model, images, options, {3})));
  }
}

TEST(Quantise, LayersShareOneStepWhereAskedFor) {
  const OnnxModel model(fixture("plain"));
  QuantiseOptions options = options_of(4, 3);
  options.weights.scale = WeightScale::per_layer;
  const Network network = import_model(model, random_images(model, 8), options, {1});
  const Layer& last = network.layers.back();
  EXPECT_EQ(std::count(last.scale.begin(), last.scale.end(), last.scale[0]),
            static_cast<std::ptrdiff_t>(last.scale.size()));
}

TEST(Calibration, RangesFollowTheirRule) {
  // Half-normal values with one far outlier.
  ValueHistogram histogram{0.0, 100.0, std::vector<std::uint64_t>(2048)};
  for (int i = 0; i < 205; ++i) {
    histogram.counts[static_cast<std::size_t>(i)] =
        static_cast<std::uint64_t>(1e6 * std::exp(-0.5 * (i / 50.0) * (i / 50.0)));
  }
  histogram.counts.back() = 1;
  CalibrationOptions options{.rule = RangeRule::largest, .percentile = 99.0, .images = 1};
  EXPECT_EQ(range_of(histogram, options, 4).largest, 100.0);
  options.rule = RangeRule::percentile;
  // 2.576 standard deviations of 50 bins of 100 / 2048.
  EXPECT_NEAR(range_of(histogram, options, 4).largest, 2.576 * 50 * 100.0 / 2048, 0.1);
  options.rule = RangeRule::mean_square;
  const double four = range_of(histogram, options, 4).largest;
  const double eight = range_of(histogram, options, 8).largest;
  EXPECT_LT(four, eight);
  EXPECT_LT(eight, 20.0);
  EXPECT_EQ(range_of(histogram, options, 4).least, 0.0);
}

std::string refusal(const ModelBuilder& builder) {
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  try {
    const OnnxModel model(folder / "model.onnx");
    import_model(model, random_images(model, 4), options_of(4, 3), {1});
  } catch (const core::DataError& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), line.npos);
    return line;
  }
  return {};
}

/// A convolution, what `more` adds behind its output "y", and a matrix product of "z".
ModelBuilder between(const std::function<void(ModelBuilder&)>& more) {
  ModelBuilder builder;
  builder.input("image", {1, 3, 4, 4}).output("scores");
  builder.reals("w", {3, 3, 1, 1}, {1, 2, 3, -1, 2, 1, 0, 1, 1});
  builder.reals("c", {1, 3, 1, 1}, {1, 2, 3});
  builder.reals("v", {48, 2}, std::vector<float>(96, 0.5f));
  builder.node("Conv", {"image", "w"}, {"y"}, "first");
  more(builder);
  builder.node("Flatten", {"z"}, {"flat"});
  builder.node("MatMul", {"flat", "v"}, {"scores"}, "last");
  return builder;
}

TEST(Quantise, NamesWhatIsNotFinite) {
  EXPECT_THAT(refusal(between([](ModelBuilder& builder) {
                builder.reals("w2", {3, 3, 1, 1}, std::vector<float>(9, 3e38f));
                builder.node("Relu", {"y"}, {"r"});
                builder.node("Conv", {"r", "w2"}, {"z"});
              })),
              HasSubstr("tensor 'z': takes values that are not finite (on the images"));
}

TEST(PlainGraph, FoldsBiasesAndFactorsOfChannels) {
  EXPECT_EQ(refusal(between([](ModelBuilder& builder) {
              builder.node("Mul", {"y", "c"}, {"a"});
              builder.node("Add", {"c", "a"}, {"b"});
              builder.node("Relu", {"b"}, {"z"});
            })),
            "");
}

TEST(PlainGraph, NamesWhatItCanNotLayOut) {
  const auto one = [](const std::string& kind, const std::vector<std::string>& inputs) {
    return [=](ModelBuilder& builder) {
      builder.node("Relu", {"y"}, {"r"}, "second");
      builder.node(kind, inputs, {"z"}, "third");
    };
  };
  EXPECT_THAT(refusal(between(one("Mul", {"r", "y"}))),
              HasSubstr("node 'third' (Mul): combines two layers"));
  EXPECT_THAT(refusal(between(one("Tanh", {"r"}))),
              HasSubstr("node 'third' (Tanh): can't be laid out yet"));
  EXPECT_THAT(refusal(between([](ModelBuilder& builder) {
                builder.reals("low", {}, {-1.0f});
                builder.node("Clip", {"y", "low"}, {"z"}, "third");
              })),
              HasSubstr("node 'third' (Clip): doesn't begin at 0"));
  EXPECT_THAT(refusal(between([](ModelBuilder& builder) {
                builder.reals("low", {}, {0.0f});
                builder.reals("high", {}, {1.0f});
                builder.node("Clip", {"y", "low", "high"}, {"r"}, "third");
                builder.node("Add", {"r", "y"}, {"z"});
              })),
              HasSubstr("layer 'third': is a ReLU with an end that shares its input"));
  EXPECT_THAT(refusal(between([](ModelBuilder& builder) {
                onnx::NodeProto& pool = builder.node("MaxPool", {"image"}, {"m"}, "third");
                set(pool, "kernel_shape", std::vector<std::int64_t>{1, 1});
                builder.node("Add", {"m", "y"}, {"z"});
              })),
              HasSubstr("layer 'third': works on the image itself"));
  EXPECT_THAT(
      refusal(between([](ModelBuilder& builder) {
        builder.reals("one", {3}, {1.0f, 1.0f, 1.0f});
        builder.reals("below", {3}, {1.0f, -2.0f, 1.0f});
        builder.node("BatchNormalization", {"y", "one", "one", "one", "below"}, {"z"}, "third");
      })),
      HasSubstr("node 'third' (BatchNormalization): gives numbers that are not finite"));
  ModelBuilder ends = tests::small_model();
  EXPECT_THAT(refusal(ends), HasSubstr("its last layer is no matrix product or convolution"));
}

}  // namespace
}  // namespace cimstat::experiments
