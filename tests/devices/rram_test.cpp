#include "devices/rram.h"

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

RramCell read_cell(const std::string& text) {
  const core::Config config = core::Config::from_text(text, "cell.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {rram_variant()}};
  RramCell cell = read_rram(core::SectionReader(config.table("cell"), section));
  config.finish();
  return cell;
}

std::string refusal(const std::string& text) {
  try {
    read_cell(text);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string hrs = "[cell.hrs]\ndistribution = \"point\"\nvalue = \"1 uS\"\n";

TEST(Spread, MeanAndSdGiveTheSameLognormalAsMedianAndSigma) {
  const Spread by_median = lognormal_from_median(40e-6, 0.6);
  const Spread by_mean = lognormal_from_mean(by_median.mean, by_median.sd);
  EXPECT_NEAR(by_mean.median / by_median.median, 1.0, 1e-14);
  EXPECT_NEAR(by_mean.sigma / by_median.sigma, 1.0, 1e-14);
  EXPECT_NEAR(by_median.mean / by_median.median, 1.1972, 1e-4);  // 20 % at sigma 0.6
}

TEST(RramCell, ReadsALognormalResistanceAsTheInverseMedian) {
  const RramCell cell = read_cell(
      "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"lognormal\"\nmedian_resistance = "
      "\"25 kohm\"\n"
      "sigma = 0.1\n" +
      hrs);
  const auto& law = std::get<core::LogNormal>(cell.lrs);
  EXPECT_NEAR(law.median, 40e-6, 1e-18);
  EXPECT_EQ(law.sigma, 0.1);
}

TEST(RramCell, ReadsMeanAndSdOfALognormal) {
  const RramCell cell = read_cell(
      "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"lognormal\"\nmean = \"40 uS\"\nsd = "
      "\"4 uS\"\n" +
      hrs);
  const core::Law law = cell.programmed(Level::lrs);
  EXPECT_NEAR(law.mean(), 40e-6, 1e-17);
  EXPECT_NEAR(law.sd(), 4e-6, 1e-17);
}

TEST(RramCell, RefusesMedianAndMeanTogether) {
  EXPECT_THAT(
      refusal(
          "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"lognormal\"\nmean = \"40 uS\"\n"
          "sigma = 0.1\n" +
          hrs),
      HasSubstr(
          "cell.toml:5:8: cell.lrs.mean: contradicts sigma (a lognormal is given by median and "
          "sigma, median_resistance and sigma, mean and sd, or mean_resistance and "
          "sd_resistance); keep one of these"));
}

TEST(RramCell, RefusesANormalResistance) {
  EXPECT_THAT(refusal("[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = "
                      "\"normal\"\nmean_resistance = \"40 kohm\"\n"
                      "sd = \"1 uS\"\n" +
                      hrs),
              HasSubstr("a normal law is one of the conductance here"));
}

TEST(RramCell, RefusesMoreThanTwoLevelsWithTheReason) {
  EXPECT_THAT(refusal("[cell]\nmodel = \"rram\"\nlevels = 4\n[cell.lrs]\ndistribution = "
                      "\"point\"\nvalue = \"9 uS\"\n" +
                      hrs),
              HasSubstr("two levels in error tables"));
}

TEST(RramCell, RefusesStuckFractionsBeyondOne) {
  EXPECT_THAT(
      refusal("[cell]\nmodel = \"rram\"\nstuck_at_lrs = 0.7\nstuck_at_hrs = 0.4\n[cell.lrs]\n"
              "distribution = \"point\"\nvalue = \"9 uS\"\n" +
              hrs),
      HasSubstr("exceeds 1"));
}

TEST(RramCell, SeriesResistanceCompressesTheLrsSpread) {
  RramCell cell{.lrs = core::LogNormal{100e-6, 0.1}, .hrs = core::Point{1e-6}};
  const core::Law bare = cell.programmed(Level::lrs);
  cell.access_resistance = 5e3;  // G R = 0.5 at the median
  const core::Law behind = cell.programmed(Level::lrs);
  EXPECT_NEAR(behind.quantile(core::Tail::lower, 0.5), 100e-6 / 1.5, 1e-12);
  // d ln G_eff = d ln G / (1 + G R)
  EXPECT_NEAR((behind.sd() / behind.mean()) / (bare.sd() / bare.mean()), 1.0 / 1.5, 0.01);
}

TEST(RramCell, StuckCellsAreAMixture) {
  const RramCell cell{.lrs = core::Point{10.0}, .hrs = core::Point{1.0}, .stuck_at_hrs = 0.25};
  const core::Law law = cell.programmed(Level::lrs);
  EXPECT_NEAR(law.mean(), 0.75 * 10.0 + 0.25 * 1.0, 1e-14);
  EXPECT_NEAR(law.tail_probability(core::Tail::lower, 5.0), 0.25, 1e-15);
}

TEST(RramCell, ReadNoiseAddsToTheReadLawOnly) {
  const RramCell cell{.lrs = core::Point{10.0}, .hrs = core::Point{1.0}, .read_noise = 0.02};
  EXPECT_EQ(cell.programmed(Level::lrs).sd(), 0.0);
  EXPECT_NEAR(cell.read(Level::lrs).sd(), 0.2, 1e-14);
}

TEST(RramCell, MiddleCellLiesHalfWay) {
  const RramCell cell{.lrs = core::LogNormal{10.0, 0.1}, .hrs = core::LogNormal{1.0, 0.5}};
  const double middle = 0.5 * (cell.read(Level::lrs).mean() + cell.read(Level::hrs).mean());
  EXPECT_NEAR(cell.middle().mean(), middle, 1e-12);
}

TEST(RramCell, ClampedCellsPileUpAtTheEnds) {
  const std::string level =
      "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"normal\"\nmean = \"40 uS\"\n"
      "sd = \"4 uS\"\nlow = \"36 uS\"\nhigh = \"48 uS\"\n";
  const RramCell clamped = read_cell(level + "beyond = \"clamped\"\n" + hrs);
  EXPECT_EQ(describe(clamped.lrs), "normal: mean 40 uS, sd 4 uS clamped to 36 uS .. 48 uS");
  const core::Law law = clamped.programmed(Level::lrs);
  const double one_sd = 0.15865525393145705;
  const double two_sd = 0.02275013194817921;
  EXPECT_NEAR(law.tail_probability(core::Tail::lower, 36e-6), one_sd, 1e-15);
  EXPECT_EQ(law.tail_probability(core::Tail::lower, 35.999e-6), 0.0);
  EXPECT_NEAR(law.tail_probability(core::Tail::upper, 47.999999e-6), two_sd, 1e-7);
  EXPECT_EQ(law.quantile(core::Tail::lower, 0.1), 36e-6);
  EXPECT_NEAR(law.quantile(core::Tail::lower, 0.5), 40e-6, 1e-17);
  // E max(z, -1) for z below 2, clamped there: the parent's mean, less what is cut from its tails.
  const auto density = [](double z) {
    return std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
  };
  const double mean = -one_sd + density(1.0) - density(2.0) + 2.0 * two_sd;
  EXPECT_NEAR(law.mean(), 40e-6 + 4e-6 * mean, 1e-16);
  EXPECT_EQ(describe(read_cell(level + "beyond = \"cut_off\"\n" + hrs).lrs),
            describe(read_cell(level + hrs).lrs));
}

TEST(RramCell, ClampedLognormalsKeepTheParentInside) {
  const core::Shape shape = core::ClampedLogNormal{2.0, 0.5, 1.0, 5.0};
  const core::Law law({{.base = shape}});
  const core::Law parent = core::Law::lognormal(2.0, 0.5);
  for (const double x : {1.0, 1.5, 3.0, 4.999}) {
    EXPECT_NEAR(law.tail_probability(core::Tail::lower, x),
                parent.tail_probability(core::Tail::lower, x), 1e-15);
  }
  EXPECT_EQ(law.tail_probability(core::Tail::upper, 5.0), 0.0);
  EXPECT_EQ(law.components().size(), 3u);
}

TEST(RramCell, ClampsAtZeroWhereNoEndIsGiven) {
  const RramCell cell = read_cell(
      "[cell]\nmodel = \"rram\"\n[cell.lrs]\ndistribution = \"normal\"\nmean = \"40 uS\"\n"
      "sd = \"20 uS\"\nbeyond = \"clamped\"\n" +
      hrs);
  EXPECT_EQ(describe(cell.lrs), "normal: mean 40 uS, sd 20 uS clamped below 0 S");
  EXPECT_NEAR(cell.programmed(Level::lrs).tail_probability(core::Tail::lower, 0.0),
              0.02275013194817921, 1e-15);
}

TEST(RramCell, AnOccupiedTrapLowersTheCurrentOfItsCell) {
  const RramCell cell = read_cell(
      "[cell]\nmodel = \"rram\"\ntelegraph_probability = 0.25\ntelegraph_amplitude = 0.1\n"
      "[cell.lrs]\ndistribution = \"point\"\nvalue = \"10 uS\"\n" +
      hrs);
  for (const core::Law& law : {cell.read(Level::lrs), cell.programmed(Level::lrs)}) {
    EXPECT_NEAR(law.mean(), 9.75e-6, 1e-18);
    EXPECT_NEAR(law.tail_probability(core::Tail::lower, 9.5e-6), 0.25, 1e-15);
    EXPECT_NEAR(law.sd(), 1e-6 * std::sqrt(0.25 * 0.75), 1e-15);
  }
}

TEST(RramCell, AnOccupiedTrapIsBeforeTheTransistor) {
  RramCell cell{.lrs = core::Point{400e-6}, .hrs = core::Point{1e-6}, .access_resistance = 2e3};
  cell.telegraph_probability = 0.25;
  cell.telegraph_amplitude = 0.1;
  const auto behind = [](double g) { return g / (1.0 + 2e3 * g); };
  const double empty = behind(400e-6);
  const double trapped = behind(360e-6);
  for (const core::Law& law : {cell.programmed(Level::lrs), cell.read(Level::lrs)}) {
    EXPECT_NEAR(law.mean() / (0.75 * empty + 0.25 * trapped), 1.0, 1e-14);
    EXPECT_NEAR(law.sd() / ((empty - trapped) * std::sqrt(0.1875)), 1.0, 1e-12);
  }
  // The twin whose trap takes its share of the current is 1.7 times as noisy.
  EXPECT_GT(0.1 * empty / (empty - trapped), 1.7);
}

TEST(RramCell, WithoutATransistorTrapsAreWhatTheyWere) {
  RramCell cell{.lrs = core::LogNormal{40e-6, 0.05}, .hrs = core::Point{1e-6}, .read_noise = 0.01};
  cell.stuck_at_hrs = 0.02;
  cell.telegraph_probability = 0.3;
  cell.telegraph_amplitude = 0.1;
  const core::Law law = cell.read(Level::lrs);
  ASSERT_EQ(law.components().size(), 4u);
  const double weights[] = {0.98 * (1.0 - 0.3), 0.98 * 0.3, 0.02 * (1.0 - 0.3), 0.02 * 0.3};
  for (std::size_t i = 0; i < 4; ++i) {
    const core::Component& component = law.components()[i];
    EXPECT_EQ(component.weight, weights[i]);
    EXPECT_EQ(component.scale, i % 2 == 0 ? 1.0 : 1.0 - 0.1);
    EXPECT_EQ(component.compression, 0.0);
    EXPECT_EQ(component.relative_noise, 0.01);
  }
}

TEST(Describe, SaysMedianAndMean) {
  EXPECT_EQ(describe(core::LogNormal{40e-6, 0.6}),
            "lognormal: median 40 uS, sigma 0.6 (mean 47.89 uS, sd 31.52 uS)");
}

TEST(RramCell, WearIsAFactorBeforeTheAccessTransistorAndNothingByDefault) {
  RramCell cell{.lrs = core::Point{40e-6}, .hrs = core::Point{1e-6}, .access_resistance = 5e3};
  const double fresh = cell.programmed(Level::lrs).mean();
  EXPECT_EQ(fresh, 40e-6 / (1.0 + 5e3 * 40e-6));
  cell.conditions = {.time = 3600.0, .temperature = 358.15};
  EXPECT_EQ(cell.programmed(Level::lrs).mean(), fresh);
  cell.wear = {.temperature_coefficient = -0.001,
               .activation_energy = 0.05,
               .retention_loss = 0.01,
               .retention_time = 60.0,
               .cycles = 1e4,
               .lifetime_cycles = 1e5};
  const double low = 40e-6 * 0.94 * (1.0 - 0.01 * std::log1p(60.0));
  const double high = 1e-6 / arrhenius(0.05, 358.15);
  const double worn = -std::expm1(-0.1);
  EXPECT_NEAR(cell.programmed(Level::lrs).mean() / (low / (1.0 + 5e3 * low)), 1.0, 1e-14);
  EXPECT_NEAR(cell.read(Level::hrs).mean() /
                  ((1.0 - worn) * high / (1.0 + 5e3 * high) + worn * low / (1.0 + 5e3 * low)),
              1.0, 1e-14);
}

}  // namespace
}  // namespace cimstat::devices
