#include "experiments/seeing/table_summary.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/counted.h"
#include "experiments/table/table_stopping.h"

namespace cimstat::experiments {

namespace {

using circuits::ErrorTable;
using circuits::TableMethod;

constexpr std::size_t bar_columns = 30;

std::vector<std::size_t> classes_of(const ErrorTable& table, std::uint32_t active_rows) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (table.classes[i].active_rows == active_rows) rows.push_back(i);
  }
  return rows;
}

/// "1 .. 16, 32, 64 .. 128".
std::string active_rows_in(const ErrorTable& table) {
  std::vector<std::uint32_t> numbers;
  for (const auto& [k, n, states] : table.classes) {
    if (numbers.empty() || numbers.back() != n) numbers.push_back(n);
  }
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    text += fmt::format("{}{}", i == 0 ? "" : ", ", numbers[i]);
    if (end > i) text += fmt::format(" .. {}", numbers[end]);
    i = end + 1;
  }
  return text;
}

std::string with_error(const ErrorTable& table, const Estimate& estimate) {
  if (table.method == TableMethod::exact) {
    const double bound = std::max(estimate.interval.upper - estimate.value,
                                  estimate.value - estimate.interval.lower);
    return fmt::format("{:<9} +-{}", probability_text(estimate.value), core::bound_text(bound));
  }
  if (estimate.value == 0.0) {
    return fmt::format("none seen [0, {}]", probability_text(estimate.interval.upper));
  }
  return fmt::format("{:<9} [{}, {}]", probability_text(estimate.value),
                     probability_text(estimate.interval.lower),
                     probability_text(estimate.interval.upper));
}

std::string error_title(const TableRecord& record, const IntervalChoice& intervals) {
  return record.table.method == TableMethod::exact
             ? "error bound"
             : fmt::format("[{:g} % interval]", 100.0 * intervals.confidence);
}

/// "Intervals: ..." for intervals that are not the usual ones.
std::string interval_note(const ErrorTable& table, const IntervalChoice& intervals) {
  const bool is_usual = intervals.method == core::IntervalMethod::clopper_pearson &&
                        intervals.scope == IntervalScope::entry;
  if (table.method == TableMethod::exact || is_usual) return {};
  return fmt::format("intervals: {}\n", interval_text(intervals));
}

/// What is guaranteed of classes that were sampled until they were misread often enough.
std::string guaranteed_lines(const ErrorTable& table, const std::vector<std::size_t>& rows,
                             double confidence) {
  const circuits::GuaranteedMisreads& guaranteed = *table.guaranteed;
  std::string text = fmt::format(
      "\nsampled until {} misreads, which give the rate to {:g} % at {:g} %, whatever it is\n"
      "{:>5}  {:<32}  {:>12}  {}\n",
      guaranteed.misreads, 100.0 * guaranteed.relative_error, 100.0 * guaranteed.confidence, "MAC",
      fmt::format("guaranteed [{:g} % interval]", 100.0 * confidence), "trials", "ended");
  for (const std::size_t row : rows) {
    const core::GammaBernoulli& found = guaranteed.classes[row];
    std::string rate = "not known so well";
    if (found.trials > 0) {
      const core::Interval interval = found.interval(confidence);
      rate = fmt::format("{:<9} [{}, {}]", probability_text(found.probability()),
                         probability_text(interval.lower), probability_text(interval.upper));
    }
    text += fmt::format("{:>5}  {:<32}  {:>12}  {}\n", table.label(row), rate, table.trials(row),
                        stop_text(table.stop_reason(row)));
  }
  return text;
}

core::Json guaranteed_as_json(const ErrorTable& table, std::size_t row, double confidence) {
  const core::GammaBernoulli& found = table.guaranteed->classes[row];
  if (found.trials == 0) return nullptr;
  const core::Interval interval = found.interval(confidence);
  return {{"misreads", found.successes},
          {"trial", found.trials},
          {"misread", found.probability()},
          {"lower", interval.lower},
          {"upper", interval.upper}};
}

void add_intervals(core::Json& object, const ErrorTable& table, const IntervalChoice& intervals) {
  object["confidence"] = intervals.confidence;
  if (table.method == TableMethod::monte_carlo) object["intervals"] = interval_text(intervals);
}

/// What tells a class from others of the same number of active rows.
core::Json key_as_json(const ErrorTable& table, std::size_t row) {
  if (table.state_values.empty()) return {{"lrs_count", table.classes[row].lrs_count}};
  core::Json counts = core::Json::array();
  for (std::size_t state = 0; state < table.state_values.size(); ++state) {
    counts.push_back(table.classes[row].states[state]);
  }
  return {{"mac_value", table.mac_value(row)}, {"state_counts", counts}};
}

DecadeAxis axis_for(const std::vector<Estimate>& estimates) {
  double smallest = 1.0;
  for (const Estimate& estimate : estimates) {
    if (estimate.value > 0.0) smallest = std::min(smallest, estimate.value);
  }
  return DecadeAxis::down_to(smallest, bar_columns);
}

}  // namespace

std::vector<std::size_t> require_classes(const ErrorTable& table, std::uint32_t active_rows) {
  std::vector<std::size_t> rows = classes_of(table, active_rows);
  if (rows.empty()) {
    throw core::UsageError(core::error_line(
        "--active-rows", "the table has no class of " + counted(active_rows, "active row"),
        "it has those of " + active_rows_in(table), "choose one of these"));
  }
  return rows;
}

std::size_t require_class(const ErrorTable& table, circuits::ColumnClass wanted) {
  if (!table.state_values.empty()) {
    throw core::UsageError(core::error_line(
        "--class", "has no place here", "classes of this table are rows in each of several states",
        "use --active-rows with --csv, or read the file"));
  }
  const std::optional<std::size_t> found = table.find(wanted);
  if (!found) {
    throw core::UsageError(core::error_line(
        "--class",
        fmt::format("the table has no class of {} among {}", counted(wanted.lrs_count, "LRS cell"),
                    counted(wanted.active_rows, "active row")),
        "numbers of active rows: " + active_rows_in(table), "write it as LRS,ACTIVE such as 3,16"));
  }
  return *found;
}

std::string format_levels(const TableRecord& record, std::uint32_t active_rows,
                          const IntervalChoice& intervals, TextStyle style) {
  const ErrorTable& table = record.table;
  const std::vector<std::size_t> rows = require_classes(table, active_rows);
  std::vector<Estimate> estimates;
  estimates.reserve(rows.size());
  for (const std::size_t row : rows) {
    estimates.push_back(misread_estimate(table, row, intervals));
  }
  const DecadeAxis axis = axis_for(estimates);
  std::size_t widest = 5;
  for (const std::size_t row : rows) widest = std::max(widest, table.label(row).size());
  std::string text = fmt::format(
      "misread rate of each MAC value at {} (the table has {}; --active-rows shows "
      "others)\n{:>{}}  {:<32}  {}\n",
      counted(active_rows, "active row"), active_rows_in(table), "MAC", widest,
      "misread   " + error_title(record, intervals), axis.caption());
  double sum = 0.0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    sum += estimates[i].value;
    text +=
        fmt::format("{:>5}  {:<32}  {}\n", table.label(rows[i]), with_error(table, estimates[i]),
                    bar(axis, estimates[i].value, estimates[i].interval.upper, style));
  }
  const auto worst =
      std::max_element(estimates.begin(), estimates.end(),
                       [](const Estimate& a, const Estimate& b) { return a.value < b.value; });
  const std::size_t worst_row = rows[static_cast<std::size_t>(worst - estimates.begin())];
  text += fmt::format("most misread: {} ({}); mean over the MAC values {}\n",
                      table.label(worst_row), probability_text(worst->value),
                      probability_text(sum / static_cast<double>(rows.size())));
  text += interval_note(table, intervals);
  if (table.guaranteed) text += guaranteed_lines(table, rows, intervals.confidence);
  return text;
}

std::string format_class(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals, TextStyle style) {
  const ErrorTable& table = record.table;
  const std::size_t row = require_class(table, column_class);
  std::vector<Estimate> estimates;
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    estimates.push_back(entry_estimate(table, row, code, intervals));
  }
  const DecadeAxis axis = axis_for(estimates);
  std::string text =
      fmt::format("P(code | {} among {}); misread {}", counted(column_class.lrs_count, "LRS cell"),
                  counted(column_class.active_rows, "active row"),
                  with_error(table, misread_estimate(table, row, intervals)));
  if (table.trials(row) > 0) text += ", " + counted(table.trials(row), "trial");
  if (table.guaranteed) text += ", " + stop_text(table.stop_reason(row));
  text += fmt::format("\n{:>5}  {:>9}  {:<32}  {}\n", "code", "MAC value",
                      "P         " + error_title(record, intervals), axis.caption());
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    const Estimate& estimate = estimates[code];
    text += fmt::format("{:>5}  {:>9g}  {:<32}  {}{}\n", code,
                        table.code_origin + table.code_step * code, with_error(table, estimate),
                        bar(axis, estimate.value, estimate.interval.upper, style),
                        code == table.ideal_code[row] ? " ideal" : "");
  }
  text += interval_note(table, intervals);
  if (table.guaranteed) text += guaranteed_lines(table, {row}, intervals.confidence);
  return text;
}

core::Json levels_as_json(const TableRecord& record, std::uint32_t active_rows,
                          const IntervalChoice& intervals) {
  const ErrorTable& table = record.table;
  core::Json levels = core::Json::array();
  for (const std::size_t row : require_classes(table, active_rows)) {
    const Estimate estimate = misread_estimate(table, row, intervals);
    core::Json level = key_as_json(table, row);
    level.update({{"ideal_code", table.ideal_code[row]},
                  {"trials", table.trials(row)},
                  {"misread", estimate.value},
                  {"lower", estimate.interval.lower},
                  {"upper", estimate.interval.upper}});
    if (table.guaranteed) {
      level["ended"] = stop_text(table.stop_reason(row));
      level["guaranteed"] = guaranteed_as_json(table, row, intervals.confidence);
    }
    levels.push_back(level);
  }
  core::Json object{{"active_rows", active_rows}};
  add_intervals(object, table, intervals);
  if (table.guaranteed) {
    object["target_relative_error"] = table.guaranteed->relative_error;
    object["target_confidence"] = table.guaranteed->confidence;
  }
  object["levels"] = levels;
  return object;
}

core::Json class_as_json(const TableRecord& record, circuits::ColumnClass column_class,
                         const IntervalChoice& intervals) {
  const ErrorTable& table = record.table;
  const std::size_t row = require_class(table, column_class);
  core::Json codes = core::Json::array();
  for (std::uint32_t code = 0; code < table.codes; ++code) {
    const Estimate estimate = entry_estimate(table, row, code, intervals);
    core::Json entry{{"code", code}, {"mac_value", table.code_origin + table.code_step * code}};
    if (!table.counts.empty()) entry["count"] = table.counts[row * table.codes + code];
    entry["probability"] = estimate.value;
    entry["lower"] = estimate.interval.lower;
    entry["upper"] = estimate.interval.upper;
    codes.push_back(entry);
  }
  core::Json object{{"lrs_count", column_class.lrs_count},
                    {"active_rows", column_class.active_rows},
                    {"ideal_code", table.ideal_code[row]}};
  add_intervals(object, table, intervals);
  if (table.guaranteed) {
    object["trials"] = table.trials(row);
    object["ended"] = stop_text(table.stop_reason(row));
    object["guaranteed"] = guaranteed_as_json(table, row, intervals.confidence);
  }
  object["codes"] = codes;
  return object;
}

circuits::ColumnClass parse_class(const std::string& text) {
  circuits::ColumnClass wanted;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, wanted.lrs_count);
  if (first.ec == std::errc() && first.ptr != end && *first.ptr == ',') {
    const auto second = std::from_chars(first.ptr + 1, end, wanted.active_rows);
    if (second.ec == std::errc() && second.ptr == end) return wanted;
  }
  throw core::UsageError(core::error_line("--class", fmt::format("\"{}\" is not a class", text),
                                          "two whole numbers LRS,ACTIVE are needed",
                                          "write it such as 3,16"));
}

}  // namespace cimstat::experiments
