#include <map>

#include <fmt/format.h>

#include "experiments/report/markup.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

/// Runs of equal neighbours along a row become one rectangle, in units of cells: a page of 16,641
/// cells stays small.
std::map<int, std::string> runs_of(std::uint32_t columns, std::uint32_t rows,
                                   std::span<const int> shades) {
  std::map<int, std::string> runs;
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::span<const int> line = shades.subspan(std::size_t{row} * columns, columns);
    for (std::uint32_t first = 0; first < columns;) {
      std::uint32_t end = first + 1;
      while (end < columns && line[end] == line[first]) ++end;
      runs[line[first]] += fmt::format("M{} {}h{}v1h-{}z", first, row, end - first, end - first);
      first = end;
    }
  }
  return runs;
}

}  // namespace

void Plot::cells(std::uint32_t columns, std::uint32_t rows, std::span<const int> shades,
                 std::string_view style_prefix) {
  std::string paths;
  for (const auto& [shade, route] : runs_of(columns, rows, shades)) {
    if (shade == kNoCell) continue;
    const std::string style =
        shade == kLimitCell ? std::string("limit") : fmt::format("{}{}", style_prefix, shade);
    paths += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, route);
  }
  marks_ += fmt::format(
      "<g class=\"cells\" transform=\"translate({} {})scale({:.5g} {:.5g})\">\n{}</g>\n",
      pixels(left_), pixels(bottom_), (right_ - left_) / columns, -(bottom_ - top_) / rows, paths);
}

}  // namespace cimstat::experiments::report
