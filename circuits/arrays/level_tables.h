#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/law/law.h"
#include "core/law/quantile_table.h"
#include "core/parallel.h"

namespace cimstat::circuits {

/// The quantile tables of all levels of a cell, in one piece of memory: a cell's segment is found
/// by one addition, slot of its level + segment of its word, so levels may change from cell to cell
/// without a pass for each.
///
/// A table uses 2 x 1,025 of its 13,249 segments, 8,192 apart: tables lie within one another's
/// gaps, seven to a group, each shifted by four cache lines against the one before, so that the
/// segments around the medians, which nearly all words ask for, do not push each other out.
class LevelTables {
 public:
  /// Values in the unit of the laws. Throws UsageError for none or more than array_level_limit;
  /// Interrupted when the program was asked to stop.
  explicit LevelTables(std::span<const core::Law> laws, core::Threads threads = {1});
  explicit LevelTables(std::vector<core::QuantileTable> tables);

  static constexpr unsigned slot_shift = 5;
  /// Index of a level's first segment, divided by 2^slot_shift.
  static constexpr std::uint16_t slot(std::size_t level) {
    return static_cast<std::uint16_t>(
        ((level / group_levels) * group_stride + (level % group_levels) * level_stride) >>
        slot_shift);
  }
  static constexpr std::size_t level_of(std::uint16_t slot) {
    const std::size_t start = std::size_t{slot} << slot_shift;
    return start / group_stride * group_levels + start % group_stride / level_stride;
  }

  std::size_t levels() const { return tables_.size(); }
  const core::QuantileTable& table(std::size_t level) const { return tables_[level]; }
  const std::vector<core::QuantileTable::Segment>& segments() const { return segments_; }

 private:
  static constexpr std::size_t group_levels = 7;
  static constexpr std::size_t level_stride = 1056;
  static constexpr std::size_t group_stride = 15616;

  std::vector<core::QuantileTable> tables_;
  std::vector<core::QuantileTable::Segment> segments_;
};

/// N(0, 1), made once.
const core::QuantileTable& standard_normal_table();

}  // namespace cimstat::circuits
