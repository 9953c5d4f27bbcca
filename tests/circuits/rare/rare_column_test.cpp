#include "circuits/rare/rare_column.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circuits/exact_column.h"

#include "tests/circuits/rare/rare_cases.h"

// Seeds 1 to 20, as the samples of 100,000, were fixed before the first run.
namespace cimstat::circuits {
namespace {

using ::testing::HasSubstr;
using tests::rare_cases;
using tests::RareCase;

constexpr std::uint64_t seeds = 20;

struct SeedFigures {
  std::uint64_t agree = 0;  ///< trustworthy and within 5 standard errors
  double relative_sd = 0.0;
  double mean = 0.0;
};

/// `bias` multiplies what was estimated.
SeedFigures over_seeds(const RareCase& rare, Proposal proposal, double bias) {
  const SumFailure failure = failure_of(rare.design, rare.tail);
  core::Moments moments;
  SeedFigures figures;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate estimate = rare_sum(failure, {.key = {.seed = seed}}, proposal, {1});
    const core::WeightedSums sums = estimate.sums();
    const double p = bias * sums.mean();
    moments.add(p);
    const bool near = std::abs(p - rare.probability) <= 5.0 * sums.standard_error();
    if (estimate.trustworthy() && near) ++figures.agree;
  }
  figures.mean = moments.mean();
  figures.relative_sd = std::sqrt(moments.variance()) / moments.mean();
  return figures;
}

class RareColumn : public ::testing::TestWithParam<std::size_t> {
 protected:
  const RareCase& rare() const { return rare_cases()[GetParam()]; }
};

TEST_P(RareColumn, IsRightWithinFiveStandardErrorsForEverySeed) {
  const SeedFigures figures = over_seeds(rare(), Proposal::modes, 1.0);
  RecordProperty("probability", std::to_string(rare().probability));
  std::printf("%-42s p = %.6g, mean / p - 1 = %+.3f %%, relative sd %.3f %%\n", rare().name.c_str(),
              rare().probability, 100.0 * (figures.mean / rare().probability - 1.0),
              100.0 * figures.relative_sd);
  EXPECT_EQ(figures.agree, seeds) << rare().name;
  EXPECT_LE(figures.relative_sd, 0.015) << rare().name;
}

TEST_P(RareColumn, ABiasOfEightPercentWouldBeSeen) {
  EXPECT_LT(over_seeds(rare(), Proposal::modes, 1.08).agree, seeds) << rare().name;
}

INSTANTIATE_TEST_SUITE_P(EveryCase, RareColumn, ::testing::Range(std::size_t{0}, std::size_t{12}));

}  // namespace
}  // namespace cimstat::circuits
