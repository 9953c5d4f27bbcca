#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "circuits/column.h"
#include "circuits/columns/frozen_pool.h"
#include "circuits/references/references.h"

/// Columns that tests of frozen pools read.
namespace cimstat::circuits {

inline ColumnDesign plain_design(std::uint32_t rows) {
  ColumnDesign design;
  design.rows = rows;
  design.lrs = core::Law::lognormal(1.0, 0.12);
  design.hrs = core::Law::lognormal(0.1, 0.4);
  design.sense.offset_sd = 0.1;
  design.sense.noise_sd = 0.15;
  design.ladder = midpoint_ladder(design, rows);
  return design;
}

/// Stuck cells, read noise, leakage of unselected rows, a dummy column, replica references.
inline ColumnDesign full_design(std::uint32_t rows) {
  ColumnDesign design = plain_design(rows);
  design.lrs = core::Law(
      {{.weight = 0.99,
        .base = core::LogNormal{1.0, 0.12},
        .compression = 0.1,
        .relative_noise = 0.03},
       {.weight = 0.01, .base = core::Point{0.1}, .compression = 0.1, .relative_noise = 0.03}});
  design.hrs =
      core::Law({{.weight = 0.99, .base = core::LogNormal{0.1, 0.4}, .relative_noise = 0.03},
                 {.weight = 0.01, .base = core::Point{1.0}, .relative_noise = 0.03}});
  design.leakage = core::Law::lognormal(0.005, 0.5);
  design.dummy = core::Law({{.base = core::Normal{0.5, 0.04}, .relative_noise = 0.03}});
  design.ladder = replica_ladder(design, rows);
  return design;
}

/// All classes of `active_rows`, half of the cells LRS where that can be.
inline FrozenPool pool_of(const ColumnDesign& design, std::uint32_t active_rows,
                          std::uint64_t columns, std::uint32_t patterns, PoolOptions options = {}) {
  const std::vector<std::uint32_t> active{active_rows};
  options.columns = columns;
  options.key = {2026, 0};
  return FrozenPool(
      design,
      random_patterns(design.rows, classes_for(active),
                      {.per_class = patterns, .lrs_cells = design.rows / 2, .key = {2026, 0}}),
      options, core::Threads{1});
}

}  // namespace cimstat::circuits
