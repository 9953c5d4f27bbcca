#include "circuits/weights/code_difference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/references/references.h"
#include "circuits/weights/composition_range.h"
#include "circuits/weights/row_classes.h"
#include "circuits/weights/row_states.h"

namespace cimstat::circuits {
namespace {

using core::Law;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr WeightForm forms[] = {WeightForm::dummy_column, WeightForm::unit_column,
                                WeightForm::differential, WeightForm::complementary};

std::vector<Law> four_levels() {
  return {Law::lognormal(1.0, 0.4), Law::lognormal(3.0, 0.15), Law::lognormal(5.0, 0.1),
          Law::lognormal(7.0, 0.08)};
}

const Law leak = Law::lognormal(0.05, 0.5);
const Law middle = Law::lognormal(4.0, 0.1);

/// One column of these cells, one a row, with references of its own.
ColumnDesign one_column(const std::vector<Law>& levels, std::uint32_t rows) {
  ColumnDesign design{.rows = rows,
                      .lrs = levels.back(),
                      .hrs = levels.front(),
                      .leakage = leak,
                      .dummy = {},
                      .sense = {.offset_sd = 0.5, .noise_sd = 0.4},
                      .ladder = {}};
  if (levels.size() > 2) {
    design.row_states = make_row_states({.levels = levels, .leakage = leak}, WeightForm::single, 2);
  }
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// Two such columns.
ColumnDesign pair_of(const ColumnDesign& column, const std::vector<Law>& levels, WeightForm form) {
  ColumnDesign pair = column;
  pair.row_states = make_row_states({.levels = levels, .middle = middle, .leakage = leak}, form, 2,
                                    Subtraction::digital);
  return pair;
}

std::vector<ColumnClass> all_classes(const ColumnDesign& design, std::uint32_t rows) {
  return classes_of(design, std::array{rows}, Compositions::all);
}

/// How many of a class's rows have a cell at each level in one of the columns, from what the forms
/// say of weights; a dummy column's cells are none of them.
std::vector<std::uint32_t> rows_at(const ColumnDesign& pair, const ColumnClass& one,
                                   WeightForm form, std::size_t levels, bool is_positive) {
  std::vector<std::uint32_t> rows(levels, 0);
  for (std::size_t state = 0; state < pair.row_states.states.size(); ++state) {
    const int weight = pair.row_states.states[state].value;
    const int top = static_cast<int>(levels) - 1;
    int level = 0;
    if (form == WeightForm::differential) level = std::max(is_positive ? weight : -weight, 0);
    if (form == WeightForm::complementary) level = (top + (is_positive ? weight : -weight)) / 2;
    if (form == WeightForm::unit_column) level = is_positive ? weight : 0;
    if (form == WeightForm::dummy_column) level = (top + weight) / 2;
    rows[static_cast<std::size_t>(level)] += one.states[state];
  }
  return rows;
}

/// The table of one column alone, where so many rows are at each level.
std::vector<double> column_row(const ColumnDesign& column, const std::vector<std::uint32_t>& rows,
                               std::uint32_t n) {
  ColumnClass one;
  one.active_rows = n;
  if (column.row_states.empty()) {
    one.lrs_count = rows[1];
  } else {
    for (std::size_t level = 0; level < rows.size(); ++level) {
      one.states[level] = static_cast<std::uint16_t>(rows[level]);
    }
  }
  return exact_probabilities(column, std::array{one}, {}, core::Threads{1}).probability;
}

/// The column beside it: all of its active cells are dummy cells.
ColumnDesign dummy_column(const ColumnDesign& column) {
  ColumnDesign dummy = column;
  dummy.row_states = {.laws = {middle, leak}, .states = {{0, {0}, 1.0}}, .idle = {1}};
  return dummy;
}

std::vector<double> dummy_row(const ColumnDesign& column, std::uint32_t n) {
  ColumnClass one;
  one.active_rows = n;
  one.states[0] = static_cast<std::uint16_t>(n);
  return exact_probabilities(dummy_column(column), std::array{one}, {}, core::Threads{1})
      .probability;
}

TEST(CodeDifference, IsThePlainConvolutionOfTheTablesOfTwoColumns) {
  const std::vector<Law> four = four_levels();
  for (const std::vector<Law>& levels : {std::vector{four[0], four[3]}, four}) {
    const ColumnDesign column = one_column(levels, 5);
    const auto codes = static_cast<int>(column.ladder.codes);
    for (const WeightForm form : forms) {
      const ColumnDesign pair = pair_of(column, levels, form);
      const Ladder ladder = table_ladder(pair);
      ASSERT_EQ(ladder.codes, 2 * column.ladder.codes - 1);
      for (const std::uint32_t n : {5U, 2U}) {
        const auto classes = all_classes(pair, n);
        const ExactProbabilities table =
            difference_probabilities(pair, classes, {}, core::Threads{2});
        for (std::size_t i = 0; i < classes.size(); i += levels.size() == 2 ? 1U : 7U) {
          const auto p1 =
              column_row(column, rows_at(pair, classes[i], form, levels.size(), true), n);
          const auto p2 =
              form == WeightForm::dummy_column
                  ? dummy_row(column, n)
                  : column_row(column, rows_at(pair, classes[i], form, levels.size(), false), n);
          double total = 0.0;
          for (int d = -(codes - 1); d < codes; ++d) {
            double expected = 0.0;
            for (int c2 = 0; c2 < codes; ++c2) {
              const int c1 = c2 + d;
              if (c1 < 0 || c1 >= codes) continue;
              expected += p1[static_cast<std::size_t>(c1)] * p2[static_cast<std::size_t>(c2)];
            }
            const std::size_t entry = i * ladder.codes + static_cast<std::size_t>(d + codes - 1);
            EXPECT_NEAR(table.probability[entry], expected, 1e-12);
            EXPECT_LE(table.entry_error[entry], table.error_bound[i]);
            total += table.probability[entry];
          }
          EXPECT_NEAR(total, 1.0, 1e-12);
          EXPECT_LT(table.error_bound[i], 1e-11);
          EXPECT_GT(table.error_bound[i], 0.0);
        }
      }
    }
  }
}

// Independent loops: each cell of both columns drawn by Boost.Random, each column with an offset
// and a noise of its own.
TEST(CodeDifference, AgreesWithTwoColumnsOfCellsDrawnOneByOne) {
  const std::vector<Law> levels = {Law::normal(1.0, 0.15), Law::normal(2.0, 0.15),
                                   Law::normal(3.0, 0.15), Law::normal(4.0, 0.15)};
  ColumnDesign column = one_column(levels, 4);
  column.sense = {.offset_sd = 0.2, .noise_sd = 0.15};
  const ColumnDesign pair = pair_of(column, levels, WeightForm::differential);
  ColumnClass one;
  one.active_rows = 3;  // of 4: one leaks in either column
  one.states[0] = 1;    // -3
  one.states[4] = 1;    // 1
  one.states[6] = 1;    // 3
  ASSERT_EQ(mac_value(pair, one), 1);
  boost::random::mt19937 engine(11);
  boost::random::normal_distribution<double> normal;
  const auto code = [&](std::initializer_list<double> means) {
    double current = std::hypot(0.2, 0.15) * normal(engine);
    for (const double mean : means) current += mean + 0.15 * normal(engine);
    current += leak.quantile(core::Tail::lower, 0.5 * std::erfc(std::sqrt(0.5) * normal(engine)));
    const std::vector<double>& references = column.ladder.references;
    return std::upper_bound(references.begin(), references.end(), current) - references.begin();
  };
  constexpr int trials = 200'000;
  const std::size_t differences = table_ladder(pair).codes;
  std::vector<int> counts(differences);
  for (int trial = 0; trial < trials; ++trial) {
    const auto first = code({1.0, 2.0, 4.0});
    const auto second = code({4.0, 1.0, 1.0});
    ++counts[static_cast<std::size_t>(first - second) + column.ladder.codes - 1];
  }
  const auto worst_of = [&](const ColumnDesign& design) {
    const ExactProbabilities table =
        difference_probabilities(design, std::array{one}, {}, core::Threads{1});
    double worst = 0.0;
    for (std::size_t d = 0; d < differences; ++d) {
      const double p = table.probability[d];
      if (trials * p < 10.0) continue;
      worst = std::max(worst, std::abs(counts[d] - trials * p) / std::sqrt(trials * p * (1 - p)));
    }
    return worst;
  };
  EXPECT_LT(worst_of(pair), 4.5);
  // Twins: one cell of the second column less noisy; an offset that both columns share (none left).
  ColumnDesign biased = pair;
  biased.row_states.laws[biased.row_states.states[0].subtracted[0]] = Law::normal(4.0, 0.05);
  EXPECT_GT(worst_of(biased), 4.5);
  biased = pair;
  biased.sense.offset_sd = 0.0;
  EXPECT_GT(worst_of(biased), 4.5);
}

/// P(a chi-square at least this large); codes expected fewer than 10 times are pooled.
double chi_square_p(std::span<const std::uint64_t> counts, std::span<const double> probability) {
  double trials = 0.0;
  for (const std::uint64_t count : counts) trials += static_cast<double>(count);
  double statistic = 0.0;
  double cells = 0.0;
  double pooled_count = 0.0;
  double pooled_expected = 0.0;
  const auto add = [&](double count, double expected) {
    statistic += (count - expected) * (count - expected) / expected;
    cells += 1.0;
  };
  for (std::size_t code = 0; code < counts.size(); ++code) {
    const double expected = trials * probability[code];
    if (expected >= 10.0) {
      add(static_cast<double>(counts[code]), expected);
    } else {
      pooled_count += static_cast<double>(counts[code]);
      pooled_expected += expected;
    }
  }
  if (pooled_expected >= 10.0) {
    add(pooled_count, pooled_expected);
  } else if (pooled_count > 60.0) {
    return 0.0;
  }
  return cells > 1.0 ? core::chi_square_tail(statistic, cells - 1.0) : 1.0;
}

/// Of all classes, times their number (Bonferroni).
double least_p(const ColumnDesign& sampled, const ColumnDesign& exact, std::uint32_t n,
               core::Stream stream = core::Stream::philox) {
  const auto classes = all_classes(sampled, n);
  const SamplingOptions options{.trials = 40'000, .key = {.seed = 5}, .stream = stream};
  const auto counts = difference_counts(sampled, classes, options, core::Threads{2});
  const ExactProbabilities table = difference_probabilities(exact, classes, {}, core::Threads{2});
  const std::size_t codes = table_ladder(exact).codes;
  double least = 1.0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    least = std::min(least, chi_square_p(std::span(counts).subspan(i * codes, codes),
                                         std::span(table.probability).subspan(i * codes, codes)));
  }
  return least * static_cast<double>(classes.size());
}

TEST(CodeDifference, SampledTablesAgreeWithExactOnes) {
  const std::vector<Law> four = four_levels();
  for (const std::vector<Law>& levels : {std::vector{four[0], four[3]}, four}) {
    const ColumnDesign column = one_column(levels, 4);
    for (const WeightForm form : forms) {
      const ColumnDesign pair = pair_of(column, levels, form);
      EXPECT_GT(least_p(pair, pair, 4), 1e-3);
      EXPECT_GT(least_p(pair, pair, 4, core::Stream::fast), 1e-3);
      ColumnDesign biased = pair;
      biased.sense.noise_sd *= 1.25;
      EXPECT_LT(least_p(biased, pair, 4), 1e-6);
    }
  }
}

TEST(CodeDifference, SamplesConvertersWithNoiseMismatchAndGainOfTheirOwn) {
  const std::vector<Law> levels = {Law::normal(1.0, 0.1), Law::normal(4.0, 0.2)};
  const ColumnDesign column = one_column(levels, 6);
  std::vector<ColumnDesign> designs(4, pair_of(column, levels, WeightForm::differential));
  designs[0].comparator = {.kind = ConverterKind::flash, .noise_sd = 0.8};
  designs[1].comparator = {.kind = ConverterKind::sar, .noise_sd = 0.8};
  designs[2].comparator = {.kind = ConverterKind::flash, .noise_sd = 0.0};
  designs[2].comparator.mismatch.offset_sd = 0.8;
  designs[3].sense.gain_sd = designs[3].common_factor_sd = 0.05;  // each column's own
  for (const ColumnDesign& design : designs) {
    ASSERT_FALSE(table_obstacle(design)) << *table_obstacle(design);
    EXPECT_GT(least_p(design, design, 6), 1e-3);
    ColumnDesign biased = design;
    biased.comparator.noise_sd *= 0.8;
    biased.comparator.mismatch.offset_sd *= 0.8;
    biased.common_factor_sd = biased.sense.gain_sd *= 1.3;
    EXPECT_LT(least_p(biased, design, 6), 1e-6);
  }
}

TEST(CodeDifference, CountsOfAClassDependOnItAndTheKeyAlone) {
  const std::vector<Law> levels = {Law::normal(1.0, 0.3), Law::normal(4.0, 0.6)};
  const ColumnDesign pair = pair_of(one_column(levels, 4), levels, WeightForm::differential);
  const auto classes = all_classes(pair, 4);
  const SamplingOptions options{.trials = 40'001, .key = {.seed = 9}};
  const auto counts = difference_counts(pair, classes, options, core::Threads{2});
  EXPECT_EQ(counts, difference_counts(pair, classes, options, core::Threads{1}));
  const std::size_t codes = table_ladder(pair).codes;
  for (std::size_t i = 0; i < classes.size(); i += 4) {
    const auto alone = difference_counts(pair, std::array{classes[i]}, options, core::Threads{1});
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), counts.begin() + std::ptrdiff_t(i * codes)));
  }
  // Equal columns of two classes have other numbers: -1 +1 0 0 and 0 0 0 0 differ in one cell each,
  // and two classes whose positive columns are alike don't share its codes.
  const SamplingOptions other{.trials = 40'001, .key = {.seed = 10}};
  EXPECT_NE(counts, difference_counts(pair, classes, other, core::Threads{2}));
}

TEST(CodeDifference, CodesStandForDifferencesOfMacValues) {
  const std::vector<Law> four = four_levels();
  const ColumnDesign column = one_column(four, 3);  // codes 0 .. 9
  const Ladder pairs = table_ladder(pair_of(column, four, WeightForm::complementary));
  EXPECT_EQ(pairs.codes, 19U);
  EXPECT_EQ(pairs.code_origin, -9.0);
  EXPECT_EQ(pairs.code_step, 1.0);
  EXPECT_EQ(pairs.ideal_code(-9), 0U);
  EXPECT_EQ(pairs.ideal_code(0), 9U);
  EXPECT_EQ(pairs.ideal_code(9), 18U);
  // A dummy column is half way: a step of the difference is two steps of 2 p - 3.
  const ColumnDesign dummy = pair_of(column, four, WeightForm::dummy_column);
  std::vector<std::int32_t> values;
  for (const auto& state : dummy.row_states.states) values.push_back(state.value);
  EXPECT_THAT(values, ElementsAre(-3, -1, 1, 3));
  const Ladder offset = table_ladder(dummy);
  EXPECT_EQ(offset.code_step, 2.0);
  EXPECT_EQ(offset.code_origin, -18.0);
  EXPECT_EQ(offset.ideal_code(0), 9U);
  EXPECT_EQ(offset.ideal_code(4), 11U);
  // Converters of fewer codes; what one of them calls its lowest MAC value cancels.
  ColumnDesign coarse = pair_of(column, four, WeightForm::differential);
  coarse.ladder = uniform_ladder(one_column(four, 3), 3, 4);
  EXPECT_EQ(table_ladder(coarse).codes, 7U);
  EXPECT_EQ(table_ladder(coarse).code_step, 3.0);
  coarse.ladder.code_origin = 5.0;
  EXPECT_EQ(table_ladder(coarse).code_origin, -9.0);
  // One column's codes are its ladder's.
  EXPECT_EQ(table_ladder(column).references, column.ladder.references);
}

TEST(CodeDifference, OfBinaryCellsHasBinaryColumnsBehindAnyLine) {
  const std::vector<Law> levels = {Law::normal(1.0, 0.1), Law::normal(4.0, 0.2)};
  ColumnDesign pair = pair_of(one_column(levels, 4), levels, WeightForm::complementary);
  const auto classes = all_classes(pair, 4);
  const HalfColumn half = half_of(pair, Half::negative, classes);
  EXPECT_TRUE(half.design.row_states.empty());
  EXPECT_TRUE(half.design.leakage);
  ASSERT_EQ(half.index.size(), classes.size());
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_EQ(half.classes[half.index[i]].lrs_count, classes[i].states[0]);
    EXPECT_EQ(half.classes[half.index[i]].active_rows, 4U);
  }
  // Classes that are alike for a column are computed once.
  pair = pair_of(one_column(levels, 4), levels, WeightForm::unit_column);
  EXPECT_EQ(half_of(pair, Half::negative, all_classes(pair, 4)).classes.size(), 1U);
  EXPECT_EQ(half_of(pair, Half::positive, all_classes(pair, 4)).classes.size(), 5U);
}

TEST(CodeDifference, DifferencesOfCurrentsHaveTheMomentsOfBothColumns) {
  const std::vector<Law> levels = four_levels();
  const ColumnDesign pair = pair_of(one_column(levels, 4), levels, WeightForm::differential);
  const StateMoments moments(pair.row_states);
  EXPECT_NEAR(moments.mean[0], levels[0].mean() - levels[3].mean(), 1e-12);
  EXPECT_NEAR(moments.variance[0], levels[0].variance() + levels[3].variance(), 1e-12);
  EXPECT_NEAR(moments.mean[3], 0.0, 1e-12);
}

std::string refusal(const ColumnDesign& design, std::uint64_t trials = 100) {
  try {
    const auto classes = all_classes(design, 4);
    difference_counts(design, classes, {.trials = trials, .key = {.seed = 1}}, core::Threads{1});
  } catch (const core::UsageError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "accepted";
}

TEST(CodeDifference, RefusesInOneLineWhatItCannotDo) {
  const std::vector<Law> levels = {Law::normal(1.0, 0.3), Law::normal(4.0, 0.6)};
  const ColumnDesign pair = pair_of(one_column(levels, 4), levels, WeightForm::differential);
  EXPECT_EQ(refusal(pair), "accepted");
  ColumnDesign shared = pair;
  shared.common_factor_sd = 0.1;
  EXPECT_THAT(refusal(shared), HasSubstr("mapping.subtraction: \"digital\" can't be had with a "
                                         "common factor (both columns share it"));
  EXPECT_THAT(refusal(pair, core::instance_limit / 2), HasSubstr("table.trials"));
  ColumnDesign ladder = pair;
  std::swap(ladder.ladder.references[0], ladder.ladder.references[1]);
  EXPECT_THAT(refusal(ladder), HasSubstr("ladder"));
  // What knows one column refuses two.
  const auto classes = all_classes(pair, 4);
  EXPECT_THROW(check(pair, classes), core::UsageError);
  EXPECT_THROW(exact_probabilities(pair, classes, {}, core::Threads{1}), core::UsageError);
  EXPECT_THROW(sampled_counts(pair, classes, {.trials = 10, .key = {}}, core::Threads{1}),
               core::UsageError);
  EXPECT_THAT(*beyond_plain_sum(pair), HasSubstr("two columns"));
  EXPECT_THROW(make_row_states({.levels = levels}, WeightForm::single, 2, Subtraction::digital),
               core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
