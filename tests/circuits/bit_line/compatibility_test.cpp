// Noise models of ASiM and NeuroSim as special cases of ours, equal to their closed forms.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <boost/math/distributions/chi_squared.hpp>
#include <gtest/gtest.h>

#include "circuits/bit_line/line_reading.h"
#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"
#include "circuits/sampled/sampled_column.h"

namespace cimstat::circuits {
namespace {

double normal_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// P(code) of a normal reading in steps of the converter, rounded and clamped to 0 .. last.
std::vector<double> rounded_normal(double mean, double sd, std::uint32_t last) {
  std::vector<double> row(last + 1);
  for (std::uint32_t c = 0; c <= last; ++c) {
    // On the nearer side of the mean, so that both differences keep their digits.
    const double lower = (c - 0.5 - mean) / sd;
    const double upper = (c + 0.5 - mean) / sd;
    if (c == 0) {
      row[c] = normal_below(upper);
    } else if (c == last) {
      row[c] = normal_below(-lower);
    } else {
      row[c] = lower > 0.0 ? normal_below(-lower) - normal_below(-upper)
                           : normal_below(upper) - normal_below(lower);
    }
  }
  return row;
}

/// p-value of Pearson's chi-square, cells expected less than 10 times pooled with their neighbours.
double fit(const std::vector<double>& expected, const std::uint64_t* counts, double trials) {
  double statistic = 0.0;
  double want = 0.0;
  double have = 0.0;
  int cells = 0;
  for (std::size_t c = 0; c < expected.size(); ++c) {
    want += expected[c] * trials;
    have += double(counts[c]);
    double rest = 0.0;
    for (std::size_t i = c + 1; i < expected.size(); ++i) rest += expected[i] * trials;
    if ((want < 10.0 || rest < 10.0) && c + 1 < expected.size()) continue;
    statistic += (have - want) * (have - want) / want;
    want = have = 0.0;
    ++cells;
  }
  if (cells < 2) return 1.0;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(cells - 1), statistic));
}

struct AsimCase {
  std::uint32_t rows;
  std::uint32_t bits;
  double random;    // of full scale
  double mismatch;  // of full scale
};

ColumnDesign asim_design(const AsimCase& model) {
  ColumnDesign design;
  design.rows = model.rows;
  design.lrs = design.hrs = core::Law::point(1e-15);
  design.bit_line =
      AsimNoise{.full_scale = 0.9, .random = model.random, .mismatch = model.mismatch};
  design.ladder = uniform_ladder(design, model.rows, 1U << model.bits);
  return design;
}

std::vector<double> asim_row(const AsimCase& model, std::uint32_t m) {
  const double last = (1U << model.bits) - 1.0;
  const double a = double(m) / model.rows;
  const double s = std::sqrt(model.random * model.random +
                             model.mismatch * model.mismatch / (a * model.rows + 1));
  return rounded_normal(a * last, s * last, static_cast<std::uint32_t>(last));
}

const std::vector<AsimCase> asim_cases = {{255, 8, 0.001, 0.0},
                                          {255, 8, 0.002, 0.004},
                                          {255, 8, 0.0, 0.00392},
                                          {256, 8, 0.00392, 0.01},
                                          {72, 6, 0.01, 0.02}};

TEST(AsimNoise, TableIsTheClosedFormForEveryCount) {
  for (const AsimCase& model : asim_cases) {
    const ColumnDesign design = asim_design(model);
    const std::array<std::uint32_t, 1> rows = {model.rows};
    const std::vector<ColumnClass> classes = classes_for(rows);
    const ExactProbabilities exact = exact_probabilities(design, classes, {}, {1});
    for (std::uint32_t m = 0; m <= model.rows; ++m) {
      const std::vector<double> closed = asim_row(model, m);
      for (std::size_t c = 0; c < closed.size(); ++c) {
        ASSERT_NEAR(exact.probability[m * closed.size() + c], closed[c], 1e-12)
            << model.rows << " rows, count " << m << ", code " << c;
      }
    }
  }
}

TEST(AsimNoise, HundredHistogramsPassAChiSquareTest) {
  constexpr std::uint64_t trials = 100'000;
  std::vector<double> p_values;
  for (const AsimCase& model : asim_cases) {
    std::vector<ColumnClass> classes;
    for (std::uint32_t i = 0; i < 20; ++i) classes.push_back({i * model.rows / 19, model.rows});
    const auto counts =
        sampled_counts(asim_design(model), classes, {.trials = trials, .key = {.seed = 31}}, {1});
    const std::size_t codes = std::size_t{1} << model.bits;
    for (std::size_t i = 0; i < classes.size(); ++i) {
      p_values.push_back(
          fit(asim_row(model, classes[i].lrs_count), counts.data() + i * codes, trials));
    }
  }
  ASSERT_EQ(p_values.size(), 100U);
  EXPECT_GT(*std::min_element(p_values.begin(), p_values.end()), 0.01 / 100.0);
}

TEST(AsimNoise, ATwinWithTwoPercentMoreNoiseFailsTheChiSquareTest) {
  AsimCase biased = asim_cases[1];
  biased.random *= 1.02;
  biased.mismatch *= 1.02;
  const std::array classes{ColumnClass{0, 255}, ColumnClass{100, 255}};
  const auto counts =
      sampled_counts(asim_design(biased), classes, {.trials = 400'000, .key = {.seed = 31}}, {1});
  EXPECT_LT(fit(asim_row(asim_cases[1], 100), counts.data() + 256, 400'000.0), 1e-6);
}

TEST(AsimNoise, IdleColumnsOfOneStepNoiseReadPointThreeEightStepsTooMuch) {
  const AsimCase model{255, 8, 1.0 / 255.0, 0.0};
  const std::array classes{ColumnClass{0, 255}};
  const ExactProbabilities exact = exact_probabilities(asim_design(model), classes, {}, {1});
  double mean = 0.0;
  for (std::size_t c = 0; c < 256; ++c) mean += double(c) * exact.probability[c];
  EXPECT_NEAR(mean, 0.38, 0.02);
}

TEST(AsimCompression, CodesOfTheCurrentDomainAreTheClosedForm) {
  // Count of bits each off by N(0, v); MAC / (1 + alpha MAC); the converter keeps its full scale.
  constexpr double alpha = 0.002;
  constexpr double spread = 0.05;
  constexpr std::uint32_t rows = 255;
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::normal(1.0, spread);
  design.hrs = core::Law::normal(0.0, spread);
  design.bit_line = Compression{.knee = 1.0 / alpha};
  design.ladder = {.codes = 256, .references = {}};
  for (int c = 0; c < 255; ++c) design.ladder.references.push_back(c + 0.5);
  const std::array classes{ColumnClass{20, rows}, ColumnClass{130, rows}, ColumnClass{255, rows}};
  const ExactProbabilities exact = exact_probabilities(design, classes, {}, {1});
  const auto counts = sampled_counts(design, classes, {.trials = 100'000, .key = {.seed = 7}}, {1});
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const double k = classes[i].lrs_count;
    const auto below = [&](double code) {
      const double count = code / (1.0 - alpha * code);
      return normal_below((count - k) / (spread * std::sqrt(double(rows))));
    };
    std::vector<double> closed(256);
    for (int c = 0; c < 256; ++c) {
      closed[static_cast<std::size_t>(c)] =
          (c == 255 ? 1.0 : below(c + 0.5)) - (c == 0 ? 0.0 : below(c - 0.5));
      ASSERT_NEAR(exact.probability[i * 256 + static_cast<std::size_t>(c)],
                  closed[static_cast<std::size_t>(c)], 1e-12);
    }
    EXPECT_GT(fit(closed, counts.data() + i * 256, 100'000.0), 1e-3);
  }
}

/// NeuroSim V1.5: I = V sum (G - G_reference) with fresh noise relative to each conductance, code =
/// clamp(round(I / (V (G_1 - G_0))), 0, 2^bits).
ColumnDesign neurosim_design(double read_noise, double state_sd) {
  constexpr double volt = 0.5;
  const auto state = [&](double mean) {
    const core::Shape base =
        state_sd > 0.0 ? core::Shape(core::Normal{mean, state_sd * mean}) : core::Point{mean};
    return core::Law({{.base = base, .relative_noise = read_noise, .scale = volt}});
  };
  ColumnDesign design;
  design.rows = 128;
  design.hrs = state(2e-6);
  design.lrs = state(20e-6);
  design.dummy = design.hrs;                    // a reference column of cells in state 0
  design.ladder = midpoint_ladder(design, 64);  // 64 + 1 codes: 6 bits; more are clipped
  return design;
}

TEST(NeuroSimNoise, CodesAreTheRoundedNormal) {
  for (const auto& [read_noise, state_sd] : {std::pair(0.05, 0.0), std::pair(0.0, 0.08)}) {
    const ColumnDesign design = neurosim_design(read_noise, state_sd);
    const std::array classes{ColumnClass{0, 128}, ColumnClass{3, 7}, ColumnClass{60, 128},
                             ColumnClass{100, 128}};
    const ExactProbabilities exact = exact_probabilities(design, classes, {}, {1});
    const auto counts =
        sampled_counts(design, classes, {.trials = 100'000, .key = {.seed = 41}}, {1});
    for (std::size_t i = 0; i < classes.size(); ++i) {
      const double k = classes[i].lrs_count;
      const double n = classes[i].active_rows;
      const double relative = read_noise + state_sd;  // one of them is 0
      const double sd = relative * std::sqrt(k * 400.0 + (n - k) * 4.0 + n * 4.0) / 18.0;
      const std::vector<double> closed = rounded_normal(k, sd, 64);
      for (std::size_t c = 0; c < closed.size(); ++c) {
        ASSERT_NEAR(exact.probability[i * 65 + c], closed[c], 1e-12) << k << " code " << c;
      }
      EXPECT_GT(fit(closed, counts.data() + i * 65, 100'000.0), 1e-3);
    }
  }
}

TEST(NeuroSimNoise, SpreadOfAStateAndReadNoiseMultiply) {
  const core::Law both = neurosim_design(0.05, 0.08).lrs;
  const double mean = 10e-6;
  EXPECT_NEAR(both.mean(), mean, 1e-18);
  const double variance = mean * mean * (0.08 * 0.08 + 0.05 * 0.05 * (1.0 + 0.08 * 0.08));
  EXPECT_NEAR(both.variance(), variance, 1e-12 * variance);
}

}  // namespace
}  // namespace cimstat::circuits
