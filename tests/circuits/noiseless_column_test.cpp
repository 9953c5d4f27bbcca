#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numbers>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "circuits/exact/exact_column.h"
#include "circuits/references/references.h"

#include "tests/circuits/exact_agreement.h"
#include "tests/support/nested_oracle.h"
#include "tests/support/sum_oracle.h"

namespace cimstat::circuits {
namespace {

using tests::OracleCell;
using Real = long double;

struct Sides {
  core::Law law;
  OracleCell oracle;
};

core::Law mixed(std::vector<core::Component> components) {
  return core::Law(std::move(components));
}

Sides point(double value) { return {core::Law::point(value), tests::point_cell(value)}; }

Sides lognormal(double median, double sigma) {
  return {core::Law::lognormal(median, sigma), tests::lognormal_cell(median, sigma)};
}

Sides truncated_normal(double mean, double sd, double low, double high) {
  return {mixed({{.base = core::TruncatedNormal{mean, sd, low, high}}}),
          tests::truncated_normal_cell(mean, sd, low, high)};
}

Sides truncated_lognormal(double median, double sigma, double low, double high) {
  return {mixed({{.base = core::TruncatedLogNormal{median, sigma, low, high}}}),
          tests::truncated_lognormal_cell(median, sigma, low, high)};
}

Sides clamped_normal(double mean, double sd, double low, double high) {
  return {mixed({{.base = core::ClampedNormal{mean, sd, low, high}}}),
          tests::clamped_normal_cell(mean, sd, low, high)};
}

Sides clamped_lognormal(double median, double sigma, double low, double high) {
  return {mixed({{.base = core::ClampedLogNormal{median, sigma, low, high}}}),
          tests::clamped_lognormal_cell(median, sigma, low, high)};
}

Sides measured(const std::vector<double>& probability, const std::vector<double>& value) {
  return {mixed({{.base = core::Empirical{probability, value}}}),
          tests::measured_cell(probability, value)};
}

Sides stuck(const Sides& cell, double weight, double value) {
  std::vector<core::Component> components = cell.law.components();
  for (core::Component& component : components) component.weight *= 1.0 - weight;
  components.push_back({.weight = weight, .base = core::Point{value}});
  return {mixed(std::move(components)), tests::stuck(cell.oracle, weight, value)};
}

/// A trap that lowers the current by the share `amplitude` is occupied with that probability.
Sides telegraph(const Sides& cell, double probability, double amplitude) {
  std::vector<core::Component> components;
  for (core::Component component : cell.law.components()) {
    component.weight *= 1.0 - probability;
    components.push_back(component);
    component.weight = component.weight / (1.0 - probability) * probability;
    component.scale *= 1.0 - amplitude;
    components.push_back(component);
  }
  return {mixed(std::move(components)),
          tests::either(cell.oracle, probability, tests::scaled(cell.oracle, 1.0 - amplitude))};
}

enum class Noise { none, gaussian, logistic };

struct Case {
  std::string name;
  std::uint32_t rows;
  std::uint32_t active_rows;
  Sides lrs;
  Sides hrs;
  Noise noise = Noise::none;
  double noise_sd = 0.0;
  Placement placement = Placement::midpoint;
  std::vector<Sides> leakage = {};
  std::vector<Sides> dummy = {};
  std::vector<double> references = {};
};

ColumnDesign design_of(const Case& c) {
  ColumnDesign design;
  design.rows = c.rows;
  design.lrs = c.lrs.law;
  design.hrs = c.hrs.law;
  if (!c.leakage.empty()) design.leakage = c.leakage.front().law;
  if (!c.dummy.empty()) design.dummy = c.dummy.front().law;
  design.sense.noise_sd = c.noise_sd;
  if (c.noise == Noise::logistic) design.sense.noise_shape = NoiseShape::logistic;
  const std::uint32_t n = c.active_rows;
  switch (c.placement) {
    case Placement::midpoint:
      design.ladder = midpoint_ladder(design, n);
      break;
    case Placement::dual:
      design.ladder = dual_ladder(design, n);
      break;
    case Placement::replica:
      design.ladder = replica_ladder(design, n);
      break;
    case Placement::uniform:
      design.ladder = uniform_ladder(design, n, 6);
      break;
    default:
      ADD_FAILURE() << "no ladder of this test";
  }
  if (!c.references.empty()) {
    design.ladder = {static_cast<std::uint32_t>(c.references.size() + 1), c.references};
  }
  return design;
}

std::vector<Real> nested(const Case& c, ColumnClass column_class,
                         std::span<const double> references) {
  std::vector<OracleCell> cells(column_class.lrs_count, c.lrs.oracle);
  cells.insert(cells.end(), column_class.active_rows - column_class.lrs_count, c.hrs.oracle);
  if (!c.leakage.empty()) {
    cells.insert(cells.end(), c.rows - column_class.active_rows, c.leakage.front().oracle);
  }
  if (!c.dummy.empty()) {
    cells.insert(cells.end(), column_class.active_rows, tests::negated(c.dummy.front().oracle));
  }
  if (c.noise == Noise::gaussian) cells.push_back(tests::normal_cell(0.0, c.noise_sd));
  if (c.noise == Noise::logistic) cells.push_back(tests::logistic_cell(c.noise_sd));
  std::vector<Real> result;
  for (const double t : references) result.push_back(tests::below_by_nesting(cells, t));
  return result;
}

using Below = std::function<std::vector<Real>(ColumnClass, std::span<const double>)>;

void expect_bounded(const ColumnDesign& design, const std::vector<ColumnClass>& classes,
                    const Below& below, double largest_bound, const std::string& name) {
  SCOPED_TRACE(name);
  ASSERT_EQ(exact_obstacle(design).value_or(""), "");
  const auto exact = exact_probabilities(design, classes, {}, one_thread);
  const std::size_t codes = design.ladder.codes;
  double worst_bound = 0.0;
  double worst_error = 0.0;
  for (std::size_t c = 0; c < classes.size(); ++c) {
    std::vector<Real> f = below(classes[c], design.ladder.at(classes[c].active_rows));
    f.insert(f.begin(), 0.0L);
    f.push_back(1.0L);
    double largest = 0.0;
    for (std::size_t code = 0; code < codes; ++code) {
      const Real difference = exact.probability[c * codes + code] - (f[code + 1] - f[code]);
      largest = std::max(largest, static_cast<double>(std::abs(difference)));
    }
    EXPECT_GE(exact.error_bound[c], largest) << "k = " << classes[c].lrs_count;
    EXPECT_LE(exact.error_bound[c], largest_bound) << "k = " << classes[c].lrs_count;
    worst_bound = std::max(worst_bound, exact.error_bound[c]);
    worst_error = std::max(worst_error, largest);
  }
  testing::Test::RecordProperty(name + ": error", fmt::format("{:.1e}", worst_error));
  testing::Test::RecordProperty(name + ": bound", fmt::format("{:.1e}", worst_bound));
}

void expect_nested_agreement(const Case& c, double largest_bound) {
  const ColumnDesign design = design_of(c);
  expect_bounded(
      design, classes_of(c.active_rows),
      [&](ColumnClass column_class, std::span<const double> references) {
        return nested(c, column_class, references);
      },
      largest_bound, c.name);
}

const std::vector<double> quarters{0.0, 0.25, 0.5, 0.75, 1.0};

TEST(NoiselessColumn, AgreesWithNestedIntegration) {
  const Sides hrs = lognormal(1.0, 0.5);
  const std::vector<Case> cases{
      {"truncated normal cells, midpoint references", 2, 2, truncated_normal(3, 1, 1.5, 4.5),
       truncated_normal(1, 0.5, 0, 3)},
      {"truncated lognormal cells, dual references", 3, 3, truncated_lognormal(4, 0.5, 2, 8),
       truncated_lognormal(1, 0.5, 0.4, 2), Noise::none, 0.0, Placement::dual},
      {"clamped normal cells, replica references", 2, 2, clamped_normal(3, 1, 2, 4.5),
       clamped_normal(1, 0.8, 0, 2), Noise::none, 0.0, Placement::replica},
      {"clamped lognormal cells, uniform references", 3, 3, clamped_lognormal(4, 0.4, 2, 6),
       clamped_lognormal(1, 0.5, 0.5, 2), Noise::none, 0.0, Placement::uniform},
      {"measured cells with equal values", 3, 3, measured(quarters, {2.0, 3.0, 4.0, 4.0, 5.0}),
       measured(quarters, {0, 0, 0.5, 1, 2})},
      {"stuck cells, truncated and lognormal", 3, 3,
       stuck(truncated_normal(4, 1.5, 1, 8), 0.01, 1.0), stuck(hrs, 0.02, 10.0)},
      {"telegraph noise in lognormal cells", 2, 2, telegraph(lognormal(3, 0.3), 0.3, 0.2),
       telegraph(hrs, 0.4, 0.5), Noise::none, 0.0, Placement::dual},
      {"telegraph noise in equal cells, truncated leakage",
       3,
       2,
       telegraph(point(4), 0.3, 0.25),
       telegraph(point(1), 0.5, 0.25),
       Noise::none,
       0.0,
       Placement::uniform,
       {truncated_lognormal(1, 0.8, 0.2, 4)}},
      {"measured cells and a dummy column",
       1,
       1,
       measured(quarters, {3, 4, 5, 6, 8}),
       measured(quarters, {0.5, 0.7, 1, 1.5, 2}),
       Noise::none,
       0.0,
       Placement::uniform,
       {},
       {measured({0, 0.5, 1}, {1, 2, 4.5})}},
      {"one truncated cell among equal ones", 4, 4, point(1.5), truncated_normal(1, 0.5, 0, 2)},
      {"cells of unlike widths, leakage",
       3,
       2,
       measured({0, 0.5, 1}, {3, 4, 4.5}),
       truncated_lognormal(1, 1, 0.01, 30),
       Noise::none,
       0.0,
       Placement::midpoint,
       {lognormal(0.01, 0.8)}},
  };
  for (const Case& c : cases) expect_nested_agreement(c, 1e-6);
}

TEST(NoiselessColumn, AgreesWithNestedIntegrationOverNoise) {
  const Sides hrs = lognormal(1.0, 0.5);
  const std::vector<Case> cases{
      {"measured cells, Gaussian noise", 2, 2, measured(quarters, {8, 9, 10, 10, 12}),
       measured(quarters, {0, 0, 0.5, 1, 2}), Noise::gaussian, 0.5, Placement::uniform},
      {"truncated normal cells, logistic noise, dual references", 3, 3,
       truncated_normal(10, 1, 8, 11), truncated_normal(1, 0.5, 0, 2), Noise::logistic, 0.6,
       Placement::dual},
      {"clamped lognormal cells, Gaussian noise, replica references", 3, 3,
       clamped_lognormal(8, 0.2, 6, 9), clamped_lognormal(1, 0.5, 0.5, 2), Noise::gaussian, 0.4,
       Placement::replica},
      {"telegraph noise in stuck lognormal cells, Gaussian noise", 2, 2,
       stuck(telegraph(lognormal(10, 0.1), 0.3, 0.2), 0.01, 1.0),
       stuck(telegraph(hrs, 0.4, 0.5), 0.01, 10.0), Noise::gaussian, 0.3},
      {"telegraph noise, truncated leakage, logistic noise",
       3,
       2,
       telegraph(truncated_normal(10, 1, 8, 11), 0.3, 0.2),
       stuck(hrs, 0.02, 10.0),
       Noise::logistic,
       0.5,
       Placement::midpoint,
       {truncated_lognormal(0.3, 0.8, 0.1, 1)}},
  };
  for (const Case& c : cases) expect_nested_agreement(c, 1e-12);
}

TEST(NoiselessColumn, LittleNoiseOnAtomsIsClosedForm) {
  for (const Noise noise : {Noise::gaussian, Noise::logistic}) {
    Case c{"atoms with little noise",      3,     3,   telegraph(point(10), 0.3, 0.2),
           telegraph(point(1), 0.5, 0.25), noise, 1e-7};
    c.references = {2.75, 11.0, 19.5, 20.0 + 1e-7};
    const ColumnDesign design = design_of(c);
    const auto cdf = noise == Noise::gaussian ? tests::normal_cdf(1e-7) : tests::logistic_cdf(1e-7);
    const auto below = [&](ColumnClass column_class, std::span<const double> references) {
      std::vector<Real> f(references.size(), 0);
      const std::uint32_t k = column_class.lrs_count;
      const auto choose = [](std::uint32_t n, std::uint32_t j, Real p) {
        Real value = 1;
        for (std::uint32_t i = 0; i < j; ++i) value = value * (n - i) / (i + 1) * p;
        return value * std::pow(1 - p, Real(n - j));
      };
      for (std::uint32_t a = 0; a <= k; ++a) {
        for (std::uint32_t b = 0; b <= 3 - k; ++b) {
          const Real value = Real(10.0) * (k - a) + Real(10.0) * Real(1.0 - 0.2) * a +
                             Real(3 - k - b) + Real(0.75) * b;
          for (std::size_t j = 0; j < f.size(); ++j) {
            f[j] +=
                choose(k, a, Real(0.3)) * choose(3 - k, b, Real(0.5)) * cdf(references[j] - value);
          }
        }
      }
      return f;
    };
    expect_bounded(design, classes_of(3), below, 1e-9, c.name);
  }
}

/// P(S < t), S = n cells that are normal(mean, sd), or stuck at `value` with probability `stuck`,
/// plus a normal(shift, spread), by going through all numbers of stuck cells.
Real stuck_below(std::uint32_t n, Real mean, Real sd, Real stuck, Real value, Real shift,
                 Real spread, Real t) {
  Real sum = 0;
  Real weight = std::pow(1 - stuck, Real(n));
  for (std::uint32_t j = 0; j <= n; ++j) {
    const Real centre = (n - j) * mean + j * value + shift;
    const Real variance = (n - j) * sd * sd + spread * spread;
    sum += weight * (variance > 0 ? std::erfc((centre - t) / std::sqrt(2 * variance)) / 2
                                  : Real(centre < t ? 1 : 0));
    weight *= Real(n - j) / (j + 1) * stuck / (1 - stuck);
  }
  return sum;
}

TEST(NoiselessColumn, AgreesWithGoingThroughAllNumbersOfStuckCells) {
  for (const std::uint32_t n : {1U, 4U, 32U, 1024U}) {
    ColumnDesign design;
    design.rows = n;
    design.lrs = core::Law({{.weight = 1.0 - 0x1p-7, .base = core::Normal{1.0, 0.03125}},
                            {.weight = 0x1p-7, .base = core::Point{0.125}}});
    design.hrs = core::Law::point(0.125);
    design.ladder = midpoint_ladder(design, n);
    std::vector<ColumnClass> classes = classes_of(n);
    if (n == 1024) classes = {{0, n}, {1, n}, {2, n}, {100, n}, {512, n}, {1023, n}, {n, n}};
    const auto below = [&](ColumnClass c, std::span<const double> references) {
      std::vector<Real> f;
      for (const double t : references) {
        f.push_back(stuck_below(c.lrs_count, 1, 0.03125L, 0x1p-7L, 0.125L,
                                0.125L * (c.active_rows - c.lrs_count), 0, t));
      }
      return f;
    };
    expect_bounded(design, classes, below, 1e-10, "stuck normal cells, n = " + std::to_string(n));
  }
}

TEST(NoiselessColumn, LognormalColumnsWithStuckCellsAgreeWithConvolution) {
  // P(S < t) = E F(t - the other cells), F the distribution of one cell that is not stuck.
  constexpr std::uint32_t rows = 6;
  ColumnDesign design;
  design.rows = rows;
  const auto with_stuck = [](double median, double sigma, double other) {
    return core::Law({{.weight = 1.0 - 0x1p-6, .base = core::LogNormal{median, sigma}},
                      {.weight = 0x1p-6, .base = core::Point{other}}});
  };
  design.lrs = with_stuck(8.0, 0.15, 1.0);
  design.hrs = with_stuck(1.0, 0.4, 8.0);
  design.ladder = midpoint_ladder(design, rows);
  const tests::SumOracle oracle(
      {tests::lognormal_density(8.0, 0.15), tests::lognormal_density(1.0, 0.4)}, 0.02L, 13);
  const auto cdf = [](Real median, Real sigma) {
    return [=](Real x) {
      return x <= 0 ? Real(0)
                    : std::erfc(-std::log(x / median) / (sigma * std::numbers::sqrt2_v<Real>)) / 2;
    };
  };
  const auto choose = [](std::uint32_t n, std::uint32_t j) {
    Real value = std::pow(1 - 0x1p-6L, Real(n - j));
    for (std::uint32_t i = 0; i < j; ++i) value = value * (n - i) / (i + 1) * 0x1p-6L;
    return value;
  };
  const auto below = [&](ColumnClass c, std::span<const double> references) {
    std::vector<Real> f(references.size(), 0);
    const std::uint32_t k = c.lrs_count;
    for (std::uint32_t a = 0; a <= k; ++a) {
      for (std::uint32_t b = 0; b <= rows - k; ++b) {
        const Real weight = choose(k, a) * choose(rows - k, b);
        std::vector<double> shifted;
        for (const double t : references) shifted.push_back(t - 1.0 * a - 8.0 * b);
        std::uint32_t counts[] = {k - a, rows - k - b};
        if (counts[0] + counts[1] == 0) {
          for (std::size_t j = 0; j < f.size(); ++j) f[j] += weight * (shifted[j] > 0 ? 1 : 0);
          continue;
        }
        const bool last_is_hrs = counts[1] > 0;
        --counts[last_is_hrs ? 1 : 0];
        const auto last = last_is_hrs ? cdf(1, 0.4) : cdf(8, 0.15);
        std::vector<Real> part;
        if (counts[0] + counts[1] == 0) {
          for (const double t : shifted) part.push_back(last(t));
        } else {
          part = oracle.below(counts, shifted, last, 400);
        }
        for (std::size_t j = 0; j < f.size(); ++j) f[j] += weight * part[j];
      }
    }
    return f;
  };
  expect_bounded(design, classes_of(rows), below, 1e-10, "stuck lognormal cells");
}

TEST(NoiselessColumn, ACurrentEqualToAReferenceCountsAsAboveIt) {
  ColumnDesign design;
  design.rows = 3;
  // 3 x 0.1 is not 0.3 in binary, nor are sums of tenths what decimals say.
  design.lrs = core::Law(
      {{.weight = 0.75, .base = core::Point{0.1}}, {.weight = 0.25, .base = core::Point{0.2}}});
  design.hrs = core::Law::point(0.0);
  design.ladder = {5, {0.1, 0.3, 0.4, 0.6}};
  const auto exact =
      exact_probabilities(design, std::vector<ColumnClass>{{3, 3}, {1, 3}}, {}, one_thread);
  // Three cells: 0.3 and 0.4 with 27/64 each, 0.5 with 9/64, 0.6 with 1/64.
  const std::vector<double> expected{0.0, 0.0, 27.0 / 64, 36.0 / 64, 1.0 / 64,
                                     0.0, 1.0, 0.0,       0.0,       0.0};
  for (std::size_t code = 0; code < 10; ++code) {
    EXPECT_NEAR(exact.probability[code], expected[code], 1e-15) << code;
  }
  EXPECT_LE(exact.error_bound[0], 1e-12);
  const SensedCurrent current(design, {3, 3});
  EXPECT_NEAR(current.tail_probability(core::Tail::lower, 0.3), 0.421875, 1e-15);
  EXPECT_NEAR(current.tail_probability(core::Tail::lower, 0.29), 0.0, 1e-15);
  EXPECT_NEAR(current.quantile(core::Tail::lower, 0.5), 0.4, 1e-9);
}

TEST(NoiselessColumn, DoesNotDependOnThreadsOrCompany) {
  ColumnDesign design;
  design.rows = 9;
  design.lrs = stuck(truncated_normal(10, 1, 8, 12), 0.01, 1.0).law;
  design.hrs = stuck(lognormal(1.0, 0.5), 0.02, 10.0).law;
  design.ladder = midpoint_ladder(design, 9);
  const auto classes = classes_for(std::vector<std::uint32_t>{1, 2, 9});
  const auto together = exact_probabilities(design, classes, {}, one_thread);
  EXPECT_EQ(together.probability, exact_probabilities(design, classes, {}, {2}).probability);
  const std::size_t codes = design.ladder.codes;
  for (std::size_t c = 0; c < classes.size(); c += 3) {
    const auto alone = exact_probabilities(design, std::vector{classes[c]}, {}, one_thread);
    EXPECT_EQ(alone.error_bound[0], together.error_bound[c]);
    for (std::size_t code = 0; code < codes; ++code) {
      EXPECT_EQ(alone.probability[code], together.probability[c * codes + code]);
    }
  }
}

TEST(ThousandRows, LognormalCellsAgreeWithConvolution) {
  // All LRS cells and the noise are one normal; the other cells are convolved.
  ColumnDesign design;
  design.rows = 1024;
  design.lrs = core::Law::normal(10.0, 0.5);
  design.hrs = core::Law::lognormal(1.0, 0.4);
  design.sense.noise_sd = 2.0;
  design.ladder = midpoint_ladder(design, 1024);
  for (const bool leaky : {false, true}) {
    std::vector<ColumnClass> classes{{924, 1024}, {1000, 1024}, {1020, 1024}};
    if (leaky) {
      design.leakage = core::Law::lognormal(0.05, 0.4);
      design.ladder = uniform_ladder(design, 24, 25);
      classes = {{0, 24}, {12, 24}, {23, 24}};
    }
    const tests::SumOracle oracle(
        {tests::lognormal_density(1.0, 0.4), tests::lognormal_density(0.05, 0.4)},
        leaky ? 0.0004L : 0.02L, leaky ? 18 : 14);
    const auto below = [&](ColumnClass c, std::span<const double> references) {
      const std::uint32_t counts[] = {c.active_rows - c.lrs_count,
                                      leaky ? 1024 - c.active_rows : 0};
      std::vector<double> shifted;
      for (const double t : references) shifted.push_back(t - 10.0 * c.lrs_count);
      const double sd = std::sqrt(0.25 * c.lrs_count + 4.0);
      return oracle.below(counts, shifted, tests::normal_cdf(sd), 20 * Real(sd));
    };
    expect_bounded(design, classes, below, 1e-11,
                   leaky ? "1,000 leaking rows" : "1,024 rows, normal and lognormal");
  }
}

}  // namespace
}  // namespace cimstat::circuits
