#include "devices/pcm/pcm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <gtest/gtest.h>

#include "core/law/shape.h"

#include "devices/cell.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::devices {
namespace {

using core::Tail;
using tests::bonferroni_limit;
using tests::largest_deviation;
using tests::NormalNumbers;

static_assert(CellModel<PcmCell>);

constexpr double micro = 1e-6;
constexpr double hour = 3600.0;
constexpr double day = 86400.0;
const double times[] = {0.0, 1.0, hour, 30.0 * day, 3.15e7};

PcmCell cell_of(PcmPreset preset, double time) {
  const PcmStatistics statistics = pcm_statistics(preset);
  PcmCell cell{.statistics = statistics, .targets = {}, .conditions = {}};
  for (const double g : {0.0, 0.1, 0.5, 1.0}) cell.targets.push_back(g * statistics.full_scale);
  cell.conditions.time = time;
  return cell;
}

const PcmPreset presets[] = {PcmPreset::ibm, PcmPreset::joshi, PcmPreset::hermes_one_device,
                             PcmPreset::hermes_two_devices, PcmPreset::state_independent};

/// E f(xi) of a standard normal xi, in panels between 10 standard deviations and `bends`.
double expectation(const std::function<double(double)>& f, std::vector<double> bends) {
  bends.push_back(-10.0);
  bends.push_back(10.0);
  for (double xi = -9.0; xi < 10.0; xi += 1.0) bends.push_back(xi);
  std::sort(bends.begin(), bends.end());
  double sum = 0.0;
  for (std::size_t i = 1; i < bends.size(); ++i) {
    if (bends[i - 1] < -10.0 || bends[i] > 10.0 || bends[i] == bends[i - 1]) continue;
    sum += boost::math::quadrature::gauss_kronrod<double, 31>::integrate(
        [&](double xi) { return f(xi) * core::normal_density(xi); }, bends[i - 1], bends[i], 0);
  }
  return sum;
}

/// What the formulas, not the laws, say of a level at a time.
struct Oracle {
  double mean = 0.0;
  double variance = 0.0;
  double drift_square = 0.0;  ///< E (t / t_0)^(-2 nu)
};

Oracle oracle_of(const PcmCell& cell, std::uint32_t level, double time) {
  const PcmStatistics& s = cell.statistics;
  const double target = cell.target(level);
  const double sd = s.programming_sd(target);
  const double exponent = s.drift_mean(target);
  const double exponent_sd = s.drift_sd(target);
  const double ratio = (s.first_read + time) / s.first_read;
  const auto programmed = [&](double xi) { return std::max(0.0, target + sd * xi); };
  const auto drift = [&](double xi) {
    return std::pow(ratio, -std::abs(exponent + exponent_sd * xi));
  };
  const std::vector<double> clamp{-target / sd};
  const std::vector<double> fold{-exponent / exponent_sd};
  const double mean = expectation(programmed, clamp);
  const double variance =
      expectation([&](double xi) { return std::pow(programmed(xi) - mean, 2); }, clamp);
  const double drift_mean = expectation(drift, fold);
  const double drift_variance =
      expectation([&](double xi) { return std::pow(drift(xi) - drift_mean, 2); }, fold);
  const double drift_square = expectation([&](double xi) { return std::pow(drift(xi), 2); }, fold);
  return {mean * drift_mean, variance * drift_square + mean * mean * drift_variance, drift_square};
}

TEST(PcmCell, MeanAndSdAreThoseOfTheFormulaAtAnyTime) {
  for (const PcmPreset preset : presets) {
    for (const double time : times) {
      const PcmCell cell = cell_of(preset, time);
      for (std::uint32_t level = 0; level < cell.levels(); ++level) {
        SCOPED_TRACE(testing::Message() << "preset " << static_cast<int>(preset) << " level "
                                        << level << " after " << time << " s");
        const Oracle oracle = oracle_of(cell, level, time);
        const double mean = oracle.mean;
        const double sd = std::sqrt(oracle.variance);
        EXPECT_NEAR(cell.mean(level, time) / mean, 1.0, 1e-12);
        EXPECT_NEAR(std::sqrt(cell.variance(level, time)) / sd, 1.0, 1e-12);
        const core::Law law = cell.programmed(level);
        EXPECT_NEAR(law.mean() / mean, 1.0, 1e-12);
        EXPECT_NEAR(law.sd() / sd, 1.0, 1e-12);
      }
    }
  }
}

TEST(PcmCell, ReadNoiseAddsTheVarianceOfTheFormula) {
  for (const PcmPreset preset : presets) {
    for (const double time : {0.0, 30.0 * day}) {
      const PcmCell cell = cell_of(preset, time);
      for (std::uint32_t level = 0; level < cell.levels(); ++level) {
        SCOPED_TRACE(testing::Message() << "preset " << static_cast<int>(preset) << " level "
                                        << level << " after " << time << " s");
        const PcmStatistics& s = cell.statistics;
        const double target = cell.target(level);
        const double sd = s.programming_sd(target);
        std::vector<double> bends{-target / sd};
        // Where the quality is clipped or changes its formula, and towards G_p = 0.
        for (const double g :
             {0.1591, 0.16, std::pow(0.044, 1.0 / 0.65), std::exp((0.04 - 0.0038) / -0.0078),
              std::exp((0.0179 - 0.0038) / -0.0078), std::exp((0.04 + 0.0069) / -0.0117),
              std::exp((0.015 + 0.0069) / -0.0117)}) {
          bends.push_back((g * s.full_scale - target) / sd);
        }
        for (int i = 1; i < 30; ++i) bends.push_back((std::ldexp(sd, -i) - target) / sd);
        const double noise = expectation(
            [&](double xi) {
              const double g = std::max(0.0, target + sd * xi);
              return std::pow(g * s.read_noise_quality(g), 2);
            },
            bends);
        const Oracle oracle = oracle_of(cell, level, time);
        const double added = noise * oracle.drift_square * std::pow(s.time_factor(time), 2);
        EXPECT_NEAR(cell.read_variance(level, time) / added, 1.0, 1e-11);
        const core::Law law = cell.read(level);
        EXPECT_NEAR(law.mean() / oracle.mean, 1.0, 1e-12);
        EXPECT_NEAR(law.sd() / std::sqrt(oracle.variance + added), 1.0, 1e-12);
      }
    }
  }
}

TEST(PcmCell, HalfOfTheResetCellsConductsNothing) {
  const PcmCell cell = cell_of(PcmPreset::ibm, hour);
  EXPECT_NEAR(cell.programmed(0).tail_probability(Tail::lower, 0.0), 0.5, 1e-12);
  EXPECT_LT(cell.programmed(3).tail_probability(Tail::lower, 0.0), 1e-100);
}

std::vector<double> sampled(const PcmCell& cell, std::uint32_t level, double time,
                            double programming_stretch) {
  NormalNumbers normal(11);
  std::vector<double> samples;
  for (int i = 0; i < 200000; ++i) {
    const double programming = normal();
    const PcmCell::Device device = cell.device(level, programming_stretch * programming, normal());
    samples.push_back(cell.conductance(device, time));
  }
  return samples;
}

TEST(PcmCell, SampledDevicesHaveTheLawsMomentsAndQuantiles) {
  for (const PcmPreset preset : {PcmPreset::ibm, PcmPreset::state_independent}) {
    for (const double time : {0.0, 30.0 * day}) {
      const PcmCell cell = cell_of(preset, time);
      for (const std::uint32_t level : {1u, 3u}) {
        SCOPED_TRACE(testing::Message() << "level " << level << " after " << time << " s");
        const core::Law law = cell.programmed(level);
        EXPECT_LT(largest_deviation(sampled(cell, level, time, 1.0), law), bonferroni_limit);
        if (time == 0.0) {
          EXPECT_GT(largest_deviation(sampled(cell, level, time, 1.03), law), bonferroni_limit);
        }
      }
    }
  }
}

TEST(PcmCell, SampledReadsHaveTheLawsMomentsAndQuantiles) {
  const PcmCell cell = cell_of(PcmPreset::ibm, day);
  for (const std::uint32_t level : {1u, 2u, 3u}) {
    SCOPED_TRACE(testing::Message() << "level " << level);
    NormalNumbers normal(12);
    std::vector<double> samples;
    std::vector<double> noiseless;
    for (int i = 0; i < 200000; ++i) {
      const double programming = normal();
      const PcmCell::Device device = cell.device(level, programming, normal());
      const double frozen = cell.conductance(device, day);
      samples.push_back(frozen + cell.read_sd(level, device, day) * normal());
      noiseless.push_back(frozen);
    }
    EXPECT_LT(largest_deviation(samples, cell.read(level)), bonferroni_limit);
    EXPECT_GT(largest_deviation(noiseless, cell.read(level)), bonferroni_limit);
  }
}

/// The sample covariance of a device's conductances at two times in standard errors from the
/// closed form.
template <class Path>
double covariance_deviation(const PcmCell& cell, std::uint32_t level, const Path& path) {
  const double first = hour;
  const double second = 30.0 * day;
  NormalNumbers normal(13);
  constexpr int count = 200000;
  double sum = 0.0;
  double square = 0.0;
  for (int i = 0; i < count; ++i) {
    const std::vector<double> g = path(normal, first, second);
    const double product = (g[0] - cell.mean(level, first)) * (g[1] - cell.mean(level, second));
    sum += product / count;
    square += product * product / count;
  }
  return std::abs(sum - cell.covariance(level, first, second)) /
         std::sqrt((square - sum * sum) / count);
}

TEST(PcmCell, ADevicesConductancesAtTwoTimesCovaryAsTheClosedFormSays) {
  const PcmCell cell = cell_of(PcmPreset::ibm, 0.0);
  for (const std::uint32_t level : {1u, 3u}) {
    const auto own_exponent = [&](NormalNumbers& normal, double first, double second) {
      const double programming = normal();
      const double times_of_path[] = {first, second};
      return cell.path(level, programming, normal(), times_of_path);
    };
    EXPECT_LT(covariance_deviation(cell, level, own_exponent), 5.0);
    // The biased twin draws the exponent anew at each time.
    const auto redrawn = [&](NormalNumbers& normal, double first, double second) {
      const double programming = normal();
      const double exponent = normal();
      return std::vector<double>{
          cell.conductance(cell.device(level, programming, exponent), first),
          cell.conductance(cell.device(level, programming, normal()), second)};
    };
    EXPECT_GT(covariance_deviation(cell, level, redrawn), 5.0);
  }
}

TEST(PcmCell, CovarianceWithItselfIsTheVariance) {
  const PcmCell cell = cell_of(PcmPreset::hermes_one_device, 0.0);
  for (const double time : times) {
    EXPECT_NEAR(cell.covariance(2, time, time) / oracle_of(cell, 2, time).variance, 1.0, 1e-12);
  }
}

TEST(PcmCell, ReferencesFollowTheHighestLevel) {
  PcmCell cell = cell_of(PcmPreset::ibm, 30.0 * day);
  EXPECT_EQ(cell.reference_factor(), 1.0);
  cell.compensation = DriftCompensation::none;
  EXPECT_EQ(cell.reference_factor(), 1.0);
  cell.compensation = DriftCompensation::exact;
  EXPECT_NEAR(cell.reference_factor(), std::pow((30.0 * day + 20.0) / 20.0, -0.049), 1e-15);
  cell.compensation = DriftCompensation::global;
  EXPECT_NEAR(cell.reference_factor(), cell.mean(3, 30.0 * day) / cell.mean(3, 0.0), 1e-15);
  EXPECT_GT(cell.reference_factor(), std::pow((30.0 * day + 20.0) / 20.0, -0.049));
}

}  // namespace
}  // namespace cimstat::devices
