#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "experiments/report/entries_plot.h"
#include "experiments/report/figures.h"
#include "experiments/report/numbers.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"

namespace cimstat::experiments::report {
namespace {

constexpr double kFloor = 1e-6;  ///< smaller shares of codes are not shaded
constexpr std::uint32_t kMostCodes = 130;
constexpr std::size_t kNameLetters = 40;

std::string decibels_text(const AccuracyFigure& figure) {
  if (std::isinf(figure.lower)) return fmt::format("{:.2f} dB", figure.value);
  return fmt::format("{:.2f} dB ({:.2f} to {:.2f})", figure.value, figure.lower, figure.upper);
}

/// Intervals of one image have no ends: the dot alone.
AccuracyFigure drawn(const AccuracyFigure& figure) {
  return std::isinf(figure.lower) ? AccuracyFigure{figure.value, figure.value, figure.value}
                                  : figure;
}

std::string snr_plot(const std::vector<LayerLine>& layers, std::size_t index) {
  std::vector<Entry> entries;
  for (const LayerLine& layer : layers) {
    const std::string detail = fmt::format(
        "{} partial sums an image; read as the first code {:.3g} %, as the last {:.3g} %; half a "
        "step or more beyond all codes {:.3g} %",
        layer.partial_sums, 100.0 * layer.first_code, 100.0 * layer.last_code,
        100.0 * layer.beyond);
    const auto add = [&](std::string_view what, const AccuracyFigure& figure, std::string style,
                         bool hollow) {
      if (std::isinf(figure.value)) return;
      entries.push_back({fmt::format("{}, {}", shortened(layer.name, kNameLetters), what),
                         fmt::format("{}, {}", layer.name, what), decibels_text(figure), detail,
                         drawn(figure), std::move(style), hollow});
    };
    add("by itself", layer.snr, "s0", false);
    add("in the network", layer.network_snr, "s1", true);
  }
  if (entries.empty()) return "<p class=\"hint\">No layer has noise.</p>\n";
  using Sign = LegendItem::Sign;
  return entries_plot(fmt::format("layer-snr-{}", index), "Signal-to-noise ratio of each layer",
                      entries, "signal-to-noise ratio (dB), the axis does not start at 0",
                      {{Sign::interval, "s0", "against exact integers on the same input"},
                       {Sign::ring, "s1", "against exact integers in all layers"}},
                      Zero::not_needed);
}

/// Layers downward, codes to the right; neighbouring codes are added where there are very many.
std::string codes_map(const std::vector<LayerLine>& layers, const std::string& numbers,
                      std::size_t index) {
  const auto codes = static_cast<std::uint32_t>(layers.front().codes.size());
  const std::uint32_t width = (codes + kMostCodes - 1) / kMostCodes;
  const std::uint32_t columns = (codes + width - 1) / width;
  const auto rows = static_cast<std::uint32_t>(layers.size());
  std::vector<int> shades(std::size_t{rows} * columns, Plot::kNoCell);
  std::vector<Tick> names;
  for (std::uint32_t row = 0; row < rows; ++row) {
    names.push_back({-static_cast<double>(row), shortened(layers[row].name, 12)});
    std::vector<double> shares(columns);
    for (std::uint32_t code = 0; code < codes; ++code)
      shares[code / width] += layers[row].codes[code];
    for (std::uint32_t column = 0; column < columns; ++column) {
      if (!(shares[column] >= kFloor)) continue;
      // Rows of cells begin at the low end of the axis.
      shades[std::size_t{rows - 1 - row} * columns + column] = heat_shade(shares[column], kFloor);
    }
  }
  std::reverse(names.begin(), names.end());
  const double height = std::clamp(24.0 * rows, 60.0, 700.0);
  const double last = codes - 1.0;
  const std::string name = fmt::format("layer-codes-{}", index);
  Plot plot(
      name, "Share of each code among a layer's partial sums", {960.0, height + 64.0, 16.0, 110.0},
      {"code", -0.5, columns * width - 0.5, Spacing::linear, linear_ticks(0.0, last, 12, 1.0)},
      {"", 0.5 - rows, 0.5, Spacing::linear, names});
  plot.cells(columns, rows, shades, "h");
  plot.colour_bar({"share of the layer's partial sums", kFloor, 1.0, Spacing::logarithmic, {}},
                  kHeatShades, "h");
  const HeatMapText text{.name = name + "-map",
                         .numbers = numbers,
                         .label = "Share of each code by layer",
                         .text = "layer {y}, code {x}",
                         .absent = "never",
                         .value = "share",
                         .limits = {},
                         .x = {"code", 0, static_cast<int>(width), static_cast<int>(last), columns},
                         .y = {"row", 1 - static_cast<int>(rows), 1, 0, rows}};
  return heat_map_frame(text, plot.svg());
}

Csv codes_numbers(const std::vector<LayerLine>& layers) {
  const auto codes = static_cast<std::uint32_t>(layers.front().codes.size());
  const std::uint32_t width = (codes + kMostCodes - 1) / kMostCodes;
  Csv csv{"row", "layer", "code", "share"};
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    for (std::uint32_t first = 0; first < codes; first += width) {
      double share = 0.0;
      for (std::uint32_t code = first; code < std::min(first + width, codes); ++code) {
        share += layers[layer].codes[code];
      }
      if (!(share > 0.0)) continue;
      csv.whole(-static_cast<std::int64_t>(layer)).text(layers[layer].name).count(first);
      csv.number(share, 6).end_line();
    }
  }
  return csv;
}

Csv layers_numbers(const std::vector<LayerLine>& layers) {
  Csv csv{"layer",           "partial_sums",  "snr_db",
          "lower",           "upper",         "network_snr_db",
          "network_lower",   "network_upper", "first_code_share",
          "last_code_share", "beyond_share"};
  const auto number = [&](double value) {
    csv.number(std::isinf(value) ? std::nan("") : value, 6);
  };
  for (const LayerLine& layer : layers) {
    csv.text(layer.name).count(layer.partial_sums);
    for (const AccuracyFigure& figure : {layer.snr, layer.network_snr}) {
      for (const double value : {figure.value, figure.lower, figure.upper}) number(value);
    }
    csv.number(layer.first_code, 6).number(layer.last_code, 6).number(layer.beyond, 6).end_line();
  }
  return csv;
}

std::string costs_plot(const std::vector<LayerCost>& costs, std::size_t index) {
  std::vector<Entry> entries;
  const auto percent = [](const AccuracyFigure& figure) {
    return AccuracyFigure{100.0 * figure.value, 100.0 * figure.lower, 100.0 * figure.upper};
  };
  for (const LayerCost& cost : costs) {
    const auto add = [&](std::string_view what, const AccuracyFigure& figure, std::string style,
                         bool hollow) {
      const AccuracyFigure points = percent(figure);
      entries.push_back({fmt::format("{}, {}", shortened(cost.name, kNameLetters), what),
                         fmt::format("{}, {}", cost.name, what),
                         fmt::format("{:+.2f} points ({:+.2f} to {:+.2f})", points.value,
                                     points.lower, points.upper),
                         {},
                         points,
                         std::move(style),
                         hollow});
    };
    add("alone on columns", cost.alone, "s0", false);
    add("spared", cost.spared, "s1", true);
  }
  using Sign = LegendItem::Sign;
  return entries_plot(fmt::format("layer-costs-{}", index), "What each layer costs", entries,
                      "difference of accuracy (percentage points)",
                      {{Sign::interval, "s0", "alone on columns \u2212 exact integers"},
                       {Sign::ring, "s1", "all but it on columns \u2212 all on columns"}},
                      Zero::shown);
}

Csv costs_numbers(const std::vector<LayerCost>& costs) {
  Csv csv{"layer", "alone", "lower", "upper", "spared", "spared_lower", "spared_upper"};
  for (const LayerCost& cost : costs) {
    csv.text(cost.name);
    for (const AccuracyFigure& figure : {cost.alone, cost.spared}) {
      csv.number(figure.value, 6).number(figure.lower, 6).number(figure.upper, 6);
    }
    csv.end_line();
  }
  return csv;
}

std::string condition_layers(const ReportInput& input, std::size_t index) {
  const NetworkAnswers& answers = input.accuracy[index].answers;
  std::string figure;
  const auto below = [&](std::string_view name, std::string_view title, const Csv& csv) {
    const std::string whole = fmt::format("{}-{}", name, index);
    return numbers_below(whole, title, fmt::format("{}-{}.csv", file_stem(input.title), whole),
                         csv);
  };
  if (!answers.layers.empty()) {
    figure += snr_plot(answers.layers, index) +
              below("layers", "layers", layers_numbers(answers.layers)) +
              "<h3>Codes</h3>\n<p class=\"hint\">Share of a layer's partial sums that were read "
              "as each code; shades are logarithmic. Much at the last code: the converter "
              "clips.</p>\n" +
              codes_map(answers.layers, fmt::format("codes-{}", index), index) +
              below("codes", "codes of each layer", codes_numbers(answers.layers));
  }
  if (!answers.costs.empty()) {
    figure +=
        "<h3>Sensitivity</h3>\n<p class=\"hint\">Accuracy with one layer alone on columns, "
        "and with all but one, image by image and on the same random numbers. The layer that "
        "costs most first.</p>\n" +
        costs_plot(answers.costs, index) +
        below("costs", "what each layer costs", costs_numbers(answers.costs));
  }
  return figure;
}

}  // namespace

std::string layers_figure(const ReportInput& input) {
  std::string figure;
  for (std::size_t index = 0; index < input.accuracy.size(); ++index) {
    const std::string layers = condition_layers(input, index);
    if (layers.empty()) continue;
    if (input.accuracy.size() > 1) {
      figure += fmt::format("<h3>{}</h3>\n", escaped(input.accuracy[index].label));
    }
    figure += layers;
  }
  return figure;
}

}  // namespace cimstat::experiments::report
