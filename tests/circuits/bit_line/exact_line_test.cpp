#include "circuits/bit_line/exact_line.h"

#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/sensed_reading.h"
#include "circuits/sampled/sampled_column.h"

#include "tests/circuits/bit_line/line_designs.h"

namespace cimstat::circuits {
namespace {

using namespace testing;

double upper_normal(double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); }

TEST(SharedCharge, DistributionIsTheNormalFormula) {
  // Brute force: capacitors one by one.
  const ColumnDesign design = charge_design(24, 0.05, 0.0, {.supply = 0.9, .parasitic = 5e-15});
  const ColumnClass column_class{9, 16};
  std::mt19937_64 random(11);
  std::normal_distribution<double> capacitor(1e-15, 0.05e-15);
  constexpr int trials = 400'000;
  const std::array<double, 5> scores = {-2.0, -0.7, 0.0, 1.0, 2.2};
  std::array<double, 5> limits{};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    limits[i] =
        mean_reading(design, column_class) + scores[i] * shared_charge_sd(design, column_class);
  }
  std::array<int, 5> counts{};
  for (int trial = 0; trial < trials; ++trial) {
    double on = 0.0;
    double all = 5e-15;
    for (std::uint32_t i = 0; i < design.rows; ++i) {
      const double c = capacitor(random);
      all += c;
      if (i < column_class.lrs_count) on += c;
    }
    const double v = 0.9 * on / all;
    for (std::size_t i = 0; i < limits.size(); ++i) counts[i] += v <= limits[i] ? 1 : 0;
  }
  for (std::size_t i = 0; i < limits.size(); ++i) {
    const double p = shared_charge_tail(design, column_class, core::Tail::lower, limits[i]);
    EXPECT_NEAR(counts[i] / double(trials), p, 4.5 * std::sqrt(p * (1.0 - p) / trials));
    EXPECT_NEAR(p + shared_charge_tail(design, column_class, core::Tail::upper, limits[i]), 1.0,
                1e-15);
  }
}

TEST(SharedCharge, TailsAreThoseOfTheNormalFormulaDownToVerySmallOnes) {
  // k of n capacitors of 1 fF driven: v (all + parasitic) - supply on is normal. Its tails,
  // computed outside of this program in 40 digits; `one` is 1 to rounding.
  struct Golden {
    std::uint32_t rows;
    std::uint32_t driven;
    double mismatch;
    double supply;
    double parasitic;
    double v;
    double lower;
    double upper;
  };
  constexpr double one = 1.0;
  for (const Golden& golden :
       {Golden{24, 9, 0.0625, 1.0, 8e-15, 0.1875, 9.5870635313106369e-80, one},
        Golden{24, 9, 0.0625, 1.0, 8e-15, 0.203125, 3.5105429241850023e-57, one},
        Golden{24, 9, 0.0625, 1.0, 8e-15, 0.25, 3.2454506079005849e-11, 0.99999999996754549},
        Golden{24, 9, 0.0625, 1.0, 8e-15, 0.28125, 0.5, 0.5},
        Golden{24, 9, 0.0625, 1.0, 8e-15, 0.375, one, 2.2395785725104056e-91},
        Golden{24, 9, 0.05, 0.9, 5e-15, 0.21875, 4.6114982181104786e-57, one},
        Golden{24, 9, 0.05, 0.9, 5e-15, 0.28, 0.57369270666593685, 0.42630729333406315},
        Golden{24, 9, 0.05, 0.9, 5e-15, 0.34, one, 2.1497183595710429e-61},
        Golden{24, 9, 0.0625, 1.0, 0.0, 0.28125, 1.5971433451425344e-50, one},
        Golden{24, 9, 0.0625, 1.0, 0.0, 0.375, 0.5, 0.5},
        Golden{24, 9, 0.0625, 1.0, 0.0, 0.484375, one, 3.7301129017187474e-67},
        Golden{64, 1, 0.125, 0.5, 16e-15, 0.005859375, 0.30723510617018089, 0.69276489382981911},
        Golden{64, 1, 0.125, 0.5, 16e-15, 0.00390625, 0.0012733610840146891, 0.99872663891598531},
        Golden{64, 1, 0.125, 0.5, 16e-15, 0.015625, one, 1.776482112077679e-33},
        Golden{64, 1, 0.125, 0.5, 16e-15, 0.01171875, 0.99999999999904827, 9.5172778091932236e-13},
        Golden{64, 63, 0.125, 0.5, 16e-15, 0.390625, 0.01782474427444472, 0.98217525572555528},
        Golden{64, 63, 0.125, 0.5, 16e-15, 0.42, one, 3.2735011038330767e-108}}) {
    const ColumnDesign design =
        charge_design(golden.rows, golden.mismatch, 0.0,
                      {.supply = golden.supply, .parasitic = golden.parasitic});
    const ColumnClass column_class{golden.driven, golden.rows};
    const auto tail = [&](core::Tail side) {
      return shared_charge_tail(design, column_class, side, golden.v);
    };
    EXPECT_NEAR(tail(core::Tail::lower) / golden.lower, 1.0, 1e-12) << golden.v;
    EXPECT_NEAR(tail(core::Tail::upper) / golden.upper, 1.0, 1e-12) << golden.v;
  }
}

TEST(SharedCharge, VarianceIsTheClosedFormAndVanishesAtBothEnds) {
  const double mismatch = 0.0066;
  const ColumnDesign design = charge_design(256, mismatch, 0.0);
  for (const std::uint32_t k : {0U, 1U, 64U, 128U, 255U, 256U}) {
    const double n = 256.0;
    const double closed = mismatch * std::sqrt(k * (n - k) / (n * n * n));
    EXPECT_NEAR(shared_charge_sd(design, {k, 256}), closed, 1e-15) << k;
  }
}

TEST(SharedCharge, TwoHundredFiftySixFemtofaradsWithAQuarterMillivoltMisreadOneInAMillion) {
  // At 0.9 V, mismatch 1 %: its sd at mid code is 0.01 / 32 x 0.9 V = 0.28 mV, half a step 1.76 mV.
  const ColumnDesign design = charge_design(256, 0.01, 0.25e-3, {.supply = 0.9});
  const std::array classes{ColumnClass{128, 256}};
  const auto exact = exact_probabilities(design, classes, {}, {1});
  const double spread = std::hypot(shared_charge_sd(design, classes[0]), 0.25e-3);
  const double normal = upper_normal(0.9 / 512.0 / spread);
  EXPECT_NEAR(normal, 1.5e-6, 0.02e-6);
  EXPECT_NEAR(exact.probability[129] / normal, 1.0, 0.01);
  EXPECT_NEAR(exact.probability[127] / normal, 1.0, 0.01);
  EXPECT_LT(exact.error_bound[0], 1e-12);
}

double row_sum(const ExactProbabilities& exact, std::size_t i, std::size_t codes) {
  double sum = 0.0;
  for (std::size_t c = 0; c < codes; ++c) sum += exact.probability[i * codes + c];
  return sum;
}

/// Each entry of the sampled table within its Bonferroni limit of the exact one.
void expect_agreement(const ColumnDesign& design, const ColumnDesign& sampled_design,
                      bool agrees = true, core::Stream stream = core::Stream::philox) {
  const std::array<std::uint32_t, 2> rows = {design.rows / 2, design.rows};
  const std::vector<ColumnClass> classes = classes_for(rows);
  constexpr std::uint64_t trials = 200'000;
  const auto exact = exact_probabilities(design, classes, {}, {1});
  const auto counts = sampled_counts(sampled_design, classes,
                                     {.trials = trials, .key = {.seed = 5}, .stream = stream}, {1});
  const std::size_t codes = design.ladder.codes;
  double worst = 0.0;
  std::size_t compared = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_NEAR(row_sum(exact, i, codes), 1.0, 1e-11);
    EXPECT_LT(exact.error_bound[i], 1e-10);
    for (std::size_t c = 0; c < codes; ++c) {
      const double p = exact.probability[i * codes + c];
      if (p * trials < 20.0 || (1.0 - p) * trials < 20.0) continue;
      const double rate = double(counts[i * codes + c]) / double(trials);
      worst = std::max(worst, std::abs(rate - p) / std::sqrt(p * (1.0 - p) / trials));
      ++compared;
    }
  }
  ASSERT_GT(compared, 20U);
  const double limit = core::normal_z(1.0 - 0.01 / double(compared));
  if (agrees) {
    EXPECT_LT(worst, limit);
  } else {
    EXPECT_GT(worst, limit);
  }
}

void expect_probabilities(const ColumnDesign& design, double largest_bound) {
  const std::vector<ColumnClass> classes =
      classes_for(std::array<std::uint32_t, 2>{design.rows / 2, design.rows});
  const auto exact = exact_probabilities(design, classes, {}, {1});
  for (const double p : exact.probability) ASSERT_TRUE(p >= 0.0 && p <= 1.0) << p;
  const std::size_t codes = design.ladder.codes;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    EXPECT_NEAR(row_sum(exact, i, codes), 1.0, double(codes) * (exact.error_bound[i] + 1e-16));
    EXPECT_LT(exact.error_bound[i], largest_bound);
  }
}

/// Sums over a reading round to a little beside [0, 1]; tables must not.
TEST(SharedCharge, ProbabilitiesLieBetweenZeroAndOne) {
  for (const std::uint32_t rows : {3U, 4U, 8U, 16U, 32U, 64U}) {
    for (const double supply : {0.2, 0.3, 0.5, 0.7, 0.9}) {
      expect_probabilities(charge_design(rows, 0.01, 1e-3, {.supply = supply}), 1e-10);
    }
  }
  // All but no mismatch: sums of very many terms.
  expect_probabilities(charge_design(3, 2e-8, 1e-3, {.supply = 0.2}), 1e-9);
}

/// Every capacitor driven, and nothing else on the line: the supply, whatever the mismatch.
TEST(SharedCharge, OfAllCapacitorsIsTheSupply) {
  for (const double supply : {0.9, 1.0, 0.7}) {
    const ColumnDesign design = charge_design(256, 0.01, 0.25e-3, {.supply = supply});
    const std::array classes{ColumnClass{0, 256}, ColumnClass{256, 256}};
    const auto exact = exact_probabilities(design, classes, {}, {1});
    const double beyond = upper_normal(supply / 512.0 / 0.25e-3);
    EXPECT_NEAR(exact.probability[0], 1.0 - beyond, 1e-13);
    EXPECT_NEAR(exact.probability[1], beyond, 1e-13);
    EXPECT_NEAR(exact.probability[257 + 256], 1.0 - beyond, 1e-13);
    EXPECT_NEAR(exact.probability[257 + 255], beyond, 1e-13);
  }
}

TEST(ExactLine, AgreesWithSamplingOnEveryCurve) {
  for (const Discharge& line : {saturated_line(), modulated_line(), resistive_line()}) {
    const ColumnDesign design = discharge_design(16, line);
    expect_agreement(design, design);
    expect_agreement(design, design, true, core::Stream::fast);
  }
  ColumnDesign compressed = discharge_design(16, saturated_line());
  compressed.sense = {.offset_sd = 0.1e-6, .noise_sd = 0.2e-6};
  compressed.bit_line = Compression{.knee = 100e-6};
  compressed = with_midpoints(compressed);
  expect_agreement(compressed, compressed);
  compressed.sense = {.noise_sd = 0.2e-6, .noise_shape = NoiseShape::logistic};
  expect_agreement(compressed, compressed);
}

TEST(ExactLine, AgreesWithSamplingWithoutNoiseBehindTheCurve) {
  for (const Discharge& line : {modulated_line(), resistive_line()}) {
    ColumnDesign design = discharge_design(16, line, 0.08);
    design.sense = {};
    expect_agreement(design, design);
  }
}

TEST(ExactLine, AgreesWithSamplingUnderACommonFactor) {
  ColumnDesign design = discharge_design(16, resistive_line());
  design.common_factor_sd = 0.03;
  expect_agreement(design, design);
}

TEST(ExactLine, AgreesWithSamplingWhereChargeIsShared) {
  const ChargeSharing line{.supply = 0.8,
                           .parasitic = 7e-15,
                           .temperature = 300.0,
                           .injected_charge = 1e-16,
                           .injected_fraction = -0.01};
  const ColumnDesign design = charge_design(32, 0.03, 4e-3, line);
  expect_agreement(design, design);
  const ColumnDesign quiet = charge_design(32, 0.08, 0.0, {.supply = 0.8, .parasitic = 7e-15});
  expect_agreement(quiet, quiet);
}

TEST(ExactLine, DisagreesWithABiasedTwin) {
  const ColumnDesign design = discharge_design(16, resistive_line());
  ColumnDesign biased = design;
  std::get<Discharge>(biased.bit_line).time *= 1.002;
  expect_agreement(design, biased, false);
  const ColumnDesign charge = charge_design(32, 0.03, 4e-3);
  ColumnDesign louder = charge;
  louder.sense.noise_sd *= 1.02;
  expect_agreement(charge, louder, false);
}

TEST(ExactLine, OfNormalCellsOnALinearDischargeIsTheNormalClosedForm) {
  ColumnDesign design = discharge_design(16, saturated_line());
  design.lrs = core::Law::normal(2e-6, 0.1e-6);
  design.hrs = core::Law::normal(2e-8, 1e-9);
  design = with_midpoints(design);
  const double gain = 1e-9 / 64e-15;
  const std::array classes{ColumnClass{8, 16}};
  const auto exact = exact_probabilities(design, classes, {}, {1});
  const double spread = std::sqrt(current_variance(design, classes[0]) * gain * gain + 2e-6);
  const double half = 0.5 * gain * (2e-6 - 2e-8);
  const double expected = upper_normal(half / spread) - upper_normal(3.0 * half / spread);
  EXPECT_NEAR(exact.probability[9], expected, 1e-12);
  EXPECT_NEAR(exact.probability[7], expected, 1e-12);
}

TEST(ExactLine, SaysWhatItCantDo) {
  EXPECT_EQ(*exact_obstacle(wire_design(8, 1.0)),
            "the current of a resistive bit line depends on where its cells are");
  ColumnDesign noisy = charge_design(8, 0.01, 1e-3);
  noisy.comparator.noise_sd = 1e-3;
  EXPECT_EQ(*exact_obstacle(noisy),
            "comparators have noise of their own behind a bit line (charge_sharing)");
  ColumnDesign stuck = discharge_design(8, resistive_line());
  stuck.hrs = core::Law({{.weight = 0.9, .base = core::LogNormal{2e-8, 0.3}},
                         {.weight = 0.1, .base = core::Point{2e-6}}});
  EXPECT_EQ(*exact_obstacle(stuck),
            "noise behind the curve of a bit line, and a cell that is an atom at times (stuck)");
  EXPECT_FALSE(exact_obstacle(discharge_design(8, resistive_line())));
}

/// Codes from tails of the sensed reading, against the table, which integrates by itself.
void expect_codes_of_readings(const ColumnDesign& design, double error) {
  const std::array<std::uint32_t, 2> rows = {3, design.rows};
  const std::vector<ColumnClass> classes = classes_for(rows);
  const auto exact = exact_probabilities(design, classes, {}, {1});
  const std::vector<SensedReading> readings = sensed_readings(design, classes, {}, {1});
  const std::size_t codes = design.ladder.codes;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto references = design.ladder.at(classes[i].active_rows);
    double before = 0.0;
    for (std::size_t code = 0; code < codes; ++code) {
      const double below = code + 1 < codes
                               ? readings[i].tail_probability(core::Tail::lower, references[code])
                               : 1.0;
      EXPECT_NEAR(below - before, exact.probability[i * codes + code], error) << i << " " << code;
      before = below;
    }
    if (!(readings[i].sd() > 0.0)) continue;
    for (const double p : {1e-6, 0.01, 0.4}) {
      for (const core::Tail side : {core::Tail::lower, core::Tail::upper}) {
        const double x = readings[i].quantile(side, p);
        EXPECT_NEAR(readings[i].tail_probability(side, x) / p, 1.0, 1e-6);
        const double step = 1e-4 * readings[i].sd();
        const double slope = (readings[i].tail_probability(core::Tail::lower, x + step) -
                              readings[i].tail_probability(core::Tail::lower, x - step)) /
                             (2.0 * step);
        EXPECT_NEAR(readings[i].density(x) * readings[i].sd(), slope * readings[i].sd(), 1e-6);
      }
    }
  }
}

TEST(SensedReading, GivesTheCodesOfTheTable) {
  for (const Discharge& line : {saturated_line(), modulated_line(), resistive_line()}) {
    expect_codes_of_readings(discharge_design(8, line), 1e-9);
  }
  ColumnDesign noiseless = discharge_design(8, resistive_line());
  noiseless.sense = {};
  noiseless.hrs = core::Law::lognormal(2e-8, 0.1);
  expect_codes_of_readings(noiseless, 1e-6);  // the table's own bound without noise
  expect_codes_of_readings(charge_design(16, 0.02, 2e-3), 1e-9);
  expect_codes_of_readings(charge_design(16, 0.05, 0.0), 1e-12);
}

TEST(SensedReading, OfSharedChargeHasItsFirstOrderSpread) {
  const ColumnDesign design = charge_design(64, 0.01, 1e-3);
  const std::array classes{ColumnClass{20, 64}};
  const SensedReading reading = sensed_readings(design, classes, {}, {1})[0];
  EXPECT_NEAR(reading.sd() / std::hypot(shared_charge_sd(design, classes[0]), 1e-3), 1.0, 1e-4);
  EXPECT_NEAR(reading.sd() / first_order_sd(design, classes[0]), 1.0, 1e-4);
  EXPECT_NEAR(reading.mean(), mean_reading(design, classes[0]), 1e-5);
}

}  // namespace
}  // namespace cimstat::circuits
