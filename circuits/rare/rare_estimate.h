#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/random/random.h"
#include "core/statistics/batch_rule.h"
#include "core/statistics/weighted_estimate.h"

namespace cimstat::circuits {

/// Where the probability of a rare event sits: a point of standard-normal space where failure and
/// the density of the variables are jointly most likely, or a set of such points that are equal by
/// permutation.
struct FailureMode {
  double distance = 0.0;    ///< from the origin, in standard deviations
  double log_height = 0.0;  ///< ln P(failure | point) - distance^2 / 2
  double orbit = 1.0;       ///< how many points are equal to it
  double visits = 0.0;      ///< how many of the samples fell near one of them, expected
  std::string place;        ///< in words
};

/// What a sampler says about a rare event. The sums are kept; a probability is given out only where
/// nothing speaks against it.
struct RareEstimate {
  std::array<core::WeightedSums, 2> halves;  ///< chunks with even and with odd numbers
  std::vector<FailureMode> modes;            ///< the highest first
  std::string refusal;                       ///< why there is no number; empty where there is one
  /// What the rule of RareOptions still lacked when the samples were spent; empty where it was met
  /// and where none was given. Asymptotic: no guarantee.
  std::string shortfall;

  core::WeightedSums sums() const;
  bool trustworthy() const { return refusal.empty(); }
  std::optional<double> probability() const;
  std::optional<core::Interval> interval(double confidence) const;  ///< log-normal
};

struct RareOptions {
  std::uint64_t samples = 100'000;  ///< at most 2^40
  core::StreamKey key = {};
  /// Samples are added in batches of 2,048, 16 batches at a time, until the rule is met or
  /// `samples` are spent.
  std::optional<core::BatchRule> until = {};
};

/// Samples with numbers from here on are pilots: they shape the proposal and are never counted.
inline constexpr std::uint64_t first_pilot_sample = std::uint64_t{1} << 47;

/// Fills contribution[i] with w of sample first + i.
using Contributions = std::function<void(std::uint64_t first, std::span<double> contribution)>;

/// Sums over the contributions of options.samples samples, or of as many as the rule takes, in
/// chunks whose sums are added in their order: equal for any number of threads. No modes, not
/// judged.
RareEstimate weighted_sums(const RareOptions& options, const Contributions& contributions,
                           core::Threads threads, const core::Progress& progress = {});

/// Judges sums and modes: sets `refusal`. A mode that holds a share of the probability worth
/// mentioning must have been visited, whatever error the sums report.
void judge(RareEstimate& estimate, const core::TrustLimits& limits = {});

/// The standard deviation, at most `widest`, of normal proposals in `dimensions` variables such
/// that inflating all of them multiplies the second moment of weights by at most `factor`. One
/// variable of sd s multiplies it by s / sqrt(2 - 1/s^2).
double inflated_sd(double widest, double factor, std::size_t dimensions);

/// Shares of a mixture's components, the first of them the variables' own law, in proportion to the
/// probability that a pilot run found in each, but for 5 % that defend the first and 19 % that the
/// others share evenly. With nothing found the others share all but the 5 %.
std::vector<double> mixture_shares(std::span<const double> mass);
inline constexpr std::uint64_t pilot_samples = 4096;

/// ln of a mixture's density over the variables' own, from those of its components.
double log_mixture(std::span<const double> shares, std::span<const double> component_log_ratios);
/// Adds a contribution w to the mass of each component, by what it had to do with the sample.
void add_masses(std::span<const double> shares, std::span<const double> component_log_ratios,
                double w, std::span<double> mass);
/// Which component a number from 0 to 1 picks: 0 is the variables' own law.
std::size_t picked(std::span<const double> shares, double fraction);

/// One word: an odd multiple of 2^-33.
double uniform(core::TrialRandom& random);
/// Standard normal numbers of one sample (Box and Muller), two for every two words, out to 6.7 sd.
void fill_normal(core::TrialRandom& random, std::span<double> values);

}  // namespace cimstat::circuits
