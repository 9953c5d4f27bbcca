#include "circuits/columns/frozen_offset.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/statistics/statistics.h"

#include "circuits/columns/pool_rates.h"
#include "circuits/references/references.h"

#include "tests/circuits/columns/pool_designs.h"

namespace cimstat::circuits {
namespace {

constexpr core::Threads one_thread{1};

/// The devices-and-rare-events example: a class between two references 30 off its mean, current and
/// noise of sd 7, offset of sd 4.5.
ColumnDesign example_of_the_reference() {
  ColumnDesign design;
  design.rows = 2;
  design.lrs = core::Law::point(60.0);
  design.hrs = core::Law::point(0.0);
  design.sense.noise_sd = 7.0;
  design.sense.offset_sd = 4.5;
  design.ladder = midpoint_ladder(design, 2);
  return design;
}

const std::vector<ColumnClass> middle_class{{1, 2}};

// "error 1.8e-5 at zero offset, median column 6.0e-5, mean 3.1e-4, 99 % column 4.3e-3, 99.9 %
// column 1.5e-2: the mean hides the spread." To the digits given there.
TEST(FrozenOffset, SpreadOfTheReferencesExample) {
  const OffsetRates rates(example_of_the_reference(), middle_class, {}, one_thread);
  EXPECT_NEAR(rates.misread(0.0), 1.8e-5, 0.05e-5);
  EXPECT_NEAR(rates.quantile(0.5), 6.0e-5, 0.05e-5);
  EXPECT_NEAR(rates.mean(), 3.1e-4, 0.05e-4);
  EXPECT_NEAR(rates.quantile(0.99), 4.3e-3, 0.05e-3);
  EXPECT_NEAR(rates.quantile(0.999), 1.5e-2, 0.05e-2);
}

double normal_above(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

// The rate rises with |offset|, so a column's quantile is that of |offset|.
TEST(FrozenOffset, QuantilesAreThoseOfTheClosedForm) {
  const OffsetRates rates(example_of_the_reference(), middle_class, {}, one_thread);
  for (const auto& [level, z] :
       {std::pair(0.5, 0.674489750196081743), std::pair(0.99, 2.575829303548900761),
        std::pair(0.999, 3.290526731491894794)}) {
    const double expected =
        normal_above((30.0 - 4.5 * z) / 7.0) + normal_above((30.0 + 4.5 * z) / 7.0);
    EXPECT_NEAR(rates.quantile(level) / expected, 1.0, 1e-6) << level;
    EXPECT_NEAR(rates.columns_within(expected), level, 1e-7) << level;
  }
  const double total = std::hypot(7.0, 4.5);
  EXPECT_NEAR(rates.mean() / (2.0 * normal_above(30.0 / total)), 1.0, 1e-10);
}

/// As PCM and SONOS cells are: slices of a law, each with a noise of its own.
ColumnDesign design_with_noise_of_the_state() {
  ColumnDesign design = plain_design(12);
  design.lrs =
      core::Law({{.weight = 0.5, .base = core::Normal{0.95, 0.05}, .relative_noise = 0.05},
                 {.weight = 0.5, .base = core::Normal{1.05, 0.05}, .relative_noise = 0.03}});
  return design;
}

TEST(FrozenOffset, IsTheRemedyWhereReadNoiseDependsOnTheConductance) {
  const ColumnDesign design = design_with_noise_of_the_state();
  try {
    pool_of(design, 7, 64, 1);
    ADD_FAILURE() << "frozen cells were accepted";
  } catch (const core::UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "column: its cells can't be frozen (their relative read noise depends on the "
                 "conductance); write columns.frozen = \"offset\", or take a cell model with one "
                 "relative read noise");
  }
  const OffsetRates rates(design, classes_for(std::vector{7U}), {}, one_thread);
  EXPECT_GT(rates.mean(), 0.0);
  EXPECT_LT(rates.mean(), 1.0);
}

// The mean over offsets is the ensemble's table, whatever the laws of the cells.
TEST(FrozenOffset, MeanIsTheEnsemblesMisreadRate) {
  const ColumnDesign design = full_design(12);
  const std::vector<ColumnClass> classes = classes_for(std::vector{7U});
  const OffsetRates rates(design, classes, {}, one_thread);
  const ExactProbabilities exact = exact_probabilities(design, classes, {}, one_thread);
  double expected = 0.0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::uint32_t ideal = design.ladder.ideal_code(classes[i].lrs_count);
    for (std::uint32_t code = 0; code < design.ladder.codes; ++code) {
      if (code != ideal) expected += exact.probability[i * design.ladder.codes + code];
    }
  }
  EXPECT_NEAR(rates.mean(), expected / static_cast<double>(classes.size()), 1e-10);
}

// With cells that do not vary a pool freezes nothing but offsets: the same columns, the same rates.
TEST(FrozenOffset, ColumnsAreThoseOfAPoolWhoseCellsDoNotVary) {
  const ColumnDesign design = example_of_the_reference();
  const PoolOptions options{.columns = 130, .key = {3, 0}};
  const OffsetRates rates(design, middle_class, {}, one_thread);
  const ColumnRates exact = offset_rates(rates, options, 3, {2});
  const FrozenPool pool(design, random_patterns(2, middle_class, {.lrs_cells = 1}), options,
                        one_thread);
  const ColumnRates integrated = integrated_rates(pool, 3, one_thread);
  for (std::size_t c = 0; c < exact.columns; ++c) {
    // The pool's currents are floats; the exact engine's bound is absolute.
    EXPECT_NEAR(exact.misread[c], integrated.misread[c], 1e-5 * integrated.misread[c] + 1e-12);
    EXPECT_NEAR(exact.vote_wrong[c], integrated.vote_wrong[c],
                3e-5 * integrated.vote_wrong[c] + 1e-12);
  }
}

TEST(FrozenOffset, CommonFactorsAndNoiseOfComparatorsAreRefused) {
  ColumnDesign factor = example_of_the_reference();
  factor.common_factor_sd = 0.01;
  EXPECT_THROW(OffsetRates(factor, middle_class, {}, one_thread), core::UsageError);
  ColumnDesign decisions = example_of_the_reference();
  decisions.comparator.noise_sd = 1.0;
  EXPECT_THROW(OffsetRates(decisions, middle_class, {}, one_thread), core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
