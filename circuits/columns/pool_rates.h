#pragma once

#include <cstdint>
#include <vector>

#include "core/parallel.h"

#include "circuits/columns/frozen_pool.h"

/// How often each column of a pool is misread.
namespace cimstat::circuits {

/// Of each class on each column, the mean over the class's patterns; [class][column]. Given what is
/// frozen, reads of one pattern are independent: everything follows from a, the probability of a
/// code below the ideal one, and b, that of one above.
struct ColumnRates {
  std::uint64_t columns = 0;
  std::vector<ColumnClass> classes;
  std::vector<double> misread;     ///< a + b
  std::vector<double> both_wrong;  ///< (a + b)^2: two reads of one pattern are both wrong
  /// The vote of several reads of one pattern is wrong. The vote is the code that more than half of
  /// the reads gave; where none has, the median of the codes, which is the former where there is
  /// one. So it is too low where most reads are: majority(a) + majority(b).
  std::vector<double> vote_wrong;
};

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
