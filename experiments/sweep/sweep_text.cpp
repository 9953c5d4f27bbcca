#include "experiments/sweep/sweep_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/config/config_text.h"
#include "core/file/provenance.h"

#include "experiments/describe/description.h"
#include "experiments/experiment.h"

namespace cimstat::experiments {

namespace {

namespace text = core::config_text;

std::string value_text(const core::ConfigScalar& scalar) {
  struct Text {
    std::string operator()(double value) const { return text::float_text(value); }
    std::string operator()(std::uint64_t value) const { return fmt::format("{}", value); }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(const std::string& value) const { return text::quoted(value); }
  };
  return std::visit(Text{}, scalar);
}

template <class Item, class Words>
std::string list_text(const std::vector<Item>& items, Words words) {
  std::string list;
  for (const Item& item : items) list += (list.empty() ? "" : ", ") + std::string(words(item));
  return "[" + list + "]";
}

std::string line(std::string_view key, const std::string& value) {
  return fmt::format("{} = {}\n", key, value);
}

std::string axis_toml(const AxisSetting& axis) {
  std::string result = fmt::format("\n[sweep.axis.{}]\n", axis.name);
  if (axis.form == AxisForm::cases) {
    result += line("cases", list_text(axis.cases, text::quoted));
    result += fmt::format("\n[sweep.axis.{}.vary]\n", axis.name);
    for (std::size_t key = 0; key < axis.keys.size(); ++key) {
      result += line(text::quoted(axis.keys[key].name), list_text(axis.values[key], value_text));
    }
    return result;
  }
  if (axis.keys.size() > 1) {
    const std::vector<SweptKey> others(axis.keys.begin() + 1, axis.keys.end());
    result +=
        line("also", list_text(others, [](const SweptKey& key) { return text::quoted(key.name); }));
  }
  if (axis.form == AxisForm::grid) result += line("count", fmt::format("{}", axis.count));
  const bool is_range = axis.form == AxisForm::grid || axis.form == AxisForm::sampled;
  if (is_range) result += line("from", value_text(axis.values[0][0]));
  result += line("key", text::quoted(axis.keys[0].name));
  if (is_range) {
    result += line("spacing", text::quoted(word_of(axis.spacing)));
    result += line("to", value_text(axis.values[0][1]));
  }
  if (axis.form == AxisForm::values) {
    result += line("values", list_text(axis.values[0], value_text));
  }
  return result;
}

/// Whether the default is another one where another key is another one.
bool depends_on_others(const core::Parameter& parameter) {
  const auto* count = std::get_if<core::CountRule>(&parameter.rule);
  return count != nullptr && !count->fallback;
}

core::ConfigTable table_of(const core::Config& config, std::string_view path) {
  core::ConfigTable table = config;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    table = table.table_or_empty(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return table;
}

void leave_out_if_absent(const core::ConfigTable& table, const core::Parameter& parameter) {
  if (!table.has(parameter.key)) table.leave_out(parameter.key);
}

bool sets(const SweepSection& sweep, std::string_view name) {
  return std::any_of(sweep.axes.begin(), sweep.axes.end(), [&](const AxisSetting& axis) {
    return std::any_of(axis.keys.begin(), axis.keys.end(),
                       [&](const SweptKey& key) { return key.name == name; });
  });
}

}  // namespace

std::string base_toml(const core::Config& first_point, const SweepSection& sweep) {
  for (const PlacedSection& placed : placed_sections(experiment_file())) {
    if (placed.path == "sweep" || placed.path.starts_with("sweep.")) continue;
    const core::ConfigTable table = table_of(first_point, placed.path);
    for (const core::Parameter& parameter : placed.section->parameters) {
      if (depends_on_others(parameter)) leave_out_if_absent(table, parameter);
    }
    const bool varies = sets(sweep, fmt::format("{}.{}", placed.path, placed.section->selector));
    for (const core::Variant& variant : placed.section->variants) {
      for (const core::Parameter& parameter : variant.parameters) {
        if (varies || depends_on_others(parameter)) leave_out_if_absent(table, parameter);
      }
    }
  }
  return read_experiment(first_point).config_toml;
}

std::string sweep_toml(const SweepSection& sweep, const std::string& points_text) {
  std::string result = "[sweep]\n";
  result += line("outputs", list_text(sweep.settings.outputs, [](SweepOutput output) {
                   return text::quoted(word_of(output));
                 }));
  if (!sweep.points_file.empty()) {
    result += line("points_file", "\"points.csv\"");
    result += line("points_sha256", text::quoted(core::sha256(points_text)));
  }
  result += line("random_numbers", text::quoted(word_of(sweep.settings.random_numbers)));
  if (sweep.samples != 0) {
    result += line("samples", fmt::format("{}", sweep.samples));
    result += line("sampling", text::quoted(word_of(sweep.sampling)));
  }
  for (const AxisSetting& axis : sweep.axes) result += axis_toml(axis);
  return result;
}

}  // namespace cimstat::experiments
