#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "core/law/law.h"
#include "core/parallel.h"

#include "circuits/column.h"
#include "circuits/rare/rare_estimate.h"

/// Rare failures that depend on a sum of many independent parts, by mixture importance sampling.
///
/// In standard-normal space, where each part is X(z_i), failure is likeliest at a few points: all
/// cells somewhat raised, or one raised far, or two. Every such mode, spread over all permutations
/// of equal cells, becomes a component of the proposal, beside a defensive one without a shift
/// (Owen and Zhou, J. Amer. Statist. Assoc. 95, 2000, 135, for mixtures with a defence).
namespace cimstat::circuits {

/// What is asked. The sum is `constant` + sum_sd * N(0,1) + the parts; `offset` is offset_sd *
/// N(0,1), independent of it.
struct SumFailure {
  using LogProbability = std::function<double(double sum, double offset)>;

  std::vector<ColumnPart> parts;
  double constant = 0.0;
  double sum_sd = 0.0;
  double offset_sd = 0.0;
  /// ln P(failure | sum, offset), fresh noise integrated; -infinity where it is impossible.
  LogProbability log_probability;
  /// What steers the search for modes: finite and smooth. Empty: log_probability.
  LogProbability guide;
  double resolution = 0.0;              ///< the guide varies on this scale of the sum
  core::Tail side = core::Tail::upper;  ///< where in the sum failure lies
  std::uint64_t first_block = 0;        ///< of the random numbers of each sample
};

/// How samples are drawn. `modes` is the way; the others show what goes wrong without.
enum class Proposal {
  modes,         ///< every mode, its orbit, a defensive component
  single_shift,  ///< the highest mode alone, one of its permutations, sd 1, not defended
  plain,         ///< the devices as they are: conditional Monte Carlo
};

/// Where failure sits, and how often so many samples of that proposal are expected there.
std::vector<FailureMode> failure_modes(const SumFailure& failure, const RareOptions& options,
                                       Proposal proposal);

/// The probability of failure from `options.samples` samples. Random words are those of (key,
/// Domain::rare_event, instance = sample) from block first_block on: equal for any thread count.
RareEstimate rare_sum(const SumFailure& failure, const RareOptions& options, Proposal proposal,
                      core::Threads threads, const core::Progress& progress = {});

}  // namespace cimstat::circuits
