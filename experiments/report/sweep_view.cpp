#include "experiments/report/sweep_view.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include <fmt/format.h>

#include "core/file/json.h"

#include "experiments/report/markup.h"
#include "experiments/report/page.h"
#include "experiments/report/palette.h"
#include "experiments/report/rate_plot.h"

namespace cimstat::experiments::report {
namespace {

constexpr std::size_t most_letters = 20;  ///< of a tick
constexpr std::size_t most_name = 32;

/// All but the ends of its numbers.
AxisView named_view(const SweepRecord& record, std::size_t index) {
  const SweepAxis& axis = record.axes[index];
  AxisView view;
  view.axis = index;
  view.dimension = dimension_of(record, axis);
  view.is_sampled = axis.kind == SweepAxis::Kind::sampled;
  view.has_words = !axis.labels.empty();
  view.name = view.title = shortened(axis.name, most_name);
  if (view.has_words && view.is_sampled) {
    std::map<std::string, std::size_t> places;
    for (const std::string& label : axis.labels) {
      const auto [place, is_new] = places.emplace(label, view.texts.size());
      if (is_new) view.texts.push_back(label);
      view.numbers.push_back(static_cast<double>(place->second));
    }
    return view;
  }
  for (std::size_t value = 0; value < axis.size() && !view.is_sampled; ++value) {
    view.texts.push_back(value_text(axis, value, Letters::any));
  }
  if (view.has_words) {
    for (std::size_t value = 0; value < axis.size(); ++value) {
      view.numbers.push_back(static_cast<double>(value));
    }
    return view;
  }
  view.unit = readable_unit(axis.units, axis.numbers, Letters::any);
  view.unit.name = shortened(view.unit.name, most_letters);
  if (!view.unit.name.empty()) view.title += fmt::format(" [{}]", view.unit.name);
  for (const double number : axis.numbers) view.numbers.push_back(number / view.unit.size);
  view.is_logarithmic = is_log_spaced(axis.numbers);
  return view;
}

AxisView axis_view(const SweepRecord& record, std::size_t index) {
  AxisView view = named_view(record, index);
  const auto [least, most] = std::minmax_element(view.numbers.begin(), view.numbers.end());
  if (least == view.numbers.end()) return view;
  view.least = *least;
  view.most = *most;
  return view;
}

struct Range {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  void take(double value) {
    if (!std::isfinite(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  bool is_empty() const { return !(least <= most); }
};

struct Ends {
  double low = 1e-6;
  double high = 1.0;
};

/// Whole powers of ten around it.
Ends decades_of(const Range& positive) {
  if (positive.is_empty()) return {};
  Ends ends{std::pow(10.0, std::floor(std::log10(positive.least) + 1e-9)),
            std::pow(10.0, std::ceil(std::log10(positive.most) - 1e-9))};
  if (ends.low == ends.high) ends.low = 0.1 * ends.high;
  return ends;
}

ScalarView scalar_view(const SweepRecord& record, std::size_t index) {
  const SweepScalar& scalar = record.scalars[index];
  ScalarView view;
  view.scalar = index;
  view.name = view.title = shortened(scalar.name, most_name);
  view.unit = readable_unit(scalar.units, scalar.value, Letters::any);
  view.unit.name = shortened(view.unit.name, most_letters);
  if (!view.unit.name.empty()) view.title += fmt::format(" [{}]", view.unit.name);
  Range values;
  Range all;       // with the ends of intervals
  Range seen;      // on a logarithmic scale
  Range positive;  // ... with the ends of intervals
  for (std::size_t point = 0; point < scalar.value.size(); ++point) {
    const double value = scalar.value[point] / view.unit.size;
    const Knowledge known = knowledge_of(record, scalar, point);
    if (known == Knowledge::nothing || known == Knowledge::none_seen ||
        known == Knowledge::below_bound) {
      view.has_special = true;
    }
    values.take(value);
    all.take(value);
    if (value >= lowest_rate) {
      seen.take(value);
      positive.take(value);
    }
    if (scalar.lower.empty() || std::isnan(value)) continue;
    const double lower = scalar.lower[point] / view.unit.size;
    const double upper = scalar.upper[point] / view.unit.size;
    all.take(lower);
    all.take(upper);
    if (lower >= lowest_rate) positive.take(lower);
    if (upper >= lowest_rate) positive.take(upper);
  }
  constexpr double wide = 300.0;
  if (is_rate(scalar) || (values.least > 0.0 && values.most > wide * values.least)) {
    view.is_logarithmic = true;
    view.low = decades_of(positive).low;
    view.high = decades_of(positive).high;
    view.least = decades_of(seen).low;
    view.most = decades_of(seen).high;
    return view;
  }
  if (values.is_empty()) return view;
  view.least = values.least;
  view.most = values.most;
  const double room = all.most > all.least ? 0.05 * (all.most - all.least)
                                           : std::max(0.1 * std::abs(all.most), 1e-3);
  view.low = all.least - room;
  view.high = all.most + room;
  // Shares stay shares.
  if (all.least >= 0.0) view.low = std::max(view.low, 0.0);
  if (scalar.units == "1" && all.most <= 1.0) view.high = std::min(view.high, 1.0);
  return view;
}

/// `count` of the indices 0 .. size - 1, as even as can be, the ends among them.
std::vector<std::size_t> even_picks(std::size_t size, std::size_t count) {
  std::vector<std::size_t> picks;
  for (std::size_t index = 0; index < count; ++index) {
    picks.push_back(count == 1 ? 0 : (index * (size - 1) + (count - 1) / 2) / (count - 1));
  }
  return picks;
}

/// How many values of each dimension a page can hold.
std::vector<std::size_t> sizes_on_page(const SweepRecord& record, std::size_t most_numbers) {
  constexpr std::size_t most_cells = 40'000;  // of one picture
  constexpr std::size_t most_bars = 20'000;
  constexpr std::size_t few_samples = 500;
  std::size_t columns = record.axes.size();
  std::size_t sampled_axes = 0;
  for (const SweepScalar& scalar : record.scalars) columns += scalar.lower.empty() ? 1u : 3u;
  for (const SweepAxis& axis : record.axes) {
    if (axis.kind == SweepAxis::Kind::sampled) ++sampled_axes;
  }
  std::vector<std::size_t> sizes;
  for (const SweepDimension& dimension : record.dimensions) sizes.push_back(dimension.size);
  const auto is_sample = [&](std::size_t dimension) {
    return is_sample_dimension(record, dimension);
  };
  while (true) {
    std::size_t listed = 1;
    std::size_t samples = 1;
    std::vector<std::size_t> lengths{1, 1};
    for (std::size_t dimension = 0; dimension < sizes.size(); ++dimension) {
      (is_sample(dimension) ? samples : listed) *= sizes[dimension];
      if (!is_sample(dimension)) lengths.push_back(sizes[dimension]);
    }
    std::sort(lengths.rbegin(), lengths.rend());
    const bool has_room = listed * samples * std::max<std::size_t>(columns, 1) <= most_numbers;
    const bool has_samples_to_spare = samples > few_samples && !has_room;
    if (has_room && lengths[0] * lengths[1] <= most_cells &&
        listed * sampled_axes * record.scalars.size() <= most_bars) {
      return sizes;
    }
    std::size_t longest = sizes.size();
    for (std::size_t dimension = 0; dimension < sizes.size(); ++dimension) {
      if (is_sample(dimension) != has_samples_to_spare) continue;
      if (longest == sizes.size() || sizes[dimension] > sizes[longest]) longest = dimension;
    }
    if (longest == sizes.size() || sizes[longest] <= 2) {
      // Nothing of that kind is long: whatever is.
      longest =
          static_cast<std::size_t>(std::max_element(sizes.begin(), sizes.end()) - sizes.begin());
      if (sizes.empty() || sizes[longest] <= 2) return sizes;
    }
    sizes[longest] = std::max<std::size_t>(2, sizes[longest] - (sizes[longest] + 15) / 16);
  }
}

SweepRecord picked_record(const SweepRecord& record,
                          const std::vector<std::vector<std::size_t>>& picked) {
  SweepRecord result = record;
  for (std::size_t dimension = 0; dimension < picked.size(); ++dimension) {
    result.dimensions[dimension].size = picked[dimension].size();
  }
  for (SweepAxis& axis : result.axes) {
    const std::size_t dimension = dimension_of(record, axis);
    std::vector<double> numbers;
    std::vector<std::string> labels;
    for (const std::size_t index : picked[dimension]) {
      if (!axis.numbers.empty()) numbers.push_back(axis.numbers[index]);
      if (!axis.labels.empty()) labels.push_back(axis.labels[index]);
    }
    axis.numbers = std::move(numbers);
    axis.labels = std::move(labels);
  }
  for (SweepScalar& scalar : result.scalars) scalar.value = scalar.lower = scalar.upper = {};
  for (std::uint64_t point = 0; point < points_of(result); ++point) {
    std::vector<std::size_t> indices = indices_of(result, point);
    for (std::size_t dimension = 0; dimension < indices.size(); ++dimension) {
      indices[dimension] = picked[dimension][indices[dimension]];
    }
    const std::uint64_t from = point_at(record, indices);
    for (std::size_t index = 0; index < record.scalars.size(); ++index) {
      const SweepScalar& scalar = record.scalars[index];
      result.scalars[index].value.push_back(scalar.value[from]);
      if (scalar.lower.empty()) continue;
      result.scalars[index].lower.push_back(scalar.lower[from]);
      result.scalars[index].upper.push_back(scalar.upper[from]);
    }
  }
  return result;
}

/// Digits of JSON that are enough for pictures.
double rounded(double value) {
  return std::isfinite(value) ? std::stod(fmt::format("{:.7g}", value)) : value;
}

}  // namespace

bool AxisView::varies() const { return most > least; }

double AxisView::place(double number, double cells) const {
  const double low = least;
  const double high = most;
  if (!(high > low)) return 0.5 * (cells - 1.0);
  const double part = is_logarithmic ? std::log(number / low) / std::log(high / low)
                                     : (number - low) / (high - low);
  return part * (cells - 1.0);
}

Axis AxisView::plot_axis(double cells, int wanted) const {
  const double room = std::clamp(0.03 * cells, 0.1, 0.4);
  Axis scale{title, -room, cells - 1.0 + room, Spacing::linear, {}};
  if (has_words) {
    scale.ticks = text_ticks(texts, texts_in(95.0 * wanted, texts));
    return scale;
  }
  if (!varies()) {
    scale.ticks = {{place(least, cells), number_text(least)}};
    return scale;
  }
  scale.ticks =
      is_logarithmic ? power_ticks(least, most, wanted) : linear_ticks(least, most, wanted);
  for (Tick& tick : scale.ticks) tick.value = place(tick.value, cells);
  return scale;
}

Axis ScalarView::axis() const {
  return {title, low, high, is_logarithmic ? Spacing::logarithmic : Spacing::linear, {}};
}

int ScalarView::shade(double value) const {
  const double part = !(most > least)  ? 0.5
                      : is_logarithmic ? std::log(value / least) / std::log(most / least)
                                       : (value - least) / (most - least);
  return std::clamp(static_cast<int>(part * kHeatShades), 0, kHeatShades - 1);
}

double SweepView::value(std::size_t scalar, std::uint64_t point) const {
  return record.scalars[scalar].value[point] / scalars[scalar].unit.size;
}
double SweepView::lower(std::size_t scalar, std::uint64_t point) const {
  const SweepScalar& values = record.scalars[scalar];
  if (values.lower.empty() || std::isnan(values.lower[point])) return value(scalar, point);
  return values.lower[point] / scalars[scalar].unit.size;
}
double SweepView::upper(std::size_t scalar, std::uint64_t point) const {
  const SweepScalar& values = record.scalars[scalar];
  if (values.upper.empty() || std::isnan(values.upper[point])) return value(scalar, point);
  return values.upper[point] / scalars[scalar].unit.size;
}

std::optional<std::size_t> SweepView::sample_dimension() const {
  for (std::size_t dimension = 0; dimension < record.dimensions.size(); ++dimension) {
    if (is_sample_dimension(record, dimension)) return dimension;
  }
  return std::nullopt;
}

SweepView view_of(const SweepRecord& record, std::size_t most_numbers) {
  SweepView view;
  const std::vector<std::size_t> sizes = sizes_on_page(record, most_numbers);
  for (std::size_t dimension = 0; dimension < sizes.size(); ++dimension) {
    const auto& [name, size] = record.dimensions[dimension];
    const bool is_sample = is_sample_dimension(record, dimension);
    view.picked.push_back(is_sample ? scattered_picks(size, sizes[dimension])
                                    : even_picks(size, sizes[dimension]));
    if (sizes[dimension] == size) continue;
    view.left_out.push_back(fmt::format("{} of the {} {} stand on this page, picked {}.",
                                        grouped_text(sizes[dimension]), grouped_text(size),
                                        is_sample ? std::string("samples") : "values of " + name,
                                        is_sample ? "at random" : "evenly"));
  }
  view.record = picked_record(record, view.picked);
  for (std::size_t axis = 0; axis < record.axes.size(); ++axis) {
    view.axes.push_back(axis_view(view.record, axis));
  }
  for (std::size_t scalar = 0; scalar < record.scalars.size(); ++scalar) {
    view.scalars.push_back(scalar_view(view.record, scalar));
  }
  return view;
}

std::string quantity_text(const SweepScalar& scalar) {
  if (scalar.long_name.empty() || scalar.long_name == scalar.name) return scalar.name;
  return fmt::format("{} ({})", scalar.long_name, scalar.name);
}

std::string estimate_text(const SweepView& view, std::size_t scalar, std::uint64_t point) {
  const std::string& unit = view.scalars[scalar].unit.name;
  const std::string behind = unit.empty() ? "" : " " + unit;
  const double value = view.value(scalar, point);
  const Knowledge known = knowledge_of(view.record, view.record.scalars[scalar], point);
  MisreadPoint figure{0, value, view.lower(scalar, point), view.upper(scalar, point),
                      MisreadBasis::sampled};
  if (known == Knowledge::nothing) return "not known";
  if (known == Knowledge::value) return number_text(value, 4) + behind;
  if (known == Knowledge::bound || known == Knowledge::below_bound) {
    figure.basis = MisreadBasis::computed;
  }
  if (known == Knowledge::none_seen) figure.basis = MisreadBasis::none_seen;
  if (known == Knowledge::none_seen || known == Knowledge::below_bound) return misread_text(figure);
  return fmt::format("{}{} ({})", number_text(value, 4), behind, interval_text(figure));
}

Csv numbers_of(const SweepView& view) {
  std::vector<std::string> names;
  const auto with_unit = [](const std::string& name, const std::string& unit) {
    return unit == "1" || unit.empty() ? name : fmt::format("{}_{}", name, unit);
  };
  for (const SweepAxis& axis : view.record.axes) names.push_back(with_unit(axis.name, axis.units));
  for (const SweepScalar& scalar : view.record.scalars) {
    const std::string name = with_unit(scalar.name, scalar.units);
    names.push_back(name);
    if (scalar.lower.empty()) continue;
    names.push_back(name + "_lower");
    names.push_back(name + "_upper");
  }
  Csv csv(names);
  for (std::uint64_t point = 0; point < points_of(view.record); ++point) {
    const std::vector<std::size_t> indices = indices_of(view.record, point);
    for (const AxisView& axis : view.axes) {
      const SweepAxis& values = view.record.axes[axis.axis];
      const std::size_t index = indices[axis.dimension];
      if (axis.has_words) {
        csv.text(values.labels[index]);
      } else {
        csv.number(values.numbers[index], 6);
      }
    }
    for (const SweepScalar& scalar : view.record.scalars) {
      csv.number(scalar.value[point], 5);
      if (!scalar.lower.empty()) csv.number(scalar.lower[point], 4).number(scalar.upper[point], 4);
    }
    csv.end_line();
  }
  return csv;
}

std::string layout_of(const SweepView& view) {
  using core::Json;
  Json layout;
  layout["confidence"] = percent_text(view.record.confidence, 0);
  layout["computed"] = view.record.origin.method == "exact";
  layout["dimensions"] = Json::array();
  for (std::size_t dimension = 0; dimension < view.record.dimensions.size(); ++dimension) {
    const auto& [name, size] = view.record.dimensions[dimension];
    layout["dimensions"].push_back(
        {{"name", name}, {"size", size}, {"sampled", is_sample_dimension(view.record, dimension)}});
  }
  layout["axes"] = Json::array();
  for (const AxisView& axis : view.axes) {
    Json object{
        {"name", axis.name},          {"title", axis.title},     {"dimension", axis.dimension},
        {"sampled", axis.is_sampled}, {"words", axis.has_words}, {"log", axis.is_logarithmic},
        {"texts", axis.texts},        {"size", axis.unit.size},  {"unit", axis.unit.name}};
    if (!axis.is_sampled || axis.has_words) {
      object["numbers"] = Json::array();
      for (const double number : axis.numbers) object["numbers"].push_back(rounded(number));
    }
    layout["axes"].push_back(object);
  }
  layout["scalars"] = Json::array();
  std::size_t column = view.axes.size();
  for (const ScalarView& scalar : view.scalars) {
    const SweepScalar& values = view.record.scalars[scalar.scalar];
    layout["scalars"].push_back({{"name", scalar.name},
                                 {"title", scalar.title},
                                 {"size", scalar.unit.size},
                                 {"unit", scalar.unit.name},
                                 {"column", column},
                                 {"meaning", quantity_text(values)},
                                 {"special", scalar.has_special},
                                 {"interval", !values.lower.empty()},
                                 {"rate", is_rate(values)},
                                 {"log", scalar.is_logarithmic},
                                 {"low", scalar.low},
                                 {"high", scalar.high},
                                 {"least", scalar.least},
                                 {"most", scalar.most}});
    column += values.lower.empty() ? 1u : 3u;
  }
  return layout.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_log_spaced(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  constexpr double least_ratio = 3.0;
  if (numbers.size() < 3 || !(numbers.front() > 0.0) || !std::isfinite(numbers.back()) ||
      numbers.back() < least_ratio * numbers.front()) {
    return false;
  }
  // How far they are from even, at the most, on each kind of scale.
  double linear = 0.0;
  double logarithmic = 0.0;
  const double low = numbers.front();
  const double high = numbers.back();
  for (std::size_t index = 0; index < numbers.size(); ++index) {
    const double even = static_cast<double>(index) / static_cast<double>(numbers.size() - 1);
    linear = std::max(linear, std::abs((numbers[index] - low) / (high - low) - even));
    logarithmic = std::max(logarithmic,
                           std::abs(std::log(numbers[index] / low) / std::log(high / low) - even));
  }
  return logarithmic < linear;
}

std::vector<std::size_t> scattered_picks(std::size_t size, std::size_t count) {
  // Every second of a Sobol sequence, say, would fill half of the space.
  const auto mixed = [](std::uint64_t word) {  // SplitMix64's finaliser (Stafford's variant 13)
    word = (word + 1) * 0x9E3779B97F4A7C15u;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9u;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBu;
    return word ^ (word >> 31);
  };
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (count >= size) return order;
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                   [&](std::size_t a, std::size_t b) { return mixed(a) < mixed(b); });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

std::size_t texts_in(double width, const std::vector<std::string>& texts) {
  std::size_t letters = 1;
  for (const std::string& text : texts) letters = std::max(letters, letters_of(text));
  const double each = 7.0 * static_cast<double>(std::min(letters, most_letters)) + 14.0;
  return std::max<std::size_t>(1, static_cast<std::size_t>(width / each));
}

std::vector<Tick> text_ticks(const std::vector<std::string>& texts, std::size_t wanted) {
  const std::size_t step = (texts.size() + wanted - 1) / std::max<std::size_t>(wanted, 1);
  std::vector<Tick> ticks;
  for (std::size_t index = 0; index < texts.size(); index += std::max<std::size_t>(step, 1)) {
    ticks.push_back({static_cast<double>(index), shortened(texts[index], most_letters)});
  }
  return ticks;
}

}  // namespace cimstat::experiments::report
