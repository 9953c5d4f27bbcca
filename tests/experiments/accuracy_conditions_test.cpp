#include "experiments/accuracy_conditions.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "experiments/macro/setting_text.h"

namespace cimstat::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string configured =
    "name = \"m\"\nseed = 1\n\n[cell.lrs]\nsigma = 0.05\n\n[sense_amplifier]\noffset_sd = 8e-07\n"
    "\n[margin]\nsigmas = 3.0\n";

std::string changed(std::string_view from, std::string_view to) {
  std::string text = configured;
  return text.replace(text.find(from), from.size(), to);
}

NamedAccuracy result(std::string stem, std::string config,
                     std::vector<std::uint8_t> sampled = {1, 1, 1, 0}) {
  NamedAccuracy named{{}, std::move(stem), {}};
  named.record.name = "m";
  named.record.network = "net";
  named.record.data_set = "images";
  named.record.table_sha256 = "aa";
  named.record.config_toml = std::move(config);
  named.record.result.reads = 1;
  named.record.result.exact_correct = {1, 1, 1, 0};
  named.record.result.sampled_correct = std::move(sampled);
  return named;
}

std::vector<std::string> labels(const std::vector<NamedAccuracy>& results,
                                std::string_view table_sha256 = "aa") {
  std::vector<std::string> found;
  for (const ConditionName& name : condition_names(results, table_sha256)) {
    found.push_back(name.label);
  }
  return found;
}

TEST(SettingText, WritesValuesWithTheirUnitsAndEnoughDigits) {
  EXPECT_EQ(setting_value("sense_amplifier.offset_sd", "2e-06"), "2 uA");
  EXPECT_EQ(setting_value("sense_amplifier.offset_sd", "8e-07"), "800 nA");
  EXPECT_EQ(setting_value("sense_amplifier.offset_sd", "8.000001e-07"), "800.0001 nA");
  EXPECT_EQ(setting_value("cell.access_resistance", "5000"), "5 kohm");
  EXPECT_EQ(setting_value("cell.read_noise", "0.01"), "0.01");
  EXPECT_EQ(setting_value("converter.references", "\"midpoint\""), "midpoint");
  EXPECT_EQ(setting_value("accuracy.reads", "4"), "4");
  EXPECT_EQ(setting_value("sense_amplifier.noise_knee", ""), "not set");
  EXPECT_EQ(setting_value("of.later.versions", "7e-3"), "7e-3");
}

TEST(SettingText, ShortensKeysAsFarAsTheyStayUnique) {
  EXPECT_EQ(short_key("sense_amplifier.offset_sd"), "offset_sd");
  EXPECT_EQ(short_key("cell.lrs.sigma"), "lrs.sigma");
  EXPECT_EQ(short_key("accuracy.stream"), "accuracy.stream");
  EXPECT_EQ(short_key("seed"), "seed");
}

TEST(AccuracyConditions, AreCalledByWhatDiffersFromTheFirst) {
  EXPECT_THAT(labels({result("a", configured), result("b", changed("8e-07", "2e-06")),
                      result("c", changed("sigma = 0.05", "sigma = 0.1"))}),
              ElementsAre("as configured", "offset_sd 2 \u00b5A", "lrs.sigma 0.1"));
}

TEST(AccuracyConditions, AreCalledByTheirFilesWhereNothingOrTooMuchDiffers) {
  const std::string much = configured + "[cell]\na = 1\nb = 2\nc = 3\nd = 4\n";
  EXPECT_THAT(labels({result("a", configured), result("b", configured), result("c", much)}),
              ElementsAre("as configured", "b", "c"));
}

TEST(AccuracyConditions, PassOverSettingsThatDecideNoAccuracy) {
  EXPECT_THAT(labels({result("a", configured), result("b", changed("sigmas = 3.0", "sigmas = 2.0")),
                      result("c", changed("\"m\"", "\"n\""))}),
              ElementsAre("as configured", "b", "c"));
}

TEST(AccuracyConditions, CallAFirstOneOfAnotherTableByItsFile) {
  EXPECT_THAT(labels({result("a", configured), result("b", changed("8e-07", "2e-06"))}, "bb"),
              ElementsAre("a", "offset_sd 2 \u00b5A"));
}

TEST(AccuracyConditions, KeepTheNamesThatTheyAreGiven) {
  NamedAccuracy first = result("a", configured);
  NamedAccuracy second = result("b", changed("8e-07", "2e-06"));
  first.label = "quiet";
  second.label = "2 uA of offset";
  EXPECT_THAT(labels({first, second}), ElementsAre("quiet", "2 uA of offset"));
}

TEST(AccuracyConditions, NeverReadAlike) {
  const std::string other = changed("8e-07", "2e-06");
  EXPECT_THAT(labels({result("a", configured), result("b", other), result("c", other)}),
              ElementsAre("as configured", "offset_sd 2 \u00b5A (b)", "offset_sd 2 \u00b5A (c)"));
  EXPECT_THAT(labels({result("x", configured), result("b", configured), result("b", configured)}),
              ElementsAre("as configured", "b (result 2)", "b (result 3)"));
}

TEST(AccuracyConditions, HaveTheNameOfTheExperimentWhereThereIsOne) {
  EXPECT_THAT(labels({result("a", configured)}), ElementsAre("m"));
}

TEST(AccuracyConditions, SayInFullWhatDiffersAndWhichTable) {
  const auto names =
      condition_names({result("a", configured), result("b", changed("8e-07", "2e-06"))}, "aa");
  EXPECT_EQ(names[0].detail, "a: m");
  EXPECT_EQ(names[1].detail, "b: m; sense_amplifier.offset_sd = 2 \u00b5A instead of 800 nA");
  EXPECT_THAT(condition_names({result("a", configured)}, "bb")[0].detail,
              HasSubstr("another error table"));
  EXPECT_THAT(names[1].detail, Not(HasSubstr("another error table")));
}

TEST(AccuracyConditions, TakeTheStemOfAResultFile) {
  EXPECT_EQ(result_stem("out/low.accuracy.h5"), "low");
  EXPECT_EQ(result_stem("low.h5"), "low");
  EXPECT_EQ(result_stem(".accuracy.h5"), ".accuracy");
}

TEST(AccuracyConditions, PairsResultsOfTheSameImagesOnly) {
  const NamedAccuracy first = result("a", configured);
  NamedAccuracy second = result("b", configured, {1, 0, 1, 0});
  auto conditions = accuracy_conditions({first, second}, "bb");
  ASSERT_TRUE(conditions[1].against_first.has_value());
  EXPECT_DOUBLE_EQ(conditions[1].against_first->value, -0.25);
  EXPECT_FALSE(conditions[0].against_first.has_value());
  EXPECT_FALSE(conditions[0].same_table);
  second.record.result.exact_correct = {1, 1, 0, 1};
  EXPECT_FALSE(accuracy_conditions({first, second}, "aa")[1].against_first.has_value());
}

// Chips have 3 and 1 of 4 right, the table's reads 2 and 4: 50 and 75 %, a spread of 35.36 % where
// two images that are right in one of two reads leave sqrt(1/2 + 1/2) / 4.
TEST(AccuracyConditions, SayOfChipsWhatTheTableBesideThemLeavesOut) {
  const std::string of_table = configured + "[accuracy]\nnoise = \"table\"\n";
  const std::string of_chips = configured + "[accuracy]\nnoise = \"frozen\"\nchips = 2\n";
  NamedAccuracy table = result("table", of_table, {1, 1, 0, 0, 1, 1, 1, 1});
  table.record.result.reads = 2;
  NamedAccuracy chips = result("chips", of_chips, {1, 1, 1, 0, 1, 0, 0, 0});
  chips.record.result.chips = 2;
  const std::string left_out = "; left out by table, which draws each read afresh: -25.00 % [";
  const auto detail = [&] { return condition_names({table, chips}, "aa").back().detail; };
  EXPECT_THAT(detail(), HasSubstr(left_out));
  EXPECT_THAT(detail(), HasSubstr("] of the mean, over chips, and all but 25.00 % of the spread "
                                  "over chips, 35.36 % ["));
  table.record.config_toml.replace(table.record.config_toml.find("8e-07"), 5, "9e-07");
  EXPECT_THAT(detail(), Not(HasSubstr("left out")));
  table.record.config_toml = of_table;
  table.record.result.exact_correct = {1, 1, 0, 0};
  EXPECT_THAT(detail(), Not(HasSubstr("left out")));
}

}  // namespace
}  // namespace cimstat::experiments
