#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

#include "core/law/law.h"
#include "core/law/shape.h"
#include "core/random/random.h"

#include "devices/rram/current_voltage.h"
#include "devices/rram/relaxation.h"
#include "devices/rram/telegraph_noise.h"
#include "devices/rram/wear.h"
#include "devices/rram/write_verify.h"

namespace cimstat::devices {
namespace {

constexpr double us = 1e-6;

double normal(core::TrialRandom& random) {
  const double u = random.uniform();
  return u < 0.5 ? core::normal_quantile(core::Tail::lower, u)
                 : core::normal_quantile(core::Tail::upper, 1.0 - u);
}

TEST(WriteVerify, WithoutNoiseDeliversATruncatedNormal) {
  const WriteVerify write{.pulse_sd = 4 * us, .verify_noise = 0.0, .window = 1 * us};
  const double a = 0.25;
  const double inside = std::erf(a / std::sqrt(2.0));
  const double sd = 4 * us * std::sqrt(1.0 - 2.0 * a * core::normal_density(a) / inside);
  EXPECT_NEAR(acceptance(write) / inside, 1.0, 1e-14);
  EXPECT_NEAR(delivered_sd(write) / sd, 1.0, 1e-12);
  const core::Law law({{.base = delivered_law(write, 20 * us)}});
  EXPECT_NEAR(law.mean() / (20 * us), 1.0, 1e-14);
  EXPECT_NEAR(law.sd() / sd, 1.0, 1e-12);
  EXPECT_EQ(law.tail_probability(core::Tail::upper, 21.01 * us), 0.0);
}

TEST(WriteVerify, NarrowWindowsKeepTheirDigits) {
  // A window far below the spread delivers a uniform law of that half width.
  const WriteVerify write{.pulse_sd = 1.0, .verify_noise = 0.0, .window = 1e-3};
  EXPECT_NEAR(delivered_sd(write) * std::sqrt(3.0) / 1e-3, 1.0, 1e-6);
  WriteVerify below{.pulse_sd = 1.0, .verify_noise = 0.0, .window = 0.01999999};
  WriteVerify above{.pulse_sd = 1.0, .verify_noise = 0.0, .window = 0.02000001};
  EXPECT_NEAR(delivered_sd(above) / delivered_sd(below), 1.000001, 1e-10);
}

TEST(WriteVerify, LawOfWhatANoisyReadAcceptsHasTheClosedFormMoments) {
  const WriteVerify write{.pulse_sd = 4 * us, .verify_noise = 0.5 * us, .window = 1 * us};
  for (const double relaxation : {0.0, 2 * us}) {
    const core::Law law({{.base = delivered_law(write, 20 * us, relaxation)}});
    EXPECT_NEAR(law.mean() / (20 * us), 1.0, 1e-12);
    EXPECT_NEAR(law.sd() / delivered_sd(write, relaxation), 1.0, 1e-12);
  }
}

TEST(WriteVerify, NoiseOfAnySizeMakesALawWithTheClosedFormMomentsAtOnce) {
  for (const double noise : {1e-12, 1e-6, 1e-4, 0.01, 1.0, 100.0}) {
    for (const double window : {0.01, 1.0}) {
      const WriteVerify write{
          .pulse_sd = 4 * us, .verify_noise = noise * us, .window = window * us};
      const core::Law law({{.base = delivered_law(write, 20 * us)}});
      EXPECT_NEAR(law.mean() / (20 * us), 1.0, 1e-12) << noise << ' ' << window;
      EXPECT_NEAR(law.sd() / delivered_sd(write), 1.0, 2e-12) << noise << ' ' << window;
      // A noise that is small against the window leaves a truncated normal.
      if (noise > 1e-3 * window) continue;
      const core::Law sharp({{.base = core::TruncatedNormal{20 * us, 4 * us, (20 - window) * us,
                                                            (20 + window) * us}}});
      for (const double at : {-1.5, -0.5, 0.0, 0.7}) {
        const double g = (20 + at * std::min(window, 4.0)) * us;
        EXPECT_NEAR(law.tail_probability(core::Tail::lower, g),
                    sharp.tail_probability(core::Tail::lower, g), noise / window)
            << noise << ' ' << window << ' ' << at;
      }
    }
  }
}

TEST(WriteVerify, SimulatedLoopsAgreeAndTheTwinThatRedrawsNoNoiseDoesNot) {
  const WriteVerify write{.pulse_sd = 3 * us, .verify_noise = 0.8 * us, .window = 1 * us};
  const double relaxation = 0.6 * us;
  const core::Law law({{.base = delivered_law(write, 20 * us, relaxation)}});
  const std::vector<double> edges{
      law.quantile(core::Tail::lower, 0.01), law.quantile(core::Tail::lower, 0.2), 20 * us,
      law.quantile(core::Tail::upper, 0.05), law.quantile(core::Tail::upper, 0.002)};
  const int n = 60000;
  std::vector<int> below(edges.size());
  int twin_outside = 0;
  double square = 0.0;
  core::TrialRandom random({2022, 0}, core::Domain::test, 7);
  for (int i = 0; i < n; ++i) {
    double g = 0.0;
    double reading = 0.0;
    do {
      g = 3 * us * normal(random);
      reading = g + 0.8 * us * normal(random);
    } while (std::abs(reading) >= 1 * us);
    const double change = relaxation * normal(random);
    const double delivered = 20 * us + g + change;
    square += std::pow(delivered - 20 * us, 2);
    for (std::size_t k = 0; k < edges.size(); ++k) below[k] += delivered <= edges[k] ? 1 : 0;
    // delivers the accepted reading itself, as models without a noisy read do
    twin_outside += std::abs(reading + change) > edges.back() - 20 * us ? 1 : 0;
  }
  // Bonferroni over 6 statements: 4.5 standard errors.
  for (std::size_t k = 0; k < edges.size(); ++k) {
    const double p = law.tail_probability(core::Tail::lower, edges[k]);
    EXPECT_NEAR(below[k], n * p, 4.5 * std::sqrt(n * p * (1.0 - p))) << k;
  }
  EXPECT_NEAR(std::sqrt(square / n) / law.sd(), 1.0, 4.5 / std::sqrt(2.0 * n));
  EXPECT_LT(twin_outside, 2 * 0.002 * n - 4.5 * std::sqrt(2 * 0.002 * n));
}

TEST(Relaxation, VarianceAndShiftFollowTheLogarithmOfTime) {
  const LogTimeRelaxation relaxation{
      .initial_sd = 1.0, .sd_per_fold = 0.5, .loss_per_fold = 0.1, .time = 2.0};
  EXPECT_EQ(relaxation.variance(0.0), 1.0);
  EXPECT_NEAR(relaxation.variance(2.0 * (std::exp(4.0) - 1.0)), 2.0, 1e-14);
  EXPECT_NEAR(relaxation.shift(2.0 * (std::exp(4.0) - 1.0)), -0.4, 1e-15);
  EXPECT_EQ(relaxation.covariance(5.0, 300.0), relaxation.variance(5.0));
}

TEST(Relaxation, PathsAtTwoTimesCorrelateAsTheModelSaysAndIndependentOnesDoNot) {
  const LogTimeRelaxation relaxation{
      .initial_sd = 1.0, .sd_per_fold = 0.5, .loss_per_fold = 0.1, .time = 1.0};
  const std::vector<double> times{1.0, 3600.0, 86400.0};
  const int n = 40000;
  std::vector<double> sum(3);
  std::vector<double> product(9);
  double independent = 0.0;
  core::TrialRandom random({7, 0}, core::Domain::test, 1);
  for (int i = 0; i < n; ++i) {
    const std::vector<double> normals{normal(random), normal(random), normal(random)};
    const auto path =
        relaxation_path([&](double t) { return 20.0 + relaxation.shift(t); },
                        [&](double t) { return relaxation.variance(t); }, times, normals);
    std::vector<double> deviation(3);
    for (std::size_t k = 0; k < 3; ++k) {
      deviation[k] = path[k] - 20.0 - relaxation.shift(times[k]);
      sum[k] += deviation[k];
    }
    for (std::size_t k = 0; k < 9; ++k) product[k] += deviation[k / 3] * deviation[k % 3];
    independent += deviation[0] * normals[2] * std::sqrt(relaxation.variance(times[2]));
  }
  // Bonferroni over 9 covariances and 3 means.
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(sum[j] / n, 0.0, 4.5 * std::sqrt(relaxation.variance(times[j]) / n));
    for (std::size_t k = 0; k < 3; ++k) {
      const double c = relaxation.covariance(times[j], times[k]);
      const double error =
          std::sqrt((relaxation.variance(times[j]) * relaxation.variance(times[k]) + c * c) / n);
      EXPECT_NEAR(product[3 * j + k] / n, c, 4.5 * error) << j << k;
      if (j == 0 && k == 2) {
        EXPECT_GT(c - independent / n, 4.5 * error);
      }
    }
  }
}

TEST(TelegraphNoise, AveragesOverAWindowAsItsAutocorrelationSays) {
  const TelegraphNoise noise{.capture_time = 3e-3, .emission_time = 1e-3};
  EXPECT_NEAR(noise.occupied(), 0.25, 1e-15);
  EXPECT_NEAR(noise.rate(), 4000.0 / 3.0, 1e-9);
  for (const double window : {1e-9, 7e-6, 8e-6, 1e-3, 1.0}) {
    // Variance of the mean: 2 p (1 - p) / T^2 times the integral of (T - t) exp(-L t).
    double integral = 0.0;
    const double x = noise.rate() * window;
    const int panels = 1 + static_cast<int>(x);
    for (int i = 0; i < panels; ++i) {
      for (const core::Node& node : core::gauss_legendre_16()) {
        const double t = (i + 0.5 * (1.0 + node.value)) / panels;
        integral += 0.5 / panels * node.weight * (1.0 - t) * std::exp(-x * t);
      }
    }
    const double sd = std::sqrt(0.25 * 0.75 * 2.0 * integral);
    EXPECT_NEAR(noise.averaged_sd(window) / sd, 1.0, 1e-12) << window;
  }
}

TEST(TelegraphNoise, PathsHaveItsOccupationAndAutocorrelation) {
  const TelegraphNoise noise{.capture_time = 3.0, .emission_time = 1.0};
  const std::vector<double> times{0.0, 0.5, 3.0};
  const int n = 40000;
  std::vector<double> occupied(3);
  double near = 0.0;
  double far = 0.0;
  core::TrialRandom random({11, 0}, core::Domain::test, 2);
  for (int i = 0; i < n; ++i) {
    const std::vector<double> uniforms{random.uniform(), random.uniform(), random.uniform()};
    const std::vector<int> path = telegraph_path(noise, times, uniforms);
    for (std::size_t k = 0; k < 3; ++k) occupied[k] += path[k];
    near += (path[0] - 0.25) * (path[1] - 0.25);
    far += (path[0] - 0.25) * (path[2] - 0.25);
  }
  for (const double count : occupied) {
    EXPECT_NEAR(count / n, 0.25, 4.5 * std::sqrt(0.25 * 0.75 / n));
  }
  const double error = 4.5 * 0.25 / std::sqrt(n);  // (1 - 0.25)^2 0.25 + ... is below 1/16
  EXPECT_NEAR(near / n, 0.1875 * noise.autocorrelation(0.5), error);
  EXPECT_NEAR(far / n, 0.1875 * noise.autocorrelation(3.0), error);
  EXPECT_GT(std::abs(near / n - 0.1875), error);  // the twin whose state is frozen for ever
}

TEST(TelegraphNoise, AmplitudeGrowsWithResistanceUntilItSaturates) {
  const TelegraphAmplitude amplitude{
      .at_reference = 0.02, .reference = 100 * us, .exponent = 1.0, .largest = 0.3};
  EXPECT_NEAR(amplitude(100 * us), 0.02, 1e-15);
  EXPECT_NEAR(amplitude(20 * us), 0.1, 1e-15);
  EXPECT_EQ(amplitude(1 * us), 0.3);
  EXPECT_EQ(amplitude(0.0), 0.3);
  EXPECT_EQ(TelegraphAmplitude{}(1 * us), 0.0);
}

TEST(LowFrequencyNoise, GrowsWithTheLogarithmOfTimeOverReadTime) {
  // Time factor with t_read = 250 ns: 4.18 at 20 s, 4.76 at 1 h.
  EXPECT_NEAR(low_frequency_noise(1.0, 20.0, 250e-9), 4.18, 0.005);
  EXPECT_NEAR(low_frequency_noise(1.0, 3600.0, 250e-9), 4.76, 0.02);
  EXPECT_NEAR(low_frequency_noise(0.01, 1.0, 1e-6), 0.01 * std::sqrt(std::log(1.000001 / 2e-6)),
              1e-15);
  EXPECT_EQ(low_frequency_noise(0.01, 1e-6, 1e-6), 0.0);
  EXPECT_EQ(low_frequency_noise(0.01, 0.0, 1e-6), 0.0);
}

TEST(Wear, IsNothingAtRoomTemperatureAndTimeZero) {
  const Conditions conditions;
  Wear wear{.temperature_coefficient = -0.001,
            .activation_energy = 0.05,
            .retention_loss = 0.1,
            .retention_time = 1.0};
  EXPECT_EQ(wear.factor(conditions), 1.0);
  EXPECT_EQ(wear.lowest_factor(conditions), 1.0);
  EXPECT_EQ(wear.worn_out(), 0.0);
}

TEST(Wear, FollowsItsFormulas) {
  const Conditions hot{.time = 3600.0, .temperature = 358.15};
  const double k = 8.617333262e-5;
  EXPECT_NEAR(arrhenius(1.2, 358.15), std::exp(1.2 / k * (1 / 358.15 - 1 / 298.15)), 1e-15);
  const Wear wear{.temperature_coefficient = -0.001,
                  .activation_energy = 0.05,
                  .retention_loss = 0.01,
                  .retention_time = 1e6,
                  .retention_energy = 1.2,
                  .reads = 3e5,
                  .disturb_reads = 1e5,
                  .disturb_exponent = 0.5,
                  .cycles = 1e4,
                  .lifetime_cycles = 1e6,
                  .lifetime_shape = 2.0};
  const double tau = 1e6 * arrhenius(1.2, 358.15);
  EXPECT_NEAR(wear.factor(hot), 0.94 * (1.0 - 0.01 * std::log1p(3600.0 / tau)), 1e-14);
  EXPECT_NEAR(wear.lowest_factor(hot), 2.0 * std::exp(-0.05 / k * (1 / 358.15 - 1 / 298.15)),
              1e-13);
  EXPECT_NEAR(wear.worn_out() / 1e-4, 1.0, 1e-4);
}

TEST(CurrentVoltage, MiloPolynomialIsOhmicAtZeroAndBendsAsPublished) {
  EXPECT_EQ(milo_conductance(100 * us, 0.0), 100 * us);
  // L = -4: a = -0.0088832 + 0.024656 - 0.022844 + 0.007063, b = 0.00141936 - 0.00271676 +
  // 0.0012968
  const double a = -0.0000082;
  const double b = -0.0000006;
  EXPECT_NEAR(milo_conductance(100 * us, 0.3), 100 * us + 0.3 * a + 0.09 * b, 1e-15);
  for (double g = 51 * us; g < 225 * us; g += us) {
    EXPECT_GT(milo_conductance(g, 0.5), milo_conductance(g - us, 0.5));
  }
}

TEST(CurrentVoltage, SinhIsOhmicAtSmallVoltages) {
  EXPECT_EQ(sinh_conductance(2 * us, 0.0, 0.3), 2 * us);
  EXPECT_NEAR(sinh_conductance(2 * us, 0.3, 0.3), 2 * us * std::sinh(1.0), 1e-20);
}

}  // namespace
}  // namespace cimstat::devices
