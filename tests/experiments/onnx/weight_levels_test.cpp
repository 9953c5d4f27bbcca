/// The rules by which weights become levels, against their papers' formulas.
#include <cmath>
#include <random>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/inference/forward_pass.h"
#include "experiments/onnx/import_model.h"
#include "tests/experiments/onnx/model_builder.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using tests::ModelBuilder;
using tests::TemporaryFolder;

const std::vector<double> some = {0.5, -0.25, 0.05, -1.2, 0.0, 0.75};

TEST(WeightLevels, OfTheLargestWeightAreAsimsForAWholeLayer) {
  const std::vector<double> factors = {2.0, -3.0};
  const WeightLevels layer =
      weight_levels(some, factors, {WeightRule::largest, WeightScale::per_layer, 4});
  // rhe(7 w / 1.2) = 2.9, -1.5, 0.3, -7, 0, 4.4; the second output's factor is below 0.
  EXPECT_THAT(layer.level, ElementsAre(3, -1, 0, 7, 0, -4));
  EXPECT_THAT(layer.step, ElementsAre(1.2 / 7.0 * 2.0, 1.2 / 7.0 * 3.0));
  const WeightLevels channel =
      weight_levels(some, factors, {WeightRule::largest, WeightScale::per_channel, 4});
  EXPECT_THAT(channel.level, ElementsAre(7, -4, 1, 7, 0, -4));  // 3.5 to the even 4
  EXPECT_EQ(channel.step[0], 0.5 / 7.0 * 2.0);
}

TEST(WeightLevels, OfDoReFaAreOfTheHyperbolicTangent) {
  const WeightLevels found =
      weight_levels(some, std::vector<double>{1.0, 1.0}, {.rule = WeightRule::dorefa, .bits = 3});
  for (std::size_t i = 0; i < some.size(); ++i) {
    EXPECT_EQ(found.level[i], std::nearbyint(3.0 * std::tanh(some[i]) / std::tanh(1.2))) << i;
  }
  EXPECT_THAT(found.step, ElementsAre(1.0 / 3.0, 1.0 / 3.0));
}

TEST(WeightLevels, OfWageAreMultiplesOfAPowerOfTwo) {
  const WeightLevels found =
      weight_levels(some, std::vector<double>{1.0, 0.5}, {.rule = WeightRule::wage, .bits = 4});
  EXPECT_THAT(found.level, ElementsAre(4, -2, 0, -7, 0, 6));  // -1.2 ends at -7/8; 0.4 is 0
  EXPECT_THAT(found.step, ElementsAre(0.125, 0.0625));
}

TEST(WeightLevels, HaveAStepAbove0WhereWeightsOrFactorsAre0) {
  for (const WeightRule rule :
       {WeightRule::mean_square, WeightRule::largest, WeightRule::dorefa, WeightRule::wage}) {
    const WeightLevels found = weight_levels({0.0, 0.0, 0.5, -0.5}, std::vector<double>{1.0, 0.0},
                                             {.rule = rule, .bits = 4});
    EXPECT_THAT(found.level, ElementsAre(0, 0, 0, 0));
    EXPECT_GT(found.step[0], 0.0);
    EXPECT_GT(found.step[1], 0.0);
  }
}

TEST(WeightLevels, OfBinaryWeightsAreSignsTimesTheirMeanMagnitude) {
  const std::vector<double> factors = {2.0, -3.0};
  const WeightLevels channel =
      weight_levels(some, factors, {WeightRule::binary, WeightScale::per_channel, 1});
  // The second output's factor is below 0; the sign of 0 is that of a positive weight.
  EXPECT_THAT(channel.level, ElementsAre(1, -1, 1, 1, -1, -1));
  EXPECT_DOUBLE_EQ(channel.step[0], (0.5 + 0.25 + 0.05) / 3.0 * 2.0);
  EXPECT_DOUBLE_EQ(channel.step[1], (1.2 + 0.0 + 0.75) / 3.0 * 3.0);
  const WeightLevels layer =
      weight_levels(some, factors, {WeightRule::binary, WeightScale::per_layer, 1});
  EXPECT_EQ(layer.level, channel.level);
  EXPECT_DOUBLE_EQ(layer.step[0], 2.75 / 6.0 * 2.0);
  EXPECT_DOUBLE_EQ(layer.step[1], 2.75 / 6.0 * 3.0);
  // No level stands for 0: steps do.
  const WeightLevels zeros = weight_levels({0.0, 0.0, 0.5, -0.5}, std::vector<double>{1.0, 0.0},
                                           {.rule = WeightRule::binary, .bits = 1});
  EXPECT_THAT(zeros.level, ElementsAre(1, 1, 1, -1));
  EXPECT_THAT(zeros.step, ElementsAre(0.0, 0.0));
}

TEST(WeightLevels, OfTernaryWeightsLieBeyondAThreshold) {
  const std::vector<double> factors = {2.0, -3.0};
  const WeightLevels channel =
      weight_levels(some, factors, {WeightRule::ternary, WeightScale::per_channel, 2});
  // Thresholds 0.7 x 0.8 / 3 = 0.187 and 0.7 x 1.95 / 3 = 0.455.
  EXPECT_THAT(channel.level, ElementsAre(1, -1, 0, 1, 0, -1));
  EXPECT_DOUBLE_EQ(channel.step[0], (0.5 + 0.25) / 2.0 * 2.0);
  EXPECT_DOUBLE_EQ(channel.step[1], (1.2 + 0.75) / 2.0 * 3.0);
  // 0.7 x 2.75 / 6 = 0.321 for all of them.
  const WeightLevels layer =
      weight_levels(some, factors, {WeightRule::ternary, WeightScale::per_layer, 2});
  EXPECT_THAT(layer.level, ElementsAre(1, 0, 0, 1, 0, -1));
  EXPECT_DOUBLE_EQ(layer.step[0], 2.45 / 3.0 * 2.0);
  const WeightLevels zeros = weight_levels({0.0, 0.0, 0.5, -0.5}, std::vector<double>{1.0, 0.0},
                                           {.rule = WeightRule::ternary, .bits = 2});
  EXPECT_THAT(zeros.level, ElementsAre(0, 0, 0, 0));
  EXPECT_GT(zeros.step[0], 0.0);
  EXPECT_GT(zeros.step[1], 0.0);
}

/// Two matrix products: weights on WAGE's grid of 4 bits, a factor behind each, and levels of 1/8
/// from 0 to 7/8 between them.
ModelBuilder wage_model(std::vector<float>& first, std::vector<float>& second) {
  std::mt19937 random(3);
  const auto weights = [&](std::size_t count) {
    std::vector<float> numbers(count);
    for (float& number : numbers) {
      number = (static_cast<float>(random() % 15) - 7.0f) / 8.0f;
    }
    return numbers;
  };
  first = weights(5 * 9);
  second = weights(3 * 5);
  ModelBuilder builder;
  builder.input("image", {1, 1, 3, 3}).output("scores");
  builder.reals("w1", {5, 1, 3, 3}, first);
  builder.reals("w2", {3, 5}, second);
  builder.reals("scale", {1}, {0.25f});
  builder.reals("least", {}, {0.0f});
  builder.reals("most", {}, {0.875f});
  builder.node("Conv", {"image", "w1"}, {"a"});
  builder.node("Mul", {"a", "scale"}, {"b"});
  builder.node("Clip", {"b", "least", "most"}, {"c"});
  builder.node("Flatten", {"c"}, {"d"});
  tests::set(builder.node("Gemm", {"d", "w2"}, {"e"}), "transB", std::int64_t{1});
  builder.node("Mul", {"e", "scale"}, {"scores"});
  return builder;
}

ImageSet random_images(std::size_t count) {
  ImageSet set;
  set.name = "random";
  set.channels = 1;
  set.rows = set.columns = 3;
  set.classes = 3;
  std::mt19937 random(7);
  set.pixels.resize(count * set.image_size());
  for (std::uint8_t& pixel : set.pixels) pixel = static_cast<std::uint8_t>(random() >> 24);
  set.labels.assign(count, 0);
  return set;
}

// The formulas of WAGE in plain loops: y = (x * Q(w)) / scale, A = Q(C(y)) on 1/8, which is 3 bits
// behind a ReLU.
TEST(WeightLevels, AndPactsRangeGiveANetworkOfWage) {
  std::vector<float> first;
  std::vector<float> second;
  const TemporaryFolder folder;
  wage_model(first, second).write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  QuantiseOptions options;
  options.weights = {.rule = WeightRule::wage, .bits = 4};
  options.activation_bits = 3;
  options.calibration.rule = RangeRule::pact;
  options.image = {{0.0}, {1.0}};
  const ImageSet images = random_images(200);
  const Network network = import_model(model, images, options, {1});
  const ForwardPass pass(network, {.rows = 64});
  ForwardPass::Workspace workspace = pass.workspace();
  std::size_t apart = 0;
  for (std::size_t image = 0; image < images.size(); ++image) {
    const std::span<const std::uint8_t> pixels = images.image(image);
    double activation[5];
    for (std::size_t output = 0; output < 5; ++output) {
      double sum = 0.0;
      for (std::size_t i = 0; i < 9; ++i) {
        sum += static_cast<double>(first[9 * output + i]) * pixels[i] / 255.0;
      }
      const double clipped = std::min(std::max(0.25 * sum, 0.0), 0.875);
      activation[output] = std::floor(8.0 * clipped + 0.5) / 8.0;
    }
    pass.classify(pixels, ExactIntegers{}, {}, workspace);
    for (std::size_t output = 0; output < 3; ++output) {
      double score = 0.0;
      for (std::size_t i = 0; i < 5; ++i) {
        score += static_cast<double>(second[5 * output + i]) * activation[i];
      }
      apart += std::abs(workspace.values[output] - 0.25 * score) > 1e-12;
    }
  }
  EXPECT_EQ(apart, 0u);

  options.weights.rule = WeightRule::mean_square;  // the twin
  const Network other = import_model(model, images, options, {1});
  EXPECT_NE(content_hash(other), content_hash(network));
}

TEST(WeightLevels, OfAGridTakeOneDeviation) {
  ModelBuilder builder;
  builder.input("image", {1, 2, 2, 2}).output("scores");
  builder.reals("w", {3, 2, 2, 2}, std::vector<float>(24, 0.5f));
  builder.node("Conv", {"image", "w"}, {"scores"});
  const TemporaryFolder folder;
  builder.write(folder / "model.onnx");
  const OnnxModel model(folder / "model.onnx");
  ImageSet images = random_images(4);
  images.channels = images.rows = images.columns = 2;
  images.pixels.resize(4 * images.image_size());
  QuantiseOptions options;
  options.weights.rule = WeightRule::dorefa;
  options.image = {{0.0, 0.0}, {0.5, 0.25}};
  try {
    import_model(model, images, options, {1});
    FAIL() << "took different deviations";
  } catch (const core::DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("takes channels of different deviations"));
  }
}

}  // namespace
}  // namespace cimstat::experiments
