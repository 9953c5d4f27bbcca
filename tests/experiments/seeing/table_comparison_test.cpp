#include "experiments/seeing/table_comparison.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/experiment.h"
#include "tests/experiments/inference_fixtures.h"

namespace cimstat::experiments {
namespace {

using circuits::ErrorTable;
using circuits::TableMethod;

/// A table sampled from the probabilities of another.
ErrorTable sampled_from(const ErrorTable& truth, std::uint64_t trials, std::mt19937_64& engine) {
  ErrorTable table = truth;
  table.method = TableMethod::monte_carlo;
  table.error_bound.clear();
  table.counts.assign(table.probability.size(), 0);
  for (std::size_t row = 0; row < table.size(); ++row) {
    std::uint64_t left = trials;
    double share_left = 1.0;
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const std::size_t entry = row * table.codes + code;
      const double p = truth.probability[entry];
      const bool last = code + 1 == table.codes || p >= share_left;
      std::binomial_distribution<std::uint64_t> draw(left, last ? 1.0 : p / share_left);
      table.counts[entry] = draw(engine);
      left -= table.counts[entry];
      share_left -= p;
      table.probability[entry] = double(table.counts[entry]) / double(trials);
    }
  }
  return table;
}

ErrorTable exact_normal(double noise_sd) {
  ErrorTable table = fixtures::normal_table(6, 0.06, 0.02, noise_sd);
  table.error_bound.assign(table.size(), 1e-12);
  return table;
}

struct Replicates {
  int number;
  int rejected;
  double tolerance(double level) const {  // three standard errors
    return 3.0 * std::sqrt(level * (1.0 - level) / number);
  }
  double share() const { return double(rejected) / number; }
};

template <class Compare>
Replicates replicate(int number, const Compare& compare) {
  Replicates replicates{number, 0};
  for (int i = 0; i < number; ++i) replicates.rejected += compare();
  return replicates;
}

TEST(TableComparison, RaisesNoMoreFalseAlarmsThanItsLevelAgainstAnExactTable) {
  const ErrorTable truth = exact_normal(0.2);
  std::mt19937_64 engine(101);
  for (const auto& [level, number] : {std::pair(0.05, 1000), std::pair(0.001, 4000)}) {
    const Replicates replicates = replicate(number, [&, level = level] {
      return compare_tables(truth, sampled_from(truth, 20'000, engine), level, 0.95).differ();
    });
    RecordProperty("rejected at level " + std::to_string(level), replicates.rejected);
    EXPECT_LE(replicates.share(), level + replicates.tolerance(level)) << level;
  }
}

TEST(TableComparison, RaisesNoMoreFalseAlarmsThanItsLevelBetweenTwoSamples) {
  const ErrorTable truth = exact_normal(0.2);
  std::mt19937_64 engine(102);
  for (const auto& [level, number] : {std::pair(0.05, 1000), std::pair(0.001, 2000)}) {
    const Replicates replicates = replicate(number, [&, level = level] {
      return compare_tables(sampled_from(truth, 20'000, engine), sampled_from(truth, 5'000, engine),
                            level, 0.95)
          .differ();
    });
    RecordProperty("rejected at level " + std::to_string(level), replicates.rejected);
    EXPECT_LE(replicates.share(), level + replicates.tolerance(level)) << level;
  }
}

Experiment macro(const std::vector<std::string>& overrides) {
  return read_experiment(core::Config::from_text(R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = 4e-5
sigma = 0.1
[cell.hrs]
distribution = "lognormal"
median = 1e-6
sigma = 0.3
[column]
rows = 32
read_voltage = 0.2
[sense_amplifier]
noise_sd = 3e-7
[converter]
references = "midpoint"
[table]
active_rows = [32]
trials = 1_000_000
)",
                                                 "macro.toml", overrides));
}

ErrorTable table_of(const std::vector<std::string>& overrides) {
  const Experiment experiment = macro(overrides);
  return make_table(experiment, circuits::classes_for(experiment.table.active_rows), {2}).table;
}

// The smallest bias that we care about: half a percent of the sigma of one cell state.
TEST(TableComparison, FindsAHalfPercentBiasOfSigmaByAMillionTrialsAClass) {
  const std::string sampled = "table.method=monte_carlo";
  const std::string biased = "cell.lrs.sigma=0.1005";
  const ErrorTable exact = table_of({});
  const ErrorTable fair = table_of({sampled});
  const ErrorTable twin = table_of({sampled, biased, "seed=2"});
  EXPECT_FALSE(compare_tables(exact, fair, 0.001, 0.95).differ());
  EXPECT_TRUE(compare_tables(exact, twin, 0.001, 0.95).differ());
  EXPECT_TRUE(compare_tables(fair, twin, 0.001, 0.95).differ());
  EXPECT_FALSE(compare_tables(fair, table_of({sampled, "seed=3"}), 0.001, 0.95).differ());
}

// 0.5 % more noise: next to nothing for a class alone.
TEST(TableComparison, FindsAShiftOfOneSignBetterThanAnyClassDoes) {
  const ErrorTable truth = exact_normal(0.2);
  const ErrorTable other = exact_normal(0.201);
  std::mt19937_64 engine(103);
  const ErrorTable a = sampled_from(truth, 300'000, engine);
  const ErrorTable fair = sampled_from(truth, 300'000, engine);
  const ErrorTable b = sampled_from(other, 300'000, engine);
  for (const ErrorTable* reference : {&truth, &a}) {
    EXPECT_FALSE(compare_tables(*reference, fair, 0.001, 0.95).pooled.differs);
    const TableComparison found = compare_tables(*reference, b, 0.001, 0.95);
    EXPECT_TRUE(found.pooled.differs) << found.pooled.p_value;
    for (const ClassComparison& item : found.classes) {
      EXPECT_LT(found.pooled.p_value, 1e-2 * item.p_value());
    }
    EXPECT_TRUE(found.differ());
  }
}

TEST(TableComparison, OfExactTablesGoesByTheSumOfTheirBounds) {
  const ErrorTable fine = table_of({});
  const ErrorTable coarse = table_of({"table.tolerance=1e-7"});
  const TableComparison within = compare_tables(fine, coarse, 0.001, 0.95);
  EXPECT_EQ(within.basis, ComparisonBasis::exact);
  EXPECT_FALSE(within.differ());
  for (const ClassComparison& item : within.classes) EXPECT_LE(item.beyond_bounds, 1.0);
  const TableComparison beyond =
      compare_tables(fine, table_of({"cell.lrs.sigma=0.100001"}), 0.001, 0.95);
  EXPECT_TRUE(beyond.differ());
  const ClassComparison& worst = beyond.classes[beyond.by_difference().front()];
  EXPECT_GT(worst.beyond_bounds, 1.0);
  EXPECT_GE(worst.total_variation.value, std::abs(worst.misread_difference.value) * (1.0 - 1e-9));
}

TEST(TableComparison, TellsTheEffectWithAnIntervalThatHoldsIt) {
  const ErrorTable truth = exact_normal(0.2);
  const ErrorTable other = exact_normal(0.25);
  std::mt19937_64 engine(7);
  const TableComparison exact = compare_tables(truth, other, 0.001, 0.95);
  int missed = 0;
  for (int i = 0; i < 50; ++i) {
    const TableComparison sampled = compare_tables(
        sampled_from(truth, 20'000, engine), sampled_from(other, 20'000, engine), 0.001, 0.95);
    for (std::size_t c = 0; c < exact.classes.size(); ++c) {
      const double misread = exact.classes[c].misread_difference.value;
      const double variation = exact.classes[c].total_variation.value;
      const core::Interval& of_misread = sampled.classes[c].misread_difference.interval;
      const core::Interval& of_variation = sampled.classes[c].total_variation.interval;
      missed += misread < of_misread.lower || misread > of_misread.upper;
      missed += variation < of_variation.lower || variation > of_variation.upper;
    }
  }
  EXPECT_LE(missed, 0.05 * 50 * 2.0 * double(exact.classes.size()));  // both are conservative
}

TEST(TableComparison, ComparesTheClassesThatBothHave) {
  const ErrorTable a = fixtures::identity_table(6);
  ErrorTable b = fixtures::identity_table(8, 3);
  b.codes = 9;
  const TableComparison comparison = compare_tables(a, b, 0.001, 0.95);
  EXPECT_EQ(comparison.classes.size(), 4U + 5U + 6U + 7U);
  EXPECT_EQ(comparison.only_in_a.size(), 2U + 3U);
  EXPECT_EQ(comparison.only_in_b.size(), 8U + 9U);
  EXPECT_FALSE(comparison.same_codes);  // 7 and 9 codes: only the misreads can be compared
  EXPECT_EQ(comparison.differing, 0U);
  EXPECT_TRUE(comparison.differ());
}

TEST(TableComparison, RefusesTablesWithoutACommonClass) {
  const ErrorTable a = fixtures::identity_table(2);
  const ErrorTable b = fixtures::identity_table(4, 3);
  EXPECT_THROW(compare_tables(a, b, 0.001, 0.95), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
