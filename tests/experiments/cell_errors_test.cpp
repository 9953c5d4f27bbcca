#include <cmath>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "experiments/macro/macro.h"

namespace cimstat::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Macro macro_of(const std::string& text) {
  const core::Config config = core::Config::from_text(text, "small.toml");
  const core::Section root{.need = core::Need::required, .sections = macro_sections()};
  Macro macro = read_macro(core::SectionReader(config, root));
  config.finish();
  return macro;
}

std::string refusal(const std::string& text) {
  try {
    macro_of(text);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string column = "[column]\nrows = 4\nread_voltage = \"0.1 V\"\n";

/// The least that each model needs.
const std::map<std::string, std::string>& models() {
  static const std::map<std::string, std::string> all{
      {"rram",
       "[cell.lrs]\ndistribution = \"lognormal\"\nmedian = \"40 uS\"\nsigma = 0.05\n"
       "[cell.hrs]\ndistribution = \"point\"\nvalue = \"2 uS\"\n"},
      {"analog_rram", "preset = \"neurram\"\n"},
      {"pcm", ""},
      {"sonos", ""},
      {"fefet", ""},
      {"mram", ""},
      {"sram",
       "on_current = \"20 uA\"\noff_current = \"1 nA\"\ngate_voltage = \"0.9 V\"\n"
       "read_voltage = \"0.1 V\"\nthreshold = \"0.35 V\"\nthreshold_sd = \"30 mV\"\n"},
      {"unit_capacitor", "[bit_line]\nkind = \"charge_sharing\"\n"}};
  return all;
}

/// A macro of that model with more keys of [cell], and other sections.
std::string macro_text(const std::string& model, const std::string& keys = {},
                       const std::string& sections = {}) {
  return "[cell]\nmodel = \"" + model + "\"\n" + keys + models().at(model) + column + sections;
}

TEST(CellErrors, ALawThatCannotBeMadeIsAnErrorOfItsKey) {
  EXPECT_THAT(
      refusal(macro_text("fefet", "gate_voltage = \"-10 V\"\n")),
      testing::AllOf(StartsWith("small.toml:3:16: cell.gate_voltage: makes no law of level "),
                     HasSubstr("; choose another gate_voltage (1 V by default)"),
                     Not(HasSubstr("law:"))));
  // Where several keys may be to blame, all are named.
  const std::string all =
      "; check resistance (0 ohm by default), resistance_sigma (0 by default) or "
      "threshold_sd (100 mV by default)";
  EXPECT_THAT(refusal(macro_text("fefet",
                                 "threshold_sd = \"1 V\"\nresistance = \"200 kohm\"\n"
                                 "resistance_sigma = 0.1\n")),
              testing::AllOf(StartsWith("small.toml:2:9: cell.model: makes no law of level 0 ("),
                             testing::EndsWith(all)));
  EXPECT_THAT(refusal(macro_text("fefet", "threshold_sd = 0.2\ngate_voltage = -10\n")),
              testing::AllOf(StartsWith("small.toml:2:9: cell.model: makes no law of level 0 ("),
                             testing::EndsWith("; check gate_voltage (1 V by default) or "
                                               "threshold_sd (100 mV by default)")));
}

TEST(CellErrors, ConditionsThatRuinACellAreNamed) {
  const std::string slow =
      macro_text("sram", "die_threshold_sd = \"0.2 V\"\n", "[conditions]\ncorner = -6\n");
  EXPECT_THAT(refusal(slow), testing::AllOf(HasSubstr("conditions.corner: leaves no usable cell at "
                                                      "-6 sd ("),
                                            HasSubstr("); choose a corner nearer to 0"),
                                            Not(HasSubstr("levels apart"))));
  const std::string low = macro_text("sram", "", "[conditions]\nsupply = 0.5\n");
  EXPECT_EQ(refusal(low), "accepted");
}

TEST(CellErrors, AVoltageThatMakesTheLowestLevelConductIsNamed) {
  EXPECT_THAT(
      refusal("[cell]\nmodel = \"analog_rram\"\npreset = \"neurosim\"\nvoltage = \"2 V\"\n"
              "sinh_scale = \"0.1 V\"\n[column]\nrows = 4\nread_voltage = \"2 V\"\n"),
      testing::AllOf(HasSubstr("cell.voltage: makes the lowest level conduct as much as the "
                               "highest: mean conductance 10 uS in LRS, "),
                     HasSubstr("(its current grows with sinh(voltage / sinh_scale)); lower it, or "
                               "raise sinh_scale")));
}

TEST(CellErrors, EveryEndOfEveryRangeIsComputedOrRefusedAtAKeyOfTheFile) {
  const core::Section section = macro_sections().front();
  std::size_t tried = 0;
  for (const core::Variant& variant : section.variants) {
    const std::string base = models().at(std::string(variant.name));
    for (const core::Parameter& parameter : variant.parameters) {
      const auto* rule = std::get_if<core::NumberRule>(&parameter.rule);
      const std::string key(parameter.key);
      if (rule == nullptr || base.find("\n" + key + " =") != base.npos || base.starts_with(key)) {
        continue;
      }
      for (const double end : {rule->range.low, rule->range.high}) {
        if (!std::isfinite(end)) continue;
        const std::string text =
            macro_text(std::string(variant.name), fmt::format("{} = {}\n", key, end));
        const std::string said = refusal(text);
        ++tried;
        if (said == "accepted") continue;
        EXPECT_THAT(said, StartsWith("small.toml:")) << text;
        EXPECT_THAT(said, testing::AnyOf(HasSubstr(": cell."), HasSubstr(": column."),
                                         HasSubstr(": bit_line.")))
            << text;
        EXPECT_THAT(said, Not(HasSubstr("law:"))) << text;
      }
    }
  }
  EXPECT_GT(tried, 100u);
}

TEST(Conditions, ThatAModelDoesNotKnowAreRefusedWithThoseItKnows) {
  const std::string hot = "[conditions]\ntemperature = \"85 C\"\n";
  EXPECT_EQ(refusal(macro_text("mram", "", hot)),
            "small.toml:7:15: conditions.temperature: has no effect on cells of model \"mram\" "
            "(they know supply, and corner through column.common_factor_sd); leave it out");
  EXPECT_EQ(refusal(macro_text("mram", "", "[conditions]\ntime = \"1 h\"\n")),
            "small.toml:7:8: conditions.time: has no effect on cells of model \"mram\" (they know "
            "supply, and corner through column.common_factor_sd); leave it out");
  EXPECT_THAT(refusal(macro_text("pcm", "", hot)),
              HasSubstr("(they know time, supply, and corner"));
  EXPECT_THAT(refusal(macro_text("sonos", "", hot)),
              HasSubstr("(they know time up to 5 days, supply, and corner"));
  EXPECT_THAT(refusal(macro_text("rram", "", hot)),
              HasSubstr("; give temperature_coefficient, activation_energy or retention_energy in "
                        "[cell], or leave it out"));
  EXPECT_EQ(refusal(macro_text("rram", "temperature_coefficient = -0.001\n", hot)), "accepted");
  EXPECT_EQ(refusal(macro_text("fefet", "", hot)), "accepted");
  EXPECT_EQ(refusal(macro_text("sram", "", hot)), "accepted");
  EXPECT_EQ(refusal(macro_text("unit_capacitor", "", hot)), "accepted");  // kT/C
  // Nominal values say nothing.
  EXPECT_EQ(refusal(macro_text("mram", "", "[conditions]\ntemperature = \"25 degC\"\ntime = 0\n")),
            "accepted");
}

TEST(Conditions, ATimeBeyondTheMeasurementIsRefusedAtItsOwnPlace) {
  EXPECT_EQ(refusal(macro_text("sonos", "", "[conditions]\ntime = \"6 days\"\n")),
            "small.toml:7:8: conditions.time: cells of 6 days are too old (SONOS was measured up "
            "to 5 days, 432000 s); choose an earlier time");
  EXPECT_EQ(refusal(macro_text("sonos", "", "[conditions]\ntime = \"5 days\"\n")), "accepted");
}

TEST(Conditions, ACornerWithoutACommonFactorIsRefused) {
  const std::string fast = "[conditions]\ncorner = 3\n";
  EXPECT_THAT(refusal(macro_text("pcm", "", fast)),
              HasSubstr("conditions.corner: has no effect on cells of model \"pcm\" (they know "
                        "time, supply, and corner through column.common_factor_sd); give "
                        "column.common_factor_sd, or leave it out"));
  EXPECT_EQ(refusal(macro_text("pcm", "", "common_factor_sd = 0.02\n" + fast)), "accepted");
  EXPECT_THAT(refusal(macro_text("unit_capacitor", "", fast)),
              HasSubstr("(they know supply); leave it out"));
  EXPECT_THAT(refusal(macro_text("sram", "", fast)),
              HasSubstr("cell.die_threshold_sd: is missing"));
}

TEST(Conditions, ATemperatureThatOnlyTheSenseAmplifierKnowsIsWarnedOf) {
  const Macro macro = macro_of(
      macro_text("mram", "",
                 "[sense_amplifier.current_amplifier]\nwidth = \"2 um\"\nlength = \"60 nm\"\n"
                 "threshold_matching = 2e-9\ntransconductance = \"200 uS\"\nbandwidth = 3e8\n"
                 "conductance = \"100 uS\"\n[conditions]\ntemperature = \"85 degC\"\n"));
  ASSERT_EQ(macro.warnings.size(), 1u);
  EXPECT_THAT(macro.warnings.front(),
              HasSubstr("conditions.temperature: acts on sense_amplifier.current_amplifier alone "
                        "(cells of model \"mram\" know supply, and corner"));
}

/// That a model knows a condition is that its levels move with it.
TEST(Conditions, AModelMovesWithThoseItSaysItKnowsAndWithNoOthers) {
  const core::Section section = devices::cell_section();
  const std::map<std::string, std::string> keys{
      {"rram",
       "retention_loss = 0.01\nretention_time = \"1 s\"\ntemperature_coefficient = -0.001\n"},
      {"analog_rram", "temperature_coefficient = -0.001\n"},
      {"sram", "die_threshold_sd = \"10 mV\"\n"}};
  for (const auto& [model, base] : models()) {
    const auto more = keys.find(model);
    const std::string text = "[cell]\nmodel = \"" + model + "\"\n" +
                             (more == keys.end() ? std::string() : more->second) +
                             (model == "unit_capacitor" ? std::string() : base);
    const core::Config config = core::Config::from_text(text, "cell.toml");
    const core::SectionReader reader(config.table("cell"), section);
    const auto moments = [&](const devices::Conditions& conditions) {
      const devices::AnyCell cell = devices::read_cell(reader, conditions);
      std::vector<double> result;
      for (const std::uint32_t level : {0u, devices::levels(cell) - 1}) {
        const core::Law law = devices::read(cell, level);
        result.insert(result.end(), {law.mean(), law.sd()});
      }
      return result;
    };
    const devices::AnyCell nominal = devices::read_cell(reader, {});
    for (const auto& [condition, conditions] :
         {std::pair(devices::Condition::time, devices::Conditions{.time = 86400.0}),
          {devices::Condition::temperature, devices::Conditions{.temperature = 358.15}},
          {devices::Condition::corner, devices::Conditions{.corner = 1.0}}}) {
      EXPECT_EQ(moments(conditions) != moments({}), devices::use_of(nominal, condition).has_value())
          << model << ' ' << devices::key_of(condition);
    }
  }
}

TEST(Conditions, DriftCompensationBesideNominalReferencesIsRefused) {
  const std::string nominal = "[conditions]\ntime = \"1 h\"\nreferences = \"nominal\"\n";
  EXPECT_THAT(refusal(macro_text("pcm", "drift_compensation = \"global\"\n", nominal)),
              HasSubstr("cell.drift_compensation: has no effect beside conditions.references = "
                        "\"nominal\" (references stay where they were placed); leave one of the "
                        "two out"));
  EXPECT_EQ(refusal(macro_text("pcm", "drift_compensation = \"none\"\n", nominal)), "accepted");
  EXPECT_EQ(refusal(macro_text("pcm", "", nominal)), "accepted");
}

TEST(ChargeSharing, ChargesBeyondWhatSwitchesLeaveAreRefused) {
  const auto with = [](const std::string& charge) {
    return refusal(
        "[cell]\nmodel = \"unit_capacitor\"\n[bit_line]\nkind = \"charge_sharing\"\n"
        "injected_charge = \"" +
        charge + "\"\n" + column);
  };
  EXPECT_EQ(with("1 nC"),
            "small.toml:5:19: bit_line.injected_charge: \"1 nC\" is out of range (must be >= -1 pC "
            "and <= 1 pC); write a number between -1 pC and 1 pC");
  EXPECT_EQ(with("-10 fC"),
            "small.toml:5:19: bit_line.injected_charge: moves the line by 2.5 V (its 4 fF are "
            "driven to 100 mV at the most); lower it: switches leave a few fC");
  EXPECT_EQ(with("0.1 fC"), "accepted");
}

TEST(Grammar, OneLevelIsOne) {
  EXPECT_THAT(refusal(macro_text("pcm", "targets = [\"2 uS\"]\n")),
              HasSubstr("cell.targets: lists 1 level (a cell has 2 to 8); list as many"));
  EXPECT_THAT(refusal(macro_text("fefet", "thresholds = [0.4]\n")),
              HasSubstr("cell.thresholds: lists 1 level (a cell has 2 to 8)"));
}

}  // namespace
}  // namespace cimstat::experiments
