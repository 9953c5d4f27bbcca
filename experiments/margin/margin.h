#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "core/statistics/statistics.h"

#include "experiments/experiment.h"

/// How far apart the currents of neighbouring MAC values are, and how often they are misread.
/// Definitions: pim-training.md 2.5 in the reference notes; Chen et al., ISSCC 2018, 31.4
/// (input-aware against pattern margin); Lin et al., ICCAD 2018 (DL-RSIM: error rate per sum of
/// products).
namespace cimstat::experiments {

/// One MAC value k at n active rows. Currents are as sensed: bit line + offset + noise [A].
struct LevelFigures {
  std::uint32_t level = 0;
  double mean = 0.0;
  double sd = 0.0;
  double low_quantile = 0.0;  ///< at the tail probability asked for
  double high_quantile = 0.0;
  double misread = 0.0;  ///< P(code != ideal code)
  core::Interval misread_interval;
  bool none_seen = false;  ///< sampled, and no misread came: misread_interval.upper is the figure
};

/// The gap between levels k and k + 1. All in A but for the overlap.
struct GapFigures {
  std::uint32_t level = 0;  ///< k
  /// [mu(k+1,n) - z sd(k+1,n)] - [mu(k,n) + z sd(k,n)] at the asked-for n.
  double input_aware = 0.0;
  /// The least of (level k+1 above its reference) plus the least of (level k below its reference),
  /// each over all numbers of active rows from k to the asked-for n: the margin that remains when
  /// any number of rows up to n may be active. With references shared by all of them this is the
  /// min of level k+1 minus the max of level k.
  double pattern = 0.0;
  /// q_{k+1}(p) - q_k(1-p): free of any assumption on the shape.
  double quantile = 0.0;
  /// integral of min(f_k, f_{k+1}): twice the least error of telling the two apart.
  double overlap = 0.0;
};

struct MarginResult {
  std::uint32_t active_rows = 0;
  std::vector<LevelFigures> levels;  ///< k = 0 .. n
  std::vector<GapFigures> gaps;      ///< k = 0 .. n - 1
  std::uint32_t worst_gap = 0;       ///< of the quantile margin
  std::uint32_t worst_level = 0;     ///< of the misread probability
  circuits::TableMethod method = circuits::TableMethod::exact;
  std::string reason;  ///< which engine, and why
};

/// Throws UsageError where the bit line delivers more than the sum of its currents: margins are
/// differences of these. All that follows here does.
void require_summed_currents(const Experiment& experiment);

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

/// The sd of the sensed current of a class: bit line, offset and noise together [A].
double sensed_sd(const circuits::ColumnDesign& design, circuits::ColumnClass column_class);

/// The pattern margin of level k < `most_rows`, without variation (z = 0) or with it, where any
/// number of rows up to `most_rows` may be active [A].
double pattern_margin(const circuits::ColumnDesign& design, std::uint32_t level,
                      std::uint32_t most_rows, double sigmas);

/// The density of the sensed current of one level on an even grid, for plots [A], [1/A].
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
