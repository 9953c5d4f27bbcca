#include "experiments/report/report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/markup.h"
#include "experiments/report/page.h"

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
}

CurrentUnit unit_of(const ReportInput& input) {
  double largest = 0.0;
  for (const LevelDistribution& level : input.distributions) {
    for (const double current : level.current) largest = std::max(largest, std::abs(current));
  }
  return unit_for(largest);
}

/// For margins and spreads, which are far smaller than the currents of a column of many rows.
CurrentUnit table_unit_of(const ReportInput& input) {
  double largest_spread = 0.0;
  double largest = 0.0;
  for (const MarginRow& row : input.margins) {
    largest_spread = std::max(largest_spread, std::abs(row.sd));
    largest = std::max(largest, std::abs(row.mean));
  }
  return unit_for(largest_spread > 0.0 ? largest_spread : largest);
}

std::string section(std::string_view name, std::string_view title, std::string_view hint,
                    std::string_view content) {
  return fmt::format(
      "<section class=\"{}\">\n<h2>{}</h2>\n<p class=\"hint\">{}</p>\n{}</section>\n", name, title,
      hint, content);
}

std::string figure(std::string_view content) {
  return fmt::format("<figure>\n{}</figure>\n", content);
}

std::string card(std::string_view value, std::string_view what) {
  return fmt::format("<div><b>{}</b><span>{}</span></div>\n", escaped(value), escaped(what));
}

/// What a reader with ten seconds looks for.
std::string at_a_glance(const ReportInput& input, const CurrentUnit& unit) {
  constexpr std::size_t kMostBars = 3;
  std::string cards;
  if (!input.margins.empty()) {
    const auto least = std::min_element(
        input.margins.begin(), input.margins.end(), [](const MarginRow& a, const MarginRow& b) {
          return !std::isnan(a.quantile_margin) &&
                 (std::isnan(b.quantile_margin) || a.quantile_margin < b.quantile_margin);
        });
    if (!std::isnan(least->quantile_margin)) {
      cards +=
          card(fmt::format("{} {}", number_text(least->quantile_margin / unit.amperes), unit.name),
               fmt::format("least read margin, between MAC values {} and {}", least->level,
                           least->level + 1));
    }
  }
  if (!input.misread.empty()) {
    const auto worst = std::max_element(
        input.misread.begin(), input.misread.end(),
        [](const MisreadPoint& a, const MisreadPoint& b) { return a.rate < b.rate; });
    const bool none = std::all_of(input.misread.begin(), input.misread.end(),
                                  [](const MisreadPoint& point) { return is_upper_limit(point); });
    double limit = 0.0;
    for (const MisreadPoint& point : input.misread) limit = std::max(limit, point.upper);
    cards += none ? card("< " + number_text(limit, 2), "misread probability of every MAC value")
                  : card(number_text(worst->rate),
                         fmt::format("worst misread probability, at MAC value {}", worst->level));
  }
  for (std::size_t index = 0; index < std::min(input.accuracy.size(), kMostBars); ++index) {
    cards += card(percent_text(input.accuracy[index].value, 2),
                  fmt::format("accuracy, {}", input.accuracy[index].label));
  }
  return cards.empty() ? cards : fmt::format("<div class=\"glance\">\n{}</div>\n", cards);
}

std::string facts(const ReportInput& input) {
  std::string items;
  for (const auto& [name, value] : input.facts) {
    items += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  }
  return items.empty() ? items
                       : fmt::format(
                             "<section class=\"facts\">\n<h2>What was computed</h2>\n"
                             "<dl>\n{}</dl>\n</section>\n",
                             items);
}

std::string heading(std::string_view name, std::string_view unit) {
  return unit.empty() ? fmt::format("<th scope=\"col\">{}</th>", name)
                      : fmt::format("<th scope=\"col\">{}<small>{}</small></th>", name, unit);
}

std::string table(const ReportInput& input, const CurrentUnit& unit) {
  double least_margin = std::numeric_limits<double>::infinity();
  double most_misread = 0.0;
  for (const MarginRow& row : input.margins) {
    if (row.quantile_margin < least_margin) least_margin = row.quantile_margin;
    most_misread = std::max(most_misread, row.misread.rate);
  }
  const bool computed =
      std::all_of(input.margins.begin(), input.margins.end(),
                  [](const MarginRow& row) { return row.misread.basis == MisreadBasis::computed; });
  std::string rows;
  for (const MarginRow& row : input.margins) {
    const auto current = [&](double value) {
      return fmt::format("<td>{}</td>", number_text(value / unit.amperes, 4));
    };
    const auto marked = [](bool worst, std::string_view text) {
      return fmt::format("<td{}>{}</td>", worst ? " class=\"worst\"" : "", escaped(text));
    };
    rows +=
        fmt::format("<tr><th scope=\"row\">{}</th>", row.level) + current(row.mean) +
        current(row.sd) + current(row.low_quantile) + current(row.high_quantile) +
        current(row.input_aware_margin) + current(row.pattern_margin) +
        marked(row.quantile_margin == least_margin,
               number_text(row.quantile_margin / unit.amperes, 4)) +
        fmt::format("<td>{}</td>", number_text(row.overlap)) +
        marked(row.misread.rate > 0.0 && row.misread.rate == most_misread, rate_text(row.misread)) +
        fmt::format("<td><small>{}</small></td></tr>\n", escaped(interval_text(row.misread)));
  }
  return fmt::format(
      "<div class=\"scroll\">\n<table>\n<thead><tr>{}{}{}{}{}{}{}{}{}{}{}</tr></thead>\n"
      "<tbody>\n{}</tbody>\n</table>\n</div>\n",
      heading("MAC value", ""), heading("mean", unit.name), heading("sd", unit.name),
      heading("low quantile", unit.name), heading("high quantile", unit.name),
      heading("input-aware margin", unit.name), heading("pattern margin", unit.name),
      heading("quantile margin", unit.name), heading("overlap", "with the next"),
      heading("misread", "probability"),
      computed ? heading("error bound", "")
               : heading("interval", percent_text(input.confidence, 0)),
      rows);
}

std::string rows_text(const ReportInput& input) {
  return input.active_rows == 0 ? std::string()
                                : fmt::format(" with {} active rows", input.active_rows);
}

}  // namespace

std::string render_report(const ReportInput& input) {
  require_consistent(input);
  const CurrentUnit unit = unit_of(input);
  const CurrentUnit table_unit = table_unit_of(input);
  const std::string confidence = percent_text(input.confidence, 0);
  std::string body = fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\">Read margin and misreads of an "
      "analog compute-in-memory column{}</p>\n",
      escaped(input.title), rows_text(input));
  body += at_a_glance(input, table_unit);
  body += facts(input);
  if (!input.distributions.empty()) {
    body += section("distributions", "Sensed current of each MAC value",
                    fmt::format("What the converter sees{}: bit line, offset and noise together. "
                                "Where neighbouring curves overlap, or cross a reference, values "
                                "are misread; the logarithmic axis shows the tails.",
                                rows_text(input)),
                    figure(distribution_figure(input, unit)));
  }
  if (!input.confusion.probability.empty()) {
    body += section("confusion", "Which code each MAC value gives", confusion_hint(input.confusion),
                    figure(confusion_figure(input.confusion)));
  }
  if (!input.misread.empty()) {
    body += section("misread", "How often each MAC value is misread",
                    fmt::format("P(code ≠ right code | MAC value){}.", rows_text(input)),
                    figure(misread_figure(input)));
  }
  if (!input.accuracy.empty()) {
    body += section("accuracy", "Accuracy of the network",
                    fmt::format("Share of right answers, with {} intervals.", confidence),
                    figure(accuracy_figure(input)));
  }
  if (!input.margins.empty()) {
    body += section("table", "Figures of each MAC value",
                    "Margins are those to the next MAC value. Bold: the worst.",
                    table(input, table_unit));
  }
  if (!input.config_toml.empty()) {
    body += section("config", "Configuration",
                    "Resolved, in SI units, with every default: running it again gives the same "
                    "figures.",
                    fmt::format("<pre>{}</pre>\n", escaped(input.config_toml)));
  }
  return page(input.title, body);
}

}  // namespace cimstat::experiments
