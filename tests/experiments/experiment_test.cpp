#include "experiments/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

using testing::AllOf;
using testing::HasSubstr;

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
      HasSubstr("converter.codes: has no effect here (it belongs to references = \"uniform\"); "
                "remove it"));
}

TEST(MakeTable, TakesTheExactEngineWhereItCan) {
  const Experiment experiment = read(whole);
  const ChosenTable chosen =
      make_table(experiment, circuits::classes_for(experiment.table.active_rows), {1});
  EXPECT_EQ(chosen.table.method, circuits::TableMethod::exact);
  EXPECT_TRUE(chosen.table.counts.empty());
  EXPECT_EQ(chosen.table.probability.size(), chosen.table.size() * 10);
}

TEST(MakeTable, SamplesAndSaysWhyWhereTheExactEngineCanNot) {
  Overrides overrides = no_exact_engine;
  overrides.push_back("table.trials=1000");
  const Experiment experiment = read(whole, overrides);
  const std::vector<circuits::ColumnClass> classes = {{2, 9}, {9, 9}};
  const ChosenTable chosen = make_table(experiment, classes, {1});
  EXPECT_EQ(chosen.table.method, circuits::TableMethod::monte_carlo);
  EXPECT_THAT(chosen.reason, HasSubstr("the exact engine can't"));
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
