#include "circuits/bit_line/line_reading.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include <Eigen/Dense>
#include <gtest/gtest.h>

#include "core/error.h"

#include "circuits/bit_line/line_curve.h"
#include "circuits/bit_line/wire_current.h"

#include "tests/circuits/bit_line/line_designs.h"

namespace cimstat::circuits {
namespace {

using namespace testing;

/// Node voltages of the ladder from Kirchhoff's current law, as a dense system: node i (from the
/// sense end) has its cell to the read voltage, segments to both sides, and node 0 the sense
/// resistance to the virtual ground.
double dense_wire_current(const WireResistance& wire, const std::vector<double>& currents) {
  const auto n = static_cast<Eigen::Index>(currents.size());
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(n, n);
  Eigen::VectorXd sources = Eigen::VectorXd::Zero(n);
  const double end = 1.0 / (wire.segment + wire.sense);
  for (Eigen::Index i = 0; i < n; ++i) {
    const double cell = currents[static_cast<std::size_t>(i)] / wire.read_voltage;
    matrix(i, i) += cell;
    sources(i) += cell * wire.read_voltage;
    if (i == 0) matrix(i, i) += end;
    if (i + 1 < n) {
      const double segment = 1.0 / wire.segment;
      matrix(i, i) += segment;
      matrix(i + 1, i + 1) += segment;
      matrix(i, i + 1) -= segment;
      matrix(i + 1, i) -= segment;
    }
  }
  const Eigen::VectorXd nodes = matrix.partialPivLu().solve(sources);
  return nodes(0) * end;
}

TEST(WireCurrent, EqualsADenseNodalSolutionForConductancesOverFourDecades) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> decade(-7.0, -3.0);
  for (const std::size_t rows : {1U, 2U, 7U, 64U, 256U}) {
    for (const double segment : {0.1, 1.5, 30.0}) {
      for (const double sense : {0.0, 250.0}) {
        const WireResistance wire{.segment = segment, .sense = sense, .read_voltage = 0.2};
        std::vector<double> currents;
        for (std::size_t i = 0; i < rows; ++i) {
          currents.push_back(wire.read_voltage * std::pow(10.0, decade(random)));
        }
        const double dense = dense_wire_current(wire, currents);
        EXPECT_NEAR(wire_current(wire, currents), dense, 1e-11 * dense)
            << rows << " rows, " << segment << " ohm";
      }
    }
  }
}

TEST(WireCurrent, HasAClosedFormForEvenCells) {
  for (const std::uint32_t rows : {1U, 3U, 64U, 1024U}) {
    for (const double cell : {1e-12, 1e-8, 1e-5, 1e-3}) {
      for (const double segment : {1e-6, 1.5, 100.0}) {
        const WireResistance wire{.segment = segment, .sense = 10.0, .read_voltage = 0.2};
        const double walked = wire_current(wire, std::vector<double>(rows, cell));
        EXPECT_NEAR(even_wire_current(wire, rows * cell, rows), walked, 1e-12 * walked);
      }
    }
  }
  const WireResistance none{.segment = 0.0, .sense = 0.0, .read_voltage = 0.2};
  EXPECT_DOUBLE_EQ(even_wire_current(none, 3e-6, 64), 3e-6);
  const WireResistance some{.segment = 1.5, .sense = 0.0, .read_voltage = 0.2};
  EXPECT_NEAR(even_wire_current(some, -1e-6, 64),
              wire_current(some, std::vector<double>(64, -1e-6 / 64)), 1e-18);
}

TEST(WireCurrent, LumpedFormulaErrsAsPublishedAt64And256Rows) {
  const WireResistance wire{.segment = 1.5, .sense = 0.0, .read_voltage = 0.2};
  const auto check = [&](std::uint32_t rows, double drop, double error) {
    const double ideal = rows * 50e-6 * wire.read_voltage;
    const double exact = even_wire_current(wire, ideal, rows);
    EXPECT_NEAR(1.0 - exact / ideal, drop, 0.005);
    EXPECT_NEAR(lumped_wire_current(wire, ideal, rows) / exact - 1.0, error,
                0.05 * std::abs(error));
  };
  check(64, 0.09, -0.0018);
  check(256, 0.56, -0.14);
}

TEST(LineCurve, IsTheSolutionOfTheDischargeEquation) {
  // C dV/dt = -S (1 + lambda V) or -S V / read_voltage, by small steps of Runge and Kutta.
  const double sum = 20e-6;
  for (const Discharge& line : {saturated_line(), modulated_line(), resistive_line()}) {
    const auto slope = [&](double v) {
      const double draw = line.path == DischargePath::resistive ? sum * v / line.read_voltage
                                                                : sum * (1.0 + line.modulation * v);
      return -draw / line.capacitance;
    };
    constexpr int steps = 1000;
    const double h = line.time / steps;
    double v = line.precharge;
    for (int i = 0; i < steps; ++i) {
      const double a = slope(v);
      const double b = slope(v + 0.5 * h * a);
      const double c = slope(v + 0.5 * h * b);
      const double d = slope(v + h * c);
      v += h * (a + 2.0 * b + 2.0 * c + d) / 6.0;
    }
    EXPECT_NEAR((*curve_of(line))(sum), line.precharge - v, 1e-12);
  }
}

TEST(LineCurve, InverseAndSlopeAgreeWithTheCurve) {
  const BitLine lines[] = {saturated_line(), modulated_line(), resistive_line(),
                           Compression{.knee = 40e-6}};
  for (const BitLine& line : lines) {
    const LineCurve curve = *curve_of(line);
    for (const double sum : {-1e-6, 1e-9, 3e-6, 17e-6}) {
      EXPECT_NEAR(curve.inverse(curve(sum)), sum, 1e-12 * std::abs(sum) + 1e-21);
      const double step = 1e-5 * std::abs(sum);
      const double slope = (curve(sum + step) - curve(sum - step)) / (2.0 * step);
      EXPECT_NEAR(curve.slope(sum), slope, 1e-6 * slope);
    }
    EXPECT_TRUE(std::isinf(curve.inverse(1e3)));
  }
  EXPECT_DOUBLE_EQ((*curve_of(saturated_line()))(1.0), 0.8) << "no lower than ground";
}

TEST(NominalReading, OfSharedChargeCountsAllCapacitorsAndTheParasiticOne) {
  const ColumnDesign design = charge_design(
      64, 0.01, 0.0,
      {.supply = 0.9, .parasitic = 16e-15, .injected_charge = 8e-17, .injected_fraction = 0.02});
  EXPECT_NEAR(mean_reading(design, {10, 40}), 1.02 * 0.9 * 10.0 / 80.0 + 1e-3, 1e-12);
}

TEST(NominalReading, OfAnIdealLineIsTheMeanCurrent) {
  ColumnDesign design = wire_design(16, 1.0);
  design.bit_line = IdealSum{};
  EXPECT_EQ(mean_reading(design, {3, 9}), mean_current(design, {3, 9}));
}

std::string refusal(const ColumnDesign& design) {
  const ColumnClass classes[] = {{0, 1}};
  try {
    check(design, classes);
  } catch (const core::UsageError& error) {
    return error.what();
  }
  return {};
}

TEST(CheckLine, RefusesWhatALineCantDo) {
  ColumnDesign dummy = wire_design(8, 1.0);
  dummy.dummy = core::Law::point(1e-6);
  EXPECT_EQ(refusal(dummy),
            "bit_line: wire_resistance: can't be had with a dummy column (its current flows in a "
            "line of its own); leave out column.dummy_column");
  ColumnDesign factor = charge_design(8, 0.01, 1e-3);
  factor.common_factor_sd = 0.1;
  EXPECT_EQ(refusal(factor),
            "bit_line: charge_sharing: can't be had with a common factor (only curves of the sum "
            "know of one); leave out column.common_factor_sd");
  Discharge empty = saturated_line();
  empty.capacitance = 0.0;
  ColumnDesign discharge = discharge_design(8, saturated_line());
  discharge.bit_line = empty;
  EXPECT_EQ(refusal(discharge), "bit_line: discharge: a capacitance of 0 (above 0)");
  EXPECT_EQ(refusal(wire_design(8, 1.0)), "");
}

TEST(CheckLine, MethodsOfPlainSumsRefuseOtherLines) {
  try {
    require_plain_sum(wire_design(8, 1.0), "a frozen pool");
    FAIL();
  } catch (const core::UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              "column: a frozen pool can't do this design (its bit line (wire_resistance) delivers "
              "more than a sum); leave [bit_line] out, or use cimstat table");
  }
}

}  // namespace
}  // namespace cimstat::circuits
