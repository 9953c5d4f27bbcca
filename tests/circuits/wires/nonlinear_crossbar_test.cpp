#include "circuits/wires/nonlinear_crossbar.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include <gmock/gmock.h>

#include "core/error.h"
#include "core/random/random.h"

#include "tests/circuits/wires/nodal_oracle.h"

namespace cimstat::circuits {
namespace {

using ::testing::HasSubstr;

std::vector<double> conductances(std::size_t count, std::uint64_t which) {
  core::TrialRandom random({7, 0}, core::Domain::test, which);
  std::vector<double> values(count);
  for (double& value : values) value = 1e-6 * std::exp(random.uniform() * std::log(100.0));
  return values;
}

double largest_difference(std::span<const double> a, std::span<const double> b) {
  double most = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

/// Wherever a curve ends up, the resistor through that point and 0 would do the same: resistors
/// I(V) / V, with V of the linear array they make, are found by repeated nodal solutions.
std::vector<double> by_secants(const CrossbarDesign& design, const CellCurves& curves,
                               std::span<const double> inputs) {
  const std::size_t cells = design.rows() * design.columns;
  std::vector<double> voltages(cells, 1e-3);
  std::vector<double> currents(cells);
  std::vector<double> slopes(cells);
  testing::NodalSolution solution;
  for (int round = 0; round < 60; ++round) {
    curves(voltages, currents, slopes);
    std::vector<double> secants(cells);
    for (std::size_t i = 0; i < cells; ++i) secants[i] = currents[i] / voltages[i];
    solution = testing::solve_nodal(design, secants, inputs);
    double change = 0.0;
    for (std::size_t i = 0; i < cells; ++i) {
      const double voltage = solution.supply[i] - solution.column[i];
      change = std::max(change, std::abs(voltage - voltages[i]));
      voltages[i] = voltage;
    }
    if (change < 1e-14) break;
  }
  return solution.currents;
}

TEST(NonlinearCrossbar, AgreesWithRepeatedNodalSolutions) {
  for (const Supply supply : {Supply::input_line, Supply::row_line, Supply::column_line}) {
    const CrossbarDesign design{.inputs = 12,
                                .columns = 10,
                                .supply = supply,
                                .wires = {20.0, 30.0, 100.0, 100.0},
                                .read_voltage = 0.4};
    std::vector<double> inputs(12, supply == Supply::input_line ? 0.4 : 1.0);
    if (supply != Supply::input_line) inputs[3] = 0.0;
    const auto cells = conductances(120, 1);
    std::vector<double> quadratic(120);
    std::vector<double> cubic(120);
    for (std::size_t i = 0; i < 120; ++i) {
      quadratic[i] = 0.3 * cells[i];
      cubic[i] = 1.5 * cells[i];
    }
    for (const CellCurves& curves :
         {polynomial_cells(cells, quadratic, cubic), sinh_cells(cells, 0.2)}) {
      const auto expected = by_secants(design, curves, inputs);
      const auto read = read_nonlinear(design, curves, inputs, {.tolerance = 1e-11});
      const double largest = *std::max_element(expected.begin(), expected.end());
      EXPECT_LE(largest_difference(read.currents, expected), 1e-10 * largest);
      EXPECT_LE(read.error_bound, 1e-11 * largest * 1.001);
      EXPECT_LE(read.steps, 8u);
    }
  }
}

TEST(NonlinearCrossbar, IsTheLinearOneForStraightCurves) {
  const CrossbarDesign design{.inputs = 9, .columns = 11, .wires = {5.0, 6.0, 7.0, 8.0}};
  const auto cells = conductances(99, 2);
  const std::vector<double> none(99, 0.0);
  const std::vector<double> inputs(9, 0.3);
  const auto read = read_nonlinear(design, polynomial_cells(cells, none, none), inputs);
  const auto linear = Crossbar(design, cells).read(inputs);
  EXPECT_LE(largest_difference(read.currents, linear.currents), 1e-9 * linear.currents[0]);
}

/// One cell and one resistor: I = G V0 sinh((V - R I) / V0).
TEST(NonlinearCrossbar, SettlesWhereTheWireTakesNearlyAllOfTheVoltage) {
  const CrossbarDesign design{.inputs = 1, .columns = 1, .wires = {.driver = 1e6}};
  const auto read = read_nonlinear(design, sinh_cells({1e-4}, 0.02), std::vector<double>{1.0},
                                   {.tolerance = 1e-12});
  const double current = read.currents[0];
  EXPECT_NEAR(current, 1e-4 * 0.02 * std::sinh((1.0 - 1e6 * current) / 0.02), 1e-9 * current);
  EXPECT_GT(1e6 * current, 0.9);
}

std::string failure(const std::function<void()>& body) {
  try {
    body();
  } catch (const core::Error& error) {
    return error.what();
  }
  return "nothing failed";
}

TEST(NonlinearCrossbar, SaysWhatFails) {
  const CrossbarDesign design{.inputs = 2, .columns = 2, .wires = {.driver = 1e5}};
  const std::vector<double> inputs(2, 1.0);
  const auto curves = sinh_cells(std::vector<double>(4, 1e-4), 0.05);
  EXPECT_THAT(failure([&] { (void)read_nonlinear(design, curves, inputs, {.steps = 1}); }),
              HasSubstr("non-linear crossbar: 1 Newton steps left a bound of"));
  const auto falling = polynomial_cells(std::vector<double>(4, 1e-4), std::vector<double>(4, 0.0),
                                        std::vector<double>(4, -1e-2));
  EXPECT_THAT(failure([&] { (void)read_nonlinear(design, falling, inputs); }),
              ::testing::AllOf(HasSubstr("non-linear crossbar: the cell in row 0, column 0 has a "
                                         "slope of -"),
                               HasSubstr("its current must rise with the voltage")));
  EXPECT_THAT(failure([&] { (void)read_nonlinear(design, curves, std::vector<double>(3, 1.0)); }),
              HasSubstr("crossbar: 3 inputs (the array has 2); give 2"));
  EXPECT_THAT(failure([&] { (void)sinh_cells({1.0}, 0.0); }), HasSubstr("V0 of 0 V"));
  EXPECT_THAT(failure([&] { (void)polynomial_cells({1.0}, {}, {1.0}); }),
              HasSubstr("1 linear, 0 quadratic and 1 cubic coefficients"));
}

}  // namespace
}  // namespace cimstat::circuits
