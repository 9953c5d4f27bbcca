#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/page.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

/// More cells than this along one side are taken together: the page would grow and show no more.
constexpr std::uint32_t kMostBins = 130;
/// Up to this many levels and codes each cell is large enough for its number.
constexpr std::uint32_t kFewBins = 20;
constexpr double kRoomLeft = 70.0;
constexpr double kRoomBelow = 48.0;
constexpr double kRoomRight = 110.0;

struct Bins {
  std::uint32_t count = 0;
  std::uint32_t width = 1;
  std::uint32_t of = 0;
  double edge(std::uint32_t bin) const { return std::min(bin * width, of) - 0.5; }
};

Bins bins_for(std::uint32_t count) {
  const std::uint32_t width = (count + kMostBins - 1) / kMostBins;
  return {(count + width - 1) / width, width, count};
}

std::string range_text(std::uint32_t bin, const Bins& bins) {
  const std::uint32_t first = bin * bins.width;
  const std::uint32_t last = std::min(first + bins.width, bins.of) - 1;
  return first == last ? fmt::format("{}", first) : fmt::format("{}–{}", first, last);
}

/// Percent in few letters; the hover text says it in full.
std::string cell_text(double probability) {
  if (probability > 0.9995 && probability < 1.0) return ">99.9";
  if (probability < 1e-4) return "<0.01";
  return fmt::format("{:.{}f}", 100.0 * probability, probability < 0.01 ? 2 : 1);
}

Axis counting_axis(std::string title, double low, double high) {
  const int wanted = high - low < kFewBins ? static_cast<int>(high - low) + 1 : 12;
  return {std::move(title), low - 0.5, high + 0.5, Spacing::linear,
          linear_ticks(low, high, wanted, 1.0)};
}

int shade_for(double probability, double floor) {
  const double position = 1.0 - std::log(probability) / std::log(floor);
  return std::clamp(static_cast<int>(position * kHeatShades), 0, kHeatShades - 1);
}

Axis colour_axis(double floor) {
  return {"P(code | MAC value)", floor, 1.0, Spacing::logarithmic, {}};
}

double probability_of(const ConfusionMap& map, std::uint32_t level, std::uint32_t code) {
  return map.probability[std::size_t{level} * map.codes + code];
}

/// Codes to the right, MAC values upward.
std::string code_map(const ConfusionMap& map, double floor) {
  constexpr double kLargestCell = 56.0;
  constexpr int kStrongFrom = 13;  // shades on which text takes the colour of the page
  const Bins rows = bins_for(map.levels);
  const Bins columns = bins_for(map.codes);
  const bool few = rows.count <= kFewBins && columns.count <= kFewBins;
  const double cell_height = std::min(kLargestCell, 600.0 / rows.count);
  const double cell_width = std::min({kLargestCell, 780.0 / columns.count, 2.5 * cell_height});
  Plot plot(
      "confusion-clip",
      fmt::format("Probability of each code for {} MAC values and {} codes", map.levels, map.codes),
      {kRoomLeft + cell_width * columns.count + kRoomRight,
       16.0 + cell_height * rows.count + kRoomBelow, 16.0, kRoomRight},
      counting_axis("code", 0.0, map.codes - 1.0),
      counting_axis("MAC value", 0.0, map.levels - 1.0));
  for (std::uint32_t row = 0; row < rows.count; ++row) {
    const std::uint32_t first = row * rows.width;
    const std::uint32_t last = std::min(first + rows.width, map.levels);
    std::vector<double> sums(columns.count, 0.0);
    for (std::uint32_t level = first; level < last; ++level) {
      for (std::uint32_t code = 0; code < map.codes; ++code) {
        sums[code / columns.width] += probability_of(map, level, code) / (last - first);
      }
    }
    for (std::uint32_t column = 0; column < columns.count; ++column) {
      const double probability = sums[column];
      if (!(probability >= floor)) continue;
      const Point low{columns.edge(column), rows.edge(row)};
      const Point high{columns.edge(column + 1), rows.edge(row + 1)};
      const int shade = shade_for(probability, floor);
      plot.cell(low, high, fmt::format("h{}", shade),
                fmt::format("P({}|{}) = {}", range_text(column, columns), range_text(row, rows),
                            number_text(probability)));
      if (few && cell_width >= 38.0) {
        plot.note({(low.x + high.x) / 2.0, (low.y + high.y) / 2.0 - 4.0 / cell_height},
                  cell_text(probability), shade >= kStrongFrom ? "cell on-strong" : "cell on-weak");
      }
    }
  }
  for (std::uint32_t level = 0; few && level < map.levels; ++level) {
    const double code = map.ideal[level];
    plot.outline({code - 0.5, level - 0.5}, {code + 0.5, level + 0.5}, "ideal");
  }
  plot.colour_bar(colour_axis(floor), kHeatShades, "h");
  return plot.svg();
}

struct Deviations {
  int least = 0;
  int most = 0;
};

/// By how much codes differ from the right ones.
Deviations deviations_of(const ConfusionMap& map, double floor) {
  Deviations result;
  for (std::uint32_t level = 0; level < map.levels; ++level) {
    for (std::uint32_t code = 0; code < map.codes; ++code) {
      if (!(probability_of(map, level, code) >= floor)) continue;
      const int apart = static_cast<int>(code) - static_cast<int>(map.ideal[level]);
      result.least = std::min(result.least, apart);
      result.most = std::max(result.most, apart);
    }
  }
  return result;
}

/// MAC values to the right, the code's distance from the right one upward: the band along the
/// diagonal of a large map, magnified.
std::string deviation_map(const ConfusionMap& map, const Deviations& range, double floor) {
  const double rows = range.most - range.least + 1;
  const double height = std::clamp(34.0 * rows, 170.0, 400.0);
  Plot plot(
      "deviation-clip",
      fmt::format("Probability of each distance from the right code for {} MAC values", map.levels),
      {960.0, 16.0 + height + kRoomBelow, 16.0, kRoomRight},
      counting_axis("MAC value", 0.0, map.levels - 1.0),
      counting_axis("code − right code", range.least, range.most));
  for (std::uint32_t level = 0; level < map.levels; ++level) {
    for (std::uint32_t code = 0; code < map.codes; ++code) {
      const double probability = probability_of(map, level, code);
      if (!(probability >= floor)) continue;
      const double apart = static_cast<double>(code) - map.ideal[level];
      plot.cell({level - 0.5, apart - 0.5}, {level + 0.5, apart + 0.5},
                fmt::format("h{}", shade_for(probability, floor)),
                fmt::format("P({}|{}) = {}", code, level, number_text(probability)));
    }
  }
  plot.colour_bar(colour_axis(floor), kHeatShades, "h");
  return plot.svg();
}

}  // namespace

double confusion_floor(const ConfusionMap& map) {
  double least = 1.0;
  for (const double probability : map.probability) {
    if (probability > 0.0) least = std::min(least, probability);
  }
  return std::clamp(std::pow(10.0, std::floor(std::log10(least) + 1e-9)), 1e-9, 1e-3);
}

std::string confusion_figure(const ConfusionMap& map) {
  constexpr int kWidestBand = 40;
  const double floor = confusion_floor(map);
  const Deviations range = deviations_of(map, floor);
  const bool few = map.levels <= kFewBins && map.codes <= kFewBins;
  if (few || map.levels > kMostBins || range.most - range.least > kWidestBand) {
    return code_map(map, floor);
  }
  return tabs("confusion", {{"distance from the right code", deviation_map(map, range, floor)},
                            {"all codes", code_map(map, floor)}});
}

std::string confusion_hint(const ConfusionMap& map) {
  const int exponent = static_cast<int>(std::lround(std::log10(confusion_floor(map))));
  std::string hint = fmt::format(
      "Shades are logarithmic; empty cells lie below {}. Point at a cell "
      "for P(code | MAC value).",
      power_of_ten(exponent));
  if (map.levels <= kFewBins && map.codes <= kFewBins) {
    hint += " Outlined: the right code. Numbers: percent.";
  }
  if (map.levels > kMostBins || map.codes > kMostBins) {
    hint += " Neighbouring cells are taken together: codes added, MAC values averaged.";
  }
  return hint;
}

}  // namespace cimstat::experiments::report
