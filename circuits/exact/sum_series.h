#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "circuits/exact/closed_part.h"

namespace cimstat::circuits {

/// The rotation that steps through the frequencies is computed afresh after this many steps.
inline constexpr std::size_t steps_between_fresh_starts = 32;

/// The distribution of one sum, as a sine series about its mean; where that would converge too
/// slowly, the series of some of its cases, and the others in closed form.
struct SumSeries {
  double mean = 0.0;
  double low = 0.0;               ///< beyond mean + low and mean + high lies less than `error`
  double high = 0.0;              ///< low == high: an atom at the mean
  double rounding = 0.0;          ///< atoms closer than this to a number count as equal to it
  double mass = 1.0;              ///< of the cases that the series is about
  double step = 0.0;              ///< h
  std::vector<double> real;       ///< Re phi(u_k) / (pi (k + 1/2)), phi of S - mean
  std::vector<double> imaginary;  ///< Im ...
  std::shared_ptr<const ClosedPart> closed;  ///< the others
  double error = 0.0;                        ///< bound on the absolute error of below(x)

  /// P(S < x) for each x.
  std::vector<double> below(std::span<const double> x) const;
  double below(double x) const;        ///< the same, bit for bit
  double at_or_below(double x) const;  ///< P(S <= x): differs from below(x) at an atom
  double density(double x) const;      ///< of what has one: atoms are left out
  /// P(code), parted by ascending references: one entry more than references, none negative.
  void fill_codes(std::span<const double> references, double* row) const;
};

}  // namespace cimstat::circuits
