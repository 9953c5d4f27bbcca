#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/palette.h"

namespace cimstat::experiments::report {
namespace {

std::string side_attributes(std::string_view name, const HeatMapText::Side& side) {
  return fmt::format(
      " data-{0}=\"{1}\" data-{0}-first=\"{2}\" data-{0}-step=\"{3}\" data-{0}-last=\"{4}\"", name,
      side.column, side.first, side.step, side.last);
}

}  // namespace

std::string figure_file_stem(const ReportInput& input) {
  return fmt::format("{}-n{}", file_stem(input.title), input.active_rows);
}

int heat_shade(double probability, double floor) {
  const double position = 1.0 - std::log(probability) / std::log(floor);
  return std::clamp(static_cast<int>(position * kHeatShades), 0, kHeatShades - 1);
}

std::string heat_map_frame(const HeatMapText& text, std::string_view svg) {
  std::string limits;
  for (const double limit : text.limits) {
    limits += fmt::format("{}{:.2g}", limits.empty() ? "" : " ", limit);
  }
  return fmt::format(
      "<div class=\"map\" tabindex=\"0\" role=\"application\" aria-roledescription=\"heat map\" "
      "aria-label=\"{0}; arrow keys move from cell to cell\" aria-describedby=\"{1}-readout\" "
      "data-readout=\"{1}-readout\" data-of=\"{2}\" data-text=\"{3}\" data-absent=\"{4}\" "
      "data-value=\"{5}\" data-limits=\"{6}\"{7}{8} data-columns=\"{9}\" data-rows=\"{10}\">\n"
      "{11}</div>\n"
      "<p class=\"readout\"><output id=\"{1}-readout\">Point at a cell, or focus the map and use "
      "the "
      "arrow keys.</output></p>\n",
      escaped(text.label), text.name, numbers_id(text.numbers), escaped(text.text),
      escaped(text.absent), text.value, limits, side_attributes("x", text.x),
      side_attributes("y", text.y), text.x.cells, text.y.cells, svg);
}

std::string plot_frame(std::string_view label, std::string_view svg) {
  return fmt::format("<div class=\"plot\" role=\"group\" aria-label=\"{}\">\n{}</div>\n",
                     escaped(label), svg);
}

}  // namespace cimstat::experiments::report
