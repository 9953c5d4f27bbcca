#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numbers>
#include <vector>

#include "core/statistics/statistics.h"

/// Closed forms of laws of codes, and how well draws follow them.
namespace cimstat::experiments::fixtures {

/// ASiM's closed form, of a = (sum of levels) / full scale; `rows_on` is what its count-dependent
/// noise falls with.
inline std::vector<double> asim_law(double a, double rows_on, double random, double mismatch,
                                    std::uint32_t codes) {
  const auto below = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  const double last = codes - 1;
  const double sd = std::sqrt(random * random + mismatch * mismatch / (rows_on + 1.0));
  std::vector<double> law(codes);
  for (std::uint32_t c = 0; c < codes; ++c) {
    const double upper = c + 1 == codes ? 1.0 : below(((c + 0.5) / last - a) / sd);
    const double lower = c == 0 ? 0.0 : below(((c - 0.5) / last - a) / sd);
    law[c] = upper - lower;
  }
  return law;
}

/// Of the code of one column less that of another.
inline std::map<int, double> difference_law(const std::vector<double>& one,
                                            const std::vector<double>& other) {
  std::map<int, double> law;
  for (std::size_t a = 0; a < one.size(); ++a) {
    for (std::size_t b = 0; b < other.size(); ++b) {
      law[static_cast<int>(a) - static_cast<int>(b)] += one[a] * other[b];
    }
  }
  return law;
}

/// Of chi-square; what is expected fewer than 20 times is pooled.
inline double goodness_of_fit(const std::map<int, std::uint64_t>& counts,
                              const std::map<int, double>& law) {
  std::uint64_t draws = 0;
  for (const auto& [value, count] : counts) draws += count;
  double statistic = 0.0;
  int cells = 0;
  double rest = static_cast<double>(draws);
  double rest_law = 1.0;
  for (const auto& [value, probability] : law) {
    const double expected = probability * static_cast<double>(draws);
    if (expected < 20.0) continue;
    const auto found = counts.find(value);
    const double seen = found == counts.end() ? 0.0 : static_cast<double>(found->second);
    statistic += (seen - expected) * (seen - expected) / expected;
    rest -= seen;
    rest_law -= probability;
    ++cells;
  }
  const double expected = rest_law * static_cast<double>(draws);
  statistic += (rest - expected) * (rest - expected) / expected;
  return core::chi_square_tail(statistic, cells);
}

}  // namespace cimstat::experiments::fixtures
