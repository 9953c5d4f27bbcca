#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/column.h"
#include "circuits/sampled/code_search.h"
#include "circuits/sampled/sampled_column.h"

/// The inner loops of sampled_column.h: tiles of 64 trials, trials in lanes, draws down the rows.
namespace cimstat::circuits {

/// `count` independent draws from one table, each added to the sum of its trial.
struct CellDraws {
  const core::QuantileTable* table = nullptr;
  std::uint32_t count = 0;
};

/// How a draw z is added to `sum`, the trial's sum so far.
enum class Scaling {
  variance,  ///< z * sqrt(max(0, level + slope * sum))
  factor,    ///< z * (level + slope * sum)
};

struct ScaledDraw {
  const core::QuantileTable* table = nullptr;
  float level = 0.0f;
  float slope = 0.0f;
  Scaling scaling = Scaling::variance;
};

/// Comparisons with noise of their own.
struct Decisions {
  ConverterKind kind = ConverterKind::flash;
  const core::QuantileTable* normal = nullptr;  ///< standard
  float shared_sd = 0.0f;                       ///< of one draw before all comparisons
  float sd = 0.0f;                              ///< of one draw for each; 0: none
  std::vector<float> references;                ///< ascending, as sums are

  std::uint32_t words() const;  ///< per trial
};

/// What one read of a column of one class draws, in the order of its random words: cells, then
/// scaled draws, then decisions (the shared noise first). Sums are deviations from the mean
/// current, in a unit of the caller's.
struct ColumnProgram {
  std::vector<CellDraws> cells;
  std::vector<ScaledDraw> scaled;
  std::optional<Decisions> decisions;
  core::Stream stream = core::Stream::philox;
  /// Blocks for at least words() words. The fast stream takes its key and first block from here.
  core::BlockSchedule schedule;

  std::uint32_t words() const;  ///< per trial
};

/// Sums of the trials before the decisions, in trial order: sums[trial - first].
void sample_sums(const ColumnProgram& program, TrialRange trials, std::span<float> sums);

/// Adds the codes of the trials to counts[code]; at most 2^32 trials. `search` is not used where
/// the program has decisions.
void sample_codes(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                  std::span<std::uint64_t> counts);

}  // namespace cimstat::circuits
