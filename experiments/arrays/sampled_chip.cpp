#include "experiments/arrays/sampled_chip.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <variant>

#include <fmt/format.h>

#include "core/error.h"
#include "core/law/law.h"
#include "core/statistics/order_statistics.h"
#include "core/statistics/statistics_comparison.h"

#include "circuits/arrays/programmed_array.h"

namespace cimstat::experiments {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
/// Cells are counted between quantiles of their law at multiples of this.
constexpr double bin = 0.05;
constexpr double smallest_expectation = 10.0;
/// Ends of bins lie so much above a quantile, relative to it: a value that many cells share, such
/// as that of stuck ones, is a float and may be rounded up.
constexpr double beside = 1e-6;
/// Of the law's sd: nearer to 0 a cell of a clamped law is at 0, but for the rounding of the
/// quantiles.
constexpr double resolution = 1e-9;

double without_rounding(double value, double sd) {
  return std::abs(value) < resolution * sd ? 0.0 : value;
}

void compare_quantiles(const std::vector<double>& sorted, const core::Law& law, double confidence,
                       LevelSummary& summary) {
  for (std::size_t i = 0; i < chip_quantiles.size(); ++i) {
    const double level = chip_quantiles[i];
    const core::Tail side = level < 0.5 ? core::Tail::lower : core::Tail::upper;
    const double sd = law.sd();
    const core::Interval interval =
        core::quantile_interval(sorted, level, confidence, {-infinity, infinity});
    summary.quantiles[i] = {
        without_rounding(law.quantile(side, side == core::Tail::lower ? level : 1.0 - level), sd),
        without_rounding(core::sample_quantile(sorted, level), sd),
        {without_rounding(interval.lower, sd), without_rounding(interval.upper, sd)}};
  }
}

double p_value_of(const std::vector<double>& sorted, const core::Law& law) {
  std::vector<std::uint64_t> counts;
  std::vector<double> probabilities;
  auto from = sorted.begin();
  double below = 0.0;
  double before = -infinity;
  for (double p = bin; p < 1.0 - 0.5 * bin; p += bin) {
    const double quantile = law.quantile(core::Tail::lower, p);
    const double end = quantile + beside * std::abs(quantile) + resolution * law.sd();
    if (!(end > before)) continue;
    before = end;
    const auto to = std::upper_bound(from, sorted.end(), end);
    const double probability = law.tail_probability(core::Tail::lower, end);
    counts.push_back(static_cast<std::uint64_t>(to - from));
    probabilities.push_back(probability - below);
    below = probability;
    from = to;
  }
  counts.push_back(static_cast<std::uint64_t>(sorted.end() - from));
  probabilities.push_back(1.0 - below);
  return core::goodness_of_fit(counts, probabilities, smallest_expectation).p_value;
}

}  // namespace

std::vector<std::uint8_t> levels_in_turn(circuits::ArrayShape shape, std::uint32_t levels) {
  if (shape.cells() > chip_cell_limit) {
    throw core::UsageError(core::error_line(
        "--columns",
        fmt::format("{} rows of {} columns are too many cells", shape.rows, shape.columns),
        fmt::format("at most {}", chip_cell_limit), "take fewer columns"));
  }
  std::vector<std::uint8_t> of_cells;
  of_cells.reserve(shape.cells());
  for (std::uint32_t row = 0; row < shape.rows; ++row) {
    for (std::uint32_t column = 0; column < shape.columns; ++column) {
      of_cells.push_back(static_cast<std::uint8_t>((row + column) % levels));
    }
  }
  return of_cells;
}

SampledChip sample_chip(const devices::AnyCell& cell, circuits::ArrayShape shape,
                        std::uint64_t chip, double factor, core::StreamKey key, double confidence,
                        core::Threads threads) {
  const std::uint32_t levels = devices::levels(cell);
  SampledChip result{.shape = shape, .chip = chip, .levels = levels_in_turn(shape, levels)};
  if (std::holds_alternative<devices::UnitCapacitor>(cell)) {
    result.quantity = core::Quantity::capacitance;
  }
  std::vector<core::Law> laws;
  for (std::uint32_t level = 0; level < levels; ++level) {
    laws.push_back(devices::programmed(cell, level).scaled(factor));
  }
  const circuits::LevelTables tables(laws, threads);
  circuits::ArrayPlane plane;
  program(tables, {shape, result.levels}, {.key = key, .chip = chip}, threads, plane);
  result.values = plane.row_major();

  std::vector<double> p_values;
  for (std::uint32_t level = 0; level < levels; ++level) {
    std::vector<double> sorted;
    for (std::size_t i = 0; i < result.levels.size(); ++i) {
      if (result.levels[i] == level) sorted.push_back(static_cast<double>(result.values[i]));
    }
    LevelSummary summary{.target = factor * devices::target(cell, level), .cells = sorted.size()};
    if (!sorted.empty()) {
      std::sort(sorted.begin(), sorted.end());
      summary.moments = compare_moments(sorted, laws[level].mean(), laws[level].sd(), confidence);
      compare_quantiles(sorted, laws[level], confidence, summary);
      summary.p_value = p_value_of(sorted, laws[level]);
    }
    p_values.push_back(summary.p_value);
    result.summaries.push_back(summary);
  }
  const std::vector<double> adjusted = core::holm(p_values);
  for (std::size_t i = 0; i < adjusted.size(); ++i) result.summaries[i].p_value = adjusted[i];
  return result;
}

}  // namespace cimstat::experiments
