#include "experiments/report/figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/page.h"
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
  for (const LevelDistribution& level : levels) peaks.push_back(peak_of(level));
  std::sort(peaks.begin(), peaks.end());
  const double middle = peaks[peaks.size() / 2];
  const auto beyond = std::upper_bound(peaks.begin(), peaks.end(), kFarAbove * middle);
  return kAir * *std::prev(beyond);
}

std::vector<Point> curve_of(const LevelDistribution& level, const CurrentUnit& unit, double least) {
  std::vector<Point> points;
  for (std::size_t index = 0; index < level.current.size(); ++index) {
    const double density = level.density[index] * unit.amperes;
    const bool beside_a_visible_one =
        (index > 0 && level.density[index - 1] * unit.amperes > least) ||
        (index + 1 < level.density.size() && level.density[index + 1] * unit.amperes > least);
    if (density > least || beside_a_visible_one) {
      points.push_back({level.current[index] / unit.amperes, density});
    }
  }
  return points;
}

std::string density_plot(const ReportInput& input, const CurrentUnit& unit, Spacing spacing) {
  const std::vector<LevelDistribution>& levels = input.distributions;
  const bool linear = spacing == Spacing::linear;
  const bool many = levels.size() > kManyLevels;
  constexpr double kDecadesShown = 8.0;
  double top = linear_top(levels) * unit.amperes;
  double least = 0.0;
  if (!linear) {
    top = 0.0;
    for (const LevelDistribution& level : levels) top = std::max(top, peak_of(level));
    top *= 2.0 * unit.amperes;
    // Not below where some curve ends: it would stand on a cliff that isn't in the data.
    double end = 0.0;
    for (const LevelDistribution& level : levels) {
      if (level.density.empty()) continue;
      end = std::max({end, level.density.front(), level.density.back()});
    }
    const double whole_decade = std::pow(10.0, std::floor(std::log10(top)) - kDecadesShown);
    least = std::clamp(end * unit.amperes, whole_decade, 0.1 * top);
  }
  const Extent shown = visible_currents(levels, linear ? 2e-3 : 1e-6);
  const double margin = 0.015 * (shown.high - shown.low);
  const Axis x{fmt::format("sensed current ({})", unit.name),
               (shown.low - margin) / unit.amperes,
               (shown.high + margin) / unit.amperes,
               Spacing::linear,
               {}};
  const Axis y{fmt::format("probability density (1/{})", unit.name), least, top, spacing, {}};
  Plot plot(linear ? "density-clip-linear" : "density-clip-log",
            fmt::format("Densities of the sensed current for {} MAC values, with {} references",
                        levels.size(), input.references.size()),
            {960.0, 380.0, 46.0, 20.0}, x, y);

  const std::string reference_style = many ? "reference thin" : "reference";
  std::size_t reference = 0;
  for (const double threshold : input.references) {
    plot.vertical_line(threshold / unit.amperes, reference_style,
                       fmt::format("reference {}: {} {}", reference++,
                                   number_text(threshold / unit.amperes, 4), unit.name));
  }
  std::vector<Plot::UpperTick> names;
  for (std::size_t index = 0; index < levels.size(); ++index) {
    const LevelDistribution& level = levels[index];
    if (level.current.empty()) continue;
    const std::size_t at = static_cast<std::size_t>(
        std::max_element(level.density.begin(), level.density.end()) - level.density.begin());
    const double peak_current = level.current[at] / unit.amperes;
    const std::string style = shade_of(index, levels.size()) + (many ? " thin" : "");
    const double peak = peak_of(level) * unit.amperes;
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
                "label cut");
    }
    names.push_back({peak_current, level.label, style});
  }
  std::stable_sort(names.begin(), names.end(),
                   [](const auto& one, const auto& other) { return one.x < other.x; });
  plot.upper_axis(names, "MAC value");
  const LegendItem key{LegendItem::Sign::line, reference_style, "reference of the converter"};
  if (!input.references.empty()) plot.legend(std::span(&key, 1));
  return plot.svg();
}

}  // namespace

bool all_computed(const std::vector<MisreadPoint>& points) {
  return std::all_of(points.begin(), points.end(), [](const MisreadPoint& point) {
    return point.basis == MisreadBasis::computed;
  });
}

std::string distribution_figure(const ReportInput& input, const CurrentUnit& unit) {
  return tabs("density", {{"linear", density_plot(input, unit, Spacing::linear)},
                          {"logarithmic", density_plot(input, unit, Spacing::logarithmic)}});
}

std::string misread_figure(const ReportInput& input) {
  constexpr double kLowest = 1e-18;
  const std::vector<MisreadPoint>& points = input.misread;
  Extent extent;
  for (const MisreadPoint& point : points) {
    const bool limit = is_upper_limit(point);
    for (const double value :
         {point.upper, limit ? point.upper : point.rate, limit ? point.upper : point.lower}) {
      if (value >= kLowest) extent.include(value);  // an interval down to 0 sets no limit
    }
  }
  if (extent.low > extent.high) extent = {kLowest, 1.0};
  const double low = std::pow(10.0, std::floor(std::log10(extent.low) - 0.35));
  const double high = std::pow(10.0, std::ceil(std::log10(extent.high) + 0.05));
  const std::uint32_t last = points.back().level;
  const Axis x{
      "MAC value", points.front().level - 0.7, last + 0.7, Spacing::linear,
      linear_ticks(points.front().level, last, last <= 20 ? static_cast<int>(last) + 1 : 12, 1.0)};
  Plot plot(
      "misread-clip", fmt::format("Probability of a wrong code for {} MAC values", points.size()),
      {960.0, 360.0, 44.0, 20.0}, x, {"misread probability", low, high, Spacing::logarithmic, {}});

  std::vector<Plot::BandPoint> run;  // of neighbouring levels with an interval
  const auto end_run = [&] {
    if (run.size() > 1 && points.size() > kManyLevels) plot.band(run, "s0");
    run.clear();
  };
  for (const MisreadPoint& point : points) {
    if (point.basis == MisreadBasis::sampled) {
      run.push_back({static_cast<double>(point.level), std::max(point.lower, low), point.upper});
    } else {
      end_run();
    }
  }
  end_run();

  std::string arrow;  // what it means here
  for (const MisreadPoint& point : points) {
    const double at = point.level;
    const std::string hover = fmt::format("MAC value {}: {}", point.level, misread_text(point));
    if (!is_upper_limit(point) && point.rate >= low) {
      plot.measured(at, point.rate, point.lower, point.upper, "s0", hover);
      continue;
    }
    const bool limit = is_upper_limit(point);
    arrow = point.basis == MisreadBasis::none_seen
                ? fmt::format("none seen: upper limit at {}", percent_text(input.confidence, 0))

            : limit ? std::string("below the error bound")
                    : std::string("below the axis");
    const double room_for_arrow = low * std::pow(high / low, 0.08);
    plot.upper_limit({at, std::max(limit ? point.upper : low, room_for_arrow)}, "s1", hover);
  }
  std::vector<LegendItem> items;
  items.push_back({LegendItem::Sign::dot, "s0",
                   all_computed(points) ? "computed, not sampled"
                                        : fmt::format("seen rate with its {} interval",
                                                      percent_text(input.confidence, 0))});
  if (!arrow.empty()) items.push_back({LegendItem::Sign::arrow, "s1", arrow});
  plot.legend(items);
  return plot.svg();
}

std::string accuracy_figure(const ReportInput& input) {
  constexpr double kRow = 40.0;
  constexpr double kZoomBelow = 0.2;
  const std::vector<AccuracyBar>& bars = input.accuracy;
  const double count = static_cast<double>(bars.size());
  Extent extent;
  std::vector<Tick> names;
  for (std::size_t index = 0; index < bars.size(); ++index) {
    extent.include(bars[index].lower);
    extent.include(bars[index].upper);
    names.push_back({-static_cast<double>(index), bars[index].label});
  }
  const auto axis_of_names = [&] { return Axis{"", -count + 0.5, 0.5, Spacing::linear, names}; };
  const auto style_of = [](std::size_t index) { return fmt::format("s{}", index % kSeries); };
  const Frame frame{960.0, kRow * count + 64.0, 16.0, 210.0};

  Plot whole("accuracy-clip", "Accuracy from 0 to 100 %", frame,
             {"accuracy (%), from 0 to 100", 0.0, 100.0, Spacing::linear, {}}, axis_of_names());
  for (std::size_t index = 0; index < bars.size(); ++index) {
    const AccuracyBar& bar = bars[index];
    const double height = -static_cast<double>(index);
    whole.bar(height, 100.0 * bar.value, 22.0, style_of(index),
              fmt::format("{}: {}", bar.label, accuracy_text(bar)));
    whole.whisker(height, 100.0 * bar.lower, 100.0 * bar.upper, "ink",
                  fmt::format("{}: {}", bar.label, accuracy_text(bar)));
    whole.note({101.5, height - 4.0 / kRow}, accuracy_text(bar), "label");
  }
  const double spread = extent.high - extent.low;
  if (spread > kZoomBelow) return whole.svg();

  const double air = std::max(0.12 * spread, 0.002);
  const double from = 100.0 * std::max(0.0, extent.low - air);
  const double to = 100.0 * std::min(1.0, extent.high + air);
  Plot near("accuracy-near-clip", "The same accuracies on a zoomed axis", frame,
            {fmt::format("accuracy (%), zoomed: from {} to {}, not from 0", number_text(from),
                         number_text(to)),
             from,
             to,
             Spacing::linear,
             {}},
            axis_of_names());
  for (std::size_t index = 0; index < bars.size(); ++index) {
    const AccuracyBar& bar = bars[index];
    const double height = -static_cast<double>(index);
    near.whisker(height, 100.0 * bar.lower, 100.0 * bar.upper, style_of(index),
                 fmt::format("{}: {}", bar.label, accuracy_text(bar)));
    near.dot({100.0 * bar.value, height}, 4.5, style_of(index));
  }
  return whole.svg() + near.svg();
}

}  // namespace cimstat::experiments::report
