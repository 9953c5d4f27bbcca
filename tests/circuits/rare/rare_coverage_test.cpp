// How often 95 % intervals hold the truth, over seeds 1 to 200, fixed before the first run.

#include <cstdint>
#include <cstdio>

#include <gtest/gtest.h>

#include "circuits/rare/rare_column.h"

#include "tests/circuits/rare/rare_cases.h"

namespace cimstat::circuits {
namespace {

using tests::rare_cases;
using tests::RareCase;

constexpr std::uint64_t seeds = 200;

struct Coverage {
  std::uint64_t held = 0;
  std::uint64_t held_when_biased = 0;  ///< estimates 3 relative standard errors too large
};

Coverage coverage(const RareCase& rare) {
  const SumFailure failure = failure_of(rare.design, rare.tail);
  Coverage result;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate estimate = rare_sum(failure, {.key = {.seed = seed}}, Proposal::modes, {1});
    const auto interval = estimate.interval(0.95);
    if (!interval) continue;  // a refusal holds nothing
    const double bias = 1.0 + 3.0 * estimate.sums().relative_error();
    const double p = rare.probability;
    if (interval->lower <= p && p <= interval->upper) ++result.held;
    if (interval->lower * bias <= p && p <= interval->upper * bias) ++result.held_when_biased;
  }
  return result;
}

class RareCoverage : public ::testing::TestWithParam<std::size_t> {};

TEST_P(RareCoverage, Is178To199Of200) {
  const RareCase& rare = rare_cases()[GetParam()];
  const Coverage result = coverage(rare);
  std::printf("%-42s %llu of 200\n", rare.name.c_str(),
              static_cast<unsigned long long>(result.held));
  EXPECT_GE(result.held, 178u) << rare.name;
  EXPECT_LE(result.held, 199u) << rare.name;
  EXPECT_LT(result.held_when_biased, 178u) << rare.name;
}

INSTANTIATE_TEST_SUITE_P(EveryCase, RareCoverage,
                         ::testing::Range(std::size_t{0}, std::size_t{13}));

TEST(RareCoverageOfASingleShift, IsFarTooLow) {
  const RareCase& rare = rare_cases()[3];
  const SumFailure failure = failure_of(rare.design, rare.tail);
  std::uint64_t held = 0;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const core::WeightedSums sums =
        rare_sum(failure, {.key = {.seed = seed}}, Proposal::single_shift, {1}).sums();
    const core::Interval interval = log_normal_interval(sums, 0.95);
    if (interval.lower <= rare.probability && rare.probability <= interval.upper) ++held;
  }
  EXPECT_LE(held, 5u);
}

}  // namespace
}  // namespace cimstat::circuits
