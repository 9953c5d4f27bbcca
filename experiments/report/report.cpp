#include "experiments/report/report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/markup.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/provenance.h"
#include "experiments/report/summary.h"

namespace cimstat::experiments {
namespace {

using namespace report;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("report: ") + what);
}

void require_consistent(const ReportInput& input) {
  for (const LevelDistribution& level : input.distributions) {
    require(level.current.size() == level.density.size(),
            "a distribution has as many currents as densities");
  }
  const ConfusionMap& map = input.confusion;
  require(map.probability.size() == std::size_t{map.levels} * map.codes,
          "the confusion map is levels x codes");
  require(map.probability.empty() || map.ideal.size() == map.levels,
          "the confusion map has one ideal code for each level");
  if (input.columns) {
    const ColumnSpread& spread = *input.columns;
    const std::size_t levels = spread.quantile_levels.size();
    require(!spread.rates.empty() && !spread.by_level.empty() && levels >= 3 &&
                spread.quantiles.size() == levels,
            "a spread over columns has rates, MAC values and three quantiles or more");
    for (const ColumnSpread::Level& level : spread.by_level) {
      require(level.quantiles.size() == levels, "each MAC value has every quantile");
    }
  }
  if (input.before) {
    require(input.before->references.size() == input.references.size() &&
                input.before->misread.size() == input.misread.size() && !input.misread.empty(),
            "references before and after are of the same codes and MAC values");
  }
}

CurrentUnit unit_of(const ReportInput& input) {
  double largest = 0.0;
  for (const LevelDistribution& level : input.distributions) {
    for (const double current : level.current) largest = std::max(largest, std::abs(current));
  }
  return unit_for(largest, input.unit);
}

/// For margins and spreads, which are far smaller than the currents of a column of many rows.
CurrentUnit table_unit_of(const ReportInput& input) {
  double largest_spread = 0.0;
  double largest = 0.0;
  for (const MarginRow& row : input.margins) {
    largest_spread = std::max(largest_spread, std::abs(row.sd));
    largest = std::max(largest, std::abs(row.mean));
  }
  return unit_for(largest_spread > 0.0 ? largest_spread : largest, input.unit);
}

std::string heading(std::string_view name, std::string_view unit) {
  return unit.empty() ? fmt::format("<th scope=\"col\">{}</th>", name)
                      : fmt::format("<th scope=\"col\">{}<small>{}</small></th>", name, unit);
}

/// What makes a line of the table stand out.
struct Worst {
  double margin = std::numeric_limits<double>::infinity();
  double misread = 0.0;
};

Worst worst_of(const std::vector<MarginRow>& margins) {
  Worst worst;
  for (const MarginRow& row : margins) {
    if (row.quantile_margin < worst.margin) worst.margin = row.quantile_margin;
    if (!is_upper_limit(row.misread)) worst.misread = std::max(worst.misread, row.misread.rate);
  }
  return worst;
}

std::string marked(bool worst, std::string_view text) {
  return fmt::format("<td{}>{}</td>", worst ? " class=\"worst\"" : "", escaped(text));
}

Csv table_numbers(const ReportInput& input) {
  std::vector<std::string> names{"mac_value"};
  for (const char* name : {"mean", "sd", "low_quantile", "high_quantile", "input_aware_margin",
                           "pattern_margin", "quantile_margin"}) {
    names.push_back(fmt::format("{}_{}", name, input.unit));
  }
  for (const char* name : {"overlap", "misread", "misread_lower", "misread_upper"}) {
    names.emplace_back(name);
  }
  Csv csv(names);
  for (const MarginRow& row : input.margins) {
    csv.whole(row.level);
    for (const double value :
         {row.mean, row.sd, row.low_quantile, row.high_quantile, row.input_aware_margin,
          row.pattern_margin, row.quantile_margin, row.overlap, row.misread.rate, row.misread.lower,
          row.misread.upper}) {
      csv.number(value, 12);
    }
    csv.end_line();
  }
  return csv;
}

std::string table(const ReportInput& input, const CurrentUnit& unit) {
  const Worst worst = worst_of(input.margins);
  const bool computed =
      std::all_of(input.margins.begin(), input.margins.end(),
                  [](const MarginRow& row) { return row.misread.basis == MisreadBasis::computed; });
  std::string rows;
  for (const MarginRow& row : input.margins) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th>", row.level);
    for (const double value : {row.mean, row.sd, row.low_quantile, row.high_quantile,
                               row.input_aware_margin, row.pattern_margin}) {
      rows += fmt::format("<td>{}</td>", number_text(value / unit.size, 4));
    }
    rows += marked(row.quantile_margin == worst.margin,
                   number_text(row.quantile_margin / unit.size, 4)) +
            fmt::format("<td>{}</td>", number_text(row.overlap)) +
            marked(row.misread.rate > 0.0 && row.misread.rate == worst.misread,
                   rate_text(row.misread)) +
            fmt::format("<td><small>{}</small></td></tr>\n", escaped(interval_text(row.misread)));
  }
  std::string headings = heading("MAC value", "");
  for (const char* name : {"mean", "sd", "low quantile", "high quantile"}) {
    headings += heading(name, unit.name);
  }
  for (const auto& [name, rows_active] : {std::pair("input-aware margin", "exactly"),
                                          {"pattern margin", "up to"},
                                          {"quantile margin", "exactly"}}) {
    headings +=
        heading(name, input.active_rows == 0 ? unit.name
                                             : fmt::format("{}, {} {}", unit.name, rows_active,
                                                           counted(input.active_rows, "row")));
  }
  headings += heading("overlap", "with the next") + heading("misread", "probability") +
              (computed ? heading("error bound", "")
                        : heading("interval", percent_text(input.confidence, 0)));
  return fmt::format(
             "<div class=\"scroll\" tabindex=\"0\" role=\"region\" "
             "aria-labelledby=\"table-title\">\n"
             "<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
             headings, rows) +
         numbers_below("table", "figures of each MAC value, in full precision",
                       figure_file_stem(input) + "-figures.csv", table_numbers(input));
}

std::string rows_text(const ReportInput& input) {
  return input.active_rows == 0 ? std::string()
                                : " with " + counted(input.active_rows, "active row");
}

/// Whether other numbers of active rows take nothing off any margin (replica references).
bool patterns_agree(const ReportInput& input) {
  return std::all_of(input.by_active_rows.begin(), input.by_active_rows.end(),
                     [](const ActiveRowsFigures& figures) {
                       const double apart = figures.input_aware.value - figures.pattern.value;
                       return std::abs(apart) <= 1e-6 * std::abs(figures.pattern.value);
                     });
}

}  // namespace

std::string render_report(const ReportInput& input) {
  require_consistent(input);
  const CurrentUnit unit = unit_of(input);
  const CurrentUnit table_unit = table_unit_of(input);
  const std::string rows = rows_text(input);
  const std::string note = input.level_note.empty() ? "" : " " + input.level_note;
  std::vector<Section> sections;
  const auto add = [&](std::string name, std::string short_title, std::string title,
                       std::string hint, std::string content) {
    if (content.empty()) return;
    sections.push_back({std::move(name), std::move(short_title), std::move(title), std::move(hint),
                        fmt::format("<figure>\n{}</figure>\n", content)});
  };
  if (!input.distributions.empty()) {
    add("distributions", "Distributions",
        fmt::format("Sensed {} of each MAC value", input.quantity),
        fmt::format("What the converter sees{}: bit line, offset and noise together. Where "
                    "neighbours overlap, or a curve crosses a reference, values are misread; the "
                    "logarithmic axis shows the tails.{}",
                    rows, note),
        distribution_figure(input, unit));
  }
  add("margins", "Margins", "Read margin against active rows",
      fmt::format(
          "At each number of active rows the least margin of all neighbouring MAC values. "
          "Input-aware: mean \u2213 {0} sd of both neighbours, exactly this number of rows active. "
          "Pattern: the same when any number of rows up to this one may be active. Quantile: "
          "between the tails of probability {1}, whatever the shape, exactly this number active. "
          "Below 0 they overlap.{2}{3}",
          number_text(input.sigmas), number_text(input.tail_probability),
          patterns_agree(input) ? " Here the least input-aware and pattern margins are the same."
                                : "",
          note),
      margin_figure(input));
  if (!input.confusion.probability.empty()) {
    add("confusion", "Codes", "Which code each MAC value gives",
        confusion_hint(input.confusion) + note, confusion_figure(input));
  }
  if (!input.misread.empty()) {
    add("misread", "Misreads", "How often each MAC value is misread",
        fmt::format("P(code \u2260 right code | MAC value){}.{}", rows, note),
        misread_figure(input));
  }
  add("misread-rows", "All active rows", "Misreads against active rows",
      note.empty() ? "Every class of the table: each MAC value at each number of active rows."
                   : "Each MAC value at each number of active rows." + note,
      misread_rows_figure(input));
  if (input.before) {
    add("references", "References", "References before and after",
        fmt::format(
            "With {} references and with those that the configuration lists{}. Mean misread "
            "over these MAC values: {} before, {} after. Each counts alike here: references "
            "placed for values that are not equally frequent may rightly cost the rare ones.",
            input.before->name, rows, number_text(input.before->mean_misread, 4),
            number_text(input.before->mean_misread_after, 4)),
        references_figure(input, table_unit));
  }
  if (input.columns) {
    add("columns", "Columns", "How columns differ", input.columns->hint, columns_figure(input));
  }
  if (!input.accuracy.empty()) {
    add("accuracy", "Accuracy", "Accuracy of the network",
        fmt::format("Share of right answers with {} intervals: over images for exact integers "
                    "(Clopper-Pearson) and on the macro (Student's t, reads of an image averaged "
                    "first; where all agree, Clopper-Pearson's limit of none seen).",
                    percent_text(input.confidence, 0)),
        accuracy_figure(input));
  }
  if (std::string content = answers_figure(input); !content.empty()) {
    add("answers", "Answers", "What images are taken for",
        "Share of each label's answers that are a class. On the diagonal stand right answers. "
        "Point "
        "at a cell, or focus the map and use the arrow keys.",
        std::move(content));
  }
  if (std::string content = layers_figure(input); !content.empty()) {
    add("layers", "Layers", "Layers on arrays",
        fmt::format("What columns make of each layer's sums, beside exact integers. {} intervals "
                    "over images.",
                    percent_text(input.confidence, 0)),
        std::move(content));
  }
  if (!input.margins.empty()) {
    add("table", "Figures", "Figures of each MAC value",
        "Margins and overlaps are those with the next MAC value. Bold: the worst." + note,
        table(input, table_unit));
  }
  for (Section& section : provenance_sections(input)) sections.push_back(std::move(section));
  return page(input.title, summary(input, table_unit), sections);
}

}  // namespace cimstat::experiments
