#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
#include "experiments/report/rate_plot.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

/// The names of the figures' columns; `rate_fields` fills them.
void rate_fields(Csv& csv, const MisreadPoint& point, bool computed) {
  csv.number(point.rate, 12);
  if (computed) {
    csv.number(point.upper - point.rate, 2);
  } else {
    csv.number(point.lower, 6).number(point.upper, 6);
  }
  csv.end_line();
}

Csv level_numbers(const std::vector<MisreadPoint>& points) {
  const bool computed = all_computed(points);
  Csv csv = computed ? Csv{"mac_value", "misread", "error_bound"}
                     : Csv{"mac_value", "misread", "lower", "upper"};
  for (const MisreadPoint& point : points) {
    csv.whole(point.level);
    rate_fields(csv, point, computed);
  }
  return csv;
}

/// Of the levels at one number of active rows, the one that is misread most.
const MisreadPoint& worst_of(const std::vector<MisreadPoint>& points) {
  return *std::max_element(points.begin(), points.end(), [](const auto& one, const auto& other) {
    return std::pair(one.rate, one.upper) < std::pair(other.rate, other.upper);
  });
}

std::string worst_plot(const ReportInput& input, const std::vector<ActiveRowsFigures>& runs) {
  std::vector<MisreadPoint> worst;
  worst.reserve(runs.size());
  for (const ActiveRowsFigures& run : runs) worst.push_back(worst_of(run.misread));
  const RateAxis axis = rate_axis(worst);
  Plot plot("misread-rows-clip",
            "Misread probability of the worst MAC value at " +
                counted(runs.size(), "number of active rows", "numbers of active rows"),
            {960.0, 330.0, 44.0, 20.0},
            counting_axis("active rows", runs.front().active_rows, runs.back().active_rows),
            axis.axis());
  plot.vertical_line(input.active_rows, "here",
                     counted(input.active_rows, "active row") + ": shown in the other figures");
  const std::string arrow = draw_rates(
      plot, worst, axis, input.confidence,
      [&](std::size_t index) { return static_cast<double>(runs[index].active_rows); },
      [&](std::size_t index) {
        return fmt::format("{}: MAC value {} is misread most, {}",
                           counted(runs[index].active_rows, "active row"), worst[index].level,
                           misread_text(worst[index]));
      });
  plot.legend(rate_legend(worst, arrow, input.confidence));
  return plot_frame("misread of the worst MAC value", plot.svg());
}

/// Columns are MAC values, rows numbers of active rows.
std::string rows_map(const ReportInput& input, const std::vector<ActiveRowsFigures>& runs) {
  const std::uint32_t step = input.map_step;
  const std::uint32_t first = runs.front().active_rows;
  const std::uint32_t last = runs.back().active_rows;
  const std::uint32_t rows = (last - first) / step + 1;
  std::vector<MisreadPoint> all;
  for (const ActiveRowsFigures& run : runs) {
    all.insert(all.end(), run.misread.begin(), run.misread.end());
  }
  const auto [low, high] = std::minmax_element(
      all.begin(), all.end(), [](const auto& a, const auto& b) { return a.level < b.level; });
  const std::int64_t lowest = low->level;
  const std::int64_t highest = high->level;
  const auto columns = static_cast<std::uint32_t>((highest - lowest) / step + 1);
  double floor = 1.0;
  for (const MisreadPoint& point : all) {
    if (!is_upper_limit(point) && point.rate > 0.0) floor = std::min(floor, point.rate);
  }
  floor = std::clamp(std::pow(10.0, std::floor(std::log10(floor) + 1e-9)), 1e-12, 0.1);
  std::vector<int> shades(std::size_t{columns} * rows, Plot::kNoCell);
  double greatest_limit = 0.0;
  for (const ActiveRowsFigures& run : runs) {
    for (const MisreadPoint& point : run.misread) {
      const bool limit = is_upper_limit(point) || point.rate < floor;
      if (limit) greatest_limit = std::max(greatest_limit, point.upper);
      const auto column = static_cast<std::size_t>((point.level - lowest) / step);
      shades[std::size_t{(run.active_rows - first) / step} * columns + column] =
          limit ? Plot::kLimitCell : heat_shade(point.rate, floor);
    }
  }
  const double cell_height = std::clamp(560.0 / rows, 1.0, 26.0);
  const auto edges = [step](std::string title, std::int64_t from, std::int64_t to) {
    const auto left = static_cast<double>(from);
    const auto right = static_cast<double>(to);
    return Axis{std::move(title), left - 0.5 * step, right + 0.5 * step, Spacing::linear,
                linear_ticks(left, right, 12, 1.0)};
  };
  Plot plot(
      "misread-map-clip",
      fmt::format("Misread probability of each MAC value at {} to {} active rows", first, last),
      {960.0, 92.0 + cell_height * rows, 44.0, 110.0},
      edges("MAC value", lowest, lowest + std::int64_t{columns - 1} * step),
      edges("active rows", first, std::int64_t{first} + std::int64_t{rows - 1} * step));
  plot.cells(columns, rows, shades, "h");
  plot.colour_bar({"misread probability", floor, 1.0, Spacing::logarithmic, {}}, kHeatShades, "h");
  if (greatest_limit > 0.0) {
    const LegendItem item{
        LegendItem::Sign::patch, "limit",
        fmt::format(
            "{}: at most {}",
            all_computed(all) ? "below the scale, or hidden by the error bound" : "none seen",
            limit_text(greatest_limit))};
    plot.legend(std::span(&item, 1));
  }
  const HeatMapText text{
      .name = "misread-map",
      .numbers = "misread-rows",
      .label = "Misread probability by MAC value and active rows",
      .text = "MAC value {x} of {y} active rows is misread",
      .absent = "no such MAC value, or not in the table",
      .value = "misread",
      .limits = {},
      .x = {"mac_value", static_cast<int>(lowest), static_cast<int>(step),
            static_cast<int>(std::max<std::int64_t>(highest, lowest == 0 ? last : highest)),
            columns},
      .y = {"active_rows", static_cast<int>(first), static_cast<int>(step), static_cast<int>(last),
            rows}};
  return heat_map_frame(text, plot.svg());
}

Csv rows_numbers(const std::vector<ActiveRowsFigures>& runs) {
  bool computed = true;
  for (const ActiveRowsFigures& run : runs) computed = computed && all_computed(run.misread);
  Csv csv = computed ? Csv{"active_rows", "mac_value", "misread", "error_bound"}
                     : Csv{"active_rows", "mac_value", "misread", "lower", "upper"};
  for (const ActiveRowsFigures& run : runs) {
    for (const MisreadPoint& point : run.misread) {
      csv.count(run.active_rows).whole(point.level);
      rate_fields(csv, point, computed);
    }
  }
  return csv;
}

}  // namespace

bool all_computed(const std::vector<MisreadPoint>& points) {
  return std::all_of(points.begin(), points.end(), [](const MisreadPoint& point) {
    return point.basis == MisreadBasis::computed;
  });
}

std::string misread_figure(const ReportInput& input) {
  const std::vector<MisreadPoint>& points = input.misread;
  const RateAxis axis = rate_axis(points);
  Plot plot("misread-clip",
            fmt::format("Probability of a wrong code for {} MAC values", points.size()),
            {960.0, 360.0, 44.0, 20.0},
            counting_axis("MAC value", points.front().level, points.back().level), axis.axis());
  const std::string arrow = draw_rates(
      plot, points, axis, input.confidence,
      [&](std::size_t index) { return static_cast<double>(points[index].level); },
      [&](std::size_t index) {
        return fmt::format("MAC value {}: {}", points[index].level, misread_text(points[index]));
      });
  plot.legend(rate_legend(points, arrow, input.confidence));
  return plot_frame("misread by MAC value", plot.svg()) +
         numbers_below("misread", "misread rates", figure_file_stem(input) + "-misread.csv",
                       level_numbers(points));
}

std::string misread_rows_figure(const ReportInput& input) {
  std::vector<ActiveRowsFigures> runs;
  for (const ActiveRowsFigures& run : input.by_active_rows) {
    if (!run.misread.empty()) runs.push_back(run);
  }
  constexpr std::size_t kLeastForMap = 4;
  if (runs.size() < 2) return {};
  const std::string worst = worst_plot(input, runs);
  return (runs.size() < kLeastForMap
              ? worst
              : tabs("misread-rows", "what to show",
                     {{"every MAC value", rows_map(input, runs)}, {"worst MAC value", worst}})) +
         numbers_below("misread-rows", "misread rates by active rows",
                       file_stem(input.title) + "-misread-by-active-rows.csv", rows_numbers(runs));
}

}  // namespace cimstat::experiments::report
