#include "experiments/inference/recalibration.h"

#include <cmath>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#include "experiments/inference/accuracy_run.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

/// Two convolutions with a branch around the second, a pool, a fully connected layer.
Network small_network() {
  std::mt19937 random(1);
  Network network;
  network.name = "small";
  network.input_shape = {2, 6, 6};
  network.classes = 5;
  const auto spread = [](Layer layer, double per_input) {
    const auto inputs = static_cast<double>(layer.weight.size() / layer.weight_shape[0]);
    layer.scale.assign(layer.scale.size(), per_input / std::sqrt(inputs));
    for (std::size_t i = 0; i < layer.bias.size(); ++i) {
      layer.bias[i] = 5.07 + 0.21 * static_cast<double>(i % 3);  // no level ends at a sum of 0
    }
    return layer;
  };
  network.layers = {
      spread(fixtures::random_convolution("a", "input", 6, 2, 3, 1, 1, 4, 4, random), 0.12),
      spread(fixtures::random_convolution("b", "a", 6, 6, 3, 1, 1, 4, 4, random), 0.12)};
  Layer sum;
  sum.name = "sum";
  sum.kind = LayerKind::add;
  sum.inputs = {"b", "a"};
  sum.scale = {0.5, 0.5};
  sum.bias = {0.0};
  sum.output_bits = 4;
  network.layers.push_back(sum);
  network.layers.push_back(
      spread(fixtures::random_fully_connected("c", "sum", 5, 216, 4, 0, random), 0.1));
  return network;
}

ImageSet random_images(const Network& network, std::size_t count) {
  ImageSet set;
  set.name = "random";
  set.channels = network.input_shape[0];
  set.rows = network.input_shape[1];
  set.columns = network.input_shape[2];
  set.classes = network.classes;
  std::mt19937 random(2);
  for (std::size_t i = 0; i < count * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  const ForwardPass pass(network, {.rows = 32});
  ForwardPass::Workspace workspace = pass.workspace();
  for (std::size_t i = 0; i < count; ++i) {
    set.labels.push_back(
        static_cast<std::uint8_t>(pass.classify(set.image(i), ExactIntegers{}, {}, workspace)));
  }
  return set;
}

/// Each channel's sums with a gain and an offset of its own.
class BentSums : public LayerSource {
 public:
  void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                const DrawOrigin& origin, std::span<double> estimates) override {
    if (!workspace_) workspace_.emplace();
    if (workspace_->first != layer.index()) workspace_.emplace(layer.index(), layer.workspace());
    IdealCodes ideal;
    layer.estimate(map, SourcedCodes{.source = &ideal, .are_counts = true}, origin,
                   workspace_->second, estimates);
    const std::size_t pixels = layer.geometry().pixels();
    for (std::size_t i = 0; i < estimates.size(); ++i) {
      const auto channel = static_cast<double>(i / pixels);
      estimates[i] = estimates[i] * (0.5 + 0.1 * channel) + 20.0 - 7.0 * channel;
    }
  }

 private:
  std::optional<std::pair<std::uint32_t, ColumnLayer::Workspace>> workspace_;
};

NetworkScales recalibrated_with(const ForwardPass& pass, const ImageSet& set,
                                const Arithmetic& arithmetic, core::Threads threads) {
  return recalibrated(
      pass, {&set, 0, set.size()}, [&](std::size_t) { return arithmetic; },
      [](std::size_t image) {
        return DrawOrigin{{3}, image};
      },
      threads);
}

// A gain and an offset of each channel are what a BatchNorm takes away: nothing of them is left in
// any layer that has one.
TEST(Recalibration, TakesGainsAndOffsetsOfChannelsAway) {
  const Network network = small_network();
  const ImageSet set = random_images(network, 40);
  const ForwardPass pass(network, {.rows = 32, .last_layer = LayerPlace::digital});
  BentSums bent;
  const NetworkScales scales = recalibrated_with(pass, set, &bent, core::Threads{1});
  ForwardPass::Workspace workspace = pass.workspace();
  ForwardPass::Workspace exact = pass.workspace();
  std::size_t changed = 0;
  for (std::size_t image = 0; image < set.size(); ++image) {
    workspace.scales = &scales;
    pass.classify(set.image(image), &bent, {}, workspace);
    pass.classify(set.image(image), ExactIntegers{}, {}, exact);
    EXPECT_EQ(workspace.maps[1], exact.maps[1]) << "image " << image;
    EXPECT_EQ(workspace.maps[2], exact.maps[2]) << "image " << image;
    EXPECT_EQ(workspace.values, exact.values) << "image " << image;
    workspace.scales = nullptr;
    pass.classify(set.image(image), &bent, {}, workspace);
    if (workspace.values != exact.values) ++changed;
  }
  EXPECT_EQ(changed, set.size()) << "what is taken away must be there before";
}

struct MeanAndDeviation {
  double mean;
  double deviation;
};

/// Of value = sum * scale + bias of a channel, over the pixels of all images; a second pass over
/// the deviations, in plain loops.
MeanAndDeviation of_channel(const std::vector<std::vector<double>>& sums, std::size_t channel,
                            std::size_t channels, double scale, double bias) {
  double mean = 0.0;
  double count = 0.0;
  const std::size_t pixels = sums[0].size() / channels;
  for (const std::vector<double>& of_image : sums) {
    for (std::size_t i = 0; i < pixels; ++i) {
      mean += of_image[channel * pixels + i] * scale + bias;
      count += 1.0;
    }
  }
  mean /= count;
  double square = 0.0;
  for (const std::vector<double>& of_image : sums) {
    for (std::size_t i = 0; i < pixels; ++i) {
      const double off = of_image[channel * pixels + i] * scale + bias - mean;
      square += off * off;
    }
  }
  return {mean, std::sqrt(square / count)};
}

// Whatever columns misread: on the images that are counted each channel has the mean and the
// deviation of exact integers, in both layers, of which the second sees the first one's new scales.
TEST(Recalibration, GivesEachChannelTheMomentsOfExactIntegers) {
  const Network network = small_network();
  const ImageSet set = random_images(network, 30);
  const ForwardPass pass(network, {.rows = 32});
  const CodeSampler sampler(fixtures::normal_table(32, 0.1, 0.02, 0.9));
  const Arithmetic columns(ColumnReading(SampledCodes{&sampler}));
  const NetworkScales scales = recalibrated_with(pass, set, columns, core::Threads{1});
  EXPECT_TRUE(scales.at(4).scale.empty()) << "the last layer keeps its own";
  for (const std::size_t node : {1U, 2U}) {
    std::vector<std::vector<double>> sums[2];  // of exact integers, of columns
    for (std::size_t image = 0; image < set.size(); ++image) {
      ForwardPass::Workspace workspace = pass.workspace();
      workspace.scales = &scales;
      for (const bool exact : {true, false}) {
        pass.start(set.image(image), workspace);
        for (std::size_t i = 1; i <= node; ++i) {
          pass.run_node(i, exact ? Arithmetic(ExactIntegers{}) : columns, {{3}, image}, workspace);
        }
        sums[exact ? 0 : 1].push_back(workspace.values);
      }
    }
    const Layer& layer = pass.layer(node);
    double most_moved = 0.0;
    for (std::size_t c = 0; c < 6; ++c) {
      const MeanAndDeviation e = of_channel(sums[0], c, 6, layer.scale[c], layer.bias[c]);
      const MeanAndDeviation a =
          of_channel(sums[1], c, 6, scales[node].scale[c], scales[node].bias[c]);
      const MeanAndDeviation before = of_channel(sums[1], c, 6, layer.scale[c], layer.bias[c]);
      EXPECT_NEAR(a.mean, e.mean, 1e-9);
      EXPECT_NEAR(a.deviation, e.deviation, 1e-9);
      most_moved = std::max(most_moved, std::abs(before.deviation - e.deviation));
    }
    EXPECT_GT(most_moved, 0.01) << "node " << node;
  }
}

/// Joined channels, of which one map comes twice, and a BatchNorm that stands alone behind a pool,
/// which leaves the convolutions' moments behind.
Network joined_network() {
  Network network = small_network();
  network.layers.resize(2);
  network.layers[1].output_bits = 0;
  Layer joint;
  joint.name = "joint";
  joint.kind = LayerKind::concatenate;
  joint.inputs = {"a", "b", "a"};
  joint.scale = {1.0, 0.5, -0.5};
  joint.bias = {0.0, 1.0, 2.0};
  Layer pool;
  pool.name = "pool";
  pool.kind = LayerKind::max_pool;
  pool.inputs = {"joint"};
  pool.kernel = pool.stride = 2;
  Layer norm;
  norm.name = "norm";
  norm.kind = LayerKind::scale;
  norm.inputs = {"pool"};
  for (int channel = 0; channel < 18; ++channel) {
    norm.scale.push_back(0.5 + 0.1 * channel);
    norm.bias.push_back(4.03 + 0.2 * (channel % 4));
  }
  norm.output_bits = 4;
  std::mt19937 random(5);
  network.layers.insert(
      network.layers.end(),
      {joint, pool, norm, fixtures::random_fully_connected("c", "norm", 5, 162, 4, 0, random)});
  return network;
}

TEST(Recalibration, GivesABatchNormThatStandsAloneTheMomentsOfExactIntegers) {
  const Network network = joined_network();
  const ImageSet set = random_images(network, 30);
  const ForwardPass pass(network, {.rows = 32});
  const CodeSampler sampler(fixtures::normal_table(32, 0.1, 0.02, 0.9));
  const Arithmetic columns(ColumnReading(SampledCodes{&sampler}));
  const NetworkScales scales = recalibrated_with(pass, set, columns, core::Threads(1));
  const NetworkScales others = recalibrated_with(pass, set, columns, core::Threads(3));
  for (std::size_t node = 0; node < scales.size(); ++node) {
    EXPECT_EQ(scales[node].scale, others[node].scale);
    EXPECT_EQ(scales[node].bias, others[node].bias);
  }
  constexpr std::size_t norm = 5;
  NetworkScales without = scales;
  without[norm] = {};
  std::vector<std::vector<double>> exact;
  std::vector<std::vector<double>> arrays;
  std::size_t changed = 0;
  for (std::size_t image = 0; image < set.size(); ++image) {
    ForwardPass::Workspace workspace = pass.workspace();
    const auto taken = [&](const Arithmetic& arithmetic) {
      pass.start(set.image(image), workspace);
      for (std::size_t i = 1; i <= norm; ++i) {
        pass.run_node(i, arithmetic, {{3}, image}, workspace);
      }
      return workspace.reals[norm - 1];
    };
    exact.push_back(taken(ExactIntegers{}));
    workspace.scales = &without;
    taken(columns);
    const std::vector<std::uint8_t> before = workspace.maps[norm];
    workspace.scales = &scales;
    arrays.push_back(taken(columns));
    if (workspace.maps[norm] != before) ++changed;
  }
  EXPECT_GT(changed, 20U) << "the new scales are used";
  const Layer& layer = network.layers[norm - 1];
  double most_moved = 0.0;
  for (std::size_t c = 0; c < 18; ++c) {
    const MeanAndDeviation e = of_channel(exact, c, 18, layer.scale[c], layer.bias[c]);
    const MeanAndDeviation a =
        of_channel(arrays, c, 18, scales[norm].scale[c], scales[norm].bias[c]);
    const MeanAndDeviation plain = of_channel(arrays, c, 18, layer.scale[c], layer.bias[c]);
    EXPECT_NEAR(a.mean, e.mean, 1e-9);
    EXPECT_NEAR(a.deviation, e.deviation, 1e-9);
    most_moved = std::max(most_moved, std::abs(plain.deviation - e.deviation));
  }
  EXPECT_GT(most_moved, 0.01);
}

// A channel without weights has the same sum everywhere: its scale stays.
TEST(Recalibration, LeavesTheScaleOfAChannelThatNeverChanges) {
  Network network = small_network();
  std::fill_n(network.layers[0].weight.begin(), 18, std::int8_t{0});
  const ImageSet set = random_images(network, 10);
  const ForwardPass pass(network, {.rows = 32});
  BentSums bent;
  const NetworkScales scales = recalibrated_with(pass, set, &bent, core::Threads(1));
  EXPECT_EQ(scales[1].scale[0], network.layers[0].scale[0]);
  EXPECT_NEAR(scales[1].bias[0], network.layers[0].bias[0] - 20.0 * network.layers[0].scale[0],
              1e-12);
}

/// All sums of the first channel are equal, whatever the input.
class StuckChannel : public BentSums {
 public:
  void estimate(const ColumnLayer& layer, std::span<const std::uint8_t> map,
                const DrawOrigin& origin, std::span<double> estimates) override {
    BentSums::estimate(layer, map, origin, estimates);
    std::fill_n(estimates.begin(), layer.geometry().pixels(), 1000.1);
  }
};

// Rounding must not pass for a deviation.
TEST(Recalibration, LeavesTheScaleOfAChannelThatIsStuck) {
  const Network network = small_network();
  const ImageSet set = random_images(network, 30);
  const ForwardPass pass(network, {.rows = 32});
  StuckChannel stuck;
  const NetworkScales scales = recalibrated_with(pass, set, &stuck, core::Threads(1));
  EXPECT_EQ(scales[1].scale[0], network.layers[0].scale[0]);
  EXPECT_NE(scales[1].scale[1], network.layers[0].scale[1]);
}

TEST(Recalibration, IsTheSameForAnyThreadsAndInstructionSet) {
  const Network network = small_network();
  const ImageSet set = random_images(network, 60);
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.1, 0.02, 0.9);
  AccuracyOptions options{.array = {.rows = 32}, .key = {4}, .images = 40};
  options.recalibration_images = 20;
  const AccuracyResult one = accuracy_with_table(network, set, table, options, core::Threads(1));
  for (const std::string& target : core::simd_targets()) {
    core::use_simd_target(target);
    for (const unsigned threads : {2U, 5U}) {
      const AccuracyResult other =
          accuracy_with_table(network, set, table, options, core::Threads(threads));
      EXPECT_EQ(other.answers.sampled, one.answers.sampled) << target << ", " << threads;
      EXPECT_EQ(other.answers.exact, one.answers.exact) << target << ", " << threads;
    }
  }
  core::use_simd_target("");
  AccuracyOptions without = options;
  without.recalibration_images = 0;
  const AccuracyResult plain = accuracy_with_table(network, set, table, without, core::Threads(1));
  EXPECT_EQ(plain.answers.exact, one.answers.exact) << "exact integers keep their scales";
  EXPECT_NE(plain.answers.sampled, one.answers.sampled);
}

TEST(Recalibration, RefusesImagesThatAreClassified) {
  const Network network = small_network();
  const ImageSet set = random_images(network, 30);
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.1, 0.02, 0.9);
  AccuracyOptions options{.array = {.rows = 32}, .key = {4}, .images = 20};
  options.recalibration_images = 11;
  const auto run = [&] { accuracy_with_table(network, set, table, options, core::Threads(1)); };
  try {
    run();
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("none may be both"));
  }
  options.recalibration_images = 10;
  EXPECT_NO_THROW(run());
  options.sensitivity = true;
  EXPECT_THROW(run(), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
