#include "circuits/references/range_ladders.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

namespace cimstat::circuits {
namespace {

/// Currents that are MAC values.
ColumnDesign plain_column(std::uint32_t rows) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::point(1.0);
  design.hrs = core::Law::point(0.0);
  return design;
}

ColumnDesign noisy_column() {
  ColumnDesign design;
  design.rows = 20;
  design.lrs = core::Law::normal(1e-6, 0.05e-6);
  design.hrs = core::Law::normal(0.1e-6, 0.01e-6);
  design.sense.noise_sd = 0.2e-6;
  return design;
}

TEST(RangeLadders, WholeRangeIsTheUniformLadder) {
  const ColumnDesign design = noisy_column();
  const Ladder uniform = uniform_ladder(design, 20, 16);
  const Ladder range = range_ladder(design, 20, mac_range(design, 20, 0, 20), 16);
  ASSERT_EQ(range.references.size(), uniform.references.size());
  for (std::size_t j = 0; j < range.references.size(); ++j) {
    EXPECT_NEAR(range.references[j] / uniform.references[j], 1.0, 1e-13);
  }
  EXPECT_NEAR(range.code_step, uniform.code_step, 1e-13);
  EXPECT_NEAR(range.code_origin, 0.0, 1e-12);
}

TEST(RangeLadders, CalibratedCodesStandForTheMacValuesOfTheData) {
  const ColumnDesign design = noisy_column();
  const Ladder ladder = range_ladder(design, 20, mac_range(design, 20, 5, 15), 11);
  EXPECT_NEAR(ladder.code_origin, 5.0, 1e-12);
  EXPECT_NEAR(ladder.code_step, 1.0, 1e-12);
  for (std::uint32_t j = 0; j < 10; ++j) {
    const double middle = 0.5 * (mean_current(design, {.lrs_count = 5 + j, .active_rows = 20}) +
                                 mean_current(design, {.lrs_count = 6 + j, .active_rows = 20}));
    EXPECT_NEAR(ladder.references[j] / middle, 1.0, 1e-12);
  }
  EXPECT_EQ(ladder.ideal_code(3), 0U);
  EXPECT_EQ(ladder.ideal_code(7), 2U);
  EXPECT_EQ(ladder.ideal_code(19), 10U);
}

TEST(RangeLadders, PercentilesLeaveTheirShareAtEachEnd) {
  const ColumnDesign design = noisy_column();
  for (const MacPrior prior : {MacPrior::uniform, MacPrior::binomial}) {
    const auto weights = prior_weights(prior, 20, 0.3);
    double sum = 0.0;
    for (const double weight : weights) sum += weight;
    EXPECT_NEAR(sum, 1.0, 1e-12);
    const CurrentRange range = percentile_range(design, weights, 0.01);
    double below = 0.0;
    double above = 0.0;
    for (std::uint32_t k = 0; k <= 20; ++k) {  // normal sums, by hand
      const double mean = k * 1e-6 + (20 - k) * 0.1e-6;
      const double sd = std::sqrt(k * 0.05 * 0.05 + (20 - k) * 0.01 * 0.01 + 0.2 * 0.2) * 1e-6;
      below += weights[k] * 0.5 * std::erfc((mean - range.low) / (sd * std::sqrt(2.0)));
      above += weights[k] * 0.5 * std::erfc((range.high - mean) / (sd * std::sqrt(2.0)));
    }
    EXPECT_NEAR(below, 0.01, 1e-8);
    EXPECT_NEAR(above, 0.01, 1e-8);
  }
  EXPECT_NEAR(prior_weights(MacPrior::binomial, 4, 0.5)[2], 6.0 / 16.0, 1e-14);
}

TEST(RangeLadders, FloorCodesStandForTheirLowerEdge) {
  const ColumnDesign design = plain_column(15);
  const Ladder ladder = floor_ladder(design, 15, {0.0, 15.0}, 16);
  EXPECT_EQ(ladder.rounding, Rounding::down);
  EXPECT_DOUBLE_EQ(ladder.code_step, 15.0 / 16.0);
  for (std::uint32_t k = 0; k <= 15; ++k) {
    const auto expected = std::min(15.0, std::floor(k / (15.0 / 16.0)));
    EXPECT_EQ(ladder.ideal_code(k), expected);
  }
}

// A dummy column's range has 0 in its middle, where neighbouring doubles are closest.
TEST(RangeLadders, FloorReferencesAreTheLeastCurrentsOfTheirCodes) {
  for (const CurrentRange range :
       {CurrentRange{-1.3e-5, 1.3e-5}, {-0.7, 0.7}, {0.0, 3.1e-6}, {-9.0, 1.0}, {2e-5, 3e-4}}) {
    const Ladder ladder = floor_ladder(plain_column(15), 15, range, 16);
    const double step = (range.high - range.low) / 16;
    const auto code = [&](double current) { return std::floor((current - range.low) / step); };
    ASSERT_EQ(ladder.references.size(), 15U);
    for (std::size_t j = 1; j < 16; ++j) {
      const double reference = ladder.references[j - 1];
      EXPECT_NEAR(reference, range.low + static_cast<double>(j) * step, 1e-12 * range.high);
      EXPECT_GE(code(reference), j);
      EXPECT_LT(code(std::nextafter(reference, range.low)), j);
    }
  }
}

using Rows = std::vector<std::vector<double>>;

/// NeuroSim's converter over a whole tensor, by the ladder.
Rows converted(const Rows& sums, std::uint32_t codes) {
  double low = sums[0][0];
  double high = low;
  for (const auto& row : sums) {
    for (const double value : row) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (low == high) return sums;
  const Ladder ladder = floor_ladder(plain_column(4), 4, {low, high}, codes);
  Rows result = sums;
  for (auto& row : result) {
    for (double& value : row) {
      const auto code =
          std::upper_bound(ladder.references.begin(), ladder.references.end(), value) -
          ladder.references.begin();
      value = ladder.code_origin + ladder.code_step * static_cast<double>(code);
    }
  }
  return result;
}

TEST(RangeLadders, FloorReproducesNeuroSimsGoldenNumbers) {
  // A fully connected layer of 4 inputs and 2 outputs, 8-bit weights and inputs, batch of 2; main
  // and dummy columns have ranges of their own. Figures of the original code.
  const int weights[2][4] = {{191, 96, 223, 1}, {112, 175, 48, 254}};
  const int inputs[2][4] = {{229, 26, 128, 77}, {51, 204, 153, 255}};
  struct Case {
    int cell_bits;
    double ratio;
    std::uint32_t codes;
    std::array<double, 4> expected;
  };
  const Case cases[] = {{2, 10.0, 8, {.395935, -.139066, -.585042, .664330}},
                        {1, 17.0, 16, {.453996, -.135782, -.657384, .750486}},
                        {4, 10.0, 256, {.491812, -.086474, -.637173, .878417}}};
  for (const Case& c : cases) {
    const int levels = 1 << c.cell_bits;
    double sums[2][2] = {};
    for (int bit = 0; bit < 8; ++bit) {
      for (int slice = 0; slice < 8 / c.cell_bits; ++slice) {
        Rows main(2, std::vector<double>(2, 0.0));
        Rows dummy(2, std::vector<double>(1, 0.0));
        for (std::size_t b = 0; b < 2; ++b) {
          for (std::size_t i = 0; i < 4; ++i) {
            const double on = (inputs[b][i] >> bit) & 1;
            dummy[b][0] += on * ((levels - 1) * (1.0 + 1.0 / c.ratio) / 2.0);
            for (std::size_t o = 0; o < 2; ++o) {
              const int digit = (weights[o][i] >> (c.cell_bits * slice)) & (levels - 1);
              main[b][o] += on * ((1.0 - 1.0 / c.ratio) * digit + (levels - 1) / c.ratio);
            }
          }
        }
        const Rows p = converted(main, c.codes);
        const Rows q = converted(dummy, c.codes);
        for (std::size_t b = 0; b < 2; ++b) {
          for (std::size_t o = 0; o < 2; ++o) {
            sums[b][o] += (p[b][o] - q[b][0]) * std::pow(levels, slice) * std::pow(2.0, bit) * 2.0 /
                          (1.0 - 1.0 / c.ratio);
          }
        }
      }
    }
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(sums[i / 2][i % 2] / 65536.0, c.expected[i], 5e-7) << c.codes << " " << i;
    }
  }
}

}  // namespace
}  // namespace cimstat::circuits
