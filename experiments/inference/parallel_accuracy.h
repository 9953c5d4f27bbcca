#pragma once

#include <optional>
#include <string>

#include "core/parallel.h"

#include "circuits/column.h"

#include "experiments/inference/accuracy_run.h"
#include "experiments/inference/parallel_codes.h"

/// The accuracy of a network whose rows are driven by several activation bits at once.
namespace cimstat::experiments {

/// The laws of codes that a network needs: of each number of bits that a cycle has.
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

/// As accuracy_with_table, for options.array.input_bits_per_cycle of any number.
AccuracyResult accuracy_in_parallel(const Network& network, const ImageSet& image_set,
                                    const ParallelTables& tables, const AccuracyOptions& options,
                                    core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::experiments
