#pragma once

#include <string>
#include <utility>
#include <vector>

#include "experiments/experiment.h"
#include "experiments/inference/layer_tables.h"

namespace cimstat::experiments {

/// The tables that [accuracy.layer_tables] names, read from their files.
struct LayerTables {
  std::vector<LayerTable> tables;
  /// Name of the section, content hash of its table; in the order of `tables`.
  std::vector<std::pair<std::string, std::string>> sha256;
};

/// Throws UsageError where a file can't be opened, where rows of its column have more than two
/// states or are fewer than accuracy.rows_per_read, and where its column can't hold
/// accuracy.weights; DataError where it is no whole table.
LayerTables read_layer_tables(const Experiment& experiment);

}  // namespace cimstat::experiments
