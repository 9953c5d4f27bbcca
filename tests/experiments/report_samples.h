#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/report/report.h"

/// A made-up report, and what reads its pages: shared by the tests of the report.
namespace cimstat::experiments {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// What is wrong with an XML fragment; "" for nothing.
inline std::string fault_of(std::string_view xml) {
  std::vector<std::string> open;
  for (std::size_t at = 0; at < xml.size();) {
    if (xml[at] == '&') {
      const std::size_t end = xml.find(';', at);
      const std::string_view entity = xml.substr(at, end == xml.npos ? 1 : end - at + 1);
      for (const std::string_view known : {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"}) {
        if (entity == known) at = end + 1;
      }
      if (at <= end - entity.size() + 1 && xml[at] == '&') return "bad entity";
      continue;
    }
    if (xml[at] == '>') return "stray >";
    if (xml[at] != '<') {
      ++at;
      continue;
    }
    std::size_t end = at + 1;
    for (char quote = '\0'; end < xml.size() && (quote != '\0' || xml[end] != '>'); ++end) {
      if (quote != '\0' && xml[end] == '<') return "< in an attribute";
      if (xml[end] == '"') quote = quote == '\0' ? '"' : '\0';
    }
    if (end == xml.size()) return "tag without end";
    const std::string_view tag = xml.substr(at + 1, end - at - 1);
    const std::string name(tag.substr(0, tag.find_first_of(" /", 1)));
    if (tag.front() == '/') {
      if (open.empty() || std::string("/").append(open.back()) != name) return "unbalanced " + name;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

inline std::vector<std::string> pictures_of(std::string_view page) {
  std::vector<std::string> pictures;
  for (std::size_t at = page.find("<svg"); at != page.npos; at = page.find("<svg", at + 1)) {
    pictures.emplace_back(page.substr(at, page.find("</svg>", at) + 6 - at));
  }
  return pictures;
}

/// What stands between style and script.
inline std::string body_of(std::string_view page) {
  const std::size_t from = page.find("<body>") + 6;
  return std::string(page.substr(from, page.find("<script>") - from));
}

inline std::size_t count_of(std::string_view whole, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = whole.find(part); at != whole.npos; at = whole.find(part, at + 1)) ++count;
  return count;
}

// ---- a made-up macro: normal currents, a converter of `codes` even steps

inline double upper_tail(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }

inline AccuracyCondition condition(std::string label, double accuracy) {
  return {.label = std::move(label),
          .network = "net",
          .data_set = "images",
          .images = 1000,
          .reads = 2,
          .exact = {0.8831, 0.8767, 0.8893},
          .sampled = {accuracy, accuracy - 0.01, accuracy + 0.01},
          .difference = {accuracy - 0.8831, accuracy - 0.8931, accuracy - 0.8731},
          .these_images = {},
          .against_first = {},
          .same_table = true};
}

inline ReportInput example(std::uint32_t rows, std::uint32_t codes) {
  ReportInput input;
  input.title = "A made-up macro";
  input.modelled = {{"Column", std::to_string(rows) + " rows"}};
  input.provenance = {{"seed", "1"}, {"content SHA-256", "00ff"}};
  input.program = "cimstat 0.1.0 (0123456789ab)";
  input.content_hash = "00ff";
  input.rows = rows;
  input.active_rows = rows;
  input.config_toml = "seed = 1\n";
  const double step = static_cast<double>(rows) / (codes - 1);
  for (std::uint32_t code = 1; code < codes; ++code) {
    input.references.push_back(30e-6 * (code - 0.5) * step);
  }
  input.confusion.levels = rows + 1;
  input.confusion.codes = codes;
  for (std::uint32_t level = 0; level <= rows; ++level) {
    const double mean = 30e-6 * level;
    const double sd = 1e-6 * (1.0 + 0.5 * level);
    LevelDistribution distribution{std::to_string(level), level, {}, {}};
    for (int index = -200; index <= 200; ++index) {
      const double z = 0.04 * index;
      distribution.current.push_back(mean + z * sd);
      distribution.density.push_back(std::exp(-0.5 * z * z) /
                                     (sd * std::sqrt(8.0 * std::atan(1.0))));
    }
    input.distributions.push_back(distribution);
    const auto ideal = static_cast<std::uint32_t>(std::lround(level / step));
    input.confusion.ideal.push_back(ideal);
    double misread = 0.0;
    for (std::uint32_t code = 0; code < codes; ++code) {
      const double below = code == 0 ? -1e3 : (input.references[code - 1] - mean) / sd;
      const double above = code + 1 == codes ? 1e3 : (input.references[code] - mean) / sd;
      const double probability = upper_tail(below) - upper_tail(above);
      input.confusion.probability.push_back(probability);
      if (code != ideal) misread += probability;
    }
    const MisreadPoint point{level, misread, 0.9 * misread, 1.1 * misread,
                             misread < 1e-9 ? MisreadBasis::none_seen : MisreadBasis::sampled};
    input.misread.push_back(point);
    const double margin = level == rows ? kNone : 30e-6 - 6.0 * sd;
    input.margins.push_back({level, mean, sd, mean - 3.0 * sd, mean + 3.0 * sd, margin, margin,
                             margin, level == rows ? kNone : 2.0 * upper_tail(15e-6 / sd), point});
  }
  for (std::uint32_t active = 1; active <= rows; ++active) {
    ActiveRowsFigures figures;
    figures.active_rows = active;
    figures.misread.assign(input.misread.begin(), input.misread.begin() + active + 1);
    figures.input_aware = {30e-6 - 6e-6 * active, active - 1};
    figures.pattern = {20e-6 - 6e-6 * active, active - 1};
    if (active % 2 == 1) figures.quantile = {25e-6 - 6e-6 * active, active - 1};
    input.by_active_rows.push_back(figures);
  }
  input.accuracy = {condition("sigma = 0.05", 0.86), condition("sigma = 0.1", 0.82)};
  input.accuracy.back().against_first = {-0.04, -0.05, -0.03};
  return input;
}

}  // namespace cimstat::experiments
