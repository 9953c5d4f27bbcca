#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "circuits/error_table.h"
#include "circuits/exact/exact_column.h"

namespace cimstat::experiments::fixtures {

/// The table of a design, of every class that a network can meet.
inline circuits::ErrorTable exact_table(const circuits::ColumnDesign& design) {
  std::vector<std::uint32_t> active_rows(design.rows);
  std::iota(active_rows.begin(), active_rows.end(), 1U);
  circuits::ErrorTable table;
  table.classes = circuits::classes_for(active_rows);
  table.codes = design.ladder.codes;
  table.code_step = design.ladder.code_step;
  table.code_origin = design.ladder.code_origin;
  circuits::ExactProbabilities exact = circuits::exact_probabilities(design, table.classes, {}, {});
  table.probability = std::move(exact.probability);
  table.error_bound = std::move(exact.error_bound);
  for (const circuits::ColumnClass& column_class : table.classes) {
    table.ideal_code.push_back(design.ladder.ideal_code(column_class.lrs_count));
  }
  return table;
}

}  // namespace cimstat::experiments::fixtures
