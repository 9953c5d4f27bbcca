#include "circuits/wires/crossbar.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "core/error.h"
#include "core/random/random.h"
#include "core/simd.h"

#include "tests/circuits/wires/nodal_oracle.h"

namespace cimstat::circuits {
namespace {

using ::testing::HasSubstr;

constexpr Supply supplies[] = {Supply::input_line, Supply::row_line, Supply::column_line};
constexpr Pairing pairings[] = {Pairing::none, Pairing::interleaved};

std::vector<double> log_uniform(std::size_t count, double low, double high, std::uint64_t which) {
  core::TrialRandom random({7, 0}, core::Domain::test, which);
  std::vector<double> values(count);
  for (double& value : values) value = low * std::exp(random.uniform() * std::log(high / low));
  return values;
}

std::vector<double> inputs_for(const CrossbarDesign& design, std::uint64_t which) {
  core::TrialRandom random({8, 0}, core::Domain::test, which);
  std::vector<double> inputs(design.inputs);
  for (double& input : inputs) {
    const double uniform = random.uniform();
    input = design.supply == Supply::input_line ? 0.3 * uniform : (uniform < 0.6 ? 1.0 : 0.0);
  }
  return inputs;
}

double largest(std::span<const double> values) {
  double most = 0.0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  EXPECT_EQ(a.size(), b.size());
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

struct Size {
  std::size_t inputs;
  std::size_t columns;
};

TEST(Crossbar, AgreesWithKirchhoffsLawsOverSizesAndTopologiesTo1e10) {
  constexpr Size sizes[] = {{16, 16}, {64, 64}, {128, 64}};
  std::uint64_t which = 0;
  for (const Size size : sizes) {
    for (const Supply supply : supplies) {
      for (const Pairing pairing : pairings) {
        const CrossbarDesign design{
            .inputs = pairing == Pairing::interleaved ? size.inputs / 2 : size.inputs,
            .columns = size.columns,
            .supply = supply,
            .pairing = pairing,
            .wires = {.supply_segment = 1.7, .column_segment = 2.3, .driver = 40.0, .sense = 25.0},
            .read_voltage = 0.2};
        SCOPED_TRACE(fmt::format("{} x {}, supply {}, pairing {}", size.inputs, size.columns,
                                 static_cast<int>(supply), static_cast<int>(pairing)));
        const auto cells = log_uniform(design.rows() * design.columns, 1e-7, 1e-3, ++which);
        const auto inputs = inputs_for(design, which);
        const auto expected = testing::solve_nodal(design, cells, inputs);
        const auto read = Crossbar(design, cells).read(inputs, {.tolerance = 1e-12});
        // Each column to 1e-10 of its own current, where pairs don't cancel.
        const double scale = largest(expected.currents);
        for (std::size_t j = 0; j < design.columns; ++j) {
          const double own = pairing == Pairing::none ? std::abs(expected.currents[j]) : scale;
          EXPECT_NEAR(read.currents[j], expected.currents[j], 1e-10 * own) << j;
        }
        EXPECT_LE(read.error_bound, 1e-12 * scale * 1.001);
        EXPECT_EQ(read.bound_kind, BoundKind::maximum_principle);
      }
    }
  }
}

TEST(Crossbar, HandlesWiresOfNoAndOfAnyResistance) {
  constexpr double values[] = {0.0, 1e-6, 1.0, 1e3, 1e7};
  std::uint64_t which = 100;
  for (const Supply supply : supplies) {
    for (const double segment : values) {
      for (const double column : values) {
        for (const double ends : {0.0, 100.0}) {
          const CrossbarDesign design{.inputs = 9,
                                      .columns = 7,
                                      .supply = supply,
                                      .wires = {segment, column, ends, 2.0 * ends},
                                      .read_voltage = 0.5};
          SCOPED_TRACE(fmt::format("supply {}, {} ohm, {} ohm, ends {} ohm",
                                   static_cast<int>(supply), segment, column, ends));
          auto cells = log_uniform(63, 1e-7, 1e-3, ++which);
          for (std::size_t i = 0; i < cells.size(); i += 5) cells[i] = 0.0;
          const auto inputs = inputs_for(design, which);
          const auto expected = testing::solve_nodal(design, cells, inputs);
          const auto read = Crossbar(design, cells).read(inputs, {.tolerance = 1e-11});
          EXPECT_LE(largest_difference(read.currents, expected.currents),
                    1e-10 * largest(expected.currents));
        }
      }
    }
  }
}

TEST(Crossbar, HandlesASingleRowAndASingleColumn) {
  for (const Supply supply : supplies) {
    for (const Size size : {Size{1, 1}, Size{1, 200}, Size{200, 1}, Size{3, 33}}) {
      CrossbarDesign design{.inputs = size.inputs,
                            .columns = size.columns,
                            .supply = supply,
                            .wires = {1.0, 1.0, 10.0, 10.0}};
      const auto cells = log_uniform(size.inputs * size.columns, 1e-6, 1e-4, size.columns);
      const std::vector<double> inputs(size.inputs, 1.0);
      const auto expected = testing::solve_nodal(design, cells, inputs);
      const auto read = Crossbar(design, cells).read(inputs, {.tolerance = 1e-12});
      EXPECT_LE(largest_difference(read.currents, expected.currents),
                1e-11 * largest(expected.currents))
          << size.inputs << " x " << size.columns;
    }
  }
}

TEST(Crossbar, WithoutWireResistanceIsTheIdealSum) {
  for (const Supply supply : supplies) {
    for (const Pairing pairing : pairings) {
      const CrossbarDesign design{
          .inputs = 20, .columns = 40, .supply = supply, .pairing = pairing, .wires = {}};
      const auto cells = log_uniform(design.rows() * 40, 1e-7, 1e-3, 3);
      const auto inputs = inputs_for(design, 3);
      const Crossbar crossbar(design, cells);
      const auto read = crossbar.read(inputs);
      const auto ideal = crossbar.ideal_currents(inputs);
      EXPECT_LE(largest_difference(read.currents, ideal), 1e-14 * largest(ideal));
    }
  }
}

TEST(Crossbar, OpenCellsAndNoInputBringNothing) {
  const CrossbarDesign design{.inputs = 4, .columns = 5, .wires = {1.0, 1.0, 1.0, 1.0}};
  const std::vector<double> open(20, 0.0);
  EXPECT_EQ(largest(Crossbar(design, open).read(std::vector<double>(4, 1.0)).currents), 0.0);
  const std::vector<double> cells(20, 1e-4);
  EXPECT_EQ(largest(Crossbar(design, cells).read(std::vector<double>(4, 0.0)).currents), 0.0);
}

/// Segments of no resistance: whole lines are one node.
TEST(Crossbar, HasDriverAndSenseResistanceOnceEach) {
  const auto cells = log_uniform(12 * 8, 1e-6, 1e-4, 4);
  const std::vector<double> inputs(12, 0.2);
  CrossbarDesign design{.inputs = 12, .columns = 8, .wires = {.sense = 700.0}};
  std::vector<double> column(8);
  std::vector<double> row(12);
  for (std::size_t i = 0; i < 96; ++i) {
    column[i % 8] += cells[i];
    row[i / 8] += cells[i];
  }
  const auto sensed = Crossbar(design, cells).read(inputs, {.tolerance = 1e-13});
  for (std::size_t j = 0; j < 8; ++j) {
    const double expected = 0.2 * column[j] / (1.0 + 700.0 * column[j]);
    EXPECT_NEAR(sensed.currents[j], expected, 1e-13 * expected);
  }
  design.wires = {.driver = 700.0};
  const auto driven = Crossbar(design, cells).read(inputs, {.tolerance = 1e-13});
  for (std::size_t j = 0; j < 8; ++j) {
    double expected = 0.0;
    for (std::size_t i = 0; i < 12; ++i) {
      expected += 0.2 * cells[i * 8 + j] / (1.0 + 700.0 * row[i]);
    }
    EXPECT_NEAR(driven.currents[j], expected, 1e-13 * expected);
  }
}

/// Cells of one conductance on one bit line of n segments, ideal word lines: potentials are
/// hyperbolic, G V sinh(n a) / (sinh a cosh((n + 1/2) a) / cosh(a / 2)) with 2 sinh(a/2) = sqrt(G
/// r) for n cells whose last segment leads to ground.
TEST(Crossbar, GivesTheClosedFormOfAUniformLadder) {
  for (const std::size_t cells : {1u, 2u, 64u, 256u}) {
    const double conductance = 50e-6;
    const double segment = 1.5;
    const CrossbarDesign design{
        .inputs = cells, .columns = 1, .wires = {.column_segment = segment}};
    const std::vector<double> all(cells, conductance);
    const std::vector<double> inputs(cells, 1.0);
    const double current = Crossbar(design, all).read(inputs, {.tolerance = 1e-13}).currents[0];
    const double a = 2.0 * std::asinh(0.5 * std::sqrt(conductance * segment));
    const double n = static_cast<double>(cells);
    // w_k = V - v_k = B cosh((k - 1/2) a), k = 1 .. n from the open end, and w_n+1 = V.
    const double expected = (1.0 - std::cosh((n - 0.5) * a) / std::cosh((n + 0.5) * a)) / segment;
    EXPECT_NEAR(current, expected, 1e-11 * expected);
  }
}

/// The reference's figures: lumped approximation off by 0.2 % at a drop of 9 %, 14 % at 56 %.
TEST(Crossbar, ReproducesTheErrorOfTheLumpedLadder) {
  const auto figures = [](std::size_t cells) {
    const double n = static_cast<double>(cells);
    const CrossbarDesign design{.inputs = cells, .columns = 1, .wires = {.column_segment = 1.5}};
    const double exact = Crossbar(design, std::vector<double>(cells, 50e-6))
                             .read(std::vector<double>(cells, 1.0))
                             .currents[0];
    const double ideal = n * 50e-6;
    const double lumped = ideal / (1.0 + ideal * 1.5 * (n + 1.0) * (2.0 * n + 1.0) / (6.0 * n));
    return std::pair{1.0 - exact / ideal, std::abs(lumped / exact - 1.0)};
  };
  const auto [small_drop, small_error] = figures(64);
  EXPECT_NEAR(small_drop, 0.09, 0.005);
  EXPECT_NEAR(small_error, 0.002, 0.0005);
  const auto [large_drop, large_error] = figures(256);
  EXPECT_NEAR(large_drop, 0.56, 0.005);
  EXPECT_NEAR(large_error, 0.14, 0.005);
}

TEST(Crossbar, KeepsItsErrorBound) {
  std::uint64_t which = 500;
  for (const Supply supply : supplies) {
    for (const double segment : {0.3, 10.0, 300.0}) {
      for (const double tolerance : {1e-1, 1e-3, 1e-6, 1e-9}) {
        const CrossbarDesign design{
            .inputs = 40, .columns = 33, .supply = supply, .wires = {segment, segment, 30.0, 30.0}};
        const auto cells = log_uniform(40 * 33, 1e-7, 1e-3, ++which);
        const auto inputs = inputs_for(design, which);
        const Crossbar crossbar(design, cells);
        const auto read = crossbar.read(inputs, {.tolerance = tolerance});
        const auto exact = testing::solve_nodal(design, cells, inputs);
        EXPECT_LE(largest_difference(read.currents, exact.currents), read.error_bound)
            << "segment " << segment << ", tolerance " << tolerance;
        EXPECT_LE(read.error_bound, tolerance * largest(read.currents));
      }
    }
  }
}

TEST(Crossbar, GivesPotentialsAndTakesInjectedCurrents) {
  for (const Supply supply : supplies) {
    for (const Pairing pairing : pairings) {
      const CrossbarDesign design{.inputs = 10,
                                  .columns = 35,
                                  .supply = supply,
                                  .pairing = pairing,
                                  .wires = {3.0, 5.0, 50.0, 70.0},
                                  .read_voltage = 0.3};
      const auto cells = log_uniform(design.rows() * 35, 1e-6, 1e-3, 11);
      const auto sources = log_uniform(design.rows() * 35, 1e-8, 1e-5, 12);
      const auto inputs = inputs_for(design, 13);
      const auto expected = testing::solve_nodal(design, cells, inputs, sources);
      const auto all = Crossbar(design, cells).voltages(inputs, {.tolerance = 1e-12}, sources);
      EXPECT_LE(largest_difference(all.read.currents, expected.currents),
                1e-11 * largest(expected.currents));
      EXPECT_LE(largest_difference(all.supply, expected.supply), 1e-11);
      EXPECT_LE(largest_difference(all.column, expected.column), 1e-11);
    }
  }
}

TEST(Crossbar, ReadsManyVectorsWithAnyThreadsAndTargetsToTheSameBits) {
  for (const Supply supply : supplies) {
    const CrossbarDesign design{
        .inputs = 21, .columns = 50, .supply = supply, .wires = {2.0, 3.0, 10.0, 10.0}};
    const auto cells = log_uniform(21 * 50, 1e-6, 1e-3, 21);
    std::vector<double> inputs;
    for (std::uint64_t v = 0; v < 5; ++v) {
      const auto one = inputs_for(design, 30 + v);
      inputs.insert(inputs.end(), one.begin(), one.end());
    }
    const auto before = core::simd_target();
    std::vector<std::vector<double>> first;
    for (const std::string& target : core::simd_targets()) {
      core::use_simd_target(target);
      const Crossbar crossbar(design, cells);
      for (const unsigned threads : {1u, 2u}) {
        std::vector<std::vector<double>> currents;
        for (const auto& read : crossbar.read_all(inputs, {}, {threads})) {
          currents.push_back(read.currents);
        }
        if (first.empty()) first = currents;
        EXPECT_EQ(currents, first) << target << ", " << threads << " threads";
      }
      for (std::size_t v = 0; v < 5; ++v) {
        EXPECT_EQ(crossbar.read(std::span(inputs).subspan(v * 21, 21)).currents, first[v]);
      }
    }
    core::use_simd_target(before);
  }
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return "nothing was refused";
}

TEST(Crossbar, RefusesWhatMakesNoArray) {
  const CrossbarDesign design{.inputs = 2, .columns = 2, .wires = {}};
  const std::vector<double> cells(4, 1e-4);
  const auto with = [&](auto change) {
    CrossbarDesign other = design;
    change(other);
    return refusal([&] { const Crossbar crossbar(other, cells); });
  };
  EXPECT_EQ(with([](auto& d) { d.inputs = 0; }),
            "crossbar: 0 inputs x 2 columns (there must be a cell); give at least 1 of each");
  EXPECT_EQ(with([](auto& d) { d.columns = 3; }),
            "crossbar: 4 conductances (the array has 2 rows x 3 columns); give 6");
  EXPECT_THAT(with([](auto& d) { d.columns = std::size_t{1} << 40; }), HasSubstr("at the most"));
  EXPECT_EQ(with([](auto& d) { d.wires.sense = -1.0; }),
            "crossbar: sense amplifier of -1 ohm (a resistance is finite and not negative); "
            "correct it");
  EXPECT_THAT(with([](auto& d) { d.wires.driver = std::numeric_limits<double>::infinity(); }),
              HasSubstr("driver of inf ohm"));
  EXPECT_THAT(with([](auto& d) { d.read_voltage = std::nan(""); }), HasSubstr("read voltage"));
  EXPECT_EQ(refusal([&] {
              const Crossbar crossbar(design, std::vector<double>{1e-4, 1e-4, -1e-4, 1e-4});
            }),
            "crossbar: conductance of -0.0001 S in row 1, column 0 (a conductance is finite and "
            "not negative); correct it");
  const Crossbar crossbar(design, cells);
  EXPECT_EQ(refusal([&] { (void)crossbar.read(std::vector<double>(3, 1.0)); }),
            "crossbar: 3 inputs (the array has 2); give 2");
  EXPECT_THAT(refusal([&] {
                (void)crossbar.read(std::vector<double>{1.0, std::nan("")});
              }),
              HasSubstr("input 1 is nan V"));
  EXPECT_THAT(
      refusal([&] { (void)crossbar.read(std::vector<double>(2, 1.0), {.tolerance = 1e-16}); }),
      HasSubstr("rounding allows 1e-13"));
  EXPECT_THAT(refusal([&] { (void)crossbar.read_all(std::vector<double>(3, 1.0), {}, {1}); }),
              HasSubstr("give whole vectors"));
  CrossbarDesign gated = design;
  gated.supply = Supply::row_line;
  EXPECT_EQ(
      refusal([&] {
        (void)Crossbar(gated, cells).read(std::vector<double>{1.0, 0.5});
      }),
      "crossbar: input 1 is 0.5 (an access transistor is closed or open: 0 or 1); give bits, or "
      "drive the input lines");
}

TEST(Crossbar, SaysWhereTheIterationsDontDo) {
  const CrossbarDesign design{.inputs = 30, .columns = 30, .wires = {500.0, 500.0, 0.0, 0.0}};
  const Crossbar crossbar(design, log_uniform(900, 1e-5, 1e-3, 40));
  try {
    (void)crossbar.read(std::vector<double>(30, 1.0), {.tolerance = 1e-9, .iterations = 2});
    FAIL();
  } catch (const core::Error& error) {
    EXPECT_EQ(error.code(), core::ExitCode::failure);
    EXPECT_THAT(error.what(), HasSubstr("crossbar: 2 iterations left a bound of"));
    EXPECT_THAT(error.what(), HasSubstr("raise the tolerance or the iterations"));
  }
}

TEST(Crossbar, PutsAnAccessTransistorInSeries) {
  const auto behind = behind_access(std::vector<double>{0.0, 1e-4}, 2e3);
  EXPECT_EQ(behind[0], 0.0);
  EXPECT_DOUBLE_EQ(behind[1], 1.0 / (1e4 + 2e3));
}

}  // namespace
}  // namespace cimstat::circuits
