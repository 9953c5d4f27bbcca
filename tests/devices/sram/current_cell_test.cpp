#include "devices/sram/current_cell.h"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <boost/math/quadrature/tanh_sinh.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/quantile_table.h"
#include "core/law/shape.h"
#include "core/random/random.h"
#include "core/statistics/statistics.h"

#include "devices/cell.h"
#include "devices/sram/mismatch.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

static_assert(CellModel<SramCell>);

const std::string header =
    "[cell]\nmodel = \"sram\"\non_current = \"20 uA\"\noff_current = \"1 nA\"\n"
    "gate_voltage = \"0.9 V\"\nread_voltage = \"0.5 V\"\nthreshold = \"0.35 V\"\n";

SramCell read_text(const std::string& text, const Conditions& conditions = {}) {
  const core::Config config = core::Config::from_text(text, "macro.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {sram_variant()}};
  SramCell cell = read_sram(core::SectionReader(config.table("cell"), section), conditions);
  config.finish();
  return cell;
}

SramCell read_cell(const std::string& keys, const Conditions& conditions = {}) {
  return read_text(header + keys, conditions);
}

std::string refusal(const std::string& text, const Conditions& conditions = {}) {
  try {
    read_text(text, conditions);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

// ---- mismatch

TEST(Mismatch, OfOneDeviceIsThatOfAPairOverTheRootOfTwo) {
  const GateArea area{100e-9, 30e-9};
  EXPECT_NEAR(pair_threshold_sd(1.75e-9, area), 1.75e-9 / std::sqrt(3e-15), 1e-17);
  EXPECT_NEAR(pair_threshold_sd(1.75e-9, area) / device_threshold_sd(1.75e-9, area), std::sqrt(2.0),
              1e-15);
  // 1 um x 1 um of A_VT 5 mV um: 5 mV for a pair.
  EXPECT_NEAR(pair_threshold_sd(5e-9, {1e-6, 1e-6}), 5e-3, 1e-17);
}

TEST(Mismatch, PresetsAreTheTableOfNodesAndSayThatTheyAreUnverified) {
  struct Node {
    std::string_view name;
    double lowest;  ///< A_VT [mV um]
    double highest;
    double cell_lowest;  ///< sd in cells of minimum size [mV]
    double cell_highest;
  };
  const Node nodes[] = {{"bulk_180nm", 5.0, 5.0, 0.0, 0.0},  {"bulk_130nm", 4.0, 4.0, 0.0, 0.0},
                        {"bulk_90nm", 3.5, 3.5, 0.0, 0.0},   {"bulk_65nm", 2.8, 3.5, 35.0, 45.0},
                        {"bulk_45nm", 2.2, 2.8, 0.0, 0.0},   {"hkmg_28nm", 1.5, 2.0, 30.0, 40.0},
                        {"fdsoi_28nm", 1.2, 1.4, 0.0, 0.0},  {"finfet_16nm", 1.2, 1.5, 20.0, 30.0},
                        {"finfet_7nm", 1.0, 1.3, 20.0, 30.0}};
  const auto presets = matching_presets();
  ASSERT_EQ(presets.size(), std::size(nodes));
  for (std::size_t i = 0; i < presets.size(); ++i) {
    const Node& node = nodes[i];
    const MatchingPreset& preset = presets[i];
    EXPECT_EQ(preset.name, node.name);
    EXPECT_NEAR(preset.lowest * 1e9, node.lowest, 1e-14) << node.name;
    EXPECT_NEAR(preset.highest * 1e9, node.highest, 1e-14) << node.name;
    EXPECT_NEAR(preset.matching() * 1e9, 0.5 * (node.lowest + node.highest), 1e-14) << node.name;
    EXPECT_NEAR(preset.cell_lowest * 1e3, node.cell_lowest, 1e-13) << node.name;
    EXPECT_NEAR(preset.cell_highest * 1e3, node.cell_highest, 1e-13) << node.name;
    EXPECT_NE(preset.source.find("unverified"), std::string_view::npos);
  }
}

TEST(Mismatch, OfOpenYieldsCellIsFivePercentOfEachThreshold) {
  const auto cell = openyield_cell();
  ASSERT_EQ(cell.size(), 3u);
  EXPECT_NEAR(cell[0].threshold_sd(), 0.02053, 1e-15);
  EXPECT_NEAR(cell[2].threshold_sd(), 0.01921, 1e-15);
  EXPECT_NEAR(cell[1].area.width, 135e-9, 1e-21);
  EXPECT_NEAR(cell[1].area.length, 50e-9, 1e-21);
}

// ---- laws

TEST(SramCell, ConductsItsStatedCurrentsAtRoomTemperature) {
  for (const char* law : {"alpha_power", "ekv"}) {
    const SramCell cell =
        read_cell("threshold_sd = \"30 mV\"\ncurrent_law = \"" + std::string(law) + "\"\n");
    EXPECT_NEAR(cell.current(1, 0.0) / 20e-6, 1.0, 1e-14);
    EXPECT_NEAR(cell.current(0, 0.0) / 1e-9, 1.0, 1e-14);
    EXPECT_NEAR(cell.target(1) * 0.5 / 20e-6, 1.0, 1e-14);  // conductance = current / read voltage
  }
}

TEST(SramCell, FollowsThePublishedCurrentLaws) {
  const SramCell alpha = read_cell("threshold_sd = \"30 mV\"\nexponent = 1.4\n");
  for (const double shift : {-0.1, 0.0, 0.2, 0.5}) {
    EXPECT_NEAR(alpha.current(1, shift) / 20e-6, std::pow((0.55 - shift) / 0.55, 1.4), 1e-13);
  }
  EXPECT_EQ(alpha.current(1, 0.6), 0.0);
  EXPECT_NEAR(alpha.sensitivity(1), 1.4 / 0.55, 1e-13);

  const SramCell ekv = read_cell("threshold_sd = \"30 mV\"\ncurrent_law = \"ekv\"\n");
  const double ut = thermal_potential(room_temperature);
  const auto shape = [&](double shift) {
    const auto square = [](double x) { return x * x; };
    const double pinch_off = (0.55 - shift) / 1.4;
    return square(std::log1p(std::exp(pinch_off / (2 * ut)))) -
           square(std::log1p(std::exp((pinch_off - 0.5) / (2 * ut))));
  };
  for (const double shift : {-0.3, 0.0, 0.3, 0.6, 0.9}) {
    EXPECT_NEAR(ekv.current(1, shift) / (20e-6 * shape(shift) / shape(0.0)), 1.0, 1e-12);
  }
  const double slope = (std::log(ekv.current(1, 1e-5)) - std::log(ekv.current(1, -1e-5))) / 2e-5;
  EXPECT_NEAR(ekv.sensitivity(1) / -slope, 1.0, 1e-7);
  // Weak inversion: n Ut of current for each e.
  EXPECT_NEAR(ekv.current(1, 1.6) / ekv.current(1, 1.6 + 1.4 * ut), std::exp(1.0), 1e-5);
}

TEST(SramCell, ThirtyMillivoltSpreadLeakageBySigma083) {
  EXPECT_NEAR(thermal_potential(300.0), 25.85e-3, 0.005e-3);
  const SramCell cell = read_cell("threshold_sd = \"30 mV\"\n", {.temperature = 300.0});
  const auto law = std::get<core::LogNormal>(cell.programmed(0).components().front().base);
  EXPECT_NEAR(law.sigma, 0.83, 0.002);
  EXPECT_NEAR(law.sigma, 0.030 / (1.4 * thermal_potential(300.0)), 1e-15);
  EXPECT_NEAR(cell.programmed(0).mean() / (cell.current_mean(0) / 0.5), 1.0, 1e-13);
  EXPECT_NEAR(cell.programmed(0).sd() / (cell.current_sd(0) / 0.5), 1.0, 1e-13);
}

/// Cells with little, ordinary and so much spread that some never conduct.
std::vector<SramCell> cells() {
  std::vector<SramCell> all;
  for (const char* law : {"alpha_power", "ekv"}) {
    for (const char* sd : {"1 mV", "30 mV", "60 mV", "150 mV"}) {
      all.push_back(
          read_cell("current_law = \"" + std::string(law) + "\"\nthreshold_sd = \"" + sd + "\"\n"));
    }
  }
  for (SramCell& cell : all) EXPECT_GT(cell.on_current, 0.0);
  SramCell near = all[5];
  near.conditions = {.temperature = 358.15, .corner = -2.0, .supply = 0.5};
  near.die_threshold_sd = 0.02;
  all.push_back(near);
  return all;
}

/// E (I - centre)^power by tanh-sinh quadrature in long double, on both sides of the law's corner.
long double by_quadrature(const SramCell& cell, int power, long double centre) {
  boost::math::quadrature::tanh_sinh<long double> rule(15);
  const auto integrand = [&](long double z) {
    const long double current =
        static_cast<long double>(cell.current(1, -cell.threshold_sd * static_cast<double>(z)));
    return std::pow(current - centre, power) * std::exp(-0.5L * z * z);
  };
  const long double root = std::sqrt(2.0L * std::acos(-1.0L));
  const auto overdrive =
      static_cast<long double>(cell.gate_voltage * cell.conditions.supply - cell.threshold);
  const long double corner = std::max(-overdrive / cell.threshold_sd, -12.0L);
  const bool bent = cell.law == CurrentLaw::alpha_power;
  long double sum = 0.0L;
  std::vector<long double> ends = {-12.0L, -4.0L, 0.0L, 4.0L, 12.0L};
  if (bent) ends = {-12.0L, corner, std::max(corner, -4.0L), 0.0L, 4.0L, 12.0L};
  for (std::size_t i = 0; i + 1 < ends.size(); ++i) {
    if (ends[i + 1] > ends[i]) sum += rule.integrate(integrand, ends[i], ends[i + 1]);
  }
  return sum / root;
}

TEST(SramCell, MeanAndSdAreThoseOfAnIndependentQuadrature) {
  for (const SramCell& cell : cells()) {
    const long double mean = by_quadrature(cell, 1, 0.0L);
    const long double sd = std::sqrt(by_quadrature(cell, 2, mean));
    EXPECT_NEAR(cell.current_mean(1) / static_cast<double>(mean), 1.0, 1e-12) << cell.threshold_sd;
    EXPECT_NEAR(cell.current_sd(1) / static_cast<double>(sd), 1.0, 1e-12) << cell.threshold_sd;
  }
}

TEST(SramCell, WithExponentTwoTheMeanIsThatOfASquaredNormal) {
  // E (m + s Z)_+^2 = (m^2 + s^2) Phi(m / s) + m s phi(m / s).
  const SramCell cell = read_cell("threshold_sd = \"250 mV\"\nexponent = 2\n");
  const double m = 0.9 - 0.35;
  const double s = 0.25;
  const double second = (m * m + s * s) * core::normal_tail(core::Tail::lower, m / s) +
                        m * s * core::normal_density(m / s);
  EXPECT_NEAR(cell.current_mean(1) / (20e-6 * second / (m * m)), 1.0, 1e-12);
}

TEST(SramCell, ItsLawHasItsMeanAndSd) {
  for (const SramCell& cell : cells()) {
    const core::Law law = cell.programmed(1);
    const double voltage = 0.5 * cell.conditions.supply;
    EXPECT_NEAR(law.mean() * voltage / cell.current_mean(1), 1.0, 1e-12) << cell.threshold_sd;
    EXPECT_NEAR(law.sd() * voltage / cell.current_sd(1), 1.0, 1e-12) << cell.threshold_sd;
  }
}

TEST(SramCell, ItsTailsAreThoseOfTheThreshold) {
  for (const SramCell& cell : cells()) {
    const core::Law law = cell.programmed(1);
    const double voltage = 0.5 * cell.conditions.supply;
    for (const double z : {-6.0, -3.0, -1.0, 0.5, 2.0, 6.0}) {
      const double conductance = cell.current(1, -cell.threshold_sd * z) / voltage;
      if (conductance == 0.0) continue;
      const core::Tail side = z < 0.0 ? core::Tail::lower : core::Tail::upper;
      EXPECT_NEAR(law.tail_probability(side, conductance) / core::normal_tail(side, z), 1.0, 1e-6)
          << cell.threshold_sd << " " << z;
    }
  }
}

TEST(SramCell, FirstOrderSpreadHoldsForSmallMismatchOnly) {
  const SramCell small = read_cell("threshold_sd = \"1 mV\"\n");
  EXPECT_NEAR(small.current_sd(1) / small.current_mean(1), 1.3 * 1e-3 / 0.55, 1e-8);
  const SramCell near =
      read_cell("threshold_sd = \"30 mV\"\ncurrent_law = \"ekv\"\n", {.supply = 0.5});
  const double first_order = near.threshold_sd * near.sensitivity(1);
  const double exact = near.current_sd(1) / near.current_mean(1);
  EXPECT_GT(std::abs(exact / first_order - 1.0), 0.02);  // skewed near threshold
}

/// Worst miss in standard errors of mean, sd and quantiles of sampled cells; `bias` on the
/// currents.
double worst_miss(const SramCell& cell, double bias) {
  constexpr std::uint64_t samples = 1'000'000;
  const core::Law law = cell.programmed(1);
  const double voltage = 0.5 * cell.conditions.supply;
  const core::QuantileTable table(law, law.mean());
  const std::vector<double> probabilities = {0.001, 0.05, 0.5, 0.95, 0.999};
  std::vector<double> quantiles;
  for (const double p : probabilities) quantiles.push_back(law.quantile(core::Tail::lower, p));
  std::vector<double> below(probabilities.size(), 0.0);
  core::Moments moments;
  core::Moments squares;
  const double mean = cell.current_mean(1) / voltage;
  core::TrialRandom random({.seed = 4}, core::Domain::test, 0);
  for (std::uint64_t i = 0; i < samples; ++i) {
    const double value = bias * double(table(random())) * law.mean();
    moments.add(value);
    squares.add((value - mean) * (value - mean));
    for (std::size_t k = 0; k < quantiles.size(); ++k)
      below[k] += value <= quantiles[k] ? 1.0 : 0.0;
  }
  const double sd = cell.current_sd(1) / voltage;
  double worst = std::abs(moments.mean() - mean) / moments.standard_error();
  worst = std::max(worst, std::abs(squares.mean() - sd * sd) / squares.standard_error());
  for (std::size_t k = 0; k < quantiles.size(); ++k) {
    const double p = probabilities[k];
    worst = std::max(worst, std::abs(below[k] - double(samples) * p) /
                                std::sqrt(double(samples) * p * (1.0 - p)));
  }
  return worst;
}

TEST(SramCell, SampledMomentsAndQuantilesAreWithinBonferroniLimits) {
  const SramCell alpha = read_cell("threshold_sd = \"30 mV\"\n");
  const SramCell ekv =
      read_cell("threshold_sd = \"40 mV\"\ncurrent_law = \"ekv\"\n", {.supply = 0.6});
  const double limit = core::normal_z(1.0 - 1e-4 / 14.0);
  EXPECT_LE(worst_miss(alpha, 1.0), limit);
  EXPECT_LE(worst_miss(ekv, 1.0), limit);
  EXPECT_GT(worst_miss(alpha, 1.001), limit);
  EXPECT_GT(worst_miss(ekv, 1.003), limit);
}

// ---- conditions

TEST(SramCell, CornerShiftsTheThresholdBySdsOfTheDie) {
  const std::string keys = "threshold_sd = \"30 mV\"\ndie_threshold_sd = \"15 mV\"\n";
  const SramCell typical = read_cell(keys);
  const SramCell slow = read_cell(keys, {.corner = -3.0});
  const SramCell fast = read_cell(keys, {.corner = 3.0});
  for (const std::uint32_t level : {0u, 1u}) {
    EXPECT_NEAR(slow.current(level, 0.0) / typical.current(level, 0.045), 1.0, 1e-12);
    EXPECT_NEAR(fast.current(level, 0.0) / typical.current(level, -0.045), 1.0, 1e-12);
  }
}

TEST(SramCell, TemperatureAndSupplyActOnThresholdMobilityAndVoltages) {
  const std::string keys = "threshold_sd = \"30 mV\"\n";
  const SramCell hot = read_cell(keys, {.temperature = 358.15});
  const double warmth = 358.15 / room_temperature;
  EXPECT_NEAR(hot.current(1, 0.0) / 20e-6,
              std::pow(warmth, -1.5) * std::pow((0.55 + 0.048) / 0.55, 1.3), 1e-12);
  const double room = 1.4 * thermal_potential(room_temperature);
  const double warm = 1.4 * thermal_potential(358.15);
  const double drain = std::expm1(-0.5 * 1.4 / warm) / std::expm1(-0.5 * 1.4 / room);
  EXPECT_NEAR(hot.current(0, 0.0) / 1e-9,
              std::pow(warmth, 0.5) * drain * std::exp(0.35 / room - (0.35 - 0.048) / warm), 1e-9);
  EXPECT_GT(hot.current(0, 0.0), 10e-9);  // leakage grows fast with temperature

  const SramCell low = read_cell(keys, {.supply = 0.9});
  EXPECT_NEAR(low.current(1, 0.0) / 20e-6, std::pow((0.81 - 0.35) / 0.55, 1.3), 1e-12);
  // Times the lowered read voltage the conductance is the current again.
  EXPECT_NEAR(low.target(1) * 0.45 / low.current(1, 0.0), 1.0, 1e-14);
}

TEST(SramCell, ReadNoiseIsFreshAndAllElseFrozen) {
  const SramCell cell = read_cell("threshold_sd = \"30 mV\"\nread_noise = 0.02\n");
  EXPECT_EQ(cell.programmed(1).components().front().relative_noise, 0.0);
  EXPECT_EQ(cell.read(1).components().front().relative_noise, 0.02);
  const double frozen = cell.programmed(1).variance();
  const double mean = cell.programmed(1).mean();
  EXPECT_NEAR(cell.read(1).variance() / (frozen + 4e-4 * (frozen + mean * mean)), 1.0, 1e-9);
}

TEST(SramCell, CellsThatNeverConductAreAnAtomAtZero) {
  const SramCell cell = read_cell("threshold_sd = \"250 mV\"\n");
  EXPECT_NEAR(cell.programmed(1).tail_probability(core::Tail::lower, 0.0),
              core::normal_tail(core::Tail::lower, -0.55 / 0.25), 1e-12);
  SramCell off = cell;
  off.threshold_sd = 0.01;
  off.conditions.supply = 0.2;
  EXPECT_EQ(off.programmed(1).mean(), 0.0);
}

// ---- configuration

TEST(SramCell, TakesItsSpreadFromNodeAndGateArea) {
  const SramCell cell = read_cell("node = \"hkmg_28nm\"\nwidth = \"100 nm\"\nlength = \"30 nm\"\n");
  EXPECT_NEAR(cell.threshold_sd, 1.75e-9 / std::sqrt(6e-15), 1e-15);  // 22.6 mV
}

TEST(SramCell, RefusesWhatContradictsOrIsMissing) {
  EXPECT_EQ(refusal(header + "threshold_sd = \"30 mV\"\nwidth = \"100 nm\"\n"),
            "macro.toml:8:16: cell.threshold_sd: stands beside node, width or length (the node and "
            "the gate area say it too); keep one of these");
  EXPECT_THAT(refusal(header), HasSubstr("set threshold_sd, or node, width and length"));
  EXPECT_THAT(refusal(header + "node = \"hkmg_28nm\"\nwidth = \"1 um\"\n"), HasSubstr("length"));
  EXPECT_THAT(refusal(header + "threshold_sd = \"30 mV\"\n", {.corner = 1.0}),
              HasSubstr("cell.die_threshold_sd: is missing"));
  const std::string low =
      "[cell]\nmodel = \"sram\"\non_current = \"20 uA\"\noff_current = \"1 nA\"\n"
      "gate_voltage = \"0.3 V\"\nread_voltage = \"0.5 V\"\nthreshold = \"0.35 V\"\n"
      "threshold_sd = \"30 mV\"\n";
  EXPECT_THAT(refusal(low), HasSubstr("300 mV is not above the threshold 350 mV"));
  EXPECT_EQ(refusal(low + "current_law = \"ekv\"\n"), "accepted");
  EXPECT_THAT(refusal("[cell]\nmodel = \"sram\"\non_current = \"1 nA\"\noff_current = \"20 uA\"\n"
                      "gate_voltage = \"0.9 V\"\nread_voltage = \"0.5 V\"\nthreshold = \"0.35 V\"\n"
                      "threshold_sd = \"30 mV\"\n"),
              HasSubstr("cell.off_current: is not below on_current"));
}

}  // namespace
}  // namespace cimstat::devices
