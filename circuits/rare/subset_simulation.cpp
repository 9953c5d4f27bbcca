#include "circuits/rare/subset_simulation.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

constexpr std::uint32_t chain_length = 10;  // 1 / the conditional probability of a level
constexpr std::uint32_t fewest_runs = 10;
constexpr std::uint32_t most_levels = 60;
constexpr double widest_spread = 1.0;  // sd of ln p over runs

/// One run. Fresh noise is one more variable, so that failure is margin <= 0.
class SubsetRun {
 public:
  SubsetRun(const LimitState& limit, const SubsetOptions& options, std::uint64_t run)
      : limit_(limit),
        samples_(options.samples_per_level),
        variables_(limit.dimension + (limit.noise_sd > 0.0 ? 1U : 0U)),
        correlation_(options.correlation),
        random_(options.key, core::Domain::rare_event, first_pilot_sample / 2 + run),
        z_(samples_ * variables_),
        margin_(samples_) {}

  /// 0 where failure was not reached.
  double probability() {
    for (std::size_t i = 0; i < samples_; ++i) {
      fill_normal(random_, point(i));
      margin_[i] = margin(point(i));
    }
    double product = 1.0;
    for (std::uint32_t level = 0; level < most_levels; ++level) {
      std::vector<std::size_t> order(samples_);
      std::iota(order.begin(), order.end(), std::size_t{0});
      std::stable_sort(order.begin(), order.end(),
                       [&](std::size_t a, std::size_t b) { return margin_[a] < margin_[b]; });
      const std::size_t seeds = samples_ / chain_length;
      const double threshold = 0.5 * (margin_[order[seeds - 1]] + margin_[order[seeds]]);
      if (threshold <= 0.0) {
        const auto failed =
            std::count_if(margin_.begin(), margin_.end(), [](double m) { return m <= 0.0; });
        return product * static_cast<double>(failed) / static_cast<double>(samples_);
      }
      product /= chain_length;
      order.resize(seeds);
      grow_chains(order, threshold);
    }
    return 0.0;
  }

  std::uint64_t evaluations() const { return evaluations_; }

 private:
  std::span<double> point(std::size_t i) {
    return std::span(z_).subspan(i * variables_, variables_);
  }

  double margin(std::span<const double> z) {
    ++evaluations_;
    const double value = limit_.margin(z.first(limit_.dimension));
    return limit_.noise_sd > 0.0 ? value + limit_.noise_sd * z.back() : value;
  }

  void grow_chains(const std::vector<std::size_t>& seeds, double threshold) {
    std::vector<double> z;
    std::vector<double> margins;
    z.reserve(z_.size());
    const double fresh = std::sqrt(1.0 - correlation_ * correlation_);
    std::vector<double> candidate(variables_);
    for (const std::size_t seed : seeds) {
      std::vector<double> here(point(seed).begin(), point(seed).end());
      double margin_here = margin_[seed];
      for (std::uint32_t i = 0; i < chain_length; ++i) {
        if (i > 0) {
          fill_normal(random_, candidate);
          for (std::size_t v = 0; v < variables_; ++v) {
            candidate[v] = correlation_ * here[v] + fresh * candidate[v];
          }
          const double margin_there = margin(candidate);
          if (margin_there <= threshold) {
            here = candidate;
            margin_here = margin_there;
          }
        }
        z.insert(z.end(), here.begin(), here.end());
        margins.push_back(margin_here);
      }
    }
    z_ = std::move(z);
    margin_ = std::move(margins);
  }

  const LimitState& limit_;
  std::size_t samples_;
  std::size_t variables_;
  double correlation_;
  core::TrialRandom random_;
  std::vector<double> z_;  ///< [sample][variable]
  std::vector<double> margin_;
  std::uint64_t evaluations_ = 0;
};

core::Moments log_moments(const std::vector<double>& probabilities) {
  core::Moments moments;
  for (const double p : probabilities) moments.add(std::log(p));
  return moments;
}

}  // namespace

std::optional<double> SubsetEstimate::probability() const {
  if (!trustworthy()) return std::nullopt;
  return std::accumulate(run_probability.begin(), run_probability.end(), 0.0) /
         static_cast<double>(run_probability.size());
}

std::optional<core::Interval> SubsetEstimate::interval(double confidence) const {
  if (!trustworthy()) return std::nullopt;
  const core::Moments moments = log_moments(run_probability);
  const double runs = static_cast<double>(moments.count());
  const double variance = moments.variance();
  const double half = core::student_t(confidence, runs - 1.0) *
                      std::sqrt(variance / runs + variance * variance / (2.0 * (runs - 1.0)));
  const double centre = moments.mean() + 0.5 * variance;
  return core::Interval{std::exp(centre - half), std::min(std::exp(centre + half), 1.0)};
}

SubsetEstimate subset_simulation(const LimitState& limit, const SubsetOptions& options,
                                 core::Threads threads, const core::Progress& progress) {
  if (options.runs < fewest_runs) {
    throw core::UsageError(core::error_line(
        "subset simulation", fmt::format("{} runs are too few", options.runs),
        "the interval comes from their spread", fmt::format("ask for at least {}", fewest_runs)));
  }
  if (options.samples_per_level < 10 * chain_length ||
      options.samples_per_level % chain_length != 0) {
    throw core::UsageError(core::error_line(
        "subset simulation", fmt::format("{} samples per level", options.samples_per_level),
        "chains have 10 samples", "take a multiple of 10, at least 100"));
  }
  SubsetEstimate estimate;
  estimate.run_probability.resize(options.runs);
  std::vector<std::uint64_t> evaluations(options.runs);
  core::for_each_block(
      options.runs, threads,
      [&](std::size_t run, std::size_t) {
        SubsetRun chain(limit, options, run);
        estimate.run_probability[run] = chain.probability();
        evaluations[run] = chain.evaluations();
      },
      progress);
  estimate.evaluations = std::accumulate(evaluations.begin(), evaluations.end(), std::uint64_t{0});
  const auto lost =
      std::count(estimate.run_probability.begin(), estimate.run_probability.end(), 0.0);
  if (lost > 0) {
    estimate.refusal = fmt::format("{} of {} runs never reached failure", lost, options.runs);
  } else if (const double spread = std::sqrt(log_moments(estimate.run_probability).variance());
             spread > widest_spread) {
    estimate.refusal = fmt::format("runs differ by a factor of {:.2g} (one sd)", std::exp(spread));
  }
  return estimate;
}

}  // namespace cimstat::circuits
