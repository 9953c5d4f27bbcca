#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/random.h"

#include "circuits/column.h"

/// The distribution of the code by sampling: 64 trials to a tile, trials in lanes, rows down.
namespace cimstat::circuits {

enum class Summation {
  per_cell,      ///< one draw for each cell
  block_tables,  ///< one draw for each set bit of a part's count, from tables of sums of 2^b cells
};

struct SamplingOptions {
  std::uint64_t trials = 0;  ///< per class
  core::StreamKey key;
  core::Stream stream = core::Stream::philox;
  Summation summation = Summation::block_tables;
};

/// How often each code came: counts[class][code]; each class's row sums to options.trials.
/// Equal for any thread count and instruction set. The numbers of a class depend on its (k, n) and
/// the key alone, not on which other classes are asked for.
std::vector<std::uint64_t> sampled_counts(const ColumnDesign& design,
                                          std::span<const ColumnClass> classes,
                                          const SamplingOptions& options, core::Threads threads,
                                          const core::Progress& progress = {});

/// Sensed currents [A] of the first `options.trials` trials of one class, in trial order.
std::vector<float> sampled_currents(const ColumnDesign& design, ColumnClass column_class,
                                    const SamplingOptions& options);

}  // namespace cimstat::circuits
