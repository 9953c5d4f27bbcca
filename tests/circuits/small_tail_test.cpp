#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "tests/circuits/exact_agreement.h"
#include "tests/support/nested_oracle.h"

namespace cimstat::circuits {
namespace {

using core::Tail;
using tests::OracleCell;
using Real = long double;

ColumnDesign design_of(core::Law lrs, core::Law hrs, double noise, NoiseShape shape) {
  ColumnDesign design;
  design.rows = 2;
  design.lrs = std::move(lrs);
  design.hrs = std::move(hrs);
  design.sense.noise_sd = noise;
  design.sense.noise_shape = shape;
  design.ladder = midpoint_ladder(design, 2);
  return design;
}

core::Law one(core::Shape base) { return core::Law({{.base = std::move(base)}}); }

/// Tails between 1e-26 and 1e-12 of one LRS and one HRS cell against nested integration, whose
/// terms are all positive. `cells`: the middle one's distribution function is asked for, far below.
void expect_digits(const ColumnDesign& design, Tail side, std::vector<OracleCell> cells,
                   const std::string& name) {
  SCOPED_TRACE(name);
  const SensedCurrent current(design, {1, 2});
  int seen = 0;
  for (double z = 3.0; z < 60.0; z += 0.5) {
    const double x = current.mean() + (side == Tail::upper ? z : -z) * current.sd();
    const Real truth = tests::below_by_nesting(cells, side == Tail::upper ? -x : x);
    if (truth > 1e-12L) continue;
    if (truth < 1e-26L) break;
    ++seen;
    const BoundedTail tail = current.bounded_tail(side, x);
    const Real error = std::abs(tail.value - truth);
    EXPECT_LE(error, 1e-6L * truth) << z << " sd, " << double(truth);
    EXPECT_LE(error, tail.error + 1e-12L * truth) << z << " sd, " << double(truth);
    EXPECT_LE(tail.error, 1e-3L * truth) << z << " sd, " << double(truth);
    EXPECT_EQ(current.tail_probability(side, x), tail.value);
  }
  EXPECT_GE(seen, 4);
}

OracleCell mirrored(const OracleCell& cell) { return tests::negated(cell); }

TEST(SmallTail, KeepsItsDigits) {
  // The lower tail of lognormal cells; the upper one of others, mirrored.
  expect_digits(
      design_of(core::Law::lognormal(10.0, 0.1), core::Law::lognormal(1.0, 0.5), 1.0,
                NoiseShape::gaussian),
      Tail::lower,
      {tests::lognormal_cell(10, 0.1), tests::normal_cell(0, 1), tests::lognormal_cell(1, 0.5)},
      "lower, lognormal cells, Gaussian noise");
  expect_digits(
      design_of(core::Law::lognormal(10.0, 0.1), core::Law::lognormal(1.0, 0.5), 0.4,
                NoiseShape::logistic),
      Tail::lower,
      {tests::lognormal_cell(10, 0.1), tests::logistic_cell(0.4), tests::lognormal_cell(1, 0.5)},
      "lower, lognormal cells, logistic noise");
  expect_digits(design_of(one(core::TruncatedNormal{10, 1, 8, 12}),
                          one(core::TruncatedLogNormal{1, 0.5, 0.3, 3}), 0.7, NoiseShape::gaussian),
                Tail::upper,
                {mirrored(tests::truncated_normal_cell(10, 1, 8, 12)), tests::normal_cell(0, 0.7),
                 mirrored(tests::truncated_lognormal_cell(1, 0.5, 0.3, 3))},
                "upper, truncated cells, Gaussian noise");
  const std::vector<double> probability{0, 0.25, 1};
  expect_digits(design_of(one(core::Empirical{probability, {8, 10, 12}}),
                          one(core::ClampedNormal{1, 0.5, 0, 2}), 0.7, NoiseShape::gaussian),
                Tail::upper,
                {mirrored(tests::measured_cell(probability, {8, 10, 12})),
                 tests::normal_cell(0, 0.7), mirrored(tests::clamped_normal_cell(1, 0.5, 0, 2))},
                "upper, measured and clamped cells, Gaussian noise");
  expect_digits(design_of(core::Law::normal(10.0, 0.5),
                          one(core::Empirical{probability, {0, 1, 3}}), 0.4, NoiseShape::logistic),
                Tail::upper,
                {tests::normal_cell(-10, 0.5), tests::logistic_cell(0.4),
                 mirrored(tests::measured_cell(probability, {0, 1, 3}))},
                "upper, normal and measured cells, logistic noise");
}

/// P(code) of n stuck or normal cells with noise, from tails whose terms are all positive.
TEST(SmallTail, EntriesOfARowKeepTheirDigits) {
  constexpr std::uint32_t n = 9;
  constexpr Real stuck = 0x1p-9L;
  ColumnDesign design;
  design.rows = n;
  design.lrs = core::Law({{.weight = 1.0 - 0x1p-9, .base = core::Normal{1.0, 0.015625}},
                          {.weight = 0x1p-9, .base = core::Point{0.125}}});
  design.hrs = core::Law::point(0.125);
  design.sense.noise_sd = 0.03125;
  design.ladder = midpoint_ladder(design, n);
  const auto classes = classes_of(n);
  const auto exact = exact_probabilities(design, classes, {}, one_thread);
  int rare = 0;
  int digits = 0;
  for (std::uint32_t k = 0; k <= n; ++k) {
    const auto tail = [&](Tail side, Real t) {
      Real sum = 0;
      Real weight = std::pow(1 - stuck, Real(k));
      for (std::uint32_t j = 0; j <= k; ++j) {
        const Real centre = k - j + 0.125L * (n - k + j);
        const Real variance = (k - j) * 0.015625L * 0.015625L + 0.03125L * 0.03125L;
        const Real z = (side == Tail::upper ? t - centre : centre - t) / std::sqrt(2 * variance);
        sum += weight * std::erfc(z) / 2;
        weight *= Real(k - j) / (j + 1) * stuck / (1 - stuck);
      }
      return sum;
    };
    for (std::uint32_t code = 0; code <= n; ++code) {
      const auto references = design.ladder.at(n);
      const Real t = code > k ? references[code - 1] : references[code < n ? code : n - 1];
      const Tail side = code > k ? Tail::upper : Tail::lower;
      if (code == k) continue;
      Real truth = tail(side, t);
      if (side == Tail::upper && code < n) truth -= tail(side, references[code]);
      if (side == Tail::lower && code > 0) truth -= tail(side, references[code - 1]);
      if (truth > 1e-9L || truth < 1e-26L) continue;
      ++rare;
      const std::size_t place = k * (n + 1) + code;
      const Real error = std::abs(exact.probability[place] - truth);
      EXPECT_LE(error, exact.entry_error[place]) << k << " " << code << " " << double(truth);
      if (exact.entry_error[place] <= 1e-3L * truth) ++digits;
    }
  }
  EXPECT_GE(rare, 20);
  EXPECT_GE(2 * digits, rare);  // those on a plateau of stuck cells have none
}

TEST(SmallTail, HeavyTailsHaveNone) {
  const ColumnDesign design = design_of(core::Law::lognormal(10.0, 0.1),
                                        core::Law::lognormal(1.0, 0.5), 1.0, NoiseShape::gaussian);
  const SensedCurrent current(design, {1, 2});
  const double x = current.quantile(Tail::upper, 1e-9);
  EXPECT_EQ(current.bounded_tail(Tail::upper, x).error, current.error_bound());
}

}  // namespace
}  // namespace cimstat::circuits
