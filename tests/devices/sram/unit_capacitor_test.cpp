#include "devices/sram/unit_capacitor.h"

#include <cmath>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "devices/cell.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

UnitCapacitor read(const std::string& keys) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"unit_capacitor\"\n" + keys, "macro.toml");
  const core::Section section{
      .key = "cell", .selector = "model", .variants = {unit_capacitor_variant()}};
  UnitCapacitor unit = read_unit_capacitor(core::SectionReader(config.table("cell"), section));
  config.finish();
  return unit;
}

std::string refusal(const std::string& keys) {
  try {
    read(keys);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(UnitCapacitor, OfUiuc28nmSpreads66HundredthsOfAPercentAt1fF) {
  const UnitCapacitor unit = read("preset = \"uiuc_28nm\"\n");
  EXPECT_EQ(unit.nominal, 1e-15);
  EXPECT_NEAR(unit.relative_sd(), 2.1 * std::pow(10.0, -2.5), 1e-16);
  EXPECT_NEAR(unit.relative_sd(), 0.0066, 0.5e-4);
  EXPECT_NEAR(unit.parasitic(64) / (0.3 * 64e-15 + 2e-15), 1.0, 1e-14);
  EXPECT_NEAR(unit.line_capacitance(64) / (1.3 * 64e-15 + 2e-15), 1.0, 1e-14);
}

TEST(UnitCapacitor, FourTimesTheAreaHalvesTheRelativeSpread) {
  const UnitCapacitor one = read("preset = \"uiuc_28nm\"\n");
  const UnitCapacitor four = read("preset = \"uiuc_28nm\"\ncapacitance = \"4 fF\"\n");
  EXPECT_NEAR(four.relative_sd() / one.relative_sd(), 0.5, 1e-15);
  EXPECT_NEAR(four.sd() / one.sd(), 2.0, 1e-14);
}

TEST(UnitCapacitor, TheTwoPointsOfTripathiAreBothKept) {
  const UnitCapacitor small =
      read("preset = \"tripathi_32nm_0_45ff\"\ncapacitance = \"0.45 fF\"\n");
  const UnitCapacitor large = read("preset = \"tripathi_32nm_1_2ff\"\ncapacitance = \"1.2 fF\"\n");
  EXPECT_NEAR(small.relative_sd(), 0.012, 1e-16);
  EXPECT_NEAR(large.relative_sd(), 0.008, 1e-16);
  EXPECT_NEAR(large.mismatch / small.mismatch, 1.089, 5e-4);  // they disagree by 9 %
}

static_assert(CellModel<UnitCapacitor>);

TEST(UnitCapacitor, ItsLawIsNormal) {
  const UnitCapacitor unit{.nominal = 2e-15, .mismatch = 0.01 * std::sqrt(2e-15)};
  EXPECT_EQ(unit.law().mean(), 2e-15);
  EXPECT_NEAR(unit.law().sd() / 2e-17, 1.0, 1e-14);
  EXPECT_TRUE(unit.law().as_normal().has_value());
}

TEST(UnitCapacitor, KeysBesideAPresetOverrideIt) {
  const UnitCapacitor unit = read("preset = \"uiuc_28nm\"\nrelative_sd = \"1 %\"\n");
  EXPECT_NEAR(unit.relative_sd(), 0.01, 1e-16);
  EXPECT_EQ(unit.parasitic_constant, 2e-15);
}

TEST(UnitCapacitor, PresetsSayWhetherTheyWereVerified) {
  for (const CapacitorPreset& preset : capacitor_presets()) {
    EXPECT_FALSE(preset.source.empty());
    EXPECT_LT(preset.lowest, preset.highest);
    const bool unverified = preset.source.find("unverified") != std::string_view::npos;
    EXPECT_EQ(unverified, preset.name.starts_with("tripathi")) << preset.name;
  }
}

TEST(UnitCapacitor, RefusesASizeThatThePresetDoesNotCover) {
  EXPECT_EQ(refusal("preset = \"tripathi_32nm_1_2ff\"\ncapacitance = \"10 fF\"\n"),
            "macro.toml:4:15: cell.capacitance: 10 fF is outside of what "
            "tripathi_32nm_1_2ff covers (450 aF to 1.2 fF); leave preset out and set relative_sd");
  EXPECT_THAT(refusal("capacitance = \"0 fF\"\n"), HasSubstr("cell.capacitance"));
  EXPECT_THAT(refusal("relative_sd = 0.2\n"), HasSubstr("relative_sd"));
  EXPECT_THAT(refusal("preset = \"uiuc\"\n"), HasSubstr("uiuc_28nm"));
}

TEST(ThermalVoltage, Is64MicrovoltAt1pFAndTwoTenthsOfAMillivoltAt100fF) {
  EXPECT_NEAR(thermal_voltage(1e-12, 300.0), 64e-6, 0.5e-6);
  EXPECT_NEAR(thermal_voltage(1e-13, 300.0), 0.2e-3, 0.005e-3);
}

}  // namespace
}  // namespace cimstat::devices
