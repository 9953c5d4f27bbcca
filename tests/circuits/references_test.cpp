#include "circuits/references/references.h"

#include <array>

#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/error_table.h"

namespace cimstat::circuits {
namespace {

ColumnDesign ratio_design(std::uint32_t rows, double ratio) {
  return {.rows = rows,
          .lrs = core::Law::point(1.0),
          .hrs = core::Law::point(1.0 / ratio),
          .leakage = {},
          .dummy = {},
          .sense = {},
          .ladder = {}};
}

TEST(ColumnClass, PartsAndMeansCountEveryRow) {
  ColumnDesign design = ratio_design(16, 10.0);
  design.leakage = core::Law::normal(0.01, 0.002);
  design.dummy = core::Law::normal(0.5, 0.1);
  const ColumnClass column_class{.lrs_count = 3, .active_rows = 8};
  const std::vector<ColumnPart> parts = parts_of(design, column_class);
  ASSERT_EQ(parts.size(), 4U);
  EXPECT_EQ(parts[0].count, 3U);
  EXPECT_EQ(parts[1].count, 5U);
  EXPECT_EQ(parts[2].count, 8U);
  EXPECT_EQ(parts[3].count, 8U);
  double mean = 0.0;
  double variance = 0.0;
  for (const auto& [law, count] : parts) {
    mean += count * law.mean();
    variance += count * law.variance();
  }
  EXPECT_NEAR(mean_current(design, column_class), mean, 1e-14);
  EXPECT_NEAR(current_variance(design, column_class), variance, 1e-14);
}

TEST(Ladder, MidpointsLieBetweenNeighbouringMeans) {
  const ColumnDesign design = ratio_design(9, 10.0);
  const Ladder ladder = midpoint_ladder(design, 9);
  ASSERT_EQ(ladder.codes, 10U);
  for (std::uint32_t j = 0; j < 9; ++j) {
    EXPECT_NEAR(ladder.at(9)[j], (j + 0.5) * 0.9 + 0.9, 1e-14);
    EXPECT_EQ(ladder.ideal_code(j), j);
  }
}

TEST(Ladder, DualReferencesFollowTheirDefinition) {
  const ColumnDesign design = ratio_design(9, 10.0);
  const Ladder ladder = dual_ladder(design, 9);
  for (std::uint32_t j = 0; j < 9; ++j) {
    EXPECT_NEAR(ladder.at(9)[j], ((j + (9 - j) * 0.1) + (j + 1)) / 2.0, 1e-14);
  }
}

TEST(Ladder, ReplicaFollowsTheActiveRows) {
  const ColumnDesign design = ratio_design(9, 10.0);
  const Ladder ladder = replica_ladder(design, 9);
  for (std::uint32_t n = 0; n <= 9; ++n) {
    for (std::uint32_t j = 0; j < 9; ++j)
      EXPECT_NEAR(ladder.at(n)[j], n * 0.1 + (j + 0.5) * 0.9, 1e-14);
  }
}

TEST(Ladder, UniformCodesStandForEvenMacValues) {
  const ColumnDesign design = ratio_design(128, 10.0);
  const Ladder ladder = uniform_ladder(design, 128, 64);
  ASSERT_EQ(ladder.references.size(), 63U);
  EXPECT_NEAR(ladder.code_step * 63, 128.0, 1e-12);
  EXPECT_EQ(ladder.ideal_code(0), 0U);
  EXPECT_EQ(ladder.ideal_code(128), 63U);
  EXPECT_EQ(ladder.ideal_code(64), 31U);  // 31.5 is equally near to 31 and 32
}

TEST(Check, RefusesWhatDoesNotFit) {
  ColumnDesign design = ratio_design(9, 10.0);
  design.ladder = midpoint_ladder(design, 9);
  const std::array<ColumnClass, 1> good = {{{.lrs_count = 9, .active_rows = 9}}};
  EXPECT_NO_THROW(check(design, good));
  const std::array<ColumnClass, 1> too_many = {{{.lrs_count = 1, .active_rows = 10}}};
  EXPECT_THROW(check(design, too_many), core::UsageError);
  design.ladder.references[3] = design.ladder.references[4];
  EXPECT_THROW(check(design, good), core::UsageError);
  EXPECT_THROW(midpoint_ladder(design, 10), core::UsageError);
}

TEST(ClassesFor, ListsEachNumberOfActiveRowsOnce) {
  const std::array<std::uint32_t, 3> rows = {2, 0, 2};
  const std::vector<ColumnClass> classes = classes_for(rows);
  ASSERT_EQ(classes.size(), 4U);
  EXPECT_EQ(classes.front(), (ColumnClass{0, 0}));
  EXPECT_EQ(classes.back(), (ColumnClass{2, 2}));
}

TEST(ErrorTable, FindsClassesAndKeepsSmallMisreads) {
  ErrorTable table;
  table.classes = {{0, 1}, {1, 1}, {0, 2}};
  table.codes = 2;
  table.ideal_code = {0, 1, 0};
  table.probability = {1.0, 1e-30, 0.25, 0.75, 0.5, 0.5};
  EXPECT_EQ(table.find({1, 1}), 1U);
  EXPECT_EQ(table.find({0, 2}), 2U);
  EXPECT_FALSE(table.find({1, 2}).has_value());
  EXPECT_EQ(table.misread(0), 1e-30);
  EXPECT_EQ(table.misread(1), 0.25);
}

}  // namespace
}  // namespace cimstat::circuits
