#include "experiments/seeing/sweep_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <stdexcept>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/error.h"
#include "core/utf8.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

constexpr std::string_view option = "--at";

[[noreturn]] void refuse(const std::string& problem, const std::string& why,
                         const std::string& remedy) {
  throw core::UsageError(core::error_line(option, problem, why, remedy));
}

/// A number of the axis; texts without a unit are in its SI unit.
double number_of(const SweepAxis& axis, const std::string& text) {
  for (const core::Quantity quantity : core::all_quantities) {
    if (core::si_unit(quantity) != axis.units) continue;
    try {
      return core::parse_quantity(text, quantity);
    } catch (const std::invalid_argument& problem) {
      refuse(fmt::format("\"{}\" is no value of {}", core::excerpt(text), axis.name),
             problem.what(), fmt::format("give one such as {}", value_text(axis, 0)));
    }
  }
  try {
    return std::stod(text);
  } catch (const std::exception&) {
    refuse(fmt::format("\"{}\" is no value of {}", core::excerpt(text), axis.name), "no number",
           fmt::format("give one such as {}", value_text(axis, 0)));
  }
}

std::size_t label_index(const SweepAxis& axis, const std::string& text) {
  const auto found = std::find(axis.labels.begin(), axis.labels.end(), text);
  if (found != axis.labels.end()) return static_cast<std::size_t>(found - axis.labels.begin());
  constexpr std::size_t few = 12;
  std::string known;
  for (std::size_t index = 0; index < std::min(axis.labels.size(), few); ++index) {
    known += (known.empty() ? "" : ", ") + core::excerpt(axis.labels[index], 40);
  }
  refuse(
      fmt::format("{} has no \"{}\"", axis.name, core::excerpt(text)), {},
      fmt::format("name one of its values: {}{}", known, axis.labels.size() > few ? ", ..." : ""));
}

std::size_t nearest_index(const SweepAxis& axis, double wanted) {
  std::size_t nearest = 0;
  for (std::size_t index = 1; index < axis.numbers.size(); ++index) {
    if (std::abs(axis.numbers[index] - wanted) < std::abs(axis.numbers[nearest] - wanted)) {
      nearest = index;
    }
  }
  return nearest;
}

/// 0.1 that was written as a text is as good as 0.1 that was computed.
bool is_same(double one, double other) {
  return std::abs(one - other) <= 1e-9 * std::max(std::abs(one), std::abs(other));
}

const SweepAxis& axis_named(const SweepRecord& record, const std::string& name) {
  std::vector<std::string> names;
  for (const SweepAxis& axis : record.axes) {
    if (axis.name == name) return axis;
    names.push_back(axis.name);
  }
  const std::optional<std::string> meant = core::nearest(name, names);
  refuse(fmt::format("the sweep has no axis \"{}\"", core::excerpt(name)), {},
         meant           ? fmt::format("did you mean {}?", *meant)
         : names.empty() ? std::string("leave the option out: it has no axes")
                         : fmt::format("name one of its axes: {}", fmt::join(names, ", ")));
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"') quoted += '"';
    quoted += letter;
  }
  return quoted + '"';
}

std::string csv_number(double value) {
  return std::isnan(value) ? std::string() : fmt::format("{}", value);
}

std::string estimate_text(const SweepRecord& record, const SweepScalar& scalar,
                          std::uint64_t point) {
  const double value = scalar.value[point];
  switch (knowledge_of(record, scalar, point)) {
    case Knowledge::nothing:
      return "not known";
    case Knowledge::value:
      return fmt::format("{:.5g}", value);
    case Knowledge::none_seen:
      return fmt::format("none seen, < {:.2g}", scalar.upper[point]);
    case Knowledge::below_bound:
      return fmt::format("< {:.2g} (error bound)", scalar.upper[point]);
    case Knowledge::bound:
      return fmt::format("{:.5g} +- {:.1g}", value, scalar.upper[point] - value);
    case Knowledge::interval:
      break;
  }
  return fmt::format("{:.5g} ({:.3g} .. {:.3g})", value, scalar.lower[point], scalar.upper[point]);
}

/// Rows of cells below each other; the first is the heading.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t cell = 0; cell < row.size(); ++cell) {
      widths[cell] = std::max(widths[cell], row[cell].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line = " ";
    for (std::size_t cell = 0; cell < row.size(); ++cell) {
      line += fmt::format(" {:<{}} ", row[cell], widths[cell]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string axes_text(const SweepRecord& record) {
  constexpr std::size_t few = 8;
  std::vector<std::vector<std::string>> rows{{"axis", "number", "values", "sets"}};
  for (const SweepAxis& axis : record.axes) {
    std::string values;
    if (axis.labels.empty() && (axis.size() > few || axis.kind == SweepAxis::Kind::sampled)) {
      const auto [least, most] = std::minmax_element(axis.numbers.begin(), axis.numbers.end());
      values = fmt::format("{} .. {}{}",
                           value_text(axis, static_cast<std::size_t>(least - axis.numbers.begin())),
                           value_text(axis, static_cast<std::size_t>(most - axis.numbers.begin())),
                           axis.kind == SweepAxis::Kind::sampled ? ", sampled" : "");
    } else {
      for (std::size_t index = 0; index < std::min(axis.size(), few); ++index) {
        values += (index == 0 ? "" : ", ") + core::excerpt(value_text(axis, index), 40);
      }
      if (axis.size() > few) values += ", ...";
    }
    rows.push_back({core::one_line(axis.name), std::to_string(axis.size()), core::one_line(values),
                    core::one_line(core::excerpt(fmt::format("{}", fmt::join(axis.keys, ", "))))});
  }
  return aligned(rows);
}

std::string with_unit(const SweepScalar& scalar) {
  return core::one_line(scalar.units == "1" || scalar.units.empty()
                            ? scalar.name
                            : fmt::format("{} [{}]", scalar.name, scalar.units));
}

std::string extremes_text(const SweepRecord& record, const SweepSlice& slice) {
  std::vector<std::vector<std::string>> rows{{"quantity", "least", "at", "greatest", "at"}};
  for (const SweepScalar& scalar : record.scalars) {
    if (is_count(scalar)) continue;
    const std::optional<Extremes> found = extremes_of(record, scalar, slice.points);
    if (!found) {
      rows.push_back({with_unit(scalar), "not known", "", "", ""});
      continue;
    }
    rows.push_back({with_unit(scalar), estimate_text(record, scalar, found->least),
                    core::one_line(point_text(record, found->least)),
                    estimate_text(record, scalar, found->greatest),
                    core::one_line(point_text(record, found->greatest))});
  }
  return rows.size() == 1 ? std::string() : aligned(rows);
}

std::string points_text(const SweepRecord& record, const SweepSlice& slice) {
  std::vector<std::vector<std::string>> rows{{}};
  for (const SweepAxis& axis : record.axes) rows[0].push_back(core::one_line(axis.name));
  for (const SweepScalar& scalar : record.scalars) {
    if (!is_count(scalar)) rows[0].push_back(with_unit(scalar));
  }
  for (const std::uint64_t point : slice.points) {
    const std::vector<std::size_t> indices = indices_of(record, point);
    std::vector<std::string> row;
    for (const SweepAxis& axis : record.axes) {
      row.push_back(core::one_line(value_text(axis, indices[dimension_of(record, axis)])));
    }
    for (const SweepScalar& scalar : record.scalars) {
      if (!is_count(scalar)) row.push_back(estimate_text(record, scalar, point));
    }
    rows.push_back(std::move(row));
  }
  return rows[0].empty() ? std::string() : aligned(rows);
}

}  // namespace

SweepSlice slice_of(const SweepRecord& record, const std::vector<std::string>& at) {
  SweepSlice slice;
  std::vector<std::optional<std::size_t>> fixed(record.dimensions.size());
  for (const std::string& text : at) {
    const std::size_t sign = text.find('=');
    if (sign == std::string::npos) {
      refuse(fmt::format("\"{}\" is not NAME=VALUE", core::excerpt(text)), {},
             "name an axis and a value, as in --at sigma=0.1");
    }
    const std::string name = text.substr(0, sign);
    const std::string value = text.substr(sign + 1);
    const SweepAxis& axis = axis_named(record, name);
    const std::size_t dimension = dimension_of(record, axis);
    if (fixed[dimension]) {
      refuse(fmt::format("{} has been fixed already", record.dimensions[dimension].name),
             axis.kind == SweepAxis::Kind::sampled ? "all sampled axes share the samples"
                                                   : "an axis has one value in a slice",
             "leave one of the two out");
    }
    if (!axis.labels.empty()) {
      fixed[dimension] = label_index(axis, value);
      continue;
    }
    const double wanted = number_of(axis, value);
    fixed[dimension] = nearest_index(axis, wanted);
    if (is_same(axis.numbers[*fixed[dimension]], wanted)) continue;
    slice.notes.push_back(fmt::format("{} has no {}; the nearest is {}", axis.name, value,
                                      value_text(axis, *fixed[dimension])));
  }
  for (std::uint64_t point = 0; point < points_of(record); ++point) {
    const std::vector<std::size_t> indices = indices_of(record, point);
    bool belongs = true;
    for (std::size_t dimension = 0; dimension < fixed.size(); ++dimension) {
      belongs = belongs && (!fixed[dimension] || indices[dimension] == *fixed[dimension]);
    }
    if (belongs) slice.points.push_back(point);
  }
  return slice;
}

std::string format_sweep(const SweepRecord& record, const SweepSlice& slice) {
  constexpr std::size_t few = 32;
  std::string sizes;
  for (const auto& [name, size] : record.dimensions) {
    sizes += fmt::format("{}{} {}", sizes.empty() ? ": " : " x ", size, core::one_line(name));
  }
  std::string text = fmt::format("{}{}\n", counted(points_of(record), "point"), sizes);
  if (!record.axes.empty()) text += axes_text(record);
  for (const std::string& note : slice.notes) {
    text += core::one_line(fmt::format("note: {}", note)) + "\n";
  }
  const std::string extremes = extremes_text(record, slice);
  if (!extremes.empty()) {
    text += fmt::format("\nextremes among {}\n{}", counted(slice.points.size(), "point"), extremes);
  }
  if (slice.points.size() <= few) {
    const std::string points = points_text(record, slice);
    if (!points.empty()) text += fmt::format("\npoints\n{}", points);
  } else {
    text +=
        fmt::format("\n--at NAME=VALUE shows the points of a slice (up to {}), --csv all\n", few);
  }
  return text;
}

std::string sweep_as_csv(const SweepRecord& record, const SweepSlice& slice) {
  std::string text;
  const auto field = [&](const std::string& value) {
    if (!text.empty() && text.back() != '\n') text += ',';
    text += value;
  };
  for (const SweepAxis& axis : record.axes) field(csv_field(axis.name));
  for (const SweepScalar& scalar : record.scalars) {
    field(csv_field(scalar.name));
    if (scalar.lower.empty()) continue;
    field(csv_field(scalar.name + "_lower"));
    field(csv_field(scalar.name + "_upper"));
  }
  text += '\n';
  std::string line;
  for (const std::uint64_t point : slice.points) {
    const std::vector<std::size_t> indices = indices_of(record, point);
    line.clear();
    const auto add = [&](const std::string& value) { line += value + ','; };
    for (const SweepAxis& axis : record.axes) {
      const std::size_t index = indices[dimension_of(record, axis)];
      add(axis.labels.empty() ? csv_number(axis.numbers[index]) : csv_field(axis.labels[index]));
    }
    for (const SweepScalar& scalar : record.scalars) {
      add(csv_number(scalar.value[point]));
      if (scalar.lower.empty()) continue;
      add(csv_number(scalar.lower[point]));
      add(csv_number(scalar.upper[point]));
    }
    if (!line.empty()) line.back() = '\n';
    text += line;
  }
  return text;
}

core::Json sweep_as_json(const SweepRecord& record, const SweepSlice& slice) {
  using core::Json;
  Json axes = Json::object();
  Json quantities = Json::object();
  for (const SweepAxis& axis : record.axes) {
    const std::size_t dimension = dimension_of(record, axis);
    Json values = Json::array();
    for (const std::uint64_t point : slice.points) {
      const std::size_t index = indices_of(record, point)[dimension];
      if (axis.labels.empty()) {
        values.push_back(axis.numbers[index]);
      } else {
        values.push_back(axis.labels[index]);
      }
    }
    axes[axis.name] = {{"units", axis.units}, {"keys", axis.keys}, {"values", values}};
  }
  const auto picked = [&](const std::vector<double>& values) {
    Json list = Json::array();
    for (const std::uint64_t point : slice.points) list.push_back(values[point]);
    return list;
  };
  for (const SweepScalar& scalar : record.scalars) {
    Json object{
        {"units", scalar.units}, {"long_name", scalar.long_name}, {"value", picked(scalar.value)}};
    if (!scalar.lower.empty()) {
      object["lower"] = picked(scalar.lower);
      object["upper"] = picked(scalar.upper);
    }
    quantities[scalar.name] = object;
  }
  return {
      {"points", slice.points},          {"notes", slice.notes}, {"method", record.origin.method},
      {"confidence", record.confidence}, {"axes", axes},         {"quantities", quantities}};
}

}  // namespace cimstat::experiments
