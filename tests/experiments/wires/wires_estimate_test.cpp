#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/math/distributions/binomial.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/law/law.h"
#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "experiments/wires/level_cells.h"
#include "experiments/wires/wires_run.h"

/// Few arrays, and cells that their law puts below 0.
namespace cimstat::experiments {
namespace {

constexpr const char* macro = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.2
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 20
read_voltage = "0.2 V"
[wires]
columns = 4
column_segment = "3 ohm"
sense = "30 ohm"
)";

/// A tenth of all cells below 0.
constexpr const char* clamped = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "40 uS"
sd = "4 uS"
[cell.hrs]
distribution = "normal"
mean = "2 uS"
sd = "2.4 uS"
[column]
rows = 20
read_voltage = "0.2 V"
[wires]
columns = 4
column_segment = "3 ohm"
sense = "30 ohm"
)";

WiresResult run(const char* file, std::vector<std::string> overrides) {
  return run_wires(read_experiment(core::Config::from_text(file, "m.toml", overrides)), {2});
}

struct Coverage {
  std::vector<std::uint64_t> covered;  ///< [column]
  std::vector<std::uint64_t> quarter;  ///< by intervals of a quarter of the width
  std::vector<core::Moments> drops;
};

Coverage coverage(const char* file, std::vector<std::string> overrides, std::uint64_t runs,
                  const WiresResult& truth) {
  const std::size_t columns = truth.columns.size();
  Coverage result{.covered = std::vector<std::uint64_t>(columns),
                  .quarter = std::vector<std::uint64_t>(columns),
                  .drops = std::vector<core::Moments>(columns)};
  overrides.emplace_back();
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    overrides.back() = fmt::format("seed={}", seed);
    const WiresResult one = run(file, overrides);
    for (std::size_t j = 0; j < columns; ++j) {
      const ColumnDrop& drop = one.columns[j];
      const double off = std::abs(truth.columns[j].mean - drop.mean);
      const double half = 0.5 * (drop.mean_interval.upper - drop.mean_interval.lower);
      if (off <= half) ++result.covered[j];
      if (off <= 0.25 * half) ++result.quarter[j];
      result.drops[j].add(drop.drop());
    }
  }
  return result;
}

/// The fewest of `runs` intervals that cover, but once in 10,000 tests, where each does with 95 %.
std::uint64_t fewest_covered(std::uint64_t runs) {
  const boost::math::binomial_distribution<double> law(static_cast<double>(runs), 0.95);
  return static_cast<std::uint64_t>(boost::math::quantile(law, 1e-4));
}

constexpr std::uint64_t runs = 300;

/// Each column of 300 seeds; binomial limit of 1e-4. The twin has a quarter of the width.
/// Unbiased: 4 standard errors; the twin's ideal mean is 1 % wrong.
void expect_covered(const char* file, const std::vector<std::string>& overrides) {
  std::vector<std::string> many = overrides;
  many.insert(many.end(), {"wires.arrays=20000", "seed=987654"});
  const WiresResult truth = run(file, many);
  for (const int arrays : {2, 3, 8}) {
    std::vector<std::string> few = overrides;
    few.push_back(fmt::format("wires.arrays={}", arrays));
    const Coverage found = coverage(file, few, runs, truth);
    for (std::size_t j = 0; j < truth.columns.size(); ++j) {
      EXPECT_GE(found.covered[j], fewest_covered(runs)) << arrays << " arrays, column " << j;
      EXPECT_LT(found.quarter[j], fewest_covered(runs)) << arrays << " arrays, column " << j;
      const core::Moments& drop = found.drops[j];
      EXPECT_LT(std::abs(drop.mean() - truth.columns[j].drop()), 4.0 * drop.standard_error());
      EXPECT_GT(std::abs(drop.mean() - 0.01 - truth.columns[j].drop()),
                4.0 * drop.standard_error());
    }
  }
}

TEST(FewArrays, HaveIntervalsThatCover) { expect_covered(macro, {}); }

TEST(FewArrays, CoverWhereInputsAreOnAtRandom) { expect_covered(macro, {"wires.active_rows=7"}); }

TEST(FewArrays, CoverWhereCellsBelowZeroAreOpen) { expect_covered(clamped, {}); }

/// Two arrays of one row: a column's cells are often both in HRS, whose difference is next to none.
TEST(FewArrays, CoverWhereAColumnIsASingleCell) {
  expect_covered(macro, {"column.rows=1", "wires.columns=16"});
}

/// The differences are within a few thousandths of the ideal current, whatever cells were drawn.
TEST(FewArrays, EstimateTheDropOfASingleCell) {
  const WiresResult one =
      run(macro, {"column.rows=1", "wires.arrays=3", "wires.column_segment=1", "wires.sense=0"});
  for (const ColumnDrop& drop : one.columns) {
    EXPECT_GT(drop.drop(), 0.0);
    EXPECT_LT(drop.drop(), 1e-3);
    EXPECT_LT(drop.mean_interval.upper - drop.mean_interval.lower, 5e-3 * drop.ideal_mean);
    EXPECT_EQ(drop.variance_reduction, 1.0);
  }
}

TEST(FewArrays, AgreeWithAFittedControl) {
  const WiresResult few = run(macro, {"wires.arrays=15"});
  const WiresResult more = run(macro, {"wires.arrays=16"});
  for (std::size_t j = 0; j < few.columns.size(); ++j) {
    EXPECT_NEAR(few.columns[j].drop(), more.columns[j].drop(), 0.01);
    EXPECT_EQ(few.columns[j].variance_reduction, 1.0);
    EXPECT_GT(more.columns[j].variance_reduction, 20.0);
  }
}

/// The control variate serves them too: its mean is that of the cells as they are.
TEST(CellsBelowZero, LeaveTheControlVariateItsWorth) {
  const WiresResult result = run(clamped, {});
  EXPECT_GT(result.negative_cells, 0u);
  for (const ColumnDrop& drop : result.columns) {
    EXPECT_GT(drop.variance_reduction, 20.0);
    const double width = drop.mean_interval.upper - drop.mean_interval.lower;
    EXPECT_LT(width, 0.01 * drop.ideal_mean);
    EXPECT_GT(drop.drop(), 0.02);
    EXPECT_LT(drop.drop(), 0.06);
  }
}

TEST(CellsBelowZero, OfNeurramLoseAFewThousandths) {
  const auto file = std::filesystem::path(CIMSTAT_CONFIGS) / "neurram_16rows.toml";
  const std::vector<std::string> narrow = {"wires.columns=4"};
  const WiresResult result = run_wires(read_experiment(core::Config::from_file(file, narrow)), {2});
  EXPECT_GT(result.negative_cells, 0u);
  for (const ColumnDrop& drop : result.columns) {
    EXPECT_GT(drop.mean_interval.lower, 0.99 * drop.ideal_mean);
    EXPECT_LT(drop.mean_interval.upper, 0.999 * drop.ideal_mean);
  }
}

/// E max(X, 0) = m P(X > 0) + s phi(m / s); the law's own mean, the twin, is another.
TEST(CellsBelowZero, HaveTheMeanOfTheClosedForm) {
  const double normal = 1.0 / std::sqrt(2.0 * std::acos(-1.0));
  for (const double mean : {-1.0, 0.0, 0.5, 2.0}) {
    const core::Law law = core::Law::normal(mean, 1.0);
    const double expected =
        mean * law.tail_probability(core::Tail::upper, 0.0) + normal * std::exp(-0.5 * mean * mean);
    EXPECT_NEAR(mean_above_zero(law), expected, 1e-8) << mean;
    EXPECT_GT(std::abs(law.mean() - expected), 1e-3) << mean;
  }
  const core::Law far = core::Law::normal(50e-6, 1e-6);
  EXPECT_EQ(mean_above_zero(far), far.mean());
  const core::Law positive = core::Law::lognormal(40e-6, 0.2);
  EXPECT_EQ(mean_above_zero(positive), positive.mean());
}

/// As drawn: 3.5 standard errors over 200,000 draws of the table.
TEST(CellsBelowZero, AreDrawnWithThatMean) {
  const core::Law law = core::Law::normal(2e-6, 2.4e-6);
  const LevelCells cells = level_cells(law);
  core::TrialRandom random({7, 0}, core::Domain::test, 0);
  core::Moments drawn;
  for (int i = 0; i < 200'000; ++i) {
    drawn.add(std::max(cells.unit * static_cast<double>(cells.table(random())), 0.0));
  }
  EXPECT_LT(std::abs(drawn.mean() - cells.mean), 3.5 * drawn.standard_error());
  EXPECT_GT(std::abs(drawn.mean() - cells.law_mean), 3.5 * drawn.standard_error());
}

}  // namespace
}  // namespace cimstat::experiments
