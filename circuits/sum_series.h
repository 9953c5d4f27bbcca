#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace cimstat::circuits {

/// The rotation that steps through the frequencies is computed afresh after this many steps.
inline constexpr std::size_t steps_between_fresh_starts = 32;

/// The distribution of one sum, as a sine series about its mean.
struct SumSeries {
  double mean = 0.0;
  double low = 0.0;               ///< beyond mean + low and mean + high lies less than `error`
  double high = 0.0;              ///< low == high == 0: an atom at the mean
  double step = 0.0;              ///< h
  std::vector<double> real;       ///< Re phi(u_k) / (pi (k + 1/2)), phi of S - mean
  std::vector<double> imaginary;  ///< Im ...
  double error = 0.0;             ///< bound on the absolute error of below(x)

  /// P(S < x) for each x.
  std::vector<double> below(std::span<const double> x) const;
  double below(double x) const;  ///< the same, bit for bit
  double density(double x) const;
};

}  // namespace cimstat::circuits
