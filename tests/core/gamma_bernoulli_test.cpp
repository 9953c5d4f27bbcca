#include "core/statistics/gamma_bernoulli.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::core {
namespace {

TEST(GammaBernoulli, TakesTheSuccessesOfHuber) {
  EXPECT_EQ(gamma_bernoulli_successes(0.1, 0.95), 385U);
  EXPECT_EQ(gamma_bernoulli_successes(0.1, 0.90), 270U);
  EXPECT_EQ(gamma_bernoulli_successes(0.2, 0.95), 97U);
  EXPECT_EQ(gamma_bernoulli_successes(0.1, 0.99), 672U);
  EXPECT_NEAR(gamma_bernoulli_failure(385, 0.1), 0.04983, 5e-6);
  EXPECT_NEAR(gamma_bernoulli_failure(384, 0.1), 0.05012, 5e-6);
}

TEST(GammaBernoulli, RefusesWhatIsNoFractionAndWhatTakesForEver) {
  for (const double wrong : {0.0, 1.0, -0.1, std::nan("")}) {
    EXPECT_THROW(gamma_bernoulli_successes(wrong, 0.95), UsageError);
    EXPECT_THROW(gamma_bernoulli_successes(0.1, wrong), UsageError);
  }
  EXPECT_THROW(gamma_bernoulli_successes(1e-7, 0.95), UsageError);
}

struct Repetitions {
  int failures = 0;
  int covered = 0;
};

/// `runs` experiments at the probability `p`, the successes counted as if there were `successes`.
Repetitions repeat(int runs, double p, std::uint64_t successes, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::negative_binomial_distribution<std::uint64_t> misses(successes, p);
  std::uniform_real_distribution<double> uniform(0x1p-40, 1.0 - 0x1p-40);
  Repetitions run;
  for (int i = 0; i < runs; ++i) {
    const GammaBernoulli found =
        gamma_bernoulli(successes, successes + misses(engine), uniform(engine));
    run.failures += std::abs(found.probability() / p - 1.0) > 0.1;
    const Interval interval = found.interval(0.95);
    run.covered += interval.lower <= p && p <= interval.upper;
  }
  return run;
}

// The failure of 385 successes is 4.983 %: 6.5 % in 2,000 runs are three standard errors more.
TEST(GammaBernoulli, KeepsItsPromiseForAnyProbability) {
  std::uint64_t seed = 1;
  for (const double p : {0.3, 1e-2, 1e-5}) {
    const Repetitions run = repeat(2000, p, 385, seed++);
    EXPECT_LE(run.failures, 130) << p;
    EXPECT_GE(run.failures, 71) << p;
    EXPECT_NEAR(run.covered, 1900, 3.0 * std::sqrt(2000 * 0.95 * 0.05)) << p;
  }
  EXPECT_GT(repeat(2000, 1e-2, 300, 9).failures, 130);  // a twin that stops too early
}

TEST(GammaBernoulli, GivesNoProbabilityAboveOne) {
  const GammaBernoulli always = gamma_bernoulli(385, 385, 0.01);  // a short time of 385 trials
  EXPECT_LT(always.time, 384.0);
  EXPECT_EQ(always.probability(), 1.0);
  EXPECT_EQ(always.interval(0.95).upper, 1.0);
  EXPECT_LE(always.interval(0.95).lower, 1.0);
}

TEST(GammaBernoulli, IsUnbiased) {
  std::mt19937_64 engine(5);
  constexpr double p = 0.02;
  std::negative_binomial_distribution<std::uint64_t> misses(20, p);
  std::uniform_real_distribution<double> uniform(0x1p-40, 1.0 - 0x1p-40);
  Moments moments;
  for (int i = 0; i < 20000; ++i) {
    moments.add(gamma_bernoulli(20, 20 + misses(engine), uniform(engine)).probability());
  }
  EXPECT_NEAR(moments.mean(), p, 4.0 * moments.standard_error());
}

}  // namespace
}  // namespace cimstat::core
