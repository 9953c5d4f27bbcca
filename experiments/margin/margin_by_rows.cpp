#include "experiments/margin/margin_by_rows.h"

#include <algorithm>
#include <limits>

#include "circuits/exact/exact_column.h"

#include "experiments/margin/margin.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnDesign;
using core::Tail;

constexpr LeastMargin unknown{std::numeric_limits<double>::quiet_NaN(), 0};

void take_lesser(LeastMargin& least, double value, std::uint32_t level) {
  if (!(least.value <= value)) least = {value, level};
}

/// Means and standard deviations of the sensed currents of one n, k = 0 .. n.
struct Moments {
  std::vector<double> mean, sd;

  Moments(const ColumnDesign& design, std::uint32_t n) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      mean.push_back(circuits::mean_current(design, {k, n}));
      sd.push_back(sensed_sd(design, {k, n}));
    }
  }
};

/// The extremes of each level over all n so far, as pattern_margin has them.
struct PatternExtremes {
  std::vector<double> least_above, most_below;

  explicit PatternExtremes(std::uint32_t rows)
      : least_above(rows, std::numeric_limits<double>::infinity()),
        most_below(rows + 1, -std::numeric_limits<double>::infinity()) {}

  void include(const ColumnDesign& design, const Moments& moments, std::uint32_t n, double sigmas) {
    const double step = design.lrs.mean() - design.hrs.mean();
    const bool follows = design.ladder.follows_active_rows;
    for (std::uint32_t k = 0; k <= n; ++k) {
      const double reference = follows ? moments.mean[k] + 0.5 * step : 0.0;
      most_below[k] = std::max(most_below[k], moments.mean[k] + sigmas * moments.sd[k] - reference);
      if (k == n) continue;
      least_above[k] =
          std::min(least_above[k], moments.mean[k + 1] - sigmas * moments.sd[k + 1] - reference);
    }
  }

  LeastMargin least(std::uint32_t n) const {
    LeastMargin result = unknown;
    for (std::uint32_t k = 0; k < n; ++k) take_lesser(result, least_above[k] - most_below[k], k);
    return result;
  }
};

}  // namespace

std::vector<RowsMargins> margins_by_rows(const Experiment& experiment,
                                         std::span<const std::uint32_t> quantile_rows,
                                         core::Threads threads, const core::Progress& progress) {
  require_summed_currents(experiment);
  const ColumnDesign& design = experiment.macro.design;
  const double sigmas = experiment.margin.sigmas;
  std::vector<RowsMargins> result;
  PatternExtremes extremes(design.rows);
  for (std::uint32_t n = 1; n <= design.rows; ++n) {
    const Moments moments(design, n);
    RowsMargins margins{n, unknown, unknown, unknown};
    for (std::uint32_t k = 0; k < n; ++k) {
      take_lesser(margins.input_aware,
                  (moments.mean[k + 1] - sigmas * moments.sd[k + 1]) -
                      (moments.mean[k] + sigmas * moments.sd[k]),
                  k);
    }
    extremes.include(design, moments, n, sigmas);
    margins.pattern = extremes.least(n);
    result.push_back(margins);
  }
  if (circuits::current_obstacle(design)) return result;
  const std::vector<circuits::ColumnClass> classes = circuits::classes_for(quantile_rows);
  const std::vector<circuits::SensedCurrent> currents = circuits::sensed_currents(
      design, classes, {.tolerance = experiment.table.tolerance}, threads);
  const double tail = experiment.margin.tail_probability;
  std::vector<double> low(classes.size());
  std::vector<double> high(classes.size());
  core::for_each_block(
      classes.size(), threads,
      [&](std::size_t i, std::size_t) {
        low[i] = currents[i].quantile(Tail::lower, tail);
        high[i] = currents[i].quantile(Tail::upper, tail);
      },
      progress);
  for (std::size_t i = 1; i < classes.size(); ++i) {
    const auto [k, n, states] = classes[i];
    if (k > 0) take_lesser(result[n - 1].quantile, low[i] - high[i - 1], k - 1);
  }
  return result;
}

}  // namespace cimstat::experiments
