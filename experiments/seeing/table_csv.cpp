#include "experiments/seeing/table_csv.h"

#include <fmt/format.h>

#include "experiments/seeing/table_summary.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;

std::string guaranteed_columns(const ErrorTable& table, std::size_t row, double confidence) {
  const core::GammaBernoulli& found = table.guaranteed->classes[row];
  const std::string ended = stop_text(table.stop_reason(row));
  if (found.trials == 0) return fmt::format(",{},,,", ended);
  const core::Interval interval = found.interval(confidence);
  return fmt::format(",{},{},{},{}", ended, found.probability(), interval.lower, interval.upper);
}

}  // namespace

std::string levels_as_csv(const TableRecord& record, std::optional<std::uint32_t> active_rows,
                          const IntervalChoice& intervals) {
  const ErrorTable& table = record.table;
  const bool sampled = !table.counts.empty();
  std::string key = "lrs_count";
  if (!table.state_values.empty()) {
    key = "mac_value";
    for (std::size_t state = 0; state < table.state_values.size(); ++state) {
      key += fmt::format(",rows_in_state_{}", state);
    }
  }
  std::string text = fmt::format("active_rows,{},ideal_code,{}misread,lower,upper{}\n", key,
                                 sampled ? "trials,misreads," : "",
                                 table.guaranteed ? ",ended,guaranteed_misread,guaranteed_lower,"
                                                    "guaranteed_upper"
                                                  : "");
  if (active_rows) require_classes(table, *active_rows);
  for (std::size_t row = 0; row < table.size(); ++row) {
    const std::uint32_t n = table.classes[row].active_rows;
    if (active_rows && n != *active_rows) continue;
    const Estimate estimate = misread_estimate(table, row, intervals);
    text += fmt::format("{},{},", n, table.mac_value(row));
    for (std::size_t state = 0; state < table.state_values.size(); ++state) {
      text += fmt::format("{},", table.classes[row].states[state]);
    }
    text += fmt::format("{},", table.ideal_code[row]);
    if (sampled) text += fmt::format("{},{},", table.trials(row), table.misreads(row));
    text +=
        fmt::format("{},{},{}", estimate.value, estimate.interval.lower, estimate.interval.upper);
    if (table.guaranteed) text += guaranteed_columns(table, row, intervals.confidence);
    text += '\n';
  }
  return text;
}

std::string class_as_csv(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals) {
  const ErrorTable& table = record.table;
  const std::size_t row = require_class(table, column_class);
  const bool sampled = !table.counts.empty();
  std::string text =
      fmt::format("code,mac_value,{}probability,lower,upper\n", sampled ? "count," : "");
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    const Estimate estimate = entry_estimate(table, row, code, intervals);
    text += fmt::format("{},{},", code, table.code_origin + table.code_step * code);
    if (sampled) text += fmt::format("{},", table.counts[row * table.codes + code]);
    text +=
        fmt::format("{},{},{}\n", estimate.value, estimate.interval.lower, estimate.interval.upper);
  }
  return text;
}

}  // namespace cimstat::experiments
