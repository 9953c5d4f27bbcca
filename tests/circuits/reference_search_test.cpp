#include "circuits/references/reference_search.h"

#include <cmath>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/lloyd_max.h"
#include "circuits/references/reference_mixture.h"
#include "circuits/references/references.h"

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

/// The references that a search puts in the place of midpoints.
std::vector<double> best(const ReferenceSearch& search, const ColumnDesign& design,
                         Criterion criterion) {
  return search.improved(midpoint_ladder(design, design.rows), criterion).references;
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
  EXPECT_NEAR(best(even, design, Criterion::equal_error)[0], (s2 * 2.0 + s1 * 10.0) / (s1 + s2),
              1e-10);
  const double t = best(even, design, Criterion::likelihood)[0];
  const auto log_density = [](double x, double mean, double sd) {
    return -0.5 * (x - mean) * (x - mean) / (sd * sd) - std::log(sd);
  };
  EXPECT_NEAR(log_density(t, 2.0, s1), log_density(t, 10.0, s2), 1e-9);
  EXPECT_DOUBLE_EQ(best(even, design, Criterion::posterior)[0], t);
  // Between two codes the mean MAC value is half way where both are equally likely.
  EXPECT_NEAR(best(even, design, Criterion::squared_cost)[0], t, 1e-9);
  const ReferenceSearch rare_one(design, all_active(1, {9.0, 1.0}));
  const double shifted = best(rare_one, design, Criterion::posterior)[0];
  EXPECT_NEAR(log_density(shifted, 2.0, s1) + std::log(9.0), log_density(shifted, 10.0, s2), 1e-9);
  EXPECT_NEAR(best(rare_one, design, Criterion::likelihood)[0], t, 1e-9);
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
      Ladder ladder{.codes = design.rows + 1, .references = best(search, design, criterion)};
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
    Ladder ladder{.codes = 9, .references = best(search, design, criterion)};
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
  const std::vector<double> references = best(search, design, Criterion::posterior);
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
  EXPECT_THROW(best(one, design, Criterion::posterior), core::UsageError);
}

ColumnDesign macro_of(std::uint32_t rows) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = Law::lognormal(40.0, 0.06);
  design.hrs = Law::lognormal(1.0, 0.5);
  design.sense.noise_sd = 3.0;
  return design;
}

std::vector<double> binomial(std::uint32_t rows, double p) {
  std::vector<double> weights;
  for (std::uint32_t k = 0; k <= rows; ++k) {
    weights.push_back(std::exp(std::lgamma(rows + 1.0) - std::lgamma(k + 1.0) -
                               std::lgamma(rows - k + 1.0) + k * std::log(p) +
                               (rows - k) * std::log(1.0 - p)));
  }
  return weights;
}

TEST(ReferenceSearch, LeavesReferencesBeyondTheHighestClassWhereTheyWere) {
  const ColumnDesign design = macro_of(6);
  const ReferenceSearch search(design, all_active(6, {1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0}));
  const Ladder given = midpoint_ladder(design, 6);
  const Ladder ladder = search.improved(given, Criterion::posterior);
  for (std::size_t c = 2; c < 6; ++c) EXPECT_EQ(ladder.references[c], given.references[c]);
  EXPECT_LT(search.cost(ladder).misread, search.cost(given).misread);
  EXPECT_LT(search.cost(ladder).misread, 0.1);
}

TEST(ReferenceSearch, ImprovesReplicaReferencesAtEachNumberOfActiveRows) {
  const ColumnDesign design = macro_of(6);
  std::vector<WeightedClass> classes;
  for (const std::uint32_t n : {2U, 5U}) {
    for (std::uint32_t k = 0; k <= n; ++k) classes.push_back({{k, n}, 1.0 + k});
  }
  const ReferenceSearch search(design, classes);
  const Ladder given = replica_ladder(design, 6);
  const Ladder ladder = search.improved(given, Criterion::posterior);
  EXPECT_LT(search.cost(ladder).misread, search.cost(given).misread);
  for (const std::uint32_t n : {0U, 1U, 3U, 4U, 6U}) {
    EXPECT_TRUE(std::equal(ladder.at(n).begin(), ladder.at(n).end(), given.at(n).begin())) << n;
  }
  std::vector<WeightedClass> of_five(classes.begin() + 3, classes.end());
  const ReferenceSearch five(design, of_five);
  Ladder shared{.codes = 7, .references = {given.at(5).begin(), given.at(5).end()}};
  shared = five.improved(shared, Criterion::posterior);
  for (std::size_t c = 0; c < 6; ++c) EXPECT_NEAR(ladder.at(5)[c], shared.references[c], 1e-9);
}

TEST(ReferenceSearch, GivesTheSameForOneThreadAndTwo) {
  const ColumnDesign design = macro_of(12);
  const ReferenceSearch one(design, all_active(12), {1});
  const ReferenceSearch two(design, all_active(12), {2});
  for (const Criterion criterion : {Criterion::equal_error, Criterion::likelihood,
                                    Criterion::posterior, Criterion::squared_cost}) {
    EXPECT_EQ(best(one, design, criterion), best(two, design, criterion));
  }
  const LloydMax a = lloyd_max(ReferenceMixture(one), Quantised::mac_value, 5);
  const LloydMax b = lloyd_max(ReferenceMixture(two), Quantised::mac_value, 5);
  EXPECT_EQ(a.thresholds, b.thresholds);
}

TEST(ClippedLadder, NeverCostsMoreThanTheWholeRangeAndMostlyLess) {
  std::mt19937_64 engine(7);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  int better = 0;
  for (int i = 0; i < 20; ++i) {
    const auto rows = 8 + static_cast<std::uint32_t>(engine() % 25);
    ColumnDesign design = macro_of(rows);
    design.sense.noise_sd = 1.0 + 9.0 * unit(engine);
    const auto codes = 4 + static_cast<std::uint32_t>(engine() % (rows - 3));
    const ReferenceSearch search(design,
                                 all_active(rows, binomial(rows, 0.1 + 0.5 * unit(engine))));
    const double whole = search.cost(uniform_ladder(design, rows, codes)).squared;
    const double clipped = search
                               .cost(best_clipped_ladder(search, ReferenceMixture(search), design,
                                                         uniform_ladder(design, rows, codes)))
                               .squared;
    EXPECT_LE(clipped, whole) << i;
    better += clipped < 0.9 * whole;
  }
  EXPECT_GE(better, 15);
}

/// All pairs of ends, each by its exact cost.
TEST(ClippedLadder, IsTheBestOfAllRanges) {
  const ColumnDesign design = macro_of(10);
  const ReferenceSearch search(design, all_active(10, binomial(10, 0.3)));
  const double found = search
                           .cost(best_clipped_ladder(search, ReferenceMixture(search), design,
                                                     uniform_ladder(design, 10, 6)))
                           .squared;
  double least = search.cost(uniform_ladder(design, 10, 6)).squared;
  for (std::uint32_t a = 0; a < 10; ++a) {
    for (std::uint32_t b = a + 1; b <= 10; ++b) {
      least = std::min(least, search.cost(clipped_ladder(design, 10, 6, a, b)).squared);
    }
  }
  EXPECT_NEAR(found, least, 1e-9);
}

TEST(LloydMax, CostsNoMoreThanAnyLadderWhoseCodesAreEvenlySpaced) {
  const ColumnDesign design = macro_of(12);
  const ReferenceSearch search(design, all_active(12, binomial(12, 0.4)));
  const ReferenceMixture mixture(search);
  for (const std::uint32_t codes : {4U, 7U, 13U}) {
    const LloydMax found = lloyd_max(mixture, Quantised::mac_value, codes);
    const ReadingCost cost =
        search.cost({.codes = codes, .references = found.thresholds}, found.values);
    EXPECT_NEAR(cost.squared, found.mean_square_error, 1e-5) << codes;
    const Ladder clipped =
        best_clipped_ladder(search, mixture, design, uniform_ladder(design, 12, codes));
    const Ladder even = search.improved(clipped, Criterion::squared_cost);
    EXPECT_LE(search.cost(even).squared, search.cost(clipped).squared);
    EXPECT_LE(cost.squared, search.cost(even).squared + 1e-9) << codes;
    // What is best for the current is not best for the MAC value.
    const LloydMax current = lloyd_max(mixture, Quantised::current, codes);
    EXPECT_LE(
        cost.squared,
        search.cost({.codes = codes, .references = current.thresholds}, current.values).squared +
            1e-9);
  }
}

/// One class with normal current: Lloyd-Max of the current is the normal table.
TEST(LloydMax, HasTheTableOfTheNormalLawForACurrentToo) {
  ColumnDesign design = two_levels(0.5, 0.5);
  design.lrs = Law::normal(10.0, 1.0);
  const ReferenceSearch search(design, {{{1, 1}, 1.0}});
  const LloydMax found = lloyd_max(ReferenceMixture(search), Quantised::current, 8);
  const double expected[] = {-1.74793, -1.04996, -0.50055, 0.0, 0.50055, 1.04996, 1.74793};
  for (std::size_t c = 0; c < 7; ++c) EXPECT_NEAR(found.thresholds[c], 10.0 + expected[c], 1e-4);
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
