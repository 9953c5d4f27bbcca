#include "experiments/columns/column_statistics.h"

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <gtest/gtest.h>

#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "circuits/columns/pool_rates.h"
#include "circuits/references/references.h"

namespace cimstat::experiments {
namespace {

constexpr core::Threads one_thread{1};
constexpr double pi = 3.14159265358979323846;

double normal_above(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

template <class Function>
double normal_mean(Function&& f) {
  return boost::math::quadrature::gauss_kronrod<double, 61>::integrate(
      [&](double z) { return f(z) * std::exp(-0.5 * z * z) / std::sqrt(2.0 * pi); }, -9.0, 9.0, 12,
      1e-13);
}

/// Rates of `columns` columns of one class, from their misread rates alone.
circuits::ColumnRates rates_of(std::vector<double> misread) {
  circuits::ColumnRates rates;
  rates.columns = misread.size();
  rates.classes = {{0, 1}};
  for (const double p : misread) {
    rates.both_wrong.push_back(p * p);
    rates.vote_wrong.push_back(p * p * (3.0 - 2.0 * p));
  }
  rates.misread = std::move(misread);
  return rates;
}

/// A column of two normal cells: everything about it follows from one-dimensional integrals.
circuits::ColumnDesign normal_column() {
  circuits::ColumnDesign design;
  design.rows = 2;
  design.lrs = core::Law::normal(10.0, 1.0);
  design.hrs = core::Law::normal(1.0, 0.5);
  design.sense.noise_sd = 2.0;
  design.sense.offset_sd = 0.8;
  design.ladder = circuits::midpoint_ladder(design, 2);
  return design;
}

/// P(read is wrong) of the middle class where the frozen part is z standard deviations off.
double error_at(double z) {
  const double frozen = std::sqrt(1.0 + 0.25 + 0.64);
  return normal_above((4.5 - frozen * z) / 2.0) + normal_above((4.5 + frozen * z) / 2.0);
}

// Reference 2.7: P(both wrong) = E[p^2], not E[p]^2; the vote of three reads is E[p^2 (3 - 2 p)]
// but for codes on both sides, each of which must be the vote itself.
TEST(ColumnStatistics, PairsAndVotesOfReadsAreMeansOverColumnsOfPowers) {
  const circuits::FrozenPool pool(
      normal_column(),
      circuits::random_patterns(2, {{circuits::ColumnClass{1, 2}}}, {.lrs_cells = 1}),
      {.columns = 40000, .key = {7, 0}}, one_thread);
  const RateSummary found =
      column_statistics(circuits::integrated_rates(pool, 3, one_thread), {}).overall;
  const double p = normal_mean(error_at);
  const double both = normal_mean([](double z) { return error_at(z) * error_at(z); });
  const double frozen = std::sqrt(1.89);
  const double vote = normal_mean([&](double z) {
    const auto majority = [](double a) { return a * a * (3.0 - 2.0 * a); };
    return majority(normal_above((4.5 - frozen * z) / 2.0)) +
           majority(normal_above((4.5 + frozen * z) / 2.0));
  });
  // Intervals of 95 %, so that 2.2 half widths are 4.3 standard errors.
  const auto agrees = [](const Estimate& estimate, double expected) {
    const double half = 0.5 * (estimate.interval.upper - estimate.interval.lower);
    return std::abs(estimate.value - expected) < 2.2 * half;
  };
  EXPECT_TRUE(agrees(found.mean, p)) << found.mean.value << ' ' << p;
  EXPECT_TRUE(agrees(found.both_wrong, both)) << found.both_wrong.value << ' ' << both;
  EXPECT_TRUE(agrees(found.vote_wrong, vote)) << found.vote_wrong.value << ' ' << vote;
  const double correlation = (both - p * p) / (p * (1.0 - p));
  EXPECT_TRUE(agrees(found.correlation, correlation)) << found.correlation.value;
  // The twins: independent errors would be seen to be wrong.
  EXPECT_FALSE(agrees(found.both_wrong, p * p));
  EXPECT_FALSE(agrees(found.vote_wrong, p * p * (3.0 - 2.0 * p)));
  EXPECT_FALSE(agrees(found.correlation, 0.0));
}

TEST(ColumnStatistics, QuantileIntervalsAreOrderStatistics) {
  std::vector<double> misread;
  for (int i = 1; i <= 100; ++i) misread.push_back(i / 1000.0);
  const RateSummary summary = column_statistics(rates_of(misread), {}).overall;
  // Median of 100: X_(40) .. X_(61), the tabulated 95 % ranks.
  EXPECT_DOUBLE_EQ(summary.quantiles[0].interval.lower, 0.040);
  EXPECT_DOUBLE_EQ(summary.quantiles[0].interval.upper, 0.061);
  // 100 columns say nothing from above of the 99.9 % column.
  EXPECT_EQ(summary.quantiles[3].interval.upper, 1.0);
}

TEST(ColumnStatistics, YieldOfIndependentColumnsIsBinomial) {
  std::vector<double> misread(1000, 1e-4);
  for (std::size_t i = 0; i < 100; ++i) misread[10 * i] = 1e-2;
  const ColumnStatistics statistics =
      column_statistics(rates_of(misread), {.columns_of_a_die = 10, .limit = 1e-3, .repairs = 1});
  EXPECT_DOUBLE_EQ(statistics.pass.value, 0.9);
  ASSERT_TRUE(statistics.die_yield_from_columns);
  const double expected = std::pow(0.9, 10) + 10.0 * 0.1 * std::pow(0.9, 9);
  EXPECT_NEAR(statistics.die_yield_from_columns->value, expected, 1e-12);
  // Each of these dies has one failing column.
  EXPECT_DOUBLE_EQ(statistics.die_yield.value, 1.0);
  const ColumnStatistics strict =
      column_statistics(rates_of(misread), {.columns_of_a_die = 10, .limit = 1e-3, .repairs = 0});
  EXPECT_DOUBLE_EQ(strict.die_yield.value, 0.0);
}

TEST(ColumnStatistics, WorstOfADieIsTheQuantileOfTheLargest) {
  // Rates uniform on a grid: the median of the largest of 8 is 0.5^(1/8) of the range.
  std::vector<double> misread;
  for (int i = 0; i < 80000; ++i) misread.push_back((i + 0.5) / 80000.0);
  const ColumnStatistics statistics = column_statistics(rates_of(misread), {.columns_of_a_die = 8});
  EXPECT_NEAR(statistics.worst_of_die.value, std::pow(0.5, 1.0 / 8.0), 1e-4);
}

/// Rates of dies that share a factor: columns of a die have one rate.
std::vector<double> rates_of_dies(std::uint64_t seed, std::size_t dies, std::size_t columns) {
  core::TrialRandom random({seed, 0}, core::Domain::test, 0);
  std::vector<double> misread;
  for (std::size_t d = 0; d < dies; ++d) misread.insert(misread.end(), columns, random.uniform());
  return misread;
}

// Over 400 samples of 40 dies: intervals from dies cover as promised, those from columns don't.
TEST(ColumnStatistics, IntervalsComeFromDiesWhereTheyDiffer) {
  int mean_covered = 0;
  int median_covered = 0;
  int covered_by_columns = 0;
  constexpr int samples = 400;
  for (std::uint64_t seed = 0; seed < samples; ++seed) {
    const circuits::ColumnRates rates = rates_of(rates_of_dies(seed, 40, 16));
    ColumnQuestions questions{.columns_of_a_die = 16, .dies_differ = true};
    const auto covers = [](const Estimate& estimate) {
      return estimate.interval.lower <= 0.5 && 0.5 <= estimate.interval.upper;
    };
    const RateSummary dies = column_statistics(rates, questions).overall;
    mean_covered += covers(dies.mean);
    median_covered += covers(dies.quantiles[0]);
    questions.dies_differ = false;
    covered_by_columns += covers(column_statistics(rates, questions).overall.mean);
  }
  EXPECT_GE(mean_covered, 367);  // 380 expected, binomial sd 4.4
  EXPECT_GE(median_covered, 367);
  EXPECT_LE(covered_by_columns, 250);
}

// Order statistics promise at least 95 % for any law: 2,000 samples of a skewed one.
TEST(ColumnStatistics, QuantileIntervalsCover) {
  int covered = 0;
  constexpr int samples = 2000;
  const double truth = std::pow(0.9, 8.0);  // 90 % quantile of U^8
  for (std::uint64_t seed = 0; seed < samples; ++seed) {
    core::TrialRandom random({seed, 1}, core::Domain::test, 0);
    std::vector<double> misread;
    for (int i = 0; i < 80; ++i) misread.push_back(std::pow(random.uniform(), 8.0));
    const Estimate found = column_statistics(rates_of(misread), {}).overall.quantiles[1];
    covered += found.interval.lower <= truth && truth <= found.interval.upper;
  }
  EXPECT_GE(covered, 1900 - 30);
  EXPECT_LE(covered, 1999);
}

TEST(ColumnStatistics, OneColumnSaysNothingOfTheOthers) {
  const ColumnStatistics statistics = column_statistics(rates_of({0.25}), {});
  EXPECT_EQ(statistics.overall.mean.value, 0.25);
  EXPECT_EQ(statistics.overall.mean.interval.lower, 0.0);
  EXPECT_EQ(statistics.overall.mean.interval.upper, 1.0);
  EXPECT_EQ(statistics.overall.largest, 0.25);
}

TEST(ColumnStatistics, PartsOfADieAreRefused) {
  EXPECT_THROW(column_statistics(rates_of({0.1, 0.2, 0.3}), {.columns_of_a_die = 2}),
               std::invalid_argument);
}

TEST(ColumnStatistics, WorstMacValueJudgesWhereAskedFor) {
  circuits::ColumnRates rates = rates_of({0.1, 0.2});
  rates.classes = {{0, 1}, {1, 1}};
  rates.misread = {0.1, 0.2, 0.3, 0.0};
  EXPECT_EQ(judged_rates(rates, JudgedRate::mean), (std::vector<double>{0.2, 0.1}));
  EXPECT_EQ(judged_rates(rates, JudgedRate::worst), (std::vector<double>{0.3, 0.2}));
}

}  // namespace
}  // namespace cimstat::experiments
