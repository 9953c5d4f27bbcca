#include "circuits/weights/row_states.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"
#include "circuits/weights/composition_range.h"
#include "circuits/weights/row_classes.h"

namespace cimstat::circuits {
namespace {

using core::Law;

std::vector<std::int32_t> values_of(const RowStates& rows) {
  std::vector<std::int32_t> values;
  for (const RowStates::State& state : rows.states) values.push_back(state.value);
  return values;
}

std::vector<Law> normal_levels(double sd) {
  return {Law::normal(1.0, sd), Law::normal(2.0, sd), Law::normal(3.0, sd), Law::normal(4.0, sd)};
}

ColumnDesign design_of(RowStates rows, std::uint32_t count, double noise) {
  ColumnDesign design;
  design.rows = count;
  design.row_states = std::move(rows);
  design.lrs = design.row_states.laws.back();
  design.hrs = design.row_states.laws.front();
  design.sense.noise_sd = noise;
  design.ladder = midpoint_ladder(design, count);
  return design;
}

std::vector<ColumnClass> all_classes(const ColumnDesign& design, std::uint32_t rows) {
  return classes_of(design, std::array{rows}, Compositions::all);
}

TEST(RowStates, HaveTheMacValuesOfTheirForm) {
  const std::vector<Law> levels = normal_levels(0.1);
  const std::vector<Law> two = {levels[0], levels[3]};
  const auto values = [](std::span<const Law> cells, WeightForm form, std::uint32_t steps) {
    return values_of(make_row_states({.levels = cells, .middle = Law::point(2.5)}, form, steps));
  };
  using testing::ElementsAre;
  EXPECT_THAT(values(levels, WeightForm::single, 2), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(levels, WeightForm::dummy_column, 2), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(levels, WeightForm::unit_column, 2), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(values(levels, WeightForm::differential, 2), ElementsAre(-3, -2, -1, 0, 1, 2, 3));
  EXPECT_THAT(values(levels, WeightForm::complementary, 2), ElementsAre(-3, -1, 1, 3));
  EXPECT_THAT(values(two, WeightForm::complementary, 2), ElementsAre(-1, 1));
  EXPECT_THAT(values(two, WeightForm::single, 4), ElementsAre(0, 0, 0, 1, 2, 3));
  EXPECT_THAT(values(two, WeightForm::differential, 3), ElementsAre(-2, -1, 0, 0, 1, 2));
}

// Random words are given out in the order of the laws.
TEST(RowStates, NumberTheirLawsInTheOrderOfTheirWeights) {
  const std::vector<Law> levels = normal_levels(0.1);
  const auto means = [&](WeightForm form) {
    std::vector<double> found;
    const RowStates rows = make_row_states({.levels = levels, .leakage = Law::point(9.0)}, form, 2);
    for (const Law& law : rows.laws) found.push_back(law.mean());
    return found;
  };
  using testing::ElementsAre;
  EXPECT_THAT(means(WeightForm::differential), ElementsAre(1, -1, 2, -2, 3, -3, 4, -4, 9, -9));
  EXPECT_THAT(means(WeightForm::complementary), ElementsAre(1, -4, 2, -3, 3, -2, 4, -1, 9, -9));
  EXPECT_THAT(means(WeightForm::unit_column), ElementsAre(1, -1, 2, 3, 4, 9));
}

TEST(RowStates, CurrentsAreLinearInInputAndWeight) {
  const std::vector<Law> levels = normal_levels(0.0);
  for (const WeightForm form :
       {WeightForm::single, WeightForm::dummy_column, WeightForm::unit_column,
        WeightForm::differential, WeightForm::complementary}) {
    const RowStates rows = make_row_states({.levels = levels, .middle = Law::point(2.5)}, form, 3);
    // mean = a x + b x w for inputs x = 1/2, 1; b > 0 is the gain, a the offset of each input.
    for (const RowStates::State& state : rows.states) {
      double mean = 0.0;
      for (const std::uint32_t cell : state.cells) mean += rows.laws[cell].mean();
      double expected = 0.5 * state.value;
      if (form == WeightForm::single || form == WeightForm::dummy_column) {
        // 1 (or 1 - 2.5) at full input: which input it was shows in the remainder.
        const double offset = form == WeightForm::single ? 1.0 : -1.5;
        const double remainder = (mean - expected) / offset;
        EXPECT_TRUE(std::abs(remainder - 0.5) < 1e-12 || std::abs(remainder - 1.0) < 1e-12);
        continue;
      }
      EXPECT_NEAR(mean, expected, 1e-12);
    }
  }
}

TEST(RowStates, RefuseMoreStatesThanAClassHolds) {
  const std::vector<Law> levels = normal_levels(0.1);
  EXPECT_NO_THROW(make_row_states({.levels = levels}, WeightForm::single, 5));
  EXPECT_THROW(make_row_states({.levels = levels}, WeightForm::single, 6), core::UsageError);
}

TEST(RowClasses, AreEveryCompositionOnceInOrder) {
  const std::vector<Law> levels = normal_levels(0.1);
  const ColumnDesign design =
      design_of(make_row_states({.levels = levels}, WeightForm::differential, 2), 5, 0.1);
  const auto classes = classes_of(design, std::array<std::uint32_t, 3>{5, 0, 3}, Compositions::all);
  EXPECT_EQ(classes.size(), 1u + 84u + 462u);  // n + 6 over 6
  std::set<std::uint64_t> numbers;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_TRUE(numbers.insert(class_number(classes[i], 7)).second);
    if (i == 0) continue;
    const auto key = [&](const ColumnClass& one) {
      return std::tuple(one.active_rows, mac_value(design, one), one.states);
    };
    EXPECT_LT(key(classes[i - 1]), key(classes[i]));
  }
}

TEST(RowClasses, TypicalOnesAreTheMostProbable) {
  const std::vector<Law> two = {Law::point(1.0), Law::point(9.0)};
  const ColumnDesign design =
      design_of(make_row_states({.levels = two}, WeightForm::differential, 3), 6, 0.1);
  std::map<std::pair<std::uint32_t, std::int64_t>, double> best;
  const auto weight = [&](const ColumnClass& one) {
    double sum = 0.0;
    for (std::size_t state = 0; state < design.row_states.states.size(); ++state) {
      sum += one.states[state] * std::log(design.row_states.states[state].share) -
             std::lgamma(one.states[state] + 1.0);
    }
    return sum;
  };
  const std::array<std::uint32_t, 3> rows{1, 4, 6};
  for (const ColumnClass& one : classes_of(design, rows, Compositions::all)) {
    const auto [place, is_new] =
        best.emplace(std::pair(one.active_rows, mac_value(design, one)), weight(one));
    if (!is_new) place->second = std::max(place->second, weight(one));
  }
  const auto typical = classes_of(design, rows, Compositions::typical);
  EXPECT_EQ(typical.size(), best.size());
  for (const ColumnClass& one : typical) {
    EXPECT_NEAR(weight(one), best.at({one.active_rows, mac_value(design, one)}), 1e-12);
  }
  EXPECT_NO_THROW(check(design, typical));
}

TEST(CompositionRange, IsWhatAllCompositionsTriedOneByOneSay) {
  const std::vector<Law> uneven = {Law::normal(1.0, 0.1), Law::normal(2.5, 0.2),
                                   Law::normal(3.0, 0.5)};
  const ColumnDesign design =
      design_of(make_row_states({.levels = uneven}, WeightForm::differential, 2), 5, 0.1);
  const CompositionRange range(design.row_states, 5);
  const std::array<std::uint32_t, 3> rows{1, 3, 5};
  const auto classes = classes_of(design, rows, Compositions::all);
  const std::vector<double> weights = composition_weights(design, classes);
  std::map<std::pair<std::uint32_t, std::int64_t>, std::array<double, 4>> seen;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const double mean = mean_current(design, classes[i]);
    const double variance = current_variance(design, classes[i]);
    auto [place, is_new] =
        seen.try_emplace(std::pair(classes[i].active_rows, mac_value(design, classes[i])),
                         std::array<double, 4>{mean, mean, variance, 0.0});
    auto& [least, most, most_variance, weight] = place->second;
    least = std::min(least, mean);
    most = std::max(most, mean);
    most_variance = std::max(most_variance, variance);
    weight += weights[i];
  }
  for (const auto& [key, found] : seen) {
    const auto moments = range(key.first, key.second);
    ASSERT_TRUE(moments);
    EXPECT_NEAR(moments->least_mean, found[0], 1e-12);
    EXPECT_NEAR(moments->most_mean, found[1], 1e-12);
    EXPECT_NEAR(moments->most_variance, found[2], 1e-12);
    EXPECT_NEAR(found[3], 1.0, 1e-12) << "weights of a MAC value";
  }
  EXPECT_FALSE(range(1, 3));
  EXPECT_FALSE(range(5, 11));
}

TEST(RowClasses, SayHowFarOtherCompositionsLieFromTheTypicalOne) {
  const std::vector<Law> uneven = {Law::normal(1.0, 0.1), Law::normal(2.5, 0.2),
                                   Law::normal(3.0, 0.5)};
  const ColumnDesign design =
      design_of(make_row_states({.levels = uneven}, WeightForm::single, 2), 5, 0.1);
  const std::array<std::uint32_t, 1> rows{5};
  const auto typical = classes_of(design, rows, Compositions::typical);
  CompositionSpread brute;
  for (const ColumnClass& one : typical) {
    const double mean = mean_current(design, one);
    const double sd = std::sqrt(current_variance(design, one));
    for (const ColumnClass& other : all_classes(design, 5)) {
      if (mac_value(design, other) != mac_value(design, one)) continue;
      const double shift = mean_current(design, other) - mean;
      const double ratio = std::sqrt(current_variance(design, other)) / sd - 1.0;
      brute.mean_above = std::max(brute.mean_above, shift);
      brute.mean_below = std::max(brute.mean_below, -shift);
      brute.sd_above = std::max(brute.sd_above, ratio);
      brute.sd_below = std::max(brute.sd_below, -ratio);
    }
  }
  const CompositionSpread spread = composition_spread(design, typical);
  EXPECT_NEAR(spread.mean_above, brute.mean_above, 1e-12);
  EXPECT_NEAR(spread.mean_below, brute.mean_below, 1e-12);
  EXPECT_NEAR(spread.sd_above, brute.sd_above, 1e-12);
  EXPECT_NEAR(spread.sd_below, brute.sd_below, 1e-12);
  EXPECT_GT(brute.sd_above, 0.1);
}

TEST(RowStates, OfTwoStatesGiveTheBinaryTable) {
  const Law hrs = Law::lognormal(0.5, 0.4);
  const Law lrs = Law::lognormal(10.0, 0.08);
  ColumnDesign binary{.rows = 8,
                      .lrs = lrs,
                      .hrs = hrs,
                      .leakage = Law::lognormal(0.01, 0.5),
                      .dummy = {},
                      .sense = {.offset_sd = 0.4, .noise_sd = 0.5},
                      .ladder = {}};
  binary.ladder = midpoint_ladder(binary, 8);
  ColumnDesign states = binary;
  states.row_states = {
      .laws = {hrs, lrs, *binary.leakage}, .states = {{0, {0}, 0.5}, {1, {1}, 0.5}}, .idle = {2}};
  const std::array<std::uint32_t, 2> rows{8, 3};
  const auto a = exact_probabilities(binary, classes_for(rows), {}, core::Threads{1});
  const auto b = exact_probabilities(states, classes_of(states, rows, Compositions::all), {},
                                     core::Threads{1});
  ASSERT_EQ(a.probability.size(), b.probability.size());
  for (std::size_t i = 0; i < a.probability.size(); ++i) {
    EXPECT_NEAR(a.probability[i], b.probability[i], 1e-13);
  }
}

// Independent loops: each cell drawn by Boost.Random.
TEST(RowStates, TablesOfPairsAgreeWithCellsDrawnOneByOne) {
  const std::vector<Law> levels = normal_levels(0.15);
  const ColumnDesign design =
      design_of(make_row_states({.levels = levels}, WeightForm::differential, 3), 4, 0.2);
  ColumnClass one;
  one.active_rows = 4;
  // Values -6 -4 -3 -2 -2 -1 0 0 1 2 2 3 4 6: one row of -4, one of -1, two of 6.
  ASSERT_EQ(values_of(design.row_states)[1], -4);
  one.states[1] = 1;
  one.states[5] = 1;
  one.states[13] = 2;
  ASSERT_EQ(mac_value(design, one), 7);
  const ExactProbabilities exact =
      exact_probabilities(design, std::array{one}, {}, core::Threads{1});
  boost::random::mt19937 engine(7);
  boost::random::normal_distribution<double> normal;
  const int trials = 200'000;
  std::vector<int> counts(design.ladder.codes);
  const auto cell = [&](double mean, double input) {
    return input * (mean + 0.15 * normal(engine));
  };
  for (int trial = 0; trial < trials; ++trial) {
    double current = 0.2 * normal(engine);
    current += cell(1.0, 1.0) - cell(3.0, 1.0);  // weight -2 at full input
    current += cell(1.0, 0.5) - cell(2.0, 0.5);  // weight -1 at half
    current += cell(4.0, 1.0) - cell(1.0, 1.0);
    current += cell(4.0, 1.0) - cell(1.0, 1.0);
    ++counts[static_cast<std::size_t>(std::upper_bound(design.ladder.references.begin(),
                                                       design.ladder.references.end(), current) -
                                      design.ladder.references.begin())];
  }
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double p = exact.probability[code];
    EXPECT_NEAR(counts[code], trials * p, 4.5 * std::sqrt(trials * p * (1.0 - p)) + 1.0);
  }
  // The twin: one cell less noisy.
  ColumnDesign biased = design;
  biased.row_states.laws[biased.row_states.states[13].cells[0]] = Law::normal(4.0, 0.1);
  const ExactProbabilities wrong =
      exact_probabilities(biased, std::array{one}, {}, core::Threads{1});
  double worst = 0.0;
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double p = wrong.probability[code];
    worst = std::max(
        worst, std::abs(counts[code] - trials * p) / (std::sqrt(trials * p * (1.0 - p)) + 1e-9));
  }
  EXPECT_GT(worst, 4.5);
}

TEST(RowStates, SampledTablesAgreeWithExactOnes) {
  const std::vector<Law> levels = {Law::lognormal(1.0, 0.4), Law::lognormal(3.0, 0.15),
                                   Law::lognormal(5.0, 0.1), Law::lognormal(7.0, 0.08)};
  const ColumnDesign design =
      design_of(make_row_states({.levels = levels, .leakage = Law::lognormal(0.02, 0.5)},
                                WeightForm::complementary, 2),
                6, 0.4);
  const auto classes = all_classes(design, 6);
  const std::uint64_t trials = 40'000;
  const SamplingOptions options{.trials = trials, .key = {.seed = 5}};
  const auto counts = sampled_counts(design, classes, options, core::Threads{2});
  EXPECT_EQ(counts, sampled_counts(design, classes, options, core::Threads{1}));
  const ExactProbabilities exact = exact_probabilities(design, classes, {}, core::Threads{2});
  double worst = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = trials * exact.probability[i];
    if (expected < 10.0) continue;
    const double sd = std::sqrt(expected * (1.0 - exact.probability[i]));
    if (sd > 0.0) worst = std::max(worst, std::abs(double(counts[i]) - expected) / sd);
  }
  EXPECT_LT(worst, 5.0);  // of some 1,000 entries
  EXPECT_GT(worst, 2.0);
}

TEST(WeightSlices, AreTheDigitsOfAWeight) {
  using testing::ElementsAre;
  EXPECT_THAT(weight_slices(0xB4, 8, 2), ElementsAre(0, 1, 3, 2));
  EXPECT_THAT(weight_slices(5, 3, 1), ElementsAre(1, 0, 1));
  EXPECT_THAT(weight_slices(5, 3, 3), ElementsAre(5));
  EXPECT_THROW(weight_slices(5, 8, 3), core::UsageError);
  EXPECT_THROW(weight_slices(8, 3, 1), core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
