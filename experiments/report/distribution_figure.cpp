#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Above this many levels lines get thin and dots small.
constexpr std::size_t kManyLevels = 40;

double peak_of(const LevelDistribution& level) {
  return level.density.empty() ? 0.0
                               : *std::max_element(level.density.begin(), level.density.end());
}

/// The style of a level: its shade of the ramp, from the lowest to the highest level.
std::string shade_of(std::size_t index, std::size_t count) {
  const std::size_t last = std::max<std::size_t>(count, 2) - 1;
  return fmt::format("v{}", index * (kLevelShades - 1) / last);
}

struct Extent {
  double low = kInfinity;
  double high = -kInfinity;
  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

/// Where some density is above `part` of its own peak.
Extent visible_currents(const std::vector<LevelDistribution>& levels, double part) {
  Extent extent;
  for (const LevelDistribution& level : levels) {
    const double least = part * peak_of(level);
    for (std::size_t index = 0; index < level.current.size(); ++index) {
      if (level.density[index] >= least) extent.include(level.current[index]);
    }
  }
  return extent;
}

/// The top of the linear axis. One level far sharper than the rest (no cell in its low-resistive
/// state, say) would flatten all others: it is cut, and says so.
double linear_top(const std::vector<LevelDistribution>& levels) {
  constexpr double kFarAbove = 4.0;
  constexpr double kAir = 1.06;
  std::vector<double> peaks;
  peaks.reserve(levels.size());
  for (const LevelDistribution& level : levels) peaks.push_back(peak_of(level));
  std::sort(peaks.begin(), peaks.end());
  const double middle = peaks[peaks.size() / 2];
  const auto beyond = std::upper_bound(peaks.begin(), peaks.end(), kFarAbove * middle);
  return kAir * *std::prev(beyond);
}

std::vector<Point> curve_of(const LevelDistribution& level, const CurrentUnit& unit, double least) {
  std::vector<Point> points;
  for (std::size_t index = 0; index < level.current.size(); ++index) {
    const double density = level.density[index] * unit.size;
    const bool beside_a_visible_one =
        (index > 0 && level.density[index - 1] * unit.size > least) ||
        (index + 1 < level.density.size() && level.density[index + 1] * unit.size > least);
    if (density > least || beside_a_visible_one) {
      points.push_back({level.current[index] / unit.size, density});
    }
  }
  return points;
}

/// Density of a level at a current between its first and last point; 0 outside.
double density_at(const LevelDistribution& level, double current) {
  const auto above = std::lower_bound(level.current.begin(), level.current.end(), current);
  if (above == level.current.end() || current < level.current.front()) return 0.0;
  const auto index = static_cast<std::size_t>(above - level.current.begin());
  if (index == 0) return level.density.front();
  const double part =
      (current - level.current[index - 1]) / (level.current[index] - level.current[index - 1]);
  return level.density[index - 1] + part * (level.density[index] - level.density[index - 1]);
}

/// The lower of two densities, where both are known.
std::vector<Point> lower_envelope(const LevelDistribution& one, const LevelDistribution& other,
                                  const CurrentUnit& unit) {
  if (one.current.empty() || other.current.empty()) return {};
  std::vector<double> places = one.current;
  places.insert(places.end(), other.current.begin(), other.current.end());
  std::sort(places.begin(), places.end());
  const double low = std::max(one.current.front(), other.current.front());
  const double high = std::min(one.current.back(), other.current.back());
  std::vector<Point> points;
  for (const double place : places) {
    if (place < low || place > high) continue;
    const double density = std::min(density_at(one, place), density_at(other, place));
    points.push_back({place / unit.size, density * unit.size});
  }
  return points;
}

/// Up to so many overlaps each has its number; of more, the largest ones.
constexpr std::size_t kMostNumbered = 16;
constexpr std::size_t kNumberedOfMany = 5;

std::vector<bool> numbered_overlaps(const ReportInput& input) {
  const std::size_t pairs = input.margins.empty() ? 0 : input.margins.size() - 1;
  if (pairs <= kMostNumbered) return std::vector<bool>(pairs, true);
  std::vector<std::size_t> order(pairs);
  for (std::size_t index = 0; index < pairs; ++index) order[index] = index;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return input.margins[one].overlap > input.margins[other].overlap;
  });
  std::vector<bool> numbered(pairs, false);
  for (std::size_t index = 0; index < kNumberedOfMany; ++index) numbered[order[index]] = true;
  return numbered;
}

/// Overlap i is that of levels i - 1 and i. `least` and `top` are the ends of the density axis.
void draw_overlaps(Plot& plot, const ReportInput& input, const CurrentUnit& unit, double least,
                   double top, Spacing spacing) {
  const std::vector<bool> numbered = numbered_overlaps(input);
  for (std::size_t pair = 0; pair < numbered.size(); ++pair) {
    if (pair + 1 >= input.distributions.size()) break;
    const std::vector<Point> points =
        lower_envelope(input.distributions[pair], input.distributions[pair + 1], unit);
    const auto peak = std::max_element(points.begin(), points.end(),
                                       [](const Point& a, const Point& b) { return a.y < b.y; });
    const double visible = spacing == Spacing::linear ? 0.004 * top : 1.2 * least;
    if (points.size() < 2 || peak->y < visible) continue;
    // On a logarithmic axis the tails of many pairs lie above each other.
    plot.filled(points, spacing == Spacing::linear ? "overlap" : "overlap faint",
                fmt::format("overlap {}: {} of MAC values {} and {}", pair + 1,
                            number_text(input.margins[pair].overlap), pair, pair + 1));
    if (!numbered[pair]) continue;
    // On the area where it is large, above it where it is not.
    const double height = spacing == Spacing::linear
                              ? std::min(std::max(0.4 * peak->y, peak->y - 0.09 * top), 0.9 * top)
                              : std::exp(0.5 * (std::log(peak->y) + std::log(least)));
    const bool small = spacing == Spacing::linear && peak->y < 0.06 * top;
    plot.note({peak->x, small ? peak->y + 0.02 * top : height}, std::to_string(pair + 1), "number");
  }
}

std::string density_plot(const ReportInput& input, const CurrentUnit& unit, Spacing spacing) {
  const std::vector<LevelDistribution>& levels = input.distributions;
  const bool linear = spacing == Spacing::linear;
  const bool many = levels.size() > kManyLevels;
  constexpr double kDecadesShown = 8.0;
  double top = linear_top(levels) * unit.size;
  double least = 0.0;
  if (!linear) {
    top = 0.0;
    for (const LevelDistribution& level : levels) top = std::max(top, peak_of(level));
    top *= 2.0 * unit.size;
    // Not below where some curve ends: it would stand on a cliff that isn't in the data.
    double end = 0.0;
    for (const LevelDistribution& level : levels) {
      if (level.density.empty()) continue;
      end = std::max({end, level.density.front(), level.density.back()});
    }
    const double whole_decade = std::pow(10.0, std::floor(std::log10(top)) - kDecadesShown);
    least = std::clamp(end * unit.size, whole_decade, 0.1 * top);
  }
  const Extent shown = visible_currents(levels, linear ? 2e-3 : 1e-6);
  const double margin = 0.015 * (shown.high - shown.low);
  const Axis x{fmt::format("sensed {} ({})", input.quantity, unit.name),
               (shown.low - margin) / unit.size,
               (shown.high + margin) / unit.size,
               Spacing::linear,
               {}};
  const Axis y{fmt::format("probability density (1/{})", unit.name), least, top, spacing, {}};
  Plot plot(linear ? "density-clip-linear" : "density-clip-log",
            fmt::format("Densities of the sensed {} for {} MAC values, with {} references",
                        input.quantity, levels.size(), input.references.size()),
            {960.0, 404.0, 70.0, 20.0}, x, y);

  const std::string reference_style = many ? "reference thin" : "reference";
  std::size_t reference = 0;
  for (const double threshold : input.references) {
    plot.vertical_line(threshold / unit.size, reference_style,
                       fmt::format("reference {}: {} {}", reference++,
                                   number_text(threshold / unit.size, 4), unit.name));
  }
  std::vector<Plot::UpperTick> names;
  for (std::size_t index = 0; index < levels.size(); ++index) {
    const LevelDistribution& level = levels[index];
    if (level.current.empty()) continue;
    const std::size_t at = static_cast<std::size_t>(
        std::max_element(level.density.begin(), level.density.end()) - level.density.begin());
    const double peak_current = level.current[at] / unit.size;
    const std::string style = shade_of(index, levels.size()) + (many ? " thin" : "");
    const double peak = peak_of(level) * unit.size;
    const bool cut = peak > top;
    const std::vector<Point> curve = curve_of(level, unit, linear ? 5e-4 * peak : 0.1 * least);
    plot.area(curve, style,
              fmt::format("MAC value {}: peak at {} {}{}", level.label,
                          number_text(peak_current, 4), unit.name,
                          cut ? fmt::format(", cut here: its density reaches {} /{}",
                                            number_text(peak), unit.name)
                              : ""));
    if (cut) {
      plot.note({peak_current, 0.96 * top}, fmt::format("\u2191 {}", number_text(peak)),
                "label cut after");
    }
    names.push_back({peak_current, level.label, style});
  }
  std::stable_sort(names.begin(), names.end(),
                   [](const auto& one, const auto& other) { return one.x < other.x; });
  plot.upper_axis(names, "MAC value");
  std::vector<LegendItem> key;
  if (!input.references.empty()) {
    key.push_back({LegendItem::Sign::line, reference_style, "reference of the converter"});
  }
  if (input.margins.size() > 1) {
    draw_overlaps(plot, input, unit, least, top, spacing);
    key.push_back({LegendItem::Sign::patch, "overlap",
                   "overlap of neighbours; number i: MAC values i \u2212 1 and i"});
  }
  plot.legend(key);
  return plot_frame(linear ? "densities, linear axis" : "densities, logarithmic axis", plot.svg());
}

/// Points of the curves, thinned where there are many levels.
Csv density_numbers(const ReportInput& input) {
  constexpr std::size_t kMostLines = 8000;
  std::size_t points = 0;
  for (const LevelDistribution& level : input.distributions) points += level.current.size();
  const std::size_t step = std::max<std::size_t>(1, (points + kMostLines - 1) / kMostLines);
  const std::vector<std::string> names{"mac_value",
                                       fmt::format("{}_{}", input.quantity, input.unit),
                                       fmt::format("density_per_{}", input.unit)};
  Csv csv(names);
  for (const LevelDistribution& level : input.distributions) {
    for (std::size_t index = 0; index < level.current.size(); index += step) {
      csv.whole(level.level).number(level.current[index], 6).number(level.density[index], 5);
      csv.end_line();
    }
  }
  return csv;
}

Csv threshold_numbers(const ReportInput& input) {
  Csv csv(std::vector<std::string>{"reference", fmt::format("{}_{}", input.quantity, input.unit)});
  for (std::size_t index = 0; index < input.references.size(); ++index) {
    csv.count(index).number(input.references[index]);
    csv.end_line();
  }
  return csv;
}

}  // namespace

std::string distribution_figure(const ReportInput& input, const CurrentUnit& unit) {
  const std::string stem = figure_file_stem(input);
  std::string html = tabs("density", "axis of the density",
                          {{"linear", density_plot(input, unit, Spacing::linear)},
                           {"logarithmic", density_plot(input, unit, Spacing::logarithmic)}});
  html += numbers_below("density", "densities", stem + "-densities.csv", density_numbers(input));
  if (!input.references.empty()) {
    html += numbers_below("references", "references of the converter", stem + "-references.csv",
                          threshold_numbers(input));
  }
  return html;
}

}  // namespace cimstat::experiments::report
