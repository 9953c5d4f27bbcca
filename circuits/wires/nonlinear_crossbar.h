#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "circuits/wires/crossbar.h"

/// A crossbar whose cells are no resistors: I(V) of each cell, rising with V.
///
/// Newton's method: each step reads the array of the curves' slopes, with what they miss injected,
/// by conjugate gradients. A state is potentials and cell currents that obey Kirchhoff's laws, so
/// that only the cells' own currents are missed, each by mu = I(V) - its current. A step that does
/// not lower the sum of |mu| enough is halved; as the curves rise, a small enough step always does.
/// A missed mu moves no column's current by more than |mu| (a current source within a network of
/// rising curves), so the bound of the currents is the sum of |mu| and that of the linear read.
namespace cimstat::circuits {

/// Currents [A] and slopes dI/dV [S] of all cells, [row][column], at voltages [V] from their supply
/// line to their bit line. Slopes must not be negative.
using CellCurves = std::function<void(std::span<const double> voltages, std::span<double> currents,
                                      std::span<double> slopes)>;

/// I = linear V + quadratic V^2 + cubic V^3 [S, S/V, S/V^2], of each cell (Milo et al., IRPS 2021,
/// give their cells so). Throws UsageError where the sizes differ.
CellCurves polynomial_cells(std::vector<double> linear, std::vector<double> quadratic,
                            std::vector<double> cubic);

/// I = G V0 sinh(V / V0): the high-resistance state of filamentary cells. `voltage` is V0 [V].
CellCurves sinh_cells(std::vector<double> conductances, double voltage);

struct NonlinearOptions {
  double tolerance = 1e-9;   ///< of every current, relative to the largest
  std::uint32_t steps = 50;  ///< of Newton's method, at the most
};

struct NonlinearRead {
  std::vector<double> currents;  ///< [column] [A]
  double error_bound = 0.0;      ///< of every current [A]
  std::uint32_t steps = 0;
};

/// Throws UsageError as Crossbar does; Error (failure) for a falling curve, or where the steps
/// don't do.
NonlinearRead read_nonlinear(const CrossbarDesign& design, const CellCurves& curves,
                             std::span<const double> inputs, const NonlinearOptions& options = {});

}  // namespace cimstat::circuits
