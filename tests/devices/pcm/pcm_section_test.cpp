#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "devices/pcm/pcm.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

PcmCell read_cell(const std::string& keys) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"pcm\"\n" + keys, "cell.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {pcm_variant()}};
  PcmCell cell = read_pcm(core::SectionReader(config.table("cell"), section), {.time = 3600.0});
  config.finish();
  return cell;
}

std::string refusal(const std::string& keys) {
  try {
    read_cell(keys);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(PcmSection, IsTheIbmModelOverItsRangeByDefault) {
  const PcmCell cell = read_cell("");
  EXPECT_EQ(cell.statistics.preset, PcmPreset::ibm);
  EXPECT_EQ(cell.conditions.time, 3600.0);
  EXPECT_EQ(cell.levels(), 2u);
  EXPECT_EQ(cell.target(0), 0.0);
  EXPECT_EQ(cell.target(1), 25e-6);
  EXPECT_EQ(cell.compensation, DriftCompensation::recalibrated);
}

TEST(PcmSection, ReadsAllOfItsKeys) {
  const PcmCell cell = read_cell(
      "preset = \"hermes_two_devices\"\nfull_scale = \"30 uS\"\nprogramming_scale = 0.5\n"
      "drift_scale = 2\nread_scale = 0\nnoise_state = \"target\"\nlevels = 4\n"
      "drift_targets = [\"1 uS\", \"20 uS\"]\ndrift_means = [0.03, 0.01]\n"
      "drift_sds = [0.02, 0.01]\ndrift_compensation = \"exact\"\n");
  EXPECT_EQ(cell.statistics.preset, PcmPreset::hermes_two_devices);
  EXPECT_EQ(cell.statistics.full_scale, 30e-6);
  EXPECT_EQ(cell.statistics.first_read, 300.0);
  EXPECT_EQ(cell.statistics.noise_state, PcmNoiseState::target);
  EXPECT_EQ(cell.statistics.drift_points.size(), 2u);
  EXPECT_EQ(cell.levels(), 4u);
  EXPECT_EQ(cell.compensation, DriftCompensation::exact);
  EXPECT_NEAR(cell.read(3).sd() / cell.programmed(3).sd(), 1.0, 1e-12);
}

TEST(PcmSection, RefusesHalfATableOfExponents) {
  EXPECT_THAT(refusal("drift_targets = [\"1 uS\"]\ndrift_means = [0.03]\n"),
              HasSubstr("cell.drift_sds: is missing (drift_targets, drift_means and drift_sds make "
                        "one table); give all three"));
}

TEST(PcmSection, RefusesListsOfUnequalLength) {
  EXPECT_THAT(refusal("drift_targets = [\"1 uS\"]\ndrift_means = [0.03, 0.1]\ndrift_sds = [0]\n"),
              HasSubstr("cell.toml:4:15: cell.drift_means: lists 2 values (drift_targets lists 1); "
                        "give one for each target"));
}

TEST(PcmSection, RefusesExponentsOutOfOrder) {
  EXPECT_THAT(refusal("drift_targets = [\"3 uS\", \"1 uS\"]\ndrift_means = [0.03, 0.1]\n"
                      "drift_sds = [0, 0]\n"),
              HasSubstr("cell.drift_targets: 1 uS is not above the one before it (they ascend); "
                        "sort them"));
}

TEST(PcmSection, RefusesTargetsBeyondTheFullScale) {
  EXPECT_THAT(refusal("preset = \"hermes_one_device\"\nhighest = \"25 uS\"\n"),
              HasSubstr("25 uS is outside of what the model was fitted to"));
}

TEST(PcmSection, RefusesUnknownPresets) {
  EXPECT_THAT(refusal("preset = \"hermes\"\n"), HasSubstr("cell.preset"));
}

TEST(PcmSection, RefusesProgrammingWithoutSpread) {
  EXPECT_THAT(refusal("programming_scale = 0\n"), HasSubstr("cell.programming_scale"));
}

}  // namespace
}  // namespace cimstat::devices
