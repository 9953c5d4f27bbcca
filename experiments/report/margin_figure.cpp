#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

using Margin = ActiveRowsFigures::Margin;

/// `rows` says which numbers of active rows a margin at n is over.
struct Curve {
  std::string name;
  std::string rows;
  std::string style;
  Margin ActiveRowsFigures::*margin;
};

std::vector<Curve> curves_of(const ReportInput& input) {
  const std::string sigmas = number_text(input.sigmas);
  return {
      {fmt::format("input-aware, {} sigma", sigmas), "exactly", "s0",
       &ActiveRowsFigures::input_aware},
      {fmt::format("pattern, {} sigma", sigmas), "up to", "s1 dashed", &ActiveRowsFigures::pattern},
      {fmt::format("quantile, tails of {}", number_text(input.tail_probability)), "exactly",
       "s2 dotted", &ActiveRowsFigures::quantile}};
}

Csv numbers_of(const ReportInput& input) {
  std::vector<std::string> names{"active_rows"};
  for (const char* margin : {"input_aware", "pattern", "quantile"}) {
    names.push_back(fmt::format("{}_{}", margin, input.unit));
    names.push_back(fmt::format("{}_mac_value", margin));
  }
  Csv csv(names);
  for (const ActiveRowsFigures& run : input.by_active_rows) {
    csv.count(run.active_rows);
    for (const Margin* margin : {&run.input_aware, &run.pattern, &run.quantile}) {
      csv.number(margin->value);
      if (std::isnan(margin->value)) {
        csv.text("");
      } else {
        csv.whole(margin->level);
      }
    }
    csv.end_line();
  }
  return csv;
}

}  // namespace

std::string margin_figure(const ReportInput& input) {
  constexpr std::size_t kDotsUpTo = 40;
  const std::vector<ActiveRowsFigures>& runs = input.by_active_rows;
  if (runs.size() < 2) return {};
  double least = 0.0;
  double most = 0.0;
  const std::vector<Curve> curves = curves_of(input);
  for (const ActiveRowsFigures& run : runs) {
    for (const Curve& curve : curves) {
      const double value = (run.*curve.margin).value;
      if (std::isnan(value)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
  }
  if (least == most) return {};  // nothing is known
  const CurrentUnit unit = unit_for(std::max(-least, most), input.unit);
  const double air = 0.06 * (most - least) / unit.size;
  const std::uint32_t first = runs.front().active_rows;
  const std::uint32_t last = runs.back().active_rows;
  const int wanted = last - first <= 20 ? static_cast<int>(last - first) + 1 : 12;
  Plot plot("margin-clip",
            fmt::format("Least read margins at {} to {} active rows: {} curves", first, last,
                        curves.size()),
            {960.0, 360.0, 44.0, 20.0},
            {"n, active rows", first - 0.7, last + 0.7, Spacing::linear,
             linear_ticks(first, last, wanted, 1.0)},
            {fmt::format("least read margin ({})", unit.name),
             least / unit.size - air,
             most / unit.size + air,
             Spacing::linear,
             {}});
  plot.horizontal_line(0.0, "zero", "margin 0: below, neighbours overlap");
  if (input.active_rows > 0) {
    plot.vertical_line(input.active_rows, "here",
                       counted(input.active_rows, "active row") + ": shown in the other figures");
  }
  std::vector<LegendItem> legend;
  for (const Curve& curve : curves) {
    std::vector<Point> points;
    for (const ActiveRowsFigures& run : runs) {
      const Margin& margin = run.*curve.margin;
      if (!std::isnan(margin.value)) {
        points.push_back({static_cast<double>(run.active_rows), margin.value / unit.size});
      }
    }
    if (points.empty()) continue;
    plot.line(points, curve.style, {});
    legend.push_back({LegendItem::Sign::line, curve.style,
                      fmt::format("{}, {} n rows", curve.name, curve.rows)});
    const bool dots = runs.size() <= kDotsUpTo || points.size() == 1;
    for (const ActiveRowsFigures& run : runs) {
      const Margin& margin = run.*curve.margin;
      if (std::isnan(margin.value)) continue;
      plot.dot({static_cast<double>(run.active_rows), margin.value / unit.size}, dots ? 3.0 : 4.0,
               dots ? curve.style : curve.style + " unseen",
               fmt::format("{}, {} {}: {} {} between MAC values {} and {}", curve.name, curve.rows,
                           counted(run.active_rows, "active row"),
                           number_text(margin.value / unit.size, 4), unit.name, margin.level,
                           margin.upper_level()));
    }
  }
  plot.legend(legend);
  return plot_frame("least margins by active rows", plot.svg()) +
         numbers_below("margins", "least margins by active rows",
                       file_stem(input.title) + "-margins-by-active-rows.csv", numbers_of(input));
}

}  // namespace cimstat::experiments::report
