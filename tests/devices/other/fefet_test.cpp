#include "devices/fefet/fefet.h"

#include <cmath>
#include <string>
#include <vector>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/shape.h"

#include "devices/cell.h"

#include "tests/devices/sampled_law.h"

namespace cimstat::devices {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

static_assert(CellModel<FefetCell>);

FefetCell read_cell(const std::string& keys) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"fefet\"\n" + keys, "cell.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {fefet_variant()}};
  FefetCell cell = read_fefet(core::SectionReader(config.table("cell"), section), {});
  config.finish();
  return cell;
}

const char* const one_resistor = "resistance = \"200 kohm\"\nresistance_sigma = 0.07\n";

template <class Function>
double expectation(const Function& f) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 31>;
  double sum = 0.0;
  for (double end = -10.0; end < 10.0; end += 1.0) {
    sum += Rule::integrate([&](double z) { return f(z) * core::normal_density(z); }, end, end + 1.0,
                           0);
  }
  return sum;
}

double oracle(const FefetCell& cell, std::uint32_t level, double centre, int power) {
  return expectation([&](double xi) {
    const double resistance = cell.resistance * std::exp(cell.resistance_sigma * xi);
    return expectation([&](double z) {
      const double threshold = cell.thresholds[level] - cell.threshold_sd * z;
      return std::pow(cell.conductance(threshold, resistance) - centre, power);
    });
  });
}

TEST(FefetCell, FollowsEkvFromWeakToStrongInversion) {
  const FefetCell cell = read_cell("");
  const double thermal = 8.617333262e-5 * room_temperature;
  // Far below threshold the current is exponential, far above quadratic with the drain's part
  // taken off.
  EXPECT_NEAR(std::log(cell.conductance(2.0) / cell.conductance(2.1)), 0.1 / (1.3 * thermal), 1e-4);
  const double pinch_off = 2.0 / 1.3;
  const double strong = (std::pow(pinch_off, 2) - std::pow(pinch_off - 0.1, 2)) /
                        (4.0 * thermal * thermal) * 1e-7 / 0.1;
  EXPECT_NEAR(cell.conductance(-1.0) / strong, 1.0, 1e-9);
}

TEST(FefetCell, SpecificCurrentGrowsAsTheSquareOfTheTemperature) {
  // EKV with the exact k / q, computed outside of this program: n = 1.3, I_S = 100 nA at 298.15 K,
  // V_G = 1 V, V_D = 0.1 V [uS].
  struct Golden {
    double temperature;
    double conductances[3];  ///< at thresholds of 1.4, 1 and 0.6 V
  };
  FefetCell cell = read_cell("");
  cell.gate_voltage = 1.0;
  cell.drain_voltage = 0.1;
  cell.slope_factor = 1.3;
  cell.specific_current = 1e-7;
  for (const Golden& golden :
       {Golden{253.15, {5.3386016596735278e-7, 0.33968542879042722, 19.46915539350002}},
        Golden{298.15, {6.149841611926683e-6, 0.46262829144724269, 19.407887790804361}},
        Golden{358.15, {6.443166436038022e-5, 0.64624098720927259, 19.285385021211076}}}) {
    cell.conditions.temperature = golden.temperature;
    const double thresholds[] = {1.4, 1.0, 0.6};
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(cell.conductance(thresholds[i]) / golden.conductances[i] * 1e6, 1.0, 1e-9)
          << golden.temperature << " K, " << thresholds[i] << " V";
    }
  }
}

TEST(FefetCell, MeanAndSdAreThoseOfTheFormula) {
  for (const std::string keys : {"", "resistance = \"200 kohm\"\n", one_resistor}) {
    const FefetCell cell = read_cell("levels = 3\n" + keys);
    for (std::uint32_t level = 0; level < 3; ++level) {
      const double mean = oracle(cell, level, 0.0, 1);
      const double sd = std::sqrt(oracle(cell, level, mean, 2));
      const core::Law law = cell.programmed(level);
      EXPECT_NEAR(law.mean() / mean, 1.0, 1e-12) << keys << level;
      EXPECT_NEAR(law.sd() / sd, 1.0, 1e-12) << keys << level;
    }
  }
}

TEST(FefetCell, AResistorSetsTheCurrentOfTheHighestLevel) {
  const FefetCell alone = read_cell("");
  const FefetCell behind = read_cell(one_resistor);
  const auto relative_sd = [](const core::Law& law) { return law.sd() / law.mean(); };
  EXPECT_GT(relative_sd(alone.programmed(1)), 0.15);
  EXPECT_NEAR(relative_sd(behind.programmed(1)), 0.07, 0.02);
}

TEST(FefetCell, SampledCellsHaveTheLawsMomentsAndQuantiles) {
  const FefetCell cell =
      read_cell(std::string(one_resistor) + "threshold_sd = 0.02\nread_noise = 0.03\n");
  const auto sampled = [&](std::uint32_t level, double stretch) {
    tests::NormalNumbers normal(51);
    std::vector<double> samples;
    for (int i = 0; i < 200000; ++i) {
      const double threshold = cell.thresholds[level] - stretch * cell.threshold_sd * normal();
      const double resistance =
          cell.resistance * std::exp(stretch * cell.resistance_sigma * normal());
      samples.push_back(cell.conductance(threshold, resistance) * (1.0 + 0.03 * normal()));
    }
    return samples;
  };
  for (const std::uint32_t level : {0u, 1u}) {
    EXPECT_LT(tests::largest_deviation(sampled(level, 1.0), cell.read(level)),
              tests::bonferroni_limit);
    EXPECT_GT(tests::largest_deviation(sampled(level, 1.05), cell.read(level)),
              tests::bonferroni_limit);
  }
}

TEST(FefetCell, LevelsAreEvenlySpacedThresholdsOrListed) {
  EXPECT_THAT(read_cell("levels = 3\nlowest_threshold = 0\nwindow = 1\n").thresholds,
              testing::ElementsAre(1.0, 0.5, 0.0));
  EXPECT_THAT(read_cell("thresholds = [1.5, 0.2]\n").thresholds, testing::ElementsAre(1.5, 0.2));
}

TEST(FefetCell, RefusesWhatMakesNoCell) {
  EXPECT_THAT([] { read_cell("thresholds = [0.2, 1.5]\n"); },
              ThrowsMessage<core::UsageError>(
                  HasSubstr("cell.thresholds: 1.5 V is not below the one before it (levels ascend "
                            "in conductance, so thresholds descend); sort them")));
  EXPECT_THAT([] { read_cell("thresholds = [0.2]\n"); },
              ThrowsMessage<core::UsageError>(HasSubstr("lists 1 level")));
  EXPECT_THAT([] { read_cell("thresholds = [1, 0]\nwindow = 1\n"); },
              ThrowsMessage<core::UsageError>(HasSubstr("cell.window: stands beside thresholds")));
  EXPECT_THAT([] { read_cell("resistance_sigma = 0.1\n"); },
              ThrowsMessage<core::UsageError>(HasSubstr("there is no resistor to spread")));
  EXPECT_THAT([] { read_cell("threshold_sd = 0\n"); },
              ThrowsMessage<core::UsageError>(HasSubstr("cell.threshold_sd")));
}

}  // namespace
}  // namespace cimstat::devices
