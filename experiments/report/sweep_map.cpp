#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/palette.h"
#include "experiments/report/sweep_figures.h"

namespace cimstat::experiments::report {

namespace {

struct Cells {
  std::vector<int> shades;
  bool has_limits = false;
  bool has_unknown = false;
  double greatest_limit = 0.0;
};

/// Rows from below.
Cells cells_of(const SweepView& view, SweepChoice choice, const AxisView& x, const AxisView& y) {
  Cells cells;
  for (std::size_t row = 0; row < y.numbers.size(); ++row) {
    for (std::size_t column = 0; column < x.numbers.size(); ++column) {
      choice.indices[x.dimension] = column;
      choice.indices[y.dimension] = row;
      const std::uint64_t point = point_at(view.record, choice.indices);
      const SweepScalar& scalar = view.record.scalars[choice.scalar];
      const double value = view.value(choice.scalar, point);
      const ScalarView& quantity = view.scalars[choice.scalar];
      switch (knowledge_of(view.record, scalar, point)) {
        case Knowledge::nothing:
          cells.has_unknown = true;
          cells.shades.push_back(Plot::kNoCell);
          continue;
        case Knowledge::none_seen:
        case Knowledge::below_bound:
          cells.has_limits = true;
          cells.greatest_limit = std::max(cells.greatest_limit, view.upper(choice.scalar, point));
          cells.shades.push_back(Plot::kLimitCell);
          continue;
        default:
          break;
      }
      if (quantity.is_logarithmic && !(value >= quantity.least)) {
        cells.has_limits = true;
        cells.greatest_limit = std::max(cells.greatest_limit, value);
        cells.shades.push_back(Plot::kLimitCell);
      } else {
        cells.shades.push_back(quantity.shade(value));
      }
    }
  }
  return cells;
}

Axis cell_axis(const AxisView& view, std::size_t wanted) {
  const double last = static_cast<double>(view.numbers.size()) - 1.0;
  return {view.name, -0.5, last + 0.5, Spacing::linear, text_ticks(view.texts, wanted)};
}

std::string picture(const SweepView& view, const SweepChoice& choice, const AxisView& x,
                    const AxisView& y) {
  const Cells cells = cells_of(view, choice, x, y);
  const ScalarView& quantity = view.scalars[choice.scalar];
  const auto columns = static_cast<std::uint32_t>(x.numbers.size());
  const auto rows = static_cast<std::uint32_t>(y.numbers.size());
  // Fewer rows are taller; the colour bar needs some height whatever there is.
  const double height = std::clamp(34.0 * rows, 170.0, 460.0);
  const double above = quantity.has_special ? 44.0 : 16.0;  // for the legend
  Plot plot("sweep-map-clip", fmt::format("{} over {} and {}", quantity.name, x.name, y.name),
            {960.0, height + 48.0 + above, above, 118.0}, cell_axis(x, texts_in(740.0, x.texts)),
            cell_axis(y, static_cast<std::size_t>(height / 22.0)));
  plot.cells(columns, rows, cells.shades, "h");
  plot.colour_bar({quantity.title,
                   quantity.least,
                   quantity.most,
                   quantity.is_logarithmic ? Spacing::logarithmic : Spacing::linear,
                   {}},
                  kHeatShades, "h");
  std::vector<LegendItem> legend;
  if (cells.has_limits) {
    legend.push_back(
        {LegendItem::Sign::patch, "limit",
         fmt::format("{}: at most {}",
                     view.record.origin.method == "exact" ? "below the error bound or the scale"
                                                          : "none seen",
                     limit_text(cells.greatest_limit))});
  }
  if (cells.has_unknown) legend.push_back({LegendItem::Sign::patch, "blank", "not known"});
  plot.legend(legend);
  return plot.svg();
}

}  // namespace

std::string sweep_map_figure(const SweepView& view) {
  const std::vector<std::size_t> axes = varying_listed_axes(view);
  if (axes.size() < 2 || view.scalars.empty()) return {};
  const SweepChoice choice = first_choice(view);
  const AxisView& x = view.axes[axes[0]];
  const AxisView& y = view.axes[axes[1]];
  const std::vector<std::size_t> taken{x.dimension, y.dimension};
  std::vector<SelectOption> options;
  for (const std::size_t axis : axes) {
    options.push_back({std::to_string(axis), view.axes[axis].name});
  }
  const std::string controls =
      quantity_control(view, "map", choice) +
      select_control("map-x", "x", "across", options, std::to_string(x.axis)) +
      select_control("map-y", "y", "up", options, std::to_string(y.axis)) +
      select_control("map-range", "range", "colours over",
                     {{"all", "all slices"}, {"slice", "this slice"}}, "all") +
      slice_controls(view, "map", choice, taken);
  const std::string frame = fmt::format(
      "<div class=\"map\" tabindex=\"0\" role=\"application\" aria-roledescription=\"heat map\" "
      "aria-label=\"Quantity over two axes; arrow keys move from cell to cell\" "
      "aria-describedby=\"sweep-map-readout\" data-readout=\"sweep-map-readout\" "
      "data-columns=\"{}\" data-rows=\"{}\">\n{}</div>\n"
      "<p class=\"readout\"><output id=\"sweep-map-readout\">Point at a cell, or focus the map and "
      "use the arrow keys.</output></p>\n",
      x.numbers.size(), y.numbers.size(), picture(view, choice, x, y));
  return sweep_frame("map", controls, slice_text(view, choice, taken), frame);
}

}  // namespace cimstat::experiments::report
