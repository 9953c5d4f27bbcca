#pragma once

#include <cstddef>
#include <cstdint>

#include "experiments/sweep/sweep_fields.h"
#include "experiments/sweep/sweep_work.h"

/// Where the parts of a chunk's result stand.
namespace cimstat::experiments {

/// Places in ChunkResult::integers and numbers. What the sweep doesn't ask for has no place: its
/// offset is that of the next part.
struct ChunkLayout {
  ChunkLayout(const SweepSettings& settings, const SweepLayout& layout);

  bool has_margin;
  bool has_rates;  ///< misread rates or tables
  bool has_table;
  bool has_accuracy;
  bool has_keys;  ///< classes differ between points
  std::size_t classes;
  std::size_t codes;

  // Integers. Rows are of `classes` values, tables of classes x codes.
  std::size_t lrs_count;    ///< row
  std::size_t active_rows;  ///< row
  std::size_t present;      ///< row: 1 where the point has this class
  std::size_t code_count;   ///< of the point's ladder
  std::size_t gap;          ///< lower level of the worst gap, from the lowest level
  std::size_t trials;       ///< row
  std::size_t misreads;     ///< row
  std::size_t last;         ///< row: trial of the last misread that was wanted, from 1; 0: none
  std::size_t counts;       ///< table
  std::size_t accuracy;     ///< images, right exactly, right, squared, both
  std::size_t integers;     ///< all

  // Numbers.
  std::size_t margins;      ///< quantile, input-aware, pattern [A], overlap
  std::size_t misread;      ///< row
  std::size_t bound;        ///< row: of the error of `misread`
  std::size_t probability;  ///< table
  std::size_t entry_bound;  ///< row: of the error of each probability
  std::size_t numbers;      ///< all
};

inline constexpr std::size_t margin_count = 4;
inline constexpr std::size_t accuracy_count = 5;

/// The datasets of the result, in the order of PointSummary::values().
SweepFields result_fields(const SweepLayout& layout, const ChunkLayout& places);

}  // namespace cimstat::experiments
