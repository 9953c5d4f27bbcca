#include <algorithm>
#include <nlohmann/json.hpp>

#include <fmt/format.h>

#include "core/file/json.h"
#include "core/law/shape.h"

#include "experiments/gallery/gallery.h"

namespace cimstat::experiments {

namespace {

using core::Json;

/// Up to so many cells are printed in full.
constexpr std::size_t most_in_full = 3;

std::string agreement_text(const std::vector<GalleryComparison>& comparisons) {
  if (comparisons.empty()) return "none";
  const auto agreeing = std::count_if(comparisons.begin(), comparisons.end(),
                                      [](const GalleryComparison& c) { return c.agrees(); });
  return fmt::format("{} of {} agree", agreeing, comparisons.size());
}

std::string times_text(const GalleryEntry& entry) {
  if (entry.times.size() == 1) {
    return entry.times.front() == 0.0 ? "-" : time_text(entry.times.front());
  }
  return fmt::format("{} to {}", time_text(entry.times.front()), time_text(entry.times.back()));
}

std::string level_text(const GalleryCell& cell, const GalleryReading& reading) {
  return fmt::format("{} +- {}", core::format_quantity(reading.mean, cell.entry.quantity, 4),
                     core::format_quantity(reading.sd, cell.entry.quantity, 3));
}

std::string line_of(const GalleryCell& cell) {
  return fmt::format("{:<30} {:<15} {:>6}  {:<19} {:<24} {}\n", cell.entry.name, cell.model,
                     cell.levels.size(), times_text(cell.entry),
                     level_text(cell, cell.levels.back().readings.front()),
                     agreement_text(cell.comparisons));
}

std::string evidence_text(Evidence evidence) {
  switch (evidence) {
    case Evidence::from_abstract:
      return "abstract only";
    case Evidence::unverified:
      return "unverified";
    case Evidence::computed:
      return "from coefficients";
    case Evidence::read:
      break;
  }
  return {};
}

std::string indented(const std::string& text) {
  std::string result = "  ";
  for (const char letter : text) {
    result += letter;
    if (letter == '\n') result += "  ";
  }
  while (result.ends_with(' ') || result.ends_with('\n')) result.pop_back();
  return result + '\n';
}

std::string levels_in_full(const GalleryCell& cell) {
  std::string text =
      fmt::format("\n  {:>5} {:>11} {:>9} {:>22}", "level", "target", "read at", "mean +- sd");
  for (const std::size_t line : gallery_lines) {
    text += fmt::format(" {:>10}", share_below_text(gallery_scores[line]));
  }
  text += '\n';
  for (const GalleryLevel& level : cell.levels) {
    for (const GalleryReading& reading : level.readings) {
      text += fmt::format("  {:>5} {:>11} {:>9} {:>22}", level.level,
                          core::format_quantity(level.target, cell.entry.quantity, 4),
                          time_text(reading.time), level_text(cell, reading));
      for (const std::size_t line : gallery_lines) {
        text += fmt::format(" {:>10}",
                            core::format_quantity(reading.quantiles[line], cell.entry.quantity, 4));
      }
      text += '\n';
    }
  }
  return text;
}

std::string comparisons_in_full(const GalleryCell& cell) {
  if (cell.comparisons.empty()) return {};
  std::string text = fmt::format("\n  {:<42} {:>12} {:>12} {:>12}\n", "published", "printed",
                                 "here", "difference");
  for (const GalleryComparison& comparison : cell.comparisons) {
    const std::string evidence = evidence_text(comparison.number.evidence);
    text += fmt::format("  {:<42} {:>12} {:>12} {:>12}  {}{}{}\n", comparison.number.what,
                        comparison.number.printed, comparison.here_text(),
                        comparison.difference_text(), comparison.agrees() ? "" : "DISAGREES; ",
                        evidence.empty() ? "" : evidence + "; ", comparison.number.source);
  }
  return text;
}

std::string in_full(const GalleryCell& cell) {
  std::string text = fmt::format("{}: {}\n", cell.entry.name, cell.title);
  for (const devices::CellLine& note : cell.notes) {
    text += fmt::format("  {}: {}\n", note.part, note.text);
  }
  return text + '\n' + indented(cell.entry.cell) + levels_in_full(cell) + comparisons_in_full(cell);
}

Json json_of(const GalleryCell& cell) {
  Json levels = Json::array();
  for (const GalleryLevel& level : cell.levels) {
    Json readings = Json::array();
    for (const GalleryReading& reading : level.readings) {
      readings.push_back({{"time_s", reading.time},
                          {"mean", reading.mean},
                          {"sd", reading.sd},
                          {"quantiles", reading.quantiles}});
    }
    levels.push_back(
        {{"level", level.level}, {"target", level.target}, {"readings", std::move(readings)}});
  }
  Json published = Json::array();
  for (const GalleryComparison& comparison : cell.comparisons) {
    const PublishedNumber& number = comparison.number;
    published.push_back(
        {{"what", number.what},
         {"unit", core::si_unit(number.quantity)},
         {"printed", number.printed},
         {"published", comparison.published},
         {"here", comparison.here},
         {"tolerance", comparison.tolerance},
         {"agrees", comparison.agrees()},
         {"evidence", number.evidence == Evidence::read ? "read" : evidence_text(number.evidence)},
         {"source", number.source}});
  }
  Json notes = Json::object();
  for (const devices::CellLine& note : cell.notes) notes[note.part] = note.text;
  return {{"name", cell.entry.name},
          {"model", cell.model},
          {"preset", cell.preset.empty() ? Json(nullptr) : Json(cell.preset)},
          {"title", cell.title},
          {"notes", std::move(notes)},
          {"configuration", cell.entry.cell},
          {"unit", core::si_unit(cell.entry.quantity)},
          {"levels", std::move(levels)},
          {"published", std::move(published)}};
}

}  // namespace

std::string gallery_as_text(const std::vector<GalleryCell>& cells) {
  std::string text;
  if (cells.size() <= most_in_full) {
    for (const GalleryCell& cell : cells) text += (text.empty() ? "" : "\n") + in_full(cell);
    return text;
  }
  text = fmt::format("{:<30} {:<15} {:>6}  {:<19} {:<24} {}\n", "name", "model", "levels", "times",
                     "highest level", "published");
  for (const GalleryCell& cell : cells) text += line_of(cell);
  return text +
         "\nHighest level: mean +- sd as read at the first time. `cimstat gallery --model NAME` "
         "has the levels\nand published numbers of a cell, `-o gallery.html` the page.\n";
}

std::string gallery_as_json(const std::vector<GalleryCell>& cells) {
  Json probabilities = Json::array();
  for (const double score : gallery_scores) {
    probabilities.push_back(core::normal_tail(core::Tail::lower, score));
  }
  Json list = Json::array();
  for (const GalleryCell& cell : cells) list.push_back(json_of(cell));
  return core::json_text({{"probabilities", std::move(probabilities)}, {"cells", std::move(list)}});
}

}  // namespace cimstat::experiments
