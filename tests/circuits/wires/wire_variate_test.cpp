#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"
#include "core/law/law.h"
#include "core/random/random.h"
#include "core/statistics/control_variate.h"

#include "circuits/wires/crossbar.h"

/// The exact sum of a column's cells, whose mean is known, as control variate for its current
/// through wires.
namespace cimstat::circuits {
namespace {

constexpr std::size_t rows = 64;
constexpr std::size_t columns = 32;
constexpr double volt = 0.2;

core::Law cell_law(std::size_t row, std::size_t column) {
  return (row * 7 + column * 3) % 5 < 2 ? core::Law::lognormal(40e-6, 0.3)
                                        : core::Law::lognormal(1e-6, 0.6);
}

struct Samples {
  std::vector<double> with_wires;
  std::vector<double> ideal;
};

/// Currents of one column over arrays first .. first + count.
Samples sample(std::size_t column, std::uint64_t first, std::size_t count) {
  const CrossbarDesign design{.inputs = rows, .columns = columns, .wires = {1.0, 2.0, 10.0, 10.0}};
  const std::vector<double> inputs(rows, volt);
  std::vector<core::Law> laws;
  for (std::size_t i = 0; i < rows * columns; ++i) {
    laws.push_back(cell_law(i / columns, i % columns));
  }
  Samples samples;
  for (std::uint64_t array = first; array < first + count; ++array) {
    core::TrialRandom random({5, 0}, core::Domain::test, array);
    std::vector<double> cells;
    for (const core::Law& law : laws) {
      cells.push_back(law.quantile(core::Tail::lower, random.uniform()));
    }
    const Crossbar crossbar(design, cells);
    samples.with_wires.push_back(crossbar.read(inputs).currents[column]);
    samples.ideal.push_back(crossbar.ideal_currents(inputs)[column]);
  }
  return samples;
}

double ideal_mean(std::size_t column) {
  double mean = 0.0;
  for (std::size_t row = 0; row < rows; ++row) mean += volt * cell_law(row, column).mean();
  return mean;
}

TEST(WireControlVariate, CutsTheVarianceMoreThanTwentyTimesBelowATenthOfDrop) {
  for (const std::size_t column : {std::size_t{0}, columns - 1}) {
    const Samples samples = sample(column, 0, 400);
    const auto controlled =
        core::controlled_mean(samples.with_wires, samples.ideal, ideal_mean(column));
    const double drop = 1.0 - controlled.mean / ideal_mean(column);
    EXPECT_GT(drop, 0.04);
    EXPECT_LT(drop, 0.10);
    EXPECT_GT(controlled.variance_reduction(), 20.0) << "column " << column;
  }
}

/// Brute force: other arrays, plain mean. The tolerance is 3.5 standard errors; the twin, whose
/// control's mean is wrong by 1 %, must fail.
TEST(WireControlVariate, IsUnbiasedAgainstBruteForce) {
  const std::size_t column = columns - 1;
  const Samples few = sample(column, 0, 200);
  const Samples many = sample(column, 1000, 3000);
  core::Moments brute;
  for (const double current : many.with_wires) brute.add(current);
  const auto distance = [&](double control_mean) {
    const auto controlled = core::controlled_mean(few.with_wires, few.ideal, control_mean);
    return std::abs(controlled.mean - brute.mean()) /
           std::hypot(controlled.standard_error, brute.standard_error());
  };
  EXPECT_LT(distance(ideal_mean(column)), 3.5);
  EXPECT_GT(distance(1.01 * ideal_mean(column)), 3.5);
}

/// Over and over few samples of a curved dependence: the split coefficient leaves no bias, and the
/// interval covers nearly as promised.
TEST(WireControlVariate, HasNoBiasInSmallSamples) {
  for (const std::size_t count : {std::size_t{8}, std::size_t{24}}) {
    core::Moments means;
    core::Moments covered;
    core::TrialRandom random({6, 0}, core::Domain::test, count);
    std::vector<double> values(count);
    std::vector<double> controls(count);
    for (int repeat = 0; repeat < 20'000; ++repeat) {
      for (std::size_t i = 0; i < count; ++i) {
        controls[i] = random.uniform();
        values[i] = controls[i] * controls[i];
      }
      const auto controlled = core::controlled_mean(values, controls, 0.5);
      means.add(controlled.mean);
      const auto interval = controlled.interval(0.95);
      covered.add(interval.lower <= 1.0 / 3.0 && 1.0 / 3.0 <= interval.upper ? 1.0 : 0.0);
    }
    EXPECT_LT(std::abs(means.mean() - 1.0 / 3.0), 3.5 * means.standard_error()) << count;
    EXPECT_GT(covered.mean(), count == 8 ? 0.87 : 0.93) << count;
  }
}

TEST(WireControlVariate, RefusesTooFewSamples) {
  EXPECT_THROW((void)core::controlled_mean(std::vector<double>(7), std::vector<double>(7), 0.0),
               core::UsageError);
  EXPECT_THROW((void)core::controlled_mean(std::vector<double>(9), std::vector<double>(8), 0.0),
               core::UsageError);
}

}  // namespace
}  // namespace cimstat::circuits
