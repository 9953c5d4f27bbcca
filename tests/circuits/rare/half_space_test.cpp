// A half space at 6 sigma over 200 runs, seeds 1 to 200, fixed before the first run.

#include <cmath>
#include <cstdint>
#include <cstdio>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/rare/limit_state.h"

#include "tests/circuits/rare/limit_states.h"

namespace cimstat::circuits {
namespace {

constexpr std::uint64_t seeds = 200;

class HalfSpace : public ::testing::TestWithParam<std::size_t> {};

TEST_P(HalfSpace, At6SigmaTakes100000SamplesForOnePercent) {
  const LimitState limit = tests::half_space(GetParam(), 6.0);
  core::Moments moments;
  std::uint64_t held = 0;
  std::uint64_t held_when_biased = 0;  // 3 relative standard errors too large
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate estimate = failure_probability(limit, {.key = {.seed = seed}}, {1});
    ASSERT_TRUE(estimate.trustworthy()) << "seed " << seed << ": " << estimate.refusal;
    moments.add(estimate.probability().value());
    const core::Interval interval = estimate.interval(0.95).value();
    const double bias = 1.0 + 3.0 * estimate.sums().relative_error();
    if (interval.lower <= tests::q6 && tests::q6 <= interval.upper) ++held;
    if (interval.lower * bias <= tests::q6 && tests::q6 <= interval.upper * bias) {
      ++held_when_biased;
    }
  }
  const double relative_sd = std::sqrt(moments.variance()) / moments.mean();
  std::printf("%zu variables: relative sd %.3f %%, mean / p - 1 = %+.3f %%, %llu of 200 held\n",
              GetParam(), 100.0 * relative_sd, 100.0 * (moments.mean() / tests::q6 - 1.0),
              static_cast<unsigned long long>(held));
  EXPECT_LE(relative_sd, 0.011);
  EXPECT_NEAR(moments.mean(), tests::q6, 5.0 * moments.standard_error());
  EXPECT_GE(held, 178u);
  EXPECT_LE(held, 199u);
  EXPECT_LT(held_when_biased, 178u);
}

INSTANTIATE_TEST_SUITE_P(FewAndManyVariables, HalfSpace, ::testing::Values(6, 576));

}  // namespace
}  // namespace cimstat::circuits
