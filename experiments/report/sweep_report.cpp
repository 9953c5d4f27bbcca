#include "experiments/report/sweep_report.h"

#include <algorithm>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/markup.h"
#include "experiments/report/page.h"
#include "experiments/report/provenance.h"
#include "experiments/report/sweep_figures.h"
#include "experiments/report/sweep_summary.h"
#include "experiments/seeing/sweep_points.h"

namespace cimstat::experiments {
namespace {

using namespace report;

/// How pictures say what is known.
std::string reading_hint(const SweepRecord& record, const SweepView& view) {
  if (std::none_of(view.scalars.begin(), view.scalars.end(),
                   [](const ScalarView& scalar) { return scalar.has_special; })) {
    return {};
  }
  return record.origin.method == "exact"
             ? std::string(
                   "Arrows down: the computation cannot tell the rate from 0; it is not "
                   "above the arrow.")
             : fmt::format("Arrows down: none was seen; the rate is below the arrow ({} limit).",
                           percent_text(record.confidence, 0));
}

std::string numbers(const SweepRecord& record, const SweepView& view) {
  std::string notes;
  for (const std::string& sentence : view.left_out) {
    notes += fmt::format("<p class=\"hint\">{}</p>\n", escaped(sentence));
  }
  if (!notes.empty()) {
    notes += fmt::format(
        "<p class=\"hint\">The file holds all {} points; the cards above and rank correlations are "
        "over all of them.</p>\n",
        grouped_text(points_of(record)));
  }
  return fmt::format(
      "{}{}<div id=\"sweep-layout\" data-of=\"{}\" data-layout=\"{}\" hidden=\"\"></div>\n", notes,
      numbers_below(sweep_numbers,
                    "every point" + std::string(view.left_out.empty() ? "" : " of this page"),
                    file_stem(record.name) + "-sweep.csv", numbers_of(view)),
      numbers_id(sweep_numbers), escaped(layout_of(view)));
}

ReportInput provenance_of(const SweepRecord& record) {
  ReportInput input;
  input.program = record.source;
  input.content_hash = record.content_sha256;
  input.content_of = "sweep result";
  input.config_toml = record.config_toml;
  input.provenance = {{"program", record.source}, {"seed", std::to_string(record.seed)}};
  if (!record.origin.method.empty()) {
    input.provenance.emplace_back(
        "misread rates", record.origin.method == "exact" ? "computed, not sampled" : "Monte Carlo");
  }
  for (const auto& [key, name] : {std::pair("random_numbers", "random numbers"),
                                  {"sampling", "sampled axes"},
                                  {"outputs", "outputs"}}) {
    const std::string setting = sweep_setting(record.config_toml, key);
    if (!setting.empty()) input.provenance.emplace_back(name, setting);
  }
  input.provenance.emplace_back("content SHA-256", record.content_sha256);
  return input;
}

}  // namespace

std::string render_sweep_report(const SweepRecord& record) {
  require_consistent(record);
  const SweepView view = view_of(record);
  const std::string level = percent_text(record.confidence, 0);
  std::vector<Section> sections;
  const auto add = [&](std::string name, std::string short_title, std::string title,
                       std::string hint, const std::string& content) {
    if (content.empty()) return;
    sections.push_back({std::move(name), std::move(short_title), std::move(title), std::move(hint),
                        fmt::format("<figure>\n{}</figure>\n", content)});
  };
  add("scatter", "Samples", "Samples against each sampled axis",
      "Each dot is a point at one slice of the listed axes. Triangles: only an upper limit is "
      "known, "
      "where they stand.",
      sweep_scatter_figure(view));
  add("sensitivity", "Sensitivity", "Which axis matters",
      fmt::format(
          "Spearman's rank correlation of the quantity with each sampled axis, over all samples: "
          "+1 where it always rises with the axis, −1 where it always falls, 0 where no trend is "
          "seen (which it may be in spite of a dependence that rises and falls). Whiskers: {} "
          "intervals after Bonett and Wright (2000), which take samples for independent.",
          level),
      sweep_sensitivity_figure(view, record));
  add("heat-map", "Map", "Over two axes",
      "Each cell is a point; values of an axis stand side by side, however far apart they are.",
      sweep_map_figure(view));
  add("curves", "Curves", "Over one axis",
      record.origin.method == "exact"
          ? "Bands of misread rates are bounds of the computation. " + reading_hint(record, view)
          : fmt::format("Bands and whiskers: {} intervals of each point by itself. {}", level,
                        reading_hint(record, view)),
      sweep_curve_figure(view));
  if (const std::string axes = sweep_axes(record); !axes.empty()) {
    sections.push_back({"axes", "Axes", "Axes", {}, axes});
  }
  sections.push_back({"numbers", "Numbers", "Numbers", {}, numbers(record, view)});
  for (Section& section : provenance_sections(provenance_of(record))) {
    sections.push_back(std::move(section));
  }
  return page(record.name, sweep_summary(record, view), sections, PageScript::sweep);
}

}  // namespace cimstat::experiments
