#pragma once

#include <cstddef>
#include <vector>

#include "circuits/converters/code_response.h"
#include "circuits/exact/sum_series.h"

namespace cimstat::circuits {

/// The expectations of P(code | current) over currents that are given as sine series.
///
/// G_j(x) = P(code >= j | x) rises from 0 to 1 by its own smooth steps. On a grid of spacing d, the
/// differences of G_j, transformed at the frequencies of a series, are the series' weights of
/// E[G_j]; with the factor u d / 2 / sin(u d / 2) the result is exact for the trigonometric
/// interpolant of G_j. What the interpolant misses lies above the frequencies where a normal of
/// variance sd^2 / draws (CodeResponse) ends: a bound that needs no smoothness of the current.
class CodeWaves {
 public:
  /// For series of this step and of at most `terms` terms, cut off with `smoothing_variance`, which
  /// is sd^2 / draws or less. `share`: of the error, for each approximation. Refers to `response`.
  CodeWaves(const CodeResponse& response, double smoothing_variance, double step, std::size_t terms,
            double share);

  /// P(code) for the currents of the series, codes 0 .. references; `row` has room for them.
  /// Returns a bound on the absolute error of each, that of the series included.
  double fill(const SumSeries& series, double* row) const;

 private:
  void add_transforms();
  double error(std::size_t terms) const;
  void add_wave(std::size_t reference, double rise, const std::vector<double>& cosine,
                const std::vector<double>& sine);

  const CodeResponse& response_;
  double variance_;  ///< of the normal that smooths every G_j [A^2]
  double step_;
  std::size_t terms_;
  double origin_;  ///< [A], where the waves have phase 0
  double share_;
  std::size_t points_ = 0;          ///< of the grid in half a period
  std::size_t window_ = 0;          ///< points over which one G_j rises
  std::vector<double> correction_;  ///< [k]
  std::vector<double> real_;        ///< [reference][k]
  std::vector<double> imaginary_;
};

}  // namespace cimstat::circuits
