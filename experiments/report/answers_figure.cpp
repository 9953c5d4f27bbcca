#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
#include "experiments/report/svg_plot.h"

namespace cimstat::experiments::report {
namespace {

constexpr double kFloor = 1e-4;         ///< smaller shares are not shaded
constexpr std::uint32_t kNumbers = 20;  ///< up to so many classes cells have room for numbers

struct Shares {
  std::uint32_t classes = 0;
  std::vector<double> of;  ///< [label, answer]
};

Shares shares_of(std::uint32_t classes, const std::vector<std::uint64_t>& counts) {
  Shares shares{classes, std::vector<double>(counts.size())};
  for (std::size_t label = 0; label < classes; ++label) {
    std::uint64_t all = 0;
    for (std::size_t answer = 0; answer < classes; ++answer)
      all += counts[label * classes + answer];
    for (std::size_t at = label * classes; all > 0 && at < (label + 1) * classes; ++at) {
      shares.of[at] = static_cast<double>(counts[at]) / static_cast<double>(all);
    }
  }
  return shares;
}

Axis class_axis(std::string title, std::uint32_t classes) {
  const double last = classes - 1.0;
  const int wanted = classes <= kNumbers ? static_cast<int>(classes) : 12;
  return {std::move(title), -0.5, last + 0.5, Spacing::linear,
          linear_ticks(0.0, last, wanted, 1.0)};
}

std::string map_of(const Shares& shares, const std::string& name, const std::string& numbers,
                   const std::string& what) {
  constexpr int kStrongFrom = 13;  // shades on which text takes the colour of the page
  const std::uint32_t classes = shares.classes;
  const double cell = std::clamp(600.0 / classes, 4.0, 56.0);
  const std::string label = "Answers by label, " + what;
  Plot plot(name, label, {180.0 + cell * classes, 64.0 + cell * classes, 16.0, 110.0},
            class_axis("answer", classes), class_axis("label", classes));
  std::vector<int> shades(shares.of.size(), Plot::kNoCell);
  for (std::size_t at = 0; at < shades.size(); ++at) {
    if (shares.of[at] >= kFloor) shades[at] = heat_shade(shares.of[at], kFloor);
  }
  plot.cells(classes, classes, shades, "h");
  for (std::size_t at = 0; classes <= kNumbers && at < shades.size(); ++at) {
    if (shades[at] == Plot::kNoCell) continue;
    plot.note({static_cast<double>(at % classes), static_cast<double>(at / classes) - 4.0 / cell},
              fmt::format("{:.1f}", 100.0 * shares.of[at]),
              shades[at] >= kStrongFrom ? "cell on-strong" : "cell on-weak");
  }
  for (std::uint32_t one = 0; one < classes; ++one) {
    plot.outline({one - 0.5, one - 0.5}, {one + 0.5, one + 0.5}, "ideal");
  }
  plot.colour_bar({"share of the label's answers", kFloor, 1.0, Spacing::logarithmic, {}},
                  kHeatShades, "h");
  const auto last = static_cast<int>(classes) - 1;
  const HeatMapText text{.name = name + "-map",
                         .numbers = numbers,
                         .label = label,
                         .text = "label {y} is taken for {x}",
                         .absent = "never",
                         .value = "share",
                         .limits = {},
                         .x = {"answer", 0, 1, last, classes},
                         .y = {"label", 0, 1, last, classes}};
  return heat_map_frame(text, plot.svg());
}

Csv numbers_of(const std::vector<std::uint64_t>& counts, const Shares& shares) {
  Csv csv{"label", "answer", "count", "share"};
  for (std::size_t at = 0; at < counts.size(); ++at) {
    if (counts[at] == 0) continue;
    csv.count(at / shares.classes).count(at % shares.classes).count(counts[at]);
    csv.number(shares.of[at], 6);
    csv.end_line();
  }
  return csv;
}

std::string condition_maps(const ReportInput& input, std::size_t index) {
  const AccuracyCondition& condition = input.accuracy[index];
  std::vector<std::pair<std::string, std::string>> panes;
  std::string below;
  for (const auto& [what, key, counts] :
       {std::tuple("on the macro", "sampled", &condition.answers.sampled),
        std::tuple("exact integers", "exact", &condition.answers.exact)}) {
    const Shares shares = shares_of(condition.answers.classes, *counts);
    const std::string name = fmt::format("answers-{}-{}", key, index);
    panes.emplace_back(what, map_of(shares, name, name, what));
    below += numbers_below(name, fmt::format("answers by label, {}", what),
                           fmt::format("{}-{}.csv", file_stem(input.title), name),
                           numbers_of(*counts, shares));
  }
  return tabs(fmt::format("answers-{}", index), "whose answers to show", panes) + below;
}

}  // namespace

std::string answers_figure(const ReportInput& input) {
  std::string figure;
  for (std::size_t index = 0; index < input.accuracy.size(); ++index) {
    const AccuracyCondition& condition = input.accuracy[index];
    if (condition.answers.classes == 0) continue;
    if (input.accuracy.size() > 1) figure += fmt::format("<h3>{}</h3>\n", escaped(condition.label));
    figure += condition_maps(input, index);
  }
  return figure;
}

}  // namespace cimstat::experiments::report
