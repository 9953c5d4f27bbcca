#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/statistics/statistics.h"

/// Do counts come from given probabilities, or two sets of counts from the same ones? Pure
/// functions of counts. Their p-values hold for one test each; `holm` makes them hold for a family.
namespace cimstat::core {

/// Exact binomial test of k = `successes` of n = `trials` against a probability that is known to
/// lie in `probability` (a point where its ends agree): twice the smaller of P(X >= k) at the upper
/// end and P(X <= k) at the lower end, at most 1. Never rejects more often than promised.
double binomial_p_value(std::uint64_t successes, std::uint64_t trials, Interval probability);

/// Fisher's exact test that two samples have one share of successes: twice the tail of the
/// hypergeometric distribution on the side of its mode that successes_a lies on, at most 1.
double fisher_p_value(std::uint64_t successes_a, std::uint64_t trials_a, std::uint64_t successes_b,
                      std::uint64_t trials_b);

/// A sum of `count` independent variables of the values 0 and 1, whatever their probabilities, came
/// out as `sum`; its mean is known to lie in `mean`. Twice the bound of Hoeffding (J. Amer.
/// Statist. Assoc. 58, 1963, theorem 1) on the tail that it lies in, at most 1: rejects less often
/// than promised, by about one decade, and never more often. Hypergeometric counts are such sums
/// too (Vatutin and Mikhailov, Theory Probab. Appl. 27, 1982, 734).
double pooled_p_value(double sum, double count, Interval mean);

/// P(|T| >= |statistic|), T of Student's distribution with `degrees` degrees of freedom.
double student_p_value(double statistic, double degrees);

/// A likelihood ratio test against the chi-square distribution.
struct GTest {
  double statistic = 0.0;  ///< G divided by Williams's correction (Biometrika 63, 1976, 33)
  double degrees = 0.0;    ///< groups - 1; 0 where everything fell into one group: no test
  double p_value = 1.0;
};

/// The groups that cells are counted in: each cell whose expectation is `smallest` or more is one;
/// all others together are one, to which the smallest of the former is added where the sum is below
/// `smallest`. [cell] -> group, numbered from 0.
std::vector<std::size_t> pooled_cells(std::span<const double> expectation, double smallest);

/// Do `counts` come from `probability`? G = 2 sum O ln(O / E) over pooled cells.
GTest goodness_of_fit(std::span<const std::uint64_t> counts, std::span<const double> probability,
                      double smallest_expectation);

/// Do both come from the same probabilities? G of the 2 x cells table; a cell's expectation, by
/// which it is pooled, is that of the smaller sample.
GTest homogeneity(std::span<const std::uint64_t> counts_a, std::span<const std::uint64_t> counts_b,
                  double smallest_expectation);

/// Holm's step-down adjustment (Scand. J. Statist. 6, 1979, 65): rejecting where the adjusted value
/// is at most the level keeps the chance of any false rejection at most the level, however the
/// tests depend on each other. In the order given.
std::vector<double> holm(std::span<const double> p_values);

/// Half the sum of absolute differences: the largest difference in the probability of any event.
/// Equal lengths.
double total_variation(std::span<const double> a, std::span<const double> b);

/// Interval of the total variation between the laws behind `a` and `b`, whatever they are, from
/// that of the shares seen; trials 0 means that the law itself is given. Three statements share
/// what may go wrong. McDiarmid's inequality bounds the deviation from the mean, on either side, by
/// t = sqrt(ln(3 / (1 - confidence)) (1/n_a + 1/n_b) / 2); the mean is too large, by at most
/// sqrt((cells - 1) / n) / 2 for each sample (Jensen, Cauchy-Schwarz). Half the sum of the largest
/// differences within the Clopper-Pearson intervals of all cells is the third, and the better upper
/// end where most cells are rare.
Interval total_variation_interval(std::span<const double> a, std::uint64_t trials_a,
                                  std::span<const double> b, std::uint64_t trials_b,
                                  double confidence);

/// Interval of the difference of two probabilities b - a from the intervals of each, which must
/// hold at (1 + confidence) / 2 where both are random.
Interval difference_interval(Interval a, Interval b);

}  // namespace cimstat::core
