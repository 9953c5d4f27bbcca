#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/aligned_vector.h"
#include "core/parallel.h"

#include "circuits/wires/crossbar_kernel.h"

/// A memory array with the resistance of its wires.
///
/// Each cell joins a supply line (potential u) to its column's bit line (potential v). Every cell
/// has its piece of both lines, so that n cells on a line make n segments: the one of the cell
/// next to the terminal leads to the terminal. Bit lines end, behind the sense resistance once, in
/// a virtual ground below the last row; the supply line begins behind the driver resistance, once.
///
/// Eliminating the supply lines leaves S v = b, S = M - G R G, for the column nodes: M and R^-1 are
/// the tridiagonal matrices of the bit lines and of the supply lines with the cells' other ends
/// grounded, G the cells. S is symmetric and positive definite; conjugate gradients preconditioned
/// by M need both as exact solves along wires only, and can't diverge.
///
/// The bound: M^-1 G R G has no negative entries, and its row sums are at most 1 - c, c = what a
/// terminal at 1 V leaves at the open end of its line at least (maximum principle). So the error e
/// of v is at most max |z| / c for the residual z = M^-1 (b - S v), and a column's current, taken
/// after one more exact pass, is within Y (1 - c') max |e| of its true value, where Y is the
/// conductance into its bit line and c' the c of the supply lines.
namespace cimstat::circuits {

/// Where the current of a cell comes from.
enum class Supply {
  input_line,   ///< the input, a voltage, drives the word line along the row
  row_line,     ///< a line along the row at the read voltage; the input opens access transistors
  column_line,  ///< a line beside the bit line at the read voltage, from row 0; gated as well
};

enum class Pairing {
  none,
  /// Each input has two rows of cells, 2 i at +V and 2 i + 1 at -V (each with its supply line), and
  /// the two cells of a pair meet their bit line at one place: they share its segment.
  interleaved,
};

struct WireResistances {
  double supply_segment = 0.0;  ///< of the line that feeds the cells, for each cell [ohm]
  double column_segment = 0.0;  ///< of the bit line, for each cell or interleaved pair [ohm]
  double driver = 0.0;          ///< of each supply line's source, once [ohm]
  double sense = 0.0;           ///< of each bit line's sense amplifier, once [ohm]
};

struct CrossbarDesign {
  std::size_t inputs = 0;
  std::size_t columns = 0;
  Supply supply = Supply::input_line;
  Pairing pairing = Pairing::none;
  WireResistances wires;
  double read_voltage = 1.0;  ///< of a separate supply [V]

  std::size_t rows() const { return pairing == Pairing::interleaved ? 2 * inputs : inputs; }
};

/// What the bound of a read rests on.
enum class BoundKind {
  maximum_principle,  ///< rigorous, rounding aside
  energy_estimate,  ///< lines so resistive that the first is useless: the energy that the last five
                    ///< steps have removed stands for what was missing before them, tenfold
};

struct ReadOptions {
  double tolerance = 1e-9;  ///< of every current, relative to the largest of the read; >= 1e-13
  std::uint32_t iterations = 20'000;  ///< at the most; 2 to 10 are usual, thousands where all wires
                                      ///< are 10,000 times as resistive as the cells
};

struct CrossbarRead {
  std::vector<double> currents;  ///< [column] into the sense amplifier [A]
  double error_bound = 0.0;      ///< of every current, rounding (about 1e-14) aside [A]
  BoundKind bound_kind = BoundKind::maximum_principle;
  std::uint32_t iterations = 0;
};

/// Potentials of both ends of each cell, [row][column] [V].
struct CrossbarVoltages {
  CrossbarRead read;
  std::vector<double> supply;
  std::vector<double> column;
};

/// One array: what depends on its conductances is set up once and serves every input.
class Crossbar {
 public:
  static constexpr std::size_t most_cells = std::size_t{1} << 24;
  static constexpr double least_tolerance = 1e-13;

  /// `conductances` is [row][column] [S], rows as `Pairing` says. Throws UsageError for sizes that
  /// are 0, don't fit or are above most_cells, and for what is negative or not finite.
  Crossbar(const CrossbarDesign& design, std::span<const double> conductances);

  const CrossbarDesign& design() const { return design_; }

  /// `inputs`: volts [input] of input lines, which may be negative; 0 or 1 for access transistors.
  /// `injected`, where not empty, is a current source in parallel to each cell, towards the column,
  /// [row][column] [A]; behind a closed access transistor it brings nothing.
  /// Throws UsageError for wrong sizes and values, Error (failure) when `iterations` don't do.
  CrossbarRead read(std::span<const double> inputs, const ReadOptions& options = {},
                    std::span<const double> injected = {}) const;
  CrossbarVoltages voltages(std::span<const double> inputs, const ReadOptions& options = {},
                            std::span<const double> injected = {}) const;
  /// `inputs` is [vector][input]; the same as `read` for each, for any number of threads.
  std::vector<CrossbarRead> read_all(std::span<const double> inputs, const ReadOptions& options,
                                     core::Threads threads) const;

  /// What the cells would bring without any wire resistance [A].
  std::vector<double> ideal_currents(std::span<const double> inputs) const;

 private:
  struct Workspace;
  bool is_gated() const { return design_.supply != Supply::input_line; }
  void check_inputs(std::span<const double> inputs) const;
  void check_injected(std::span<const double> injected) const;
  void apply_inputs(std::span<const double> inputs, Workspace& work) const;
  void factor(Workspace& work) const;
  double pass_supply(SupplyPass pass, const SupplyVectors& vectors, Workspace& work) const;
  /// v M v: what the bit lines and cells take at these potentials of their nodes (in panels).
  double bit_line_power(std::span<const double> potential, const Workspace& work) const;
  ColumnWires column_wires(std::span<const double> gate) const;
  ColumnWires supply_columns(std::span<const double> gate) const;
  CrossbarRead solve(std::span<const double> inputs, const ReadOptions& options,
                     std::span<const double> injected, Workspace& work) const;

  using Numbers = core::AlignedVector<double>;

  CrossbarDesign design_;
  CrossbarShape shape_;
  std::vector<double> column_resistance_;  ///< [row] of the bit line, towards the sense amplifier
  std::vector<double> supply_resistance_;  ///< [node] as the kernels count them
  Numbers panels_;                         ///< conductances
  Numbers strips_;                         ///< the same, where supply lines run along rows
  Numbers row_factors_;                    ///< of supply lines along rows, in strips
  WireEnds row_ends_;
  Numbers column_factors_;  ///< of bit lines, in panels; empty where gates decide
  WireEnds column_ends_;
};

/// The conductances [S] behind an access transistor of `resistance` [ohm] each.
std::vector<double> behind_access(std::span<const double> conductances, double resistance);

}  // namespace cimstat::circuits
