#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/report/report.h"
#include "experiments/report/svg_plot.h"

/// What pictures of misread rates share: a logarithmic axis, dots with intervals, arrows where only
/// a limit is known.
namespace cimstat::experiments::report {

/// Rates below this are as good as none for any design: the axis ends here.
inline constexpr double lowest_rate = 1e-18;

struct RateAxis {
  double low = lowest_rate;
  double high = 1.0;

  Axis axis() const { return {"misread probability", low, high, Spacing::logarithmic, {}}; }
};

/// Whole powers of ten around all that is drawn.
RateAxis rate_axis(const std::vector<MisreadPoint>& points);

struct RateStyle {
  std::string_view dot = "s0";
  std::string_view arrow = "s1";
};

/// One mark for each point. `place` is where along the x axis. Returns what the arrows mean; ""
/// where none is drawn.
std::string draw_rates(Plot& plot, const std::vector<MisreadPoint>& points, const RateAxis& axis,
                       double confidence, const std::function<double(std::size_t)>& place,
                       const std::function<std::string(std::size_t)>& hover,
                       const RateStyle& style = {});

std::vector<LegendItem> rate_legend(const std::vector<MisreadPoint>& points,
                                    const std::string& arrow, double confidence);

/// Along whole numbers.
Axis counting_axis(std::string title, std::int64_t first, std::int64_t last);

}  // namespace cimstat::experiments::report
