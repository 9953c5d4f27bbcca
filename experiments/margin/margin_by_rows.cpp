#include "experiments/margin/margin_by_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/sensed_reading.h"
#include "circuits/exact/exact_column.h"
#include "circuits/weights/row_classes.h"

#include "experiments/margin/margin.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using circuits::ColumnDesign;
using core::Tail;

constexpr LeastMargin unknown{std::numeric_limits<double>::quiet_NaN()};

void take_lesser(LeastMargin& least, double value, std::int64_t level, std::int64_t next) {
  if (!(least.value <= value)) least = {value, level, next};
}

/// Means and standard deviations of the sensed currents of one n, k = 0 .. n.
struct Moments {
  std::vector<double> mean, sd;

  Moments(const ColumnDesign& design, std::uint32_t n) {
    for (std::uint32_t k = 0; k <= n; ++k) {
      mean.push_back(circuits::mean_reading(design, {k, n}));
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
    const auto step = [&](std::uint32_t k) {
      if (circuits::is_ideal(design.bit_line)) return design.lrs.mean() - design.hrs.mean();
      return nominal_reading(design, k + 1, n) - moments.mean[k];
    };
    const bool follows = design.ladder.follows_active_rows;
    for (std::uint32_t k = 0; k <= n; ++k) {
      const double reference = follows ? moments.mean[k] + 0.5 * step(k) : 0.0;
      most_below[k] = std::max(most_below[k], moments.mean[k] + sigmas * moments.sd[k] - reference);
      if (k == n) continue;
      least_above[k] =
          std::min(least_above[k], moments.mean[k + 1] - sigmas * moments.sd[k + 1] - reference);
    }
  }

  LeastMargin least(std::uint32_t n) const {
    LeastMargin result = unknown;
    for (std::uint32_t k = 0; k < n; ++k) {
      take_lesser(result, least_above[k] - most_below[k], k, k + std::int64_t{1});
    }
    return result;
  }
};

/// Input-aware and pattern margins of a binary column, n = 1 .. rows.
std::vector<RowsMargins> binary_margins(const ColumnDesign& design, double sigmas) {
  std::vector<RowsMargins> result;
  PatternExtremes extremes(design.rows);
  for (std::uint32_t n = 1; n <= design.rows; ++n) {
    const Moments moments(design, n);
    RowsMargins margins{n, unknown, unknown, unknown};
    for (std::uint32_t k = 0; k < n; ++k) {
      take_lesser(margins.input_aware,
                  (moments.mean[k + 1] - sigmas * moments.sd[k + 1]) -
                      (moments.mean[k] + sigmas * moments.sd[k]),
                  k, k + std::int64_t{1});
    }
    extremes.include(design, moments, n, sigmas);
    if (!std::isnan(moments.sd.back())) margins.pattern = extremes.least(n);
    result.push_back(margins);
  }
  return result;
}

std::vector<ColumnClass> typical_classes(const ColumnDesign& design,
                                         std::span<const std::uint32_t> active_rows) {
  return circuits::classes_of(design, active_rows, circuits::Compositions::typical);
}

/// The same where rows have more than two states.
std::vector<RowsMargins> state_margins(const ColumnDesign& design, double sigmas) {
  const std::uint32_t most = std::min(design.rows, circuits::typical_row_limit);
  std::vector<std::uint32_t> numbers(most);
  std::iota(numbers.begin(), numbers.end(), 1U);
  std::vector<RowsMargins> result;
  for (const std::uint32_t n : numbers) result.push_back({n, unknown, unknown, unknown});
  StatePatterns patterns(design, most, sigmas);
  const std::vector<ColumnClass> classes = typical_classes(design, numbers);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::uint32_t n = classes[i].active_rows;
    if (i == 0 || classes[i - 1].active_rows != n) {
      patterns.include(n);
      continue;
    }
    const auto edge = [&](const ColumnClass& one, double side) {
      return mean_reading(design, one) + side * sigmas * sensed_sd(design, one);
    };
    const std::int64_t below = mac_value(design, classes[i - 1]);
    RowsMargins& margins = result[n - 1];
    const std::int64_t above = mac_value(design, classes[i]);
    take_lesser(margins.input_aware, edge(classes[i], -1.0) - edge(classes[i - 1], 1.0), below,
                above);
    take_lesser(margins.pattern, patterns.margin(below, above), below, above);
  }
  return result;
}

/// Low and high quantile of the sensed current of each class.
std::vector<core::Interval> quantiles_of(const Experiment& experiment,
                                         std::span<const ColumnClass> classes,
                                         core::Threads threads, const core::Progress& progress) {
  const ColumnDesign& design = experiment.macro.design;
  const double tail = experiment.margin.tail_probability;
  const circuits::ExactOptions options{.tolerance = experiment.table.tolerance};
  std::vector<core::Interval> quantiles(classes.size());
  const auto find = [&](const auto& currents) {
    core::for_each_block(
        classes.size(), threads,
        [&](std::size_t i, std::size_t) {
          quantiles[i] = {currents[i].quantile(Tail::lower, tail),
                          currents[i].quantile(Tail::upper, tail)};
        },
        progress);
  };
  if (circuits::is_ideal(design.bit_line)) {
    find(circuits::sensed_currents(design, classes, options, threads));
  } else {
    find(circuits::sensed_readings(design, classes, options, threads));
  }
  return quantiles;
}

}  // namespace

std::vector<RowsMargins> margins_by_rows(const Experiment& experiment,
                                         std::span<const std::uint32_t> quantile_rows,
                                         core::Threads threads, const core::Progress& progress) {
  const ColumnDesign& design = experiment.macro.design;
  const double sigmas = experiment.margin.sigmas;
  std::vector<RowsMargins> result =
      design.row_states.empty() ? binary_margins(design, sigmas) : state_margins(design, sigmas);
  const bool is_sum = circuits::is_ideal(design.bit_line);
  if (is_sum ? circuits::current_obstacle(design) : circuits::reading_obstacle(design)) {
    return result;
  }
  std::vector<std::uint32_t> numbers;
  for (const std::uint32_t n : quantile_rows) {
    if (n <= result.size()) numbers.push_back(n);
  }
  const std::vector<ColumnClass> classes = typical_classes(design, numbers);
  const std::vector<core::Interval> quantiles =
      quantiles_of(experiment, classes, threads, progress);
  for (std::size_t i = 1; i < classes.size(); ++i) {
    const std::uint32_t n = classes[i].active_rows;
    if (classes[i - 1].active_rows != n) continue;
    take_lesser(result[n - 1].quantile, quantiles[i].lower - quantiles[i - 1].upper,
                mac_value(design, classes[i - 1]), mac_value(design, classes[i]));
  }
  return result;
}

}  // namespace cimstat::experiments
