#include <cmath>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/law/law.h"

#include "devices/any_cell.h"

namespace cimstat::devices {
namespace {

AnyCell cell_of(const std::string& keys, const Conditions& conditions = {}) {
  const core::Config config = core::Config::from_text("[cell]\n" + keys, "cell.toml");
  const core::Section section = cell_section();
  AnyCell cell = read_cell(core::SectionReader(config.table("cell"), section), conditions);
  config.finish();
  return cell;
}

double frozen_variance(const core::Law& law) {
  std::vector<core::Component> components = law.components();
  for (core::Component& component : components) component.relative_noise = 0.0;
  return core::Law(std::move(components)).variance();
}

TEST(MiddleCell, OfPcmIsProgrammedToTheMiddleTarget) {
  const AnyCell cell = cell_of("model = \"pcm\"\npreset = \"ibm\"\nlevels = 2\n");
  const auto& pcm = std::get<PcmCell>(cell);
  const double target = 0.5 * (pcm.target(0) + pcm.target(1));
  const double expected = pcm.statistics.programming_sd(target);
  EXPECT_NEAR(std::sqrt(frozen_variance(middle(cell))) / expected, 1.0, 1e-9);
  EXPECT_GT(expected, 0.9e-6);  // the highest level's, scaled down, would be 0.53 uS
}

TEST(MiddleCell, OfSonosIsProgrammedToTheMiddleTarget) {
  const AnyCell cell = cell_of("model = \"sonos\"\nhighest = \"16 uS\"\n");
  const double expected = sonos_programming_sd(800e-9, 0.0) / 0.1;
  EXPECT_NEAR(middle(cell).mean(), 8e-6, 1e-14);
  EXPECT_NEAR(std::sqrt(frozen_variance(middle(cell))) / expected, 1.0, 1e-9);
}

TEST(MiddleCell, OfAnalogRramIsProgrammedToTheMiddleTarget) {
  const AnyCell cell = cell_of("model = \"analog_rram\"\npreset = \"neurram_1s\"\n");
  EXPECT_NEAR(middle(cell).mean(), 20e-6, 1e-12);
  EXPECT_NEAR(middle(cell).sd() / neurram_sd_1s(20e-6), 1.0, 1e-9);
}

TEST(MiddleCell, IsNeitherStuckNorWornOut) {
  const std::string faults =
      "stuck_at_lrs = 0.1\nstuck_at_hrs = 0.2\ncycles = 1e6\nlifetime_cycles = 1e6\n"
      "lifetime_shape = 2\n";
  for (const std::string preset : {"neurram_1s", "dl_rsim", "neurosim"}) {
    const std::string keys = "model = \"analog_rram\"\npreset = \"" + preset + "\"\n";
    const core::Law whole = middle(cell_of(keys));
    const core::Law faulty = middle(cell_of(keys + faults));
    EXPECT_EQ(faulty.mean(), whole.mean()) << preset;
    EXPECT_EQ(faulty.sd(), whole.sd()) << preset;
  }
}

TEST(MiddleCell, OfABinaryPresetHasTheRelativeSpreadOfItsHighestLevel) {
  const AnyCell cell = cell_of("model = \"analog_rram\"\npreset = \"dl_rsim\"\n");
  const core::Law highest = read(cell, 1);
  const double expected = 0.5 * (highest.mean() + read(cell, 0).mean());
  EXPECT_NEAR(middle(cell).mean() / expected, 1.0, 1e-12);
  EXPECT_NEAR(middle(cell).sd() / middle(cell).mean() * highest.mean() / highest.sd(), 1.0, 1e-12);
}

}  // namespace
}  // namespace cimstat::devices
