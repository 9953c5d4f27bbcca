/// Import with levels that span each image's own maps, against ASiM's formulas on the real weights.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"
#include "tests/experiments/asim_reference.h"
#include "tests/experiments/onnx/dense_model.h"
#include "tests/experiments/onnx/import_check.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::integer_scores;
using fixtures::random_images;
using ::testing::HasSubstr;
using tests::DenseModel;
using tests::ModelBuilder;
using tests::set;
using tests::TemporaryFolder;

std::string fixture(const std::string& name) {
  return std::string(CIMSTAT_MODELS) + "/" + name + ".onnx";
}

QuantiseOptions image_options(const asim::Model& model) {
  QuantiseOptions options;
  options.weights = {WeightRule::largest, WeightScale::per_layer, model.weight_bits};
  options.activation_bits = model.bits;
  options.input_bits = model.input_bits;
  options.calibration.rule = RangeRule::image;
  options.image.mean.assign(static_cast<std::size_t>(model.channels), 0.0);
  options.image.deviation.assign(static_cast<std::size_t>(model.channels), 1.0);
  return options;
}

/// What is stored in single precision.
void round_numbers(asim::Model& model) {
  for (asim::Layer& layer : model.layers) {
    for (auto* numbers : {&layer.weight, &layer.bias}) {
      for (double& number : *numbers) number = static_cast<double>(static_cast<float>(number));
    }
  }
}

std::vector<float> floats(const std::vector<double>& numbers) {
  return {numbers.begin(), numbers.end()};
}

ModelBuilder exported(const asim::Model& model) {
  ModelBuilder builder;
  builder.input("image", {1, model.channels, model.side, model.side}).output("scores");
  std::string from = "image";
  bool is_flat = false;
  for (std::size_t number = 0; number < model.layers.size(); ++number) {
    const asim::Layer& layer = model.layers[number];
    const auto fresh = [&](const std::string& what) { return what + std::to_string(number); };
    const bool linear = layer.kernel == 0;
    if (linear && !is_flat) {
      builder.node("Flatten", {from}, {fresh("flat")});
      from = fresh("flat");
      is_flat = true;
    }
    const auto each = static_cast<std::int64_t>(layer.weight.size()) / layer.outputs;
    const std::vector<std::int64_t> shape =
        linear ? std::vector<std::int64_t>{layer.outputs, each}
               : std::vector<std::int64_t>{layer.outputs, layer.inputs, layer.kernel, layer.kernel};
    builder.reals(fresh("w"), shape, floats(layer.weight));
    builder.reals(fresh("b"), {layer.outputs}, floats(layer.bias));
    const bool last = number + 1 == model.layers.size();
    const std::string to = last ? "scores" : fresh("sum");
    onnx::NodeProto& node = builder.node(linear ? "Gemm" : "Conv", {from, fresh("w"), fresh("b")},
                                         {to}, fresh("layer"));
    if (linear) {
      set(node, "transB", std::int64_t{1});
    } else {
      set(node, "pads", std::vector<std::int64_t>(4, layer.padding));
    }
    from = to;
    if (layer.relu) {
      builder.node("Relu", {from}, {fresh("relu")});
      from = fresh("relu");
    }
    if (!layer.pool) continue;
    onnx::NodeProto& pool = builder.node("MaxPool", {from}, {fresh("pool")});
    set(pool, "kernel_shape", std::vector<std::int64_t>{2, 2});
    set(pool, "strides", std::vector<std::int64_t>{2, 2});
    from = fresh("pool");
  }
  return builder;
}

TEST(ImageRangeImport, GivesAsimsScoresOfTheRealWeights) {
  const TemporaryFolder folder;
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    asim::Model plain = asim::random_model(seed, asim::Signs::rectified);
    round_numbers(plain);
    exported(plain).write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const Network network = import_model(model, image_options(plain));
    const std::vector<std::uint8_t> pixels = asim::random_pixels(plain, seed);
    const ForwardPass pass(network, {.rows = 64, .ties = circuits::Ties::even});
    ForwardPass::Workspace workspace = pass.workspace();
    pass.classify(pixels, ExactIntegers{}, {}, workspace);
    const std::vector<double> expected = asim::run(plain, asim::levels(plain, pixels)).scores;
    double largest = 0.0;
    for (const double score : expected) largest = std::max(largest, std::abs(score));
    ASSERT_EQ(workspace.values.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Weights have no 1e-7 beside the largest.
      ASSERT_NEAR(workspace.values[i], expected[i], 1e-5 * largest) << "seed " << seed;
    }
  }
}

TEST(ImageRangeImport, EveryWeightedLayerButTheFirstReadsLevelsOfEachImage) {
  for (const char* name : {"plain", "residual"}) {
    const OnnxModel model(fixture(name));
    QuantiseOptions options = fixtures::options_of(8, 3);
    options.calibration.rule = RangeRule::image;
    const Network network = import_model(model, options);
    std::size_t first = 0;
    for (const Layer& layer : network.layers) {
      EXPECT_EQ(layer.kind == LayerKind::quantise, has_map_range(layer)) << layer.name;
      EXPECT_EQ(layer.output_bits > 0, has_map_range(layer)) << layer.name;
      if (!is_weighted(layer.kind) || first++ == 0) continue;
      EXPECT_THAT(layer.inputs[0], ::testing::EndsWith("_levels"));
    }
    EXPECT_GT(first, 2U);
  }
}

/// Root mean square error of integer scores over that of the real ones about their mean.
double error_of(const OnnxModel& model, const QuantiseOptions& options) {
  const ImageSet images = random_images(model, 32);
  const Network network = import_model(model, options);
  double error = 0.0;
  double sum = 0.0;
  double square = 0.0;
  double count = 0.0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    const OnnxTensor real = model.run(scaled_image(model, options.image, images, image));
    const std::vector<double> integer = integer_scores(network, images.image(image));
    for (std::size_t i = 0; i < integer.size(); ++i) {
      const auto value = static_cast<double>(real.reals[i]);
      error += (integer[i] - value) * (integer[i] - value);
      sum += value;
      square += value * value;
      count += 1.0;
    }
  }
  return std::sqrt(error / (square - sum * sum / count));
}

TEST(ImageRangeImport, EightBitsAnswerAsTheModelsDo) {
  for (const char* name : {"plain", "residual"}) {
    const OnnxModel model(fixture(name));
    QuantiseOptions options = fixtures::options_of(8, 3);
    options.calibration.rule = RangeRule::image;
    EXPECT_LT(error_of(model, options), 0.04) << name;
    options.weights.bits = options.activation_bits = 2;
    EXPECT_GT(error_of(model, options), 0.2) << name;  // the twin
  }
}

TEST(ImageRangeImport, ClipsAreCutOffBeforeTheirScaleIsTaken) {
  ModelBuilder builder;
  builder.input("image", {1, 1, 1, 1}).output("scores");
  builder.reals("w1", {4, 1, 1, 1}, {-1.0f, 0.25f, 2.5f, 9.0f});
  builder.reals("w2", {4, 4, 1, 1}, {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1});
  builder.reals("low", {}, {0.0f});
  builder.reals("high", {}, {3.0f});
  builder.node("Conv", {"image", "w1"}, {"a"}, "first");
  builder.node("Clip", {"a", "low", "high"}, {"b"}, "clip");
  builder.node("Conv", {"b", "w2"}, {"scores"}, "last");
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  QuantiseOptions options = image_options({.weight_bits = 8, .bits = 8, .layers = {}});
  options.weights.scale = WeightScale::per_channel;
  const Network network = import_model(OnnxModel(folder / "model.onnx"), options);
  const std::vector<double> scores = integer_scores(network, std::vector<std::uint8_t>{255});
  const double expected[] = {0.0, 0.25, 2.5, 3.0};  // of a pixel of 1
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(scores[i], expected[i], 0.5 * 3.0 / 255.0 + 1e-6);
  }
  EXPECT_NEAR(scores[3], 3.0, 1e-6);
}

TEST(ImageRangeImport, JoinedChannelsAreRealValuesBeforeTheirLevels) {
  int imported = 0;
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const TemporaryFolder folder;
    DenseModel(seed, DenseModel::Numbers::real).write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    QuantiseOptions options = fixtures::options_of(8, 2);
    options.calibration.rule = RangeRule::image;
    try {
      EXPECT_LT(error_of(model, options), 0.1) << "seed " << seed;
      ++imported;
    } catch (const core::DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("(the levels of --range image begin there)"));
    }
  }
  EXPECT_GT(imported, 5);
}

std::string refusal_of(const std::filesystem::path& file, std::uint32_t channels) {
  try {
    QuantiseOptions options = fixtures::options_of(4, channels);
    options.calibration.rule = RangeRule::image;
    import_model(OnnxModel(file), options);
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "imported";
}

/// `middle` between two convolutions.
std::string refusal_of_middle(const std::string& kind, const std::vector<std::string>& more = {}) {
  ModelBuilder builder;
  builder.input("image", {1, 1, 4, 4}).output("scores");
  builder.reals("w1", {2, 1, 1, 1}, {1.0f, -1.0f});
  builder.reals("w2", {3, 32}, std::vector<float>(96, 0.5f));
  builder.reals("low", {}, {0.0f});
  builder.reals("high", {}, {6.0f});
  builder.node("Conv", {"image", "w1"}, {"a"}, "first");
  std::vector<std::string> inputs{"a"};
  inputs.insert(inputs.end(), more.begin(), more.end());
  onnx::NodeProto& node = builder.node(kind, inputs, {"b"}, "middle");
  if (kind == "MaxPool") {
    set(node, "kernel_shape", std::vector<std::int64_t>{3, 3});
    set(node, "pads", std::vector<std::int64_t>{1, 1, 1, 1});
  }
  builder.node("Flatten", {"b"}, {"c"});
  onnx::NodeProto& last = builder.node("Gemm", {"c", "w2"}, {"scores"}, "last");
  set(last, "transB", std::int64_t{1});
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const std::string text = refusal_of(folder / "model.onnx", 1);
  const std::size_t at = text.find("layer '");
  return at == std::string::npos ? text : text.substr(at);
}

TEST(ImageRangeImport, RefusesWhatHasNoLevelsFromZeroOn) {
  EXPECT_EQ(refusal_of_middle("Relu"), "imported");
  EXPECT_EQ(refusal_of_middle("Clip", {"low", "high"}), "imported");
  EXPECT_EQ(refusal_of_middle("Identity"),
            "layer 'last': takes values that may be below 0 (the levels of --range image begin "
            "there); calibrate by another --range");
  EXPECT_EQ(refusal_of_middle("MaxPool"),
            "layer 'middle': takes the largest of padded values (they are real with --range image, "
            "and padding is 0); calibrate by another --range");
  EXPECT_THAT(refusal_of(fixture("transformer17"), 3),
              HasSubstr("takes values that may be below 0"));
  EXPECT_THAT(refusal_of(fixture("fake_quantised"), 3), HasSubstr("is quantised already"));
}

}  // namespace
}  // namespace cimstat::experiments
