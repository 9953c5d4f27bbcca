#include "experiments/columns/columns_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/columns/columns_file.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

ColumnSpread::Rate rate_of(const Estimate& estimate) {
  return {estimate.value, estimate.interval.lower, estimate.interval.upper};
}

std::vector<ColumnSpread::Rate> quantiles_of(const RateSummary& summary) {
  std::vector<ColumnSpread::Rate> rates;
  for (const Estimate& estimate : summary.quantiles) rates.push_back(rate_of(estimate));
  return rates;
}

std::string interval_text(const Estimate& estimate) {
  const core::Interval& interval = estimate.interval;
  return fmt::format("{:.3g} ({:.3g} to {})", estimate.value, interval.lower,
                     interval.upper < 1.0 ? fmt::format("{:.3g}", interval.upper) : "not known");
}

std::string share_text(const Estimate& estimate) {
  return fmt::format("{:.4g} ({:.4g} to {:.4g})", estimate.value, estimate.interval.lower,
                     estimate.interval.upper);
}

std::string hint_of(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  const std::string frozen =
      settings.frozen == Frozen::offset
          ? "The offset of each is frozen, cells are fresh at each read."
          : "Cells and offset of each are frozen, the noise of a read is integrated.";
  return fmt::format(
      "Misread rates of single columns: {} x {}, {}. {} Intervals come from the differences "
      "between columns or dies, not from reads; where an end is not known, too few of them decide "
      "the number.",
      counted(settings.dies, "die"), counted(settings.columns, "column"),
      counted(settings.active_rows, "active row"), frozen);
}

}  // namespace

ColumnSpread column_spread(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  const ColumnStatistics statistics = column_statistics(result.rates, questions_of(result));
  const bool by_mean = settings.judged == JudgedRate::mean;
  ColumnSpread spread{.hint = hint_of(result),
                      .judged = "mean over the MAC values",
                      .rates = judged_rates(result.rates, JudgedRate::mean),
                      .limit = by_mean ? settings.limit : 0.0,
                      .quantile_levels = {quantile_levels.begin(), quantile_levels.end()},
                      .quantiles = quantiles_of(statistics.overall),
                      .by_level = {},
                      .facts = {}};
  std::sort(spread.rates.begin(), spread.rates.end());
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    spread.by_level.push_back({.level = result.rates.classes[i].lrs_count,
                               .mean = rate_of(statistics.classes[i].mean),
                               .quantiles = quantiles_of(statistics.classes[i])});
  }
  spread.facts = {
      {fmt::format("worst of {}", counted(settings.columns, "column")),
       interval_text(statistics.worst_of_die) + ", median over dies"},
      {"two reads both wrong", interval_text(statistics.overall.both_wrong)},
      {fmt::format("vote of {} wrong", counted(settings.votes, "read")),
       interval_text(statistics.overall.vote_wrong)},
      {"columns that pass",
       fmt::format("{}: {} of a column at most {:g}", share_text(statistics.pass),
                   by_mean ? "mean rate" : "worst MAC value's rate", settings.limit)},
      {"die yield", fmt::format("{} of {}: {} at most", share_text(statistics.die_yield),
                                counted(settings.dies, "simulated die"),
                                counted(settings.repairs, "failing column"))}};
  if (statistics.die_yield_from_columns) {
    spread.facts.emplace_back(
        "die yield from all columns",
        share_text(*statistics.die_yield_from_columns) + ", as they are independent");
  }
  return spread;
}

ColumnsResult read_columns_of(const std::filesystem::path& file, const TableRecord& table) {
  ColumnsResult result = read_columns(file);
  const auto macro_of = [](const std::string& toml) {
    return read_experiment(core::Config::from_text(toml, "configuration of a result")).macro_toml;
  };
  if (macro_of(result.config_toml) != macro_of(table.config_toml)) {
    throw core::UsageError(core::error_line(
        "--columns " + file.string(), "was made for another macro",
        "cell, column, sense amplifier or converter differ from those of the table",
        "make it again from the table's configuration (cimstat show --config)"));
  }
  return result;
}

}  // namespace cimstat::experiments
