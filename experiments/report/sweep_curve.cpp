#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/sweep_figures.h"

namespace cimstat::experiments::report {

namespace {

constexpr std::size_t most_curves = 7;
constexpr std::size_t most_marks = 150;  ///< of a curve: more would be a smear

struct Curve {
  std::string style;
  std::string label;
  std::vector<std::size_t> indices;  ///< of the choice, with this curve's value
  double aside = 0.0;                ///< of the marks over words, which would hide each other
};

/// One for each value of the axis, or of as many as are told apart.
std::vector<Curve> curves_of(const SweepView& view, const SweepChoice& choice,
                             std::optional<std::size_t> series) {
  if (!series) return {{"s0", "", choice.indices}};
  const AxisView& axis = view.axes[*series];
  const std::size_t size = axis.numbers.size();
  const std::size_t count = std::min(size, most_curves);
  std::vector<Curve> curves;
  for (std::size_t index = 0; index < count; ++index) {
    const std::size_t value = count == 1 ? 0 : (index * (size - 1) + (count - 1) / 2) / (count - 1);
    Curve curve{fmt::format("s{}", index), shortened(axis.texts[value], 13), choice.indices};
    if (index == 0) curve.label = fmt::format("{} = {}", shortened(axis.name, 13), curve.label);
    curve.indices[axis.dimension] = value;
    curve.aside = 0.06 * (static_cast<double>(index) - 0.5 * static_cast<double>(count - 1));
    curves.push_back(std::move(curve));
  }
  return curves;
}

/// Points along the axis in ascending order of its numbers.
struct Mark {
  double place = 0.0;
  std::uint64_t point = 0;
  std::string hover;
};
std::vector<Mark> marks_of(const SweepView& view, const SweepChoice& choice, const Curve& curve,
                           const AxisView& x) {
  std::vector<std::size_t> order(x.numbers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return x.numbers[a] < x.numbers[b]; });
  const auto place = [&](std::size_t index) {
    return x.place(x.numbers[index], static_cast<double>(order.size())) +
           (x.has_words ? curve.aside : 0.0);
  };
  std::vector<Mark> marks;
  std::vector<std::size_t> indices = curve.indices;
  for (const std::size_t index : order) {
    indices[x.dimension] = index;
    const std::uint64_t point = point_at(view.record, indices);
    marks.push_back({place(index), point, {}});
    if (order.size() > most_marks) continue;
    marks.back().hover = fmt::format("{}: {}", point_text(view.record, point, Letters::any),
                                     estimate_text(view, choice.scalar, point));
  }
  return marks;
}

void draw(Plot& plot, const SweepView& view, std::size_t scalar, const Curve& curve,
          const std::vector<Mark>& marks, bool is_joined) {
  const ScalarView& quantity = view.scalars[scalar];
  const double floor = quantity.is_logarithmic ? 1e-9 * quantity.low : quantity.low;
  std::vector<Plot::BandPoint> band;
  std::vector<Point> line;
  const auto end_line = [&] {
    if (is_joined && line.size() > 1) plot.line(line, curve.style);
    line.clear();
  };
  const auto end_band = [&] {
    if (is_joined && band.size() > 1) plot.band(band, curve.style);
    band.clear();
  };
  for (const Mark& mark : marks) {
    const Knowledge known = knowledge_of(view.record, view.record.scalars[scalar], mark.point);
    if (known == Knowledge::nothing) {
      end_line();
      end_band();
      continue;
    }
    const double value = view.value(scalar, mark.point);
    const double upper = view.upper(scalar, mark.point);
    const double lower = view.lower(scalar, mark.point);
    const bool is_limit = known == Knowledge::none_seen || known == Knowledge::below_bound;
    band.push_back({mark.place, std::max(is_limit ? floor : lower, floor), std::max(upper, floor)});
    if (is_limit || (quantity.is_logarithmic && value < quantity.low)) {
      end_line();
      if (marks.size() <= most_marks) {
        const double place =
            std::max(upper, quantity.is_logarithmic
                                ? quantity.low * std::pow(quantity.high / quantity.low, 0.08)
                                : quantity.low);
        plot.upper_limit({mark.place, place}, curve.style, mark.hover);
      }
      continue;
    }
    line.push_back({mark.place, value});
    if (marks.size() > most_marks) continue;
    if (is_joined) {
      plot.dot({mark.place, value}, 3.5, curve.style, mark.hover);
    } else {
      plot.measured(mark.place, value, lower, upper, curve.style, mark.hover);
    }
  }
  end_line();
  end_band();
}

std::string picture(const SweepView& view, const SweepChoice& choice, const AxisView& x,
                    std::optional<std::size_t> series) {
  const ScalarView& quantity = view.scalars[choice.scalar];
  const std::vector<Curve> curves = curves_of(view, choice, series);
  Plot plot("sweep-curve-clip", fmt::format("{} over {}", quantity.name, x.name),
            {960.0, 400.0, series ? 44.0 : 16.0, 20.0},
            x.plot_axis(static_cast<double>(x.numbers.size()), 9), quantity.axis());
  std::vector<LegendItem> legend;
  for (const Curve& curve : curves) {
    draw(plot, view, choice.scalar, curve, marks_of(view, choice, curve, x), !x.has_words);
    if (series) legend.push_back({LegendItem::Sign::dot, curve.style, curve.label});
  }
  plot.legend(legend);
  return plot.svg();
}

}  // namespace

std::string sweep_curve_figure(const SweepView& view) {
  const std::vector<std::size_t> axes = varying_listed_axes(view);
  if (axes.empty() || view.scalars.empty()) return {};
  const SweepChoice choice = first_choice(view);
  const AxisView& x = view.axes[axes[0]];
  std::optional<std::size_t> series;
  if (axes.size() > 1) series = axes[1];
  std::vector<std::size_t> taken{x.dimension};
  if (series) taken.push_back(view.axes[*series].dimension);
  std::vector<SelectOption> across;
  std::vector<SelectOption> curves{{"none", "one curve"}};
  for (const std::size_t axis : axes) {
    across.push_back({std::to_string(axis), view.axes[axis].name});
    curves.push_back({std::to_string(axis), "one for each " + view.axes[axis].name});
  }
  const std::string controls =
      quantity_control(view, "curve", choice) +
      select_control("curve-x", "x", "across", across, std::to_string(x.axis)) +
      (series ? select_control("curve-series", "series", "curves", curves, std::to_string(*series))
              : std::string()) +
      select_control("curve-range", "range", "axis over",
                     {{"all", "all slices"}, {"slice", "this slice"}}, "all") +
      slice_controls(view, "curve", choice, taken);
  return sweep_frame("curve", controls, slice_text(view, choice, taken),
                     plot_frame("curves with intervals", picture(view, choice, x, series)));
}

}  // namespace cimstat::experiments::report
