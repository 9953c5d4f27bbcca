#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "experiments/report/markup.h"
#include "experiments/report/sweep_figures.h"

namespace cimstat::experiments::report {

namespace {

bool contains(const std::vector<std::size_t>& values, std::size_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

bool changes(const SweepScalar& scalar) {
  double first = std::nan("");
  for (const double value : scalar.value) {
    if (std::isnan(value)) continue;
    if (!std::isnan(first) && value != first) return true;
    first = value;
  }
  return false;
}

/// "sample 3" or "slow", "6 kohm".
std::string index_text(const SweepView& view, std::size_t dimension, std::size_t index) {
  for (const AxisView& axis : view.axes) {
    if (!axis.is_sampled && axis.dimension == dimension) return axis.texts[index];
  }
  return fmt::format("{}", index + 1);
}

}  // namespace

SweepChoice first_choice(const SweepView& view) {
  SweepChoice choice;
  const std::vector<SweepScalar>& scalars = view.record.scalars;
  auto found = std::find_if(scalars.begin(), scalars.end(), [](const SweepScalar& scalar) {
    return !scalar.lower.empty() && changes(scalar);
  });
  if (found == scalars.end()) found = std::find_if(scalars.begin(), scalars.end(), changes);
  if (found != scalars.end()) choice.scalar = static_cast<std::size_t>(found - scalars.begin());
  for (std::size_t dimension = 0; dimension < view.record.dimensions.size(); ++dimension) {
    const std::size_t size = view.record.dimensions[dimension].size;
    choice.indices.push_back(is_sample_dimension(view.record, dimension) ? 0 : (size - 1) / 2);
  }
  return choice;
}

std::vector<std::size_t> varying_listed_axes(const SweepView& view) {
  std::vector<std::size_t> axes;
  for (const AxisView& axis : view.axes) {
    if (!axis.is_sampled && axis.numbers.size() > 1) axes.push_back(axis.axis);
  }
  std::stable_sort(axes.begin(), axes.end(), [&](std::size_t a, std::size_t b) {
    if (view.axes[a].has_words != view.axes[b].has_words) return view.axes[b].has_words;
    return view.axes[a].numbers.size() > view.axes[b].numbers.size();
  });
  return axes;
}

std::vector<std::size_t> sampled_axes(const SweepView& view) {
  std::vector<std::size_t> axes;
  for (const AxisView& axis : view.axes) {
    if (axis.is_sampled) axes.push_back(axis.axis);
  }
  return axes;
}

std::string select_control(std::string_view id, std::string_view role, std::string_view label,
                           const std::vector<SelectOption>& options, std::string_view chosen) {
  std::string items;
  for (const auto& [value, text] : options) {
    items += fmt::format("<option value=\"{}\"{}>{}</option>", value,
                         value == chosen ? " selected=\"\"" : "", escaped(shortened(text, 48)));
  }
  return fmt::format(
      "<div class=\"choice\"><label for=\"{0}\">{1}</label><select id=\"{0}\" data-role=\"{2}\">"
      "{3}</select></div>\n",
      id, escaped(label), role, items);
}

std::string quantity_control(const SweepView& view, std::string_view figure,
                             const SweepChoice& choice) {
  std::vector<SelectOption> options;
  for (const ScalarView& scalar : view.scalars) {
    options.push_back({std::to_string(scalar.scalar), scalar.title});
  }
  return select_control(fmt::format("{}-quantity", figure), "quantity", "quantity", options,
                        std::to_string(choice.scalar));
}

std::string slice_controls(const SweepView& view, std::string_view figure,
                           const SweepChoice& choice, const std::vector<std::size_t>& taken) {
  std::string controls;
  for (std::size_t dimension = 0; dimension < view.record.dimensions.size(); ++dimension) {
    const auto& [name, size] = view.record.dimensions[dimension];
    if (size < 2) continue;
    const std::string text = index_text(view, dimension, choice.indices[dimension]);
    controls += fmt::format(
        "<div class=\"choice slide\"{6}><label for=\"{0}-at-{1}\">{2}</label><input type=\"range\" "
        "id=\"{0}-at-{1}\" data-dimension=\"{1}\" min=\"0\" max=\"{3}\" step=\"1\" value=\"{4}\" "
        "aria-valuetext=\"{5}\"/><output for=\"{0}-at-{1}\">{5}</output></div>\n",
        figure, dimension, escaped(shortened(name, 32)), size - 1, choice.indices[dimension],
        escaped(shortened(text, 32)), contains(taken, dimension) ? " hidden=\"\"" : "");
  }
  return controls;
}

std::string slice_text(const SweepView& view, const SweepChoice& choice,
                       const std::vector<std::size_t>& taken) {
  std::string where;
  for (const AxisView& axis : view.axes) {
    if (contains(taken, axis.dimension)) continue;
    const SweepAxis& values = view.record.axes[axis.axis];
    where += fmt::format("{}{} = {}", where.empty() ? " at " : ", ", axis.name,
                         value_text(values, choice.indices[axis.dimension], Letters::any));
  }
  return (view.scalars.empty() ? std::string()
                               : quantity_text(view.record.scalars[choice.scalar])) +
         where;
}

std::string sweep_frame(std::string_view figure, std::string_view controls, std::string_view slice,
                        std::string_view picture) {
  return fmt::format(
      "<div class=\"sweep\" data-sweep=\"{}\">\n<div class=\"controls choices\" role=\"group\" "
      "aria-label=\"what to show\">\n{}</div>\n<p class=\"slice\" aria-live=\"polite\">{}</p>\n"
      "{}</div>\n",
      figure, controls, escaped(slice), picture);
}

}  // namespace cimstat::experiments::report
