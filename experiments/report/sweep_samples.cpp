#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/statistics/rank_correlation.h"

#include "experiments/report/figures.h"
#include "experiments/report/sweep_figures.h"

namespace cimstat::experiments::report {

namespace {

constexpr std::size_t most_dots = 3'000;  ///< in a panel

/// Points of the choice's slice, one for each sample on the page.
std::vector<std::uint64_t> samples_at(const SweepView& view, const SweepChoice& choice,
                                      std::size_t dimension) {
  std::vector<std::uint64_t> points;
  std::vector<std::size_t> indices = choice.indices;
  for (std::size_t index = 0; index < view.record.dimensions[dimension].size; ++index) {
    indices[dimension] = index;
    points.push_back(point_at(view.record, indices));
  }
  return points;
}

std::string panel(const SweepView& view, const SweepChoice& choice, const AxisView& x) {
  constexpr double cells = 100.0;
  const ScalarView& quantity = view.scalars[choice.scalar];
  Plot plot(fmt::format("sweep-scatter-clip-{}", x.axis),
            fmt::format("{} of samples over {}", quantity.name, x.name), {466.0, 280.0, 16.0, 14.0},
            x.plot_axis(x.has_words ? static_cast<double>(x.texts.size()) : cells, 6),
            quantity.axis());
  const std::vector<std::uint64_t> points = samples_at(view, choice, x.dimension);
  std::vector<Point> seen;
  std::vector<Point> limits;
  for (const std::size_t sample :
       scattered_picks(points.size(), std::min(points.size(), most_dots))) {
    const std::uint64_t point = points[sample];
    const Knowledge known = knowledge_of(view.record, view.record.scalars[choice.scalar], point);
    if (known == Knowledge::nothing) continue;
    const double place = x.has_words ? x.numbers[sample] : x.place(x.numbers[sample], cells);
    const double value = view.value(choice.scalar, point);
    if (known == Knowledge::none_seen || known == Knowledge::below_bound) {
      limits.push_back({place, std::max(view.upper(choice.scalar, point), quantity.low)});
    } else {
      seen.push_back({place, quantity.is_logarithmic ? std::max(value, quantity.low) : value});
    }
  }
  constexpr std::size_t many = 800;
  plot.dots(seen, seen.size() > many ? "many s0" : "s0");
  plot.carets(limits, "s1");
  return plot_frame(x.name, plot.svg());
}

struct Bar {
  std::size_t axis = 0;
  core::RankCorrelation found;
};

/// All samples of the record, at the listed values that the choice of the page has.
Bar bar_of(const SweepView& view, const SweepRecord& record, const SweepChoice& choice,
           const AxisView& axis) {
  std::vector<std::size_t> indices;
  for (std::size_t dimension = 0; dimension < choice.indices.size(); ++dimension) {
    indices.push_back(view.picked[dimension][choice.indices[dimension]]);
  }
  std::vector<double> values;
  for (std::size_t sample = 0; sample < record.dimensions[axis.dimension].size; ++sample) {
    indices[axis.dimension] = sample;
    values.push_back(record.scalars[choice.scalar].value[point_at(record, indices)]);
  }
  std::vector<double> numbers = record.axes[axis.axis].numbers;
  if (numbers.empty()) numbers.assign(values.size(), std::nan(""));  // words have no order
  return {axis.axis, core::rank_correlation(numbers, values, record.confidence)};
}

/// Every combination of listed values on the page, in C order; the sample is the first.
std::vector<SweepChoice> listed_choices(const SweepView& view, std::size_t sample_dimension) {
  SweepRecord listed;
  listed.dimensions = view.record.dimensions;
  listed.dimensions[sample_dimension].size = 1;
  std::vector<SweepChoice> choices;
  for (std::uint64_t point = 0; point < points_of(listed); ++point) {
    choices.push_back({0, indices_of(listed, point)});
  }
  return choices;
}

std::string bars_picture(const SweepView& view, const SweepChoice& choice, std::vector<Bar> bars) {
  const auto strength = [](const Bar& bar) {
    return std::isnan(bar.found.value) ? -1.0 : std::abs(bar.found.value);
  };
  std::stable_sort(bars.begin(), bars.end(), [&](const Bar& one, const Bar& other) {
    return strength(one) < strength(other);  // the strongest on top
  });
  Axis down{"", -0.6, static_cast<double>(bars.size()) - 0.4, Spacing::linear, {}};
  for (std::size_t row = 0; row < bars.size(); ++row) {
    down.ticks.push_back({static_cast<double>(row), shortened(view.axes[bars[row].axis].name, 20)});
  }
  Plot plot("sweep-bars-clip",
            fmt::format("Rank correlation of {} with each sampled axis",
                        view.scalars[choice.scalar].name),
            {960.0, 76.0 + 36.0 * static_cast<double>(bars.size()), 14.0, 20.0},
            {"Spearman's rank correlation", -1.0, 1.0, Spacing::linear, {}}, down);
  plot.vertical_line(0.0, "zero", {});
  for (std::size_t row = 0; row < bars.size(); ++row) {
    const auto& [value, interval, pairs] = bars[row].found;
    const auto height = static_cast<double>(row);
    if (std::isnan(value)) {
      plot.note({0.02, height}, "not known", "label");
      continue;
    }
    const std::string hover = fmt::format(
        "{}: {} ({} to {}), {} samples", view.axes[bars[row].axis].name, signed_text(value, 3),
        signed_text(interval.lower, 3), signed_text(interval.upper, 3), grouped_text(pairs));
    const Plot::BandPoint ends[] = {{std::min(0.0, value), height - 0.28, height + 0.28},
                                    {std::max(0.0, value), height - 0.28, height + 0.28}};
    plot.band(ends, "bar-fill s0");
    plot.whisker(height, interval.lower, interval.upper, "s0", hover);
    plot.dot({value, height}, 4.0, "s0", hover);
  }
  return plot.svg();
}

}  // namespace

std::string sweep_scatter_figure(const SweepView& view) {
  const std::vector<std::size_t> axes = sampled_axes(view);
  if (axes.empty() || view.scalars.empty()) return {};
  const SweepChoice choice = first_choice(view);
  const std::vector<std::size_t> taken{view.axes[axes.front()].dimension};
  std::string panels;
  for (const std::size_t axis : axes) panels += panel(view, choice, view.axes[axis]);
  return sweep_frame(
      "scatter",
      quantity_control(view, "scatter", choice) + slice_controls(view, "scatter", choice, taken),
      slice_text(view, choice, taken), fmt::format("<div class=\"panels\">\n{}</div>\n", panels));
}

std::string sweep_sensitivity_figure(const SweepView& view, const SweepRecord& record) {
  const std::vector<std::size_t> axes = sampled_axes(view);
  if (axes.empty() || view.scalars.empty()) return {};
  const SweepChoice choice = first_choice(view);
  const std::size_t sample_dimension = view.axes[axes.front()].dimension;
  std::vector<std::string> names;
  for (const AxisView& axis : view.axes) {
    if (!axis.is_sampled) names.push_back(axis.name);
  }
  for (const char* name : {"quantity", "axis", "rank_correlation", "lower", "upper", "samples"}) {
    names.emplace_back(name);
  }
  Csv csv(names);
  std::vector<Bar> shown;
  for (SweepChoice place : listed_choices(view, sample_dimension)) {
    for (place.scalar = 0; place.scalar < view.scalars.size(); ++place.scalar) {
      for (const std::size_t axis : axes) {
        const Bar bar = bar_of(view, record, place, view.axes[axis]);
        for (const AxisView& listed : view.axes) {
          if (listed.is_sampled) continue;
          csv.text(value_text(view.record.axes[listed.axis], place.indices[listed.dimension],
                              Letters::any));
        }
        csv.text(view.scalars[place.scalar].name).text(view.axes[axis].name);
        csv.number(bar.found.value, 4);
        csv.number(bar.found.interval.lower, 4).number(bar.found.interval.upper, 4);
        csv.count(bar.found.pairs);
        csv.end_line();
        if (place.scalar == choice.scalar && place.indices == choice.indices) shown.push_back(bar);
      }
    }
  }
  const std::vector<std::size_t> taken{sample_dimension};
  return sweep_frame(
             "bars",
             quantity_control(view, "bars", choice) + slice_controls(view, "bars", choice, taken),
             slice_text(view, choice, taken),
             plot_frame("rank correlations", bars_picture(view, choice, shown))) +
         numbers_below("sensitivity", "rank correlations",
                       file_stem(record.name) + "-rank-correlations.csv", csv);
}

}  // namespace cimstat::experiments::report
