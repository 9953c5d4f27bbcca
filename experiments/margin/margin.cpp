#include "experiments/margin/margin.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"

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
  explicit LevelDistribution(circuits::SensedCurrent exact) : exact_(std::move(exact)) {}
  explicit LevelDistribution(const std::vector<float>& currents)
      : sample_(currents.begin(), currents.end()) {
    std::sort(sample_.begin(), sample_.end());
  }

  double quantile(Tail side, double probability) const {
    if (exact_) return exact_->quantile(side, probability);
    return core::sample_quantile(sample_, side == Tail::lower ? probability : 1.0 - probability);
  }

  /// Densities at the middles of even cells of [low, high].
  std::vector<double> densities(double low, double high, std::size_t cells) const {
    std::vector<double> values(cells);
    const double step = (high - low) / double(cells);
    for (std::size_t i = 0; i < cells; ++i) {
      const double left = low + double(i) * step;
      if (exact_) {
        values[i] = std::max(exact_->density(left + 0.5 * step), 0.0);
      } else {
        const auto first = std::lower_bound(sample_.begin(), sample_.end(), left);
        const auto last = std::lower_bound(first, sample_.end(), left + step);
        values[i] = double(last - first) / (double(sample_.size()) * step);
      }
    }
    return values;
  }

 private:
  std::optional<circuits::SensedCurrent> exact_;
  std::vector<double> sample_;
};

/// Makes the distributions of the levels at one number of active rows.
class Levels {
 public:
  Levels(const Experiment& experiment, std::uint32_t active_rows, core::Threads threads)
      : experiment_(experiment), active_rows_(active_rows) {
    if (!circuits::current_obstacle(experiment.macro.design)) return;
    const std::uint32_t list[] = {active_rows};
    sampler_.emplace(
        experiment.macro.design, circuits::classes_for(list),
        circuits::SamplingOptions{
            .trials = sampled_trials, .key = experiment.key(), .stream = experiment.table.stream},
        threads);
  }

  /// May be called from several threads at once.
  LevelDistribution operator[](std::size_t level) const {
    const ColumnClass column_class{static_cast<std::uint32_t>(level), active_rows_};
    if (sampler_) return LevelDistribution(sampler_->currents(column_class));
    return LevelDistribution(
        circuits::SensedCurrent(experiment_.macro.design, column_class,
                                circuits::ExactOptions{.tolerance = experiment_.table.tolerance}));
  }

 private:
  const Experiment& experiment_;
  std::uint32_t active_rows_;
  std::optional<circuits::CurrentSampler> sampler_;
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
    const std::size_t i =
        table.find({.lrs_count = figures.level, .active_rows = result.active_rows}).value();
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

double sensed_sd(const ColumnDesign& design, ColumnClass column_class) {
  const circuits::SenseAmplifier& sense = design.sense;
  const double level = 1.0 + mean_current(design, column_class) / sense.noise_knee;
  return std::sqrt(current_variance(design, column_class) + sense.offset_sd * sense.offset_sd +
                   sense.noise_sd * sense.noise_sd * std::max(level, 0.0));
}

core::Interval misread_bounds(const circuits::ErrorTable& table, std::size_t class_index) {
  // misread = 1 - P(ideal code): the error is that one entry's, and the rounding of the sum.
  constexpr double rounding = std::numeric_limits<double>::epsilon();
  const double bound = std::min(table.error_bound[class_index] + table.codes * rounding, 1.0);
  const double misread = table.misread(class_index);
  return {std::max(misread - bound, 0.0), std::min(misread + bound, 1.0)};
}

double pattern_margin(const ColumnDesign& design, std::uint32_t level, std::uint32_t most_rows,
                      double sigmas) {
  const auto edge = [&](std::uint32_t k, std::uint32_t n, double side) {
    return mean_current(design, {k, n}) + side * sigmas * sensed_sd(design, {k, n});
  };
  // Relative to each n's own reference between the two levels, where references follow n; shared
  // ones cancel.
  const auto reference = [&](std::uint32_t n) {
    if (!design.ladder.follows_active_rows) return 0.0;
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

void require_summed_currents(const Experiment& experiment) {
  const circuits::BitLine& line = experiment.macro.design.bit_line;
  if (circuits::is_ideal(line)) return;
  throw core::UsageError(core::error_line(
      "bit_line.kind", "has no read margins",
      fmt::format("they are distances of summed currents, and this line ({}) delivers another "
                  "quantity",
                  circuits::name_of(line)),
      "use cimstat table, or leave [bit_line] out"));
}

MarginResult measure_margins(const Experiment& experiment, core::Threads threads,
                             const core::Progress& progress) {
  circuits::require_binary(experiment.macro.design, "the margin of LRS counts");
  require_summed_currents(experiment);
  const std::uint32_t list[] = {experiment.margin.active_rows};
  const ChosenTable chosen = make_table(experiment, circuits::classes_for(list), threads, progress);
  MarginResult result = measure_margins(experiment, chosen.table, threads);
  result.reason = chosen.reason;
  return result;
}

MarginResult measure_margins(const Experiment& experiment, const circuits::ErrorTable& table,
                             core::Threads threads) {
  MarginResult result = measure_gaps(experiment, threads);
  result.method = table.method;
  add_misreads(experiment, table, result);
  result.worst_level = std::ranges::max_element(result.levels, less(&LevelFigures::misread))->level;
  return result;
}

MarginResult measure_gaps(const Experiment& experiment, core::Threads threads) {
  require_summed_currents(experiment);
  const ColumnDesign& design = experiment.macro.design;
  MarginResult result;
  const std::uint32_t n = result.active_rows = experiment.margin.active_rows;
  for (std::uint32_t k = 0; k <= n; ++k) {
    LevelFigures& figures = result.levels.emplace_back();
    figures.level = k;
    figures.mean = mean_current(design, {k, n});
    figures.sd = sensed_sd(design, {k, n});
  }

  const Levels levels(experiment, n, threads);
  std::vector<std::optional<LevelDistribution>> distributions(n + 1);
  const double tail = experiment.margin.tail_probability;
  core::for_each_block(n + 1, threads, [&](std::size_t k, std::size_t) {
    const LevelDistribution& distribution = distributions[k].emplace(levels[k]);
    result.levels[k].low_quantile = distribution.quantile(Tail::lower, tail);
    result.levels[k].high_quantile = distribution.quantile(Tail::upper, tail);
  });
  result.gaps.resize(n);
  core::for_each_block(n, threads, [&](std::size_t k, std::size_t) {
    const LevelFigures& below = result.levels[k];
    const LevelFigures& above = result.levels[k + 1];
    const double z = experiment.margin.sigmas;
    GapFigures& gap = result.gaps[k];
    gap.level = static_cast<std::uint32_t>(k);
    gap.input_aware = (above.mean - z * above.sd) - (below.mean + z * below.sd);
    gap.pattern = pattern_margin(design, gap.level, n, z);
    gap.quantile = above.low_quantile - below.high_quantile;
    gap.overlap = overlap(*distributions[k], *distributions[k + 1]);
  });
  result.worst_gap = std::ranges::min_element(result.gaps, less(&GapFigures::quantile))->level;
  return result;
}

std::vector<Density> level_densities(const Experiment& experiment, std::uint32_t active_rows,
                                     std::size_t points) {
  const Levels levels(experiment, active_rows, core::Threads{1});
  std::vector<Density> densities;
  for (std::uint32_t k = 0; k <= active_rows; ++k) {
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
