#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/code_search.h"

/// The inner loops of sampled_column.h: tiles of 64 trials, trials in lanes, draws down the rows.
namespace cimstat::circuits {

/// `count` independent draws from one table, each added to the sum of its trial.
struct CellDraws {
  const core::QuantileTable* table = nullptr;
  std::uint32_t count = 0;
};

/// One draw z, added as z * sqrt(max(0, variance + variance_slope * sum)), where `sum` is the
/// trial's sum so far.
struct ScaledDraw {
  const core::QuantileTable* table = nullptr;
  float variance = 0.0f;
  float variance_slope = 0.0f;
};

/// What one read of a column of one class draws, in the order of its random words: cells, then
/// scaled draws. Sums are deviations from the mean current, in a unit of the caller's.
struct ColumnProgram {
  std::vector<CellDraws> cells;
  std::vector<ScaledDraw> scaled;
  core::Stream stream = core::Stream::philox;
  /// Blocks for at least words() words. The fast stream takes its key and first block from here.
  core::BlockSchedule schedule;

  std::uint32_t words() const;  ///< per trial
};

/// Trials first .. end - 1; `first` is a multiple of core::tile_trials.
struct TrialRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Sums of the trials, in trial order: sums[trial - first].
void sample_sums(const ColumnProgram& program, TrialRange trials, std::span<float> sums);

/// Adds the codes of the trials to counts[code]; at most 2^32 trials.
void sample_codes(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                  std::span<std::uint64_t> counts);

}  // namespace cimstat::circuits
