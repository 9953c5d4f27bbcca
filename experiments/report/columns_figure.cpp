#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/rate_plot.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

std::string rate_text(const ColumnSpread::Rate& rate) {
  const std::string upper = rate.upper < 1.0 ? number_text(rate.upper) : "not known";
  const std::string lower = rate.lower > 0.0 ? number_text(rate.lower) : "0";
  return fmt::format("{} ({} to {})", number_text(rate.value), lower, upper);
}

/// The same point for the axis: rates that are 0 or end beyond the plot set no limit to it.
MisreadPoint point_of(std::int64_t level, const ColumnSpread::Rate& rate) {
  return {level, rate.value, rate.lower, rate.upper < 1.0 ? rate.upper : rate.value,
          MisreadBasis::sampled};
}

/// The share of columns whose rate is above x: a stair down from 1, thinned where columns are many.
std::vector<Point> shares_above(const std::vector<double>& rates, double low) {
  constexpr std::size_t most_steps = 1500;
  const std::size_t count = rates.size();
  const auto share = [&](std::size_t below) {
    return static_cast<double>(count - below) / static_cast<double>(count);
  };
  std::vector<Point> points{{low, 1.0}};
  const std::size_t step = std::max<std::size_t>(1, count / most_steps);
  for (std::size_t i = 0; i < count;) {
    const double x = std::max(rates[i], low);
    points.push_back({x, points.back().y});
    points.push_back({x, share(i)});
    // Every column counts in the tail, which is what the picture is about.
    i += count - i > most_steps ? step : 1;
  }
  points.push_back({std::max(rates.back(), low), share(count - 1)});
  return points;
}

std::string over_columns(const ColumnSpread& spread) {
  std::vector<MisreadPoint> ends;
  constexpr double least_shown = 1e-15;  // good columns reach far below what any design asks for
  const auto shown = std::lower_bound(spread.rates.begin(), spread.rates.end(), least_shown);
  const double least = shown == spread.rates.end() ? spread.rates.back() : *shown;
  for (const double rate : {least, spread.rates.back(), spread.limit}) {
    ends.push_back({0, rate, rate, rate, MisreadBasis::sampled});
  }
  const RateAxis axis = rate_axis(ends);
  const auto count = static_cast<double>(spread.rates.size());
  const double lowest_share = std::pow(10.0, std::floor(-std::log10(count) + 1e-9));
  Plot plot(
      "columns-clip",
      fmt::format("Share of {} with a misread rate above each rate",
                  counted(spread.rates.size(), "column")),
      {960.0, 360.0, 44.0, 20.0},
      {"misread rate of a column, " + spread.judged, axis.low, axis.high, Spacing::logarithmic, {}},
      {"share of columns above", std::min(lowest_share, 0.1), 1.0, Spacing::logarithmic, {}});
  plot.line(shares_above(spread.rates, axis.low), "s0", "share of columns with a higher rate");
  std::vector<LegendItem> legend = {{LegendItem::Sign::line, "s0", "columns"}};
  if (spread.limit > axis.low) {
    plot.vertical_line(spread.limit, "here", fmt::format("limit {}", number_text(spread.limit)));
    legend.push_back({LegendItem::Sign::line, "here", "limit " + number_text(spread.limit)});
  }
  for (std::size_t i = 0; i < spread.quantile_levels.size(); ++i) {
    const ColumnSpread::Rate& rate = spread.quantiles[i];
    const double share = 1.0 - spread.quantile_levels[i];
    if (share < lowest_share || rate.value < axis.low) continue;
    plot.dot({rate.value, share}, 4.0, "s1",
             fmt::format("{} of columns have at most {}", percent_text(spread.quantile_levels[i]),
                         rate_text(rate)));
  }
  legend.push_back({LegendItem::Sign::dot, "s1", "quantiles"});
  plot.legend(legend);
  return plot_frame("misread rates over columns", plot.svg());
}

std::string by_level(const ColumnSpread& spread, double confidence) {
  struct Series {
    double shift;
    std::string name;
    std::string_view style;
    const ColumnSpread::Rate& (*rate)(const ColumnSpread::Level&);
  };
  // Their places in quantile_levels: the median and 99 %.
  const std::array<Series, 3> all = {
      {{-0.2, "median", "s0",
        [](const ColumnSpread::Level& level) -> const ColumnSpread::Rate& {
          return level.quantiles[0];
        }},
       {0.0, "mean", "s1",
        [](const ColumnSpread::Level& level) -> const ColumnSpread::Rate& { return level.mean; }},
       {0.2, "99 % of columns", "s2",
        [](const ColumnSpread::Level& level) -> const ColumnSpread::Rate& {
          return level.quantiles[2];
        }}}};
  std::vector<MisreadPoint> points;
  for (const ColumnSpread::Level& level : spread.by_level) {
    for (const Series& series : all) points.push_back(point_of(level.level, series.rate(level)));
  }
  const RateAxis axis = rate_axis(points);
  Plot plot("columns-levels-clip",
            fmt::format("Median, mean and 99 % quantile of the misread rate for {} MAC values",
                        spread.by_level.size()),
            {960.0, 360.0, 44.0, 20.0},
            counting_axis("MAC value", spread.by_level.front().level, spread.by_level.back().level),
            axis.axis());
  std::vector<LegendItem> legend;
  for (const Series& series : all) {
    for (const ColumnSpread::Level& level : spread.by_level) {
      const ColumnSpread::Rate& rate = series.rate(level);
      const std::string hover =
          fmt::format("MAC value {}, {}: {}", level.level, series.name, rate_text(rate));
      const double x = static_cast<double>(level.level) + series.shift;
      if (rate.value >= axis.low) {
        plot.measured(x, rate.value, rate.lower, rate.upper, series.style, hover);
      } else {
        plot.upper_limit({x, axis.low * std::pow(axis.high / axis.low, 0.08)}, series.style, hover);
      }
    }
    legend.push_back({LegendItem::Sign::dot, std::string(series.style),
                      series.name + (series.shift == 0.0 ? fmt::format(", {} intervals",
                                                                       percent_text(confidence, 0))
                                                         : std::string())});
  }
  plot.legend(legend);
  return plot_frame("misread rates over columns by MAC value", plot.svg());
}

std::string facts(const ColumnSpread& spread) {
  std::string list;
  for (const auto& [name, value] : spread.facts) {
    list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(name), escaped(value));
  }
  return "<dl>\n" + list + "</dl>\n";
}

Csv numbers_of(const ColumnSpread& spread) {
  Csv csv{"mac_value", "quantile", "misread", "lower", "upper"};
  const auto line = [&](const std::string& level, const std::string& what,
                        const ColumnSpread::Rate& rate) {
    csv.text(level).text(what).number(rate.value).number(rate.lower).number(rate.upper).end_line();
  };
  for (const ColumnSpread::Level& level : spread.by_level) {
    const std::string name = fmt::format("{}", level.level);
    line(name, "mean", level.mean);
    for (std::size_t i = 0; i < level.quantiles.size(); ++i) {
      line(name, fmt::format("{:g}", spread.quantile_levels[i]), level.quantiles[i]);
    }
  }
  for (std::size_t i = 0; i < spread.quantiles.size(); ++i) {
    line("judged", fmt::format("{:g}", spread.quantile_levels[i]), spread.quantiles[i]);
  }
  return csv;
}

}  // namespace

std::string columns_figure(const ReportInput& input) {
  const ColumnSpread& spread = *input.columns;
  return tabs("columns", "what to show",
              {{"over columns", over_columns(spread)},
               {"by MAC value", by_level(spread, input.confidence)}}) +
         facts(spread) +
         numbers_below("columns", "misread rates over columns",
                       file_stem(input.title) + "-columns.csv", numbers_of(spread));
}

}  // namespace cimstat::experiments::report
