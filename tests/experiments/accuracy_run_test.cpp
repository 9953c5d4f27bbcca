#include "experiments/inference/accuracy_run.h"

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"

#include "circuits/references/references.h"

#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

/// Every kind of layer once: convolutions (padding, stride, odd channel counts), pools, a residual
/// addition, two fully connected layers.
Network every_kind() {
  std::mt19937 random(1);
  Network network;
  network.name = "every kind";
  network.input_shape = {1, 9, 11};
  network.classes = 7;
  const auto plain = [](std::string name, LayerKind kind, std::vector<std::string> inputs) {
    Layer layer;
    layer.name = std::move(name);
    layer.kind = kind;
    layer.inputs = std::move(inputs);
    return layer;
  };
  Layer max = plain("max", LayerKind::max_pool, {"first"});
  max.kernel = 2;
  max.stride = 2;
  Layer average = plain("average", LayerKind::average_pool, {"sum"});
  average.kernel = 2;
  average.stride = 1;
  average.scale = {0.25};
  average.bias = {0.0};
  average.output_bits = 4;
  Layer sum = plain("sum", LayerKind::add, {"max", "second"});
  sum.scale = {0.5, 0.75};
  sum.bias = {0.25};
  sum.output_bits = 4;
  network.layers = {
      fixtures::random_convolution("first", "input", 5, 1, 3, 1, 1, 4, 4, random),
      max,
      fixtures::random_convolution("second", "max", 5, 5, 3, 1, 1, 4, 4, random),
      sum,
      average,
      plain("same", LayerKind::relu, {"average"}),
      plain("flat", LayerKind::flatten, {"same"}),
      fixtures::random_fully_connected("hidden", "flat", 19, 5 * 3 * 4, 4, 3, random),
      fixtures::random_fully_connected("classes", "hidden", 7, 19, 4, 0, random),
  };
  return network;
}

/// Random images; three labels of four are what exact integers say.
ImageSet images_for(const Network& network, std::size_t count) {
  ImageSet set;
  set.rows = network.input_shape[1];
  set.columns = network.input_shape[2];
  set.classes = network.classes;
  std::mt19937 random(2);
  for (std::size_t i = 0; i < count * set.image_size(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(random() % 256));
  }
  const ForwardPass pass(network, {.rows = 16});
  ForwardPass::Workspace workspace = pass.workspace();
  set.labels.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t label = pass.classify(set.image(i), ExactIntegers{}, {}, workspace);
    set.labels[i] = static_cast<std::uint8_t>(i % 4 == 3 ? (label + 1) % network.classes : label);
  }
  return set;
}

bool operator==(const AccuracyResult& a, const AccuracyResult& b) {
  return a.exact_correct == b.exact_correct && a.sampled_correct == b.sampled_correct;
}

TEST(DigitalLayer, PoolsAndAddsAsTheFormulasSay) {
  const std::vector<std::uint8_t> map{1, 2, 3, 4, 5, 6, 7, 8, 9};
  Layer pool;
  pool.kernel = 2;
  pool.stride = 2;
  pool.padding = 1;
  std::vector<std::uint8_t> result(4);
  max_pool(pool, {1, 3, 3}, map, result);
  EXPECT_THAT(result, testing::ElementsAre(1, 3, 7, 9));
  pool.scale = {0.25};
  pool.bias = {0.125};
  pool.output_bits = 2;
  const auto up = circuits::Ties::up;
  average_pool(pool, {1, 3, 3}, up, map, result);  // sums 1, 5, 11, 28
  EXPECT_THAT(result, testing::ElementsAre(0, 1, 3, 3));
  Layer sum;
  sum.scale = {0.5, -1.0};
  sum.bias = {1.0};
  sum.output_bits = 4;
  const std::vector<std::uint8_t> a{8, 3, 0, 255};
  const std::vector<std::uint8_t> b{2, 2, 9, 0};
  add(sum, a, b, up, result);
  EXPECT_THAT(result, testing::ElementsAre(3, 1, 0, 15));  // 3, 0.5 (up), below 0, above 15
  add(sum, a, b, circuits::Ties::even, result);
  EXPECT_THAT(result, testing::ElementsAre(3, 0, 0, 15));
}

TEST(ForwardPass, GivesTheSameLogitsFromColumnsWithoutErrorsAsFromExactIntegers) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 20);
  IdealCodes ideal;
  for (const std::uint32_t rows : {9U, 32U, 33U, 128U, 1000U}) {
    for (const WeightMapping mapping :
         {WeightMapping::twos_complement, WeightMapping::differential}) {
      const ForwardPass pass(network, {.rows = rows, .weights = mapping});
      ForwardPass::Workspace workspace = pass.workspace();
      for (std::size_t i = 0; i < images.size(); ++i) {
        pass.classify(images.image(i), ExactIntegers{}, {}, workspace);
        const std::vector<double> exact = workspace.values;
        pass.classify(images.image(i), ColumnReading(SourcedCodes{&ideal}), {}, workspace);
        EXPECT_EQ(workspace.values, exact) << "rows " << rows;
      }
    }
  }
}

TEST(ForwardPass, ComputesLayersDigitallyWhereAsked) {
  const Network network = every_kind();
  const auto sums = [&](LayerPlace first, LayerPlace last) {
    return ForwardPass(network, {.rows = 64, .first_layer = first, .last_layer = last})
        .partial_sums();
  };
  const std::uint64_t all = sums(LayerPlace::analog, LayerPlace::analog);
  // First: 99 pixels, 4 activation planes, 4 weight planes, 5 channels. Last: 3 activation planes.
  EXPECT_EQ(all - sums(LayerPlace::digital, LayerPlace::analog), 99u * 4 * 4 * 5);
  EXPECT_EQ(all - sums(LayerPlace::analog, LayerPlace::digital), 3u * 4 * 7);
}

TEST(AccuracyRun, OfRangesOfImagesIsThatOfAll) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 24);
  const circuits::ErrorTable table = fixtures::normal_table(45, 0.1, 0.02, 0.8);
  AccuracyOptions options;
  options.array.rows = 45;
  options.reads = 3;
  const AccuracyResult whole = accuracy_with_table(network, images, table, options, {1});
  AccuracySums sums{.images = 0, .reads = options.reads};
  for (const auto& [first, count] : {std::pair(0U, 7U), {7U, 1U}, {8U, 16U}}) {
    options.first_image = first;
    options.images = count;
    const AccuracySums part =
        accuracy_sums(accuracy_with_table(network, images, table, options, {2}));
    EXPECT_EQ(part.images, count);
    sums.images += part.images;
    sums.exact += part.exact;
    sums.sampled += part.sampled;
    sums.squared += part.squared;
    sums.sampled_exact += part.sampled_exact;
  }
  const AccuracyStatistics expected = accuracy_statistics(whole, 0.9);
  const AccuracyStatistics statistics = accuracy_statistics(sums, 0.9);
  EXPECT_LT(expected.sampled.value, expected.exact.value);
  const auto expect_near = [](const Estimate& a, const Estimate& b) {
    EXPECT_NEAR(a.value, b.value, 1e-13);
    EXPECT_NEAR(a.interval.lower, b.interval.lower, 1e-12);
    EXPECT_NEAR(a.interval.upper, b.interval.upper, 1e-12);
  };
  expect_near(statistics.exact, expected.exact);
  expect_near(statistics.sampled, expected.sampled);
  expect_near(statistics.difference, expected.difference);
  expect_near(*statistics.sampled_on_these_images, *expected.sampled_on_these_images);
}

TEST(AccuracyRun, IntervalsFromSumsDoNotVanishWhereAllImagesAreAlike) {
  const AccuracySums right{.images = 100,
                           .reads = 2,
                           .exact = 100,
                           .sampled = 200,
                           .squared = 400,
                           .sampled_exact = 200};
  const AccuracyStatistics statistics = accuracy_statistics(right, 0.95);
  EXPECT_EQ(statistics.sampled.value, 1.0);
  EXPECT_LT(statistics.sampled.interval.lower, 0.98);
  EXPECT_LT(statistics.difference.interval.lower, -0.02);
}

TEST(AccuracyRun, LosesNothingWhenNothingIsMisread) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 24);
  const circuits::ErrorTable table = fixtures::identity_table(45);
  AccuracyOptions options;
  options.array.rows = 45;
  options.reads = 2;
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    options.stream = stream;
    const AccuracyResult result = accuracy_with_table(network, images, table, options, {1});
    ASSERT_EQ(result.images(), 24u);
    for (std::size_t i = 0; i < 24; ++i) {
      EXPECT_EQ(result.exact_correct[i], i % 4 != 3);
      EXPECT_EQ(result.sampled_correct[i], result.exact_correct[i]);
      EXPECT_EQ(result.sampled_correct[24 + i], result.exact_correct[i]);
    }
  }
  circuits::ColumnDesign quiet;
  quiet.rows = 45;
  quiet.lrs = core::Law::normal(1.0, 0.001);
  quiet.hrs = core::Law::point(0.0);
  quiet.ladder = circuits::midpoint_ladder(quiet, 45);
  const AccuracyResult simulated = accuracy_by_simulation(network, images, quiet, options, {1});
  EXPECT_EQ(simulated.sampled_correct,
            accuracy_with_table(network, images, table, options, {1}).sampled_correct);
}

TEST(AccuracyRun, IsTheSameForAnyThreadsAndInstructionSet) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 40);
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.1, 0.02, 0.8);
  circuits::ColumnDesign noisy;
  noisy.rows = 32;
  noisy.lrs = core::Law::lognormal(1.0, 0.2);
  noisy.hrs = core::Law::lognormal(0.02, 0.5);
  noisy.sense.noise_sd = 0.5;
  noisy.ladder = circuits::replica_ladder(noisy, 32);
  for (const core::Stream stream : {core::Stream::philox, core::Stream::fast}) {
    AccuracyOptions options;
    options.array = {.rows = 32, .weights = WeightMapping::differential};
    options.key = {77, 3};
    options.stream = stream;
    options.reads = 3;
    const AccuracyResult sampled = accuracy_with_table(network, images, table, options, {1});
    const AccuracyResult simulated = accuracy_by_simulation(network, images, noisy, options, {1});
    EXPECT_THAT(sampled.sampled_correct, testing::Not(testing::Each(0)));
    EXPECT_THAT(sampled.sampled_correct, testing::Not(testing::Each(1)));
    for (const std::string& target : core::simd_targets()) {
      core::use_simd_target(target);
      for (const unsigned threads : {1U, 2U}) {
        EXPECT_TRUE(accuracy_with_table(network, images, table, options, {threads}) == sampled)
            << target << ", threads " << threads;
        EXPECT_TRUE(accuracy_by_simulation(network, images, noisy, options, {threads}) == simulated)
            << target << ", threads " << threads;
      }
    }
    core::use_simd_target("");
  }
}

TEST(AccuracyRun, ReadsAnImageTheSameWayHoweverManyImagesThereAre) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 30);
  const circuits::ErrorTable table = fixtures::normal_table(32, 0.1, 0.02, 0.8);
  AccuracyOptions options;
  options.array.rows = 32;
  const AccuracyResult all = accuracy_with_table(network, images, table, options, {1});
  options.images = 12;
  const AccuracyResult some = accuracy_with_table(network, images, table, options, {1});
  EXPECT_TRUE(std::equal(some.sampled_correct.begin(), some.sampled_correct.end(),
                         all.sampled_correct.begin()));
}

TEST(AccuracyRun, ReportsProgressInImages) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 10);
  AccuracyOptions options;
  options.array.rows = 32;
  std::size_t last = 0;
  accuracy_with_table(network, images, fixtures::identity_table(32), options, {1},
                      [&](std::size_t done, std::size_t total) {
                        EXPECT_EQ(total, 10u);
                        EXPECT_GE(done, last);
                        last = done;
                      });
  EXPECT_EQ(last, 10u);
}

TEST(AccuracyRun, RefusesWhatDoesNotFitBeforeItRuns) {
  const Network network = every_kind();
  const ImageSet images = images_for(network, 4);
  AccuracyOptions options;
  options.array.rows = 32;
  const auto message = [&](const circuits::ErrorTable& table) -> std::string {
    try {
      accuracy_with_table(network, images, table, options, {1});
    } catch (const core::UsageError& error) {
      return error.what();
    }
    return {};
  };
  EXPECT_EQ(
      message(fixtures::identity_table(20)),
      "error table: has no class of 21 active rows (the network reads up to 32 at a time); make "
      "it with table.active_rows = \"all\"");
  options.table_name = "few.h5";
  circuits::ErrorTable gap = fixtures::identity_table(32);
  gap.classes.back().lrs_count = 33;
  EXPECT_EQ(message(gap),
            "few.h5: has no class of 32 LRS cells among 32 active rows (the network reads up to 32 "
            "at a time); make it with table.active_rows = \"all\"");
  options.images = 5;
  EXPECT_THAT(message(fixtures::identity_table(32)), testing::HasSubstr("5 images are wanted"));
  options.images = 0;
  options.reads = 0;
  EXPECT_THAT(message(fixtures::identity_table(32)), testing::HasSubstr("accuracy.reads: is 0"));
  options.reads = 1;
  const auto refusal = [&](const ImageSet& other) -> std::string {
    try {
      accuracy_with_table(network, other, fixtures::identity_table(32), options, {1});
    } catch (const core::UsageError& error) {
      return error.what();
    }
    return {};
  };
  ImageSet turned = images;
  turned.name = "turned";
  std::swap(turned.rows, turned.columns);
  EXPECT_EQ(
      refusal(turned),
      "accuracy.data_set: turned has images of 1 x 11 x 9 pixels (the network takes 1 x 9 x 11); "
      "name a data set and a network that go together");
  ImageSet more = images;
  more.name = "more";
  more.classes = 100;
  EXPECT_THAT(refusal(more),
              testing::HasSubstr("more has 100 classes (the network tells 7 apart)"));
  circuits::ColumnDesign small;
  small.rows = 8;
  try {
    accuracy_by_simulation(network, images, small, options, {1});
    ADD_FAILURE() << "a column of too few rows was simulated";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "column.rows: 8 are too few (the network reads up to 32 at a time); simulate a "
                 "column of as many rows as the array has");
  }
}

TEST(AccuracyStatistics, AreWhatTheFormulasSay) {
  AccuracyResult result;
  result.reads = 2;
  result.exact_correct = {1, 1, 0, 1};
  result.sampled_correct = {1, 0, 0, 1, /* second read */ 1, 1, 0, 0};
  const AccuracyStatistics statistics = accuracy_statistics(result, 0.95);
  EXPECT_DOUBLE_EQ(statistics.exact.value, 0.75);
  EXPECT_DOUBLE_EQ(statistics.exact.interval.lower, core::clopper_pearson(3, 4, 0.95).lower);
  EXPECT_DOUBLE_EQ(statistics.sampled.value, 0.5);
  // Shares 1, 1/2, 0, 1/2; differences 0, -1/2, 0, -1/2.
  EXPECT_DOUBLE_EQ(statistics.difference.value, -0.25);
  const double half = core::student_t(0.95, 3) * std::sqrt(1.0 / 12.0) / 2.0;
  EXPECT_NEAR(statistics.difference.interval.upper, -0.25 + half, 1e-15);
  EXPECT_NEAR(statistics.difference.interval.lower, -0.25 - half, 1e-15);
  // Within images: variances of the mean of two reads 0, 1/4, 0, 1/4, over 4^2.
  const double fixed = core::normal_z(0.95) * std::sqrt(0.5) / 4.0;
  EXPECT_NEAR(statistics.sampled_on_these_images->interval.upper, 0.5 + fixed, 1e-15);
  // Reads that all agree don't prove that all would.
  result.sampled_correct = {1, 1, 1, 1, 1, 1, 1, 1};
  EXPECT_DOUBLE_EQ(accuracy_statistics(result, 0.95).sampled_on_these_images->interval.lower,
                   1.0 - core::clopper_pearson(0, 8, 0.95).upper);
  result.reads = 1;
  result.sampled_correct.resize(4);
  EXPECT_FALSE(accuracy_statistics(result, 0.95).sampled_on_these_images);
}

}  // namespace
}  // namespace cimstat::experiments
