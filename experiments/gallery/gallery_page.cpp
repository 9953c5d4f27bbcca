#include <algorithm>

#include <fmt/format.h>

#include "core/file/provenance.h"

#include "experiments/counted.h"
#include "experiments/gallery/gallery.h"
#include "experiments/gallery/gallery_figure.h"
#include "experiments/macro/setting_text.h"
#include "experiments/report/markup.h"
#include "experiments/report/page.h"
#include "experiments/report/summary.h"

namespace cimstat::experiments {

namespace {

using namespace report;

std::string evidence_note(Evidence evidence) {
  switch (evidence) {
    case Evidence::from_abstract:
      return "<br/><small>from the abstract only</small>";
    case Evidence::unverified:
      return "<br/><small>unverified</small>";
    case Evidence::computed:
      return "<br/><small>from the published coefficients</small>";
    case Evidence::read:
      break;
  }
  return {};
}

std::string scrolled_table(std::string_view label, std::string_view headings,
                           std::string_view rows) {
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\">\n<table>\n"
      "<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
      escaped(label), headings, rows);
}

std::string comparison_table(const GalleryCell& cell) {
  if (cell.comparisons.empty()) return {};
  std::string rows;
  std::string_view source;
  for (const GalleryComparison& comparison : cell.comparisons) {
    const PublishedNumber& number = comparison.number;
    if (number.source != source) {
      source = number.source;
      rows += fmt::format(
          "<tr><th scope=\"rowgroup\" colspan=\"4\" class=\"text\"><small>{}</small></th></tr>\n",
          escaped(source));
    }
    rows += fmt::format(
        "<tr><th scope=\"row\" class=\"text\">{}{}</th><td>{}{}</td><td>{}</td><td{}>{}</td>"
        "</tr>\n",
        unbroken(escaped(typeset(number.what))),
        number.why.empty() ? "" : fmt::format("<small>{}</small>", escaped(number.why)),
        unbroken(escaped(typeset(number.printed))), evidence_note(number.evidence),
        unbroken(escaped(typeset(comparison.here_text()))),
        comparison.agrees() ? "" : " class=\"worst\"",
        unbroken(escaped(typeset(comparison.difference_text()))));
  }
  return scrolled_table("published numbers of " + cell.entry.name,
                        "<th scope=\"col\" class=\"text\">published</th><th scope=\"col\">printed"
                        "</th><th scope=\"col\">here</th><th scope=\"col\">difference</th>",
                        rows);
}

std::string level_table(const GalleryCell& cell, const GalleryUnit& unit) {
  const std::string shown_unit = typeset("1 " + unit.name).substr(2);
  std::string headings = fmt::format(
      "<th scope=\"col\">level</th><th scope=\"col\">target<small>{}</small></th>", shown_unit);
  const bool timeless = cell.entry.times.size() == 1 && cell.entry.times.front() == 0.0;
  for (const double time : cell.entry.times) {
    headings += fmt::format("<th scope=\"col\">{}<small>mean \u00b1 sd, {}</small></th>",
                            timeless ? "as read" : escaped(time_text(time)), shown_unit);
  }
  std::string rows;
  for (const GalleryLevel& level : cell.levels) {
    rows += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td>", level.level,
                        number_text(level.target / unit.factor, 4));
    for (const GalleryReading& reading : level.readings) {
      rows += fmt::format("<td>{} \u00b1 {}</td>", number_text(reading.mean / unit.factor, 4),
                          number_text(reading.sd / unit.factor, 3));
    }
    rows += "</tr>\n";
  }
  return scrolled_table("levels of " + cell.entry.name, headings, rows);
}

std::string configuration(const GalleryCell& cell) {
  const std::string id = "configuration-" + cell.entry.name;
  const bool with_time = cell.entry.times.back() > 0.0;
  const std::string time =
      with_time ? fmt::format("\n[conditions]\ntime = {}  # {}\n", cell.entry.times.back(),
                              time_text(cell.entry.times.back()))
                : std::string();
  return fmt::format(
      "<details><summary>Configuration</summary>\n<div class=\"controls\"><button type=\"button\" "
      "data-copy=\"{0}\">Copy</button></div>\n<pre id=\"{0}\">{1}</pre>\n</details>\n",
      id, escaped(cell.entry.cell + time));
}

std::string entry_part(const GalleryCell& cell) {
  const GalleryUnit unit = gallery_unit(cell);
  std::string notes;
  for (const devices::CellLine& note : cell.notes) {
    notes +=
        fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(note.part), escaped(typeset(note.text)));
  }
  return fmt::format(
      "<article id=\"{}\">\n<h3>{}</h3>\n<p class=\"hint\">{}</p>\n<div class=\"beside\">\n"
      "<figure>\n{}</figure>\n{}</div>\n{}{}{}{}</article>\n",
      cell.entry.name, escaped(cell.entry.name), escaped(typeset(cell.title)),
      gallery_figure(cell, unit), comparison_table(cell), level_table(cell, unit),
      notes.empty() ? "" : fmt::format("<dl>\n{}</dl>\n", notes), configuration(cell),
      numbers_below("gallery-" + cell.entry.name, "quantiles of each level",
                    "gallery-" + cell.entry.name + ".csv", gallery_numbers(cell)));
}

struct Counts {
  std::size_t published = 0;
  std::size_t agreeing = 0;
  std::size_t unverified = 0;
};

Counts counts_of(const std::vector<GalleryCell>& cells) {
  Counts counts;
  for (const GalleryCell& cell : cells) {
    for (const GalleryComparison& comparison : cell.comparisons) {
      ++counts.published;
      if (comparison.agrees()) ++counts.agreeing;
      if (comparison.number.evidence == Evidence::unverified ||
          comparison.number.evidence == Evidence::from_abstract) {
        ++counts.unverified;
      }
    }
  }
  return counts;
}

std::string overview(const std::vector<GalleryCell>& cells) {
  std::string rows;
  for (const GalleryCell& cell : cells) {
    const Counts counts = counts_of({cell});
    rows += fmt::format(
        "<tr><th scope=\"row\" class=\"text\"><a href=\"#{0}\">{0}</a></th><td class=\"text\">{1}"
        "</td><td>{2}</td><td>{3}</td><td>{4}</td></tr>\n",
        cell.entry.name, escaped(typeset(cell.title)), cell.levels.size(),
        cell.entry.times.size() > 1 ? std::to_string(cell.entry.times.size()) : "\u2013",
        counts.published == 0 ? std::string("\u2013")
                              : fmt::format("{} of {}", counts.agreeing, counts.published));
  }
  return scrolled_table("cells of this page",
                        "<th scope=\"col\" class=\"text\">cell</th><th scope=\"col\" "
                        "class=\"text\">what it is</th><th scope=\"col\">levels</th><th "
                        "scope=\"col\">times</th><th scope=\"col\">published numbers that "
                        "agree</th>",
                        rows);
}

std::string head(const std::vector<GalleryCell>& cells, std::size_t models) {
  const Counts counts = counts_of(cells);
  const std::string cards =
      card("Cells", std::to_string(cells.size()),
           {fmt::format("Presets and examples of {}, each a [cell] section to paste into an "
                        "experiment file.",
                        counted(models, "model"))}) +
      card("Published numbers", fmt::format("{} of {} agree", counts.agreeing, counts.published),
           {"Within half a unit of their last printed digit, or the tolerance that stands beside "
            "them.",
            fmt::format("{} of them not read in the source itself: unverified, or from its "
                        "abstract.",
                        counts.unverified)}) +
      card("How sure", "computed, not sampled",
           {"Quantiles, means and standard deviations come from each level's law. What one fresh "
            "read of a freshly made cell gives.",
            "Made by " + core::source_text() + "."});
  return fmt::format(
      "<h1>Gallery of cells</h1>\n<p class=\"lead\">Every cell model and preset: how its levels "
      "are spread and move, beside what is published</p>\n<div class=\"summary\" role=\"group\" "
      "aria-label=\"Summary\">\n{}</div>\n",
      cards);
}

}  // namespace

std::string render_gallery(const std::vector<GalleryCell>& cells) {
  std::vector<Section> sections{
      {"overview", "Overview", "Cells of this page", {}, overview(cells)}};
  std::size_t models = 0;
  for (std::size_t from = 0; from < cells.size();) {
    const std::string& model = cells[from].model;
    std::size_t to = from;
    std::string parts;
    for (; to < cells.size() && cells[to].model == model; ++to) parts += entry_part(cells[to]);
    std::string name = "model-" + model;
    std::replace(name.begin(), name.end(), '_', '-');
    sections.push_back(
        {name, model, fmt::format("model = \"{}\"", model),
         "Distributions: the share of cells below each value, on a scale where a normal law is a "
         "straight line. Difference: here minus published.",
         parts});
    ++models;
    from = to;
  }
  return page("Gallery of cells", head(cells, models), sections);
}

}  // namespace cimstat::experiments
