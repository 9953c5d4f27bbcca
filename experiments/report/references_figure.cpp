#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/rate_plot.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

std::string misread_plot(const ReportInput& input, const ReferenceComparison& before) {
  std::vector<MisreadPoint> all = input.misread;
  all.insert(all.end(), before.misread.begin(), before.misread.end());
  const RateAxis axis = rate_axis(all);
  Plot plot("references-clip",
            fmt::format("Misread probability of {} MAC values with {} references and with those "
                        "listed",
                        input.misread.size(), before.name),
            {960.0, 360.0, 44.0, 20.0},
            counting_axis("MAC value", input.misread.front().level, input.misread.back().level),
            axis.axis());
  constexpr double beside = 0.14;  // of the distance of two MAC values
  struct Side {
    const std::vector<MisreadPoint>& points;
    double shift;
    std::string name;
    RateStyle style;
  };
  const Side sides[] = {{before.misread, -beside, before.name + " references", {"s1", "s1"}},
                        {input.misread, beside, "the references listed", {"s0", "s0"}}};
  std::vector<LegendItem> legend;
  for (const Side& side : sides) {
    const std::string arrow = draw_rates(
        plot, side.points, axis, input.confidence,
        [&](std::size_t index) {
          return static_cast<double>(side.points[index].level) + side.shift;
        },
        [&](std::size_t index) {
          return fmt::format("MAC value {}, {}: {}", side.points[index].level, side.name,
                             misread_text(side.points[index]));
        },
        side.style);
    legend.push_back({LegendItem::Sign::dot, std::string(side.style.dot), side.name});
    if (!arrow.empty()) {
      legend.push_back({LegendItem::Sign::arrow, std::string(side.style.arrow), arrow});
    }
  }
  plot.legend(legend);
  return plot_frame("misread before and after", plot.svg());
}

std::string moves_plot(const ReportInput& input, const ReferenceComparison& before,
                       const CurrentUnit& whole) {
  // Those above the highest MAC value shown decide none of these misreads.
  const auto last =
      static_cast<std::uint32_t>(std::min(input.references.size(), input.misread.size()));
  double most = 0.0;
  for (std::size_t c = 0; c < last; ++c) {
    most = std::max(most, std::abs(input.references[c] - before.references[c]));
  }
  const CurrentUnit unit = unit_for(most, input.unit);
  const double reach = most > 0.0 ? 1.15 * most / unit.size : 1.0;
  Plot plot("moves-clip", fmt::format("How far each of {} references moved", last),
            {960.0, 330.0, 20.0, 20.0},
            counting_axis("reference: between codes c - 1 and c", 1, last),
            {fmt::format("moved by ({})", unit.name), -reach, reach, Spacing::linear, {}});
  plot.horizontal_line(0.0, "zero", "where it was");
  for (std::size_t c = 0; c < last; ++c) {
    const double moved = (input.references[c] - before.references[c]) / unit.size;
    plot.dot({static_cast<double>(c + 1), moved}, last <= 64 ? 3.5 : 2.2, "s0",
             fmt::format("between codes {} and {}: from {} to {} {}", c, c + 1,
                         number_text(before.references[c] / whole.size, 5),
                         number_text(input.references[c] / whole.size, 5), whole.name));
  }
  return plot_frame("how far each reference moved", plot.svg());
}

Csv misread_numbers(const ReportInput& input, const ReferenceComparison& before) {
  Csv csv{"mac_value",     "misread_before", "lower_before", "upper_before",
          "misread_after", "lower_after",    "upper_after"};
  for (std::size_t i = 0; i < input.misread.size(); ++i) {
    csv.whole(input.misread[i].level);
    for (const MisreadPoint* point : {&before.misread[i], &input.misread[i]}) {
      csv.number(point->rate, 12).number(point->lower, 12).number(point->upper, 12);
    }
    csv.end_line();
  }
  return csv;
}

Csv reference_numbers(const ReportInput& input, const ReferenceComparison& before) {
  Csv csv(std::vector<std::string>{"code_above", "reference_before_" + input.unit,
                                   "reference_after_" + input.unit});
  for (std::size_t c = 0; c < input.references.size(); ++c) {
    csv.count(c + 1).number(before.references[c], 12).number(input.references[c], 12).end_line();
  }
  return csv;
}

}  // namespace

std::string references_figure(const ReportInput& input, const CurrentUnit& unit) {
  const ReferenceComparison& before = *input.before;
  return tabs("references", "what to show",
              {{"misreads", misread_plot(input, before)},
               {"how far they moved", moves_plot(input, before, unit)}}) +
         numbers_below("references-misread", "misread rates before and after",
                       figure_file_stem(input) + "-references-misread.csv",
                       misread_numbers(input, before)) +
         numbers_below("references-moved", "references before and after",
                       figure_file_stem(input) + "-references.csv",
                       reference_numbers(input, before));
}

}  // namespace cimstat::experiments::report
