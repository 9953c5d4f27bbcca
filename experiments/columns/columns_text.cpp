#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"
#include "core/utf8.h"

#include "experiments/columns/columns_run.h"
#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

using core::Json;

std::string number(double value) { return fmt::format("{:.3g}", value); }

/// "?" stands for an end that the sample is too small for.
std::string with_interval(const Estimate& estimate, double lowest = 0.0) {
  const core::Interval& interval = estimate.interval;
  return fmt::format("{} [{}, {}]", number(estimate.value),
                     interval.lower > lowest ? number(interval.lower)
                     : lowest < 0.0          ? "?"
                                             : "0",
                     interval.upper < 1.0 ? number(interval.upper) : "?");
}

std::string share_with_interval(const Estimate& estimate) {
  return fmt::format("{:.4g} [{:.4g}, {:.4g}]", estimate.value, estimate.interval.lower,
                     estimate.interval.upper);
}

std::string heading(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  std::string text =
      fmt::format("{}: {} x {}, {}", core::one_line(result.name), counted(settings.dies, "die"),
                  counted(settings.columns, "column"), counted(settings.active_rows, "active row"));
  if (settings.frozen == Frozen::offset) {
    return text + "; the offset is frozen, cells are fresh at each read (exact for each offset)\n";
  }
  return text + fmt::format(
                    ", {} a MAC value;\ncells and offset are frozen, the noise of a read is "
                    "integrated{}\n",
                    counted(settings.patterns, "input"),
                    result.common_factor_sd > 0.0
                        ? fmt::format("; dies differ by {:g} %", 100.0 * result.common_factor_sd)
                        : std::string());
}

std::string row(std::string_view name, const RateSummary& summary) {
  return fmt::format("{:>5}  {:<30} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8.3f} {:>8} {:>9}\n", name,
                     with_interval(summary.mean), number(summary.sd),
                     number(summary.quantiles[0].value), number(summary.quantiles[2].value),
                     number(summary.quantiles[3].value), number(summary.largest),
                     summary.correlation.value, number(summary.both_wrong_ratio),
                     number(summary.vote_wrong.value));
}

Json json_of(const Estimate& estimate) {
  return Json::array({estimate.value, estimate.interval.lower, estimate.interval.upper});
}

Json json_of(const RateSummary& summary) {
  Json quantiles = Json::array();
  for (std::size_t i = 0; i < quantile_levels.size(); ++i) {
    quantiles.push_back({{"level", quantile_levels[i]}, {"rate", json_of(summary.quantiles[i])}});
  }
  return {{"mean", json_of(summary.mean)},
          {"sd", summary.sd},
          {"quantiles", quantiles},
          {"largest", summary.largest},
          {"both_wrong", json_of(summary.both_wrong)},
          {"both_wrong_over_square", summary.both_wrong_ratio},
          {"correlation", json_of(summary.correlation)},
          {"vote_wrong", json_of(summary.vote_wrong)}};
}

}  // namespace

std::string columns_as_text(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  const ColumnStatistics statistics = column_statistics(result.rates, questions_of(result));
  std::string text = heading(result);
  text += fmt::format("\n{:>5}  {:<30} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>9}\n", "MAC",
                      fmt::format("misread [{:g} % interval]", 100.0 * result.confidence), "sd",
                      "median", "99 %", "99.9 %", "worst", "corr.", "x p^2",
                      fmt::format("vote of {}", settings.votes));
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    text += row(fmt::format("{}", result.rates.classes[i].lrs_count), statistics.classes[i]);
  }
  const RateSummary& overall = statistics.overall;
  text += row("all", overall);
  text +=
      "\nmisread: mean over columns; intervals come from the differences between columns or dies, "
      "not from reads, and ?\nstands where too few of them decide the number (the mean over all "
      "columns: cimstat table). median to worst: over\ncolumns. corr.: of the errors of two reads "
      "of one input on one column. x p^2: both wrong, over the square of the\nrate. vote: the code "
      "of more than half of the reads, else their median. all: each MAC value equally often.\n\n";
  for (std::size_t i = 0; i < quantile_levels.size(); ++i) {
    text += fmt::format("{:>6g} % of columns    rate at most {}\n", 100.0 * quantile_levels[i],
                        with_interval(overall.quantiles[i]));
  }
  text += fmt::format("worst column of {:<5} {} (median over dies)\n", settings.columns,
                      with_interval(statistics.worst_of_die));
  text += fmt::format("two reads            both wrong {}, correlation {}\n",
                      with_interval(overall.both_wrong), with_interval(overall.correlation, -1.0));
  text += fmt::format("vote of {:<3}          wrong {}\n", settings.votes,
                      with_interval(overall.vote_wrong));
  text += fmt::format("columns that pass    {} ({} of a column at most {:g})\n",
                      share_with_interval(statistics.pass),
                      settings.judged == JudgedRate::mean ? "mean rate" : "worst MAC value's rate",
                      settings.limit);
  text += fmt::format(
      "die yield            {} of {} ({} at most)\n", share_with_interval(statistics.die_yield),
      counted(settings.dies, "simulated die"), counted(settings.repairs, "failing column"));
  if (statistics.die_yield_from_columns) {
    text += fmt::format("  from all columns   {}, as they are independent\n",
                        share_with_interval(*statistics.die_yield_from_columns));
  }
  return text;
}

std::string columns_as_json(const ColumnsResult& result) {
  const ColumnsSettings& settings = result.settings;
  const ColumnStatistics statistics = column_statistics(result.rates, questions_of(result));
  Json classes = Json::array();
  for (std::size_t i = 0; i < statistics.classes.size(); ++i) {
    Json object = json_of(statistics.classes[i]);
    object["lrs_count"] = result.rates.classes[i].lrs_count;
    object["active_rows"] = result.rates.classes[i].active_rows;
    classes.push_back(object);
  }
  const auto& yield = statistics.die_yield_from_columns;
  return core::json_text({{"name", result.name},
                          {"confidence", result.confidence},
                          {"dies", settings.dies},
                          {"columns_of_a_die", settings.columns},
                          {"patterns", settings.patterns},
                          {"votes", settings.votes},
                          {"limit", settings.limit},
                          {"repairs", settings.repairs},
                          {"classes", classes},
                          {"overall", json_of(statistics.overall)},
                          {"worst_of_die", json_of(statistics.worst_of_die)},
                          {"columns_that_pass", json_of(statistics.pass)},
                          {"die_yield", json_of(statistics.die_yield)},
                          {"die_yield_from_columns", yield ? json_of(*yield) : Json(nullptr)}});
}

}  // namespace cimstat::experiments
