#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
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
  std::uint64_t first(std::uint32_t bin) const { return std::uint64_t{bin} * width; }
};

Bins bins_for(std::uint32_t count) {
  const std::uint32_t width = (count + kMostBins - 1) / kMostBins;
  return {(count + width - 1) / width, width, count};
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

Axis colour_axis(double floor) {
  return {"P(code | MAC value)", floor, 1.0, Spacing::logarithmic, {}};
}

double probability_of(const ConfusionMap& map, std::uint32_t level, std::uint32_t code) {
  return map.probability[std::size_t{level} * map.codes + code];
}

/// The MAC value of a row.
std::int64_t value_of(const ConfusionMap& map, std::uint64_t level) {
  return map.first + map.step * static_cast<std::int64_t>(level);
}

/// Whether no rows have this MAC value.
bool is_absent(const ConfusionMap& map, std::uint32_t level) {
  for (std::uint32_t code = 0; code < map.codes; ++code) {
    if (probability_of(map, level, code) > 0.0) return false;
  }
  return true;
}

/// What is drawn: neighbours taken together where there are very many, codes added, levels
/// averaged.
struct BinnedMap {
  Bins rows, columns;
  std::vector<double> probability;  ///< rows x columns
  bool together() const { return rows.width > 1 || columns.width > 1; }
};

BinnedMap binned(const ConfusionMap& map) {
  BinnedMap result{bins_for(map.levels), bins_for(map.codes), {}};
  result.probability.assign(std::size_t{result.rows.count} * result.columns.count, 0.0);
  for (std::uint32_t level = 0; level < map.levels; ++level) {
    const std::uint32_t row = level / result.rows.width;
    const std::uint32_t first = row * result.rows.width;
    const std::uint32_t end = std::min(first + result.rows.width, map.levels);
    std::uint32_t levels = 0;
    for (std::uint32_t one = first; one < end; ++one) levels += is_absent(map, one) ? 0U : 1U;
    if (levels == 0) continue;
    for (std::uint32_t code = 0; code < map.codes; ++code) {
      result.probability[std::size_t{row} * result.columns.count + code / result.columns.width] +=
          probability_of(map, level, code) / levels;
    }
  }
  return result;
}

/// Of every cell that the maps can show. Entries of a computed table that its error bound hides,
/// and codes that were never seen, are left out: `limits_of` has what is known of them.
Csv numbers_of(const ConfusionMap& map, const BinnedMap& bins) {
  if (bins.together()) {
    Csv csv{"mac_value", "code", "probability"};
    for (std::uint32_t row = 0; row < bins.rows.count; ++row) {
      for (std::uint32_t column = 0; column < bins.columns.count; ++column) {
        const double value = bins.probability[std::size_t{row} * bins.columns.count + column];
        if (!(value > 0.0)) continue;
        csv.whole(value_of(map, bins.rows.first(row))).count(bins.columns.first(column));
        csv.number(value, 6);
        csv.end_line();
      }
    }
    return csv;
  }
  const bool computed = !map.error_bound.empty();
  const bool sampled = !map.lower.empty();
  Csv csv = computed  ? Csv{"mac_value", "code", "off_by", "probability", "error_bound"}
            : sampled ? Csv{"mac_value", "code", "off_by", "probability", "lower", "upper"}
                      : Csv{"mac_value", "code", "off_by", "probability"};
  for (std::uint32_t level = 0; level < map.levels; ++level) {
    for (std::uint32_t code = 0; code < map.codes; ++code) {
      const double value = probability_of(map, level, code);
      if (!(value > (computed ? map.error_bound[level] : 0.0))) continue;
      csv.whole(value_of(map, level)).count(code);
      csv.number(static_cast<double>(code) - map.ideal[level]).number(value, 12);
      const std::size_t at = std::size_t{level} * map.codes + code;
      if (computed) csv.number(map.error_bound[level], 2);
      if (sampled) csv.number(map.lower[at], 6).number(map.upper[at], 6);
      csv.end_line();
    }
  }
  return csv;
}

/// By level: the most that an entry missing from the numbers can be. Empty where nothing is known.
std::vector<double> limits_of(const ConfusionMap& map, const BinnedMap& bins) {
  if (bins.together()) return {};
  if (!map.error_bound.empty()) return map.error_bound;
  std::vector<double> limits;
  for (std::uint32_t level = 0; !map.upper.empty() && level < map.levels; ++level) {
    double limit = 0.0;
    for (std::uint32_t code = 0; code < map.codes; ++code) {
      const std::size_t at = std::size_t{level} * map.codes + code;
      if (map.probability[at] == 0.0) limit = std::max(limit, map.upper[at]);
    }
    limits.push_back(limit);
  }
  return limits;
}

std::string absent_text(const ConfusionMap& map, const BinnedMap& bins) {
  if (bins.together()) return "0";
  if (!map.error_bound.empty()) return "below the error bound,";
  return map.upper.empty() ? "0" : "none seen, below";
}

HeatMapText::Side code_side(const Bins& bins) {
  return {"code", 0, static_cast<int>(bins.width), static_cast<int>(bins.of) - 1, bins.count};
}

/// Of MAC values, `width` of them in a cell.
HeatMapText::Side value_side(const ConfusionMap& map, std::uint32_t width, std::uint32_t cells) {
  return {"mac_value", static_cast<int>(map.first), static_cast<int>(width * map.step),
          static_cast<int>(value_of(map, map.levels - 1)), cells};
}

/// Along MAC values, each cell `width` levels wide.
Axis value_axis(const ConfusionMap& map, std::uint32_t width, std::uint32_t cells) {
  const auto step = static_cast<double>(map.step);
  const auto low = static_cast<double>(map.first);
  const double high = low + step * (double(width) * cells - 1.0);
  const int wanted = cells <= kFewBins && width == 1 ? static_cast<int>(cells) : 12;
  return {"MAC value", low - 0.5 * step, high + 0.5 * step, Spacing::linear,
          linear_ticks(low, high, wanted, step)};
}

/// Codes to the right, MAC values upward.
std::string code_map(const ConfusionMap& map, const BinnedMap& bins, double floor) {
  constexpr double kLargestCell = 56.0;
  constexpr int kStrongFrom = 13;  // shades on which text takes the colour of the page
  const auto& [rows, columns, probability] = bins;
  const bool few = rows.count <= kFewBins && columns.count <= kFewBins;
  const double cell_height = std::min(kLargestCell, 600.0 / rows.count);
  const double cell_width = std::min({kLargestCell, 780.0 / columns.count, 2.5 * cell_height});
  Plot plot(
      "confusion-clip",
      fmt::format("Probability of each code for {} MAC values and {} codes", map.levels, map.codes),
      {kRoomLeft + cell_width * columns.count + kRoomRight,
       16.0 + cell_height * rows.count + kRoomBelow, 16.0, kRoomRight},
      counting_axis("code", 0.0, columns.count * columns.width - 1.0),
      value_axis(map, rows.width, rows.count));
  std::vector<int> shades(probability.size(), Plot::kNoCell);
  std::vector<std::pair<Point, std::size_t>> numbers;
  for (std::size_t at = 0; at < probability.size(); ++at) {
    if (!(probability[at] >= floor)) continue;
    shades[at] = heat_shade(probability[at], floor);
    const std::size_t row = at / columns.count;
    const std::size_t column = at % columns.count;
    if (few && cell_width >= 38.0) {
      const auto step = static_cast<double>(map.step);
      numbers.push_back(
          {{static_cast<double>(column),
            static_cast<double>(map.first) + step * (static_cast<double>(row) - 4.0 / cell_height)},
           at});
    }
  }
  plot.cells(columns.count, rows.count, shades, "h");
  for (const auto& [place, at] : numbers) {
    plot.note(place, cell_text(probability[at]),
              shades[at] >= kStrongFrom ? "cell on-strong" : "cell on-weak");
  }
  for (std::uint32_t level = 0; few && level < map.levels; ++level) {
    if (is_absent(map, level)) continue;
    const double code = map.ideal[level];
    const auto value = static_cast<double>(value_of(map, level));
    const double half = 0.5 * static_cast<double>(map.step);
    plot.outline({code - 0.5, value - half}, {code + 0.5, value + half}, "ideal");
  }
  plot.colour_bar(colour_axis(floor), kHeatShades, "h");
  const HeatMapText text{.name = "confusion-map",
                         .numbers = "confusion",
                         .label = "Probability of each code by MAC value",
                         .text = "MAC value {y} gives code {x}",
                         .absent = absent_text(map, bins),
                         .value = "probability",
                         .limits = limits_of(map, bins),
                         .x = code_side(columns),
                         .y = value_side(map, rows.width, rows.count)};
  return heat_map_frame(text, plot.svg());
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
std::string deviation_map(const ConfusionMap& map, const BinnedMap& bins, const Deviations& range,
                          double floor) {
  const auto rows = static_cast<std::uint32_t>(range.most - range.least + 1);
  const double height = std::clamp(34.0 * rows, 170.0, 400.0);
  Plot plot(
      "deviation-clip",
      fmt::format("Probability of each distance from the right code for {} MAC values", map.levels),
      {960.0, 16.0 + height + kRoomBelow, 16.0, kRoomRight}, value_axis(map, 1, map.levels),
      counting_axis("code − right code", range.least, range.most));
  std::vector<int> shades(std::size_t{map.levels} * rows, Plot::kNoCell);
  for (std::uint32_t level = 0; level < map.levels; ++level) {
    for (std::uint32_t row = 0; row < rows; ++row) {
      const auto code = static_cast<std::int64_t>(map.ideal[level]) + range.least + row;
      if (code < 0 || code >= map.codes) continue;
      const double probability = probability_of(map, level, static_cast<std::uint32_t>(code));
      if (!(probability >= floor)) continue;
      shades[std::size_t{row} * map.levels + level] = heat_shade(probability, floor);
    }
  }
  plot.cells(map.levels, rows, shades, "h");
  plot.colour_bar(colour_axis(floor), kHeatShades, "h");
  const HeatMapText text{.name = "deviation-map",
                         .numbers = "confusion",
                         .label = "Probability of each distance from the right code by MAC value",
                         .text = "MAC value {x} gives a code that is off by {y}",
                         .absent = absent_text(map, bins),
                         .value = "probability",
                         .limits = limits_of(map, bins),
                         .x = value_side(map, 1, map.levels),
                         .y = {"off_by", range.least, 1, range.most, rows}};
  return heat_map_frame(text, plot.svg());
}

}  // namespace

double confusion_floor(const ConfusionMap& map) {
  double least = 1.0;
  for (const double probability : map.probability) {
    if (probability > 0.0) least = std::min(least, probability);
  }
  return std::clamp(std::pow(10.0, std::floor(std::log10(least) + 1e-9)), 1e-9, 1e-3);
}

std::string confusion_figure(const ReportInput& input) {
  constexpr int kWidestBand = 40;
  const ConfusionMap& map = input.confusion;
  const double floor = confusion_floor(map);
  const BinnedMap bins = binned(map);
  const Deviations range = deviations_of(map, floor);
  const bool few = map.levels <= kFewBins && map.codes <= kFewBins;
  const bool whole_only = few || bins.together() || range.most - range.least > kWidestBand;
  const std::string whole = code_map(map, bins, floor);
  const std::string shown =
      whole_only ? whole
                 : tabs("confusion", "what to show",
                        {{"distance from the right code", deviation_map(map, bins, range, floor)},
                         {"all codes", whole}});
  return shown + numbers_below("confusion", "P(code | MAC value)",
                               figure_file_stem(input) + "-confusion.csv", numbers_of(map, bins));
}

std::string confusion_hint(const ConfusionMap& map) {
  const int exponent = static_cast<int>(std::lround(std::log10(confusion_floor(map))));
  std::string hint = fmt::format(
      "Shades are logarithmic; empty cells lie below {}. Point at a cell, or focus the map and "
      "use the arrow keys, for P(code | MAC value) with what is known of its error.",
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
