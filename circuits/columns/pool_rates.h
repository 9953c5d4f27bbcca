#pragma once

#include <cstdint>
#include <vector>

#include "core/parallel.h"

#include "circuits/columns/column_rates.h"
#include "circuits/columns/frozen_pool.h"

/// How often each column of a pool is misread.
namespace cimstat::circuits {

/// Integrates the fresh noise instead of sampling it: a and b are exact for the frozen currents.
/// The sense noise that follows the current sees it without the read noise of the cells. `votes` is
/// odd.
ColumnRates integrated_rates(const FrozenPool& pool, unsigned votes, core::Threads threads,
                             const core::Progress& progress = {});

/// P(code) of each column, each class's mean over its patterns: [class][column][code].
std::vector<double> integrated_codes(const FrozenPool& pool, core::Threads threads);

/// Codes of sampled reads.
struct PoolCounts {
  std::vector<std::uint64_t> code;     ///< [class][code], of all columns, patterns and reads
  std::vector<std::uint64_t> misread;  ///< [class][column], of the class's patterns times reads
};
/// Reads each pattern `reads` times on each column, with fresh noise. The same bits for any thread
/// count and instruction set.
PoolCounts sampled_reads(const FrozenPool& pool, std::uint32_t reads, core::Threads threads,
                         const core::Progress& progress = {});

}  // namespace cimstat::circuits
