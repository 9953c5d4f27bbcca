#include "experiments/inference/stopped_accuracy.h"

#include <cmath>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cimstat::experiments {
namespace {

AccuracyResult answers(std::size_t right, std::size_t images) {
  AccuracyResult result;
  result.reads = 1;
  result.exact_correct.assign(images, 1);
  result.sampled_correct.assign(images, 0);
  std::fill_n(result.sampled_correct.begin(), right, std::uint8_t{1});
  return result;
}

/// The interval of `right` answers among `images`.
using Interval = std::function<Estimate(std::size_t right, std::size_t images)>;

/// A probability that is known up to what the computation left out.
struct Bounds {
  double lower = 1.0;
  double upper = 1.0;
};

/// P(the interval at the end holds `accuracy`): the law of the number of right answers among images
/// that are right with this probability, from look to look, less what has stopped.
Bounds coverage(double accuracy, double wanted, std::size_t images, const Interval& interval_of) {
  constexpr double left_out = 1e-14;
  std::vector<double> running = {1.0};  // [right answers so far]
  double covered = 0.0;
  double missed = 0.0;
  std::size_t before = 0;
  for (const std::size_t look : looks(images)) {
    const std::size_t more = look - before;
    const boost::math::binomial law(static_cast<double>(more), accuracy);
    std::vector<double> next(look + 1);
    for (std::size_t right = 0; right <= more; ++right) {
      const double p = boost::math::pdf(law, static_cast<double>(right));
      if (p < left_out) continue;
      for (std::size_t so_far = 0; so_far < running.size(); ++so_far) {
        next[so_far + right] += running[so_far] * p;
      }
    }
    for (std::size_t right = 0; right <= look; ++right) {
      const double probability = std::exchange(next[right], 0.0);
      if (probability < left_out) continue;
      const Estimate estimate = interval_of(right, look);
      if (half_width(estimate) > wanted && look < images) {
        next[right] = probability;
      } else if (estimate.interval.lower <= accuracy && accuracy <= estimate.interval.upper) {
        covered += probability;
      } else {
        missed += probability;
      }
    }
    running = std::move(next);
    before = look;
  }
  return {covered, 1.0 - missed};
}

/// The least over accuracies from 50 % to nearly all, close together where it changes fast; below
/// 50 % right and wrong change places.
Bounds least_coverage(double wanted, const std::function<Estimate(const AccuracyResult&)>& rule) {
  std::map<std::pair<std::size_t, std::size_t>, Estimate> known;
  const Interval interval_of = [&](std::size_t right, std::size_t images) {
    const auto [place, is_new] = known.try_emplace({right, images});
    if (is_new) place->second = rule(answers(right, images));
    return place->second;
  };
  Bounds least;
  for (double accuracy = 0.5; accuracy < 0.998;
       accuracy += accuracy < 0.9 ? 0.02 : (accuracy < 0.98 ? 0.01 : 0.001)) {
    const Bounds found = coverage(accuracy, wanted, 4000, interval_of);
    least = {std::min(least.lower, found.lower), std::min(least.upper, found.upper)};
  }
  return least;
}

TEST(StoppedAccuracy, LooksAtNumbersThatDependOnNothing) {
  EXPECT_THAT(looks(1000), testing::ElementsAre(256, 362, 512, 724, 1000));
  EXPECT_THAT(looks(1024), testing::ElementsAre(256, 362, 512, 724, 1024));
  EXPECT_THAT(looks(1025), testing::ElementsAre(256, 362, 512, 724, 1024, 1025));
  EXPECT_THAT(looks(256), testing::ElementsAre(256));
  EXPECT_THAT(looks(7), testing::ElementsAre(7));
}

// Computed, not sampled: there is no chance in it, and the bar is the confidence itself.
// Clopper-Pearson's caution and the stricter level make up for the looks.
TEST(StoppedAccuracy, CoversAtLeastAsOftenAsItSays) {
  for (const double wanted : {0.05, 0.02, 0.01}) {
    for (const double confidence : {0.9, 0.95}) {
      const Bounds least = least_coverage(wanted, [&](const AccuracyResult& result) {
        return stopped_accuracy(result, confidence);
      });
      EXPECT_GE(least.lower, confidence) << wanted;
      EXPECT_LT(least.upper - least.lower, 1e-8);
    }
  }
}

// The biased twin, what an interval for a fixed number of images would do: held to the same bar, it
// misses it by far more than the computation left out.
TEST(StoppedAccuracy, WouldNotWithTheIntervalOfAFixedNumberOfImages) {
  for (const double wanted : {0.05, 0.02, 0.01}) {
    const Bounds least = least_coverage(wanted, [](const AccuracyResult& result) {
      return accuracy_statistics(result, 0.95).sampled;
    });
    EXPECT_LT(least.upper, 0.95 - 0.05) << wanted;
    EXPECT_LT(least.upper - least.lower, 1e-8);
  }
}

TEST(StoppedAccuracy, EndsWithTheFirstLookAtWhichTheHalfWidthIsReached) {
  std::vector<std::pair<std::size_t, std::size_t>> asked;
  const auto run = [&](std::size_t first, std::size_t count) {
    asked.emplace_back(first, count);
    AccuracyResult result = answers(0, count);
    for (std::size_t i = 0; i < count; ++i) result.sampled_correct[i] = (first + i) % 10 != 0;
    return result;
  };
  const StoppingRule rule{.half_width = 0.025, .confidence = 0.95, .images = 10'000};
  const AccuracyResult result = accuracy_until(rule, run);
  EXPECT_EQ(result.images(), 1024u);
  EXPECT_THAT(
      asked, testing::ElementsAre(std::pair(0u, 256u), std::pair(256u, 106u), std::pair(362u, 150u),
                                  std::pair(512u, 212u), std::pair(724u, 300u)));
  EXPECT_GT(half_width(stopped_accuracy(run(0, 724), 0.95)), 0.025);
  EXPECT_LE(half_width(stopped_accuracy(result, 0.95)), 0.025);
  for (std::size_t i = 0; i < result.images(); ++i) {
    ASSERT_EQ(result.sampled_correct[i], i % 10 != 0);
  }
  asked.clear();
  EXPECT_EQ(accuracy_until({.half_width = 1e-4, .confidence = 0.95, .images = 600}, run).images(),
            600u);
}

TEST(StoppedAccuracy, OfSeveralReadsIsNotNarrowerThanItsOwnSpread) {
  AccuracyResult result = answers(300, 300);
  result.reads = 3;
  result.sampled_correct.assign(900, 1);
  for (std::size_t i = 0; i < 25; ++i) result.sampled_correct[300 + i] = 0;
  const Estimate stopped = stopped_accuracy(result, 0.95);
  const Estimate fixed = accuracy_statistics(result, 0.95).sampled;
  EXPECT_DOUBLE_EQ(stopped.value, fixed.value);
  EXPECT_LT(stopped.interval.lower, fixed.interval.lower);
  EXPECT_GT(stopped.interval.upper, fixed.interval.upper);
  // 875 of 900 are 291.67 of 300.
  EXPECT_LE(stopped.interval.lower, core::clopper_pearson(291, 300, 0.95).lower);
  EXPECT_GE(stopped.interval.upper, core::clopper_pearson(292, 300, 0.95).upper);
}

}  // namespace
}  // namespace cimstat::experiments
