#include "circuits/rare/rare_estimate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::circuits {

namespace {

constexpr std::uint64_t chunk_samples = 2048;
constexpr std::uint64_t round_chunks = 16;  // between two looks at the rule
constexpr std::uint64_t sample_limit = std::uint64_t{1} << 40;
constexpr double fewest_visits = 30.0;
// Modes e^5 times lower than the highest may go unvisited: they hold less than a percent.
constexpr double mentionable = 5.0;

}  // namespace

core::WeightedSums RareEstimate::sums() const {
  core::WeightedSums all = halves[0];
  all += halves[1];
  return all;
}

std::optional<double> RareEstimate::probability() const {
  if (!trustworthy()) return std::nullopt;
  return sums().mean();
}

std::optional<core::Interval> RareEstimate::interval(double confidence) const {
  if (!trustworthy()) return std::nullopt;
  return log_normal_interval(sums(), confidence);
}

RareEstimate weighted_sums(const RareOptions& options, const Contributions& contributions,
                           core::Threads threads, const core::Progress& progress) {
  const std::uint64_t samples = options.samples;
  if (samples > sample_limit) {
    throw core::UsageError(
        core::error_line("samples", fmt::format("{} are too many", samples), "at most 2^40"));
  }
  const std::uint64_t chunks = (samples + chunk_samples - 1) / chunk_samples;
  RareEstimate estimate;
  std::vector<core::WeightedSums> sums;
  std::uint64_t done = 0;
  while (done < chunks) {
    const std::uint64_t round = options.until ? std::min(round_chunks, chunks - done) : chunks;
    sums.resize(done + round);
    core::for_each_block(
        round, threads,
        [&](std::size_t block, std::size_t) {
          const std::uint64_t first = (done + block) * chunk_samples;
          std::vector<double> values(std::min(chunk_samples, samples - first));
          contributions(first, values);
          for (const double value : values) sums[done + block].add(value);
        },
        [&](std::size_t blocks, std::size_t) {
          if (progress) progress(done + blocks, chunks);
        });
    done += round;
    if (!options.until) break;
    // A batch of another size has no place in the rule.
    const std::size_t whole = sums.back().n == chunk_samples ? sums.size() : sums.size() - 1;
    estimate.shortfall =
        core::shortfall({sums.data(), whole}, *options.until).value_or(std::string());
    if (estimate.shortfall.empty()) break;
  }
  for (std::uint64_t chunk = 0; chunk < done; ++chunk) estimate.halves[chunk % 2] += sums[chunk];
  return estimate;
}

void judge(RareEstimate& estimate, const core::TrustLimits& limits) {
  estimate.refusal.clear();
  const auto weight = [](const FailureMode& mode) {
    return mode.log_height + std::log(mode.orbit);
  };
  double highest = -std::numeric_limits<double>::infinity();
  for (const FailureMode& mode : estimate.modes) highest = std::max(highest, weight(mode));
  for (const FailureMode& mode : estimate.modes) {
    if (weight(mode) > highest - mentionable && mode.visits < fewest_visits) {
      estimate.refusal = fmt::format(
          "the failures around {}, {:.2f} sd away, are expected {:.2g} times among the samples, "
          "fewer than {:g}",
          mode.place, mode.distance, mode.visits, fewest_visits);
      return;
    }
  }
  if (auto reason = core::doubt(estimate.halves[0], estimate.halves[1], limits)) {
    estimate.refusal = *reason;
  }
}

double inflated_sd(double widest, double factor, std::size_t dimensions) {
  const double budget =
      std::log(factor) / static_cast<double>(std::max<std::size_t>(dimensions, 1));
  const auto cost = [](double sd) { return std::log(sd) - 0.5 * std::log(2.0 - 1.0 / (sd * sd)); };
  if (cost(widest) <= budget) return widest;
  double low = 1.0;
  double high = widest;
  for (int i = 0; i < 50; ++i) {
    const double middle = 0.5 * (low + high);
    (cost(middle) > budget ? high : low) = middle;
  }
  return low;
}

std::vector<double> mixture_shares(std::span<const double> mass) {
  constexpr double defensive = 0.05;
  const double total = std::accumulate(mass.begin(), mass.end(), 0.0);
  const double even = total > 0.0 ? 0.2 : 1.0;  // of the rest
  std::vector<double> shares(mass.size());
  for (std::size_t k = 0; k < mass.size(); ++k) {
    const double others = k == 0 ? 0.0 : even / static_cast<double>(mass.size() - 1);
    const double found = total > 0.0 ? (1.0 - even) * mass[k] / total : 0.0;
    shares[k] = (k == 0 ? defensive : 0.0) + (1.0 - defensive) * (others + found);
  }
  if (mass.size() == 1) shares[0] = 1.0;
  return shares;
}

double log_mixture(std::span<const double> shares, std::span<const double> component_log_ratios) {
  double largest = shares[0] > 0.0 ? 0.0 : -std::numeric_limits<double>::infinity();
  for (const double value : component_log_ratios) largest = std::max(largest, value);
  double sum = shares[0] * std::exp(-largest);
  for (std::size_t k = 0; k < component_log_ratios.size(); ++k) {
    sum += shares[k + 1] * std::exp(component_log_ratios[k] - largest);
  }
  return largest + std::log(sum);
}

void add_masses(std::span<const double> shares, std::span<const double> component_log_ratios,
                double w, std::span<double> mass) {
  if (!(w > 0.0)) return;
  const double all = log_mixture(shares, component_log_ratios);
  mass[0] += w * shares[0] * std::exp(-all);
  for (std::size_t k = 0; k < component_log_ratios.size(); ++k) {
    mass[k + 1] += w * shares[k + 1] * std::exp(component_log_ratios[k] - all);
  }
}

std::size_t picked(std::span<const double> shares, double fraction) {
  std::size_t component = 0;
  for (double passed = shares[0]; component + 1 < shares.size() && fraction >= passed;) {
    passed += shares[++component];
  }
  return component;
}

double uniform(core::TrialRandom& random) { return (random() + 0.5) * 0x1p-32; }

void fill_normal(core::TrialRandom& random, std::span<double> values) {
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double radius = std::sqrt(-2.0 * std::log(uniform(random)));
    const double angle = 2.0 * std::numbers::pi * uniform(random);
    values[i] = radius * std::cos(angle);
    if (i + 1 < values.size()) values[i + 1] = radius * std::sin(angle);
  }
}

}  // namespace cimstat::circuits
