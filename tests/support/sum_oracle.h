#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

/// Distributions of sums of independent cells in extended precision, for checking the exact engine:
/// sampled densities convolved by FFT, noise integrated in the current itself. Shares no code and,
/// but for the convolution, no transform with what it checks.
namespace cimstat::tests {

class SumOracle {
 public:
  using Function = std::function<long double(long double)>;
  /// Densities are sampled at j * step, j = 0 .. 2^log2_points - 1; what lies outside must be
  /// negligible, for the sums too.
  SumOracle(const std::vector<Function>& densities, long double step, unsigned log2_points);

  /// Density of the sum of counts[i] cells of density i, at j * step.
  std::vector<long double> density(std::span<const std::uint32_t> counts) const;
  /// P(S + N < t) for each t, where `noise` is the distribution function of N and
  /// noise(-reach), 1 - noise(reach) are negligible.
  std::vector<long double> below(std::span<const std::uint32_t> counts,
                                 std::span<const double> thresholds, const Function& noise,
                                 long double reach) const;

 private:
  long double step_;
  std::vector<std::vector<std::complex<long double>>> spectra_;
};

SumOracle::Function normal_density(double mean, double sd);
SumOracle::Function lognormal_density(double median, double sigma);
SumOracle::Function logistic_cdf(double sd);
SumOracle::Function normal_cdf(double sd);

}  // namespace cimstat::tests
