// Seeds 1 to 20 and 100,000 samples were fixed before the first run.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/law/shape.h"
#include "core/statistics/statistics.h"

#include "circuits/sram/noise_margin.h"
#include "circuits/sram/read_access.h"
#include "circuits/sram/read_upset.h"

namespace cimstat::circuits {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t seeds = 20;

double q(double z) { return core::normal_tail(core::Tail::upper, z); }

struct SeedFigures {
  std::uint64_t trusted = 0;
  std::uint64_t held = 0;              ///< 95 % intervals that hold the truth
  std::uint64_t held_when_biased = 0;  ///< those of estimates 4 standard errors too large
  double mean_miss = 0.0;              ///< of the mean over seeds, in its standard errors
  double relative_sd = 0.0;
};

SeedFigures over_seeds(const std::string& name, const LimitState& limit, double truth) {
  SeedFigures figures;
  core::Moments moments;
  double reported = 0.0;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate estimate = failure_probability(limit, {.key = {.seed = seed}}, {1});
    if (!estimate.trustworthy()) {
      std::printf("seed %llu refused: %s\n", static_cast<unsigned long long>(seed),
                  estimate.refusal.c_str());
      continue;
    }
    ++figures.trusted;
    moments.add(*estimate.probability());
    const core::Interval interval = *estimate.interval(0.95);
    const double error = estimate.sums().relative_error();
    reported += error / double(seeds);
    if (interval.lower <= truth && truth <= interval.upper) ++figures.held;
    const double bias = 1.0 + 4.0 * error;
    if (interval.lower * bias <= truth && truth <= interval.upper * bias) {
      ++figures.held_when_biased;
    }
  }
  figures.mean_miss = std::abs(moments.mean() - truth) / moments.standard_error();
  figures.relative_sd = std::sqrt(moments.variance()) / moments.mean();
  std::printf("%-34s p = %.6g: relative sd %.3f %% (reported %.3f %%), %llu of 20 intervals held\n",
              name.c_str(), truth, 100.0 * figures.relative_sd, 100.0 * reported,
              static_cast<unsigned long long>(figures.held));
  return figures;
}

void expect_right(const SeedFigures& figures, double largest_sd) {
  EXPECT_EQ(figures.trusted, seeds);
  EXPECT_GE(figures.held, 15u);  // 14 or fewer of 20 happen once in 3,000 at 95 %
  EXPECT_LT(figures.held_when_biased, 15u);
  EXPECT_LE(figures.mean_miss, 4.5);
  EXPECT_LE(figures.relative_sd, largest_sd);
}

/// The least current that cells miss with this probability, by bisection of the exact integral.
ReadAccess access_failing(double probability) {
  ReadAccess cell;
  double low = 1e-6;
  double high = 60e-6;
  for (int i = 0; i < 100; ++i) {
    cell.least_current = 0.5 * (low + high);
    (cell.failure_probability() < probability ? low : high) = cell.least_current;
  }
  return cell;
}

// ---- read access

TEST(ReadAccess, TheIntegralAgreesWithOneInExtendedPrecision) {
  for (const double probability : {1e-2, 1e-6, 1e-11}) {
    const ReadAccess cell = access_failing(probability);
    // Simpson's rule over Vta in long double, up to where the node reaches ground.
    const long double shift =
        std::pow(static_cast<long double>(cell.least_current / cell.access_factor),
                 1.0L / static_cast<long double>(cell.exponent));
    const long double last =
        (cell.word_line - cell.access_threshold - shift) / static_cast<long double>(cell.access_sd);
    const auto integrand = [&](long double z) {
      const long double v = (last - z) * static_cast<long double>(cell.access_sd);
      if (v <= 0.0L) return std::exp(-0.5L * z * z);
      const long double highest =
          (cell.supply - 0.5L * v -
           static_cast<long double>(cell.least_current) / (cell.pull_down_factor * v) -
           cell.pull_down_threshold) /
          static_cast<long double>(cell.pull_down_sd);
      return std::exp(-0.5L * z * z) * 0.5L * std::erfc(highest / std::sqrt(2.0L));
    };
    constexpr int steps = 200'000;
    const long double low = -14.0L;
    const long double h = (last - low) / steps;
    long double sum = integrand(low) + integrand(last);
    for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4.0L : 2.0L) * integrand(low + i * h);
    const long double root = std::sqrt(2.0L * std::acos(-1.0L));
    const long double truth = sum * h / 3.0L / root + 0.5L * std::erfc(last / std::sqrt(2.0L));
    EXPECT_NEAR(cell.failure_probability() / static_cast<double>(truth), 1.0, 1e-10) << probability;
  }
}

TEST(ReadAccess, TheLimitStateFailsBehindTheClosedBoundaryOnly) {
  const ReadAccess cell = access_failing(1e-3);
  const LimitState limit = cell.limit();
  for (double a = -8.0; a <= 14.0; a += 0.37) {
    const double node = cell.word_line - cell.access_threshold - cell.access_sd * a -
                        std::pow(cell.least_current / cell.access_factor, 1.0 / cell.exponent);
    for (double d = -8.0; d <= 14.0; d += 0.41) {
      const double threshold = cell.pull_down_threshold + cell.pull_down_sd * d;
      const bool fails =
          node <= 0.0 || threshold > cell.supply - 0.5 * node -
                                         cell.least_current / (cell.pull_down_factor * node);
      EXPECT_EQ(limit.margin(std::vector<double>{a, d}) <= 0.0, fails) << a << " " << d;
    }
  }
}

TEST(ReadAccess, EstimatesHoldTheExactIntegralFrom1e2To1e11) {
  for (const double probability : {1e-2, 1e-4, 1e-6, 1e-9, 1e-11}) {
    const ReadAccess cell = access_failing(probability);
    expect_right(over_seeds("read access", cell.limit(), cell.failure_probability()), 0.02);
  }
}

// ---- read upset

ReadUpset upset_of(double sd) {
  ReadUpset cell;
  cell.access_sd = 1.2 * sd;
  cell.pull_down_sd = sd;
  cell.pull_up_sd = 1.5 * sd;
  return cell;
}

TEST(ReadUpset, BumpAndTripSolveTheirEquations) {
  const ReadUpset cell;
  for (const double access : {0.2, 0.41, 0.6}) {
    for (const double pull_down : {0.3, 0.41, 0.55}) {
      const double v = cell.bump(access, pull_down);
      const double in = 0.5 * cell.access_strength * std::pow(cell.supply - v - access, 2);
      const double out = cell.pull_down_strength * ((cell.supply - pull_down) * v - 0.5 * v * v);
      EXPECT_NEAR(in / out, 1.0, 1e-12);
      EXPECT_GT(v, 0.0);
      EXPECT_LT(v, cell.supply - access);
    }
  }
  // At the trip voltage both transistors of the inverter, saturated, carry the same current.
  const double v = cell.trip(0.38, 0.42);
  EXPECT_NEAR(cell.pull_down_strength * std::pow(v - 0.42, 2) /
                  (cell.pull_up_strength * std::pow(cell.supply - v - 0.38, 2)),
              1.0, 1e-12);
}

TEST(ReadUpset, TheBumpRisesOnWhereThePullDownSaturates) {
  ReadUpset cell;
  cell.supply = 0.7;
  int saturated = 0;
  for (double access = -0.2; access < 0.75; access += 0.03) {
    for (double pull_down = 0.2; pull_down < 0.75; pull_down += 0.03) {
      const double hold = std::max(cell.supply - pull_down, 0.0);
      double low = 0.0;
      double high = std::max(cell.supply - access, 0.0);
      saturated += high > hold ? 1 : 0;
      for (int i = 0; i < 100; ++i) {
        const double v = 0.5 * (low + high);
        const double across = std::min(v, hold);
        const double out = cell.pull_down_strength * (hold * across - 0.5 * across * across);
        const double in = 0.5 * cell.access_strength * std::pow(cell.supply - access - v, 2);
        (in > out ? low : high) = v;
      }
      EXPECT_NEAR(cell.bump(access, pull_down), low, 1e-12) << access << " " << pull_down;
    }
  }
  EXPECT_GT(saturated, 100);
}

TEST(ReadUpset, EstimatesHoldAtLowSupplies) {
  for (const double supply : {0.6, 0.9}) {
    ReadUpset cell = upset_of(0.04);
    cell.supply = supply;
    expect_right(over_seeds("read upset", cell.limit(), cell.failure_probability()), 0.03);
  }
}

TEST(ReadUpset, TheQuadratureAgreesWithPlainSampling) {
  const ReadUpset cell = upset_of(0.12);
  const LimitState limit = cell.limit();
  const double truth = cell.failure_probability();
  constexpr std::uint64_t trials = 400'000;
  std::uint64_t failures = 0;
  std::vector<double> z(6);
  for (std::uint64_t i = 0; i < trials; ++i) {
    core::TrialRandom random({.seed = 1}, core::Domain::test, i);
    fill_normal(random, z);
    if (limit.margin(z) <= 0.0) ++failures;
  }
  const double sd = std::sqrt(truth * (1.0 - truth) / double(trials));
  EXPECT_GT(truth, 1e-3);
  EXPECT_NEAR(double(failures) / double(trials), truth, 4.0 * sd);
  EXPECT_GT(truth - cell.upset_probability_of_one_value(), 20.0 * sd);  // one lobe would be seen
}

TEST(ReadUpset, EitherValueIsUpsetNearlyTwiceAsOftenAsOne) {
  const ReadUpset cell = upset_of(0.05);
  const double either = cell.failure_probability();
  const double one = cell.upset_probability_of_one_value();
  EXPECT_LE(either, 2.0 * one * (1.0 + 1e-12));
  EXPECT_GT(either, 1.99 * one);
}

TEST(ReadUpset, BothLobesAreFoundAndEstimatesHoldTheQuadrature) {
  for (const double sd : {0.09, 0.06, 0.05, 0.043}) {
    const ReadUpset cell = upset_of(sd);
    expect_right(over_seeds("read upset", cell.limit(), cell.failure_probability()), 0.03);
  }
  const auto points = find_design_points(upset_of(0.05).limit(), {.seed = 1}, {1});
  ASSERT_EQ(points.size(), 2u);
  EXPECT_NEAR(points[0].distance, points[1].distance, 1e-4);
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(points[0].z[i], points[1].z[(i + 3) % 6], 1e-2);
  }
}

// ---- static noise margin

NoiseMargin margin_at(double beta) {
  NoiseMargin cell{
      .nominal = 0.0, .slope = {0.62, -0.48, 0.21, -0.33, 0.27, 0.12}, .threshold_sd = 0.03};
  double square = 0.0;
  for (const double slope : cell.slope) square += slope * slope;
  cell.nominal = beta * cell.threshold_sd * std::sqrt(square);
  return cell;
}

TEST(BothAbove, HasItsClosedForms) {
  for (const double beta : {0.5, 3.0, 6.0}) {
    EXPECT_NEAR(both_above(beta, 0.0) / (q(beta) * q(beta)), 1.0, 1e-12);
    EXPECT_NEAR(both_above(beta, 1.0) / q(beta), 1.0, 1e-12);
    EXPECT_NEAR(both_above(beta, -1.0) / q(beta), 0.0, 1e-12);
  }
  // Quadrants: 1/4 + asin(rho) / (2 pi).
  EXPECT_NEAR(both_above(0.0, 0.5), 1.0 / 3.0, 1e-15);
  EXPECT_NEAR(both_above(0.0, -0.5), 1.0 / 6.0, 1e-15);
  // int_beta^inf phi(x) Q((beta - rho x) / sqrt(1 - rho^2)) dx by Simpson's rule.
  const double rho = 0.7;
  const double beta = 5.0;
  const auto both = [&](double x) {
    return core::normal_density(x) * q((beta - rho * x) / std::sqrt(1.0 - rho * rho));
  };
  constexpr int steps = 4000;
  const double h = 8.0 / steps;
  double sum = both(beta) + both(beta + 8.0);
  for (int i = 1; i < steps; ++i) sum += (i % 2 == 1 ? 4.0 : 2.0) * both(beta + i * h);
  EXPECT_NEAR(both_above(beta, rho) / (sum * h / 3.0), 1.0, 1e-10);
}

TEST(NoiseMargin, EstimatesHoldTheClosedForm) {
  for (const double beta : {2.5, 4.75, 6.0, 7.0}) {
    const NoiseMargin cell = margin_at(beta);
    EXPECT_NEAR(cell.distance(), beta, 1e-14);
    expect_right(over_seeds("static noise margin", cell.limit(), cell.failure_probability()), 0.02);
  }
}

TEST(NoiseMargin, ASingleMeanShiftSeesExactlyHalfOfItAndIsRefusedHere) {
  const NoiseMargin cell = margin_at(6.0);
  const LimitState limit = cell.limit();
  const auto points = find_design_points(limit, {.seed = 1}, {1});
  ASSERT_EQ(points.size(), 2u);
  // The shift in its pure form, N(z*, 1) and nothing else, as published recipes have it.
  core::WeightedSums sums;
  std::vector<double> z(limit.dimension);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    core::TrialRandom random({.seed = 1}, core::Domain::test, i);
    fill_normal(random, z);
    double along = 0.0;
    for (std::size_t j = 0; j < z.size(); ++j) {
      z[j] += points[0].z[j];
      along += z[j] * points[0].z[j];
    }
    const double half_square = 0.5 * points[0].distance * points[0].distance;
    sums.add(limit.margin(z) <= 0.0 ? std::exp(half_square - along) : 0.0);
  }
  EXPECT_NEAR(sums.mean() / cell.failure_probability(), 0.5, 5.0 * 0.5 * sums.relative_error());
  EXPECT_LT(sums.relative_error(), 0.02);  // confidently wrong
  const RareEstimate half =
      sample_around(limit, std::span(points).first(1), points, {.key = {.seed = 1}}, {1});
  EXPECT_THAT(half.refusal, HasSubstr("design point 2"));
  EXPECT_EQ(half.probability(), std::nullopt);
}

TEST(NoiseMargin, DoesNotDependOnThreads) {
  const LimitState limit = margin_at(5.0).limit();
  const RareOptions options{.samples = 20'000, .key = {.seed = 2}};
  EXPECT_EQ(failure_probability(limit, options, {1}).sums().sum,
            failure_probability(limit, options, {3}).sums().sum);
}

}  // namespace
}  // namespace cimstat::circuits
