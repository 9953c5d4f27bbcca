#include "experiments/report/sweep_summary.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "experiments/counted.h"
#include "experiments/report/markup.h"
#include "experiments/report/summary.h"

namespace cimstat::experiments::report {

namespace {

std::string range_text(const SweepAxis& axis) {
  constexpr std::size_t few = 8;
  const std::size_t size = axis.size();
  std::string text;
  if (!axis.numbers.empty() && (size > few || axis.kind == SweepAxis::Kind::sampled)) {
    const auto [least, most] = std::minmax_element(axis.numbers.begin(), axis.numbers.end());
    const auto at = [&](auto place) {
      return value_text(axis, static_cast<std::size_t>(place - axis.numbers.begin()), Letters::any);
    };
    return fmt::format("{} to {}{}", at(least), at(most),
                       is_log_spaced(axis.numbers) ? ", logarithmic" : "");
  }
  for (std::size_t index = 0; index < std::min(size, few); ++index) {
    text += (text.empty() ? "" : ", ") + shortened(value_text(axis, index, Letters::any), 40);
  }
  return size > few ? text + ", …" : text;
}

std::string count_text(const SweepAxis& axis) {
  const std::string_view what = axis.kind == SweepAxis::Kind::sampled ? "sample" : "value";
  return fmt::format("{} {}{}", grouped_text(axis.size()), what, axis.size() == 1 ? "" : "s");
}

std::string swept_card(const SweepRecord& record) {
  std::string items;
  for (const SweepAxis& axis : record.axes) {
    items += fmt::format("<div><dt>{}</dt><dd>{}: {}</dd></div>\n", escaped(axis.name),
                         count_text(axis), escaped(unbroken(range_text(axis))));
  }
  if (items.empty()) return {};
  return fmt::format("<div class=\"card wide\"><h2>What was swept</h2>\n<dl>\n{}</dl>\n</div>\n",
                     items);
}

std::string others_text(const SweepScalar& scalar, std::uint64_t others) {
  if (others == 0) return {};
  const std::string points =
      grouped_text(others) + (others == 1 ? " other point" : " other points");
  return scalar.lower.empty()
             ? fmt::format(" So {} {}.", others == 1 ? "is" : "are", points)
             : fmt::format(" {} may be as well, as far as the intervals tell.", points);
}

std::string quantity_card(const SweepRecord& record, const SweepView& full, std::size_t index) {
  const SweepScalar& scalar = record.scalars[index];
  const std::optional<Extremes> found = extremes_of(record, scalar);
  const std::string title = scalar.long_name.empty() ? scalar.name : scalar.long_name;
  const auto extreme = [&](std::string_view what, std::uint64_t point, std::uint64_t others) {
    return fmt::format("{}: {} at {}.{}", what, estimate_text(full, index, point),
                       point_text(record, point, Letters::any), others_text(scalar, others));
  };
  if (!found) return card(title, "not known", {"No point has a number."});
  const std::optional<bool> is_lower_better = lower_is_better(scalar);
  std::vector<std::string> texts;
  if (scalar.value[found->least] == scalar.value[found->greatest] && found->as_low > 0) {
    texts.push_back(fmt::format("The same at {}.", counted(found->known, "point")));
  } else if (found->known == 1) {
    texts.push_back(extreme("Known", found->least, 0));
  } else if (is_lower_better.value_or(true)) {
    texts.push_back(extreme(is_lower_better ? "Best" : "Least", found->least, found->as_low));
    texts.push_back(
        extreme(is_lower_better ? "Worst" : "Greatest", found->greatest, found->as_high));
  } else {
    texts.push_back(extreme("Best", found->greatest, found->as_high));
    texts.push_back(extreme("Worst", found->least, found->as_low));
  }
  const std::uint64_t unknown = points_of(record) - found->known;
  if (unknown > 0) {
    texts.push_back(fmt::format("Not known at {}.", counted(unknown, "point")));
  }
  const auto short_text = [&](std::uint64_t point) {
    const Knowledge known = knowledge_of(record, scalar, point);
    const bool is_limit = known == Knowledge::none_seen || known == Knowledge::below_bound;
    return is_limit ? "< " + limit_text(full.upper(index, point))
                    : number_text(full.value(index, point));
  };
  const std::string& unit = full.scalars[index].unit.name;
  std::string value = short_text(found->least);
  if (short_text(found->greatest) != value) value += " … " + short_text(found->greatest);
  return card(title, value + (unit.empty() ? "" : " " + unit), texts);
}

std::string sureness_card(const SweepRecord& record) {
  std::vector<std::string> texts;
  const std::string level = percent_text(record.confidence, 0);
  if (record.origin.method == "exact") {
    texts.push_back(
        "Misread rates and tables are computed, not sampled: their ends are bounds of the "
        "computation, which say nothing about how well the configuration describes the macro.");
  } else {
    texts.push_back(
        fmt::format("{} intervals, each point by itself: among many points some miss.", level));
  }
  const bool is_independent =
      sweep_setting(record.config_toml, "random_numbers") == "\"independent\"";
  if (record.origin.method != "exact") {
    texts.push_back(is_independent
                        ? "Each point draws its own random numbers."
                        : "All points draw the same random numbers: differences between points are "
                          "known better than their intervals suggest.");
  }
  return card("How sure", record.origin.method == "exact" ? "computed" : level + " intervals",
              texts);
}

}  // namespace

std::string sweep_setting(const std::string& config_toml, const std::string& key) {
  bool is_inside = false;
  for (std::size_t at = 0; at < config_toml.size();) {
    const std::size_t end = std::min(config_toml.find('\n', at), config_toml.size());
    const std::string line = config_toml.substr(at, end - at);
    at = end + 1;
    if (line.starts_with('[')) is_inside = line == "[sweep]";
    if (is_inside && line.starts_with(key + " = ")) return line.substr(key.size() + 3);
  }
  return {};
}

std::string sweep_summary(const SweepRecord& record, const SweepView& view) {
  // Extremes are those of all points; numbers read as those of the page do.
  SweepView full;
  full.record = record;
  full.scalars = view.scalars;
  std::string sizes;
  for (const auto& [name, size] : record.dimensions) {
    sizes += fmt::format("{}{} {}", sizes.empty() ? " = " : " × ", grouped_text(size), name);
  }
  const std::uint64_t points = points_of(record);
  std::string cards = swept_card(record);
  for (std::size_t index = 0; index < record.scalars.size(); ++index) {
    if (!is_count(record.scalars[index])) cards += quantity_card(record, full, index);
  }
  cards += sureness_card(record);
  return fmt::format(
      "<h1>{}</h1>\n<p class=\"lead\">Variability sweep: {} {}{}</p>\n"
      "<div class=\"summary\" role=\"group\" aria-label=\"Summary\">\n{}</div>\n",
      escaped(record.name), grouped_text(points), points == 1 ? "point" : "points", escaped(sizes),
      cards);
}

std::string sweep_axes(const SweepRecord& record) {
  if (record.axes.empty()) return {};
  std::string rows;
  for (const SweepAxis& axis : record.axes) {
    std::string keys;
    for (const std::string& key : axis.keys) keys += (keys.empty() ? "" : ", ") + key;
    rows += fmt::format(
        "<tr><th scope=\"row\">{}</th><td class=\"text\">{}</td><td class=\"text\">{}</td>"
        "<td>{}</td><td>{}</td></tr>\n",
        escaped(axis.name), escaped(range_text(axis)),
        escaped(axis.meaning.empty() ? keys : axis.meaning), grouped_text(axis.size()),
        axis.kind == SweepAxis::Kind::sampled ? "sampled" : "listed");
  }
  return fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"axes-title\">\n"
      "<table>\n<thead><tr><th scope=\"col\">axis</th><th scope=\"col\" class=\"text\">values</th>"
      "<th scope=\"col\" class=\"text\">sets</th><th scope=\"col\">number</th>"
      "<th scope=\"col\">kind</th></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
      rows);
}

}  // namespace cimstat::experiments::report
