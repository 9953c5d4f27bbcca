#include "experiments/converters/converter_view.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/converters/mismatch_formulas.h"

// Keys of [sense_amplifier] and [converter] for circuits, and what `cimstat converter` shows.
namespace cimstat::experiments {
namespace {

using ::testing::HasSubstr;
using Overrides = std::vector<std::string>;

constexpr const char* whole = R"(
[cell]
model = "rram"
[cell.lrs]
distribution = "normal"
mean = "50 uS"
sd = "1.5 uS"
[cell.hrs]
distribution = "normal"
mean = "1 uS"
sd = "0.1 uS"
[column]
rows = 15
read_voltage = "0.2 V"
)";

Experiment read(const Overrides& overrides) {
  return read_experiment(core::Config::from_text(whole, "test.toml", overrides));
}

std::string refusal(const Overrides& overrides) {
  try {
    read(overrides);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ConverterKeys, AreReadAndAbsentOnesLeaveTheConfigurationAsItWas) {
  const Experiment plain = read({});
  EXPECT_FALSE(circuits::has_mismatch(plain.macro.design.comparator));
  for (const char* key : {"element_mismatch", "comparator_offset", "radix", "split_bits", "gain_sd",
                          "amplifier_gain", "columns_per_converter", "voltage_latch"}) {
    EXPECT_THAT(plain.config_toml, ::testing::Not(HasSubstr(key)));
  }
  const Experiment sar = read({"converter.kind=sar", "converter.element_mismatch=0.02",
                               "converter.comparator_offset=\"0.2 uA\"", "converter.split_bits=2",
                               "converter.columns_per_converter=8"});
  const circuits::ConverterMismatch& mismatch = sar.macro.design.comparator.mismatch;
  EXPECT_EQ(mismatch.element_sd, 0.02);
  EXPECT_DOUBLE_EQ(mismatch.offset_sd, 0.2e-6);
  EXPECT_EQ(mismatch.split_bits, 2U);
  EXPECT_EQ(mismatch.columns_per_converter, 8U);
  const Experiment stages = read({"converter.kind=pipeline", "converter.amplifier_gain=500"});
  EXPECT_EQ(stages.macro.design.comparator.mismatch.amplifier_gain, 500.0);
}

TEST(ConverterKeys, WhatCanNotBeIsRefusedWithItsReason) {
  EXPECT_THAT(refusal({"converter.radix=1.8"}),
              HasSubstr("converter.radix: asks for a capacitor array (only a sar has one)"));
  EXPECT_THAT(refusal({"converter.kind=sar", "converter.split_bits=4"}),
              HasSubstr("converter.split_bits: asks for 4 of 4 bits behind a bridge"));
  EXPECT_THAT(refusal({"converter.kind=sar", "converter.amplifier_gain=100"}),
              HasSubstr("converter.amplifier_gain: asks for amplifiers"));
  EXPECT_THAT(refusal({"converter.kind=sar", "converter.element_mismatch=0.5"}),
              HasSubstr("converter.element_mismatch"));
  EXPECT_THAT(refusal({"converter.kind=sar", "converter.element_mismatch=0.01",
                       "converter.references=listed",
                       "converter.currents=[\"10 uA\",\"20 uA\",\"50 uA\"]"}),
              HasSubstr("converter.element_mismatch: asks for unevenly spaced references"));
}

TEST(ConverterKeys, RangesOfTheConverter) {
  const auto ladder = [](const Overrides& overrides) {
    return read(overrides).macro.design.ladder;
  };
  const circuits::Ladder calibrated =
      ladder({"converter.references=calibrated", "converter.lowest_mac=2",
              "converter.highest_mac=9", "converter.codes=8"});
  EXPECT_NEAR(calibrated.code_origin, 2.0, 1e-9);
  EXPECT_NEAR(calibrated.code_step, 1.0, 1e-9);
  const circuits::Ladder floor = ladder({"converter.references=neurosim"});
  EXPECT_EQ(floor.codes, 16U);
  EXPECT_NEAR(floor.code_step, 15.0 / 16.0, 1e-12);
  const circuits::Ladder clipped =
      ladder({"converter.references=percentile", "converter.tail=0.01", "converter.prior=binomial",
              "converter.prior_density=0.5", "converter.codes=8"});
  EXPECT_EQ(clipped.codes, 8U);
  EXPECT_GT(clipped.code_origin, 2.0);
  EXPECT_LT(clipped.code_origin + 7.0 * clipped.code_step, 13.0);
  EXPECT_THAT(refusal({"converter.references=calibrated", "converter.lowest_mac=9",
                       "converter.highest_mac=2"}),
              HasSubstr("converter.highest_mac: 2 is not above lowest_mac, 9"));
  EXPECT_THAT(refusal({"converter.references=calibrated", "converter.lowest_mac=1",
                       "converter.highest_mac=40"}),
              HasSubstr("converter.highest_mac: 40 is out of range"));
  EXPECT_THAT(refusal({"converter.references=calibrated", "converter.highest_mac=4"}),
              HasSubstr("lowest_mac"));
}

const Overrides latch{"sense_amplifier.voltage_latch.input_width=\"1 um\"",
                      "sense_amplifier.voltage_latch.input_length=\"30 nm\"",
                      "sense_amplifier.voltage_latch.latch_width=\"0.5 um\"",
                      "sense_amplifier.voltage_latch.latch_length=\"30 nm\"",
                      "sense_amplifier.voltage_latch.threshold_matching=1.8e-9",
                      "sense_amplifier.voltage_latch.node_capacitance=\"5 fF\"",
                      "sense_amplifier.voltage_latch.transresistance=\"10 kohm\""};

TEST(SenseAmplifierKeys, LatchesFromAreaAndBias) {
  const circuits::SenseAmplifier sense = read(latch).macro.design.sense;
  EXPECT_NEAR(sense.offset_sd, 1.8e-9 / std::sqrt(1e-6 * 30e-9) / 10e3, 1e-18);
  EXPECT_GT(sense.noise_sd, 0.0);
  Overrides hot = latch;
  hot.emplace_back("conditions.temperature=\"125 degC\"");
  EXPECT_NEAR(read(hot).macro.design.sense.noise_sd / sense.noise_sd, std::sqrt(398.15 / 298.15),
              1e-9);
  Overrides both = latch;
  both.emplace_back("sense_amplifier.offset_sd=\"1 uA\"");
  EXPECT_THAT(refusal(both), HasSubstr("sense_amplifier.offset_sd: contradicts voltage_latch"));
  Overrides missing(latch.begin() + 1, latch.end());
  EXPECT_THAT(refusal(missing), HasSubstr("input_width"));
}

TEST(SenseAmplifierKeys, CurrentAmplifiersHaveAGainOfTheirOwn) {
  const Overrides amplifier{"sense_amplifier.current_amplifier.width=\"4 um\"",
                            "sense_amplifier.current_amplifier.length=\"100 nm\"",
                            "sense_amplifier.current_amplifier.threshold_matching=1.8e-9",
                            "sense_amplifier.current_amplifier.current_matching=\"10 nm\"",
                            "sense_amplifier.current_amplifier.transconductance=\"300 uS\"",
                            "sense_amplifier.current_amplifier.bandwidth=3e8",
                            "sense_amplifier.current_amplifier.conductance=\"300 uS\""};
  const Experiment experiment = read(amplifier);
  const double gain = 10e-9 / std::sqrt(4e-6 * 100e-9);
  EXPECT_NEAR(experiment.macro.design.sense.gain_sd, gain, 1e-12);
  EXPECT_EQ(experiment.macro.design.common_factor_sd, experiment.macro.design.sense.gain_sd);
  EXPECT_TRUE(std::isfinite(experiment.macro.design.sense.noise_knee));
  Overrides both = amplifier;
  both.emplace_back("column.common_factor_sd=0.01");
  EXPECT_THAT(refusal(both), HasSubstr("stands beside column.common_factor_sd"));
  EXPECT_EQ(read({"sense_amplifier.gain_sd=0.02"}).macro.design.common_factor_sd, 0.02);
}

TEST(ConverterTables, AutoSamplesWhereConvertersAreFrozenAndSaysWhy) {
  const Experiment experiment =
      read({"converter.kind=sar", "converter.element_mismatch=0.02", "table.trials=1000"});
  const std::vector<circuits::ColumnClass> classes{{.lrs_count = 2, .active_rows = 15}};
  const ChosenTable chosen = make_table(experiment, classes, {1});
  EXPECT_EQ(chosen.reason,
            "Monte Carlo, 1000 trials for each class (the exact engine can't: the capacitors of a "
            "converter shift its decisions together)");
  const Experiment flash =
      read({"converter.comparator_offset=\"0.3 uA\"", "sense_amplifier.noise_sd=\"0.3 uA\""});
  EXPECT_EQ(make_table(flash, classes, {1}).table.method, circuits::TableMethod::exact);
}

TEST(ConverterView, FiguresAreThoseOfTheClosedForms) {
  const Experiment experiment = read({"converter.kind=sar", "converter.element_mismatch=0.02"});
  const ConverterView view =
      view_converters(experiment, {.converters = 4000, .shown = 3, .active_rows = 15});
  EXPECT_EQ(view.codes, 16U);
  const LineView& ideal = view.lines[0];
  EXPECT_EQ(ideal.dnl.place, 7U);  // 0111 to 1000
  EXPECT_EQ(ideal.inl.place, 8U);
  ASSERT_TRUE(ideal.dnl.formula && ideal.inl.formula);
  EXPECT_NEAR(*ideal.dnl.formula, circuits::carry_dnl_sd(0.02, 4), 1e-15);
  const double error = 5.0 / std::sqrt(2.0 * 4000.0);
  EXPECT_NEAR(ideal.dnl.sd / *ideal.dnl.formula, 1.0, error);
  EXPECT_NEAR(ideal.inl.sd / *ideal.inl.formula, 1.0, error);
  EXPECT_EQ(view.with_missing_codes, 0U);
  EXPECT_LE(view.lines[2].worst_inl.mean.value, view.lines[1].worst_inl.mean.value);
  const std::string text = converters_as_text(view);
  EXPECT_THAT(text, HasSubstr("DNL spreads most at code 7"));
  EXPECT_THAT(text, HasSubstr("4000 converters, 16 codes"));
  EXPECT_THAT(converters_as_json(view), HasSubstr("\"first_order_sd\""));
  const std::string csv = converters_as_csv(experiment, {.converters = 2, .active_rows = 15});
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 15);
  EXPECT_EQ(csv, converters_as_csv(experiment, {.converters = 2, .active_rows = 15}));
  EXPECT_THROW(view_converters(experiment, {.active_rows = 16}), core::UsageError);
}

}  // namespace
}  // namespace cimstat::experiments
