#include "circuits/converters/sense_latch.h"

#include <cmath>

#include <gtest/gtest.h>

namespace cimstat::circuits {
namespace {

constexpr double k = 1.380649e-23;
constexpr double q = 1.602176634e-19;

VoltageLatch latch_of_28nm() {
  return {.input = {.width = 1e-6, .length = 30e-9},
          .latch = {.width = 0.5e-6, .length = 30e-9},
          .threshold_matching = 1.8e-9,
          .current_matching = 1e-8,
          .transconductance_ratio = 0.5,
          .overdrive = 0.15,
          .capacitor_mismatch = 0.01,
          .node_capacitance = 5e-15};
}

TEST(SenseLatch, OffsetOfAVoltageLatchIsItsTermsInQuadrature) {
  const VoltageLatch latch = latch_of_28nm();
  const double input = 1.8e-9 * 1.8e-9 / (1e-6 * 30e-9);
  const double regenerating = 0.25 * 1.8e-9 * 1.8e-9 / (0.5e-6 * 30e-9);
  const double factor = 0.075 * 0.075 * 1e-16 / (1e-6 * 30e-9);
  const double capacitors = 0.075 * 0.075 * 1e-4;
  const double expected = std::sqrt(input + regenerating + factor + capacitors);
  EXPECT_NEAR(offset_sd(latch) / expected, 1.0, 1e-12);
  EXPECT_GT(offset_sd(latch), 10e-3);  // as published for a minimum latch: 10 to 30 mV
  EXPECT_LT(offset_sd(latch), 30e-3);

  VoltageLatch larger = latch;
  larger.input.width *= 16.0;
  larger.latch.width *= 16.0;
  larger.capacitor_mismatch = 0.0;
  VoltageLatch plain = latch;
  plain.capacitor_mismatch = 0.0;
  EXPECT_NEAR(offset_sd(larger) / offset_sd(plain), 0.25, 1e-12);  // area
  VoltageLatch cancelled = latch;
  cancelled.residue = 0.1;
  EXPECT_NEAR(offset_sd(cancelled) / expected, 0.1, 1e-13);
}

TEST(SenseLatch, NoiseOfAVoltageLatchFollowsTemperatureAndCapacitance) {
  const VoltageLatch latch = latch_of_28nm();
  const double expected = std::sqrt(4.0 * k * 300.0 * (2.0 / 3.0) / 5e-15);
  EXPECT_NEAR(noise_sd(latch, 300.0) / expected, 1.0, 1e-12);
  EXPECT_GT(expected, 0.2e-3);  // 0.2 to 1.5 mV
  EXPECT_LT(expected, 1.5e-3);
  EXPECT_NEAR(noise_sd(latch, 1200.0) / noise_sd(latch, 300.0), 2.0, 1e-12);
  VoltageLatch quiet = latch;
  quiet.node_capacitance = 0.0;
  EXPECT_EQ(noise_sd(quiet, 300.0), 0.0);
}

TEST(SenseLatch, ShotNoiseOf100MicroampereIn300MegahertzIsATenthOfAMicroampere) {
  const double sd = current_noise_sd(100e-6, 0.0, 300e6, 300.0);
  EXPECT_NEAR(sd, std::sqrt(2.0 * q * 100e-6 * 300e6), 1e-20);
  EXPECT_NEAR(sd, 0.1e-6, 0.005e-6);
}

TEST(SenseLatch, KneeOfTheEnginesIsTheShotNoiseOfTheCurrent) {
  const CurrentAmplifier amplifier{.pair = {.width = 2e-6, .length = 60e-9},
                                   .threshold_matching = 2e-9,
                                   .current_matching = 1e-8,
                                   .transconductance = 200e-6,
                                   .bandwidth = 300e6,
                                   .conductance = 150e-6,
                                   .bias_current = 5e-6};
  const SenseAmplifier sense = sense_amplifier(amplifier, 350.0);
  for (const double current : {0.0, 3e-6, 100e-6}) {
    const double expected =
        std::sqrt((2.0 * q * (current + 5e-6) + 4.0 * k * 350.0 * 150e-6) * 300e6);
    const double found = sense.noise_sd * std::sqrt(1.0 + current / sense.noise_knee);
    EXPECT_NEAR(found / expected, 1.0, 1e-12);
  }
  const double root_area = std::sqrt(2e-6 * 60e-9);
  EXPECT_NEAR(sense.offset_sd / (std::hypot(200e-6 * 2e-9, 1e-8 * 5e-6) / root_area), 1.0, 1e-12);
  EXPECT_NEAR(sense.gain_sd / (1e-8 / root_area), 1.0, 1e-12);
  EXPECT_NEAR(offset_sd_at(amplifier, 50e-6) / std::hypot(sense.offset_sd, sense.gain_sd * 50e-6),
              1.0, 1e-12);
}

TEST(SenseLatch, MismatchOfTheCurrentFactorActsOnTheBiasToo) {
  const CurrentAmplifier amplifier{.pair = {.width = 1e-6, .length = 1e-6},
                                   .threshold_matching = 3e-9,
                                   .current_matching = 1e-8,
                                   .transconductance = 100e-6,
                                   .residue = 0.5,
                                   .bias_current = 40e-6};
  // 0.3 uA of the thresholds, 0.4 uA of the current factor at the bias; half is cancelled.
  EXPECT_NEAR(offset_sd(amplifier) / 0.25e-6, 1.0, 1e-12);
  CurrentAmplifier without_bias = amplifier;
  without_bias.bias_current = 0.0;
  EXPECT_NEAR(offset_sd(without_bias) / 0.15e-6, 1.0, 1e-12);
}

TEST(SenseLatch, LatchOnATransresistance) {
  const VoltageLatch latch = latch_of_28nm();
  const SenseAmplifier sense = sense_amplifier(latch, 10e3, 300.0);
  EXPECT_NEAR(sense.offset_sd * 10e3 / offset_sd(latch), 1.0, 1e-12);
  EXPECT_NEAR(sense.noise_sd * 10e3 / noise_sd(latch, 300.0), 1.0, 1e-12);
  EXPECT_TRUE(std::isinf(sense.noise_knee));
  EXPECT_EQ(sense.gain_sd, 0.0);
}

}  // namespace
}  // namespace cimstat::circuits
