#include "experiments/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string whole = R"(name = "small"
seed = 7
[cell]
model = "rram"
[cell.lrs]
distribution = "lognormal"
median = "40 uS"
sigma = 0.05
[cell.hrs]
distribution = "lognormal"
median = "2 uS"
sigma = 0.3
[column]
rows = 9
read_voltage = "0.2 V"
[sense_amplifier]
noise_sd = "0.5 uA"
)";

using Overrides = std::vector<std::string>;

Experiment read(const std::string& text, const Overrides& overrides = {}) {
  return read_experiment(core::Config::from_text(text, "m.toml", overrides));
}

std::string refusal(const Overrides& overrides, const std::string& more = {}) {
  try {
    read(whole + more, overrides);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

const Overrides no_exact_engine = {"sense_amplifier.noise_shape=logistic",
                                   "sense_amplifier.noise_knee=\"10 uA\""};

TEST(Experiment, FillsInDefaults) {
  const Experiment experiment = read(whole);
  EXPECT_EQ(experiment.seed, 7U);
  EXPECT_EQ(experiment.table.active_rows.size(), 10U);
  EXPECT_EQ(experiment.margin.active_rows, 9U);
  EXPECT_EQ(experiment.macro.design.ladder.codes, 10U);
  EXPECT_NEAR(experiment.macro.design.lrs.mean(), 8e-6 * 1.00125, 1e-9);
}

TEST(Experiment, CanonicalFormReadsBackToItself) {
  const Experiment experiment = read(whole);
  EXPECT_EQ(read(experiment.config_toml).config_toml, experiment.config_toml);
}

TEST(Experiment, EquivalentFilesHaveOneCanonicalForm) {
  const Experiment experiment =
      read(whole, {"column.read_voltage=\"200 mV\"", "cell.lrs.median=40e-6"});
  EXPECT_EQ(experiment.config_toml, read(whole).config_toml);
}

TEST(Experiment, RefusesAnUnknownKeyWithTheNearest) {
  EXPECT_THAT(
      refusal({}, "noise_shap = \"gaussian\"\n"),
      AllOf(HasSubstr("m.toml:18:1: sense_amplifier.noise_shap"), HasSubstr("noise_shape")));
}

TEST(Experiment, RefusesWhatIsOutOfRange) {
  EXPECT_THAT(refusal({"column.rows=5000"}), HasSubstr("column.rows"));
  EXPECT_THAT(refusal({"cell.lrs.sigma=-0.1"}), HasSubstr("cell.lrs.sigma"));
  EXPECT_THAT(refusal({"cell.lrs.sigma=nan"}), HasSubstr("cell.lrs.sigma"));
  EXPECT_THAT(refusal({"column.read_voltage=\"3 kohm\""}), HasSubstr("column.read_voltage"));
  EXPECT_THAT(refusal({"table.active_rows=[3,12]"}), HasSubstr("table.active_rows"));
  EXPECT_THAT(refusal({"table.active_rows=some"}), HasSubstr("table.active_rows"));
  EXPECT_THAT(refusal({"converter.references=midpiont"}), HasSubstr("midpoint"));
}

TEST(Experiment, RefusesLevelsTheWrongWayRound) {
  EXPECT_THAT(refusal({"cell.hrs.median=\"80 uS\""}), HasSubstr("LRS is the state that conducts"));
}

TEST(Experiment, RefusesCodesForALadderThatHasNoChoice) {
  EXPECT_THAT(
      refusal({"converter.codes=4"}),
      HasSubstr("converter.codes: has no effect here (it belongs to references = \"uniform\" or "
                "references = \"calibrated\" or references = \"percentile\" or references = "
                "\"neurosim\" or references = \"listed\"); remove it"));
}

TEST(Experiment, ReadsListedReferencesToTheLastBit) {
  const std::vector<std::string> keys = {
      "converter.references=listed", "converter.currents=[1.0000000000000002e-05, \"20 uA\", 3e-5]",
      "converter.code_step=2.5", "converter.code_origin=1"};
  const circuits::Ladder ladder = read(whole, keys).macro.design.ladder;
  EXPECT_EQ(ladder.codes, 4u);
  EXPECT_EQ(ladder.references, (std::vector<double>{1.0000000000000002e-05, 2e-5, 3e-5}));
  EXPECT_EQ(ladder.code_step, 2.5);
  EXPECT_EQ(ladder.code_origin, 1.0);
}

TEST(Experiment, TellsEqualLevelsFromLevelsTheWrongWayRound) {
  EXPECT_EQ(refusal({"cell.stuck_at_lrs=0.5", "cell.stuck_at_hrs=0.5"}),
            "--set cell.stuck_at_lrs: leaves LRS no more conductive than HRS: mean conductance 21 "
            "uS in LRS, 21 uS in HRS (every cell is stuck); lower it");
  // A concave compression takes more from the mean of a wide law than from that of a narrow one.
  EXPECT_THAT(
      refusal({"cell.lrs.median=20 uS", "cell.lrs.sigma=1", "cell.access_resistance=1 Mohm",
               "cell.hrs={distribution=\"point\", value=\"30 uS\"}"}),
      AllOf(HasSubstr("--set cell.access_resistance: leaves LRS no more conductive than HRS"),
            HasSubstr("(as read, not as programmed); lower it")));
}

TEST(Experiment, SaysAtItsKeyWhatMakesNoLaw) {
  EXPECT_EQ(refusal({"cell.lrs={distribution=\"normal\", mean=1e300, sd=0}"}),
            "--set cell.lrs: cell.lrs.mean: 1e+300 is out of range (must be >= 0 and <= 1 kS); "
            "write a number between 0 and 1 kS");
  EXPECT_EQ(refusal({"cell.lrs.high=1 uS"}),
            "--set cell.lrs.high: the lognormal law lies outside of its range from low to high "
            "(nothing would be left of it); widen the range");
  EXPECT_EQ(refusal({"cell.lrs.low=1 S"}),
            "--set cell.lrs.low: the lognormal law lies outside of its range from low to high "
            "(nothing would be left of it); widen the range");
}

TEST(Experiment, LeavesALawOpenAboveWhereOnlyLowIsGiven) {
  const Experiment experiment =
      read(whole, {"cell.lrs={distribution=\"normal\", mean=\"40 uS\", sd=\"30 uS\", low=0}"});
  const auto& law =
      std::get<core::TruncatedNormal>(std::get<devices::RramCell>(experiment.macro.cell).lrs);
  EXPECT_DOUBLE_EQ(law.high, 40e-6 + 40 * 30e-6);
  EXPECT_THAT(experiment.config_toml, testing::Not(HasSubstr("high")));
  EXPECT_EQ(devices::describe(law), "normal: mean 40 uS, sd 30 uS cut off below 0 S");
  EXPECT_TRUE(experiment.macro.warnings.empty());
}

TEST(Experiment, WarnsOfANormalThatReachesBelowZero) {
  const Overrides wide = {"cell.hrs={distribution=\"normal\", mean=\"2 uS\", sd=\"1 uS\"}"};
  EXPECT_EQ(read(whole, wide).macro.warnings,
            std::vector<std::string>{
                "--set cell.hrs: cell.hrs.sd: 0.0228 of the cells have a negative conductance (the "
                "normal law is that wide); cut it off with low = 0, or use a lognormal"});
  EXPECT_TRUE(read(whole, {"cell.hrs={distribution=\"normal\", mean=\"2 uS\", sd=\"0.3 uS\"}"})
                  .macro.warnings.empty());
}

TEST(Experiment, WarnsOfMagnitudesThatNoMacroHas) {
  const auto warnings = [](const Overrides& overrides) {
    return read(whole, overrides).macro.warnings;
  };
  EXPECT_THAT(
      warnings({"cell.lrs={distribution=\"lognormal\", mean_resistance=8, sd_resistance=1}"}),
      ElementsAre("--set cell.lrs: cell.lrs.mean_resistance: makes a mean conductance of 127 mS "
                  "(7.877 ohm); check its unit: plain numbers are S and ohm"));
  EXPECT_THAT(warnings({"cell.hrs={distribution=\"point\", value=1e-11}"}),
              ElementsAre(HasSubstr("cell.hrs.value: makes an on/off ratio of 4.01e+06; check the "
                                    "units of lrs and hrs")));
  EXPECT_THAT(warnings({"cell.lrs.sigma=1"}), ElementsAre(HasSubstr("spreads wider")));
  EXPECT_THAT(warnings({"cell.stuck_at_hrs=0.1"}),
              ElementsAre("--set cell.stuck_at_hrs: 10 % of the cells are stuck; write 0.01 for "
                          "one in a hundred, if that was meant"));
  EXPECT_THAT(warnings({"cell.stuck_at_hrs=0.01", "cell.hrs.sigma=1.5"}), IsEmpty());
}

TEST(Experiment, SaysWhatToDoWhereAShorterColumnMakesAnotherSectionWrong) {
  EXPECT_EQ(refusal({"column.rows=1"}, "[margin]\nactive_rows = 5\n"),
            "m.toml:19:15: margin.active_rows: 5 is out of range (must be a whole number from 1 to "
            "1, the column.rows here); lower it too, for example --set margin.active_rows=1");
}

TEST(Experiment, TakesAPerfectOffState) {
  Experiment experiment = read(whole, {"cell.hrs={distribution=\"point\", value=0}"});
  const std::vector<circuits::ColumnClass> classes = {{0, 9}, {5, 9}};
  const ChosenTable exact = make_table(experiment, classes, {1});
  EXPECT_EQ(exact.table.method, circuits::TableMethod::exact);
  experiment.table.method = Method::monte_carlo;
  experiment.table.trials = 100'000;
  const ChosenTable sampled = make_table(experiment, classes, {1});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_NEAR(sampled.table.misread(i), exact.table.misread(i), 0.01);
  }
}

TEST(MakeTable, TakesTheExactEngineWhereItCan) {
  const Experiment experiment = read(whole);
  const ChosenTable chosen =
      make_table(experiment, circuits::classes_for(experiment.table.active_rows), {1});
  EXPECT_EQ(chosen.table.method, circuits::TableMethod::exact);
  EXPECT_TRUE(chosen.table.counts.empty());
  EXPECT_EQ(chosen.table.probability.size(), chosen.table.size() * 10);
}

TEST(Experiment, ReadsTheConverterAndItsComparators) {
  const Experiment plain = read(whole);
  EXPECT_EQ(plain.macro.design.comparator.noise_sd, 0.0);
  EXPECT_EQ(plain.macro.design.common_factor_sd, 0.0);
  const Experiment ramp =
      read(whole, {"converter.kind=ramp", "converter.comparator_noise=\"0.5 uA\"",
                   "converter.noise_correlation=0.3", "column.common_factor_sd=0.02"});
  EXPECT_EQ(ramp.macro.design.comparator.kind, circuits::ConverterKind::ramp);
  EXPECT_DOUBLE_EQ(ramp.macro.design.comparator.noise_sd, 0.5e-6);
  EXPECT_EQ(ramp.macro.design.comparator.correlation, 0.3);
  EXPECT_EQ(ramp.macro.design.common_factor_sd, 0.02);
  EXPECT_THAT(refusal({"converter.comparator_noise=1e-20"}),
              ::testing::HasSubstr("is less than 1e-09 of the largest reference"));
  EXPECT_THAT(refusal({"converter.kind=sar", "converter.noise_correlation=0.3"}),
              ::testing::HasSubstr("converter.noise_correlation: has no place here (only the steps "
                                   "of a ramp share noise); write kind = \"ramp\""));
}

TEST(MakeTable, SamplesAndSaysWhyWhereTheExactEngineCanNot) {
  Overrides overrides = no_exact_engine;
  overrides.push_back("table.trials=1000");
  const Experiment experiment = read(whole, overrides);
  const std::vector<circuits::ColumnClass> classes = {{2, 9}, {9, 9}};
  const ChosenTable chosen = make_table(experiment, classes, {1});
  EXPECT_EQ(chosen.table.method, circuits::TableMethod::monte_carlo);
  EXPECT_EQ(
      chosen.reason,
      "Monte Carlo, 1000 trials for each class (the exact engine can't: logistic noise with a "
      "finite noise_knee has no closed transform)");
  for (std::size_t i = 0; i < chosen.table.size(); ++i) EXPECT_EQ(chosen.table.trials(i), 1000U);
}

TEST(MakeTable, RefusesExactWhereItCanNot) {
  Overrides overrides = no_exact_engine;
  overrides.push_back("table.method=exact");
  const Experiment experiment = read(whole, overrides);
  const std::vector<circuits::ColumnClass> classes = {{2, 9}};
  EXPECT_THROW(make_table(experiment, classes, {1}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
