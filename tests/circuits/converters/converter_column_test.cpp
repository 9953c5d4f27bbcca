#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/reference_search.h"
#include "circuits/references/references.h"

#include "tests/circuits/converters/converter_oracle.h"

namespace cimstat::circuits {
namespace {

using core::Law;
using enum ConverterKind;
using tests::OracleGrid;

constexpr core::Threads one_thread{1};

struct ConverterCase {
  std::string name;
  ColumnDesign design;
  std::vector<ColumnClass> classes;
  OracleGrid grid = {};
};

/// Cells of 1 and 0.1, normal; `noise` of the sense amplifier.
ColumnDesign normal_column(std::uint32_t rows, Comparator comparator, SenseAmplifier sense) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = Law::normal(1.0, 0.05);
  design.hrs = Law::normal(0.1, 0.03);
  design.sense = sense;
  design.comparator = comparator;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

ColumnDesign lognormal_column(std::uint32_t rows, Comparator comparator, SenseAmplifier sense) {
  ColumnDesign design = normal_column(rows, comparator, sense);
  design.lrs = Law::lognormal(10.0, 0.1);
  design.hrs = Law::lognormal(1.0, 0.3);
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

constexpr OracleGrid lognormal_grid{0.04, 12};

std::vector<ConverterCase> converter_cases() {
  const auto noise = [](double offset, double sd) {
    return SenseAmplifier{.offset_sd = offset, .noise_sd = sd};
  };
  const auto logistic = [](double sd) {
    return SenseAmplifier{.noise_sd = sd, .noise_shape = NoiseShape::logistic};
  };
  std::vector<ConverterCase> cases;
  const auto add = [&](std::string name, ColumnDesign design, std::vector<ColumnClass> classes,
                       OracleGrid grid = {}) {
    cases.push_back({std::move(name), std::move(design), std::move(classes), grid});
  };
  ColumnDesign design = normal_column(6, {}, noise(0.1, 0.1));
  design.common_factor_sd = 0.05;
  add("shared draw, normal cells, common factor", design, {{0, 6}, {3, 6}, {6, 6}});
  design = lognormal_column(4, {}, logistic(1.0));
  design.common_factor_sd = 0.03;
  add("shared draw, lognormal cells, logistic noise, common factor", design,
      {{0, 4}, {2, 4}, {4, 4}}, lognormal_grid);
  add("flash, normal cells", normal_column(8, {flash, 0.3}, noise(0.0, 0.1)),
      {{0, 8}, {4, 8}, {8, 8}});
  add("flash, normal cells, no other noise", normal_column(6, {flash, 0.2}, {}), {{0, 6}, {3, 6}});
  design = lognormal_column(4, {flash, 2.0}, noise(1.0, 1.0));
  design.rows = 10;
  design.leakage = Law::lognormal(0.5, 0.4);
  design.ladder = midpoint_ladder(design, 4);
  add("flash, lognormal cells, leakage", design, {{1, 4}, {4, 4}}, {0.01, 14});
  add("flash, normal cells, logistic noise", normal_column(5, {flash, 0.25}, logistic(0.15)),
      {{0, 5}, {2, 5}});
  design = lognormal_column(5, {flash, 1.5}, noise(0.5, 0.5));
  design.sense.noise_knee = 40.0;
  add("flash, lognormal cells, noise that follows the current", design, {{2, 5}, {5, 5}},
      lognormal_grid);
  design = normal_column(4, {flash, 0.15}, {});
  design.lrs = Law::point(1.0);
  design.hrs = Law::point(0.1);
  add("flash, cells without a spread", design, {{0, 4}, {2, 4}, {4, 4}});
  add("flash, little noise", normal_column(6, {flash, 0.02}, noise(0.05, 0.0)), {{3, 6}});
  design = normal_column(6, {flash, 0.8}, noise(0.2, 0.0));
  design.ladder = uniform_ladder(design, 6, 16);
  add("flash, 16 uniform references, much noise", design, {{1, 6}, {5, 6}});
  add("lowest zero, lognormal cells",
      lognormal_column(4, {flash_lowest_zero, 2.5}, noise(0.0, 0.7)), {{0, 4}, {3, 4}},
      lognormal_grid);
  design = normal_column(6, {flash_lowest_zero, 0.25}, noise(0.1, 0.1));
  design.common_factor_sd = 0.08;
  design.dummy = Law::normal(0.5, 0.02);
  design.ladder = midpoint_ladder(design, 6);
  add("lowest zero, normal cells, dummy column, common factor", design, {{0, 6}, {6, 6}});
  add("sar, 5 codes, normal cells", normal_column(4, {sar, 0.3}, noise(0.0, 0.1)),
      {{0, 4}, {2, 4}, {4, 4}});
  design = lognormal_column(5, {sar, 3.0}, noise(2.0, 0.5));
  design.ladder = uniform_ladder(design, 5, 8);
  add("sar, 8 uniform codes, lognormal cells", design, {{2, 5}, {3, 5}}, lognormal_grid);
  design = lognormal_column(4, {sar, 1.5}, noise(0.5, 0.5));
  design.rows = 6;
  design.leakage = Law::lognormal(0.8, 0.3);
  design.common_factor_sd = 0.04;
  design.ladder = replica_ladder(design, 4);
  add("sar, replica references, leakage, common factor", design, {{1, 3}, {4, 4}}, {0.02, 13});
  add("ramp, correlation 0.5, lognormal cells",
      lognormal_column(4, {ramp, 2.0, 0.5}, noise(0.0, 0.5)), {{0, 4}, {2, 4}}, lognormal_grid);
  design = normal_column(4, {ramp, 0.3, 0.9}, logistic(0.1));
  design.common_factor_sd = 0.04;
  add("ramp, correlation 0.9, logistic noise, common factor", design, {{2, 4}});
  design = normal_column(6, {sar, 0.2}, logistic(0.2));
  design.ladder = replica_ladder(design, 6);
  add("sar, 7 codes, replica references, logistic noise", design, {{1, 2}, {5, 6}});
  return cases;
}

TEST(ConverterColumn, AgreesWithNestedIntegrationInExtendedPrecision) {
  for (const ConverterCase& one : converter_cases()) {
    const auto exact = exact_probabilities(one.design, one.classes, {}, one_thread);
    const std::size_t codes = one.design.ladder.codes;
    for (std::size_t i = 0; i < one.classes.size(); ++i) {
      const auto expected = tests::code_probabilities(one.design, one.classes[i], one.grid);
      double largest = 0.0;
      long double sum = 0.0L;
      for (std::size_t code = 0; code < codes; ++code) {
        const long double found = exact.probability[i * codes + code];
        largest = std::max(largest, static_cast<double>(std::abs(found - expected[code])));
        sum += found;
      }
      const std::string name = one.name + " k = " + std::to_string(one.classes[i].lrs_count);
      EXPECT_LE(largest, 1e-12) << name;
      EXPECT_GE(exact.error_bound[i], largest) << name;
      EXPECT_LE(exact.error_bound[i], 2e-12) << name;
      EXPECT_NEAR(static_cast<double>(sum), 1.0, 1e-14) << name;
    }
  }
}

/// P(code >= j), j = 1 ..
std::vector<double> exceedances(const ColumnDesign& design, ColumnClass column_class) {
  const std::array<ColumnClass, 1> classes{column_class};
  std::vector<double> row = exact_probabilities(design, classes, {}, one_thread).probability;
  for (std::size_t code = row.size() - 1; code-- > 0;) row[code] += row[code + 1];
  row.erase(row.begin());
  return row;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

constexpr SenseAmplifier some_noise{.offset_sd = 0.1, .noise_sd = 0.1};

TEST(ConverterColumn, LowestZeroNeverLiesAboveTheOnesCounter) {
  for (const double noise : {0.05, 0.3, 1.0}) {
    const auto counter = exceedances(normal_column(9, {flash, noise}, some_noise), {4, 9});
    const auto zero = exceedances(normal_column(9, {flash_lowest_zero, noise}, some_noise), {4, 9});
    for (std::size_t j = 0; j < counter.size(); ++j) EXPECT_LE(zero[j], counter[j] + 1e-13);
  }
}

TEST(ConverterColumn, RampLiesBetweenLowestZeroAndOneSharedDraw) {
  ColumnDesign shared = normal_column(9, {}, some_noise);
  shared.sense.noise_sd = std::hypot(0.1, 0.5);
  const auto one_draw = exceedances(shared, {4, 9});
  const auto zero = exceedances(normal_column(9, {flash_lowest_zero, 0.5}, some_noise), {4, 9});
  const auto correlated = [&](double correlation) {
    return exceedances(normal_column(9, {ramp, 0.5, correlation}, some_noise), {4, 9});
  };
  EXPECT_EQ(correlated(0.0), zero);
  EXPECT_LE(largest_difference(correlated(1.0), one_draw), 1e-13);
  std::vector<double> before = zero;
  for (const double correlation : {0.2, 0.5, 0.8, 1.0}) {
    const auto now = correlated(correlation);
    for (std::size_t j = 0; j < now.size(); ++j) EXPECT_GE(now[j], before[j] - 1e-13);
    before = now;
  }
}

TEST(ConverterColumn, OneReferenceMakesAllKindsOneSharedDraw) {
  ColumnDesign shared = normal_column(4, {}, some_noise);
  shared.sense.noise_sd = std::hypot(0.1, 0.3);
  shared.ladder = {.codes = 2, .references = {2.0}};
  const auto expected = exceedances(shared, {2, 4});
  for (const ConverterKind kind : {flash, flash_lowest_zero, sar, ramp}) {
    ColumnDesign design = normal_column(4, {kind, 0.3}, some_noise);
    design.ladder = shared.ladder;
    EXPECT_LE(largest_difference(exceedances(design, {2, 4}), expected), 1e-13);
  }
}

TEST(ConverterColumn, NoiseFarBelowTheStepActsAsOneSharedDraw) {
  ColumnDesign shared = normal_column(6, {}, some_noise);
  shared.sense.noise_sd = std::hypot(0.1, 0.03);
  const auto expected = exceedances(shared, {3, 6});
  for (const ConverterKind kind : {flash, flash_lowest_zero, sar, ramp}) {
    EXPECT_LE(largest_difference(exceedances(normal_column(6, {kind, 0.03}, some_noise), {3, 6}),
                                 expected),
              1e-13);
  }
}

TEST(ConverterColumn, SmallFactorsAndSmallNoisesTendToNone) {
  const ColumnDesign plain = normal_column(6, {}, some_noise);
  ColumnDesign factored = plain;
  factored.common_factor_sd = 1e-5;
  EXPECT_LE(largest_difference(exceedances(factored, {3, 6}), exceedances(plain, {3, 6})), 1e-7);
  ColumnDesign noisy = plain;
  noisy.comparator = {flash, 1e-5};
  EXPECT_LE(largest_difference(exceedances(noisy, {3, 6}), exceedances(plain, {3, 6})), 1e-7);
}

TEST(ConverterColumn, RowsDependNeitherOnTheOtherClassesNorOnThreads) {
  for (ColumnDesign design : {normal_column(8, {flash, 0.3}, some_noise),
                              lognormal_column(8, {sar, 2.0}, {.noise_sd = 1.0})}) {
    design.common_factor_sd = 0.03;
    for (const Ladder& ladder : {midpoint_ladder(design, 8), replica_ladder(design, 8)}) {
      design.ladder = ladder;
      const std::vector<ColumnClass> classes{{0, 1}, {1, 4}, {3, 4}, {0, 8}, {8, 8}};
      const auto all = exact_probabilities(design, classes, {}, one_thread);
      const auto threaded = exact_probabilities(design, classes, {}, {3});
      EXPECT_EQ(threaded.probability, all.probability);
      EXPECT_EQ(threaded.error_bound, all.error_bound);
      const std::size_t codes = design.ladder.codes;
      for (std::size_t i = 0; i < classes.size(); ++i) {
        const std::array<ColumnClass, 1> one{classes[i]};
        const auto alone = exact_probabilities(design, one, {}, one_thread);
        EXPECT_TRUE(std::equal(alone.probability.begin(), alone.probability.end(),
                               all.probability.begin() + static_cast<std::ptrdiff_t>(i * codes)));
        EXPECT_EQ(alone.error_bound[0], all.error_bound[i]);
      }
    }
  }
}

TEST(ConverterColumn, SensedCurrentsHaveTheCommonFactor) {
  ColumnDesign design = normal_column(6, {}, some_noise);
  design.common_factor_sd = 0.1;
  const SensedCurrent current(design, {6, 6});
  EXPECT_NEAR(current.mean(), 6.0, 1e-12);
  // Var((1 + g) S) = (1 + s^2) Var S + s^2 E[S]^2, and offset and noise.
  EXPECT_NEAR(current.sd(), std::sqrt(1.01 * 6 * 0.0025 + 0.01 * 36.0 + 0.02), 1e-12);
  const auto below = exceedances(design, {6, 6});
  const auto references = design.ladder.at(6);
  for (std::size_t j = 0; j < references.size(); ++j) {
    EXPECT_NEAR(current.tail_probability(core::Tail::upper, references[j]), below[j], 1e-12);
  }
  EXPECT_NEAR(
      current.tail_probability(core::Tail::lower, current.quantile(core::Tail::lower, 0.01)), 0.01,
      1e-10);
}

TEST(ConverterColumn, ReferencesArePlacedByOneComparisonAndCostWhatTheConverterCosts) {
  std::vector<WeightedClass> classes;
  for (std::uint32_t k = 0; k <= 6; ++k) classes.push_back({{k, 6}, 1.0 + k});
  for (const ConverterKind kind : {flash, flash_lowest_zero, sar, ramp}) {
    ColumnDesign design = lognormal_column(6, {kind, 1.5}, {.offset_sd = 1.0});
    design.common_factor_sd = 0.02;
    const ReferenceSearch search(design, classes);
    const ReadingCost given = search.cost(design.ladder);
    const Ladder improved = search.improved(design.ladder, Criterion::posterior);
    EXPECT_NE(improved.references, design.ladder.references);
    EXPECT_LE(search.cost(improved).misread, given.misread);
    double misread = 0.0;
    for (const WeightedClass& one : classes) {
      const std::array<ColumnClass, 1> alone{one.column_class};
      const auto row = exact_probabilities(design, alone, {}, one_thread).probability;
      misread += one.weight / 28.0 * (1.0 - row[one.column_class.lrs_count]);
    }
    EXPECT_NEAR(given.misread, misread, 1e-12);
  }
}

TEST(ConverterColumn, SaysWhatItCanNotDo) {
  ColumnDesign design = normal_column(4, {}, {.noise_sd = 0.1, .noise_knee = 50.0});
  design.common_factor_sd = 0.02;
  EXPECT_EQ(exact_obstacle(design), "a common factor together with noise that follows the current");
  design.comparator = {flash, 0.1};
  EXPECT_EQ(exact_obstacle(design), "a common factor together with noise that follows the current");
  const std::array<ColumnClass, 1> classes{{{1, 4}}};
  EXPECT_THROW(exact_probabilities(design, classes, {}, one_thread), ExactObstacle);
  design = normal_column(4, {}, {});
  design.lrs = Law::point(1.0);
  design.hrs = Law::point(0.1);
  design.common_factor_sd = 0.02;
  EXPECT_EQ(exact_obstacle(design), "too little noise smooths its currents");
  design.comparator = {flash, 0.05};
  EXPECT_EQ(exact_obstacle(design), std::nullopt);
  EXPECT_EQ(current_obstacle(design), "too little noise smooths its currents");
}

TEST(ConverterColumn, RefusesNoiseThatMakesNoSense) {
  const std::array<ColumnClass, 1> classes{{{1, 4}}};
  for (const Comparator& comparator : {Comparator{flash, -1.0}, Comparator{flash, NAN},
                                       Comparator{flash, 0.1, 0.5}, Comparator{ramp, 0.1, 1.5}}) {
    EXPECT_THROW(check(normal_column(4, comparator, {}), classes), core::UsageError);
  }
  ColumnDesign design = normal_column(4, {}, {});
  design.common_factor_sd = -0.1;
  EXPECT_THROW(check(design, classes), core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
