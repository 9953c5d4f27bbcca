#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"

#include "circuits/bit_line/line_reading.h"

#include "experiments/counted.h"
#include "experiments/macro/macro_text.h"
#include "experiments/margin/margin.h"

namespace cimstat::experiments {

namespace {

/// Densities are too coarse for less.
constexpr double least_overlap = 1e-8;

/// Currents or voltages of a macro, as its bit line delivers them.
struct Readings {
  core::Quantity quantity;

  explicit Readings(const Experiment& experiment)
      : quantity(circuits::delivered_quantity(experiment.macro.design.bit_line)) {}
  std::string operator()(double value) const {
    return std::isnan(value) ? "-" : core::format_quantity(value, quantity, 4);
  }
};

std::string overlap_text(double overlap, std::string_view form) {
  if (overlap < least_overlap) return fmt::format("<{:.0e}", least_overlap);
  return fmt::format(fmt::runtime(form), overlap);
}

std::string probability(double value) {
  return value >= 0.001 ? fmt::format("{:.5f}", value) : fmt::format("{:.3e}", value);
}

std::string misread_text(const MarginResult& result, std::size_t k) {
  const LevelFigures& level = result.levels[k];
  if (result.method == circuits::TableMethod::exact) {
    return fmt::format("{} +-{}", probability(level.misread),
                       core::bound_text(level.misread_interval.upper - level.misread));
  }
  if (level.none_seen)
    return fmt::format("0 seen (< {})", probability(level.misread_interval.upper));
  return fmt::format("{} [{}, {}]", probability(level.misread),
                     probability(level.misread_interval.lower),
                     probability(level.misread_interval.upper));
}

/// A rate that its error bound hides, or that no trial saw, makes no level the worst one.
std::string worst_level_text(const MarginResult& result) {
  const LevelFigures& worst = result.levels[result.worst_level];
  const bool exact = result.method == circuits::TableMethod::exact;
  if (exact ? worst.misread_interval.lower > 0.0 : !worst.none_seen) {
    return fmt::format("Most misread: level {}, {}.", worst.level,
                       misread_text(result, result.worst_level));
  }
  double limit = 0.0;
  for (const LevelFigures& level : result.levels) {
    limit = std::max(limit, level.misread_interval.upper);
  }
  return exact ? fmt::format("No level is misread more often than the error bound allows: {:.1e}.",
                             limit)
               : fmt::format("No misread was seen: each level's rate is below {:.2e}.", limit);
}

// 17 levels tell the story of 129: the ends, the worst and an even choice between.
std::vector<std::size_t> shown_levels(const MarginResult& result) {
  constexpr std::size_t at_most = 17;
  const std::size_t last = result.levels.size() - 1;
  std::vector<std::size_t> shown;
  for (std::size_t k = 0; k <= last; ++k) {
    const bool even = last < at_most || k % ((last + at_most - 2) / (at_most - 1)) == 0;
    if (even || k == last || k == result.worst_level || k == result.worst_gap ||
        k == result.worst_gap + 1) {
      shown.push_back(k);
    }
  }
  return shown;
}

/// What stands for a level where many classes do.
std::string typical_text(const MarginResult& result) {
  double least = 1.0;
  for (const LevelFigures& level : result.levels) least = std::min(least, level.weight);
  return fmt::format(
      "A level stands for its typical class, the most probable numbers of rows in each state: "
      "share is how much of the level's\nprobability that class has, {:.3g} at the least. Patterns "
      "are all classes, means and spreads at their worst.\n",
      least);
}

}  // namespace

std::string format_margins(const Experiment& experiment, const MarginResult& result) {
  const MarginSettings& settings = experiment.margin;
  const Readings readings(experiment);
  const bool has_states = !experiment.macro.design.row_states.empty();
  std::string text = fmt::format("{}: {} of {} active\n", experiment.name, result.active_rows,
                                 counted(experiment.macro.design.rows, "row"));
  std::vector<MacroLine> lines = macro_lines(experiment.macro);
  lines.push_back({"method", result.reason});
  text += aligned_text(lines) + '\n';
  const std::string misread_title =
      result.method == circuits::TableMethod::exact
          ? "misread, error bound"
          : fmt::format("misread [{:g} % interval]", 100.0 * experiment.table.confidence);
  text += fmt::format("{:>5} {}{:>11} {:>10} {:>11} {:>11}  {:<34} {:>11} {:>11} {:>11} {:>9}\n",
                      "level", has_states ? fmt::format("{:>7} ", "share") : "", "mean", "sd",
                      fmt::format("q({:g})", settings.tail_probability),
                      fmt::format("q(1-{:g})", settings.tail_probability), misread_title,
                      "input-aware", "pattern", "quantile", "overlap");
  const std::vector<std::size_t> shown = shown_levels(result);
  for (const std::size_t k : shown) {
    const LevelFigures& level = result.levels[k];
    const std::string misread = misread_text(result, k);
    text += fmt::format("{:>5} {}{:>11} {:>10} {:>11} {:>11}  ", level.level,
                        has_states ? fmt::format("{:>7.3g} ", level.weight) : "",
                        readings(level.mean), readings(level.sd), readings(level.low_quantile),
                        readings(level.high_quantile));
    if (k < result.gaps.size()) {
      const GapFigures& gap = result.gaps[k];
      text += fmt::format("{:<34} {:>11} {:>11} {:>11} {:>9}", misread, readings(gap.input_aware),
                          readings(gap.pattern), readings(gap.quantile),
                          overlap_text(gap.overlap, "{:.2e}"));
    } else {
      text += misread;
    }
    text += '\n';
  }
  if (shown.size() < result.levels.size()) {
    text += fmt::format("  ({} of {} shown; --json has all)\n", shown.size(),
                        counted(result.levels.size(), "level"));
  }
  const GapFigures& worst = result.gaps[result.worst_gap];
  const std::string rows = counted(result.active_rows, "row");
  text += fmt::format(
      "\nMargins of a row are those to the next level. Input-aware: {:g} sigma off each, with "
      "exactly {} active.\nPattern: the same, with any number up to {} active. Quantile: from "
      "q(1-{:g}) of a level to q({:g}) of the next, exactly {} active.\n",
      settings.sigmas, rows, rows, settings.tail_probability, settings.tail_probability, rows);
  if (has_states) text += typical_text(result);
  text += fmt::format("Worst pair: {} and {}, quantile margin {}, overlap {}. {}\n", worst.level,
                      worst.next, readings(worst.quantile), overlap_text(worst.overlap, "{:.3g}"),
                      worst_level_text(result));
  return text;
}

std::string margins_as_json(const Experiment& experiment, const MarginResult& result) {
  const circuits::ColumnDesign& design = experiment.macro.design;
  const std::string unit(circuits::reading_unit(design));
  const std::size_t states = design.row_states.states.size();
  const auto named = [&](const char* name) { return fmt::format("{}_{}", name, unit); };
  core::Json levels = core::Json::array();
  for (const LevelFigures& level : result.levels) {
    core::Json& one =
        levels.emplace_back(core::Json{{"level", level.level},
                                       {named("mean"), level.mean},
                                       {named("sd"), level.sd},
                                       {named("low_quantile"), level.low_quantile},
                                       {named("high_quantile"), level.high_quantile},
                                       {"misread", level.misread},
                                       {"misread_lower", level.misread_interval.lower},
                                       {"misread_upper", level.misread_interval.upper}});
    if (states == 0) continue;
    one["share"] = level.weight;
    for (std::size_t state = 0; state < states; ++state) {
      one["rows_in_states"].push_back(level.column_class.states[state]);
    }
  }
  core::Json gaps = core::Json::array();
  for (const GapFigures& gap : result.gaps) {
    core::Json& one = gaps.emplace_back(core::Json{{"level", gap.level},
                                                   {named("input_aware"), gap.input_aware},
                                                   {named("pattern"), gap.pattern},
                                                   {named("quantile"), gap.quantile},
                                                   {"overlap", gap.overlap}});
    if (states > 0) one["next"] = gap.next;
  }
  return core::json_text({{"name", experiment.name},
                          {"active_rows", result.active_rows},
                          {"confidence", experiment.table.confidence},
                          {"sigmas", experiment.margin.sigmas},
                          {"tail_probability", experiment.margin.tail_probability},
                          {"worst_gap", result.gaps[result.worst_gap].level},
                          {"worst_level", result.levels[result.worst_level].level},
                          {"levels", levels},
                          {"gaps", gaps}});
}

}  // namespace cimstat::experiments
