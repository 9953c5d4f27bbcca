#include "devices/sonos/sonos.h"

#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "devices/cell.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

static_assert(CellModel<SonosCell>);

constexpr double nano = 1e-9;
constexpr double day = 86400.0;

SonosCell read_cell(const std::string& keys, double time) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"sonos\"\n" + keys, "cell.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {sonos_variant()}};
  SonosCell cell = read_sonos(core::SectionReader(config.table("cell"), section), {.time = time});
  config.finish();
  return cell;
}

std::string refusal(const std::string& keys, double time) {
  try {
    read_cell(keys, time);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SonosCell, SpreadIsThatOfTheFitAtEachDayAndLinearInBetween) {
  const auto fit = [](double height, double knee, double current) {
    return height * nano * (1.0 - std::exp(-current / (knee * nano)));
  };
  for (const double current : {100.0 * nano, 400.0 * nano, 1600.0 * nano}) {
    const auto expect = [&](double time, double height, double knee) {
      EXPECT_NEAR(sonos_programming_sd(current, time) / fit(height, knee, current), 1.0, 1e-12)
          << current << " A after " << time / day << " days";
    };
    expect(0.0, 19.88665, 176.3115);
    expect(day, 25.59102, 186.85544);
    expect(2.0 * day, 28.72753, 193.56834);
    expect(3.0 * day, 31.04318, 198.90332);
    expect(4.0 * day, 33.76214, 204.77023);
    expect(5.0 * day, 34.57909, 207.34309);
    expect(2.5 * day, 0.5 * (28.72753 + 31.04318), 0.5 * (193.56834 + 198.90332));
    expect(4.25 * day, 0.75 * 33.76214 + 0.25 * 34.57909, 0.75 * 204.77023 + 0.25 * 207.34309);
    EXPECT_NEAR(sonos_read_sd(current) / fit(12.58037, 215.36557, current), 1.0, 1e-12);
  }
  // The same from outside of this program [nA].
  EXPECT_NEAR(sonos_programming_sd(400.0 * nano, 4.0 * day) / nano, 28.97500981186503, 1e-12);
  EXPECT_NEAR(sonos_programming_sd(400.0 * nano, 3.75 * day) / nano, 28.45729231511582, 1e-12);
}

TEST(SonosCell, MeanAndSdAreThoseOfTheFit) {
  for (const double time : {0.0, 1.5 * day}) {
    const SonosCell cell = read_cell("levels = 4\nhighest = \"16 uS\"\n", time);
    EXPECT_EQ(cell.programmed(0).sd(), 0.0);
    for (const std::uint32_t level : {1u, 2u, 3u}) {
      const double current = 0.1 * cell.target(level);
      const core::Law law = cell.programmed(level);
      // More than 26 sd above 0: what is clamped does not show.
      EXPECT_NEAR(law.mean() / cell.target(level), 1.0, 1e-12);
      EXPECT_NEAR(law.sd() * 0.1 / sonos_programming_sd(current, time), 1.0, 1e-12);
    }
  }
}

TEST(SonosCell, ReadNoiseFollowsTheCurrentOfEachCell) {
  const SonosCell cell = read_cell("highest = \"2 uS\"\n", 0.0);
  const core::Law programmed = cell.programmed(1);
  const core::Law read = cell.read(1);
  // E of the squared noise over the programmed law, by an equidistant rule of its own.
  const double mean = 200.0 * nano;
  const double sd = sonos_programming_sd(mean, 0.0);
  double added = 0.0;
  for (int i = -1000; i <= 1000; ++i) {
    const double z = 0.01 * i;
    added += 0.01 * core::normal_density(z) * std::pow(sonos_read_sd(mean + sd * z), 2);
  }
  EXPECT_NEAR(read.mean() / programmed.mean(), 1.0, 1e-12);
  EXPECT_NEAR((read.variance() - programmed.variance()) * 0.01 / added, 1.0, 1e-11);
}

TEST(SonosCell, SampledReadsHaveTheLawsMomentsAndQuantiles) {
  const SonosCell cell = read_cell("highest = \"1 uS\"\n", 0.0);
  const auto sampled = [&](double stretch) {
    tests::NormalNumbers normal(31);
    std::vector<double> samples;
    for (int i = 0; i < 200000; ++i) {
      const double current =
          100.0 * nano + stretch * sonos_programming_sd(100.0 * nano, 0.0) * normal();
      samples.push_back((current + sonos_read_sd(current) * normal()) / 0.1);
    }
    return samples;
  };
  EXPECT_LT(tests::largest_deviation(sampled(1.0), cell.read(1)), tests::bonferroni_limit);
  EXPECT_GT(tests::largest_deviation(sampled(1.03), cell.read(1)), tests::bonferroni_limit);
}

TEST(SonosCell, RefusesTimesAndCurrentsThatWereNotMeasured) {
  EXPECT_EQ(read_cell("", 0.0).target(1), 32e-6);
  EXPECT_EQ(read_cell("", day).target(1), 18e-6);
  EXPECT_THAT(refusal("", 6.0 * day), HasSubstr("cells of 6 days (SONOS was measured up to 5 days);"
                                                " lower conditions.time"));
  EXPECT_THAT(refusal("highest = \"20 uS\"\n", day),
              HasSubstr("cell.highest: 20 uS is outside of what the model was fitted to (0 S to 18 "
                        "uS)"));
}

}  // namespace
}  // namespace cimstat::devices
