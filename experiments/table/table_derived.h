#pragma once

#include <vector>

#include "core/file/hdf5_file.h"

#include "circuits/error_table.h"

#include "experiments/result_header.h"

/// What a table file holds besides the table and follows from it: written for those who read the
/// file without cimstat, and checked when it is read, so that they can rely on it as well.
namespace cimstat::experiments {

/// Of each probability; [class][code] as there.
struct TableBounds {
  std::vector<double> lower;
  std::vector<double> upper;
};

/// Clopper-Pearson for each entry on its own (sampled), or probability -+ error_bound (exact).
TableBounds interval_bounds(const circuits::ErrorTable& table, double confidence);

/// Axes, the MAC values of codes, intervals; and the type, unit and attributes of every dataset.
/// Throws DataError where one is missing or not what the rest of the file makes it. `table` has
/// been read from `file` and checked.
void check_what_follows(const core::Hdf5Input& file, const ResultHeader& header,
                        const circuits::ErrorTable& table);

}  // namespace cimstat::experiments
