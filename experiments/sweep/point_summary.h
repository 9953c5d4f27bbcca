#pragma once

#include <cstdint>
#include <vector>

#include "circuits/column.h"

#include "experiments/sweep/chunk_layout.h"
#include "experiments/sweep/sweep_fields.h"
#include "experiments/sweep/sweep_plan.h"
#include "experiments/sweep/sweep_work.h"

namespace cimstat::experiments {

/// The values of a point from its chunks.
class PointSummary {
 public:
  PointSummary(const SweepPlan& plan, const SweepLayout& layout, const ChunkLayout& places,
               const std::vector<circuits::ColumnClass>& classes);
  PointValues values(std::uint64_t point, const std::vector<ChunkResult>& results) const;

 private:
  const SweepPlan& plan_;
  const SweepLayout& layout_;
  const ChunkLayout& places_;
  const std::vector<circuits::ColumnClass>& classes_;
};

}  // namespace cimstat::experiments
