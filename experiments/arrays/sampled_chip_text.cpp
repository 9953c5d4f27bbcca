#include <cmath>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"
#include "core/utf8.h"

#include "experiments/arrays/sampled_chip.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using core::Json;

}  // namespace

std::string factor_text(const ChipHeading& heading) {
  if (heading.factor == 1.0) return {};
  return fmt::format(
      "All of its cells conduct {:.4g} times as much as the cells of a nominal die.\n",
      heading.factor);
}

std::string chip_as_text(const ChipHeading& heading, const SampledChip& chip) {
  std::string text = fmt::format(
      "{}: chip {} of seed {}, {} x {}, {} in turn, as programmed\n", core::one_line(heading.name),
      chip.chip, heading.seed, counted(chip.shape.rows, "row"),
      counted(chip.shape.columns, "column"), counted(chip.summaries.size(), "level"));
  text += factor_text(heading);
  const std::string sampled = fmt::format("sampled [{:g} % interval]", 100.0 * heading.confidence);
  text += fmt::format("\n{:>5} {:>10} {:>8}  {:>10} {:<32} {:>10} {:<32} {:>6}\n", "level",
                      "target", "cells", "mean: law", sampled, "sd: law", sampled, "p");
  for (std::size_t level = 0; level < chip.summaries.size(); ++level) {
    const LevelSummary& summary = chip.summaries[level];
    text += fmt::format("{:>5} {:>10} {:>8}  {:>10} {:<32} {:>10} {:<32} {:>6.3f}\n", level,
                        value_text(summary.target, chip.quantity), summary.cells,
                        value_text(summary.moments.mean.law, chip.quantity),
                        sampled_text(summary.moments.mean, chip.quantity),
                        value_text(summary.moments.sd.law, chip.quantity),
                        sampled_text(summary.moments.sd, chip.quantity), summary.p_value);
  }
  text += fmt::format("\n{:>5} {:>10}  {:>10} {}\n", "level", "quantile", "law", sampled);
  for (std::size_t level = 0; level < chip.summaries.size(); ++level) {
    for (std::size_t i = 0; i < chip_quantiles.size(); ++i) {
      const Comparison& quantile = chip.summaries[level].quantiles[i];
      text += fmt::format("{:>5} {:>10g}  {:>10} {}\n", level, chip_quantiles[i],
                          value_text(quantile.law, chip.quantity),
                          sampled_text(quantile, chip.quantity));
    }
  }
  text +=
      "\np: that cells of the law would be as far from it, over all its quantiles, after Holm over "
      "the levels. ?: the level\nhas too few cells to say.\n";
  return text;
}

std::string chip_as_json(const ChipHeading& heading, const SampledChip& chip) {
  Json levels = Json::array();
  for (const LevelSummary& summary : chip.summaries) {
    Json quantiles = Json::array();
    for (std::size_t i = 0; i < chip_quantiles.size(); ++i) {
      Json quantile = json_of(summary.quantiles[i]);
      quantile["probability"] = chip_quantiles[i];
      quantiles.push_back(quantile);
    }
    levels.push_back({{"target", summary.target},
                      {"cells", summary.cells},
                      {"mean", json_of(summary.moments.mean)},
                      {"sd", json_of(summary.moments.sd)},
                      {"quantiles", quantiles},
                      {"p_value", summary.p_value}});
  }
  return core::json_text({{"name", heading.name},
                          {"seed", heading.seed},
                          {"chip", chip.chip},
                          {"rows", chip.shape.rows},
                          {"columns", chip.shape.columns},
                          {"confidence", heading.confidence},
                          {"die_factor", heading.factor},
                          {"unit", core::si_unit(chip.quantity)},
                          {"levels", levels}});
}

std::string chip_as_csv(const SampledChip& chip) {
  std::string text =
      fmt::format("row,column,level,{}\n",
                  chip.quantity == core::Quantity::capacitance ? "capacitance_F" : "conductance_S");
  for (std::size_t i = 0; i < chip.values.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{}\n", i / chip.shape.columns,
                   i % chip.shape.columns, chip.levels[i], chip.values[i]);
  }
  return text;
}

}  // namespace cimstat::experiments
