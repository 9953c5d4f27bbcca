#include "tests/circuits/rare/tail_oracle.h"

#include <cmath>
#include <numbers>

#include "tests/support/sum_oracle.h"

namespace cimstat::tests {

double expectation_over_sum(const std::vector<OracleCells>& cells, const OracleGrid& grid,
                            const Function& failure) {
  std::vector<Function> tilted;
  std::vector<std::uint32_t> counts;
  for (const OracleCells& part : cells) {
    tilted.push_back([&grid, density = part.density](long double x) {
      return x > grid.cut ? 0.0L : density(x) * std::exp(grid.tilt * x);
    });
    counts.push_back(part.count);
  }
  const SumOracle oracle(tilted, grid.step, grid.log2_points);
  const std::vector<long double> density = oracle.density(counts);
  long double sum = 0.0L;
  for (std::size_t j = 0; j < density.size(); ++j) {
    const long double s = grid.step * static_cast<long double>(j);
    sum += grid.step * density[j] * std::exp(-grid.tilt * s) * failure(s);
  }
  return static_cast<double>(sum);
}

Function normal_density_of(double mean, double sd) { return normal_density(mean, sd); }
Function lognormal_density_of(double median, double sigma) {
  return lognormal_density(median, sigma);
}

Function normal_tail_of(double sd) {
  return
      [=](long double x) { return std::erfc(x / (sd * std::numbers::sqrt2_v<long double>)) / 2; };
}

Function logistic_tail_of(double sd) {
  const long double scale = sd * std::sqrt(3.0L) / std::numbers::pi_v<long double>;
  return [=](long double x) { return 1 / (1 + std::exp(x / scale)); };
}

}  // namespace cimstat::tests
