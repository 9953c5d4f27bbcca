#include "experiments/report_input.h"

#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/margin.h"

namespace cimstat::experiments {

namespace {

constexpr std::size_t density_points = 320;
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

MisreadPoint misread_point(const LevelFigures& level, circuits::TableMethod method) {
  MisreadBasis basis = MisreadBasis::sampled;
  if (method == circuits::TableMethod::exact) basis = MisreadBasis::computed;
  if (level.none_seen) basis = MisreadBasis::none_seen;
  return {.level = level.level,
          .rate = level.misread,
          .lower = level.misread_interval.lower,
          .upper = level.misread_interval.upper,
          .basis = basis};
}

ConfusionMap confusion_of(const circuits::ErrorTable& table, std::uint32_t active_rows) {
  ConfusionMap map{.levels = active_rows + 1, .codes = table.codes, .probability = {}, .ideal = {}};
  for (std::uint32_t k = 0; k <= active_rows; ++k) {
    const std::size_t row = table.find({.lrs_count = k, .active_rows = active_rows}).value();
    map.probability.insert(map.probability.end(), table.row(row), table.row(row) + table.codes);
    map.ideal.push_back(table.ideal_code[row]);
  }
  return map;
}

std::vector<std::pair<std::string, std::string>> facts_of(const TableRecord& record,
                                                          const Experiment& experiment) {
  const Macro& macro = experiment.macro;
  return {{"macro", record.name},
          {"rows", std::to_string(macro.design.rows)},
          {"LRS", devices::describe(macro.cell.lrs)},
          {"HRS", devices::describe(macro.cell.hrs)},
          {"read voltage", core::format_quantity(macro.read_voltage, core::Quantity::voltage)},
          {"codes", std::to_string(record.table.codes)},
          {"classes in the table", std::to_string(record.table.size())},
          {"method", record.reason},
          {"seed", std::to_string(record.seed)},
          {"made by", record.source},
          {"content SHA-256", record.content_sha256}};
}

void add_accuracy(ReportInput& input, const AccuracyRecord& record) {
  const AccuracyStatistics statistics = accuracy_statistics(record.result, record.confidence);
  const auto bar = [&](std::string_view what, const Estimate& estimate) {
    input.accuracy.push_back({.label = fmt::format("{}, {}", record.network, what),
                              .value = estimate.value,
                              .lower = estimate.interval.lower,
                              .upper = estimate.interval.upper});
  };
  bar("exact", statistics.exact);
  bar("on the macro", statistics.sampled);
  const Estimate& difference = statistics.difference;
  input.facts.emplace_back(
      fmt::format("accuracy of {} on {}", record.network, record.data_set),
      fmt::format(
          "{:.2f} % exact, {:.2f} % on the macro; paired difference {:.2f} [{:.2f}, {:.2f}] points",
          100.0 * statistics.exact.value, 100.0 * statistics.sampled.value,
          100.0 * difference.value, 100.0 * difference.interval.lower,
          100.0 * difference.interval.upper));
}

}  // namespace

std::uint32_t default_active_rows(const circuits::ErrorTable& table) {
  constexpr std::uint32_t readable = 16;
  std::uint32_t chosen = 0;
  for (const auto& [k, n] : table.classes) {
    if (n >= 1 && (chosen == 0 || n <= readable)) chosen = std::max(chosen, n);
    if (chosen > readable) break;  // classes ascend: only larger ones follow
  }
  return chosen;
}

ReportInput report_input(const TableRecord& record, const std::vector<AccuracyRecord>& accuracy,
                         std::uint32_t active_rows, core::Threads threads) {
  for (std::uint32_t k = 0; k <= active_rows; ++k) {
    if (active_rows == 0 || !record.table.find({.lrs_count = k, .active_rows = active_rows})) {
      throw core::UsageError(
          fmt::format("--active-rows: the table has no whole row of classes for {} active rows; "
                      "choose another number, or make the table "
                      "with it in table.active_rows",
                      active_rows));
    }
  }
  Experiment experiment =
      read_experiment(core::Config::from_text(record.config_toml, "configuration of the table"));
  experiment.margin.active_rows = active_rows;
  ReportInput input;
  input.title = record.name;
  input.facts = facts_of(record, experiment);
  input.active_rows = active_rows;
  input.confidence = record.confidence;
  input.config_toml = record.config_toml;
  for (const AccuracyRecord& result : accuracy) add_accuracy(input, result);
  input.confusion = confusion_of(record.table, active_rows);
  const auto references = experiment.macro.design.ladder.at(active_rows);
  input.references.assign(references.begin(), references.end());
  std::vector<Density> densities = level_densities(experiment, active_rows, density_points);
  for (std::uint32_t k = 0; k <= active_rows; ++k) {
    input.distributions.push_back({.label = fmt::format("{}", k),
                                   .level = k,
                                   .current = std::move(densities[k].current),
                                   .density = std::move(densities[k].density)});
  }
  const MarginResult margins = measure_margins(experiment, record.table, threads);
  for (const LevelFigures& level : margins.levels) {
    const bool last = level.level == active_rows;
    const GapFigures gap = last ? GapFigures{.level = level.level,
                                             .input_aware = missing,
                                             .pattern = missing,
                                             .quantile = missing,
                                             .overlap = missing}
                                : margins.gaps[level.level];
    input.misread.push_back(misread_point(level, margins.method));
    input.margins.push_back({.level = level.level,
                             .mean = level.mean,
                             .sd = level.sd,
                             .low_quantile = level.low_quantile,
                             .high_quantile = level.high_quantile,
                             .input_aware_margin = gap.input_aware,
                             .pattern_margin = gap.pattern,
                             .quantile_margin = gap.quantile,
                             .overlap = gap.overlap,
                             .misread = input.misread.back()});
  }
  return input;
}

}  // namespace cimstat::experiments
