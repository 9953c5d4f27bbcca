#pragma once

#include <optional>
#include <string>

#include "core/parallel.h"

#include "circuits/column.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/parallel_codes.h"

/// The accuracy of a network whose codes follow from weighted counts (weighted_reads.h).
namespace cimstat::experiments {

/// The laws of codes that a network needs: of each span of a row.
struct ParallelTables {
  ParallelCodes drawn;
  std::optional<ParallelCodes>
      spared;  ///< of protected partial sums; nothing where they are counted
};

/// Throws what parallel_tables and accuracy_in_parallel would before they compute anything.
void check_parallel(const Network& network, const ImageSet& image_set,
                    const circuits::ColumnDesign& design, const AccuracyOptions& options);

/// Throws UsageError for columns that ParallelCodes refuses.
ParallelTables parallel_tables(const Network& network, const circuits::ColumnDesign& design,
                               const ArrayOptions& array);

/// As accuracy_with_table, for any number of activation bits in a cycle, native weights, cells of
/// several bits of differential ones, and even ties.
AccuracyResult accuracy_in_parallel(const Network& network, const ImageSet& image_set,
                                    const ParallelTables& tables, const AccuracyOptions& options,
                                    core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
