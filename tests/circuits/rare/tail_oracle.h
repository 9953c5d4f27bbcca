#pragma once

#include <cstdint>
#include <functional>
#include <vector>

/// Tails of sums of independent cells with their relative accuracy, for checking rare-event
/// samplers: densities are tilted by exp(tilt x), convolved by FFT in long double, and tilted back.
namespace cimstat::tests {

using Function = std::function<long double(long double)>;

struct OracleCells {
  Function density;  ///< on x >= 0
  std::uint32_t count = 0;
};

struct OracleGrid {
  long double step = 0.01L;
  unsigned log2_points = 15;
  long double tilt = 0.0L;  ///< > 0 for upper tails
  /// Cells are cut off here: what lies beyond must carry nothing, and sums must fit the grid.
  long double cut = 1e9L;
};

/// E failure(S), S the sum of the cells.
double expectation_over_sum(const std::vector<OracleCells>& cells, const OracleGrid& grid,
                            const Function& failure);

Function normal_density_of(double mean, double sd);
Function lognormal_density_of(double median, double sigma);
/// P(noise > x).
Function normal_tail_of(double sd);
Function logistic_tail_of(double sd);

}  // namespace cimstat::tests
