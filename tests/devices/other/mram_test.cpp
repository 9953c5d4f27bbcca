#include "devices/mram/mram.h"

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

static_assert(CellModel<MramCell>);

MramCell read_cell(const std::string& keys) {
  const core::Config config =
      core::Config::from_text("[cell]\nmodel = \"mram\"\n" + keys, "cell.toml");
  const core::Section section{.key = "cell", .selector = "model", .variants = {mram_variant()}};
  MramCell cell = read_mram(core::SectionReader(config.table("cell"), section), {});
  config.finish();
  return cell;
}

/// E exp(a ln G_P) exp(-b ln(1 + TMR)) by a quadrature of its own.
double oracle_moment(const MramCell& cell, int power) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  const auto expectation = [](const auto& f) {
    double sum = 0.0;
    for (double end = -10.0; end < 10.0; end += 2.0) {
      sum += Rule::integrate([&](double z) { return f(z) * core::normal_density(z); }, end,
                             end + 2.0, 0);
    }
    return sum;
  };
  const double parallel = expectation([&](double z) {
    return std::pow(std::exp(-cell.resistance_sigma * z) / cell.resistance, power);
  });
  const double divisor = expectation([&](double z) {
    return std::pow(1.0 + cell.biased_tmr() * std::exp(cell.tmr_sigma * z), -power);
  });
  return parallel * divisor;
}

TEST(MramCell, ParallelCellsAreLognormalWithTheGivenSigma) {
  const MramCell cell = read_cell("");
  const core::Law law = cell.programmed(1);
  EXPECT_NEAR(law.quantile(core::Tail::lower, 0.5), 2e-4, 1e-16);
  EXPECT_NEAR(law.mean() / (2e-4 * std::exp(0.5 * 0.06 * 0.06)), 1.0, 1e-12);
  EXPECT_NEAR(law.sd() / (law.mean() * std::sqrt(std::expm1(0.06 * 0.06))), 1.0, 1e-12);
}

TEST(MramCell, AntiparallelMomentsAreThoseOfTheFormula) {
  for (const char* keys : {"", "resistance_sigma = 0.01\ntmr_sigma = 0.1\n", "tmr_sigma = 0\n"}) {
    const MramCell cell = read_cell(keys);
    const core::Law law = cell.programmed(0);
    const double mean = oracle_moment(cell, 1);
    EXPECT_NEAR(cell.mean(0) / mean, 1.0, 1e-12) << keys;
    EXPECT_NEAR(law.mean() / mean, 1.0, 1e-12) << keys;
    // The oracle's own difference of squares costs three digits.
    EXPECT_NEAR(law.variance() / (oracle_moment(cell, 2) - mean * mean), 1.0, 1e-10) << keys;
    EXPECT_NEAR(law.sd() / std::sqrt(cell.variance(0)), 1.0, 1e-12) << keys;
  }
}

TEST(MramCell, TheRatioFallsWithTheBias) {
  const MramCell small = read_cell("voltage = 0\n");
  const MramCell half = read_cell("voltage = \"0.5 V\"\n");
  EXPECT_EQ(small.biased_tmr(), 1.5);
  EXPECT_EQ(half.biased_tmr(), 0.75);
  EXPECT_NEAR(half.target(1) / half.target(0), 1.75, 1e-14);
  MramCell weak = half;
  weak.conditions.supply = 0.5;
  EXPECT_NEAR(weak.biased_tmr(), 1.5 / 1.25, 1e-15);
}

TEST(MramCell, SampledCellsHaveTheLawsMomentsAndQuantiles) {
  const MramCell cell = read_cell("read_noise = 0.02\n");
  const auto sampled = [&](double shared) {
    tests::NormalNumbers normal(41);
    std::vector<double> samples;
    for (int i = 0; i < 200000; ++i) {
      const double first = normal();
      const double second = shared == 0.0 ? normal() : first;
      const double g = std::exp(-cell.resistance_sigma * first) / cell.resistance /
                       (1.0 + cell.biased_tmr() * std::exp(cell.tmr_sigma * second));
      samples.push_back(g * (1.0 + 0.02 * normal()));
    }
    return samples;
  };
  EXPECT_LT(tests::largest_deviation(sampled(0.0), cell.read(0)), tests::bonferroni_limit);
  // The biased twin has one spread for both.
  EXPECT_GT(tests::largest_deviation(sampled(1.0), cell.read(0)), tests::bonferroni_limit);
}

TEST(MramCell, RefusesJunctionsWithoutSpread) {
  EXPECT_THAT([] { read_cell("resistance_sigma = 0\n"); },
              testing::ThrowsMessage<core::UsageError>(HasSubstr("cell.resistance_sigma")));
  EXPECT_THAT([] { read_cell("levels = 4\n"); },
              testing::ThrowsMessage<core::UsageError>(HasSubstr("cell.levels")));
}

}  // namespace
}  // namespace cimstat::devices
