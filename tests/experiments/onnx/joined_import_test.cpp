/// Joined channels and BatchNormalization that stands alone: what is read, and the integers made of
/// it.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"
#include "tests/experiments/network_reference.h"
#include "tests/experiments/onnx/dense_model.h"
#include "tests/experiments/onnx/import_check.h"
#include "tests/experiments/onnx/plain_model.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using fixtures::integer_scores;
using fixtures::options_of;
using fixtures::random_images;
using fixtures::relative_error;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::DenseModel;
using tests::ModelBuilder;
using tests::PlainModel;
using tests::set;
using tests::TemporaryFolder;

struct RealMap {
  long channels = 0;
  long rows = 0;
  long columns = 0;
  std::vector<double> values;

  double at(long channel, long row, long column) const {
    return values.at(static_cast<std::size_t>((channel * rows + row) * columns + column));
  }
};

double number(const std::vector<double>& list, long place, double otherwise) {
  return list.empty() ? otherwise : list.at(static_cast<std::size_t>(place));
}

/// A window's sum or maximum; `weight` is null for pools.
RealMap slid(const PlainLayer& layer, const RealMap& x) {
  const bool weighted = layer.kind == LayerKind::convolution;
  const long rows = layer.kernel.rows;
  const long columns = layer.kernel.columns;
  RealMap y{.channels = weighted ? long{layer.weight_shape[0]} : x.channels,
            .rows = x.rows + layer.padding.top + layer.padding.bottom - rows + 1,
            .columns = x.columns + layer.padding.left + layer.padding.right - columns + 1,
            .values = {}};
  const long inputs = weighted ? x.channels : 1;
  for (long o = 0; o < y.channels; ++o) {
    for (long p = 0; p < y.rows * y.columns; ++p) {
      double sum = 0.0;
      double largest = -std::numeric_limits<double>::infinity();
      for (long i = 0; i < inputs * rows * columns; ++i) {
        const long row = p / y.columns + i / columns % rows - layer.padding.top;
        const long column = p % y.columns + i % columns - layer.padding.left;
        if (row < 0 || column < 0 || row >= x.rows || column >= x.columns) continue;
        const double value = x.at(weighted ? i / (rows * columns) : o, row, column);
        largest = std::max(largest, value);
        sum += value * number(layer.weight, o * inputs * rows * columns + i, 1.0);
      }
      if (weighted) sum = sum * number(layer.factor, o, 1.0) + number(layer.bias, o, 0.0);
      if (layer.kind == LayerKind::average_pool) sum /= static_cast<double>(rows * columns);
      y.values.push_back(layer.kind == LayerKind::max_pool ? largest : sum);
    }
  }
  return y;
}

/// The layers that a model became, in real numbers, in plain loops.
std::vector<double> real_scores(const PlainGraph& graph, const std::vector<double>& image) {
  std::vector<RealMap> maps{{graph.input_shape[0], graph.input_shape[1], graph.input_shape[2], {}}};
  maps[0].values = image;
  for (const PlainLayer& layer : graph.layers) {
    const RealMap& x = maps[layer.inputs[0]];
    RealMap y = x;
    const long pixels = x.rows * x.columns;
    if (layer.kind == LayerKind::convolution || layer.kind == LayerKind::max_pool ||
        layer.kind == LayerKind::average_pool) {
      y = slid(layer, x);
    } else if (layer.kind == LayerKind::fully_connected) {
      PlainLayer row = layer;
      row.kind = LayerKind::convolution;
      y = slid(row, {static_cast<long>(x.values.size()), 1, 1, x.values});
    } else if (layer.kind == LayerKind::flatten) {
      y = {static_cast<long>(x.values.size()), 1, 1, x.values};
    } else if (layer.kind == LayerKind::concatenate) {
      for (std::size_t i = 1; i < layer.inputs.size(); ++i) {
        const RealMap& more = maps[layer.inputs[i]];
        y.channels += more.channels;
        y.values.insert(y.values.end(), more.values.begin(), more.values.end());
      }
    }
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      double& value = y.values[i];
      const long channel = static_cast<long>(i) / std::max(pixels, 1L);
      if (layer.kind == LayerKind::relu) value = std::max(value, 0.0);
      if (layer.kind == LayerKind::add) value += maps[layer.inputs[1]].values.at(i);
      if (layer.kind == LayerKind::scale) {
        value = value * number(layer.factor, channel, 1.0) + number(layer.bias, channel, 0.0);
      }
    }
    maps.push_back(std::move(y));
  }
  return maps.back().values;
}

std::vector<double> random_reals(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values(count);
  for (double& value : values) value = normal(random);
  return values;
}

TEST(JoinedImport, LayersGiveTheModelsRealNumbers) {
  int joints = 0;
  int scales = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const DenseModel dense(seed, DenseModel::Numbers::real);
    const TemporaryFolder folder;
    dense.write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const PlainGraph graph = plain_graph(model);
    for (const PlainLayer& layer : graph.layers) {
      joints += layer.kind == LayerKind::concatenate;
      scales += layer.kind == LayerKind::scale;
    }
    const std::vector<double> image = random_reals(seed, 72);
    const std::vector<double> expected = PlainModel(dense.model).run(image);
    const std::vector<double> scores = real_scores(graph, image);
    OnnxTensor tensor{.shape = {1, 2, 6, 6}, .reals = {image.begin(), image.end()}, .whole = {}};
    const OnnxTensor single = model.run(tensor);
    double largest = 1e-3;
    for (const double score : expected) largest = std::max(largest, std::abs(score));
    ASSERT_EQ(scores.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(scores[i], expected[i], 1e-9 * largest) << "seed " << seed;
      ASSERT_NEAR(static_cast<double>(single.reals[i]), expected[i], 1e-4 * largest);
    }
  }
  EXPECT_GT(joints, 300);
  EXPECT_GT(scales, 300);
}

TEST(JoinedImport, ModelsWithLevelsKeepThem) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const DenseModel dense(seed, DenseModel::Numbers::levels);
    const TemporaryFolder folder;
    dense.write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const Network network = import_quantised_model(model, {{0.0, 0.0}, {1.0, 1.0}});
    const PlainModel plain(dense.model);
    const ImageSet images = random_images(model, 3);
    for (std::size_t image = 0; image < images.size(); ++image) {
      const std::vector<std::uint8_t> pixels(images.image(image).begin(),
                                             images.image(image).end());
      std::vector<double> reals(pixels.size());
      std::transform(pixels.begin(), pixels.end(), reals.begin(),
                     [](std::uint8_t pixel) { return pixel / 255.0; });
      const std::vector<double> scores = integer_scores(network, pixels);
      ASSERT_EQ(scores, reference::run(network, pixels).values) << "seed " << seed;
      const std::vector<double> expected = plain.run(reals);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(scores[i], expected[i], 1e-9) << "seed " << seed;
      }
    }
  }
}

TEST(JoinedImport, IntegersOfRealModelsAreThoseOfTheDefinitions) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const TemporaryFolder folder;
    DenseModel(seed, DenseModel::Numbers::real).write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    const ImageSet images = random_images(model, 4);
    const Network network = import_model(model, images, options_of(2 + seed % 7, 2), {1});
    const std::vector<std::uint8_t> pixels(images.image(0).begin(), images.image(0).end());
    ASSERT_EQ(integer_scores(network, pixels), reference::run(network, pixels).values)
        << "seed " << seed;
  }
}

TEST(JoinedImport, EightBitsAnswerAsTheModelsDo) {
  std::vector<double> fine;
  std::vector<double> coarse;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const TemporaryFolder folder;
    DenseModel(seed, DenseModel::Numbers::real).write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    fine.push_back(relative_error(model, options_of(8, 2)));
    coarse.push_back(relative_error(model, options_of(3, 2)));  // the twin
  }
  std::sort(fine.begin(), fine.end());
  std::sort(coarse.begin(), coarse.end());
  EXPECT_LT(fine[20], 0.05);
  EXPECT_LT(fine[38], 0.3);
  EXPECT_GT(coarse[20], 0.2);
}

/// A convolution of 3 channels on 4 x 4 pixels, what `more` adds behind its ReLU "r", and a matrix
/// product of "z", flattened.
ModelBuilder behind(std::int64_t values, const std::function<void(ModelBuilder&)>& more) {
  ModelBuilder builder;
  builder.input("image", {1, 2, 4, 4}).output("scores");
  builder.reals("w", {3, 2, 1, 1}, {1, 2, 3, -1, 2, 1});
  builder.reals("v", {values, 2}, std::vector<float>(static_cast<std::size_t>(2 * values), 0.5f));
  builder.node("Conv", {"image", "w"}, {"y"}, "first");
  builder.node("Relu", {"y"}, {"r"}, "second");
  more(builder);
  builder.node("Flatten", {"z"}, {"flat"}, "flat");
  builder.node("MatMul", {"flat", "v"}, {"scores"}, "last");
  return builder;
}

void join(ModelBuilder& builder, const std::vector<std::string>& inputs, std::int64_t axis) {
  set(builder.node("Concat", inputs, {"z"}, "joint"), "axis", axis);
}

Network imported(const ModelBuilder& builder) {
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  return import_model(model, random_images(model, 4), options_of(4, 2), {1});
}

std::string refusal(const ModelBuilder& builder) {
  try {
    imported(builder);
  } catch (const core::DataError& error) {
    const std::string line = error.what();
    EXPECT_EQ(line.find('\n'), line.npos);
    return line;
  }
  return "no DataError";
}

std::vector<LayerKind> kinds_of(const Network& network) {
  std::vector<LayerKind> kinds;
  for (const Layer& layer : network.layers) kinds.push_back(layer.kind);
  return kinds;
}

TEST(JoinedImport, LevelsAreBroughtToOneStep) {
  const Network network = imported(behind(96, [](ModelBuilder& builder) {
    builder.reals("w2", {3, 2, 1, 1}, {4, 1, 1, 5, -2, 3});
    builder.node("Conv", {"image", "w2"}, {"y2"}, "other");
    builder.node("Relu", {"y2"}, {"r2"});
    join(builder, {"r", "r2"}, 1);
  }));
  using enum LayerKind;
  EXPECT_THAT(kinds_of(network),
              ElementsAre(convolution, convolution, concatenate, flatten, fully_connected));
  const Layer& joint = network.layers[2];
  EXPECT_EQ(joint.output_bits, 4U);
  EXPECT_EQ(joint.bias, (std::vector<double>{0.0, 0.0}));
  // The wider of the two ranges is that of all: its levels stay what they are.
  EXPECT_NEAR(std::max(joint.scale[0], joint.scale[1]), 1.0, 1e-6);
  EXPECT_LT(std::min(joint.scale[0], joint.scale[1]), 0.9);
}

TEST(JoinedImport, OneMapTwiceKeepsItsStep) {
  const Network network = imported(behind(96, [](ModelBuilder& builder) {
    join(builder, {"r", "r"}, -3);
  }));
  EXPECT_EQ(network.layers[1].kind, LayerKind::concatenate);
  EXPECT_EQ(network.layers[1].scale, (std::vector<double>{1.0, 1.0}));
}

ModelBuilder joined_signs(const std::string& second) {
  return behind(96, [&](ModelBuilder& builder) {
    builder.reals("w2", {3, 2, 1, 1}, {4, -1, 1, -5, -2, 3});
    builder.node("Conv", {"image", "w2"}, {"y2"}, "other");
    builder.node("Sign", {"y"}, {"s"});
    builder.node(second, {"y2"}, {"s2"});
    join(builder, {"s", "s2"}, 1);
  });
}

TEST(JoinedImport, SignsStaySigns) {
  const Network network = imported(joined_signs("Sign"));
  using enum LayerKind;
  EXPECT_THAT(kinds_of(network), ElementsAre(convolution, convolution, quantise, quantise,
                                             concatenate, flatten, fully_connected));
  EXPECT_EQ(network.layers[4].output_bits, 1U);
  EXPECT_EQ(network.layers[4].scale, (std::vector<double>{1.0, 1.0}));
  EXPECT_EQ(network.layers[4].bias, (std::vector<double>{0.0, 0.0}));
  EXPECT_EQ(network.layers[6].input_values, InputValues::signs);
}

TEST(JoinedImport, SignsBesideLevelsBecomeReals) {
  const Network network = imported(joined_signs("Relu"));
  const auto joint = std::find_if(network.layers.begin(), network.layers.end(),
                                  [](const Layer& l) { return l.kind == LayerKind::concatenate; });
  ASSERT_NE(joint, network.layers.end());
  EXPECT_EQ(joint->output_bits, 0U);
}

// A joint of signs before what takes their signs, weights or largest values.
TEST(JoinedImport, JointsOfSignsAnswerAsTheModelDoes) {
  for (const std::string second : {"Sign", "Relu"}) {
    const TemporaryFolder folder;
    joined_signs(second).write(folder / "model.onnx");
    const OnnxModel model(folder / "model.onnx");
    EXPECT_LT(relative_error(model, options_of(8, 2)), 0.05) << second;
  }
}

TEST(JoinedImport, OneMapAloneIsThatMap) {
  const Network network =
      imported(behind(48, [](ModelBuilder& builder) { join(builder, {"r"}, 1); }));
  using enum LayerKind;
  EXPECT_THAT(kinds_of(network), ElementsAre(convolution, flatten, fully_connected));
}

TEST(JoinedImport, NormsThatFollowEachOtherAreOneLayerWithTheirRelu) {
  const Network network = imported(behind(48, [](ModelBuilder& builder) {
    builder.reals("one", {3}, {1.0f, 2.0f, 1.0f});
    builder.node("BatchNormalization", {"r", "one", "one", "one", "one"}, {"a"}, "third");
    builder.node("BatchNormalization", {"a", "one", "one", "one", "one"}, {"b"}, "fourth");
    builder.node("Relu", {"b"}, {"z"});
  }));
  using enum LayerKind;
  EXPECT_THAT(kinds_of(network), ElementsAre(convolution, scale, flatten, fully_connected));
  EXPECT_EQ(network.layers[1].name, "third");
  EXPECT_EQ(network.layers[1].output_bits, 4U);
}

TEST(JoinedImport, NamesNormsThatDoNotFit) {
  EXPECT_THAT(refusal(behind(
                  48,
                  [](ModelBuilder& b) {
                    b.reals("two", {2}, {1.0f, 2.0f});
                    b.node("BatchNormalization", {"r", "two", "two", "two", "two"}, {"z"}, "norm");
                  })),
              HasSubstr("node 'norm' (BatchNormalization): "));
  EXPECT_THAT(
      refusal(
          behind(48,
                 [](ModelBuilder& b) {
                   b.reals("one", {3}, {1.0f, 2.0f, 1.0f});
                   b.reals("below", {3}, {1.0f, -2.0f, 1.0f});
                   b.node("BatchNormalization", {"r", "one", "one", "one", "below"}, {"z"}, "norm");
                 })),
      HasSubstr("node 'norm' (BatchNormalization): gives numbers that are not finite"));
  EXPECT_THAT(
      refusal(behind(
          80,
          [](ModelBuilder& b) {
            b.reals("two", {2}, {1.0f, 2.0f});
            b.node("BatchNormalization", {"image", "two", "two", "two", "two"}, {"n"}, "norm");
            join(b, {"r", "n"}, 1);
          })),
      HasSubstr("node 'norm' (BatchNormalization): changes an image that others take"));
}

TEST(JoinedImport, NamesWhatItCanNotJoin) {
  EXPECT_THAT(refusal(behind(96,
                             [](ModelBuilder& b) {
                               join(b, {"r", "r"}, 2);
                             })),
              HasSubstr("node 'joint' (Concat): joins 1 x 3 x 4 x 4 along axis 2 (channels alone, "
                        "axis 1, can be joined); change the model"));
  EXPECT_THAT(refusal(behind(96,
                             [](ModelBuilder& b) {
                               join(b, {"r", "r"}, -1);
                             })),
              HasSubstr("along axis -1 (channels alone"));
  EXPECT_THAT(refusal(behind(96,
                             [](ModelBuilder& b) {
                               b.reals("more", {1, 3, 4, 4}, std::vector<float>(48, 1.0f));
                               join(b, {"r", "more"}, 1);
                             })),
              HasSubstr("node 'joint' (Concat): joins what cimstat's layers can't (channels of "
                        "layers' maps, and constant tokens before a map's, can be joined)"));
  EXPECT_THAT(refusal(behind(80,
                             [](ModelBuilder& b) {
                               join(b, {"r", "image"}, 1);
                             })),
              HasSubstr("layer 'joint': works on the image itself"));
  EXPECT_THAT(refusal(behind(48,
                             [](ModelBuilder& b) {
                               b.reals("w2", {3, 2, 2, 2}, std::vector<float>(24, 0.5f));
                               b.node("Conv", {"image", "w2"}, {"y2"});
                               join(b, {"r", "y2"}, 1);
                             })),
              HasSubstr("node 'joint' (Concat): "));
}

}  // namespace
}  // namespace cimstat::experiments
