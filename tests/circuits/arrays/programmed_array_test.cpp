#include "circuits/arrays/programmed_array.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/simd.h"
#include "core/statistics/statistics.h"
#include "core/statistics/statistics_comparison.h"

namespace cimstat::circuits {
namespace {

constexpr ArrayPlace place_of_chip(std::uint64_t chip) { return {{11, 3}, chip, 128}; }
constexpr std::array<ArrayShape, 5> odd_shapes{{{1, 1}, {3, 65}, {64, 64}, {1023, 70}, {130, 129}}};

/// Levels of different shapes, one of them with a gap that no line crosses.
std::vector<core::Law> some_laws(std::size_t levels) {
  std::vector<core::Law> laws;
  for (std::size_t level = 0; level < levels; ++level) {
    const double target = 1e-6 * static_cast<double>(level + 1);
    switch (level % 3) {
      case 0:
        laws.push_back(core::Law::lognormal(target, 0.3));
        break;
      case 1:
        laws.push_back(core::Law::normal(target, 0.05 * target));
        break;
      default:
        laws.push_back(core::Law({{.weight = 0.9, .base = core::Normal{target, 0.02 * target}},
                                  {.weight = 0.1, .base = core::Point{60e-6}}}));
    }
  }
  return laws;
}

std::vector<std::uint8_t> some_levels(ArrayShape shape, std::size_t levels) {
  std::vector<std::uint8_t> of_cells(shape.cells());
  core::TrialRandom random({5, 0}, core::Domain::test, 0);
  for (std::uint8_t& level : of_cells) level = static_cast<std::uint8_t>(random() % levels);
  return of_cells;
}

ArrayPlane programmed(const LevelTables& tables, const LevelPlane& levels, const ArrayPlace& place,
                      unsigned threads = 1) {
  ArrayPlane values;
  program(tables, levels, place, {threads}, values);
  return values;
}

/// Word `row` of a column's instance, one at a time.
std::uint32_t word_of(const ArrayPlace& place, std::uint32_t row, std::uint32_t column) {
  const std::uint64_t instance = place.chip * chip_column_limit + place.first_column + column;
  return core::philox4x32(core::counter_of(place.key, core::Domain::programming, instance, row / 4),
                          core::key_of(place.key))[row % 4];
}

TEST(ProgrammedArray, GivesEveryCellTheQuantileOfItsLevelAtItsOwnWord) {
  for (const std::size_t levels : {1U, 2U, 6U, 7U, 8U, 16U, 33U}) {
    const LevelTables tables(some_laws(levels));
    for (const ArrayShape shape : odd_shapes) {
      const std::vector<std::uint8_t> of_cells = some_levels(shape, levels);
      const ArrayPlane values = programmed(tables, LevelPlane(shape, of_cells), place_of_chip(7));
      std::size_t wrong = 0;
      for (std::uint32_t row = 0; row < shape.rows; ++row) {
        for (std::uint32_t column = 0; column < shape.columns; ++column) {
          const std::uint8_t level = of_cells[std::size_t{row} * shape.columns + column];
          const float expected = tables.table(level)(word_of(place_of_chip(7), row, column));
          wrong += values.at(row, column) != expected;
        }
      }
      EXPECT_EQ(wrong, 0U) << levels << " levels, " << shape.rows << " x " << shape.columns;
    }
  }
}

TEST(ProgrammedArray, FindsTheSlotOfEachOfTheMostLevelsAndBack) {
  for (std::size_t level = 0; level < array_level_limit; ++level) {
    EXPECT_EQ(LevelTables::level_of(LevelTables::slot(level)), level);
  }
  const std::vector<core::QuantileTable> tables(
      array_level_limit, core::QuantileTable(core::Law::normal(0.0, 1.0), 1.0));
  const LevelTables all(tables);
  const ArrayShape shape{64, 256};
  std::vector<std::uint8_t> of_cells;
  for (std::size_t i = 0; i < shape.cells(); ++i) {
    of_cells.push_back(static_cast<std::uint8_t>(i % array_level_limit));
  }
  const ArrayPlane values = programmed(all, LevelPlane(shape, of_cells), place_of_chip(0));
  const ArrayPlane plain =
      programmed(LevelTables({tables.front()}),
                 LevelPlane(shape, std::vector<std::uint8_t>(shape.cells(), 0)), place_of_chip(0));
  EXPECT_EQ(values.row_major(), plain.row_major());
}

TEST(ProgrammedArray, DoesNotDependOnThreadsInstructionSetOrTheShapeAroundACell) {
  const LevelTables tables(some_laws(5));
  const ArrayShape shape{1023, 130};
  const std::vector<std::uint8_t> of_cells = some_levels(shape, 5);
  const LevelPlane levels(shape, of_cells);
  const std::string before = core::simd_target();
  const std::vector<float> expected = programmed(tables, levels, place_of_chip(2)).row_major();
  for (const std::string& target : core::simd_targets()) {
    core::use_simd_target(target);
    for (const unsigned threads : {1U, 2U, 7U}) {
      EXPECT_EQ(programmed(tables, levels, place_of_chip(2), threads).row_major(), expected)
          << target << ", " << threads << " threads";
    }
  }
  core::use_simd_target(before);

  const ArrayShape part{37, 66};  // from column 64 on
  std::vector<std::uint8_t> of_part;
  for (std::uint32_t row = 0; row < part.rows; ++row) {
    for (std::uint32_t column = 0; column < part.columns; ++column) {
      of_part.push_back(of_cells[row * shape.columns + 64 + column]);
    }
  }
  ArrayPlace place = place_of_chip(2);
  place.first_column += 64;
  const ArrayPlane inner = programmed(tables, LevelPlane(part, of_part), place);
  for (std::uint32_t row = 0; row < part.rows; ++row) {
    for (std::uint32_t column = 0; column < part.columns; ++column) {
      ASSERT_EQ(inner.at(row, column), expected[row * shape.columns + 64 + column]);
    }
  }
}

TEST(ProgrammedArray, RaisesOrMirrorsWhatIsBelowZero) {
  const LevelTables tables(std::array{core::Law::normal(0.1, 1.0), core::Law::normal(-0.5, 1.0)});
  const ArrayShape shape{40, 100};
  const LevelPlane levels(shape, some_levels(shape, 2));
  ArrayPlane kept;
  ArrayPlane raised;
  ArrayPlane mirrored;
  program(tables, levels, {}, {1}, kept);
  program(tables, levels, {}, {1}, raised, core::Domain::programming, Negatives::raised_to_zero);
  program(tables, levels, {}, {1}, mirrored, core::Domain::programming, Negatives::mirrored);
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      const float value = kept.at(row, column);
      ASSERT_EQ(raised.at(row, column), std::max(value, 0.0f));
      ASSERT_EQ(mirrored.at(row, column), std::abs(value));
    }
  }
}

/// The smallest p-value of all tests of an array's cells against their laws: means, and shares
/// below 11 quantiles of each level.
double smallest_p_value(const std::vector<core::Law>& laws, double bias) {
  const ArrayShape shape{512, 1024};
  const std::size_t levels = laws.size();
  const std::vector<std::uint8_t> of_cells = some_levels(shape, levels);
  const std::vector<float> values =
      programmed(LevelTables(laws), LevelPlane(shape, of_cells), place_of_chip(1)).row_major();
  constexpr std::array probabilities{1e-5, 1e-4, 1e-3, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999};
  double smallest = 1.0;
  for (std::size_t level = 0; level < levels; ++level) {
    core::Moments moments;
    std::array<double, probabilities.size()> ends;
    std::array<std::uint64_t, probabilities.size()> below{};
    for (std::size_t i = 0; i < probabilities.size(); ++i) {
      ends[i] = laws[level].quantile(core::Tail::lower, probabilities[i]);
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (of_cells[i] != level) continue;
      const double value = static_cast<double>(values[i]) + bias * laws[level].sd();
      moments.add(value);
      for (std::size_t q = 0; q < ends.size(); ++q) below[q] += value <= ends[q] ? 1U : 0U;
    }
    const double score = (moments.mean() - laws[level].mean()) /
                         (laws[level].sd() / std::sqrt(static_cast<double>(moments.count())));
    smallest = std::min(smallest, std::erfc(std::abs(score) / std::sqrt(2.0)));
    for (std::size_t q = 0; q < ends.size(); ++q) {
      const core::Interval p{probabilities[q], probabilities[q]};
      smallest = std::min(smallest, core::binomial_p_value(below[q], moments.count(), p));
    }
  }
  return smallest;
}

// Tolerance: 1 in 1,000 that any of the 48 tests fails by chance, after Bonferroni.
TEST(ProgrammedArray, FollowsTheLawsOfItsLevelsInMeanAndQuantiles) {
  const std::vector<core::Law> laws{
      core::Law::lognormal(1e-6, 0.5), core::Law::normal(20e-6, 1e-6),
      core::Law::lognormal(40e-6, 0.06),
      core::Law({{.base = core::TruncatedNormal{2.0, 1.0, 1.0, 2.5}}})};
  EXPECT_GT(smallest_p_value(laws, 0.0), 1e-3 / 48.0);
  // The twin: a shift of a fiftieth of a standard deviation would be seen.
  EXPECT_LT(smallest_p_value(laws, 0.02), 1e-3 / 48.0);
}

TEST(ProgrammedArray, ChipsAndColumnsAreIndependent) {
  const LevelTables tables(std::array{core::Law::normal(0.0, 1.0)});
  const ArrayShape shape{512, 512};
  const LevelPlane levels(shape, std::vector<std::uint8_t>(shape.cells(), 0));
  const std::vector<float> one = programmed(tables, levels, place_of_chip(0)).row_major();
  const std::vector<float> other = programmed(tables, levels, place_of_chip(1)).row_major();
  double chips = 0.0;
  double columns = 0.0;
  double rows = 0.0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    chips += static_cast<double>(one[i] * other[i]);
    if (i + 1 < one.size()) columns += static_cast<double>(one[i] * one[i + 1]);
    if (i + shape.columns < one.size())
      rows += static_cast<double>(one[i] * one[i + shape.columns]);
  }
  // Sums of products of independent standard normals: variance 1 each. 4.5 standard errors.
  const double limit = 4.5 * std::sqrt(static_cast<double>(one.size()));
  EXPECT_LT(std::abs(chips), limit);
  EXPECT_LT(std::abs(columns), limit);
  EXPECT_LT(std::abs(rows), limit);
}

template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ProgrammedArray, RefusesWhatHasNoTableNoColumnOrNoChip) {
  using testing::HasSubstr;
  const LevelTables tables(some_laws(2));
  const std::vector<std::uint8_t> of_cells(64, 2);
  ArrayPlane values;
  EXPECT_THAT(error_of([&] {
                program(tables, LevelPlane({8, 8}, of_cells), {}, {1}, values);
              }),
              HasSubstr("array: a cell has level 2 (the levels are 0 to 1); use one of these"));
  EXPECT_THAT(error_of([&] { LevelTables(std::vector<core::Law>{}); }),
              HasSubstr("array: can't have 0 levels (1 to 256 are possible); use fewer"));
  EXPECT_THAT(error_of([&] {
                ArrayPlane({4097, 1});
              }),
              HasSubstr("array: can't have 4097 rows and 1 columns (1 to 4096 rows and 1 to "
                        "16777216 columns); divide it"));
  EXPECT_THAT(error_of([&] {
                check({{}, chip_limit, 0}, {1, 1});
              }),
              HasSubstr("array: there is no chip 16777216 (chips count to 16777215); take another "
                        "seed for further chips"));
  EXPECT_THAT(error_of([&] {
                check({{}, 0, chip_column_limit - 64}, {1, 65});
              }),
              HasSubstr("array: columns from 16777152 on do not fit the chip"));
}

}  // namespace
}  // namespace cimstat::circuits
