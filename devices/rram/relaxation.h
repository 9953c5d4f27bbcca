#pragma once

#include <functional>
#include <span>
#include <vector>

/// Conductances that wander after programming. One device's change is a Wiener process in a clock
/// of its own (the logarithm of time), so that errors at two times of one array are related:
/// G(t2) - G(t1) is independent of the past, and cov(G(t1), G(t2)) is the variance at the earlier
/// time.
namespace cimstat::devices {

/// Variance initial_sd^2 + sd_per_fold^2 ln(1 + t / time), mean shift -loss_per_fold ln(1 + t /
/// time): fast in the first second, then with the logarithm.
struct LogTimeRelaxation {
  double initial_sd = 0.0;     ///< s0: left by programming [S]
  double sd_per_fold = 0.0;    ///< s1 [S]
  double loss_per_fold = 0.0;  ///< m1 [S]
  double time = 1.0;           ///< t1 [s]

  double shift(double t) const;                   ///< of the mean [S]
  double variance(double t) const;                ///< [S^2]
  double covariance(double t1, double t2) const;  ///< of one device at two times [S^2]
};

/// Conductances of one device at ascending times, from as many standard normal draws: the mean at
/// each time, plus increments whose variances add up to `variance`, which must not fall.
std::vector<double> relaxation_path(const std::function<double(double)>& mean,
                                    const std::function<double(double)>& variance,
                                    std::span<const double> times, std::span<const double> normals);

}  // namespace cimstat::devices
