#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/parallel.h"
#include "core/statistics/gamma_bernoulli.h"

#include "circuits/column.h"
#include "circuits/sampled/sampled_column.h"

/// Sampling of each class until it has been misread often enough for its rate to be known to a
/// given relative error (core/statistics/gamma_bernoulli.h).
///
/// Trials are those of sampled_column.h, in their order. The trials of a class end with the chunk
/// in which misread k comes, or with options.trials: a function of (key, class) alone.
namespace cimstat::circuits {

/// Trials to a chunk.
inline constexpr std::uint64_t stopping_chunk = 4096;

/// How many trials a class has whose misread k came in trial `last` (counted from 1; 0: it never
/// came).
std::uint64_t trials_until(std::uint64_t last, std::uint64_t most);

struct StoppedCounts {
  std::vector<std::uint64_t> counts;  ///< [class][code], of all trials of each class
  /// [class] N, the number of the trial in which misread k came, counted from 1; 0 where it did not
  /// come in options.trials.
  std::vector<std::uint64_t> last;
};

/// `misreads` is k, at least 1. Equal for any thread count and instruction set; a class does not
/// depend on which others are asked for. Throws as sampled_counts does.
StoppedCounts counts_until(const ColumnDesign& design, std::span<const ColumnClass> classes,
                           const SamplingOptions& options, std::uint64_t misreads,
                           core::Threads threads, const core::Progress& progress = {});

/// The estimate of a class whose misread k came in trial `last`: its time R is drawn with the first
/// two words of (key, Domain::stopping, instance 0) from block (2048 n + k) 2^16 on
/// (`states` of a row, where they are more than the two of a binary column: instance 1, block
/// class_number() 2^12).
core::GammaBernoulli guaranteed_misread(core::StreamKey key, ColumnClass column_class,
                                        std::uint64_t misreads, std::uint64_t last,
                                        std::size_t states = 0);

}  // namespace cimstat::circuits
