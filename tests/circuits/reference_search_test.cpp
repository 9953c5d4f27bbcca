#include "circuits/reference_search.h"

#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references.h"

namespace cimstat::circuits {
namespace {

using core::Law;

constexpr Criterion costs[] = {Criterion::posterior, Criterion::squared_cost};

std::vector<WeightedClass> all_active(std::uint32_t rows, const std::vector<double>& weights = {}) {
  std::vector<WeightedClass> classes;
  for (std::uint32_t k = 0; k <= rows; ++k) {
    classes.push_back({{k, rows}, weights.empty() ? 1.0 : weights[k]});
  }
  return classes;
}

ColumnDesign two_levels(double sd_low, double sd_high) {
  ColumnDesign design;
  design.rows = 1;
  design.lrs = Law::normal(10.0, sd_high);
  design.hrs = Law::normal(2.0, sd_low);
  return design;
}

TEST(ReferenceSearch, HasTheClosedFormsOfTwoNormals) {
  const double s1 = 1.0;
  const double s2 = 1.7;
  const ColumnDesign design = two_levels(s1, s2);
  const ReferenceSearch even(design, all_active(1));
  EXPECT_NEAR(even.best(2, Criterion::equal_error)[0], (s2 * 2.0 + s1 * 10.0) / (s1 + s2), 1e-10);
  const double t = even.best(2, Criterion::likelihood)[0];
  const auto log_density = [](double x, double mean, double sd) {
    return -0.5 * (x - mean) * (x - mean) / (sd * sd) - std::log(sd);
  };
  EXPECT_NEAR(log_density(t, 2.0, s1), log_density(t, 10.0, s2), 1e-9);
  EXPECT_DOUBLE_EQ(even.best(2, Criterion::posterior)[0], t);
  // Between two codes the mean MAC value is half way where both are equally likely.
  EXPECT_NEAR(even.best(2, Criterion::squared_cost)[0], t, 1e-9);
  const ReferenceSearch rare_one(design, all_active(1, {9.0, 1.0}));
  const double shifted = rare_one.best(2, Criterion::posterior)[0];
  EXPECT_NEAR(log_density(shifted, 2.0, s1) + std::log(9.0), log_density(shifted, 10.0, s2), 1e-9);
  EXPECT_NEAR(rare_one.best(2, Criterion::likelihood)[0], t, 1e-9);
}

TEST(ReferenceSearch, NeverCostsMoreThanMidpointsAndMostlyLess) {
  std::mt19937_64 engine(4);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  int better = 0;
  for (int i = 0; i < 20; ++i) {
    ColumnDesign design;
    design.rows = 4 + static_cast<std::uint32_t>(engine() % 13);
    design.lrs = Law::lognormal(40.0, 0.02 + 0.15 * unit(engine));
    design.hrs = Law::lognormal(1.0 + 5.0 * unit(engine), 0.2 + 0.6 * unit(engine));
    design.sense.noise_sd = 1.0 + 4.0 * unit(engine);
    std::vector<double> weights;
    for (std::uint32_t k = 0; k <= design.rows; ++k) weights.push_back(unit(engine));
    const ReferenceSearch search(design, all_active(design.rows, weights));
    const ReadingCost middle = search.cost(midpoint_ladder(design, design.rows));
    for (const Criterion criterion : costs) {
      Ladder ladder{.codes = design.rows + 1,
                    .references = search.best(design.rows + 1, criterion)};
      const ReadingCost found = search.cost(ladder);
      const bool by_misreads = criterion == Criterion::posterior;
      const double before = by_misreads ? middle.misread : middle.squared;
      const double after = by_misreads ? found.misread : found.squared;
      EXPECT_LE(after, before) << i;
      better += after < before;
    }
  }
  EXPECT_GE(better, 36);
}

TEST(ReferenceSearch, IsStationary) {
  ColumnDesign design;
  design.rows = 8;
  design.lrs = Law::normal(60.0, 3.0);
  design.hrs = Law::lognormal(5.0, 0.6);
  design.sense.noise_sd = 4.0;
  const ReferenceSearch search(design, all_active(8));
  for (const Criterion criterion : costs) {
    Ladder ladder{.codes = 9, .references = search.best(9, criterion)};
    const auto value = [&] {
      const ReadingCost cost = search.cost(ladder);
      return criterion == Criterion::posterior ? cost.misread : cost.squared;
    };
    const double least = value();
    for (double& reference : ladder.references) {
      for (const double step : {-0.3, 0.3}) {
        reference += step;
        EXPECT_GT(value(), least);
        reference -= step;
      }
    }
  }
}

TEST(ReferenceSearch, GivesNoRoomToValuesThatNoClassHas) {
  ColumnDesign design = two_levels(0.5, 0.5);
  design.rows = 3;
  const ReferenceSearch search(design, {{{0, 3}, 1.0}, {{3, 3}, 1.0}});
  const std::vector<double> references = search.best(4, Criterion::posterior);
  ASSERT_EQ(references.size(), 3U);
  for (const double reference : references) EXPECT_NEAR(reference, 18.0, 1e-9);
  EXPECT_LT(references[0], references[1]);
  EXPECT_LT(references[1], references[2]);
}

TEST(ReferenceSearch, RefusesWhatLeavesNothingToChoose) {
  const ColumnDesign design = two_levels(1.0, 1.0);
  EXPECT_THROW(ReferenceSearch(design, all_active(1, {0.0, 0.0})), core::UsageError);
  EXPECT_THROW(ReferenceSearch(design, all_active(1, {-1.0, 2.0})), core::UsageError);
  EXPECT_THROW(ReferenceSearch(design, {{{2, 1}, 1.0}}), core::UsageError);
  const ReferenceSearch one(design, all_active(1, {1.0, 0.0}));
  EXPECT_THROW(one.best(2, Criterion::posterior), core::UsageError);
}

TEST(LloydMax, HasTheTableOfTheNormalLaw) {
  const auto density = [](double x) {
    return std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
  };
  const LloydMax quantiser = lloyd_max(density, -12.0, 12.0, 8);
  const double expected[] = {-1.74793, -1.04996, -0.50055, 0.0, 0.50055, 1.04996, 1.74793};
  for (std::size_t c = 0; c < 7; ++c) EXPECT_NEAR(quantiser.thresholds[c], expected[c], 1e-5);
  EXPECT_NEAR(quantiser.mean_square_error, 0.0345478, 1e-7);
}

}  // namespace
}  // namespace cimstat::circuits
