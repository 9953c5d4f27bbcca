#include "devices/rram/analog_rram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/shape.h"
#include "core/random/random.h"

#include "devices/rram/current_voltage.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;

constexpr double us = 1e-6;
constexpr double day = 86400.0;

AnalogRram read(const std::string& keys, Conditions conditions = {}) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"analog_rram\"\n" + keys, "cell.toml");
  const core::Section section{
      .key = "cell", .selector = "model", .variants = {analog_rram_variant()}};
  AnalogRram cell =
      read_analog_rram(core::SectionReader(config.table("cell"), section), conditions);
  config.finish();
  return cell;
}

std::string refusal(const std::string& keys, Conditions conditions = {}) {
  try {
    read(keys, conditions);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "accepted";
}

std::string preset(const std::string& name) { return "preset = \"" + name + "\"\n"; }

TEST(PublishedRram, GoldenNumbersOfTheTwoFitsOfOneFigure) {
  EXPECT_NEAR(neurram_sd_1s(0.0) / us, 0.35, 0.005);
  EXPECT_NEAR(neurram_sd_1s(20 * us) / us, 2.02, 0.005);
  EXPECT_NEAR(neurram_sd_1s(40 * us) / us, 1.10, 0.005);
  EXPECT_NEAR(neurram_sd_crosssim(0.0) / us, 1.05, 0.005);
  EXPECT_NEAR(neurram_sd_crosssim(20 * us) / us, 2.36, 0.005);
  EXPECT_NEAR(neurram_sd_crosssim(39 * us) / us, 1.67, 0.005);
}

TEST(PublishedRram, GoldenNumbersOfTheOthers) {
  EXPECT_NEAR(cmo_relaxation_mean(3600.0) / us, -0.73, 0.005);
  EXPECT_NEAR(cmo_programming_sd_0_2(50 * us) / us, 0.05425, 1e-5);
  EXPECT_NEAR(cmo_programming_sd_2(50 * us) / us, 0.57573, 1e-5);
  EXPECT_NEAR(milo_sd(100 * us) / us, 3.871621, 1e-6);
  EXPECT_EQ(milo_sd(1e-3), 0.0);
}

TEST(PublishedRram, ReadNoiseOfCmoOverConductanceAndTime) {
  // Computed from the published coefficients outside of this program [uS].
  const std::vector<double> conductances{2.0, 9.0, 30.0, 50.0, 88.2};
  const std::vector<std::pair<double, std::vector<double>>> golden{
      {1.0,
       {0.0302406765140111, 0.095860676542293139, 0.14838769119144047, 0.17067402932657669,
        0.19543662425193205}},
      {3600.0,
       {0.038537887586382809, 0.1221622133628482, 0.18910119817224007, 0.21750229539524914,
        0.24905906626108387}},
      {day,
       {0.041311591343288784, 0.13095464624845892, 0.20271145905200602, 0.23315668051226433,
        0.26698470025519929}},
      {1e7,
       {0.045141662463780769, 0.14309568445060863, 0.22150519901365992, 0.25477305111293044,
        0.29173732674114967}}};
  for (const auto& [time, sds] : golden) {
    for (std::size_t i = 0; i < conductances.size(); ++i) {
      EXPECT_NEAR(cmo_read_sd(conductances[i] * us, time) / (sds[i] * us), 1.0, 1e-12)
          << conductances[i] << " uS after " << time << " s";
    }
    EXPECT_EQ(cmo_read_sd(us, time), 0.0);  // the logarithm's zero, and nothing below it
    EXPECT_EQ(cmo_read_sd(0.5 * us, time), 0.0);
  }
  EXPECT_EQ(cmo_read_sd(50 * us, 0.0), 0.0);
  EXPECT_EQ(cmo_read_sd(50 * us, 1e-6), 0.0);
}

TEST(PublishedRram, ContinuousTimeFitsTheThreeTimesOfNeurram) {
  double worst = 0.0;
  double worst_above = 0.0;
  for (double g = 0.0; g <= 40.0; g += 0.1) {
    const LogTimeRelaxation fit = neurram_relaxation(g * us);
    EXPECT_GT(fit.initial_sd, 0.0);
    EXPECT_GT(fit.sd_per_fold, 0.0);
    for (const auto& [t, sd] :
         {std::pair(1.0, neurram_sd_1s(g * us)), std::pair(day, neurram_sd_1d(g * us)),
          std::pair(2 * day, neurram_sd_2d(g * us))}) {
      const double miss = std::abs(neurram_sd(g * us, t) / sd - 1.0);
      worst = std::max(worst, miss);
      if (g >= 1.0) worst_above = std::max(worst_above, miss);
    }
  }
  EXPECT_LT(worst, 0.05);
  EXPECT_GT(worst, 0.04);
  EXPECT_LT(worst_above, 0.02);
}

TEST(AnalogRram, LawsHaveThePublishedMeanAndSd) {
  struct Case {
    std::string keys;
    Conditions conditions;
    double target;
    double mean;
    double sd;
  };
  const double ln = std::log(3600.0);
  const auto lognormal = [](double median, double sigma) {
    const double mean = median * std::exp(0.5 * sigma * sigma);
    return std::pair(mean, mean * std::sqrt(std::expm1(sigma * sigma)));
  };
  const auto [r1_mean, r1_sd] = lognormal(400 * us, 0.18);
  const auto [s1_mean, s1_sd] = lognormal(200 * us, 0.1035);
  const auto [s2_mean, s2_sd] = lognormal(200 * us, 0.2760);
  const auto [s3_mean, s3_sd] = lognormal(200 * us, 0.2259);
  const double x = 0.5;
  const double wan_1d =
      0.701 + 22.086 * x - 50.773 * x * x + 47.095 * x * x * x - 16.458 * x * x * x * x;
  const double wan_2d =
      0.782 + 20.274 * x - 43.507 * x * x + 37.062 * x * x * x - 11.934 * x * x * x * x;
  const double wan_1s =
      0.348 + 16.030 * x - 43.853 * x * x + 45.393 * x * x * x - 16.815 * x * x * x * x;
  const std::string at_20 = "targets = [\"5 uS\", \"20 uS\"]\n";
  const std::vector<Case> cases{
      {preset("dl_rsim"), {}, 400 * us, r1_mean, r1_sd},
      {preset("neurosim") + "variation = 0.05\n", {}, 10 * us, 10 * us, 0.5 * us},
      {preset("neurram_1s") + at_20, {}, 20 * us, 20 * us, wan_1s * us},
      {preset("neurram_1d") + at_20, {}, 20 * us, 20 * us, wan_1d * us},
      {preset("neurram_2d") + at_20, {.time = 2 * day}, 20 * us, 20 * us, wan_2d * us},
      {preset("neurram_crosssim") + at_20,
       {},
       20 * us,
       20 * us,
       (1.536e-4 * 8000 - 1.167e-2 * 400 + 0.2374 * 20 + 1.053) * us},
      {preset("milo"), {}, 225 * us, 225 * us, (4.782321 - 0.009107 * 225) * us},
      {preset("cmo_hfox_0_2") + "targets = [\"10 uS\", \"50 uS\"]\n",
       {.time = 3600.0},
       50 * us,
       (50 - 0.08900206 * ln) * us,
       std::hypot(8.1107e-4 + 1.06879e-3 * 50, 0.04201137 * ln + 0.41183342) * us},
      {preset("cmo_hfox_2") + "targets = [\"10 uS\", \"50 uS\"]\n",
       {},
       50 * us,
       50 * us,
       (0.0112185391 + 0.01129027418 * 50) * us},
      {preset("neurram_text"), {}, 40 * us, 40 * us, 2.8 * us},
      {preset("neurram_text_3_times"), {}, 40 * us, 40 * us, 1.988 * us},
      {preset("suny_1bit"), {}, 200 * us, s1_mean, s1_sd},
      {preset("suny_2bit"), {}, 200 * us, s2_mean, s2_sd},
      {preset("suny_3bit"), {}, 200 * us, s3_mean, s3_sd}};
  for (const Case& c : cases) {
    const AnalogRram cell = read(c.keys, c.conditions);
    const core::Law law = cell.programmed(cell.levels() - 1);
    EXPECT_NEAR(cell.target(cell.levels() - 1) / c.target, 1.0, 1e-12) << c.keys;
    double shift = 0.0;
    double variance = c.sd * c.sd;
    if (cell.preset->kind == RramSpread::normal) {
      // What would lie below 0 lies at 0.
      const double a = c.mean / c.sd;
      const double below = core::normal_tail(core::Tail::lower, -a);
      shift = c.sd * core::normal_density(a) - c.mean * below;
      variance = variance * (1.0 - below - a * core::normal_density(a)) + c.mean * c.mean * below -
                 shift * shift;
    }
    EXPECT_NEAR(law.mean() / (c.mean + shift), 1.0, 1e-12) << c.keys;
    EXPECT_NEAR(law.sd() / std::sqrt(variance), 1.0, 1e-12) << c.keys;
  }
}

TEST(AnalogRram, ResistancesOfMnsimAreNormalOrUniform) {
  const AnalogRram normal = read(preset("mnsim") + "stuck_at_lrs = 0\nstuck_at_hrs = 0\n");
  const AnalogRram uniform = read(preset("mnsim_uniform") + "stuck_at_lrs = 0\nstuck_at_hrs = 0\n");
  for (const double p : {1e-6, 0.01, 0.5}) {
    const double z = core::normal_quantile(core::Tail::upper, p);
    EXPECT_NEAR(1.0 / normal.programmed(1).quantile(core::Tail::lower, p), 1e4 * (1.0 + 0.01 * z),
                1e-7);
    EXPECT_NEAR(1.0 / uniform.programmed(0).quantile(core::Tail::lower, p),
                1e6 * (1.0 + 0.01 * (1.0 - 2.0 * p)), 1e-4);
  }
  // E 1/(1 + 0.01 u), u uniform in -1 .. 1
  const double mean = std::log(1.01 / 0.99) / 0.02;
  EXPECT_NEAR(uniform.programmed(1).mean() / (1e-4 * mean), 1.0, 1e-12);
  // 1 / (1 - s^2) - mean^2 cancels: its series in s = 0.01.
  const double s2 = 1e-4;
  const double variance =
      s2 / 3.0 + s2 * s2 * (22.0 / 45.0 + s2 * (61.0 / 105.0 + s2 * (1012.0 / 1575.0)));
  EXPECT_NEAR(uniform.programmed(1).sd() / (1e-4 * std::sqrt(variance)), 1.0, 1e-12);
  const AnalogRram stuck = read(preset("mnsim"));
  EXPECT_NEAR(stuck.programmed(1).tail_probability(core::Tail::lower, 2e-6), 0.001, 1e-15);
  EXPECT_NEAR(stuck.programmed(0).tail_probability(core::Tail::upper, 5e-5), 0.001, 1e-15);
}

TEST(AnalogRram, ConductancesBelowZeroLieAtZero) {
  const AnalogRram cell = read(preset("neurram_1s"));
  const core::Law law = cell.programmed(0);  // target 0
  EXPECT_NEAR(law.tail_probability(core::Tail::lower, 0.0), 0.5, 1e-15);
  EXPECT_NEAR(law.mean() / (0.348 * us / std::sqrt(2.0 * M_PI)), 1.0, 1e-10);
}

TEST(AnalogRram, ProgrammingThreeTimesIsTheTwoMicrosiemensOfTheText) {
  const AnalogRram cell = read(preset("neurram_text_3_times"));
  EXPECT_NEAR(cell.spread(0) / us, 2.0, 0.02);
  EXPECT_NEAR(cell.spread(1) / us, 2.0, 0.02);
}

TEST(AnalogRram, ReadNoiseOfCmoKeepsMeanAndVarianceThoughItDependsOnTheConductance) {
  // After a day; integrals over the programmed normal, computed outside of this program [uS].
  struct Golden {
    double target;
    double mean;
    double programmed_sd;
    double read_sd;  ///< of the whole
  };
  for (const Golden& golden :
       {Golden{9.0, 7.988336461533012, 0.88942702266547108, 0.89798165300298766},
        Golden{30.0, 28.988336461533012, 0.88997325268531801, 0.91231117689970736},
        Golden{88.0, 86.988336461533012, 0.89441094046785905, 0.93317249837040185}}) {
    const AnalogRram cell = read(preset("cmo_hfox_0_2") + "targets = [\"" +
                                     std::to_string(golden.target) + " uS\", \"88.2 uS\"]\n",
                                 {.time = day});
    const core::Law programmed = cell.programmed(0);
    EXPECT_NEAR(programmed.mean() / (golden.mean * us), 1.0, 1e-12) << golden.target;
    EXPECT_NEAR(programmed.sd() / (golden.programmed_sd * us), 1.0, 1e-12) << golden.target;
    const core::Law law = cell.read(0);
    EXPECT_NEAR(law.mean() / (golden.mean * us), 1.0, 1e-11) << golden.target;
    EXPECT_NEAR(law.variance() / std::pow(golden.read_sd * us, 2), 1.0, 1e-9) << golden.target;
  }
}

TEST(AnalogRram, MiloReadsAtAVoltageWhatThePolynomialSays) {
  const AnalogRram cell = read(preset("milo") + "voltage = \"0.4 V\"\n", {.supply = 1.1});
  for (const double p : {1e-9, 0.1, 0.5}) {
    const double g =
        50 * us + (4.782321 - 0.009107 * 50) * us * core::normal_quantile(core::Tail::lower, p);
    EXPECT_NEAR(cell.programmed(0).quantile(core::Tail::lower, p) / milo_conductance(g, 0.44), 1.0,
                1e-9);
  }
}

TEST(AnalogRram, RelaxationAtTwoTimesCorrelates) {
  const AnalogRram cell = read(preset("neurram") + "targets = [\"5 uS\", \"20 uS\"]\n");
  const std::vector<double> times{1.0, day};
  const double early = std::pow(neurram_sd(20 * us, 1.0), 2);
  const double late = std::pow(neurram_sd(20 * us, day), 2);
  EXPECT_NEAR(cell.covariance(1, 1.0, day) / early, 1.0, 1e-14);
  const int n = 20000;
  double product = 0.0;
  double square = 0.0;
  core::TrialRandom random({2024, 0}, core::Domain::test, 5);
  const auto normal = [&] { return core::normal_quantile(core::Tail::lower, random.uniform()); };
  for (int i = 0; i < n; ++i) {
    const std::vector<double> normals{normal(), normal()};
    const std::vector<double> path = cell.path(1, times, normals);
    product += (path[0] - 20 * us) * (path[1] - 20 * us);
    square += std::pow(path[1] - 20 * us, 2);
  }
  const double error = std::sqrt((early * late + early * early) / n);
  EXPECT_NEAR(product / n, early, 4.0 * error);
  EXPECT_NEAR(square / n, late, 4.0 * late * std::sqrt(2.0 / n));
  EXPECT_GT(std::abs(product / n - late), 4.0 * error);  // the twin that only grows in spread
}

/// The preset's read noise, written out once more [S].
double read_noise_of_cmo(double g, double time) {
  if (g <= us || time <= 1e-6) return 0.0;
  return 2.77316483e-8 * (std::log10(g) + 6.0) * std::sqrt(std::log((time + 1e-6) / 2e-6));
}

/// Devices made stage by stage from the preset's formulas, and their reads.
class Simulation {
 public:
  Simulation(const AnalogRram& cell, std::uint64_t seed) : cell_(cell), engine_(seed) {}

  double read(std::uint32_t level) {
    const double u = uniform_(engine_);
    double held = cell_.targets[level];
    double g = 0.0;
    if (u < cell_.stuck_at_lrs) {
      g = held = cell_.targets.back();
    } else if (u < cell_.stuck_at_lrs + cell_.stuck_at_hrs) {
      g = held = cell_.targets.front();
    } else {
      g = relaxed(held);
    }
    if (cell_.voltage > 0.0) g = milo_conductance(g, cell_.voltage);
    const double sd = cell_.preset->read_sd == nullptr ? 0.0 : read_noise_of_cmo(g, cell_.age());
    if (uniform_(engine_) < cell_.telegraph_probability) g *= 1.0 - cell_.telegraph(held);
    g += sd * normal();
    g +=
        g * low_frequency_noise(cell_.low_frequency_noise, cell_.age(), cell_.read_time) * normal();
    g /= 1.0 + g * cell_.access_resistance;
    return g + g * cell_.read_noise * normal();
  }

 private:
  double normal() { return normal_(engine_); }

  double programmed(double target) {
    if (!cell_.verify) return target + cell_.preset->spread(target, 0.0) * normal();
    for (;;) {
      const double g = target + cell_.verify->pulse_sd * normal();
      const double reading = g + cell_.verify->verify_noise * normal();
      if (std::abs(reading - target) < cell_.verify->window) return g;
    }
  }

  double relaxed(double target) {
    const RramPreset& preset = *cell_.preset;
    if (preset.kind == RramSpread::lognormal) {
      return target * std::exp(preset.spread(target, 0.0) * normal());
    }
    double g = programmed(target);
    if (cell_.age() > 0.0) {
      const double before = preset.spread(target, 0.0);
      const double after = preset.spread(target, cell_.age());
      g += std::sqrt(after * after - before * before) * normal();
      if (preset.shift != nullptr) g += preset.shift(cell_.age());
    }
    return std::max(0.0, g);
  }

  AnalogRram cell_;
  boost::random::mt19937_64 engine_;
  boost::random::normal_distribution<double> normal_;
  boost::random::uniform_01<double> uniform_;
};

TEST(AnalogRram, DevicesSimulatedStageByStageFollowTheLawAndABiasedTwinDoesNot) {
  const std::string traps = "telegraph_probability = 0.3\ntelegraph_amplitude = 0.02\n";
  const std::string stuck = "stuck_at_lrs = 0.02\nstuck_at_hrs = 0.01\n";
  const std::string noise = "read_noise = 0.02\n";
  const std::string verify =
      "verify_window = \"1 uS\"\npulse_sd = \"4 uS\"\nverify_noise = \"0.3 uS\"\n";
  const std::string low = preset("neurram") + "targets = [\"0 S\", \"20 uS\"]\n";
  const std::string high = preset("neurram") + "targets = [\"5 uS\", \"20 uS\"]\n";
  const std::vector<std::pair<std::string, Conditions>> cells{
      {preset("dl_rsim"), {}},
      {preset("suny_3bit") + "access_resistance = \"3 kohm\"\n" + traps + stuck + noise, {}},
      {preset("milo") + "voltage = \"0.3 V\"\naccess_resistance = \"2 kohm\"\n", {}},
      {preset("cmo_hfox_2") + "targets = [\"10 uS\", \"50 uS\"]\n", {.time = 3600.0}},
      {preset("cmo_hfox_2") + "targets = [\"10 uS\", \"80 uS\"]\naccess_resistance = \"10 kohm\"\n",
       {.time = 3600.0}},
      {high + "access_resistance = \"20 kohm\"\nlow_frequency_noise = 0.01\n", {.time = day}},
      {low, {.time = 3600.0}},
      {low + verify, {}},
      {low + verify + noise + traps, {.time = day}},
      {high + verify + "access_resistance = \"10 kohm\"\n" + noise + traps + stuck, {.time = day}}};
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const AnalogRram cell = read(cells[c].first, cells[c].second);
    for (std::uint32_t level = 0; level < 2; ++level) {
      Simulation simulation(cell, 100 + 2 * c + level);
      std::vector<double> samples(100000);
      for (double& sample : samples) sample = simulation.read(level);
      const core::Law law = cell.read(level);
      EXPECT_LT(tests::largest_deviation(samples, law), tests::bonferroni_limit)
          << cells[c].first << level;
      for (double& sample : samples) sample = law.mean() + 1.1 * (sample - law.mean());
      EXPECT_GT(tests::largest_deviation(samples, law), tests::bonferroni_limit)
          << cells[c].first << level;
    }
  }
}

TEST(AnalogRram, WriteVerifyDeliversNothingBelowZero) {
  const std::string keys = preset("neurram") +
                           "targets = [\"0 S\", \"20 uS\"]\nverify_window = \"1 uS\"\n"
                           "pulse_sd = \"4 uS\"\n";
  for (const std::string noise : {"0 S", "0.3 uS"}) {
    for (const double time : {0.0, day}) {
      const AnalogRram cell = read(keys + "verify_noise = \"" + noise + "\"\n", {.time = time});
      const core::Law law = cell.programmed(0);
      EXPECT_NEAR(law.tail_probability(core::Tail::lower, 0.0), 0.5, 1e-12) << noise << time;
      EXPECT_EQ(law.tail_probability(core::Tail::lower, -1e-12), 0.0) << noise << time;
      // Half of the square of what would lie about 0.
      const double added =
          time > 0.0 ? std::sqrt(std::pow(neurram_sd(0, day), 2) - std::pow(neurram_sd(0, 0), 2))
                     : 0.0;
      const double sd = delivered_sd({4 * us, noise == "0 S" ? 0.0 : 0.3 * us, 1 * us}, added);
      EXPECT_NEAR((law.variance() + law.mean() * law.mean()) / (0.5 * sd * sd), 1.0, 1e-10)
          << noise << time;
    }
  }
  const AnalogRram near = read(preset("neurram") +
                               "targets = [\"0.4 uS\", \"20 uS\"]\nverify_window = \"1 uS\"\n"
                               "pulse_sd = \"4 uS\"\n");
  // 0.4 of a window of -0.6 to 1.4 uS about uniform: 0.3 of the cells.
  EXPECT_NEAR(near.programmed(0).tail_probability(core::Tail::lower, 0.0), 0.3, 0.002);
}

TEST(AnalogRram, StuckCellsHaveTheTrapOfTheConductanceThatTheyHold) {
  const AnalogRram cell = read(preset("neurram") +
                               "targets = [\"2 uS\", \"40 uS\"]\nstuck_at_lrs = 1\n"
                               "telegraph_probability = 0.5\ntelegraph_amplitude = 0.02\n");
  const double amplitude = 0.02 * 100.0 / 40.0;
  for (const std::uint32_t level : {0u, 1u}) {
    EXPECT_NEAR(cell.programmed(level).mean() / (40 * us * (1.0 - 0.5 * amplitude)), 1.0, 1e-14);
    EXPECT_NEAR(cell.read(level).mean() / (40 * us * (1.0 - 0.5 * amplitude)), 1.0, 1e-14);
  }
  const AnalogRram low = read(preset("neurram") +
                              "targets = [\"2 uS\", \"40 uS\"]\nstuck_at_hrs = 1\n"
                              "telegraph_probability = 0.5\ntelegraph_amplitude = 0.02\n");
  EXPECT_NEAR(low.programmed(1).mean() / (2 * us * (1.0 - 0.5 * 0.5)), 1.0, 1e-14);
}

TEST(AnalogRram, StuckCellsFeelConditionsButNoRelaxation) {
  const std::string keys = preset("cmo_hfox_2") +
                           "targets = [\"10 uS\", \"80 uS\"]\ntemperature_coefficient = -0.001\n"
                           "activation_energy = 0.05\nretention_loss = 0.02\n"
                           "retention_time = \"1 s\"\nreads = 3e6\ndisturb_reads = 1e6\n"
                           "disturb_exponent = 0.5\nstuck_at_";
  const Conditions hot{.time = 3600.0, .temperature = 358.15};
  for (const std::uint32_t level : {0u, 1u}) {
    const core::Law high = read(keys + "lrs = 1\n", hot).programmed(level);
    EXPECT_NEAR(high.mean() / (80 * us * 0.94 * (1.0 - 0.02 * std::log(3601.0))), 1.0, 1e-14);
    EXPECT_EQ(high.sd(), 0.0);
    const core::Law low = read(keys + "hrs = 1\n", hot).programmed(level);
    // exp(-0.05 eV / k (1 / 358.15 K - 1 / 298.15 K)) and 4^0.5
    const double heated = std::exp(-0.05 / 8.617333262145e-5 * (1.0 / 358.15 - 1.0 / 298.15));
    EXPECT_NEAR(low.mean() / (10 * us * heated * 2.0), 1.0, 1e-9);
    EXPECT_EQ(low.sd(), 0.0);
  }
}

TEST(AnalogRram, LowFrequencyNoiseGathersFromTheTimeThatThePresetHolds) {
  const std::string noisy = "targets = [\"5 uS\", \"20 uS\"]\nlow_frequency_noise = 0.02\n";
  const AnalogRram cell = read(preset("neurram_1d") + noisy);
  const double relative = 0.02 * std::sqrt(std::log((day + 1e-6) / 2e-6));
  EXPECT_NEAR(relative, 0.099, 0.0005);
  const double frozen = cell.programmed(1).variance();
  const double square = frozen + std::pow(cell.programmed(1).mean(), 2);
  EXPECT_NEAR(cell.read(1).variance() / (frozen + relative * relative * square), 1.0, 1e-12);
  EXPECT_THAT(
      refusal(preset("neurram") + noisy),
      HasSubstr("cell.low_frequency_noise: is nothing yet (it gathers from read_time, 1 us, "
                "to conditions.time, 0 s); choose a later conditions.time, or leave the "
                "key out"));
  EXPECT_EQ(refusal(preset("neurram") + noisy, {.time = day}), "accepted");
}

TEST(AnalogRram, WearTemperatureAndTransistorActInThatOrder) {
  const Conditions hot{.time = 0.0, .temperature = 358.15};
  const AnalogRram cell = read(preset("neurosim") +
                                   "access_resistance = \"10 kohm\"\ntemperature_coefficient = "
                                   "-0.001\nactivation_energy = 0.05\n",
                               hot);
  const double lrs = 10 * us * 0.94;
  const double hrs = 10 * us / 17 / arrhenius(0.05, 358.15);
  EXPECT_NEAR(cell.programmed(1).mean() / (lrs / (1 + lrs * 1e4)), 1.0, 1e-14);
  EXPECT_NEAR(cell.programmed(0).mean() / (hrs / (1 + hrs * 1e4)), 1.0, 1e-14);
}

TEST(AnalogRram, NoiseOfTheDeviceIsLessBehindTheTransistorAndThatOfTheReadIsNot) {
  const double resistance = 2e3;
  const double g = 100 * us;
  const auto relative = [](const AnalogRram& cell) {
    const core::Law frozen = cell.programmed(1);
    const double square = frozen.variance() + frozen.mean() * frozen.mean();
    return std::sqrt((cell.read(1).variance() - frozen.variance()) / square);
  };
  AnalogRram cell = read(preset("neurosim") + "access_resistance = \"2 kohm\"\n");
  cell.targets = {5 * us, g};  // without any spread
  cell.conditions.time = 3600.0;
  const double low = low_frequency_noise(0.01, 3600.0, 1e-6);
  cell.low_frequency_noise = 0.01;
  EXPECT_NEAR(relative(cell) * (1.0 + g * resistance) / low, 1.0, 1e-9);
  EXPECT_LT(relative(cell) / low, 0.84);  // not that of the twin behind the transistor
  cell.low_frequency_noise = 0.0;
  cell.read_noise = 0.01;
  EXPECT_NEAR(relative(cell) / 0.01, 1.0, 1e-9);
  cell.read_noise = 0.0;
  cell.traps = TelegraphNoise{3e-6, 1e-6};
  cell.read_time = 1e-3;
  cell.telegraph.at_reference = 0.2;
  const double left = g * (1.0 - 0.25 * 0.2);
  const double trapping = g * 0.2 * cell.traps->averaged_sd(1e-3) / left;
  EXPECT_NEAR(relative(cell) * (1.0 + left * resistance) / trapping, 1.0, 1e-9);
}

TEST(AnalogRram, TrapsAreBeforeTheTransistor) {
  const AnalogRram cell = read(preset("neurosim") +
                               "telegraph_probability = 0.25\ntelegraph_amplitude = 0.02\n"
                               "access_resistance = \"50 kohm\"\n");
  const auto behind = [](double g) { return g / (1.0 + 5e4 * g); };
  const double empty = behind(10 * us);
  const double trapped = behind(8 * us);
  EXPECT_NEAR(cell.programmed(1).mean() / (0.75 * empty + 0.25 * trapped), 1.0, 1e-14);
  EXPECT_NEAR(cell.programmed(1).sd() / ((empty - trapped) * std::sqrt(0.1875)), 1.0, 1e-12);
  // The twin whose trap takes its share of the current: 1.4 times as noisy.
  EXPECT_GT(0.2 * empty / (empty - trapped), 1.3);
}

TEST(AnalogRram, WriteVerifyReplacesTheProgramming) {
  const AnalogRram cell = read(preset("neurram") +
                                   "targets = [\"5 uS\", \"40 uS\"]\nverify_window = \"1 uS\"\n"
                                   "pulse_sd = \"4 uS\"\nverify_noise = \"0.3 uS\"\n",
                               {.time = day});
  const double added =
      std::sqrt(std::pow(neurram_sd(40 * us, day), 2) - std::pow(neurram_sd(40 * us, 0.0), 2));
  EXPECT_NEAR(cell.programmed(1).sd() / delivered_sd({4 * us, 0.3 * us, 1 * us}, added), 1.0,
              1e-12);
}

TEST(AnalogRram, TelegraphNoiseAndWornCellsAreMixtures) {
  const AnalogRram cell =
      read(preset("neurosim") +
           "telegraph_probability = 0.25\ntelegraph_amplitude = 0.02\ntelegraph_largest = 0.3\n"
           "cycles = 1e5\nlifetime_cycles = 1e6\n");
  const double worn = -std::expm1(-0.1);
  // 10 uS: dG/G = 0.02 x 10
  EXPECT_NEAR(cell.programmed(1).mean() / (10 * us * (1 - 0.25 * 0.2)), 1.0, 1e-14);
  EXPECT_NEAR(cell.programmed(0).tail_probability(core::Tail::upper, 5 * us), worn, 1e-14);
}

TEST(AnalogRram, FastTrapsAreAveragedByTheReadAndSlowOnesAreFrozen) {
  const std::string keys = preset("neurosim") +
                           "telegraph_capture_time = \"3 us\"\ntelegraph_emission_time = \"1 us\"\n"
                           "telegraph_amplitude = 0.02\nread_time = ";
  const TelegraphNoise traps{3e-6, 1e-6};
  const double a = 0.2;  // at 10 uS
  const AnalogRram fast = read(keys + "\"1 ms\"\n");
  EXPECT_NEAR(fast.programmed(1).mean() / (10 * us * (1 - 0.25 * a)), 1.0, 1e-14);
  EXPECT_EQ(fast.programmed(1).sd(), 0.0);
  EXPECT_NEAR(fast.read(1).mean() / (10 * us * (1 - 0.25 * a)), 1.0, 1e-14);
  EXPECT_NEAR(fast.read(1).sd() / (10 * us * a * traps.averaged_sd(1e-3)), 1.0, 1e-12);
  const AnalogRram slow = read(keys + "\"10 ns\"\n");
  EXPECT_NEAR(slow.programmed(1).sd() / (10 * us * a * std::sqrt(0.25 * 0.75)), 1.0, 1e-12);
}

TEST(AnalogRram, EveryPresetSaysWhereItIsFrom) {
  for (const RramPreset& set : rram_presets()) {
    EXPECT_FALSE(set.source.empty()) << set.name;
    EXPECT_FALSE(set.remark.empty()) << set.name;
    EXPECT_FALSE(set.meaning.empty()) << set.name;
    EXPECT_LT(set.lowest, set.highest) << set.name;
    const AnalogRram cell = read(preset(std::string(set.name)));
    EXPECT_EQ(cell.levels(), 2U);
    EXPECT_GT(cell.read(1).mean(), cell.read(0).mean()) << set.name;
  }
}

TEST(AnalogRram, RefusesWhatItsSourcesDoNotCover) {
  EXPECT_THAT(refusal(preset("neurram") + "targets = [\"5 uS\", \"50 uS\"]\n"),
              HasSubstr("cell.targets: 50 uS is outside of what the model was fitted to (0 S to 40 "
                        "uS); choose a conductance in between"));
  EXPECT_THAT(
      refusal(preset("neurram_1s"), {.time = 3600.0}),
      HasSubstr("cell.preset: neurram_1s holds 1 s after programming (conditions.time is 3.6 "
                "ks); take \"neurram\", which is continuous in time, or leave the time out"));
  EXPECT_THAT(refusal(preset("milo"), {.time = 60.0}),
              HasSubstr("cell.preset: milo knows nothing of time (conditions.time is 60 s); state "
                        "retention_loss and retention_time, or retention_exponent, or leave the "
                        "time out"));
  EXPECT_THAT(refusal(preset("cmo_hfox_2"), {.time = 0.5}),
              HasSubstr("cell.preset: the relaxation of cmo_hfox_2 was measured from 1 s on "
                        "(conditions.time is 500 ms); choose a later time, or 0 for cells just "
                        "programmed"));
  EXPECT_THAT(refusal(preset("dl_rsim") + "levels = 4\n"),
              HasSubstr("cell.levels: preset dl_rsim has two conductances of its own (62.5 uS and "
                        "400 uS); leave the key out"));
  EXPECT_THAT(
      refusal(preset("milo") + "variation = 0.1\n"),
      HasSubstr("cell.variation: preset milo has a spread of its own; leave the key out, or "
                "take preset \"neurosim\""));
  EXPECT_THAT(refusal(preset("milo") + "voltage = \"0.48 V\"\n", {.supply = 1.1}),
              HasSubstr("cell.voltage: is beyond what the I-V curve was fitted to (528 mV, with "
                        "conditions.supply; up to 500 mV); lower it"));
  EXPECT_THAT(refusal(preset("neurram") + "voltage = \"0.2 V\"\n"),
              HasSubstr("cell.voltage: preset neurram has no I-V curve; state sinh_scale, or leave "
                        "the key out"));
  EXPECT_THAT(
      refusal(preset("neurram") + "sinh_scale = \"0.3 V\"\n"),
      HasSubstr("cell.sinh_scale: needs voltage too (the curve is read there); state both"));
  EXPECT_THAT(
      refusal(preset("neurram") + "pulse_sd = \"3 uS\"\n"),
      HasSubstr("cell.pulse_sd: has no effect without verify_window; set both, or leave both "
                "out"));
  EXPECT_THAT(refusal(preset("neurram") + "verify_window = \"1 uS\"\n"),
              HasSubstr("cell.verify_window: needs pulse_sd too (what is accepted depends on it); "
                        "state the spread before verifying"));
  EXPECT_THAT(
      refusal(preset("neurram_1s") + "verify_window = \"1 uS\"\npulse_sd = \"3 uS\"\n"),
      HasSubstr("cell.verify_window: can't replace the programming of neurram_1s (its fit holds "
                "programming and relaxation together); take another preset, or leave the key out"));
  EXPECT_THAT(refusal(preset("suny_1bit") + "verify_window = \"1 uS\"\npulse_sd = \"3 uS\"\n"),
              HasSubstr("(it is not a normal law)"));
  for (const std::string keys : {"telegraph_probability = 0.2\n", "telegraph_amplitude = 0.2\n",
                                 "telegraph_amplitude = 0.2\ntelegraph_capture_time = \"1 s\"\n"}) {
    EXPECT_THAT(refusal(preset("neurram") + keys),
                HasSubstr(": telegraph noise is not complete (it needs telegraph_amplitude, and "
                          "either telegraph_probability or both dwell times); set these, or leave "
                          "all out"))
        << keys;
  }
  EXPECT_THAT(refusal(preset("neurram") + "stuck_at_lrs = 0.7\nstuck_at_hrs = 0.7\n"),
              HasSubstr("cell.stuck_at_lrs: stuck_at_lrs + stuck_at_hrs exceeds 1 (they are "
                        "fractions of all cells); lower one of them"));
  EXPECT_THAT(refusal(preset("neurram") + "retention_loss = 0.1\n"),
              HasSubstr("cell.retention_loss: needs retention_time too; set both, or leave both "
                        "out"));
  EXPECT_THAT(refusal(preset("neurram") + "retention_time = \"1 s\"\n"),
              HasSubstr("cell.retention_time: has no effect without retention_loss; set both, or "
                        "leave both out"));
  EXPECT_THAT(
      refusal(preset("neurram") + "lifetime_shape = 2\n"),
      HasSubstr("cell.lifetime_shape: has no effect without cycles; set both, or leave both "
                "out"));
  EXPECT_THAT(refusal(preset("neurram") + "reads = 1e6\n"),
              HasSubstr("cell.reads: needs disturb_reads too; set both, or leave both out"));
  EXPECT_THAT(refusal(preset("neurram") + "retention_loss = 0.9\nretention_time = \"1 s\"\n",
                      {.time = 10 * day}),
              HasSubstr("cell.retention_loss: nothing is left of the conductance (at 864000 s and "
                        "298.15 K); lower it"));
  EXPECT_THAT(refusal("preset = \"wan\"\n"), HasSubstr("cell.preset"));
}

}  // namespace
}  // namespace cimstat::devices
