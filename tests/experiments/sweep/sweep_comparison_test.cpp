#include "experiments/seeing/sweep_comparison.h"

#include <nlohmann/json.hpp>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "tests/experiments/sweep/sweep_samples.h"

namespace cimstat::experiments {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Misread rates of 400 points as counted in 1e5 trials each.
SweepRecord counted_sweep(unsigned seed, double factor = 1.0) {
  std::vector<double> values;
  for (int index = 0; index < 400; ++index) values.push_back(index);
  SweepRecord record = record_over({number_axis("x", values)});
  std::mt19937 engine(seed);
  add_scalar(record, "misread_mean", "1", [&](const Coordinates& at) {
    const double rate = factor * 1e-5 * std::pow(10.0, 3.0 * at[0] / 400.0);
    const auto count = std::binomial_distribution<std::uint64_t>(100'000, rate)(engine);
    const core::Interval interval = core::clopper_pearson(count, 100'000, 0.95);
    return Estimated{static_cast<double>(count) / 1e5, interval.lower, interval.upper};
  });
  return record;
}

TEST(SweepComparison, EqualSweepsDoNotDiffer) {
  const SweepComparison comparison = compare_sweeps(grid_record(), grid_record(), 0.001);
  EXPECT_FALSE(comparison.differ());
  EXPECT_EQ(comparison.compared, 3u * 252u);
}

TEST(SweepComparison, DrawsOfOneRateRarelyDifferAndOthersDo) {
  // Of 100 comparisons at 5 % each, 5 are expected to report a difference; 12 is more than 3
  // standard errors above. The marginal points of a rate 1.5 times as high are found every time.
  int reported = 0;
  int found = 0;
  for (unsigned turn = 0; turn < 100; ++turn) {
    const SweepRecord a = counted_sweep(2 * turn);
    reported += compare_sweeps(a, counted_sweep(2 * turn + 1), 0.05).differ() ? 1 : 0;
    found += compare_sweeps(a, counted_sweep(2 * turn + 1, 1.5), 0.05).differ() ? 1 : 0;
  }
  EXPECT_LE(reported, 12);
  EXPECT_EQ(found, 100);
}

TEST(SweepComparison, IsCloseToTheExactTestForCounts) {
  SweepRecord a = record_over({});
  SweepRecord b = a;
  const auto rate = [](std::uint64_t count) {
    const core::Interval ends = core::clopper_pearson(count, 1'000'000, 0.95);
    return SweepScalar{"misread_mean", "1",         "", {static_cast<double>(count) / 1e6},
                       {ends.lower},   {ends.upper}};
  };
  // Two-sided, given the sum: P(Binomial(sum, 1/2) as far from the middle).
  struct Case {
    std::uint64_t a, b;
    double exact;
  };
  for (const Case& one : {Case{0, 10, 1.953e-3}, Case{5, 25, 3.249e-4}, Case{90, 140, 1.186e-3}}) {
    a.scalars = {rate(one.a)};
    b.scalars = {rate(one.b)};
    const SweepComparison comparison = compare_sweeps(a, b, 0.5);
    ASSERT_EQ(comparison.differing.size(), 1u);
    EXPECT_NEAR(std::log10(comparison.differing[0].p_value), std::log10(one.exact), 0.2);
  }
}

TEST(SweepComparison, ExactValuesAndBoundsDifferWhereTheyDoNotMeet) {
  SweepRecord a = line_record();
  SweepRecord b = a;
  EXPECT_FALSE(compare_sweeps(a, b, 0.001).differ());
  b.scalars[0].value[5] += 1.5e-13;
  b.scalars[0].lower[5] += 1.5e-13;
  b.scalars[0].upper[5] += 1.5e-13;
  EXPECT_FALSE(compare_sweeps(a, b, 0.001).differ());  // the bounds still meet
  b.scalars[0].value[5] += 1e-12;
  b.scalars[0].lower[5] += 1e-12;
  b.scalars[0].upper[5] += 1e-12;
  const SweepComparison comparison = compare_sweeps(a, b, 0.001);
  ASSERT_EQ(comparison.differing.size(), 1u);
  EXPECT_EQ(comparison.differing[0].point, 5u);
  EXPECT_EQ(comparison.differing[0].p_value, 0.0);
  EXPECT_THAT(format_comparison(a, b, comparison, 0.001, 10),
              HasSubstr("misread_mean at sigma = 0.12"));
  EXPECT_EQ(comparison_as_json(a, b, comparison, 0.001)["differing"].size(), 1u);
}

TEST(SweepComparison, SaysWhatOneAloneHas) {
  SweepRecord a = grid_record();
  SweepRecord b = a;
  b.scalars[1].name = "another";
  b.scalars[2].value[7] = kNotKnown;
  const SweepComparison comparison = compare_sweeps(a, b, 0.001);
  EXPECT_THAT(comparison.unmatched, ElementsAre("margin", "another"));
  EXPECT_EQ(comparison.unknown, 1u);
  EXPECT_THAT(comparison.differing, IsEmpty());
  EXPECT_TRUE(comparison.differ());
}

TEST(SweepComparison, SweepsOverOtherPointsAreNotCompared) {
  const SweepRecord a = grid_record();
  SweepRecord b = a;
  EXPECT_EQ(axes_difference(a, b), "");
  b.axes[2].numbers[1] = 0.06;
  EXPECT_EQ(axes_difference(a, b), "value 2 of sigma is 0.05, and 0.06");
  b.axes[2].numbers.pop_back();
  EXPECT_EQ(axes_difference(a, b), "sigma has 7 values, and 6");
  b.axes.pop_back();
  EXPECT_EQ(axes_difference(a, b), "axes corner, ratio, sigma, and corner, ratio");
}

}  // namespace
}  // namespace cimstat::experiments
