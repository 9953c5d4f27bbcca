#include "experiments/margin/margin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

#include "circuits/bit_line/line_reading.h"
#include "circuits/bit_line/sensed_reading.h"
#include "circuits/exact/exact_column.h"

namespace cimstat::experiments {

namespace {

using circuits::ColumnClass;
using circuits::ColumnDesign;
using core::Tail;

// Grid points over the joint range of two neighbouring levels when their overlap is integrated. The
// integrand has one kink, so the error falls as the square of the spacing.
constexpr std::size_t overlap_points = 512;
// Densities are drawn between the quantiles of this tail probability.
constexpr double plotted_tail = 1e-8;
// Trials behind densities, quantiles and overlaps where the exact engine has an obstacle.
constexpr std::uint64_t sampled_trials = 1 << 18;

/// One level's distribution, exact where it can be, else the empirical one of a sample.
class LevelDistribution {
 public:
  explicit LevelDistribution(circuits::SensedCurrent exact) : current_(std::move(exact)) {}
  explicit LevelDistribution(circuits::SensedReading exact) : reading_(std::move(exact)) {}
  explicit LevelDistribution(const std::vector<float>& currents)
      : sample_(currents.begin(), currents.end()) {
    std::sort(sample_.begin(), sample_.end());
  }

  double quantile(Tail side, double probability) const {
    if (current_) return current_->quantile(side, probability);
    if (reading_) return reading_->quantile(side, probability);
    return core::sample_quantile(sample_, side == Tail::lower ? probability : 1.0 - probability);
  }

  /// Densities at the middles of even cells of [low, high].
  std::vector<double> densities(double low, double high, std::size_t cells) const {
    std::vector<double> values(cells);
    const double step = (high - low) / double(cells);
    for (std::size_t i = 0; i < cells; ++i) {
      const double left = low + double(i) * step;
      if (current_) {
        values[i] = std::max(current_->density(left + 0.5 * step), 0.0);
      } else if (reading_) {
        values[i] = std::max(reading_->density(left + 0.5 * step), 0.0);
      } else {
        const auto first = std::lower_bound(sample_.begin(), sample_.end(), left);
        const auto last = std::lower_bound(first, sample_.end(), left + step);
        values[i] = double(last - first) / (double(sample_.size()) * step);
      }
    }
    return values;
  }

  core::Normal moments() const {
    if (current_) return {current_->mean(), current_->sd()};
    if (reading_) return {reading_->mean(), reading_->sd()};
    const auto count = double(sample_.size());
    const double mean = std::accumulate(sample_.begin(), sample_.end(), 0.0) / count;
    double squares = 0.0;
    for (const double one : sample_) squares += (one - mean) * (one - mean);
    return {mean, std::sqrt(squares / count)};
  }

 private:
  std::optional<circuits::SensedCurrent> current_;
  std::optional<circuits::SensedReading> reading_;
  std::vector<double> sample_;
};

std::vector<ColumnClass> classes_of(std::span<const MarginLevel> levels) {
  std::vector<ColumnClass> classes;
  for (const MarginLevel& level : levels) classes.push_back(level.column_class);
  return classes;
}

/// Of many levels fewer trials each: all samples stand in memory.
std::uint64_t trials_for(const ColumnDesign& design, std::size_t levels) {
  constexpr std::uint64_t most_samples = 1 << 25;
  constexpr std::uint64_t least = 1 << 15;
  std::uint64_t trials = sampled_trials;
  if (design.row_states.empty()) return trials;
  while (trials > least && levels * trials > most_samples) trials /= 2;
  return trials;
}

/// Makes the distributions of the levels at one number of active rows.
class Levels {
 public:
  Levels(const Experiment& experiment, std::span<const MarginLevel> levels, core::Threads threads)
      : experiment_(experiment), levels_(levels) {
    const ColumnDesign& design = experiment.macro.design;
    const bool is_sum = circuits::is_ideal(design.bit_line);
    const std::vector<ColumnClass> classes = classes_of(levels);
    if (is_sum ? circuits::current_obstacle(design) : circuits::reading_obstacle(design)) {
      sampler_.emplace(design, classes,
                       circuits::SamplingOptions{.trials = trials_for(design, classes.size()),
                                                 .key = experiment.key(),
                                                 .stream = experiment.table.stream},
                       threads);
    } else if (!is_sum) {
      readings_ = circuits::sensed_readings(design, classes, options(), threads);
    } else if (!design.row_states.empty()) {
      currents_ = circuits::sensed_currents(design, classes, options(), threads);
    }
  }

  /// May be called from several threads at once.
  LevelDistribution operator[](std::size_t level) const {
    const ColumnClass column_class = levels_[level].column_class;
    if (sampler_) return LevelDistribution(sampler_->currents(column_class));
    if (!readings_.empty()) return LevelDistribution(readings_[level]);
    if (!currents_.empty()) return LevelDistribution(currents_[level]);
    return LevelDistribution(
        circuits::SensedCurrent(experiment_.macro.design, column_class, options()));
  }

 private:
  circuits::ExactOptions options() const { return {.tolerance = experiment_.table.tolerance}; }

  const Experiment& experiment_;
  std::span<const MarginLevel> levels_;
  std::optional<circuits::CurrentSampler> sampler_;
  std::vector<circuits::SensedReading> readings_;
  std::vector<circuits::SensedCurrent> currents_;
};

double overlap(const LevelDistribution& below, const LevelDistribution& above) {
  constexpr double tail = 1e-10;
  const double low = above.quantile(Tail::lower, tail);
  const double high = below.quantile(Tail::upper, tail);
  if (low >= high) return 0.0;  // less than the two tails left out
  const std::vector<double> first = below.densities(low, high, overlap_points);
  const std::vector<double> second = above.densities(low, high, overlap_points);
  double sum = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) sum += std::min(first[i], second[i]);
  return sum * (high - low) / double(overlap_points);
}

void add_misreads(const Experiment& experiment, const circuits::ErrorTable& table,
                  MarginResult& result) {
  for (LevelFigures& figures : result.levels) {
    const std::size_t i = table.find(figures.column_class).value();
    figures.misread = table.misread(i);
    if (table.method == circuits::TableMethod::exact) {
      figures.misread_interval = misread_bounds(table, i);
    } else {
      const std::uint64_t trials = table.trials(i);
      const std::uint64_t right = table.counts[i * table.codes + table.ideal_code[i]];
      figures.misread_interval =
          core::clopper_pearson(trials - right, trials, experiment.table.confidence);
      figures.none_seen = trials == right;
    }
  }
}

template <class Member>
auto less(Member member) {
  return [member](const auto& a, const auto& b) { return a.*member < b.*member; };
}

}  // namespace

core::Interval misread_bounds(const circuits::ErrorTable& table, std::size_t class_index) {
  // misread = 1 - P(ideal code): the error is that one entry's, and the rounding of the sum.
  constexpr double rounding = std::numeric_limits<double>::epsilon();
  const double bound = std::min(table.error_bound[class_index] + table.codes * rounding, 1.0);
  const double misread = table.misread(class_index);
  return {std::max(misread - bound, 0.0), std::min(misread + bound, 1.0)};
}

double pattern_margin(const ColumnDesign& design, std::uint32_t level, std::uint32_t most_rows,
                      double sigmas) {
  // Each class of a resistive wire would need a simulation of its own.
  if (std::holds_alternative<circuits::WireResistance>(design.bit_line)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto edge = [&](std::uint32_t k, std::uint32_t n, double side) {
    return mean_reading(design, {k, n}) + side * sigmas * sensed_sd(design, {k, n});
  };
  // Relative to each n's own reference between the two levels, where references follow n; shared
  // ones cancel.
  const auto reference = [&](std::uint32_t n) {
    if (!design.ladder.follows_active_rows) return 0.0;
    if (!circuits::is_ideal(design.bit_line)) {
      return 0.5 * (nominal_reading(design, level, n) + nominal_reading(design, level + 1, n));
    }
    return 0.5 * (mean_current(design, {level, n}) + mean_current(design, {level, n}) +
                  design.lrs.mean() - design.hrs.mean());
  };
  double least_above = std::numeric_limits<double>::infinity();
  double most_below = -std::numeric_limits<double>::infinity();
  for (std::uint32_t n = std::max(level, 1U); n <= most_rows; ++n) {
    most_below = std::max(most_below, edge(level, n, +1.0) - reference(n));
    if (n > level) least_above = std::min(least_above, edge(level + 1, n, -1.0) - reference(n));
  }
  return least_above - most_below;
}

MarginResult measure_margins(const Experiment& experiment, core::Threads threads,
                             const core::Progress& progress) {
  require_margins(experiment.macro.design);
  const std::vector<MarginLevel> levels =
      margin_levels(experiment.macro.design, experiment.margin.active_rows);
  Experiment typical = experiment;  // whatever classes its table has
  typical.table.compositions = circuits::Compositions::typical;
  const ChosenTable chosen = make_table(typical, classes_of(levels), threads, progress);
  MarginResult result = measure_margins(experiment, chosen.table, threads);
  result.reason = chosen.reason;
  return result;
}

MarginResult measure_margins(const Experiment& experiment, const circuits::ErrorTable& table,
                             core::Threads threads) {
  MarginResult result = measure_gaps(experiment, threads);
  result.method = table.method;
  add_misreads(experiment, table, result);
  result.worst_level = static_cast<std::size_t>(
      std::ranges::max_element(result.levels, less(&LevelFigures::misread)) -
      result.levels.begin());
  return result;
}

namespace {

/// [gap], of a column of more than two states a row.
std::vector<double> state_patterns(const ColumnDesign& design, std::span<const MarginLevel> levels,
                                   std::uint32_t most_rows, double sigmas) {
  StatePatterns patterns(design, most_rows, sigmas);
  for (std::uint32_t n = 1; n <= most_rows; ++n) patterns.include(n);
  std::vector<double> margins;
  for (std::size_t i = 1; i < levels.size(); ++i) {
    margins.push_back(patterns.margin(levels[i - 1].value, levels[i].value));
  }
  return margins;
}

}  // namespace

MarginResult measure_gaps(const Experiment& experiment, core::Threads threads) {
  const ColumnDesign& design = experiment.macro.design;
  MarginResult result;
  const std::uint32_t n = result.active_rows = experiment.margin.active_rows;
  const std::vector<MarginLevel> values = margin_levels(design, n);
  const bool is_sum = circuits::is_ideal(design.bit_line);
  for (const MarginLevel& value : values) {
    LevelFigures& figures = result.levels.emplace_back();
    figures.level = value.value;
    figures.column_class = value.column_class;
    figures.weight = value.weight;
    figures.mean = mean_current(design, value.column_class);
    figures.sd = sensed_sd(design, value.column_class);
  }

  const Levels levels(experiment, values, threads);
  std::vector<std::optional<LevelDistribution>> distributions(values.size());
  const double tail = experiment.margin.tail_probability;
  core::for_each_block(values.size(), threads, [&](std::size_t k, std::size_t) {
    const LevelDistribution& distribution = distributions[k].emplace(levels[k]);
    result.levels[k].low_quantile = distribution.quantile(Tail::lower, tail);
    result.levels[k].high_quantile = distribution.quantile(Tail::upper, tail);
    if (is_sum) return;
    const core::Normal moments = distribution.moments();
    result.levels[k].mean = moments.mean;
    result.levels[k].sd = moments.sd;
  });
  const double z = experiment.margin.sigmas;
  std::vector<double> patterns;
  if (!design.row_states.empty()) patterns = state_patterns(design, values, n, z);
  result.gaps.resize(values.size() - 1);
  core::for_each_block(result.gaps.size(), threads, [&](std::size_t k, std::size_t) {
    const LevelFigures& below = result.levels[k];
    const LevelFigures& above = result.levels[k + 1];
    GapFigures& gap = result.gaps[k];
    gap.level = below.level;
    gap.next = above.level;
    gap.input_aware = (above.mean - z * above.sd) - (below.mean + z * below.sd);
    gap.pattern =
        patterns.empty() ? pattern_margin(design, below.column_class.lrs_count, n, z) : patterns[k];
    // Readings of nominal cells, to first order: they can't be better than what is one of them.
    if (!is_sum) gap.pattern = std::min(gap.pattern, gap.input_aware);
    gap.quantile = above.low_quantile - below.high_quantile;
    gap.overlap = overlap(*distributions[k], *distributions[k + 1]);
  });
  result.worst_gap = static_cast<std::size_t>(
      std::ranges::min_element(result.gaps, less(&GapFigures::quantile)) - result.gaps.begin());
  return result;
}

std::vector<Density> level_densities(const Experiment& experiment, std::uint32_t active_rows,
                                     std::size_t points) {
  const std::vector<MarginLevel> values = margin_levels(experiment.macro.design, active_rows);
  const Levels levels(experiment, values, core::Threads{1});
  std::vector<Density> densities;
  for (std::size_t k = 0; k < values.size(); ++k) {
    const LevelDistribution distribution = levels[k];
    const double low = distribution.quantile(Tail::lower, plotted_tail);
    const double high = distribution.quantile(Tail::upper, plotted_tail);
    Density density{.current = {}, .density = distribution.densities(low, high, points)};
    const double step = (high - low) / double(points);
    for (std::size_t i = 0; i < points; ++i)
      density.current.push_back(low + (double(i) + 0.5) * step);
    densities.push_back(std::move(density));
  }
  return densities;
}

}  // namespace cimstat::experiments
