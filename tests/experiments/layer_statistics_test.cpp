#include "experiments/inference/layer_statistics.h"

#include <cmath>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#include "circuits/references/references.h"

#include "experiments/inference/chip_accuracy.h"
#include "experiments/inference/stopped_accuracy.h"
#include "tests/experiments/layer_samples.h"

namespace cimstat::experiments {
namespace {

using namespace layer_samples;

circuits::ColumnDesign noisy_design() {
  circuits::ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(1.0, 0.15);
  design.hrs = core::Law::lognormal(0.05, 0.4);
  design.sense = {.offset_sd = 0.3, .noise_sd = 0.3};
  design.ladder = circuits::midpoint_ladder(design, rows);
  return design;
}

TEST(LayerStatistics, CountsWhatLiesBeyondFullScale) {
  LayerFigures layer;
  layer.codes = {10, 20, 70};
  layer.classes = {{0, 4, 15}, {1, 4, 25}, {2, 4, 30}, {3, 4, 20}, {4, 4, 10}};
  // Codes stand for 0.75, 1.75, 2.75: 0 and 4 are beyond by half a step and more.
  const ClippedShares shares = clipped_shares(layer, {3, 1.0, 0.75});
  EXPECT_DOUBLE_EQ(shares.first_code, 0.1);
  EXPECT_DOUBLE_EQ(shares.last_code, 0.7);
  EXPECT_DOUBLE_EQ(shares.beyond, 0.25);
}

/// How often the interval of the ratio of two sums holds it, its ends moved by `factor`.
double ratio_coverage(double factor) {
  constexpr int experiments = 2000;
  constexpr std::size_t images = 40;
  std::mt19937 random(9);
  std::gamma_distribution<double> signal(3.0, 2.0);  // mean 6
  std::gamma_distribution<double> noise(2.0, 0.25);  // mean 0.5, times its signal's share
  int held = 0;
  for (int experiment = 0; experiment < experiments; ++experiment) {
    std::vector<double> signals;
    std::vector<double> noises;
    for (std::size_t image = 0; image < images; ++image) {
      signals.push_back(signal(random));
      noises.push_back(noise(random) * (0.5 + signals.back() / 12.0));
    }
    const Estimate found = signal_to_noise(signals, noises, 1.0, 0.95).decibels;
    const double truth = 10.0 * std::log10(6.0 / 0.5);
    const double half = factor * (found.interval.upper - found.value);
    held += std::abs(found.value - truth) <= half;
  }
  return static_cast<double>(held) / experiments;
}

TEST(LayerStatistics, RatiosHaveIntervalsThatCover) {
  // 5 standard errors of 2000 trials, and 1 % for the curvature of the logarithm at 40 images.
  const double tolerance = 5.0 * std::sqrt(0.95 * 0.05 / 2000.0) + 0.01;
  EXPECT_NEAR(ratio_coverage(1.0), 0.95, tolerance);
  EXPECT_LT(ratio_coverage(0.7), 0.95 - tolerance);  // the biased twin
}

TEST(LayerStatistics, OfOneImageHaveNoInterval) {
  const SignalToNoise one = signal_to_noise({8.0}, {2.0}, 4.0, 0.95);
  EXPECT_DOUBLE_EQ(one.signal, 2.0);
  EXPECT_DOUBLE_EQ(one.noise, 0.5);
  EXPECT_NEAR(one.decibels.value, 6.0206, 1e-4);
  EXPECT_TRUE(std::isinf(one.decibels.interval.lower) && std::isinf(one.decibels.interval.upper));
  EXPECT_LT(signal_to_noise({0.0, 0.0}, {1.0, 2.0}, 1.0, 0.95).decibels.value, 0.0);
}

bool are_alike(const AccuracyResult& a, const AccuracyResult& b) {
  return a.exact_correct == b.exact_correct && a.sampled_correct == b.sampled_correct &&
         a.answers == b.answers && a.layers == b.layers && a.sensitivity == b.sensitivity;
}

/// A way of running images.
using RunAll = std::function<AccuracyResult(const AccuracyOptions&, core::Threads)>;

TEST(LayerStatistics, AreTheSameForAnyThreadsAndPartsOfImages) {
  const Network network = small_network();
  const ImageSet images = random_images(network, 12);
  const circuits::ErrorTable table = fixtures::normal_table(rows, 0.1, 0.02, 0.8);
  const circuits::ColumnDesign design = noisy_design();
  const ChipDesign chips(design);
  const std::vector<std::pair<std::string, RunAll>> ways = {
      {"table",
       [&](const AccuracyOptions& options, core::Threads threads) {
         return accuracy_with_table(network, images, table, options, threads);
       }},
      {"cells",
       [&](const AccuracyOptions& options, core::Threads threads) {
         return accuracy_by_simulation(network, images, design, options, threads);
       }},
      {"chips", [&](AccuracyOptions options, core::Threads threads) {
         options.chips = 2;
         return accuracy_on_chips(network, images, chips, options, threads);
       }}};
  for (const auto& [name, run] : ways) {
    for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
      AccuracyOptions options = recording();
      options.stream = stream;
      options.reads = 2;
      options.sensitivity = true;
      options.array.weights = WeightMapping::differential;
      const AccuracyResult all = run(options, {1});
      EXPECT_TRUE(are_alike(run(options, {2}), all)) << name;
      AccuracyResult parts;
      for (const auto& [first, count] : {std::pair(0U, 5U), {5U, 1U}, {6U, 6U}}) {
        options.first_image = first;
        options.images = count;
        AccuracyResult part = run(options, {2});
        parts = first == 0 ? std::move(part) : joined(std::move(parts), part);
      }
      EXPECT_TRUE(are_alike(parts, all)) << name;
      // What is recorded changes no answer.
      options = recording();
      options.layers = false;
      options.stream = stream;
      options.reads = 2;
      options.array.weights = WeightMapping::differential;
      const AccuracyResult plain = run(options, {1});
      EXPECT_EQ(plain.sampled_correct, all.sampled_correct) << name;
      EXPECT_EQ(plain.answers, all.answers) << name;
      EXPECT_TRUE(plain.layers.layers.empty() && plain.sensitivity.layers.empty());
      // Every read is of one class and one code.
      for (const LayerFigures& layer : layer_report(all, 0.95).layers) {
        std::uint64_t of_classes = 0;
        for (const ClassReads& one : layer.classes) of_classes += one.reads;
        EXPECT_EQ(of_classes, layer.reads());
        EXPECT_LE(layer.reads(), layer.partial_sums * images.size() * all.passes());
        EXPECT_GT(layer.own.noise, 0.0) << name;
      }
    }
  }
}

TEST(LayerStatistics, AreTheSameForAnyInstructionSet) {
  const Network network = small_network();
  const ImageSet images = random_images(network, 3);
  const circuits::ErrorTable table = fixtures::normal_table(rows, 0.1, 0.02, 0.8);
  const AccuracyResult first = accuracy_with_table(network, images, table, recording(), {1});
  for (const std::string& target : core::simd_targets()) {
    core::use_simd_target(target);
    EXPECT_TRUE(are_alike(accuracy_with_table(network, images, table, recording(), {1}), first))
        << target;
  }
  core::use_simd_target("");
}

TEST(LayerStatistics, OfChipsWithoutNoiseAreThoseOfExactIntegers) {
  circuits::ColumnDesign quiet;
  quiet.rows = rows;
  quiet.lrs = core::Law::point(1.0);
  quiet.hrs = core::Law::point(0.0);
  quiet.ladder = circuits::midpoint_ladder(quiet, rows);
  circuits::ColumnDesign uneven = quiet;  // codes by search
  uneven.ladder.references[3] += 0.01;
  const Network network = small_network();
  const ImageSet images = random_images(network, 4);
  const LayerReport ideal = layer_report(
      accuracy_with_table(network, images, fixtures::identity_table(rows), recording(), {1}), 0.95);
  for (const circuits::ColumnDesign& design : {quiet, uneven}) {
    AccuracyOptions options = recording();
    options.chips = 1;
    const LayerReport report =
        layer_report(accuracy_on_chips(network, images, ChipDesign(design), options, {2}), 0.95);
    for (std::size_t layer = 0; layer < 2; ++layer) {
      EXPECT_EQ(report.layers[layer].codes, ideal.layers[layer].codes);
      EXPECT_EQ(report.layers[layer].classes, ideal.layers[layer].classes);
      EXPECT_EQ(report.layers[layer].network.noise, 0.0);
    }
  }
}

TEST(LayerSensitivity, OfALayerIsThatOfTheNetworkWithTheOthersDigital) {
  const Network network = small_network();
  const ImageSet images = random_images(network, 30);
  const circuits::ErrorTable table = fixtures::normal_table(rows, 0.3, 0.05, 1.5);
  AccuracyOptions options;
  options.array.rows = rows;
  options.reads = 3;
  AccuracyOptions digital = options;
  digital.array.last_layer = LayerPlace::digital;
  const AccuracyResult first_alone = accuracy_with_table(network, images, table, digital, {1});
  options.sensitivity = true;
  const AccuracyResult result = accuracy_with_table(network, images, table, options, {2});
  ASSERT_THAT(result.sensitivity.layers, testing::ElementsAre("first", "classes"));
  for (std::size_t image = 0; image < images.size(); ++image) {
    std::uint32_t right = 0;
    for (std::uint32_t read = 0; read < 3; ++read) {
      right += first_alone.sampled_correct[read * images.size() + image];
    }
    EXPECT_EQ(result.sensitivity.alone[2 * image], right);
    EXPECT_EQ(result.sensitivity.spared[2 * image + 1], right);  // all but the last
  }
  const auto layers = layer_sensitivities(result, 0.95);
  const AccuracyStatistics alone = accuracy_statistics(first_alone, 0.95);
  EXPECT_NEAR(layers[0].alone.value, alone.difference.value, 1e-15);
  EXPECT_NEAR(layers[0].alone.interval.lower, alone.difference.interval.lower, 1e-15);
  const Estimate spared = paired_difference(first_alone, result, 0.95);
  EXPECT_NEAR(layers[1].spared.value, spared.value, 1e-15);
  EXPECT_NEAR(layers[1].spared.interval.upper, spared.interval.upper, 1e-15);
}

TEST(LayerSensitivity, RanksFromTheLayerThatCostsMost) {
  const auto layer = [](double alone, double spared) {
    return LayerSensitivity{"", {alone, {}}, {spared, {}}};
  };
  EXPECT_THAT(ranking({layer(-0.01, 0.0), layer(-0.2, 0.1), layer(0.0, 0.0), layer(-0.2, 0.15)}),
              testing::ElementsAre(3, 1, 0, 2));
}

TEST(ClassAnswers, AreThoseOfEachImageAndPass) {
  const Network network = small_network();
  const ImageSet images = random_images(network, 60);
  const circuits::ErrorTable table = fixtures::normal_table(rows, 0.3, 0.05, 1.5);
  AccuracyOptions options;
  options.array.rows = rows;
  options.reads = 2;
  options.first_image = 10;
  options.images = 50;
  const AccuracyResult result = accuracy_with_table(network, images, table, options, {2});
  const ForwardPass pass(network, options.array);
  ForwardPass::Workspace workspace = pass.workspace();
  ConfusionCounts exact(network.classes);
  for (std::size_t image = 0; image < 50; ++image) {
    const std::uint32_t label = images.labels[10 + image];
    EXPECT_EQ(result.answers.labels[image], label);
    const std::uint32_t answer =
        pass.classify(images.image(10 + image), ExactIntegers{}, {}, workspace);
    EXPECT_EQ(result.answers.exact[image], answer);
    EXPECT_EQ(result.exact_correct[image], answer == label);
    exact.add(label, answer);
    for (std::size_t at = image; at < 100; at += 50) {
      EXPECT_EQ(result.sampled_correct[at], result.answers.sampled[at] == label);
    }
  }
  const ConfusionCounts sampled = result.answers.sampled_confusion();
  EXPECT_EQ(result.answers.exact_confusion(), exact);
  EXPECT_EQ(sampled.total(), 100u);
  EXPECT_EQ(sampled.right(), static_cast<std::uint64_t>(std::count(
                                 result.sampled_correct.begin(), result.sampled_correct.end(), 1)));
  EXPECT_NE(sampled.right(), 2 * exact.right());
  for (std::uint32_t label = 0; label < network.classes; ++label) {
    EXPECT_EQ(sampled.of_label(label), 2 * exact.of_label(label));
  }
}

TEST(LayerStatistics, RefuseANetworkWithoutLayersOnArrays) {
  Network network = small_network();
  network.layers.erase(network.layers.begin());
  network.layers[0].inputs = {"input"};
  std::mt19937 random(7);
  network.layers[0] = fixtures::random_fully_connected("classes", "input", 4, 40, 4, 0, random);
  const ImageSet images = random_images(network, 2);
  AccuracyOptions options = recording();
  options.array.last_layer = LayerPlace::digital;
  try {
    accuracy_with_table(network, images, fixtures::identity_table(rows), options, {1});
    ADD_FAILURE() << "accepted";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "accuracy.layers: finds no layer on arrays (every layer is computed in exact "
                 "integers); leave it out, or make a layer analog");
  }
}

}  // namespace
}  // namespace cimstat::experiments
