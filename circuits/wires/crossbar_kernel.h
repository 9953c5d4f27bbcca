#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned_vector.h"

/// How the kernels of the crossbar lay out their arrays, and the kernels themselves. Lanes are
/// wires, sums run along them, so that no result depends on the width of a register. All arrays of
/// numbers begin at multiples of 64 bytes.
namespace cimstat::circuits {

/// Columns side by side in a panel: what a column kernel walks down is contiguous.
inline constexpr std::size_t panel_columns = 32;
/// Rows side by side in a strip: the same for the row kernels.
inline constexpr std::size_t strip_rows = 16;

/// An array of rows x columns, whole panels and strips of it. Its numbers stand as
/// [panel][row][column of the panel], or as [strip][column][row of the strip].
struct CrossbarShape {
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::size_t panels() const { return (columns + panel_columns - 1) / panel_columns; }
  std::size_t strips() const { return (rows + strip_rows - 1) / strip_rows; }
  std::size_t panel_size() const { return rows * panel_columns; }
  std::size_t strip_size() const { return columns * strip_rows; }
  std::size_t in_panels() const { return panels() * panel_size(); }
  std::size_t in_strips() const { return strips() * strip_size(); }
  std::size_t panel_index(std::size_t row, std::size_t column) const {
    return column / panel_columns * panel_size() + row * panel_columns + column % panel_columns;
  }
  std::size_t strip_index(std::size_t row, std::size_t column) const {
    return row / strip_rows * strip_size() + column * strip_rows + row % strip_rows;
  }
};

/// A wire, node after node from its open end to its terminal. A tridiagonal system: node k draws
/// its cells' conductance, and resistance[k] joins it to node k + 1, the last one to the terminal.
///
/// Elimination from the open end carries what is behind a segment as a source: conductance Y and
/// current J become f Y and f J behind a resistance R, f = 1 / (1 + R Y), and back,
/// v_k = f_k (R_k J_k + v_k+1). Nothing is subtracted, so that every current keeps its relative
/// accuracy whatever the ratios, and R = 0 and Y = 0 are no special cases.
struct Wire {
  std::size_t first = 0;    ///< row of the open end
  std::ptrdiff_t step = 1;  ///< to the row of the next node
  std::span<const double> resistance;
};

/// Wires of all columns, lanes = columns.
struct ColumnWires {
  CrossbarShape shape;
  std::vector<Wire> wires;       ///< side by side in each column; each row is on one of them
  std::span<const double> gate;  ///< [row] 1 or 0: cells with it are connected or not
};

/// What the elimination leaves of each wire.
struct WireEnds {
  core::AlignedVector<double> conductance;  ///< into the terminal, other ends of the cells grounded
  core::AlignedVector<double> through;  ///< share of a terminal's voltage that reaches the open end
};

/// factors := f; in panels, as the conductances are. `ends` is [wire][panel columns of all panels].
void factor_columns(const ColumnWires& columns, std::span<const double> conductances,
                    std::span<double> factors, WireEnds& ends);

/// Wires of all rows, from the last column to a terminal in front of the first: factors and
/// conductances in strips, resistance [column], from column 0 on. `ends` is [row of all strips].
struct RowWires {
  CrossbarShape shape;
  std::span<const double> resistance;
};
void factor_rows(const RowWires& rows, std::span<const double> conductances,
                 std::span<double> factors, WireEnds& ends);

/// One pass over the supply lines: from potentials of the column nodes to the currents that the
/// cells bring.
enum class SupplyPass {
  iterate,   ///< direction := residual + beta direction; currents := G R (G direction)
  start,     ///< terminals at `source`, columns at 0: currents := G u + injected
  voltages,  ///< terminals at `source`, columns at `direction`: currents := u, the lines' potential
};

struct SupplyVectors {
  double beta = 0.0;
  std::span<const double> residual;
  std::span<double> direction;
  std::span<double> currents;
  std::span<const double> injected;  ///< current source of each cell towards its column, or empty
  std::span<const double> source;    ///< [row] (row wires), [wire] (column wires): volts
  std::span<const double> gate;      ///< [row]
};

/// Numbers of scratch memory that a pass or step needs.
std::size_t supply_scratch(const CrossbarShape& shape);

/// Each returns the sum of direction * currents (of `iterate`).
double pass_rows(SupplyPass pass, const RowWires& rows, std::span<const double> conductances,
                 std::span<const double> factors, const SupplyVectors& vectors,
                 std::span<double> scratch);
double pass_columns(SupplyPass pass, const ColumnWires& columns,
                    std::span<const double> conductances, std::span<const double> factors,
                    const SupplyVectors& vectors, std::span<double> scratch);

/// The step on the columns: y := M^-1 currents; residual -= alpha (direction - y);
/// terminal[column] += alpha times the current that reaches the terminal. Where `potential` is
/// there, potential += alpha direction. With `first` (alpha = 1) all of it starts from zero:
/// residual := y.
enum class ColumnStep { first, next };
struct ColumnVectors {
  double alpha = 1.0;
  std::span<const double> currents;
  std::span<const double> direction;
  std::span<double> residual;
  std::span<double> potential;
  std::span<double> terminal;  ///< [panel columns of all panels]
};
struct ColumnOutcome {
  double product = 0.0;   ///< sum of currents * new residual
  double greatest = 0.0;  ///< largest |new residual|
};
ColumnOutcome step_columns(ColumnStep step, const ColumnWires& columns,
                           std::span<const double> factors, const ColumnVectors& vectors,
                           std::span<double> scratch);

}  // namespace cimstat::circuits
