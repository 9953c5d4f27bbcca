#include "circuits/exact/cell_sum.h"

#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/law.h"

#include "circuits/exact/sum_series.h"

#include "tests/support/sum_oracle.h"

namespace cimstat::circuits {
namespace {

const core::Tail sides[] = {core::Tail::lower, core::Tail::upper};

TEST(CellSum, QuantilesOfLognormalSumsAgreeWithConvolution) {
  // The last cell's distribution function takes the place of the noise.
  struct Case {
    double sigma;
    std::uint32_t count;
    double step;
    unsigned log2_points;
  };
  for (const Case& c : {Case{0.1, 2, 0.02, 10}, Case{0.1, 16, 0.02, 12}, Case{0.3, 2, 0.03, 12},
                        Case{0.3, 8, 0.03, 12}, Case{0.5, 4, 0.01, 16}, Case{0.5, 64, 0.01, 16}}) {
    const core::Law law = core::Law::lognormal(1.0, c.sigma);
    ASSERT_TRUE(CellSum::possible(law, c.count));
    const CellSum sum(law, c.count);
    const tests::SumOracle oracle({tests::lognormal_density(1.0, c.sigma)}, c.step, c.log2_points);
    const auto last_cell = [sigma = c.sigma](long double x) {
      return x <= 0 ? 0.0L : std::erfc(-std::log(x) / (sigma * std::sqrt(2.0L))) / 2;
    };
    const std::uint32_t others[] = {c.count - 1};
    for (const core::Tail side : sides) {
      for (const double p : {0.5, 0.2, 1e-2, 1e-5, 0x1p-33}) {
        const double x = sum.quantile(side, p);
        const double below = static_cast<double>(
            oracle.below(others, std::vector{x}, last_cell, std::exp(9.0L * c.sigma)).front());
        EXPECT_NEAR(side == core::Tail::lower ? below : 1.0 - below, p, 2e-13)
            << c.count << " cells of sigma " << c.sigma;
      }
    }
  }
}

TEST(SumSeries, OfOneValueIsThatOfManyBitForBit) {
  for (const std::size_t terms : {1U, 31U, 32U, 33U, 127U, 128U, 129U, 1000U}) {
    SumSeries series;
    series.mean = 3.0;
    series.low = -2.0;
    series.high = 5.0;
    series.step = 0.37;
    for (std::size_t k = 0; k < terms; ++k) {
      const double size = 0.4 / (static_cast<double>(k) + 0.5);
      series.real.push_back(size * std::cos(0.7 * static_cast<double>(k * k)));
      series.imaginary.push_back(size * std::sin(1.3 * static_cast<double>(k)));
    }
    const std::vector<double> x = {0.5, 1.0, 1.01, 2.2, 3.0, 4.75, 7.999, 8.0, 8.001};
    const std::vector<double> together = series.below(x);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(series.below(x[i]), together[i]) << x[i];
  }
}

TEST(CellSum, OfNormalCellsIsNormal) {
  const CellSum sum(core::Law::normal(2.0, 0.3), 16);
  const core::Law expected = core::Law::normal(32.0, 1.2);
  for (const core::Tail side : sides) {
    for (const double p : {0.5, 1e-3, 0x1p-33}) {
      EXPECT_DOUBLE_EQ(sum.quantile(side, p), expected.quantile(side, p));
    }
  }
  EXPECT_EQ(CellSum(core::Law::point(2.0), 8).quantile(core::Tail::upper, 1e-5), 16.0);
}

TEST(CellSum, OfOneCellIsTheCell) {
  const core::Law law({{.base = core::TruncatedLogNormal{1.0, 0.8, 0.2, 1.5}}});
  ASSERT_TRUE(CellSum::possible(law, 1));
  for (const double p : {0.5, 1e-3, 0x1p-33}) {
    EXPECT_EQ(CellSum(law, 1).quantile(core::Tail::lower, p), law.quantile(core::Tail::lower, p));
  }
}

TEST(CellSum, OfManyTruncatedCellsHasTheirCumulants) {
  // Uniform cells: the sum of 64 has mean 64, variance 64 / 12; its 2.5 % quantile by the
  // Edgeworth series with kurtosis -1.2 / 64 (next term below 1e-6).
  const core::Law law({{.base = core::Empirical{{0.0, 1.0}, {0.5, 1.5}}}});
  ASSERT_TRUE(CellSum::possible(law, 64));
  const CellSum sum(law, 64);
  const double z = core::Law::normal(0.0, 1.0).quantile(core::Tail::upper, 0.025);
  const double excess = -1.2 / 64.0;
  const double expected = z + excess * (z * z * z - 3.0 * z) / 24.0;
  const double sd = std::sqrt(64.0 / 12.0);
  EXPECT_NEAR((sum.quantile(core::Tail::upper, 0.025) - 64.0) / sd, expected, 1e-4);
  EXPECT_NEAR((64.0 - sum.quantile(core::Tail::lower, 0.025)) / sd, expected, 1e-4);
}

TEST(CellSum, KnowsWhenASumIsTooRough) {
  const core::Law uniform({{.base = core::Empirical{{0.0, 1.0}, {0.5, 1.5}}}});
  EXPECT_FALSE(CellSum::possible(uniform, 2));
  const core::Law stuck({{.weight = 0.9, .base = core::LogNormal{1.0, 0.2}},
                         {.weight = 0.1, .base = core::Point{5.0}}});
  EXPECT_FALSE(CellSum::possible(stuck, 4));
  EXPECT_THROW(CellSum(stuck, 4), core::UsageError);
}

TEST(CellSum, OfCellsBehindAResistanceIsPossible) {
  const core::Law law(
      {{.base = core::LogNormal{50.0, 0.3}, .compression = 0.004, .relative_noise = 0.02}});
  for (const std::uint32_t count : {2U, 4U, 64U}) EXPECT_TRUE(CellSum::possible(law, count));
  const CellSum sum(law, 4);
  EXPECT_NEAR(sum.quantile(core::Tail::lower, 0.5) / (4.0 * law.mean()), 1.0, 0.01);
}

}  // namespace
}  // namespace cimstat::circuits
