#include "experiments/report/rate_plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/page.h"

namespace cimstat::experiments::report {

namespace {

/// What an arrow means here; "" where none is drawn.
std::string arrow_text(const MisreadPoint& point, double confidence) {
  if (point.basis == MisreadBasis::none_seen) {
    return fmt::format("none seen: upper limit at {}", percent_text(confidence, 0));
  }
  return is_upper_limit(point) ? "not above the error bound" : "below the axis";
}

}  // namespace

RateAxis rate_axis(const std::vector<MisreadPoint>& points) {
  double least = std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (const MisreadPoint& point : points) {
    const bool limit = is_upper_limit(point);
    for (const double value :
         {point.upper, limit ? point.upper : point.rate, limit ? point.upper : point.lower}) {
      if (value < lowest_rate) continue;  // an interval down to 0 sets no limit
      least = std::min(least, value);
      most = std::max(most, value);
    }
  }
  if (most == 0.0) return {};
  return {std::pow(10.0, std::floor(std::log10(least) - 0.35)),
          std::pow(10.0, std::min(0.0, std::ceil(std::log10(most) + 0.05)))};
}

std::string draw_rates(Plot& plot, const std::vector<MisreadPoint>& points, const RateAxis& axis,
                       double confidence, const std::function<double(std::size_t)>& place,
                       const std::function<std::string(std::size_t)>& hover,
                       const RateStyle& style) {
  std::string arrow;
  for (std::size_t index = 0; index < points.size(); ++index) {
    const MisreadPoint& point = points[index];
    if (!is_upper_limit(point) && point.rate >= axis.low) {
      plot.measured(place(index), point.rate, point.lower, point.upper, style.dot, hover(index));
      continue;
    }
    arrow = arrow_text(point, confidence);
    const double room_for_arrow = axis.low * std::pow(axis.high / axis.low, 0.08);
    const double limit = is_upper_limit(point) ? point.upper : axis.low;
    plot.upper_limit({place(index), std::max(limit, room_for_arrow)}, style.arrow, hover(index));
  }
  return arrow;
}

std::vector<LegendItem> rate_legend(const std::vector<MisreadPoint>& points,
                                    const std::string& arrow, double confidence) {
  std::vector<LegendItem> items;
  if (std::any_of(points.begin(), points.end(),
                  [](const MisreadPoint& point) { return !is_upper_limit(point); })) {
    items.push_back({LegendItem::Sign::dot, "s0",
                     all_computed(points) ? "computed, not sampled"
                                          : fmt::format("seen rate with its {} interval",
                                                        percent_text(confidence, 0))});
  }
  if (!arrow.empty()) items.push_back({LegendItem::Sign::arrow, "s1", arrow});
  return items;
}

Axis counting_axis(std::string title, std::int64_t first, std::int64_t last) {
  const int wanted = last - first <= 20 ? static_cast<int>(last - first) + 1 : 12;
  const auto low = static_cast<double>(first);
  const auto high = static_cast<double>(last);
  return {std::move(title), low - 0.7, high + 0.7, Spacing::linear,
          linear_ticks(low, high, wanted, 1.0)};
}

}  // namespace cimstat::experiments::report
