#include "experiments/gallery/gallery_figure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/macro/setting_text.h"
#include "experiments/report/figures.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments {

namespace {

using namespace report;

constexpr Frame frame{.width = 500.0, .height = 340.0, .room_above = 34.0, .room_right = 16.0};

struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  double least_median = std::numeric_limits<double>::infinity();
  double greatest_median = -std::numeric_limits<double>::infinity();
};

Extent extent_of(const GalleryCell& cell) {
  constexpr std::size_t median = gallery_scores.size() / 2;
  Extent extent;
  for (const GalleryLevel& level : cell.levels) {
    for (const GalleryReading& reading : level.readings) {
      extent.low = std::min(extent.low, reading.quantiles.front());
      extent.high = std::max(extent.high, reading.quantiles.back());
      extent.least_median = std::min(extent.least_median, reading.quantiles[median]);
      extent.greatest_median = std::max(extent.greatest_median, reading.quantiles[median]);
    }
  }
  return extent;
}

/// Of the value read: logarithmic where levels are decades apart.
Axis value_axis(const GalleryCell& cell, const GalleryUnit& unit) {
  constexpr double far_apart = 30.0;
  const Extent extent = extent_of(cell);
  const std::string title = fmt::format(
      "{} as read ({})",
      cell.entry.quantity == core::Quantity::capacitance ? "capacitance" : "conductance",
      typeset("1 " + unit.name).substr(2));
  if (extent.low > 0.0 && extent.greatest_median > far_apart * extent.least_median) {
    return {title,
            0.9 * extent.low / unit.factor,
            1.1 * extent.high / unit.factor,
            Spacing::logarithmic,
            {}};
  }
  const double air = 0.03 * (extent.high - extent.low);
  return {title,
          (extent.low - air) / unit.factor,
          (extent.high + air) / unit.factor,
          Spacing::linear,
          {}};
}

std::string shade_of(std::size_t level, std::size_t levels) {
  const std::size_t last = std::max<std::size_t>(levels, 2) - 1;
  return fmt::format("v{}", level * (kLevelShades - 1) / last);
}

std::string level_name(const GalleryCell& cell, const GalleryLevel& level) {
  return fmt::format("level {}, aims at {}", level.level,
                     typeset(core::format_quantity(level.target, cell.entry.quantity)));
}

std::string reading_text(const GalleryCell& cell, const GalleryReading& reading) {
  return typeset(fmt::format("mean {}, sd {}",
                             core::format_quantity(reading.mean, cell.entry.quantity),
                             core::format_quantity(reading.sd, cell.entry.quantity)));
}

/// Cumulative probability on a normal scale, on which a normal law is a straight line.
std::string probability_plot(const GalleryCell& cell, const GalleryUnit& unit) {
  Axis scores{"cells below",
              gallery_scores.front() - 0.1,
              gallery_scores.back() + 0.1,
              Spacing::linear,
              {}};
  for (const std::size_t line : gallery_lines) {
    scores.ticks.push_back({gallery_scores[line], share_below_text(gallery_scores[line])});
  }
  Plot plot(fmt::format("levels-clip-{}", cell.entry.name),
            fmt::format("Cumulative distributions of {} of {}",
                        counted(cell.levels.size(), "level"), cell.entry.name),
            frame, value_axis(cell, unit), scores);
  const std::size_t times = cell.entry.times.size();
  for (const GalleryLevel& level : cell.levels) {
    for (const std::size_t at : {std::size_t{0}, times - 1}) {
      const GalleryReading& reading = level.readings[at];
      std::vector<Point> points;
      for (std::size_t i = 0; i < gallery_scores.size(); ++i) {
        points.push_back({reading.quantiles[i] / unit.factor, gallery_scores[i]});
      }
      const std::string style = shade_of(level.level, cell.levels.size());
      plot.line(points, at == 0 ? style : style + " dashed",
                fmt::format("{}\n{}: {}", level_name(cell, level), time_text(reading.time),
                            reading_text(cell, reading)));
      if (times == 1) break;
    }
  }
  if (times > 1) {
    plot.legend(std::vector<LegendItem>{
        {LegendItem::Sign::line, "ink", time_text(cell.entry.times.front())},
        {LegendItem::Sign::line, "ink dashed", time_text(cell.entry.times.back())}});
  }
  return plot_frame("distribution of each level", plot.svg());
}

/// Median and bands of each level at the times, which stand evenly spaced.
std::string time_plot(const GalleryCell& cell, const GalleryUnit& unit) {
  const std::vector<double>& times = cell.entry.times;
  Axis places{"time of the read (not to scale)",
              0.0,
              static_cast<double>(times.size() - 1),
              Spacing::linear,
              {}};
  for (std::size_t i = 0; i < times.size(); ++i) {
    places.ticks.push_back({static_cast<double>(i), time_text(times[i])});
  }
  Plot plot(fmt::format("times-clip-{}", cell.entry.name),
            fmt::format("Quantiles of {} of {} at {}", counted(cell.levels.size(), "level"),
                        cell.entry.name, counted(times.size(), "time")),
            {frame.width, frame.height, frame.room_above, 30.0}, places, value_axis(cell, unit));
  constexpr std::size_t lines = gallery_lines.size();
  for (const GalleryLevel& level : cell.levels) {
    const std::string style = shade_of(level.level, cell.levels.size());
    for (std::size_t pair = 0; pair < lines / 2; ++pair) {
      std::vector<Plot::BandPoint> band;
      for (std::size_t i = 0; i < times.size(); ++i) {
        const auto& quantiles = level.readings[i].quantiles;
        band.push_back({static_cast<double>(i), quantiles[gallery_lines[pair]] / unit.factor,
                        quantiles[gallery_lines[lines - 1 - pair]] / unit.factor});
      }
      plot.band(band, style);
    }
    std::vector<Point> medians;
    std::string hover = level_name(cell, level);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const GalleryReading& reading = level.readings[i];
      medians.push_back(
          {static_cast<double>(i), reading.quantiles[gallery_lines[lines / 2]] / unit.factor});
      hover += fmt::format("\n{}: {}", time_text(reading.time), reading_text(cell, reading));
    }
    plot.line(medians, style, hover);
  }
  plot.legend(std::vector<LegendItem>{
      {LegendItem::Sign::line, "ink", "median"},
      {LegendItem::Sign::patch, "band ink", "68 %, 95 % and 99.8 % of the cells"}});
  return plot_frame("quantiles of each level over time", plot.svg());
}

}  // namespace

GalleryUnit gallery_unit(const GalleryCell& cell) {
  // That of the highest level, so that numbers of two or three digits stand before the point.
  const std::string text =
      core::format_quantity(cell.levels.back().readings.front().mean, cell.entry.quantity);
  const std::string name = text.substr(text.find(' ') + 1);
  return {core::parse_quantity("1 " + name, cell.entry.quantity), name};
}

std::string gallery_figure(const GalleryCell& cell, const GalleryUnit& unit) {
  const std::string levels = probability_plot(cell, unit);
  if (cell.entry.times.size() < 2) return levels;
  return tabs("figure-" + cell.entry.name, "what to show",
              {{"over time", time_plot(cell, unit)}, {"distributions", levels}});
}

Csv gallery_numbers(const GalleryCell& cell) {
  const std::string_view si = core::si_unit(cell.entry.quantity);
  std::vector<std::string> names{"level", fmt::format("target_{}", si), "time_s",
                                 fmt::format("mean_{}", si), fmt::format("sd_{}", si)};
  for (const double score : gallery_scores) {
    names.push_back(fmt::format("below_{}", share_below_text(score)));
  }
  Csv csv(names);
  for (const GalleryLevel& level : cell.levels) {
    for (const GalleryReading& reading : level.readings) {
      csv.count(level.level).number(level.target).number(reading.time);
      csv.number(reading.mean, 12).number(reading.sd, 12);
      for (const double quantile : reading.quantiles) csv.number(quantile, 9);
      csv.end_line();
    }
  }
  return csv;
}

}  // namespace cimstat::experiments
