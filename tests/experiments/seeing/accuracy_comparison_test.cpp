#include "experiments/seeing/accuracy_comparison.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "experiments/seeing/config_difference.h"

namespace cimstat::experiments {
namespace {

constexpr std::size_t images = 2000;

/// Each image has its own chance of being read right, in (low, 1).
AccuracyRecord record(double low, std::uint32_t reads, std::uint64_t seed,
                      std::size_t image_count = images) {
  AccuracyRecord made;
  made.network = "net";
  made.data_set = "set";
  std::mt19937_64 engine(seed);
  std::mt19937_64 easy(5);  // which images are easy is a property of the images
  std::vector<double> chance(image_count);
  for (double& p : chance) p = std::uniform_real_distribution<double>(low, 1.0)(easy);
  made.result.reads = reads;
  made.result.exact_correct.assign(image_count, 1);
  for (std::uint32_t read = 0; read < reads; ++read) {
    for (const double p : chance) {
      made.result.sampled_correct.push_back(std::bernoulli_distribution(p)(engine));
    }
  }
  return made;
}

TEST(AccuracyComparison, PairsTheSameImages) {
  const AccuracyComparison comparison =
      compare_accuracy(record(0.7, 2, 1), record(0.5, 3, 2), 0.95);
  EXPECT_TRUE(comparison.paired);
  EXPECT_EQ(comparison.images, images);
  EXPECT_EQ(comparison.reads, 2U);  // as many as both have
  EXPECT_LT(comparison.p_value, 1e-6);
  EXPECT_LT(comparison.difference.interval.upper, 0.0);
  EXPECT_GT(comparison.better_a, comparison.better_b);
}

TEST(AccuracyComparison, UsesTheImagesThatBothHave) {
  EXPECT_EQ(compare_accuracy(record(0.7, 1, 1), record(0.7, 1, 2, 500), 0.95).images, 500U);
}

TEST(AccuracyComparison, DoesNotPairOtherNetworksOrOtherImages) {
  AccuracyRecord other = record(0.5, 1, 2);
  other.network = "another";
  const AccuracyComparison comparison = compare_accuracy(record(0.7, 1, 1), other, 0.95);
  EXPECT_FALSE(comparison.paired);
  EXPECT_LT(comparison.p_value, 1e-6);
  EXPECT_LT(comparison.difference.interval.upper, 0.0);
  AccuracyRecord shuffled = record(0.7, 1, 2);
  shuffled.result.exact_correct[3] = 0;
  EXPECT_FALSE(compare_accuracy(record(0.7, 1, 1), shuffled, 0.95).paired);
}

// Level 0.01; tolerance three standard errors of 1,000 replicates.
TEST(AccuracyComparison, RaisesNoMoreFalseAlarmsThanItsLevel) {
  constexpr int replicates = 1000;
  for (const bool paired : {true, false}) {
    int rejected = 0;
    for (std::uint64_t i = 0; i < replicates; ++i) {
      AccuracyRecord b = record(0.7, 2, 20'000 + i, 400);
      if (!paired) b.data_set = "another";
      rejected += compare_accuracy(record(0.7, 2, 10'000 + i, 400), b, 0.95).p_value <= 0.01;
    }
    EXPECT_LE(double(rejected) / replicates, 0.01 + 3.0 * std::sqrt(0.01 * 0.99 / replicates))
        << paired;
  }
}

TEST(ConfigDifference, ListsDottedKeysWithBothValues) {
  const auto keys = differing_keys(
      "name = \"a\"\nseed = 1\n\n[cell.lrs]\nmedian = 4e-05\nsigma = 0.1\n",
      "name = \"a\"\n\n[cell.lrs]\nmedian = 4e-05\nsigma = 0.2\n\n[table]\ntrials = 5\n");
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].key, "seed");
  EXPECT_EQ(keys[0].b, "");
  EXPECT_FALSE(keys[0].of_macro);
  EXPECT_EQ(keys[1].key, "cell.lrs.sigma");
  EXPECT_EQ(keys[1].a, "0.1");
  EXPECT_EQ(keys[1].b, "0.2");
  EXPECT_TRUE(keys[1].of_macro);
  EXPECT_EQ(keys[2].key, "table.trials");
  EXPECT_EQ(keys[2].a, "");
  EXPECT_TRUE(differing_keys("a = 1\n", "a = 1\n").empty());
}

}  // namespace
}  // namespace cimstat::experiments
