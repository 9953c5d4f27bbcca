#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "circuits/rare/cell_curve.h"
#include "circuits/rare/rare_sum.h"

/// The modes of P(failure | z) times the standard normal density, z one variable for each cell.
namespace cimstat::circuits {

/// Where the cells of one part stand in a mode: `raised` of them at `high`, the rest at `low`. At
/// a stationary point z_i is proportional to X'(z_i), and lognormal cells leave two solutions.
struct PartPosition {
  std::uint32_t raised = 0;
  double low = 0.0;
  double high = 0.0;
  double low_sd = 1.0;  ///< of a proposal there
  double high_sd = 1.0;
};

struct SumMode {
  std::vector<PartPosition> parts;  ///< one for each part of the failure
  double sum_z = 0.0;               ///< the variable behind sum_sd
  double offset_z = 0.0;
  double normal_sd = 1.0;   ///< of a proposal, for both
  double log_height = 0.0;  ///< ln P(failure | z) - |z|^2 / 2, by the guide
  double log_orbit = 0.0;   ///< ln of how many permutations there are

  double distance(const SumFailure& failure) const;
};

/// All modes worth a component, the weightiest first (by height and number of permutations), from
/// starts with b = 0, 1, 2 .. cells of each part raised, and one of each of two parts. Never empty.
std::vector<SumMode> find_modes(const SumFailure& failure, const std::vector<CellCurve>& curves);

}  // namespace cimstat::circuits
