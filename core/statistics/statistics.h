#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// Pure functions of counts and samples.
namespace cimstat::core {

struct Interval {
  double lower = 0.0;
  double upper = 1.0;
};

/// Clopper-Pearson: Beta(a/2; k, n-k+1) .. Beta(1-a/2; k+1, n-k). Never covers less than promised:
/// the interval for claims. n = 0 gives [0, 1].
Interval clopper_pearson(std::uint64_t successes, std::uint64_t trials, double confidence);

/// Jeffreys: quantiles of Beta(k + 1/2, n - k + 1/2), the ends fixed at 0 and 1 where k = 0 or n.
/// The interval for display.
Interval jeffreys(std::uint64_t successes, std::uint64_t trials, double confidence);

/// Wilson (1927): centre (p + z^2/2n) / (1 + z^2/n), half width
/// z / (1 + z^2/n) sqrt(p (1 - p) / n + z^2 / 4n^2).
Interval wilson(std::uint64_t successes, std::uint64_t trials, double confidence);

/// The z with P(|N(0,1)| <= z) = confidence, 0 < confidence < 1.
double normal_z(double confidence);

/// Student's t: the t with P(|T| <= t) = confidence at `degrees` degrees of freedom.
double student_t(double confidence, double degrees);

/// P(chi^2 with `degrees` degrees of freedom > statistic).
double chi_square_tail(double statistic, double degrees);

/// Mean and variance by Welford's update; merging with += follows Chan et al. (1983). Fold in a
/// fixed order where bytes matter.
class Moments {
 public:
  void add(double value);
  Moments& operator+=(const Moments& other);
  std::uint64_t count() const { return count_; }
  double mean() const { return mean_; }
  double variance() const;        ///< unbiased; 0 for fewer than two values
  double standard_error() const;  ///< of the mean
 private:
  std::uint64_t count_ = 0;
  double mean_ = 0.0;
  double sum_of_squares_ = 0.0;
};

/// Equal bins on [low, high); what falls outside is counted in `below` and `above`.
struct Histogram {
  double low = 0.0;
  double high = 1.0;
  std::uint64_t below = 0;
  std::uint64_t above = 0;
  std::vector<std::uint64_t> bins;

  void add(double value);
  Histogram& operator+=(const Histogram& other);  ///< ranges and bin counts must agree
};

/// The quantile by linear interpolation between order statistics (Hyndman and Fan's type 7).
/// `sorted` is ascending and not empty; 0 <= probability <= 1.
double sample_quantile(std::span<const double> sorted, double probability);

}  // namespace cimstat::core
