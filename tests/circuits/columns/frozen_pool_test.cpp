#include "circuits/columns/frozen_pool.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/simd.h"
#include "core/statistics/statistics.h"

#include "circuits/columns/pool_rates.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "tests/circuits/columns/pool_designs.h"

namespace cimstat::circuits {
namespace {

constexpr core::Threads one_thread{1};

/// Mean over the columns of a class's rates.
core::Moments over_columns(const ColumnRates& rates, const std::vector<double>& values,
                           std::size_t class_index) {
  core::Moments moments;
  for (std::size_t c = 0; c < rates.columns; ++c) {
    moments.add(values[class_index * rates.columns + c]);
  }
  return moments;
}

double exact_misread(const ColumnDesign& design, ColumnClass column_class) {
  const std::vector<ColumnClass> classes{column_class};
  const ExactProbabilities exact = exact_probabilities(design, classes, {}, one_thread);
  const std::uint32_t ideal = design.ladder.ideal_code(column_class.lrs_count);
  double wrong = 0.0;
  for (std::uint32_t code = 0; code < design.ladder.codes; ++code) {
    if (code != ideal) wrong += exact.probability[code];
  }
  return wrong;
}

void expect_agreement_with_the_ensemble(const ColumnDesign& design, std::uint32_t active_rows,
                                        std::uint64_t columns) {
  const FrozenPool pool = pool_of(design, active_rows, columns, 4);
  const ColumnRates rates = integrated_rates(pool, 3, one_thread);
  for (std::size_t i = 0; i < rates.classes.size(); ++i) {
    const core::Moments found = over_columns(rates, rates.misread, i);
    const double exact = exact_misread(design, rates.classes[i]);
    EXPECT_LT(std::abs(found.mean() - exact), 4.5 * found.standard_error())
        << "class " << rates.classes[i].lrs_count << " of " << active_rows << ": " << found.mean()
        << " against " << exact;
    // The twin: a rate wrong by a fifth would be seen.
    EXPECT_GT(std::abs(1.2 * found.mean() - exact), 4.5 * found.standard_error());
  }
}

// Tolerance: 4.5 standard errors from the variance between columns, which are independent.
TEST(FrozenPool, MeanOverColumnsIsTheEnsemblesMisreadRate) {
  expect_agreement_with_the_ensemble(plain_design(16), 16, 8192);
}

TEST(FrozenPool, MeanOverColumnsIsTheEnsemblesWithReadNoiseStuckCellsLeakageAndDummy) {
  expect_agreement_with_the_ensemble(full_design(24), 9, 8192);
}

TEST(FrozenPool, AgreesWithTheExactTableWhereEachColumnHasAFactorOfItsOwn) {
  ColumnDesign design = plain_design(16);
  design.common_factor_sd = 0.05;
  expect_agreement_with_the_ensemble(design, 16, 8192);
}

TEST(FrozenPool, MeanOverColumnsIsTheEnsemblesWithLogisticNoise) {
  ColumnDesign design = full_design(24);
  design.sense.noise_shape = NoiseShape::logistic;
  expect_agreement_with_the_ensemble(design, 9, 4096);
}

TEST(FrozenPool, SampledReadsCountWhatIntegrationExpects) {
  for (const NoiseShape shape : {NoiseShape::gaussian, NoiseShape::logistic}) {
    ColumnDesign design = full_design(24);
    design.sense.noise_shape = shape;
    const FrozenPool pool = pool_of(design, 9, 200, 3);
    const std::uint32_t reads = 400;
    const ColumnRates rates = integrated_rates(pool, 3, one_thread);
    const PoolCounts counts = sampled_reads(pool, reads, one_thread);
    const std::vector<std::size_t> sizes = pool.patterns().sizes();
    // Sum of squared standardised differences over columns: chi-square, nearly.
    for (std::size_t i = 0; i < rates.classes.size(); ++i) {
      double found = 0.0;
      double expected = 0.0;
      double variance = 0.0;
      const double trials = reads * static_cast<double>(sizes[i]);
      for (std::size_t c = 0; c < rates.columns; ++c) {
        const double p = rates.misread[i * rates.columns + c];
        found += static_cast<double>(counts.misread[i * rates.columns + c]);
        expected += trials * p;
        variance += trials * p * (1.0 - p);
      }
      EXPECT_LT(std::abs(found - expected), 4.5 * std::sqrt(variance) + 1e-3) << i;
      EXPECT_GT(std::abs(1.2 * found - expected), 4.5 * std::sqrt(variance)) << i;
      const std::uint64_t all = std::accumulate(
          counts.code.begin() + static_cast<std::ptrdiff_t>(i * design.ladder.codes),
          counts.code.begin() + static_cast<std::ptrdiff_t>((i + 1) * design.ladder.codes),
          std::uint64_t{0});
      EXPECT_EQ(all, rates.columns * sizes[i] * reads);
    }
  }
}

TEST(FrozenPool, CodesOfAColumnSumToOneAndAgreeWithItsMisreadRate) {
  const FrozenPool pool = pool_of(full_design(24), 9, 70, 3);
  const ColumnRates rates = integrated_rates(pool, 1, one_thread);
  const std::vector<double> codes = integrated_codes(pool, one_thread);
  const std::size_t count = pool.design().ladder.codes;
  for (std::size_t row = 0; row < rates.misread.size(); ++row) {
    const double* const p = codes.data() + row * count;
    EXPECT_NEAR(std::accumulate(p, p + count, 0.0), 1.0, 1e-12);
    const std::uint32_t ideal = pool.ladders()[row / rates.columns].ideal_code;
    EXPECT_NEAR(1.0 - p[ideal], rates.misread[row], 1e-12);
    // One vote is the read itself.
    EXPECT_DOUBLE_EQ(rates.vote_wrong[row], rates.misread[row]);
  }
}

TEST(FrozenPool, SameBitsForAnyThreadsAndInstructionSet) {
  ColumnDesign design = full_design(37);
  design.common_factor_sd = 0.05;
  const FrozenPool pool = pool_of(design, 20, 150, 5, {.columns_of_a_die = 10});
  const ColumnRates rates = integrated_rates(pool, 3, one_thread);
  const PoolCounts counts = sampled_reads(pool, 7, one_thread);
  for (const std::string& target : core::simd_targets()) {
    core::use_simd_target(target);
    for (const unsigned threads : {1U, 2U, 5U}) {
      const ColumnRates again = integrated_rates(pool, 3, {threads});
      EXPECT_EQ(again.misread, rates.misread) << target;
      EXPECT_EQ(again.both_wrong, rates.both_wrong) << target;
      EXPECT_EQ(again.vote_wrong, rates.vote_wrong) << target;
      const PoolCounts counted = sampled_reads(pool, 7, {threads});
      EXPECT_EQ(counted.code, counts.code) << target;
      EXPECT_EQ(counted.misread, counts.misread) << target;
    }
  }
  core::use_simd_target("");
}

TEST(FrozenPool, AColumnIsTheSameInAPoolOfAnySize) {
  const ColumnDesign design = full_design(12);
  const ColumnRates large = integrated_rates(pool_of(design, 6, 200, 2), 3, one_thread);
  const ColumnRates small = integrated_rates(pool_of(design, 6, 67, 2), 3, one_thread);
  for (std::size_t i = 0; i < large.classes.size(); ++i) {
    for (std::size_t c = 0; c < small.columns; ++c) {
      EXPECT_EQ(small.misread[i * small.columns + c], large.misread[i * large.columns + c]);
    }
  }
}

TEST(FrozenPool, OneColumnOneRowOnePattern) {
  ColumnDesign design = plain_design(1);
  const ColumnRates rates = integrated_rates(pool_of(design, 1, 1, 1), 1, one_thread);
  ASSERT_EQ(rates.misread.size(), 2u);
  for (const double rate : rates.misread) {
    EXPECT_GE(rate, 0.0);
    EXPECT_LE(rate, 1.0);
  }
}

TEST(FrozenPool, WithoutAnyNoiseAColumnIsAlwaysRightOrAlwaysWrong) {
  ColumnDesign design = plain_design(8);
  design.sense.noise_sd = 0.0;
  const FrozenPool pool = pool_of(design, 8, 300, 1);
  const ColumnRates rates = integrated_rates(pool, 3, one_thread);
  const PoolCounts counts = sampled_reads(pool, 5, one_thread);
  for (std::size_t i = 0; i < rates.misread.size(); ++i) {
    EXPECT_TRUE(rates.misread[i] == 0.0 || rates.misread[i] == 1.0);
    EXPECT_EQ(counts.misread[i], rates.misread[i] == 1.0 ? 5u : 0u);
  }
}

// A factor common to the columns of a die scales all their currents: with cells that do not vary,
// all columns of a die have one rate, and their spread over dies is that of the factor.
TEST(FrozenPool, ColumnsOfADieShareItsFactor) {
  ColumnDesign design = plain_design(8);
  design.lrs = core::Law::point(1.0);
  design.hrs = core::Law::point(0.1);
  design.sense.offset_sd = 0.0;
  design.common_factor_sd = 0.05;
  const FrozenPool pool = pool_of(design, 8, 96, 1, {.columns_of_a_die = 8});
  const ColumnRates rates = integrated_rates(pool, 3, one_thread);
  const std::size_t last = rates.classes.size() - 1;
  const auto rate = [&](std::size_t column) {
    return rates.misread[last * rates.columns + column];
  };
  for (std::size_t c = 0; c < rates.columns; ++c) EXPECT_EQ(rate(c), rate(c / 8 * 8));
  EXPECT_NE(rate(0), rate(8));
}

// Intervals of the mean come from columns. Those from reads forget that the reads of a column share
// its cells: over 200 pools the first cover the ensemble's rate as promised, the second don't.
TEST(FrozenPool, IntervalsFromColumnsCoverAndIntervalsFromReadsDoNot) {
  const ColumnDesign design = plain_design(8);
  const ColumnClass column_class{5, 8};
  const double exact = exact_misread(design, column_class);
  const std::uint64_t columns = 64;
  const std::uint32_t reads = 50;
  int covered = 0;
  int covered_by_reads = 0;
  constexpr int pools = 200;
  for (std::uint64_t seed = 0; seed < pools; ++seed) {
    const FrozenPool pool(design,
                          random_patterns(8, {{column_class}}, {.lrs_cells = 4, .key = {seed, 0}}),
                          {.columns = columns, .key = {seed, 0}}, one_thread);
    const PoolCounts counts = sampled_reads(pool, reads, one_thread);
    core::Moments moments;
    std::uint64_t misread = 0;
    for (const std::uint64_t count : counts.misread) {
      moments.add(static_cast<double>(count) / reads);
      misread += count;
    }
    const double t = core::student_t(0.95, static_cast<double>(columns - 1));
    covered += std::abs(moments.mean() - exact) < t * moments.standard_error();
    const core::Interval naive = core::clopper_pearson(misread, columns * reads, 0.95);
    covered_by_reads += naive.lower < exact && exact < naive.upper;
  }
  // 95 % of 200 is 190, binomial sd 3.1; a t interval of skewed rates loses a few percent.
  EXPECT_GE(covered, 175);
  EXPECT_LE(covered_by_reads, 140);
}

}  // namespace
}  // namespace cimstat::circuits
