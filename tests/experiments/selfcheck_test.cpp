#include "experiments/selfcheck/selfcheck.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using tests::Outcome;

Outcome cimstat(const std::string& arguments) {
  return tests::run_program(std::string(CIMSTAT_BINARY) + " " + arguments + " 2>&1");
}

constexpr SelfCheckOptions quick{.trials = 200'000, .samples = 20'000, .key = {.seed = 1}};

TEST(SelfCheck, FindsTheBuiltInColumnsInAgreement) {
  const std::vector<CheckedColumn> columns = builtin_columns();
  const SelfCheckResult result = self_check(columns, quick, {1});
  EXPECT_TRUE(result.agrees) << self_check_as_text(result, quick);
  EXPECT_GT(result.comparisons, 15u);
  for (const CheckedTail& check : result.tails) {
    const auto& column = *std::find_if(columns.begin(), columns.end(),
                                       [&](const auto& one) { return one.name == check.column; });
    const auto beyond = circuits::beyond_plain_sum(column.design);
    EXPECT_EQ(check.importance.refusal, beyond.value_or("")) << check.column;
    EXPECT_NE(check.exact, std::nullopt) << check.column;
  }
}

TEST(SelfCheck, SpansRatesThatMonteCarloSeesAndThatItCannot) {
  const SelfCheckResult result = self_check(builtin_columns(), quick, {1});
  const auto importance = [](const CheckedTail& check) {
    return check.importance.probability().value_or(1e-6);
  };
  EXPECT_TRUE(std::any_of(result.tails.begin(), result.tails.end(),
                          [&](const CheckedTail& check) { return importance(check) > 1e-3; }));
  EXPECT_TRUE(std::any_of(result.tails.begin(), result.tails.end(),
                          [&](const CheckedTail& check) { return importance(check) < 1e-11; }));
}

TEST(SelfCheck, FindsQuasiMonteCarloInAgreementInTheBody) {
  const SelfCheckResult result = self_check(builtin_columns(), quick, {1});
  int compared = 0;
  for (const CheckedTail& check : result.tails) {
    // Below what the points reach there is a refusal and no comparison.
    EXPECT_EQ(check.smoothed_exact || check.smoothed_importance, check.smoothed.trustworthy())
        << check.column;
    if (check.smoothed_exact) ++compared;
  }
  EXPECT_GE(compared, 4);
}

TEST(SelfCheck, SeesThatQuasiMonteCarloHasAnotherColumn) {
  const CheckedColumn column = builtin_columns()[2];
  CheckedColumn wider = column;
  wider.design.hrs = core::Law::lognormal(5.3e-6, 0.64);
  const SelfCheckResult right = self_check({column}, quick, {1});
  const SelfCheckResult wrong = self_check({wider}, quick, {1});
  double worst = 0.0;
  for (std::size_t i = 0; i < right.tails.size(); ++i) {
    const circuits::SmoothedEstimate& smoothed = wrong.tails[i].smoothed;
    if (!smoothed.trustworthy() || smoothed.standard_error() == 0.0) continue;
    worst = std::max(worst, std::abs(smoothed.mean() - right.tails[i].exact.value()) /
                                smoothed.standard_error());
  }
  EXPECT_GT(worst, quick.limit);
}

/// Cells 3 % wider in one engine than in the other: the smallest difference that we care about.
TEST(SelfCheck, DisagreesWhereOneEngineHasAnotherColumn) {
  const CheckedColumn column = builtin_columns()[2];
  CheckedColumn wider = column;
  wider.design.hrs = core::Law::lognormal(5.3e-6, 0.64);
  SelfCheckResult right = self_check({column}, quick, {1});
  const SelfCheckResult wrong = self_check({wider}, quick, {1});
  ASSERT_TRUE(right.agrees);
  // Counts of the wider column against the exact probabilities of the other.
  double worst = 0.0;
  for (std::size_t i = 0; i < right.tails.size(); ++i) {
    const double exact = right.tails[i].exact.value();
    const core::WeightedSums sums = wrong.tails[i].importance.sums();
    worst = std::max(worst, std::abs(sums.mean() - exact) / sums.standard_error());
  }
  EXPECT_GT(worst, quick.limit);
}

TEST(SelfCheck, ComparesTheSamplersWhereTheExactEngineCannot) {
  CheckedColumn column = builtin_columns()[2];
  column.design.sense.noise_knee = 1.0;
  column.design.sense.noise_shape = circuits::NoiseShape::logistic;
  const SelfCheckResult result = self_check({column}, quick, {1});
  EXPECT_TRUE(result.agrees) << self_check_as_text(result, quick);
  for (const CheckedTail& check : result.tails) {
    EXPECT_EQ(check.exact, std::nullopt);
    EXPECT_NE(check.importance_monte_carlo, std::nullopt);
    EXPECT_EQ(check.smoothed_importance.has_value(), check.smoothed.trustworthy());
  }
}

TEST(SelfCheckCommand, PrintsAgreementAndEndsWith0) {
  const Outcome outcome = cimstat("selfcheck --quiet --trials 200000 --samples 20000");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("4 rows, logistic noise"), HasSubstr("MC-exact"),
                                    HasSubstr("agreement (limit 5)")));
}

TEST(SelfCheckCommand, PrintsTheSameForAnyNumberOfThreads) {
  const std::string arguments = "selfcheck --quiet --json --trials 50000 --samples 5000 --threads ";
  const Outcome one = cimstat(arguments + "1");
  ASSERT_EQ(one.exit_code, 0) << one.output;
  EXPECT_EQ(one.output, cimstat(arguments + "3").output);
  const auto json = nlohmann::json::parse(one.output);
  EXPECT_TRUE(json["agrees"].get<bool>());
  EXPECT_EQ(json["tails"].size(), 24u);
}

TEST(SelfCheckCommand, ChecksTheColumnOfAConfiguration) {
  const tests::TemporaryFolder folder;
  const std::string file = (folder / "m.toml").string();
  std::ofstream(file) << R"(name = "my macro"
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.08
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 4
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "1.5 uA"
)";
  const Outcome outcome = cimstat("selfcheck " + file + " -q --trials 100000 --samples 20000");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("my macro"), HasSubstr("2 of 4")));
}

TEST(SelfCheckCommand, TakesImportanceSamplesUntilTheyAreEnough) {
  const std::string arguments = "selfcheck --quiet --json --trials 50000 --samples 300000 ";
  const Outcome outcome = cimstat(arguments + "--relative-error 0.02");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.output;
  const auto json = nlohmann::json::parse(outcome.output);
  bool fewer = false;
  for (const auto& tail : json["tails"]) {
    const auto& importance = tail["importance"];
    const auto samples = importance["samples"].get<std::uint64_t>();
    fewer = fewer || samples < 300'000;
    EXPECT_EQ(importance["shortfall"].get<std::string>().empty(), samples < 300'000);
    const double mean = importance["sum"].get<double>() / static_cast<double>(samples);
    if (!importance["probability"].is_null()) {
      EXPECT_DOUBLE_EQ(importance["probability"].get<double>(), mean);
    }
  }
  EXPECT_TRUE(fewer);
  EXPECT_EQ(cimstat("selfcheck --relative-error 0").exit_code, 2);
}

TEST(SelfCheckCommand, SaysThatBitLinesAreNotForIt) {
  for (const std::string name : {"charge_domain_256rows", "discharge_16rows", "wire_64rows"}) {
    const Outcome outcome = cimstat("selfcheck " CIMSTAT_CONFIGS "/" + name + ".toml");
    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output, HasSubstr("bit_line: selfcheck knows sums of currents only ("));
    EXPECT_THAT(outcome.output, HasSubstr("use cimstat table"));
    EXPECT_EQ(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 1);
  }
}

TEST(SelfCheckCommand, RefusesSettingsWithoutAConfiguration) {
  const Outcome outcome = cimstat("selfcheck --set column.rows=4");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("--set: changes nothing"));
}

}  // namespace
}  // namespace cimstat::experiments
