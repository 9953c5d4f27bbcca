#include "core/statistics/statistics_comparison.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <unordered_map>

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/gamma.hpp>

namespace cimstat::core {
namespace {

void require_trials(std::uint64_t successes, std::uint64_t trials) {
  if (successes > trials) throw std::invalid_argument("more successes than trials");
}

double log_choose(double n, double k) {
  return boost::math::lgamma(n + 1.0) - boost::math::lgamma(k + 1.0) -
         boost::math::lgamma(n - k + 1.0);
}

/// P(X >= k) of the hypergeometric law: `drawn` of `successes + failures`; k at or above the mode.
double hypergeometric_upper_tail(double k, double drawn, double successes, double failures) {
  double term = std::exp(log_choose(successes, k) + log_choose(failures, drawn - k) -
                         log_choose(successes + failures, drawn));
  double sum = 0.0;
  for (double x = k; term > 1e-17 * sum; x += 1.0) {
    sum += term;
    term *= (successes - x) * (drawn - x) / ((x + 1.0) * (failures - drawn + x + 1.0));
  }
  return sum;
}

double total(std::span<const std::uint64_t> counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
}

template <class Number>
std::vector<double> grouped(std::span<const Number> cells, const std::vector<std::size_t>& group,
                            std::size_t groups) {
  std::vector<double> sums(groups, 0.0);
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    sums[group[cell]] += static_cast<double>(cells[cell]);
  }
  return sums;
}

std::size_t count_of(const std::vector<std::size_t>& group) {
  return group.empty() ? 0 : *std::max_element(group.begin(), group.end()) + 1;
}

double deviance(double observed, double expected) {
  return observed > 0.0 ? 2.0 * observed * std::log(observed / expected) : 0.0;
}

GTest finished(double statistic, double correction, double degrees) {
  const double corrected = std::max(statistic, 0.0) / correction;
  return {corrected, degrees, chi_square_tail(corrected, degrees)};
}

/// Clopper-Pearson intervals of shares; each count is worked out once, as most cells are empty.
class CellIntervals {
 public:
  CellIntervals(std::uint64_t trials, double confidence)
      : trials_(trials), confidence_(confidence) {}
  Interval around(double share) {
    if (trials_ == 0) return {share, share};
    const auto count =
        static_cast<std::uint64_t>(std::llround(share * static_cast<double>(trials_)));
    const auto known = known_.find(count);
    if (known != known_.end()) return known->second;
    return known_.emplace(count, clopper_pearson(count, trials_, confidence_)).first->second;
  }

 private:
  std::uint64_t trials_;
  double confidence_;
  std::unordered_map<std::uint64_t, Interval> known_;
};

}  // namespace

double binomial_p_value(std::uint64_t successes, std::uint64_t trials, Interval probability) {
  require_trials(successes, trials);
  const auto hits = static_cast<double>(successes);
  const auto misses = static_cast<double>(trials - successes);
  const double low = std::clamp(probability.lower, 0.0, 1.0);
  const double high = std::clamp(probability.upper, 0.0, 1.0);
  const double above = successes == 0 ? 1.0 : boost::math::ibeta(hits, misses + 1.0, high);
  const double below = successes == trials ? 1.0 : boost::math::ibetac(hits + 1.0, misses, low);
  return std::min(1.0, 2.0 * std::min(above, below));
}

double fisher_p_value(std::uint64_t successes_a, std::uint64_t trials_a, std::uint64_t successes_b,
                      std::uint64_t trials_b) {
  require_trials(successes_a, trials_a);
  require_trials(successes_b, trials_b);
  const auto hits = static_cast<double>(successes_a);
  const auto drawn = static_cast<double>(trials_a);
  const auto successes = static_cast<double>(successes_a) + static_cast<double>(successes_b);
  const double failures = drawn + static_cast<double>(trials_b) - successes;
  const double mode = std::floor((drawn + 1.0) * (successes + 1.0) / (successes + failures + 2.0));
  // Below the mode, count the failures instead: their upper tail is the lower tail of the
  // successes.
  const double tail = hits >= mode
                          ? hypergeometric_upper_tail(hits, drawn, successes, failures)
                          : hypergeometric_upper_tail(drawn - hits, drawn, failures, successes);
  return std::min(1.0, 2.0 * tail);
}

double pooled_p_value(double sum, double count, Interval mean) {
  const double expected = std::clamp(sum, mean.lower, mean.upper);
  if (sum == expected) return 1.0;
  if (expected <= 0.0 || expected >= count) return 0.0;
  const double divergence =
      0.5 * (deviance(sum, expected) + deviance(count - sum, count - expected));
  return std::min(1.0, 2.0 * std::exp(-divergence));
}

double student_p_value(double statistic, double degrees) {
  if (std::isinf(statistic)) return 0.0;
  return std::min(1.0, 2.0 * boost::math::cdf(boost::math::complement(
                                 boost::math::students_t(degrees), std::abs(statistic))));
}

std::vector<std::size_t> pooled_cells(std::span<const double> expectation, double smallest) {
  std::vector<std::size_t> group(expectation.size(), 0);
  double pooled = 0.0;
  std::size_t least = expectation.size();  // of the cells that stand alone
  std::vector<bool> alone(expectation.size());
  for (std::size_t cell = 0; cell < expectation.size(); ++cell) {
    alone[cell] = expectation[cell] >= smallest;
    if (!alone[cell]) {
      pooled += expectation[cell];
    } else if (least == expectation.size() || expectation[cell] < expectation[least]) {
      least = cell;
    }
  }
  const bool any_pooled = std::find(alone.begin(), alone.end(), false) != alone.end();
  if (any_pooled && pooled < smallest && least < expectation.size()) alone[least] = false;
  std::size_t next = any_pooled ? 1 : 0;
  for (std::size_t cell = 0; cell < expectation.size(); ++cell) {
    if (alone[cell]) group[cell] = next++;
  }
  return group;
}

GTest goodness_of_fit(std::span<const std::uint64_t> counts, std::span<const double> probability,
                      double smallest_expectation) {
  if (counts.size() != probability.size()) throw std::invalid_argument("cells don't go together");
  const double trials = total(counts);
  std::vector<double> expectation(probability.begin(), probability.end());
  for (double& value : expectation) value *= trials;
  const std::vector<std::size_t> group = pooled_cells(expectation, smallest_expectation);
  const std::size_t groups = count_of(group);
  if (groups < 2) return {};
  const std::vector<double> observed = grouped(counts, group, groups);
  const std::vector<double> expected = grouped(std::span<const double>(expectation), group, groups);
  double statistic = 0.0;
  double inverse = 0.0;
  for (std::size_t i = 0; i < groups; ++i) {
    statistic += deviance(observed[i], expected[i]);
    inverse += trials / expected[i];
  }
  const auto degrees = static_cast<double>(groups - 1);
  return finished(statistic, 1.0 + (inverse - 1.0) / (6.0 * trials * degrees), degrees);
}

GTest homogeneity(std::span<const std::uint64_t> counts_a, std::span<const std::uint64_t> counts_b,
                  double smallest_expectation) {
  if (counts_a.size() != counts_b.size()) throw std::invalid_argument("cells don't go together");
  const double trials_a = total(counts_a);
  const double trials_b = total(counts_b);
  const double trials = trials_a + trials_b;
  if (trials_a == 0.0 || trials_b == 0.0) return {};
  std::vector<double> expectation;
  for (std::size_t cell = 0; cell < counts_a.size(); ++cell) {
    const double both = static_cast<double>(counts_a[cell]) + static_cast<double>(counts_b[cell]);
    expectation.push_back(both * std::min(trials_a, trials_b) / trials);
  }
  const std::vector<std::size_t> group = pooled_cells(expectation, smallest_expectation);
  const std::size_t groups = count_of(group);
  if (groups < 2) return {};
  const std::vector<double> a = grouped(counts_a, group, groups);
  const std::vector<double> b = grouped(counts_b, group, groups);
  double statistic = 0.0;
  double inverse = 0.0;
  for (std::size_t i = 0; i < groups; ++i) {
    const double both = a[i] + b[i];
    statistic +=
        deviance(a[i], both * trials_a / trials) + deviance(b[i], both * trials_b / trials);
    inverse += trials / both;
  }
  const auto degrees = static_cast<double>(groups - 1);
  const double inverse_trials = trials / trials_a + trials / trials_b;
  return finished(statistic,
                  1.0 + (inverse_trials - 1.0) * (inverse - 1.0) / (6.0 * trials * degrees),
                  degrees);
}

std::vector<double> holm(std::span<const double> p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0.0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    const auto left = static_cast<double>(order.size() - rank);
    largest = std::max(largest, std::min(1.0, left * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

double total_variation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw std::invalid_argument("cells don't go together");
  double sum = 0.0;
  for (std::size_t cell = 0; cell < a.size(); ++cell) sum += std::abs(a[cell] - b[cell]);
  return std::min(1.0, 0.5 * sum);
}

Interval total_variation_interval(std::span<const double> a, std::uint64_t trials_a,
                                  std::span<const double> b, std::uint64_t trials_b,
                                  double confidence) {
  const double seen = total_variation(a, b);
  const auto inverse = [](std::uint64_t trials) {
    return trials == 0 ? 0.0 : 1.0 / static_cast<double>(trials);
  };
  const double statement = (1.0 - confidence) / 3.0;  // what may go wrong in one of the three
  const double deviation =
      std::sqrt(-0.5 * std::log(statement) * (inverse(trials_a) + inverse(trials_b)));
  const double others = static_cast<double>(a.size()) - 1.0;
  const double excess =
      0.5 * (std::sqrt(others * inverse(trials_a)) + std::sqrt(others * inverse(trials_b)));
  const double samples = (trials_a > 0 ? 1.0 : 0.0) + (trials_b > 0 ? 1.0 : 0.0);
  const double cell = statement / std::max(1.0, samples * static_cast<double>(a.size()));
  CellIntervals of_a(trials_a, 1.0 - cell);
  CellIntervals of_b(trials_b, 1.0 - cell);
  double widest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const Interval in_a = of_a.around(a[i]);
    const Interval in_b = of_b.around(b[i]);
    widest += 0.5 * std::max(in_b.upper - in_a.lower, in_a.upper - in_b.lower);
  }
  return {std::max(0.0, seen - excess - deviation), std::min({1.0, seen + deviation, widest})};
}

Interval difference_interval(Interval a, Interval b) {
  return {b.lower - a.upper, b.upper - a.lower};
}

}  // namespace cimstat::core
