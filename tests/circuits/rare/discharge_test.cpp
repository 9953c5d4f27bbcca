// A column that is no sum: resistive cells discharge a bit line, V = V_dd exp(-t G / C), and the
// voltage, with Gaussian noise behind the curve, is compared with a reference. The reference
// probability is one outer integral over the law of G, from densities convolved in long double.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/statistics/statistics.h"

#include "circuits/rare/limit_state.h"
#include "circuits/rare/log_tail.h"
#include "circuits/rare/rare_sum.h"

#include "tests/circuits/rare/tail_oracle.h"

namespace cimstat::circuits {
namespace {

constexpr double lrs_median = 40.0;  // uS
constexpr double lrs_sigma = 0.05;
constexpr double hrs_median = 3.0;
constexpr double hrs_sigma = 0.3;
constexpr std::uint64_t seeds = 20;  // 1 to 20, fixed before the first run

struct Discharge {
  std::uint32_t rows;
  std::uint32_t lrs_count;
  double noise_sd;  ///< [V]
  double share;  ///< where the reference lies between the voltages of this class (0) and the next

  double mean(std::uint32_t k) const {
    return k * lrs_median * std::exp(0.5 * lrs_sigma * lrs_sigma) +
           (rows - k) * hrs_median * std::exp(0.5 * hrs_sigma * hrs_sigma);
  }
  /// [V], V_dd = 1 V; t / C so that half of the cells in LRS leave 1 / e of it.
  double voltage(double conductance) const { return std::exp(-conductance / mean(rows / 2)); }
  double reference() const {
    const double here = voltage(mean(lrs_count));
    return here + share * (voltage(mean(lrs_count + 1)) - here);
  }
  /// Failure: the voltage with its noise lies below the reference.
  double truth() const {
    const tests::Function noise = tests::normal_tail_of(noise_sd);
    const double r = reference();
    return tests::expectation_over_sum(
        {{tests::lognormal_density_of(lrs_median, lrs_sigma), lrs_count},
         {tests::lognormal_density_of(hrs_median, hrs_sigma), rows - lrs_count}},
        {.step = 0.02L, .log2_points = 17, .tilt = 0.05L, .cut = 90.0L},
        [&](long double s) { return noise(std::exp(-s / mean(rows / 2)) - r); });
  }
  /// One variable for each cell.
  LimitState limit() const {
    return {rows,
            [this](std::span<const double> z) {
              double sum = 0.0;
              for (std::size_t i = 0; i < z.size(); ++i) {
                sum += i < lrs_count ? lrs_median * std::exp(lrs_sigma * z[i])
                                     : hrs_median * std::exp(hrs_sigma * z[i]);
              }
              return voltage(sum) - reference();
            },
            noise_sd};
  }
  /// A function of a sum, with the permutations of equal cells used.
  SumFailure failure() const {
    SumFailure failure;
    failure.parts = {{core::Law::lognormal(lrs_median, lrs_sigma), lrs_count},
                     {core::Law::lognormal(hrs_median, hrs_sigma), rows - lrs_count}};
    failure.log_probability = [this](double sum, double) {
      return log_normal_tail((voltage(sum) - reference()) / noise_sd);
    };
    failure.resolution = noise_sd * mean(rows / 2) / voltage(mean(lrs_count));
    return failure;
  }
};

const std::vector<Discharge>& discharges() {
  static const std::vector<Discharge> list{{8, 2, 0.004, 0.6},   {8, 4, 0.006, 0.9},
                                           {8, 2, 0.004, 0.9},   {32, 8, 0.003, 1.1},
                                           {32, 16, 0.004, 2.0}, {32, 8, 0.002, 1.6}};
  return list;
}

struct SeedFigures {
  std::uint64_t agree = 0;
  double relative_sd = 0.0;
};

template <class Estimate>
SeedFigures over_seeds(const std::string& name, double truth, double bias, Estimate&& estimate) {
  core::Moments moments;
  SeedFigures figures;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const RareEstimate result = estimate(RareOptions{.key = {.seed = seed}});
    const core::WeightedSums sums = result.sums();
    moments.add(bias * sums.mean());
    const bool near = std::abs(bias * sums.mean() - truth) <= 5.0 * sums.standard_error();
    if (result.trustworthy() && near) ++figures.agree;
    if (!result.trustworthy()) std::printf("seed %d: %s\n", int(seed), result.refusal.c_str());
  }
  figures.relative_sd = std::sqrt(moments.variance()) / moments.mean();
  std::printf("%-32s p = %.4g, mean / p - 1 = %+.3f %%, relative sd %.3f %%\n", name.c_str(), truth,
              100.0 * (moments.mean() / truth - 1.0), 100.0 * figures.relative_sd);
  return figures;
}

class ResistiveDischarge : public ::testing::TestWithParam<std::size_t> {
 protected:
  const Discharge& discharge() const { return discharges()[GetParam()]; }
  std::string name() const {
    return std::to_string(discharge().rows) + " rows, class " +
           std::to_string(discharge().lrs_count);
  }
};

TEST_P(ResistiveDischarge, IsRightAsAFunctionOfASum) {
  const double truth = discharge().truth();
  EXPECT_GT(truth, 3e-13);
  EXPECT_LT(truth, 3e-6);
  const SumFailure failure = discharge().failure();
  const auto estimate = [&](const RareOptions& options) {
    return rare_sum(failure, options, Proposal::modes, {1});
  };
  const SeedFigures figures = over_seeds(name() + ", sum", truth, 1.0, estimate);
  EXPECT_EQ(figures.agree, seeds);
  EXPECT_LE(figures.relative_sd, 0.03);
  EXPECT_LT(over_seeds(name() + ", biased", truth, 1.15, estimate).agree, seeds);
}

TEST_P(ResistiveDischarge, IsRightAsALimitStateOfAllCells) {
  const double truth = discharge().truth();
  const LimitState limit = discharge().limit();
  const SeedFigures figures = over_seeds(
      name() + ", limit state", truth, 1.0,
      [&](const RareOptions& options) { return failure_probability(limit, options, {1}); });
  EXPECT_EQ(figures.agree, seeds);
  EXPECT_LE(figures.relative_sd, 0.03);
}

INSTANTIATE_TEST_SUITE_P(EveryCase, ResistiveDischarge,
                         ::testing::Range(std::size_t{0}, std::size_t{6}));

}  // namespace
}  // namespace cimstat::circuits
