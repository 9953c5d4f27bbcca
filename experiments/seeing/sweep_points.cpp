#include "experiments/seeing/sweep_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace cimstat::experiments {

namespace {

constexpr std::string_view sample_name = "sample";

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("sweep: ") + what);
}

bool mentions(const SweepScalar& scalar, std::string_view word) {
  return scalar.name.find(word) != std::string::npos;
}

/// What has prefixes.
bool is_scaled(std::string_view unit) {
  constexpr std::array<std::string_view, 9> units = {"A", "V", "S", "s", "ohm",
                                                     "F", "W", "J", "Hz"};
  return std::find(units.begin(), units.end(), unit) != units.end();
}

ReadableUnit unit_of_size(const std::string& unit, double size, Letters letters) {
  if (unit == "1" || unit.empty()) return {};
  const std::string name = letters == Letters::any && unit == "ohm" ? "Ω" : unit;
  if (!is_scaled(unit) || !(size > 0.0)) return {1.0, name};
  const std::string_view micro = letters == Letters::any ? "µ" : "u";
  const std::array<std::string_view, 9> prefixes = {"f", "p", "n", micro, "m", "", "k", "M", "G"};
  constexpr int of_one = 5;
  const int step = std::clamp(static_cast<int>(std::floor(std::log10(size) / 3.0 + 1e-9)), -of_one,
                              static_cast<int>(prefixes.size()) - 1 - of_one);
  return {std::pow(10.0, 3 * step),
          std::string(prefixes[static_cast<std::size_t>(step + of_one)]) + name};
}

std::string number_of(const SweepAxis& axis, std::size_t index, int digits, Letters letters) {
  const double value = axis.numbers[index];
  const ReadableUnit unit = unit_of_size(axis.units, std::abs(value), letters);
  return fmt::format("{:.{}g}{}{}", value / unit.size, digits, unit.name.empty() ? "" : " ",
                     unit.name);
}

struct Ends {
  double lower = 0.0;
  double upper = 0.0;
};

/// What the value might be; as far as that is known.
Ends ends_of(const SweepScalar& scalar, std::uint64_t point) {
  const double value = scalar.value[point];
  if (scalar.lower.empty()) return {value, value};
  const double lower = scalar.lower[point];
  const double upper = scalar.upper[point];
  return {std::isnan(lower) ? value : lower, std::isnan(upper) ? value : upper};
}

}  // namespace

void require_consistent(const SweepRecord& record) {
  const std::uint64_t points = points_of(record);
  for (const SweepScalar& scalar : record.scalars) {
    require(scalar.value.size() == points, "a quantity has a value for each point");
    require(scalar.lower.size() == scalar.upper.size() &&
                (scalar.lower.empty() || scalar.lower.size() == points),
            "a quantity has an interval for each point, or none");
  }
  for (const SweepAxis& axis : record.axes) {
    const std::size_t dimension = dimension_of(record, axis);
    require(dimension < record.dimensions.size(), "an axis has its dimension");
    require(axis.size() == record.dimensions[dimension].size,
            "an axis has as many values as its dimension");
  }
}

std::uint64_t points_of(const SweepRecord& record) {
  std::uint64_t points = 1;
  for (const SweepDimension& dimension : record.dimensions) points *= dimension.size;
  return points;
}

std::vector<std::size_t> indices_of(const SweepRecord& record, std::uint64_t point) {
  std::vector<std::size_t> indices(record.dimensions.size());
  for (std::size_t dimension = indices.size(); dimension-- > 0;) {
    indices[dimension] = point % record.dimensions[dimension].size;
    point /= record.dimensions[dimension].size;
  }
  return indices;
}

std::uint64_t point_at(const SweepRecord& record, const std::vector<std::size_t>& indices) {
  std::uint64_t point = 0;
  for (std::size_t dimension = 0; dimension < record.dimensions.size(); ++dimension) {
    point = point * record.dimensions[dimension].size + indices[dimension];
  }
  return point;
}

std::size_t dimension_of(const SweepRecord& record, const SweepAxis& axis) {
  const std::string_view name =
      axis.kind == SweepAxis::Kind::sampled ? sample_name : std::string_view(axis.name);
  const auto found =
      std::find_if(record.dimensions.begin(), record.dimensions.end(),
                   [&](const SweepDimension& dimension) { return dimension.name == name; });
  return static_cast<std::size_t>(found - record.dimensions.begin());
}

bool is_sample_dimension(const SweepRecord& record, std::size_t dimension) {
  return std::any_of(record.axes.begin(), record.axes.end(), [&](const SweepAxis& axis) {
    return axis.kind == SweepAxis::Kind::sampled && dimension_of(record, axis) == dimension;
  });
}

ReadableUnit readable_unit(const std::string& unit, const std::vector<double>& values,
                           Letters letters) {
  double least = std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (const double value : values) {
    const double size = std::abs(value);
    if (!std::isfinite(size) || size == 0.0) continue;
    least = std::min(least, size);
    most = std::max(most, size);
  }
  return unit_of_size(unit, most == 0.0 ? 0.0 : std::sqrt(least) * std::sqrt(most), letters);
}

std::string value_text(const SweepAxis& axis, std::size_t index, Letters letters) {
  if (!axis.labels.empty()) return axis.labels[index];
  constexpr int least_digits = 4;
  constexpr int most_digits = 12;
  int digits = axis.kind == SweepAxis::Kind::sampled ? 6 : least_digits;
  const auto is_like = [&](std::size_t other) {
    return axis.numbers[other] != axis.numbers[index] &&
           number_of(axis, other, digits, letters) == number_of(axis, index, digits, letters);
  };
  while (digits < most_digits && ((index > 0 && is_like(index - 1)) ||
                                  (index + 1 < axis.numbers.size() && is_like(index + 1)))) {
    ++digits;
  }
  return number_of(axis, index, digits, letters);
}

std::string point_text(const SweepRecord& record, std::uint64_t point, Letters letters) {
  const std::vector<std::size_t> indices = indices_of(record, point);
  std::string text;
  for (const SweepAxis& axis : record.axes) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", axis.name,
                        value_text(axis, indices[dimension_of(record, axis)], letters));
  }
  return text.empty() ? "the only point" : text;
}

Knowledge knowledge_of(const SweepRecord& record, const SweepScalar& scalar, std::uint64_t point) {
  const double value = scalar.value[point];
  if (std::isnan(value)) return Knowledge::nothing;
  if (scalar.lower.empty()) return Knowledge::value;
  const double lower = scalar.lower[point];
  const double upper = scalar.upper[point];
  if (std::isnan(lower) || std::isnan(upper)) return Knowledge::value;
  if (!is_rate(scalar)) return lower == upper ? Knowledge::value : Knowledge::interval;
  const bool computed = record.origin.method == "exact";
  if (computed && lower <= 0.0 && upper > 0.0) return Knowledge::below_bound;
  if (!computed && value <= 0.0 && upper > 0.0) return Knowledge::none_seen;
  if (lower == upper) return Knowledge::value;
  return computed ? Knowledge::bound : Knowledge::interval;
}

bool is_rate(const SweepScalar& scalar) {
  return scalar.units == "1" &&
         (mentions(scalar, "misread") || mentions(scalar, "error") || mentions(scalar, "overlap"));
}

std::optional<bool> lower_is_better(const SweepScalar& scalar) {
  if (is_rate(scalar)) return true;
  if (mentions(scalar, "accuracy") || mentions(scalar, "margin")) return false;
  return std::nullopt;
}

bool is_count(const SweepScalar& scalar) {
  return scalar.lower.empty() && scalar.units == "1" && !is_rate(scalar) &&
         std::all_of(scalar.value.begin(), scalar.value.end(),
                     [](double value) { return value == std::floor(value); });
}

std::optional<Extremes> extremes_of(const SweepRecord& record, const SweepScalar& scalar) {
  std::vector<std::uint64_t> points(scalar.value.size());
  std::iota(points.begin(), points.end(), std::uint64_t{0});
  return extremes_of(record, scalar, points);
}

std::optional<Extremes> extremes_of(const SweepRecord& record, const SweepScalar& scalar,
                                    const std::vector<std::uint64_t>& points) {
  Extremes extremes;
  const auto is_limit = [&](std::uint64_t point) {
    const Knowledge known = knowledge_of(record, scalar, point);
    return known == Knowledge::none_seen || known == Knowledge::below_bound;
  };
  const auto rank = [&](std::uint64_t point) {
    return std::pair(is_limit(point) ? 0.0 : scalar.value[point], ends_of(scalar, point).upper);
  };
  for (const std::uint64_t point : points) {
    if (std::isnan(scalar.value[point])) continue;
    if (extremes.known++ == 0) {
      extremes.least = extremes.greatest = point;
      continue;
    }
    if (rank(point) < rank(extremes.least)) extremes.least = point;
    if (rank(point) > rank(extremes.greatest)) extremes.greatest = point;
  }
  if (extremes.known == 0) return std::nullopt;
  const double highest_least = ends_of(scalar, extremes.least).upper;
  const double lowest_greatest = ends_of(scalar, extremes.greatest).lower;
  for (const std::uint64_t point : points) {
    const Ends ends = ends_of(scalar, point);
    if (point != extremes.least && ends.lower <= highest_least) ++extremes.as_low;
    if (point != extremes.greatest && ends.upper >= lowest_greatest) ++extremes.as_high;
  }
  return extremes;
}

}  // namespace cimstat::experiments
