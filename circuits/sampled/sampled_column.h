#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"

#include "circuits/column.h"

/// The distribution of the code by sampling: 64 trials to a tile, trials in lanes, rows down.
///
/// Each trial is one read of one column: cells, offset and noise are all drawn afresh. Its words
/// are those of (key, Domain::column_sum, instance = trial) from block (2048 n + k) 2^16 on, where
/// (k, n) is the class, in this order:
///   the parts of parts_of(), cell by cell (or sum by sum, small sums first);
///   where the noise has a constant sd: one normal draw for offset, Gaussian noise and the parts
///   that are summed beforehand; then logistic noise; where it follows the current: one normal draw
///   for the parts that are summed beforehand; then the noise; then the offset.
///   Under a common factor: one normal draw for the parts that are summed beforehand, the factor's
///   draw, then offset and noise as above;
///   where the comparators have noise: that which a ramp's steps share, then one normal draw for
///   each reference in ascending order (flash, ramp) or each bit from the highest down (sar).
///   Where converters have frozen mismatch (circuits/converters/ensemble.h): the shared noise, then
///   the draws of ConverterCircuit, frozen, then fresh. Each trial has a converter of its own.
///   Behind a bit line that is more than a sum (circuits/bit_line/bit_line.h): what of the above
///   makes the sum comes first; then what the line draws: along a wire for each row, from the far
///   end on, its place among the cells (where rows differ) and its cell; of shared charge the
///   capacitors that are grounded, sum by sum; then offset and noise.
/// Points, zero spreads and absent parts take no word; those of comparators far from the current
/// are numbered but not looked at. The fast stream has its states from
/// Domain::stream_seed, instance = first trial of the tile, 16 blocks from the same number on, and
/// its words follow without gaps.
namespace cimstat::circuits {

enum class Summation {
  per_cell,      ///< one draw for each cell
  block_tables,  ///< one draw for each base-4 digit of a part's count, from tables of sums of
                 ///< 1, 2 and 3 times 4^b cells; one normal draw for all normal parts together
};

struct SamplingOptions {
  std::uint64_t trials = 0;  ///< per class
  core::StreamKey key;
  core::Stream stream = core::Stream::philox;
  Summation summation = Summation::block_tables;
};

/// Trials first .. end - 1 of a class; `first` is a multiple of core::tile_trials.
struct TrialRange {
  std::uint64_t first = 0;
  std::uint64_t end = 0;
};

/// Throws UsageError for more trials than can be numbered.
void check_trials(std::uint64_t trials);

/// How often each code came: counts[class][code]; each class's row sums to options.trials.
/// Equal for any thread count and instruction set. The numbers of a class depend on its (k, n) and
/// the key alone, not on which other classes are asked for.
std::vector<std::uint64_t> sampled_counts(const ColumnDesign& design,
                                          std::span<const ColumnClass> classes,
                                          const SamplingOptions& options, core::Threads threads,
                                          const core::Progress& progress = {});

class PreparedColumn;

/// Sensed currents (or voltages, where the line delivers these), before what comparators add, class
/// after class from tables that are built once. Refers to `design`.
class CurrentSampler {
 public:
  /// Throws UsageError for classes or trials out of range, Interrupted when asked to stop.
  CurrentSampler(const ColumnDesign& design, std::span<const ColumnClass> classes,
                 const SamplingOptions& options, core::Threads threads);
  ~CurrentSampler();

  /// Readings [A] or [V] of the first `options.trials` trials of one of the classes, in trial
  /// order. May be called from several threads at once.
  std::vector<float> currents(ColumnClass column_class) const;

 private:
  const ColumnDesign& design_;
  std::uint64_t trials_;
  std::unique_ptr<PreparedColumn> column_;
};

/// The same for one class alone.
std::vector<float> sampled_currents(const ColumnDesign& design, ColumnClass column_class,
                                    const SamplingOptions& options);

}  // namespace cimstat::circuits
