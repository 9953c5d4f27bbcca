#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"

#include "experiments/experiment.h"

/// How read margins shrink as more rows are active.
namespace cimstat::experiments {

/// The least margin over all neighbouring levels of n active rows [A] or [V], and the pair. NaN
/// where unknown.
struct LeastMargin {
  double value = 0.0;
  std::int64_t level = 0;
  std::int64_t next = 1;
};

struct RowsMargins {
  std::uint32_t active_rows = 0;  ///< n
  LeastMargin input_aware;        ///< GapFigures::input_aware
  LeastMargin pattern;            ///< GapFigures::pattern
  LeastMargin quantile;           ///< GapFigures::quantile
};

/// For n = 1 .. rows (typical_row_limit at the most where rows have more than two states), at the
/// experiment's sigmas and tail probability. The quantile margins need a distribution for each
/// class: they are there for the n of `quantile_rows` (ascending), and only where the exact engine
/// can do the design. Behind a line that is more than a sum, input-aware margins are to first order
/// here.
std::vector<RowsMargins> margins_by_rows(const Experiment& experiment,
                                         std::span<const std::uint32_t> quantile_rows,
                                         core::Threads threads,
                                         const core::Progress& progress = {});

}  // namespace cimstat::experiments
