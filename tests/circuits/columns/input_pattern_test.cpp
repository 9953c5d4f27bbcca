#include "circuits/columns/input_pattern.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::circuits {
namespace {

ColumnClass class_of(const InputPattern& pattern, std::uint32_t rows) {
  ColumnClass found;
  for (std::uint32_t row = 0; row < rows; ++row) {
    if (!pattern.active[row]) continue;
    ++found.active_rows;
    found.lrs_count += pattern.lrs[row] ? 1U : 0U;
  }
  return found;
}

TEST(InputPatterns, EachShowsItsClass) {
  for (const std::uint32_t rows : {1U, 7U, 64U, 65U, 130U}) {
    for (const std::uint32_t lrs_cells : {0U, rows / 2, rows}) {
      for (const std::uint32_t active : {1U, (rows + 1) / 2, rows}) {
        const std::vector<ColumnClass> classes = classes_for(std::vector{active});
        const PatternSet set =
            random_patterns(rows, classes, {.per_class = 3, .lrs_cells = lrs_cells, .key = {5, 0}});
        ASSERT_EQ(set.sizes().size(), classes.size());
        for (const InputPattern& pattern : set.patterns) {
          EXPECT_EQ(class_of(pattern, rows), classes[pattern.class_index]);
        }
      }
    }
  }
}

TEST(InputPatterns, WeightsStayWhereTheyHaveEveryClass) {
  const std::vector<ColumnClass> classes = classes_for(std::vector{16U});
  const PatternSet set =
      random_patterns(64, classes, {.per_class = 4, .lrs_cells = 32, .key = {5, 0}});
  for (const InputPattern& pattern : set.patterns) {
    for (std::uint32_t row = 0; row < 64; ++row) EXPECT_EQ(pattern.lrs[row], row < 32);
  }
}

TEST(InputPatterns, OneWhereThereIsNoChoice) {
  const std::vector<ColumnClass> classes = classes_for(std::vector{8U});
  const PatternSet set = random_patterns(8, classes, {.per_class = 50, .lrs_cells = 4, .key = {}});
  EXPECT_EQ(set.patterns.size(), classes.size());
}

TEST(InputPatterns, EveryRowIsActiveEquallyOften) {
  constexpr std::uint32_t count = 20000;
  const ColumnClass column_class{3, 5};
  const PatternSet set =
      random_patterns(10, {{column_class}}, {.per_class = count, .lrs_cells = 6, .key = {5, 0}});
  std::vector<double> active(10, 0.0);
  for (const InputPattern& pattern : set.patterns) {
    for (std::uint32_t row = 0; row < 10; ++row) active[row] += pattern.active[row] ? 1.0 : 0.0;
  }
  // Each row with probability one half; 4.5 standard errors.
  for (const double times : active) EXPECT_NEAR(times / count, 0.5, 4.5 * 0.5 / std::sqrt(count));
}

TEST(InputPatterns, PatternsOfAClassDoNotDependOnTheOthers) {
  const std::vector<ColumnClass> all = classes_for(std::vector{5U});
  const PatternOptions options{.per_class = 3, .lrs_cells = 6, .key = {5, 0}};
  const PatternSet alone = random_patterns(12, {{all[2]}}, options);
  const PatternSet among = random_patterns(12, all, options);
  std::size_t seen = 0;
  for (const InputPattern& pattern : among.patterns) {
    if (pattern.class_index != 2) continue;
    for (std::uint32_t row = 0; row < 12; ++row) {
      EXPECT_EQ(pattern.active[row], alone.patterns[seen].active[row]);
    }
    ++seen;
  }
  EXPECT_EQ(seen, 3u);
}

TEST(InputPatterns, AClassThatDoesNotFitIsRefused) {
  EXPECT_THROW(random_patterns(4, {{ColumnClass{3, 5}}}, {}), core::UsageError);
  EXPECT_THROW(random_patterns(4, {{ColumnClass{3, 2}}}, {}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
