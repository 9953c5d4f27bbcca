#include "experiments/arrays/drifting_chip.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <variant>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/file/json.h"
#include "core/utf8.h"

#include "circuits/arrays/pcm_array.h"
#include "circuits/drift_compensation.h"

#include "experiments/counted.h"
#include "experiments/gallery/gallery.h"

namespace cimstat::experiments {

namespace {

using core::Json;

/// Pearson's, with Fisher's interval.
Comparison compare_correlation(const std::vector<double>& first, const std::vector<double>& second,
                               double law, double confidence) {
  core::Moments x;
  core::Moments y;
  for (std::size_t i = 0; i < first.size(); ++i) {
    x.add(first[i]);
    y.add(second[i]);
  }
  double product = 0.0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    product += (first[i] - x.mean()) * (second[i] - y.mean());
  }
  const auto n = static_cast<double>(first.size());
  const double scale = std::sqrt(x.variance() * y.variance());
  if (n < 4.0 || !(scale > 0.0)) return {law, 1.0, {-1.0, 1.0}};
  const double found = std::clamp(product / (n - 1.0) / scale, -1.0, 1.0);
  if (found == 1.0) return {law, found, {found, found}};
  const double reach = core::normal_z(confidence) / std::sqrt(n - 3.0);
  return {law, found, {std::tanh(std::atanh(found) - reach), std::tanh(std::atanh(found) + reach)}};
}

double correlation_of(const devices::PcmCell& cell, std::uint32_t level, double first,
                      double second) {
  const double scale = std::sqrt(cell.variance(level, first) * cell.variance(level, second));
  return first == second || !(scale > 0.0) ? 1.0 : cell.covariance(level, first, second) / scale;
}

/// Sums of the columns, all rows on, in units of a cell's full scale.
std::vector<double> column_sums(const DriftingChip& chip, std::size_t time, double highest) {
  std::vector<double> sums(chip.shape.columns, 0.0);
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    sums[i % chip.shape.columns] += static_cast<double>(chip.conductance[time][i]) / highest;
  }
  return sums;
}

DriftCorrection correction_at(const DriftingChip& chip, std::size_t time, double highest) {
  const std::vector<double> before = column_sums(chip, 0, highest);
  const std::vector<double> now = column_sums(chip, time, highest);
  const std::vector<double> factors =
      circuits::drift_factors_of_columns(before, now, chip.shape.columns);
  DriftCorrection correction{.factor = circuits::drift_factor(before, now)};
  core::Moments of_columns;
  for (const double one : factors) of_columns.add(one);
  correction.column_mean = of_columns.mean();
  correction.column_sd = factors.size() > 1 ? std::sqrt(of_columns.variance()) : 0.0;
  const auto error = [&](const auto& factor_of) {
    double sum = 0.0;
    for (std::size_t i = 0; i < chip.levels.size(); ++i) {
      const double first = static_cast<double>(chip.conductance[0][i]);
      const double then = static_cast<double>(chip.conductance[time][i]);
      sum += std::pow((factor_of(i % chip.shape.columns) * then - first) / highest, 2);
    }
    return std::sqrt(sum / static_cast<double>(chip.levels.size()));
  };
  correction.error_without = error([](std::size_t) { return 1.0; });
  correction.error_with_one = error([&](std::size_t) { return correction.factor; });
  correction.error_with_columns = error([&](std::size_t column) { return factors[column]; });
  return correction;
}

std::vector<double> values_of(const DriftingChip& chip, std::size_t time, std::uint32_t level) {
  std::vector<double> values;
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    if (chip.levels[i] != level) continue;
    values.push_back(static_cast<double>(chip.conductance[time][i]));
  }
  return values;
}

/// "20 s", "30 days".
std::string moment_text(double seconds) {
  constexpr double minute = 60.0;
  return seconds < minute ? core::format_quantity(seconds, core::Quantity::time)
                          : time_text(seconds);
}

std::string corrections_as_text(const DriftingChip& chip) {
  std::string text =
      fmt::format("\nread again with all rows on\n{:>16} {:>12} {:>20} {:>12} {:>12} {:>12}\n",
                  "time", "one factor", "of each column", "error left", "with one", "with each");
  for (std::size_t i = 1; i < chip.times.size(); ++i) {
    const DriftCorrection& one = chip.corrections[i];
    text +=
        fmt::format("{:>16} {:>12.4g} {:>20} {:>12} {:>12} {:>12}\n", moment_text(chip.times[i]),
                    one.factor, fmt::format("{:.4g} +- {:.2g}", one.column_mean, one.column_sd),
                    fmt::format("{:.3g} %", 100.0 * one.error_without),
                    fmt::format("{:.3g} %", 100.0 * one.error_with_one),
                    fmt::format("{:.3g} %", 100.0 * one.error_with_columns));
  }
  return text +
         "\nfactor: what reading all rows at the first time gave, over what it gives now; outputs "
         "are multiplied by it. error left:\nof cells against the first time, rms, relative to the "
         "highest level's target, without, with one factor, with one a column.\n";
}

Json corrections_as_json(const DriftingChip& chip) {
  Json corrections = Json::array();
  for (std::size_t i = 0; i < chip.times.size(); ++i) {
    const DriftCorrection& one = chip.corrections[i];
    corrections.push_back({{"time", chip.times[i]},
                           {"factor", one.factor},
                           {"column_factor_mean", one.column_mean},
                           {"column_factor_sd", one.column_sd},
                           {"error_without", one.error_without},
                           {"error_with_one_factor", one.error_with_one},
                           {"error_with_column_factors", one.error_with_columns}});
  }
  return corrections;
}

}  // namespace

DriftingChip drift_chip(const devices::AnyCell& cell, circuits::ArrayShape shape,
                        std::uint64_t chip, double factor, const std::vector<double>& times,
                        core::StreamKey key, double confidence, core::Threads threads) {
  const auto* pcm = std::get_if<devices::PcmCell>(&cell);
  if (pcm == nullptr) {
    throw core::UsageError(core::error_line("--time", "can't follow the devices of this cell model",
                                            "only pcm keeps each cell's drift exponent",
                                            "set conditions.time for one time"));
  }
  DriftingChip result{
      .shape = shape, .chip = chip, .times = times, .levels = levels_in_turn(shape, pcm->levels())};
  circuits::DriftingArray array;
  program(circuits::drifting_cells(*pcm, threads), {shape, result.levels},
          {.key = key, .chip = chip}, threads, array);
  circuits::NoisyArray now;
  for (const double time : times) {
    drift(array, circuits::moment_at(pcm->statistics, time), threads, now);
    std::vector<float>& values = result.conductance.emplace_back(now.conductance.row_major());
    for (float& value : values) value *= static_cast<float>(factor);
  }
  const double highest = factor * pcm->targets.back();
  for (std::size_t i = 0; i < times.size(); ++i) {
    result.corrections.push_back(correction_at(result, i, highest));
  }
  for (std::uint32_t level = 0; level < pcm->levels(); ++level) {
    const std::vector<double> first = values_of(result, 0, level);
    std::vector<TimeSummary> summaries;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const std::vector<double> values = values_of(result, i, level);
      summaries.push_back(
          {compare_moments(values, factor * pcm->mean(level, times[i]),
                           factor * std::sqrt(pcm->variance(level, times[i])), confidence),
           compare_correlation(first, values, correlation_of(*pcm, level, times[0], times[i]),
                               confidence)});
    }
    result.summaries.push_back(std::move(summaries));
  }
  return result;
}

std::string chip_as_text(const ChipHeading& heading, const DriftingChip& chip) {
  std::string text =
      fmt::format("{}: chip {} of seed {}, {} x {}, {} in turn, the same devices at {}\n\n",
                  core::one_line(heading.name), chip.chip, heading.seed,
                  counted(chip.shape.rows, "row"), counted(chip.shape.columns, "column"),
                  counted(chip.summaries.size(), "level"), counted(chip.times.size(), "time"));
  if (heading.factor != 1.0) {
    text.pop_back();
    text += factor_text(heading) + '\n';
  }
  const std::string sampled = fmt::format("sampled [{:g} % interval]", 100.0 * heading.confidence);
  text += fmt::format("{:>5} {:>10}  {:>10} {:<32} {:>10} {:<32} {:>8} {}\n", "level", "time",
                      "mean: law", sampled, "sd: law", sampled, "correl.", sampled);
  for (std::size_t level = 0; level < chip.summaries.size(); ++level) {
    for (std::size_t i = 0; i < chip.times.size(); ++i) {
      const auto& [moments, correlation] = chip.summaries[level][i];
      text += fmt::format(
          "{:>5} {:>10}  {:>10} {:<32} {:>10} {:<32} {:>8.4f} {:.4f} [{:.4f}, {:.4f}]\n", level,
          moment_text(chip.times[i]), value_text(moments.mean.law, core::Quantity::conductance),
          sampled_text(moments.mean, core::Quantity::conductance),
          value_text(moments.sd.law, core::Quantity::conductance),
          sampled_text(moments.sd, core::Quantity::conductance), correlation.law,
          correlation.sampled, correlation.interval.lower, correlation.interval.upper);
    }
  }
  text +=
      "\ncorrel.: of the conductances at this time and at the first one, over the level's cells; "
      "its "
      "interval is Fisher's,\nfor conductances that are about normal.\n";
  if (chip.times.size() > 1) text += corrections_as_text(chip);
  return text;
}

std::string chip_as_json(const ChipHeading& heading, const DriftingChip& chip) {
  Json levels = Json::array();
  for (const std::vector<TimeSummary>& summaries : chip.summaries) {
    Json times = Json::array();
    for (std::size_t i = 0; i < chip.times.size(); ++i) {
      times.push_back({{"time", chip.times[i]},
                       {"mean", json_of(summaries[i].moments.mean)},
                       {"sd", json_of(summaries[i].moments.sd)},
                       {"correlation_with_first", json_of(summaries[i].correlation)}});
    }
    levels.push_back({{"times", times}});
  }
  return core::json_text({{"name", heading.name},
                          {"seed", heading.seed},
                          {"chip", chip.chip},
                          {"rows", chip.shape.rows},
                          {"columns", chip.shape.columns},
                          {"confidence", heading.confidence},
                          {"die_factor", heading.factor},
                          {"levels", levels},
                          {"corrections", corrections_as_json(chip)}});
}

std::string chip_as_csv(const DriftingChip& chip) {
  std::string text = "row,column,level";
  for (const double time : chip.times) text += fmt::format(",conductance_S_at_{}_s", time);
  text += '\n';
  for (std::size_t i = 0; i < chip.levels.size(); ++i) {
    text += fmt::format("{},{},{}", i / chip.shape.columns, i % chip.shape.columns, chip.levels[i]);
    for (const std::vector<float>& values : chip.conductance) text += fmt::format(",{}", values[i]);
    text += '\n';
  }
  return text;
}

}  // namespace cimstat::experiments
