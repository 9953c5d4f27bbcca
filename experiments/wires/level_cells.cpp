#include "experiments/wires/level_cells.h"

#include <cstddef>

namespace cimstat::experiments {

namespace {

constexpr double least_probability = 0x1p-33;  ///< that a quantile table gives
constexpr std::size_t intervals = 1024;

}  // namespace

double mean_above_zero(const core::Law& law) {
  const auto below = [&](double value) { return law.tail_probability(core::Tail::lower, value); };
  if (below(0.0) <= least_probability) return law.mean();
  const double lowest = law.quantile(core::Tail::lower, least_probability);
  if (lowest >= 0.0) return law.mean();
  const double step = -lowest / intervals;
  double sum = below(lowest) + below(0.0);
  for (std::size_t i = 1; i < intervals; ++i) {
    sum += (i % 2 == 0 ? 2.0 : 4.0) * below(lowest + static_cast<double>(i) * step);
  }
  return law.mean() + sum * step / 3.0;
}

LevelCells level_cells(const core::Law& law) {
  const double mean = law.mean();
  const double unit = mean > 0.0 ? mean : 1.0;
  return {.table = core::QuantileTable(law, unit),
          .unit = unit,
          .law_mean = mean,
          .mean = mean_above_zero(law)};
}

}  // namespace cimstat::experiments
