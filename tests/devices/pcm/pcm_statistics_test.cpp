#include "devices/pcm/pcm_statistics.h"

#include <cmath>

#include <gtest/gtest.h>

namespace cimstat::devices {
namespace {

constexpr double micro = 1e-6;
constexpr double hour = 3600.0;
constexpr double day = 86400.0;
constexpr double year = 365.25 * day;

TEST(PcmStatistics, TimeFactorOfTheIbmModelHasThePublishedValues) {
  const PcmStatistics ibm = pcm_statistics(PcmPreset::ibm);
  EXPECT_NEAR(ibm.time_factor(0.0), 4.18, 0.005);
  EXPECT_NEAR(ibm.time_factor(hour), 4.76, 0.005);
  EXPECT_NEAR(ibm.time_factor(day), 5.09, 0.005);
  EXPECT_NEAR(ibm.time_factor(year), 5.64, 0.005);
}

TEST(PcmStatistics, FullyProgrammedCellsReadWithFourToFivePercentOfNoise) {
  const PcmStatistics ibm = pcm_statistics(PcmPreset::ibm);
  EXPECT_NEAR(ibm.relative_read_noise(25.0 * micro, 0.0), 0.037, 5e-4);
  EXPECT_NEAR(ibm.relative_read_noise(25.0 * micro, year), 0.050, 5e-4);
}

TEST(PcmStatistics, TwoFitsOfOneFigureDifferByAPercent) {
  EXPECT_NEAR(pcm_statistics(PcmPreset::ibm).programming_sd(25.0 * micro), 1.055 * micro, 5e-10);
  EXPECT_NEAR(pcm_statistics(PcmPreset::joshi).programming_sd(25.0 * micro), 1.066 * micro, 5e-10);
}

TEST(PcmStatistics, IbmFormulasInFull) {
  const PcmStatistics ibm = pcm_statistics(PcmPreset::ibm);
  EXPECT_NEAR(ibm.programming_sd(5.0 * micro), (0.26348 + 1.9650 * 0.2 - 1.1731 * 0.04) * micro,
              1e-20);
  EXPECT_NEAR(ibm.drift_mean(2.5 * micro), -0.0155 * std::log(0.1) + 0.0244, 1e-15);
  EXPECT_NEAR(ibm.drift_sd(2.5 * micro), -0.0125 * std::log(0.1) - 0.0059, 1e-15);
  EXPECT_EQ(ibm.drift_mean(25.0 * micro), 0.049);
  EXPECT_EQ(ibm.drift_mean(0.0), 0.1);
  EXPECT_EQ(ibm.drift_sd(25.0 * micro), 0.008);
  EXPECT_EQ(ibm.drift_sd(0.0), 0.045);
  EXPECT_NEAR(ibm.read_noise_quality(12.5 * micro), 0.0088 * std::pow(2.0, 0.65), 1e-15);
  EXPECT_EQ(ibm.read_noise_quality(0.0), 0.2);
}

TEST(PcmStatistics, HermesFormulasOfOneDevice) {
  const PcmStatistics one = pcm_statistics(PcmPreset::hermes_one_device);
  const double full = 10.35 * micro;
  EXPECT_NEAR(one.programming_sd(full), 1.00756712 * micro, 1e-17);
  EXPECT_NEAR(one.drift_mean(full), 0.0174, 1e-15);
  EXPECT_NEAR(one.drift_mean(0.05 * full), -0.0387 * std::log(0.05) - 0.0182, 1e-15);
  EXPECT_NEAR(one.drift_sd(0.2 * full), -0.0120 * std::log(0.2) - 0.0023, 1e-15);
  EXPECT_NEAR(one.drift_sd(full), 0.0055, 1e-15);
  EXPECT_NEAR(one.read_noise_quality(0.1 * full), -0.0078 * std::log(0.1) + 0.0038, 1e-15);
  EXPECT_NEAR(one.read_noise_quality(full), 0.0168, 1e-15);
  EXPECT_NEAR(one.time_factor(0.0), std::sqrt(std::log((200.0 + 512e-9) / 1024e-9)), 1e-15);
}

TEST(PcmStatistics, HermesFormulasOfTwoDevices) {
  const PcmStatistics two = pcm_statistics(PcmPreset::hermes_two_devices);
  const double full = 20.7 * micro;
  EXPECT_NEAR(two.programming_sd(full), 1.09269857 * micro, 1e-17);
  EXPECT_NEAR(two.drift_mean(0.5 * full), 0.0736 - 0.0126 * 0.5 - 0.0436 * 0.25, 1e-15);
  EXPECT_NEAR(two.drift_sd(0.2 * full), -0.0117 * std::log(0.2) - 0.0057, 1e-15);
  EXPECT_NEAR(two.drift_sd(full), 0.0048, 1e-15);
  EXPECT_NEAR(two.read_noise_quality(0.1 * full), -0.0117 * std::log(0.1) - 0.0069, 1e-15);
  EXPECT_NEAR(two.read_noise_quality(full), 0.0123, 1e-15);
  EXPECT_EQ(two.first_read, 300.0);
}

TEST(PcmStatistics, SpreadFollowsTheFullScaleAndTheScales) {
  PcmStatistics ibm = pcm_statistics(PcmPreset::ibm);
  const double sd = ibm.programming_sd(10.0 * micro);
  ibm.full_scale = 50.0 * micro;
  EXPECT_NEAR(ibm.programming_sd(20.0 * micro), 2.0 * sd, 1e-20);
  ibm.programming_scale = 0.5;
  ibm.drift_scale = 2.0;
  ibm.read_scale = 0.0;
  EXPECT_NEAR(ibm.programming_sd(20.0 * micro), sd, 1e-20);
  EXPECT_EQ(ibm.drift_mean(50.0 * micro), 0.098);
  EXPECT_EQ(ibm.read_noise_quality(50.0 * micro), 0.0);
}

TEST(PcmStatistics, OwnExponentsAreLinearInBetweenAndConstantBeyond) {
  PcmStatistics own = pcm_statistics(PcmPreset::ibm);
  own.drift_points = {{2.0 * micro, 0.03, 0.01}, {12.0 * micro, 0.01, 0.002}};
  EXPECT_EQ(own.drift_mean(0.0), 0.03);
  EXPECT_NEAR(own.drift_mean(4.5 * micro), 0.025, 1e-16);
  EXPECT_NEAR(own.drift_sd(9.5 * micro), 0.004, 1e-16);
  EXPECT_EQ(own.drift_sd(25.0 * micro), 0.002);
}

TEST(DriftMoment, OfACertainExponentIsAPower) {
  EXPECT_NEAR(drift_moment(0.05, 0.0, 3.0), std::exp(-0.15), 1e-16);
  EXPECT_EQ(drift_moment(0.05, 0.0, 3.0, 0.04), 0.0);
}

TEST(DriftMoment, IsAProbabilityWhereNothingHasDrifted) {
  EXPECT_NEAR(drift_moment(0.1, 0.05, 0.0), 1.0, 1e-15);
  // |0.1 + 0.05 xi| <= 0.1
  EXPECT_NEAR(drift_moment(0.1, 0.05, 0.0, 0.1), 0.5 - 0.5 * std::erfc(4.0 / std::sqrt(2.0)),
              1e-15);
}

}  // namespace
}  // namespace cimstat::devices
