#include "circuits/exact/exact_column.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/references/references.h"

#include "tests/circuits/exact_agreement.h"

namespace cimstat::circuits {
namespace {

ColumnDesign gaussian_design(std::uint32_t rows, double sd_lrs, double sd_hrs, double noise) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::normal(1.0, sd_lrs);
  design.hrs = core::Law::normal(0.1, sd_hrs);
  design.sense.noise_sd = noise;
  design.sense.offset_sd = 0.5 * noise;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// Lognormal cells (the median HRS current is 1) and logistic noise.
ColumnDesign lognormal_design(std::uint32_t rows, double lrs, double lrs_sigma, double hrs_sigma,
                              double noise) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(lrs, lrs_sigma);
  design.hrs = core::Law::lognormal(1.0, hrs_sigma);
  design.sense.noise_sd = noise;
  design.sense.noise_shape = NoiseShape::logistic;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

long double normal_below(const ColumnDesign& design, ColumnClass c, double t) {
  const long double mean = mean_current(design, c);
  const long double variance =
      static_cast<long double>(current_variance(design, c)) +
      static_cast<long double>(design.sense.noise_sd) * design.sense.noise_sd +
      static_cast<long double>(design.sense.offset_sd) * design.sense.offset_sd;
  return std::erfc((mean - t) / std::sqrt(2 * variance)) / 2;
}

TEST(ExactColumn, InvertsGaussianColumnsToTheClosedForm) {
  for (const std::uint32_t n : {1U, 4U, 9U, 16U, 32U, 128U}) {
    for (const double sd : {0.02, 0.1}) {
      for (const double noise : {0.0, 0.05, 0.4}) {
        const ColumnDesign design = gaussian_design(n, sd, 0.03, noise);
        const auto classes = classes_of(n);
        const auto below = [&](ColumnClass c, std::span<const double> references) {
          std::vector<long double> f;
          for (const double t : references) f.push_back(normal_below(design, c, t));
          return f;
        };
        const std::string name = "n = " + std::to_string(n) + " noise " + std::to_string(noise);
        const auto exact = exact_probabilities(design, classes, inverted, one_thread);
        expect_agreement(design, classes, exact, below, 1e-13, name);
        const auto shortcut = exact_probabilities(design, classes, {}, one_thread);
        expect_agreement(design, classes, shortcut, below, 1e-14, name + " by the shortcut");
      }
    }
  }
}

TEST(ExactColumn, ReproducesTheAnalyticOracleOfGaussianColumns) {
  // Midpoint references, mu_H = mu_L / 10, sd_H = 0.3 mu_H, no noise: the worst class, and averages
  // over k ~ Binomial(n, 1/2) and Binomial(n, 1/4), to the digits printed in the derivation.
  struct Row {
    double sd;
    std::uint32_t n;
    double worst, half, quarter;
    double half_digit_worst, half_digit_half, half_digit_quarter;
  };
  const Row rows[] = {
      {0.02, 4, 3.19e-14, 2.2e-15, 1.0e-14, 0.5e-16, 0.5e-16, 0.5e-15},
      {0.02, 9, 2.867e-7, 1.89e-8, 1.13e-7, 0.5e-10, 0.5e-10, 0.5e-9},
      {0.02, 16, 1.352e-4, 1.44e-5, 5.96e-5, 0.5e-7, 0.5e-7, 0.5e-7},
      {0.02, 32, 7.474e-3, 1.88e-3, 4.33e-3, 0.5e-6, 0.5e-5, 0.5e-5},
      {0.02, 64, 0.05967, 0.02745, 0.04336, 0.5e-5, 0.5e-5, 0.5e-5},
      {0.05, 4, 3.398e-6, 4.58e-7, 6.64e-8, 0.5e-9, 0.5e-9, 0.5e-10},
      {0.05, 9, 1.854e-3, 3.93e-4, 7.02e-5, 0.5e-6, 0.5e-6, 0.5e-7},
      {0.05, 16, 0.02165, 0.006761, 0.002089, 0.5e-5, 0.5e-6, 0.5e-6},
      {0.05, 32, 0.1080, 0.05384, 0.02768, 0.5e-4, 0.5e-5, 0.5e-5},
      {0.05, 64, 0.2582, 0.1723, 0.1186, 0.5e-4, 0.5e-4, 0.5e-4},
      {0.10, 4, 0.01222, 0.004262, 0.001052, 0.5e-5, 0.5e-6, 0.5e-6},
      {0.10, 9, 0.1136, 0.04457, 0.01233, 0.5e-4, 0.5e-5, 0.5e-5},
      {0.10, 16, 0.2467, 0.1264, 0.04863, 0.5e-4, 0.5e-4, 0.5e-5},
      {0.10, 32, 0.4196, 0.2788, 0.1557, 0.5e-4, 0.5e-4, 0.5e-4},
      {0.10, 64, 0.5710, 0.4446, 0.3152, 0.5e-4, 0.5e-4, 0.5e-4},
  };
  for (const Row& row : rows) {
    const ColumnDesign design = gaussian_design(row.n, row.sd, 0.03, 0.0);
    const auto classes = classes_of(row.n);
    for (const Shortcut shortcut : {Shortcut::allow, Shortcut::forbid}) {
      if (shortcut == Shortcut::forbid && row.worst < 1e-12) continue;  // absolute accuracy 1e-13
      const auto exact = exact_probabilities(design, classes, {.shortcut = shortcut}, one_thread);
      double worst = 0.0;
      double half = 0.0;
      double quarter = 0.0;
      for (std::uint32_t k = 0; k <= row.n; ++k) {
        double misread = 0.0;
        for (std::uint32_t code = 0; code <= row.n; ++code) {
          if (code != k) misread += exact.probability[k * (row.n + 1) + code];
        }
        const double choose = std::exp(std::lgamma(row.n + 1.0) - std::lgamma(k + 1.0) -
                                       std::lgamma(row.n - k + 1.0));
        worst = std::max(worst, misread);
        half += misread * choose * std::pow(0.5, row.n);
        quarter += misread * choose * std::pow(0.25, k) * std::pow(0.75, row.n - k);
      }
      EXPECT_NEAR(worst, row.worst, 1.0001 * row.half_digit_worst) << row.sd << " " << row.n;
      EXPECT_NEAR(half, row.half, 1.0001 * row.half_digit_half) << row.sd << " " << row.n;
      EXPECT_NEAR(quarter, row.quarter, 1.0001 * row.half_digit_quarter) << row.sd << " " << row.n;
    }
  }
}

/// P(S < t) for cells that are normal(mean, sd) with probability 1 - stuck_low - stuck_high and
/// else stuck at `low` or `high`, by going through all numbers of stuck cells.
long double stuck_below(std::uint32_t n, long double mean, long double sd, long double stuck_low,
                        long double low, long double stuck_high, long double high,
                        long double noise, long double t) {
  long double sum = 0.0L;
  for (std::uint32_t a = 0; a <= n; ++a) {
    for (std::uint32_t b = 0; a + b <= n; ++b) {
      const std::uint32_t free = n - a - b;
      const long double weight = std::exp(std::lgamma(n + 1.0L) - std::lgamma(a + 1.0L) -
                                          std::lgamma(b + 1.0L) - std::lgamma(free + 1.0L)) *
                                 std::pow(stuck_low, a) * std::pow(stuck_high, b) *
                                 std::pow(1.0L - stuck_low - stuck_high, free);
      const long double variance = free * sd * sd + noise * noise;
      sum +=
          weight * std::erfc((free * mean + a * low + b * high - t) / std::sqrt(2 * variance)) / 2;
    }
  }
  return sum;
}

TEST(ExactColumn, AgreesWithGoingThroughAllNumbersOfStuckCells) {
  ColumnDesign design;
  design.rows = 16;
  design.lrs = core::Law({{.weight = 1.0 - 0x1p-5 - 0x1p-6, .base = core::Normal{1.0, 0.04}},
                          {.weight = 0x1p-5, .base = core::Point{0.125}},
                          {.weight = 0x1p-6, .base = core::Point{1.5}}});
  design.hrs = core::Law::point(0.125);
  design.sense.noise_sd = 0.06;
  design.ladder = midpoint_ladder(design, 16);
  const auto classes = classes_of(16);
  const auto exact = exact_probabilities(design, classes, {}, one_thread);
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    std::vector<long double> f;
    for (const double t : references) {
      f.push_back(stuck_below(c.lrs_count, 1.0L, 0.04, 0x1p-5L, 0.125L, 0x1p-6L, 1.5L, 0.06,
                              t - 0.125L * (c.active_rows - c.lrs_count)));
    }
    return f;
  };
  expect_agreement(design, classes, exact, below, 1e-13, "stuck cells");
}

TEST(ExactColumn, LeakageAndDummyCellsAreMoreParts) {
  // Leakage of 6 unselected rows and 10 negated dummy cells, all normal: the closed form again.
  ColumnDesign design = gaussian_design(16, 0.05, 0.03, 0.1);
  design.leakage = core::Law::normal(0.01, 0.004);
  design.dummy = core::Law::normal(0.5, 0.02);
  design.ladder = midpoint_ladder(design, 10);
  const auto classes = classes_of(10);
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    std::vector<long double> f;
    for (const double t : references) f.push_back(normal_below(design, c, t));
    return f;
  };
  expect_agreement(design, classes, exact_probabilities(design, classes, inverted, one_thread),
                   below, 1e-13, "leakage and dummy");
  EXPECT_NEAR(mean_current(design, {3, 10}), 3.0 + 0.7 + 0.06 - 5.0, 1e-12);
}

TEST(ExactColumn, RowsSumToOneAndAreNeverNegative) {
  const ColumnDesign design = lognormal_design(32, 20.0, 0.05, 0.8, 0.5);
  const auto classes = classes_for(std::vector<std::uint32_t>{1, 5, 32});
  const auto exact = exact_probabilities(design, classes, {}, one_thread);
  for (std::size_t c = 0; c < classes.size(); ++c) {
    double sum = 0.0;
    for (std::size_t code = 0; code < design.ladder.codes; ++code) {
      const double p = exact.probability[c * design.ladder.codes + code];
      EXPECT_GE(p, 0.0);
      sum += p;
    }
    EXPECT_NEAR(sum, 1.0, 1e-14);
  }
}

TEST(ExactColumn, AClassDoesNotDependOnItsCompanyNorOnThreads) {
  const ColumnDesign design = lognormal_design(32, 20.0, 0.05, 0.5, 0.5);
  const auto classes = classes_for(std::vector<std::uint32_t>{2, 9, 32});
  const auto together = exact_probabilities(design, classes, {}, one_thread);
  EXPECT_EQ(together.probability, exact_probabilities(design, classes, {}, {2}).probability);
  const std::size_t codes = design.ladder.codes;
  for (std::size_t c = 0; c < classes.size(); c += 7) {
    const auto alone = exact_probabilities(design, std::vector{classes[c]}, {}, one_thread);
    for (std::size_t code = 0; code < codes; ++code) {
      EXPECT_EQ(alone.probability[code], together.probability[c * codes + code]);
    }
    EXPECT_EQ(alone.error_bound[0], together.error_bound[c]);
  }
}

TEST(ExactColumn, ReplicaReferencesFollowTheActiveRows) {
  ColumnDesign design = gaussian_design(9, 0.05, 0.03, 0.1);
  design.ladder = replica_ladder(design, 9);
  const auto classes = classes_for(std::vector<std::uint32_t>{2, 9});
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    std::vector<long double> f;
    for (const double t : references) f.push_back(normal_below(design, c, t));
    return f;
  };
  expect_agreement(design, classes, exact_probabilities(design, classes, inverted, one_thread),
                   below, 1e-13, "replica");
}

TEST(ExactColumn, OneCellWithoutNoiseFollowsItsOwnLaw) {
  const std::vector<core::Component> components{
      {.base = core::LogNormal{1.0, 0.3}},
      {.base = core::LogNormal{1.0, 0.3}, .compression = 0.4},
      {.base = core::LogNormal{1.0, 0.2}, .relative_noise = 0.05},
      {.base = core::LogNormal{1.0, 0.2}, .compression = 0.2, .relative_noise = 0.1},
      {.base = core::Normal{1.0, 0.1}, .relative_noise = 0.08},
      {.base = core::Normal{1.0, 0.05}, .compression = 0.5},
      {.base = core::LogNormal{1.0, 0.25}, .scale = -2.0},
  };
  for (const core::Component& component : components) {
    ColumnDesign design;
    design.rows = 1;
    design.lrs = core::Law({component});
    design.hrs = design.lrs;
    design.ladder = Ladder{2, {0.0}, false, 1.0, 0.0};
    const SensedCurrent current(design, {1, 1}, inverted);
    EXPECT_LE(current.error_bound(), 1e-12);
    EXPECT_DOUBLE_EQ(current.sd(), design.lrs.sd());
    for (double z = -5.0; z <= 8.0; z += 0.25) {
      const double x = current.mean() + z * current.sd();
      EXPECT_NEAR(current.tail_probability(core::Tail::lower, x),
                  design.lrs.tail_probability(core::Tail::lower, x), current.error_bound())
          << component.compression << " " << component.relative_noise << " " << z;
    }
  }
}

TEST(SensedCurrent, QuantilesAndDensityBelongToItsTails) {
  const ColumnDesign design = lognormal_design(9, 10.0, 0.05, 0.5, 0.4);
  const SensedCurrent current(design, {3, 9});
  EXPECT_DOUBLE_EQ(current.mean(), mean_current(design, {3, 9}));
  EXPECT_NEAR(current.sd(), std::sqrt(current_variance(design, {3, 9}) + 0.16), 1e-12);
  for (const core::Tail side : {core::Tail::lower, core::Tail::upper}) {
    for (const double p : {0.5, 0.1, 1e-4, 1e-8}) {
      const double x = current.quantile(side, p);
      EXPECT_NEAR(current.tail_probability(side, x), p, 1e-13 + 1e-12 * p);
    }
  }
  const double x = current.mean() + current.sd();
  const double h = 1e-3;
  const double slope = (current.tail_probability(core::Tail::lower, x + h) -
                        current.tail_probability(core::Tail::lower, x - h)) /
                       (2.0 * h);
  EXPECT_NEAR(current.density(x), slope, 1e-5 * slope);
}

TEST(SensedCurrent, WithoutSpreadIsAnAtom) {
  ColumnDesign design;
  design.rows = 2;
  design.lrs = core::Law::point(2.0);
  design.hrs = core::Law::lognormal(0.5, 0.1);
  design.ladder = Ladder{3, {1.0, 4.0}, false, 1.0, 0.0};
  for (const ExactOptions& options : {ExactOptions{}, inverted}) {
    const SensedCurrent current(design, {2, 2}, options);
    EXPECT_EQ(current.sd(), 0.0);
    EXPECT_EQ(current.tail_probability(core::Tail::lower, 4.0), 1.0);
    EXPECT_EQ(current.tail_probability(core::Tail::lower, 3.999), 0.0);
    EXPECT_EQ(current.quantile(core::Tail::lower, 0.3), 4.0);
    // A current equal to a reference counts as above it.
    const auto exact =
        exact_probabilities(design, std::vector<ColumnClass>{{2, 2}}, options, one_thread);
    EXPECT_EQ(exact.probability, (std::vector<double>{0.0, 0.0, 1.0}));
  }
}

TEST(ExactColumn, SaysWhatItCannotDo) {
  ColumnDesign design = gaussian_design(4, 0.05, 0.03, 0.1);
  EXPECT_FALSE(exact_obstacle(design));
  design.sense.noise_knee = 10.0;
  EXPECT_FALSE(exact_obstacle(design));
  design.sense.noise_shape = NoiseShape::logistic;
  EXPECT_THAT(*exact_obstacle(design), testing::HasSubstr("logistic noise with a finite"));
  design.sense.noise_shape = NoiseShape::gaussian;
  design.sense.noise_knee = 1.0;
  EXPECT_THAT(*exact_obstacle(design), testing::HasSubstr("noise_knee 1"));
  design.sense.noise_knee = 10.0;
  design.dummy = core::Law::lognormal(0.1, 0.5);
  EXPECT_THAT(*exact_obstacle(design), testing::HasSubstr("subtracted lognormal"));
  design.dummy.reset();
  design.sense = {};
  EXPECT_FALSE(exact_obstacle(design));
  design.lrs = core::Law({{.weight = 0.99, .base = core::Normal{1.0, 0.05}},
                          {.weight = 0.01, .base = core::Point{0.1}}});
  EXPECT_FALSE(exact_obstacle(design));
  // Atoms blurred by two noises of unlike shape, and too little.
  design.sense = {.offset_sd = 1e-7, .noise_sd = 1e-7, .noise_shape = NoiseShape::logistic};
  EXPECT_THAT(*exact_obstacle(design), testing::HasSubstr("too little noise"));
  const auto classes = classes_of(4);
  EXPECT_THROW(exact_probabilities(design, classes, {}, one_thread), core::UsageError);
  design.sense = {.noise_sd = 0.02};
  EXPECT_FALSE(exact_obstacle(design));
  EXPECT_THROW(exact_probabilities(design, classes, {.tolerance = 1e-3}, one_thread),
               core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
