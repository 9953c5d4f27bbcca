#include "experiments/sweep/axis_plan.h"

#include <cmath>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/sweep/axis_values.h"

namespace cimstat::experiments {

namespace {

using core::ConfigScalar;
using core::Quantity;

std::string meaning_of(const AxisSetting& axis) {
  std::string names;
  for (const SweptKey& key : axis.keys) names += (names.empty() ? "" : ", ") + key.name;
  if (axis.form != AxisForm::cases) {
    return fmt::format("{}: {}", names, axis.keys.front().meaning);
  }
  return "cases of " + names;
}

std::vector<double> grid_of(const AxisSetting& axis) {
  const auto [from, to] = range_of(axis);
  std::vector<double> values = grid_values(from, to, axis.count, axis.spacing);
  if (!axis.keys.front().is_count()) return values;
  for (double& value : values) value = std::round(value);
  for (std::size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[i - 1]) continue;
    throw core::UsageError(core::error_line(
        axis.place, fmt::format("has the value {} twice", values[i]),
        fmt::format("{} takes whole numbers", axis.keys.front().name), "lower count"));
  }
  return values;
}

Quantity quantity_with(std::string_view unit) {
  for (const Quantity quantity : core::all_quantities) {
    if (core::si_unit(quantity) == unit) return quantity;
  }
  return Quantity::ratio;
}

}  // namespace

AxisRange range_of(const AxisSetting& setting) {
  SweepAxis ends;
  for (const ConfigScalar& end : setting.values.front()) add_value(ends, end);
  return {ends.numbers[0], ends.numbers[1]};
}

void add_value(SweepAxis& axis, const ConfigScalar& value) {
  struct Add {
    SweepAxis& axis;
    void operator()(double number) const { axis.numbers.push_back(number); }
    void operator()(std::uint64_t count) const {
      axis.numbers.push_back(static_cast<double>(count));
    }
    void operator()(bool flag) const { axis.labels.emplace_back(flag ? "true" : "false"); }
    void operator()(const std::string& word) const { axis.labels.push_back(word); }
  };
  std::visit(Add{axis}, value);
}

SweepAxis make_axis(const AxisSetting& setting) {
  SweepAxis axis{.name = setting.name,
                 .kind = setting.is_listed() ? SweepAxis::Kind::listed : SweepAxis::Kind::sampled,
                 .keys = {},
                 .meaning = meaning_of(setting),
                 .units = "1",
                 .numbers = {},
                 .labels = setting.cases};
  for (const SweptKey& key : setting.keys) axis.keys.push_back(key.name);
  if (setting.form != AxisForm::cases) {
    axis.units = core::si_unit(setting.keys.front().quantity());
  }
  if (setting.form == AxisForm::values) {
    for (const ConfigScalar& value : setting.values.front()) add_value(axis, value);
  }
  if (setting.form == AxisForm::grid) axis.numbers = grid_of(setting);
  return axis;
}

ConfigScalar value_at(const AxisSetting& setting, const SweepAxis& axis, std::size_t key,
                      std::size_t index) {
  if (setting.form == AxisForm::cases) return setting.values[key][index];
  const SweptKey& swept = setting.keys[key];
  if (swept.is_count()) return static_cast<std::uint64_t>(axis.numbers[index]);
  if (swept.is_number()) return axis.numbers[index];
  if (std::holds_alternative<core::FlagRule>(swept.rule)) return axis.labels[index] == "true";
  return axis.labels[index];
}

std::string SweepAxis::value_text(std::size_t index) const {
  if (!labels.empty()) return labels[index];
  constexpr int usual = 4;
  constexpr int most = 6;
  const double value = numbers[index];
  const Quantity quantity = quantity_with(units);
  if (quantity == Quantity::ratio && value == std::floor(value) && std::abs(value) < 1e15) {
    return fmt::format("{:.0f}", value);
  }
  std::string text;
  for (int digits = usual; digits <= most; ++digits) {
    text = core::format_quantity(value, quantity, digits);
    if (core::parse_quantity(text, quantity) == value) break;
  }
  return text;
}

}  // namespace cimstat::experiments
