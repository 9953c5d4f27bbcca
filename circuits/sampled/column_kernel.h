#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/law/quantile_table.h"
#include "core/random/random.h"

#include "circuits/bit_line/line_steps.h"
#include "circuits/column.h"
#include "circuits/converters/converter_circuit.h"
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
  /// Where there is one, each trial makes a converter and lets it convert.
  std::shared_ptr<const ConverterCircuit> circuit{};
  double mean = 0.0;  ///< current of a sum of 0 [A]
  double unit = 1.0;  ///< of sums [A]

  std::uint32_t words() const;  ///< per trial
};

/// Codes of the circuit for the currents of a tile; draws[row][trial]: what it has frozen, then its
/// decisions.
void convert_tile(const Decisions& decisions, const float* draws, const float* sums,
                  std::uint32_t* codes);

/// What one read of a column of one class draws, in the order of its random words: cells, then
/// scaled draws, then what the bit line needs, the scaled draws behind it, then decisions (the
/// shared noise first, then what a converter has frozen). Sums are deviations from the mean
/// current, in a unit of the caller's; behind the line, from the nominal reading.
struct ColumnProgram {
  std::vector<CellDraws> cells;
  std::vector<ScaledDraw> scaled;
  LineStep line;                    ///< nothing for a plain sum
  std::vector<CellDraws> grounded;  ///< of shared charge: the capacitors that aren't driven
  std::vector<ScaledDraw> grounded_scaled;
  std::vector<ScaledDraw> behind_line;
  std::optional<Decisions> decisions;
  core::Stream stream = core::Stream::philox;
  /// Blocks for at least words() words. The fast stream takes its key and first block from here.
  core::BlockSchedule schedule;

  std::uint32_t words() const;  ///< per trial
};

/// What a trial of a wire is compared with: the sum of its cells without the wire, and with each
/// cell times its weight, i N - i (i - 1) / 2 of the i-th of N rows from the sense end, over the
/// mean of these weights. In the unit of sums.
struct WireTrial {
  float current = 0.0f;  ///< as sample_sums gives it
  float plain = 0.0f;
  float leaning = 0.0f;
};

/// trials[trial - first], for programs whose line is a wire.
void sample_wires(const ColumnProgram& program, TrialRange trials, std::span<WireTrial> results);

/// Sums of the trials before the decisions, in trial order: sums[trial - first].
void sample_sums(const ColumnProgram& program, TrialRange trials, std::span<float> sums);

/// The codes of the trials, in trial order: codes[trial - first]; `search` as below.
void sample_each_code(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                      std::span<std::uint32_t> codes);

/// Adds the codes of the trials to counts[code]; at most 2^32 trials. `search` is not used where
/// the program has decisions.
void sample_codes(const ColumnProgram& program, const CodeSearch& search, TrialRange trials,
                  std::span<std::uint64_t> counts);

}  // namespace cimstat::circuits
