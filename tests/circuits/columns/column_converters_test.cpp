#include "circuits/columns/column_converters.h"

#include <array>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "circuits/columns/pool_rates.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {
namespace {

ColumnDesign column(Comparator comparator) {
  ColumnDesign design;
  design.rows = 12;
  design.lrs = core::Law::normal(1.0e-6, 0.04e-6);
  design.hrs = core::Law::normal(0.1e-6, 0.01e-6);
  design.sense = {.offset_sd = 0.05e-6, .noise_sd = 0.15e-6};
  design.comparator = comparator;
  design.ladder = midpoint_ladder(design, 12);
  return design;
}

constexpr std::array<ColumnClass, 3> classes{ColumnClass{.lrs_count = 0, .active_rows = 12},
                                             ColumnClass{.lrs_count = 7, .active_rows = 12},
                                             ColumnClass{.lrs_count = 12, .active_rows = 12}};

PatternSet patterns() {
  return random_patterns(12, classes, {.per_class = 4, .lrs_cells = 12, .key = {.seed = 3}});
}

TEST(ColumnConverters, NeighboursOfADieShareAConverterAndDiesShareNone) {
  EXPECT_EQ(converter_of(0, 10, 4), 0U);
  EXPECT_EQ(converter_of(3, 10, 4), 0U);
  EXPECT_EQ(converter_of(4, 10, 4), 1U);
  EXPECT_EQ(converter_of(9, 10, 4), 2U);
  EXPECT_EQ(converter_of(10, 10, 4), 3U);
  EXPECT_EQ(converter_of(17, 10, 1), 17U);
}

TEST(ColumnConverters, DifferentConvertersHaveDifferentCurvesAndOneSeedTheSame) {
  const ColumnDesign design = column(
      {.kind = ConverterKind::sar, .mismatch = {.element_sd = 0.05, .columns_per_converter = 4}});
  const PoolOptions options{.columns = 32, .columns_of_a_die = 16, .key = {.seed = 9}};
  const ColumnConverters converters(design, classes, options);
  const ColumnConverters again(design, classes, options);
  std::set<double> edges;
  for (std::uint64_t c = 0; c < 32; ++c) {
    const auto wrong = converters.of(c);
    ASSERT_EQ(wrong.size(), 3U);
    EXPECT_TRUE(wrong[0].below.empty());
    EXPECT_TRUE(wrong[2].above.empty());
    ASSERT_EQ(wrong[1].below.size(), 1U);
    EXPECT_EQ(wrong[1].below[0].to, again.of(c)[1].below[0].to);
    edges.insert(wrong[1].below[0].to);
  }
  EXPECT_EQ(edges.size(), 8U);
}

TEST(ColumnConverters, IdealConvertersChangeNoRate) {
  // A gain so large that it changes nothing but the way that rates are made.
  const PoolOptions options{.columns = 100, .columns_of_a_die = 100, .key = {.seed = 4}};
  const FrozenPool plain(column({}), patterns(), options, {1});
  const FrozenPool made(
      column({.kind = ConverterKind::pipeline, .mismatch = {.amplifier_gain = 1e14}}), patterns(),
      options, {1});
  const ColumnRates expected = integrated_rates(plain, 3, {1});
  const ColumnRates found = integrated_rates(made, 3, {1});
  ASSERT_EQ(found.misread.size(), expected.misread.size());
  for (std::size_t i = 0; i < found.misread.size(); ++i) {
    EXPECT_NEAR(found.misread[i], expected.misread[i], 1e-9);
    EXPECT_NEAR(found.vote_wrong[i], expected.vote_wrong[i], 1e-9);
  }
}

TEST(ColumnConverters, MeanRateOfTheColumnsIsThatOfTheTable) {
  const ColumnDesign design =
      column({.kind = ConverterKind::sar, .mismatch = {.offset_sd = 0.05e-6, .element_sd = 0.06}});
  constexpr std::uint64_t columns = 6'000;
  const FrozenPool pool(design, patterns(),
                        {.columns = columns, .columns_of_a_die = columns, .key = {.seed = 6}}, {1});
  const ColumnRates rates = integrated_rates(pool, 3, {1});
  constexpr std::uint64_t trials = 100'000;
  const auto counts = sampled_counts(design, classes, {.trials = trials, .key = {.seed = 8}}, {1});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    double mean = 0.0;
    double square = 0.0;
    for (std::uint64_t c = 0; c < columns; ++c) {
      const double rate = rates.misread[i * columns + c];
      mean += rate / columns;
      square += rate * rate / columns;
    }
    const std::uint64_t right = counts[i * 13 + classes[i].lrs_count];
    const double misread = 1.0 - double(right) / double(trials);
    const double variance =
        (square - mean * mean) / columns + misread * (1.0 - misread) / double(trials);
    EXPECT_NEAR(mean, misread, 5.0 * std::sqrt(variance)) << i;
  }
  // The twin: ideal converters misread less.
  const auto ideal = exact_probabilities(column({}), std::array{classes[1]}, {}, {1}).probability;
  double mean = 0.0;
  for (std::uint64_t c = 0; c < columns; ++c) mean += rates.misread[columns + c] / columns;
  EXPECT_GT(mean, 1.2 * (1.0 - ideal[7]));
}

TEST(ColumnConverters, NoiseOfDecisionsIsRefused) {
  EXPECT_THROW(
      FrozenPool(
          column({.kind = ConverterKind::sar, .noise_sd = 1e-8, .mismatch = {.element_sd = 0.01}}),
          patterns(), {}, {1}),
      core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
