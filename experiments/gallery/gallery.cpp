#include "experiments/gallery/gallery.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/config/section_reader.h"
#include "core/error.h"
#include "core/law/noisy_mixture.h"
#include "core/law/shape.h"

#include "devices/cell_remarks.h"

namespace cimstat::experiments {

namespace {

/// What an entry's text may hold.
const core::Section& gallery_file() {
  static const core::Section root{
      .sections = {devices::cell_section(), devices::conditions_section()}};
  return root;
}

struct ReadEntry {
  devices::AnyCell cell;
  std::string model;
  std::string preset;
};

ReadEntry read_entry(const GalleryEntry& entry, double time) {
  const std::vector<std::string> overrides{fmt::format("conditions.time={}", time)};
  const core::Config config = core::Config::from_text(entry.cell, entry.name, overrides);
  const core::SectionReader root(config, gallery_file());
  const devices::Conditions conditions = devices::read_conditions(root.section("conditions"));
  const core::SectionReader cell = root.section("cell");
  ReadEntry result{.cell = devices::read_cell(cell, conditions),
                   .model = std::string(cell.variant()),
                   .preset = cell.has("preset") ? cell.choice("preset") : std::string()};
  config.finish();
  return result;
}

const core::Section::Variant& variant_of(const std::string& model) {
  const std::vector<core::Variant>& variants = gallery_file().sections.front().variants;
  return *std::find_if(variants.begin(), variants.end(),
                       [&](const core::Variant& variant) { return variant.name == model; });
}

/// What the list of parameters says of the preset, or else of the model.
std::string meaning_of(const std::string& model, const std::string& preset) {
  const core::Variant& variant = variant_of(model);
  const core::Parameter* parameter = core::find(variant.parameters, "preset");
  if (parameter != nullptr) {
    for (const core::Choice& choice : std::get<core::ChoiceRule>(parameter->rule).choices) {
      if (choice.name == preset) return std::string(choice.meaning);
    }
  }
  return std::string(variant.meaning);
}

/// Without what the page's own table of levels says.
std::vector<devices::CellLine> notes_of(const devices::AnyCell& cell) {
  std::vector<devices::CellLine> notes;
  for (devices::CellLine& line : devices::remarks(cell)) {
    if (!line.text.empty()) notes.push_back(std::move(line));
  }
  return notes;
}

GalleryReading reading_of(const core::Law& law, double time) {
  GalleryReading reading{.time = time, .mean = law.mean(), .sd = law.sd()};
  const auto mixture = core::NoisyMixture::of(law);  // the same, many times faster
  for (std::size_t i = 0; i < gallery_scores.size(); ++i) {
    const core::Tail side = gallery_scores[i] > 0.0 ? core::Tail::upper : core::Tail::lower;
    const double probability = core::normal_tail(side, gallery_scores[i]);
    const double quantile =
        mixture ? mixture->quantile(side, probability) : law.quantile(side, probability);
    // Where many cells lie at 0, a search ends just beside it.
    reading.quantiles[i] = std::abs(quantile) < 1e-9 * reading.sd ? 0.0 : quantile;
  }
  return reading;
}

/// A printed number: "2.02 uS" has 2 decimals and the unit "uS".
struct Printed {
  int decimals = 0;
  std::string unit;
};

Printed parts_of(const std::string& text) {
  const std::size_t blank = text.find(' ');
  const std::string number = text.substr(0, blank);
  const std::size_t point = number.find('.');
  return {point == number.npos ? 0 : static_cast<int>(number.size() - point - 1),
          blank == text.npos ? std::string() : text.substr(blank + 1)};
}

/// In the unit of what was printed.
double in_unit(double value, const Printed& printed, core::Quantity quantity) {
  return printed.unit.empty() ? value : value / core::parse_quantity("1 " + printed.unit, quantity);
}

std::string with_unit(std::string number, const Printed& printed) {
  return printed.unit.empty() ? number : number + " " + printed.unit;
}

GalleryComparison comparison_of(const PublishedNumber& number, const CellAt& cell_at) {
  const Printed printed = parts_of(number.printed);
  const std::string tolerance =
      number.tolerance.empty()
          ? with_unit(fmt::format("{}", 0.5 * std::pow(10.0, -printed.decimals)), printed)
          : number.tolerance;
  return {.number = number,
          .published = core::parse_quantity(number.printed, number.quantity),
          .here = number.here(cell_at),
          .tolerance = core::parse_quantity(tolerance, number.quantity)};
}

}  // namespace

bool GalleryComparison::agrees() const {
  // What was printed is itself rounded, at times to the very half.
  constexpr double rounding = 1e-9;
  return std::abs(here - published) <= tolerance * (1.0 + rounding);
}

std::string GalleryComparison::here_text() const {
  const Printed printed = parts_of(number.printed);
  return with_unit(
      fmt::format("{:.{}f}", in_unit(here, printed, number.quantity), printed.decimals + 1),
      printed);
}

std::string GalleryComparison::difference_text() const {
  const Printed printed = parts_of(number.printed);
  return with_unit(fmt::format("{:+.{}f}", in_unit(here - published, printed, number.quantity),
                               printed.decimals + 1),
                   printed);
}

std::vector<GalleryEntry> chosen_entries(std::string_view name) {
  const std::vector<GalleryEntry>& all = gallery_entries();
  if (name.empty()) return all;
  std::vector<GalleryEntry> chosen;
  std::vector<std::string> known;
  for (const GalleryEntry& entry : all) {
    const std::string model = read_entry(entry, entry.times.front()).model;
    if (entry.name == name || model == name) chosen.push_back(entry);
    known.push_back(entry.name);
    known.push_back(model);
  }
  if (chosen.empty()) {
    const auto near = core::nearest(name, known);
    throw core::UsageError(core::error_line(
        "--model " + std::string(name), "is no model and no entry of the gallery", {},
        near ? fmt::format("did you mean {}?", *near) : "cimstat gallery lists them"));
  }
  return chosen;
}

devices::AnyCell gallery_cell_at(const GalleryEntry& entry, double time) {
  return read_entry(entry, time).cell;
}

GalleryCell make_gallery_cell(const GalleryEntry& entry) {
  const ReadEntry read = read_entry(entry, entry.times.front());
  GalleryCell result{
      .entry = entry,
      .model = read.model,
      .preset = read.preset,
      .title = entry.title.empty() ? meaning_of(read.model, read.preset) : entry.title,
      .notes = notes_of(read.cell),
      .levels = {},
      .comparisons = {}};
  const std::uint32_t levels = devices::levels(read.cell);
  for (std::uint32_t level = 0; level < levels; ++level) {
    result.levels.push_back({level, devices::target(read.cell, level), {}});
  }
  const CellAt cell_at([&entry](double time) { return gallery_cell_at(entry, time); });
  for (const double time : entry.times) {
    for (GalleryLevel& level : result.levels) {
      level.readings.push_back(reading_of(cell_at.read(level.level, time), time));
    }
  }
  for (const PublishedNumber& number : entry.published) {
    result.comparisons.push_back(comparison_of(number, cell_at));
  }
  return result;
}

std::vector<GalleryCell> make_gallery(const std::vector<GalleryEntry>& entries,
                                      core::Threads threads, const core::Progress& progress) {
  std::vector<GalleryCell> cells(entries.size());
  core::for_each_block(
      entries.size(), threads,
      [&](std::size_t block, std::size_t) { cells[block] = make_gallery_cell(entries[block]); },
      progress);
  return cells;
}

std::string time_text(double seconds) {
  constexpr double minute = 60.0;
  constexpr double hour = 60.0 * minute;
  constexpr double day = 24.0 * hour;
  constexpr double year = 365.0 * day;
  if (seconds == 0.0) return "at first";
  const auto text = [&](double unit, std::string_view one, std::string_view many) {
    const double count = seconds / unit;
    return fmt::format("{:.4g} {}", count, count == 1.0 ? one : many);
  };
  if (seconds < minute) return text(1.0, "s", "s");
  if (seconds < hour) return text(minute, "min", "min");
  if (seconds < day) return text(hour, "h", "h");
  if (seconds < year) return text(day, "day", "days");
  return text(year, "year", "years");
}

std::string share_below_text(double score) {
  return fmt::format("{:.3g} %", 100.0 * core::normal_tail(core::Tail::lower, score));
}

}  // namespace cimstat::experiments
