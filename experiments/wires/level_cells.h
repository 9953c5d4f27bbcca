#pragma once

#include "core/law/law.h"
#include "core/law/quantile_table.h"

/// Cells of one level as whole arrays hold them: those that their law puts below 0 are open.
namespace cimstat::experiments {

/// The conductances of one level, ready to be drawn.
struct LevelCells {
  core::QuantileTable table;  ///< in units of `unit`, below 0 where the law is
  double unit = 1.0;          ///< [S]
  double law_mean = 0.0;      ///< [S]
  double mean = 0.0;          ///< of cells that are open where the law is below 0 [S]
};

LevelCells level_cells(const core::Law& law);

/// The mean of max(X, 0): the law's, plus the integral of P(X <= x) below 0. To about 1e-9 of the
/// depth below 0 for smooth laws, and a thousandth of the weight of a leap there. What has a
/// probability below 2^-33, which no table gives, is left out.
double mean_above_zero(const core::Law& law);

}  // namespace cimstat::experiments
