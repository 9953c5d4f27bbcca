#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/statistics/statistics.h"

#include "experiments/experiment.h"
#include "experiments/margin/margin_levels.h"

/// How far apart the currents of neighbouring MAC values are, and how often they are misread.
/// Definitions: pim-training.md 2.5 in the reference notes; Chen et al., ISSCC 2018, 31.4
/// (input-aware against pattern margin); Lin et al., ICCAD 2018 (DL-RSIM: error rate per sum of
/// products).
namespace cimstat::experiments {

/// One MAC value k at n active rows, of the class that stands for it (margin_levels.h). Currents
/// are as sensed: bit line + offset + noise [A], or [V] where the line delivers these.
struct LevelFigures {
  std::int64_t level = 0;
  circuits::ColumnClass column_class;
  double weight = 1.0;  ///< of the class among all of its MAC value
  double mean = 0.0;
  double sd = 0.0;
  double low_quantile = 0.0;  ///< at the tail probability asked for
  double high_quantile = 0.0;
  double misread = 0.0;  ///< P(code != ideal code)
  core::Interval misread_interval;
  bool none_seen = false;  ///< sampled, and no misread came: misread_interval.upper is the figure
};

/// The gap between level k and the next one, k + 1 in a binary column. All in A or V but for the
/// overlap.
struct GapFigures {
  std::int64_t level = 0;  ///< k
  std::int64_t next = 1;   ///< the MAC value above
  /// [mu(k+1,n) - z sd(k+1,n)] - [mu(k,n) + z sd(k,n)] at the asked-for n.
  double input_aware = 0.0;
  /// The least of (level k+1 above its reference) plus the least of (level k below its reference),
  /// each over all numbers of active rows from k to the asked-for n: the margin that remains when
  /// any number of rows up to n may be active. With references shared by all of them this is the
  /// min of level k+1 minus the max of level k. Of rows of more than two states also over all ways
  /// in which they add up to the level (StatePatterns). NaN along a resistive wire.
  double pattern = 0.0;
  /// q_{k+1}(p) - q_k(1-p): free of any assumption on the shape.
  double quantile = 0.0;
  /// integral of min(f_k, f_{k+1}): twice the least error of telling the two apart.
  double overlap = 0.0;
};

struct MarginResult {
  std::uint32_t active_rows = 0;
  std::vector<LevelFigures> levels;  ///< ascending: k = 0 .. n of a binary column
  std::vector<GapFigures> gaps;      ///< between each and the next
  std::size_t worst_gap = 0;         ///< index of that of the least quantile margin
  std::size_t worst_level = 0;       ///< ... of the most misread level
  circuits::TableMethod method = circuits::TableMethod::exact;
  std::string reason;  ///< which engine, and why
};

/// Margins at experiment.margin.active_rows; makes the error table of these classes itself, ...
MarginResult measure_margins(const Experiment& experiment, core::Threads threads,
                             const core::Progress& progress = {});
/// ... or takes the misread probabilities from `table`, which must hold all classes of that n.
MarginResult measure_margins(const Experiment& experiment, const circuits::ErrorTable& table,
                             core::Threads threads);

/// The same without misread probabilities, which need an error table.
MarginResult measure_gaps(const Experiment& experiment, core::Threads threads);

/// Between which the misread probability of a class of an exact table lies.
core::Interval misread_bounds(const circuits::ErrorTable& table, std::size_t class_index);

/// The pattern margin of level k < `most_rows`, without variation (z = 0) or with it, where any
/// number of rows up to `most_rows` may be active; of a binary column [A] or [V].
double pattern_margin(const circuits::ColumnDesign& design, std::uint32_t level,
                      std::uint32_t most_rows, double sigmas);

/// The density of the sensed current of one level on an even grid, for plots [A], [1/A]; or [V].
struct Density {
  std::vector<double> current;
  std::vector<double> density;
};
std::vector<Density> level_densities(const Experiment& experiment, std::uint32_t active_rows,
                                     std::size_t points);

/// The result as a table for people.
std::string format_margins(const Experiment& experiment, const MarginResult& result);
/// ... and as JSON.
std::string margins_as_json(const Experiment& experiment, const MarginResult& result);

}  // namespace cimstat::experiments
