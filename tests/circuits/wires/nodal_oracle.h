#pragma once

#include <span>
#include <vector>

#include "circuits/wires/crossbar.h"

/// A crossbar as any circuit simulator sees it: resistors between nodes, Kirchhoff's current law at
/// each, a sparse Cholesky factorisation in extended precision. Shares nothing with the solver but
/// the description of the array.
namespace cimstat::testing {

struct NodalSolution {
  std::vector<double> currents;  ///< [column]
  std::vector<double> supply;    ///< [row][column] potentials
  std::vector<double> column;
};

NodalSolution solve_nodal(const circuits::CrossbarDesign& design,
                          std::span<const double> conductances, std::span<const double> inputs,
                          std::span<const double> injected = {});

}  // namespace cimstat::testing
