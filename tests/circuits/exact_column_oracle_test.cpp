#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "tests/circuits/exact_agreement.h"
#include "tests/support/sum_oracle.h"

namespace cimstat::circuits {
namespace {

struct MixedCase {
  std::string name;
  std::uint32_t rows;
  core::Law lrs;
  core::Law hrs;
  tests::SumOracle::Function lrs_density;
  tests::SumOracle::Function hrs_density;
  double noise;
  double step;           ///< of the oracle's grid
  unsigned log2_points;  ///< of the oracle's grid
};

MixedCase lognormal_pair(std::uint32_t rows, double lrs, double lrs_sigma, double hrs_sigma,
                         double noise, double step, unsigned log2_points) {
  return {"n = " + std::to_string(rows) + ", lognormal " + std::to_string(lrs_sigma) + " and " +
              std::to_string(hrs_sigma) + ", noise " + std::to_string(noise),
          rows,
          core::Law::lognormal(lrs, lrs_sigma),
          core::Law::lognormal(1.0, hrs_sigma),
          tests::lognormal_density(lrs, lrs_sigma),
          tests::lognormal_density(1.0, hrs_sigma),
          noise,
          step,
          log2_points};
}

MixedCase normal_and_lognormal(std::uint32_t rows, double lrs, double lrs_sd, double hrs_sigma,
                               double noise, double step, unsigned log2_points) {
  return {"n = " + std::to_string(rows) + ", normal " + std::to_string(lrs_sd) + " and lognormal " +
              std::to_string(hrs_sigma) + ", noise " + std::to_string(noise),
          rows,
          core::Law::normal(lrs, lrs_sd),
          core::Law::lognormal(1.0, hrs_sigma),
          tests::normal_density(lrs, lrs_sd),
          tests::lognormal_density(1.0, hrs_sigma),
          noise,
          step,
          log2_points};
}

ColumnDesign design_of(const MixedCase& mixed) {
  ColumnDesign design;
  design.rows = mixed.rows;
  design.lrs = mixed.lrs;
  design.hrs = mixed.hrs;
  design.sense.noise_sd = mixed.noise;
  design.sense.noise_shape = NoiseShape::logistic;
  design.ladder = midpoint_ladder(design, mixed.rows);
  return design;
}

/// A few classes across the range.
std::vector<ColumnClass> some_classes(std::uint32_t n) {
  std::vector<ColumnClass> classes;
  for (const std::uint32_t k : {0U, n / 3, n - 1, n}) {
    if (classes.empty() || k > classes.back().lrs_count) classes.push_back({k, n});
  }
  return classes;
}

TEST(ExactColumn, AgreesWithExtendedPrecisionConvolutionOnMixedColumnsWithLogisticNoise) {
  const std::vector<MixedCase> cases{
      normal_and_lognormal(4, 15.0, 0.5, 0.8, 0.6, 0.0013, 20),
      lognormal_pair(4, 10.0, 0.2, 0.1, 0.1, 0.01, 14),
      lognormal_pair(9, 10.0, 0.05, 0.3, 0.3, 0.02, 14),
      normal_and_lognormal(9, 20.0, 1.0, 0.5, 2.0, 0.01, 16),
      lognormal_pair(16, 12.0, 0.1, 0.6, 1.0, 0.006, 17),
      lognormal_pair(32, 20.0, 0.05, 0.2, 0.5, 0.02, 17),
      normal_and_lognormal(32, 10.0, 0.3, 0.5, 0.2, 0.01, 17),
      lognormal_pair(128, 20.0, 0.05, 0.4, 2.0, 0.018, 18),
      lognormal_pair(128, 8.0, 0.2, 0.8, 0.5, 0.0014, 20),
  };
  for (const MixedCase& mixed : cases) {
    const ColumnDesign design = design_of(mixed);
    const auto classes = some_classes(mixed.rows);
    const auto exact = exact_probabilities(design, classes, inverted, one_thread);
    const tests::SumOracle oracle({mixed.lrs_density, mixed.hrs_density}, mixed.step,
                                  mixed.log2_points);
    const auto noise = tests::logistic_cdf(mixed.noise);
    const auto below = [&](ColumnClass c, std::span<const double> references) {
      const std::uint32_t counts[] = {c.lrs_count, c.active_rows - c.lrs_count};
      return oracle.below(counts, references, noise, 25.0 * mixed.noise);
    };
    expect_agreement(design, classes, exact, below, 1e-12, mixed.name);
  }
}

/// How fine the oracle's grid must be for a lognormal: its transform at 2 pi / step, which is
/// exp(-(w^2 + 2 w) / (2 sigma^2)) with w e^w = 2 pi sigma^2 median / step, is below 1e-17.
double grid_step(double median, double sigma) {
  const double w = std::sqrt(1.0 + 2.0 * sigma * sigma * 39.0 + 2.5) - 1.0;
  return 0.8 * 2.0 * std::numbers::pi * sigma * sigma * median / (w * std::exp(w));
}

TEST(ExactColumn, RandomColumnsStayWithinTheirErrorBounds) {
  std::mt19937_64 generator(20180211);
  const auto uniform = [&](double low, double high) {
    return low + (high - low) * std::generate_canonical<double, 53>(generator);
  };
  for (int i = 0; i < 12; ++i) {
    const auto rows = static_cast<std::uint32_t>(1 + generator() % 8);
    const double ratio = uniform(3.0, 15.0);
    const double lrs_sigma = uniform(0.05, 0.25);
    const double hrs_sigma = uniform(0.1, 0.5);
    const double noise = std::exp(uniform(std::log(0.05), std::log(3.0)));
    const double step =
        std::min({grid_step(ratio, lrs_sigma), grid_step(1.0, hrs_sigma), noise / 3.0});
    const double top =
        rows * ratio * std::exp(5.0 * lrs_sigma) + rows + 3.0 * std::exp(9.0 * hrs_sigma);
    const auto log2_points = static_cast<unsigned>(std::ceil(std::log2(top / step)));
    const MixedCase mixed =
        lognormal_pair(rows, ratio, lrs_sigma, hrs_sigma, noise, step, log2_points);
    ColumnDesign design = design_of(mixed);
    if (i % 2 == 0) design.sense.noise_shape = NoiseShape::gaussian;
    const auto cdf = i % 2 == 0 ? tests::normal_cdf(noise) : tests::logistic_cdf(noise);
    const tests::SumOracle oracle({mixed.lrs_density, mixed.hrs_density}, step, log2_points);
    const auto below = [&](ColumnClass c, std::span<const double> references) {
      const std::uint32_t counts[] = {c.lrs_count, c.active_rows - c.lrs_count};
      return oracle.below(counts, references, cdf, 25.0 * noise);
    };
    const auto classes = classes_of(rows);
    expect_agreement(design, classes, exact_probabilities(design, classes, inverted, one_thread),
                     below, 1e-12, mixed.name);
  }
}

/// Nodes of `panels` five-point Gauss-Legendre rules on [low, high].
std::vector<std::pair<long double, long double>> gauss_nodes(long double low, long double high,
                                                             int panels) {
  const long double inner = std::sqrt(5 - 2 * std::sqrt(10.0L / 7)) / 3;
  const long double outer = std::sqrt(5 + 2 * std::sqrt(10.0L / 7)) / 3;
  const long double root = std::sqrt(70.0L);
  const std::pair<long double, long double> rule[] = {{-outer, (322 - 13 * root) / 900},
                                                      {-inner, (322 + 13 * root) / 900},
                                                      {0.0L, 128.0L / 225},
                                                      {inner, (322 + 13 * root) / 900},
                                                      {outer, (322 - 13 * root) / 900}};
  std::vector<std::pair<long double, long double>> nodes;
  const long double half = (high - low) / (2 * panels);
  for (int panel = 0; panel < panels; ++panel) {
    for (const auto& [x, weight] : rule) {
      nodes.emplace_back(low + half * (2 * panel + 1 + x), half * weight);
    }
  }
  return nodes;
}

TEST(ExactColumn, AgreesWithNestedIntegrationOnTruncatedAndEmpiricalCells) {
  ColumnDesign design;
  design.rows = 3;
  design.lrs = core::Law({{.base = core::Empirical{{0.0, 0.25, 1.0}, {8.0, 10.0, 11.0}}}});
  design.hrs = core::Law({{.base = core::TruncatedLogNormal{1.0, 0.5, 0.4, 1.5}}});
  design.sense.noise_sd = 0.8;
  design.sense.noise_shape = NoiseShape::logistic;
  design.ladder = midpoint_ladder(design, 3);
  const auto classes = classes_of(3);
  const auto exact = exact_probabilities(design, classes, {}, one_thread);

  std::vector<std::pair<long double, long double>> lrs;
  for (const auto& [x, weight] : gauss_nodes(8.0L, 10.0L, 16)) lrs.emplace_back(x, weight * 0.125L);
  for (const auto& [x, weight] : gauss_nodes(10.0L, 11.0L, 8)) lrs.emplace_back(x, weight * 0.75L);
  std::vector<std::pair<long double, long double>> hrs;
  const auto parent = tests::lognormal_density(1.0, 0.5);
  long double mass = 0.0L;
  for (const auto& [x, weight] : gauss_nodes(0.4, 1.5L, 24)) {
    hrs.emplace_back(x, weight * parent(x));
    mass += hrs.back().second;
  }
  for (auto& [x, weight] : hrs) weight /= mass;
  const auto noise = tests::logistic_cdf(0.8);
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    const auto& first = c.lrs_count > 0 ? lrs : hrs;
    const auto& second = c.lrs_count > 1 ? lrs : hrs;
    const auto& third = c.lrs_count > 2 ? lrs : hrs;
    std::vector<long double> f(references.size(), 0.0L);
    if (c.active_rows != 3) return f;
    for (const auto& [a, weight_a] : first) {
      for (const auto& [b, weight_b] : second) {
        for (const auto& [d, weight_d] : third) {
          for (std::size_t j = 0; j < f.size(); ++j) {
            f[j] += weight_a * weight_b * weight_d * noise(references[j] - a - b - d);
          }
        }
      }
    }
    return f;
  };
  expect_agreement(design, classes, exact, below, 1e-12, "truncated and empirical cells");
}

TEST(ExactColumn, AgreesWithIntegrationWhereTheNoiseGrowsWithTheCurrent) {
  const MixedCase mixed = normal_and_lognormal(9, 12.0, 0.4, 0.4, 0.5, 0.018, 15);
  ColumnDesign design = design_of(mixed);
  design.sense.noise_shape = NoiseShape::gaussian;
  design.sense.noise_knee = 40.0;
  const auto classes = classes_of(9);
  const auto exact = exact_probabilities(design, classes, {}, one_thread);
  const tests::SumOracle oracle({mixed.lrs_density, mixed.hrs_density}, mixed.step,
                                mixed.log2_points);
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    const std::uint32_t counts[] = {c.lrs_count, c.active_rows - c.lrs_count};
    const std::vector<long double> density = oracle.density(counts);
    std::vector<long double> f;
    for (const double t : references) {
      long double sum = 0.0L;
      for (std::size_t j = 0; j < density.size(); ++j) {
        const long double x = static_cast<long double>(mixed.step) * j;
        if (x > t + 60) break;
        const long double sd = 0.5L * std::sqrt(1 + x / 40);
        sum += density[j] * std::erfc((x - t) / (sd * std::numbers::sqrt2_v<long double>)) / 2;
      }
      f.push_back(sum * mixed.step);
    }
    return f;
  };
  expect_agreement(design, classes, exact, below, 1e-12, "bent noise");
}

}  // namespace
}  // namespace cimstat::circuits
