#pragma once

#include <cstdint>
#include <span>

#include "circuits/bit_line/bit_line.h"

/// The current at the end of a resistive bit line whose cells hang on ideal word lines.
///
/// All cells are driven to the same voltage, so a piece of the line with the sense end cut off is
/// an admittance Y to that voltage: one segment makes it Y / (1 + r Y), one more cell adds its
/// conductance. Exact, and O(rows).
namespace cimstat::circuits {

/// `currents`: those of the cells without the wire, at read_voltage, from the sense end on [A].
double wire_current(const WireResistance& wire, std::span<const double> currents);

/// The same of `rows` cells with the same share of `sum` each, in closed form.
double even_wire_current(const WireResistance& wire, double sum, std::uint32_t rows);

/// The lumped approximation S / (1 + S R / read_voltage) with R of lumped_resistance: good below a
/// drop of 10 % (N = 64, 50 uS, 1.5 ohm: drop 9 %, 0.2 % off; N = 256: drop 56 %, 14 % off).
double lumped_wire_current(const WireResistance& wire, double sum, std::uint32_t rows);

/// sense + segment (N + 1) (2 N + 1) / (6 N) [ohm]: what equal currents of N cells see on average.
double lumped_resistance(const WireResistance& wire, std::uint32_t rows);

}  // namespace cimstat::circuits
