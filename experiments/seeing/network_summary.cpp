#include "experiments/seeing/network_summary.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include <fmt/format.h>

#include "core/utf8.h"

#include "experiments/counted.h"

namespace cimstat::experiments {

namespace {

struct LayerFigures {
  const Layer* layer = nullptr;
  std::array<std::uint32_t, 3> output{};  ///< channels, rows, columns
  std::uint64_t weights = 0;
  std::uint64_t macs = 0;    ///< multiplications and additions for one image
  std::uint64_t fan_in = 0;  ///< products in one sum: rows that an array needs
};

std::vector<LayerFigures> figures_of(const Network& network) {
  const auto shapes = output_shapes(network);
  std::vector<LayerFigures> figures;
  std::map<std::string, std::uint64_t> channels{{"input", network.input_shape[0]}};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    LayerFigures f{.layer = &layer, .output = shapes[i]};
    if (is_weighted(layer.kind)) {
      const auto& [outputs, inputs, rows, columns] = layer.weight_shape;
      f.fan_in = std::uint64_t{inputs} * rows * columns;
      f.weights = layer.weight.size();
      f.macs =
          f.fan_in * outputs *
          (layer.kind == LayerKind::convolution ? std::uint64_t{shapes[i][1]} * shapes[i][2] : 1);
    }
    if (is_product(layer.kind)) {
      // Keys: channels of a head; values: their pixels, as many as a head's shares.
      const std::uint64_t inputs = channels[layer.inputs[0]];
      f.fan_in = inputs / layer.groups;
      f.macs = f.fan_in * shapes[i][0] * shapes[i][1] * shapes[i][2];
    }
    channels[layer.name] = shapes[i][0];
    figures.push_back(f);
  }
  return figures;
}

std::string range_text(const auto& values) {
  if (values.empty()) return "-";
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  if (*least == *most) return fmt::format("{:.3g}", double(*least));
  return fmt::format("{:.3g} .. {:.3g}", double(*least), double(*most));
}

/// Of what the layer delivers by scales of its own; "-" for the logits too.
std::string bits_text(const Network& network, const Layer& layer) {
  if (layer.output_bits > 0) return fmt::format("{}", layer.output_bits);
  return requantises(layer.kind) && &layer != &network.layers.back() ? "real" : "-";
}

std::string shape_text(const std::array<std::uint32_t, 3>& shape) {
  return fmt::format("{}", fmt::join(shape, " x "));
}

/// What only some layers have: rectangular or dilated windows, groups or heads, levels of a real 0.
std::vector<std::pair<std::string_view, std::vector<std::uint32_t>>> special_numbers(
    const Layer& layer) {
  std::vector<std::pair<std::string_view, std::vector<std::uint32_t>>> found;
  const auto add = [&](std::string_view name, Extents extents) {
    found.emplace_back(name, std::vector{extents.rows, extents.columns});
  };
  if (!layer.kernel.is_square()) add("kernel", layer.kernel);
  if (!layer.stride.is_square()) add("stride", layer.stride);
  if (layer.dilation != Extents()) add("dilation", layer.dilation);
  if (const Padding& p = layer.padding; !p.is_even()) {
    found.emplace_back("padding", std::vector{p.top, p.left, p.bottom, p.right});
  }
  if (layer.groups != 1) found.emplace_back("groups", std::vector{layer.groups});
  if (layer.zero_level != 0) found.emplace_back("zero_level", std::vector{layer.zero_level});
  return found;
}

/// "kernel [1, 3], groups 8"; empty for most layers.
std::string special_text(const Layer& layer) {
  std::vector<std::string> parts;
  for (const auto& [name, numbers] : special_numbers(layer)) {
    parts.push_back(numbers.size() == 1 ? fmt::format("{} {}", name, numbers[0])
                                        : fmt::format("{} [{}]", name, fmt::join(numbers, ", ")));
  }
  if (!layer.padding_level.empty()) {
    parts.push_back(fmt::format("padding level {}", range_text(layer.padding_level)));
  }
  if (layer.input_values == InputValues::signs) parts.emplace_back("inputs -1 and 1");
  if (has_map_range(layer)) parts.emplace_back("range of each image's map");
  return fmt::format("{}", fmt::join(parts, ", "));
}

struct Totals {
  std::uint64_t weights = 0;
  std::uint64_t macs = 0;
};

Totals totals_of(const std::vector<LayerFigures>& figures) {
  Totals totals;
  for (const LayerFigures& f : figures) {
    totals.weights += f.weights;
    totals.macs += f.macs;
  }
  return totals;
}

void add_range(core::Json& object, std::string_view name, const auto& values) {
  if (values.empty()) return;
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  object[name] = core::Json::array({double(*least), double(*most)});
}

}  // namespace

std::string format_network(const Network& network) {
  const std::vector<LayerFigures> figures = figures_of(network);
  const Totals totals = totals_of(figures);
  std::string text =
      fmt::format("{}, {}, {} an image; input {} of {}, {}\n", counted(figures.size(), "layer"),
                  counted(totals.weights, "weight"), counted(totals.macs, "MAC"),
                  shape_text(network.input_shape), counted(network.input_bits, "bit"),
                  counted(network.classes, "class", "classes"));
  text += fmt::format("  {:<16} {:<15} {:<14} {:>6} {:>7} {:>9}  {:<11} {:<12} {:<20} {}\n",
                      "layer", "kind", "output", "bits", "fan-in", "MACs", "weight bits", "weights",
                      "scale", "bias");
  for (const LayerFigures& f : figures) {
    const Layer& layer = *f.layer;
    const bool weighted = is_weighted(layer.kind);
    const bool multiplies = weighted || is_product(layer.kind);
    const auto or_dash = [](bool given, std::uint64_t value) {
      return given ? fmt::format("{}", value) : std::string("-");
    };
    text += fmt::format("  {:<16} {:<15} {:<14} {:>6} {:>7} {:>9}  {:<11} {:<12} {:<20} {}\n",
                        core::one_line(layer.name), name_of(layer.kind), shape_text(f.output),
                        bits_text(network, layer), or_dash(multiplies, f.fan_in),
                        or_dash(multiplies, f.macs), or_dash(weighted, layer.weight_bits),
                        range_text(layer.weight), range_text(layer.scale), range_text(layer.bias));
  }
  for (const Layer& layer : network.layers) {
    const std::string special = special_text(layer);
    if (!special.empty()) {
      text += fmt::format("  {:<16} {}\n", core::one_line(layer.name), special);
    }
  }
  return text;
}

core::Json network_as_json(const Network& network) {
  const std::vector<LayerFigures> figures = figures_of(network);
  const Totals totals = totals_of(figures);
  core::Json layers = core::Json::array();
  for (const LayerFigures& f : figures) {
    const Layer& layer = *f.layer;
    core::Json object{{"name", layer.name},
                      {"kind", name_of(layer.kind)},
                      {"inputs", layer.inputs},
                      {"output", f.output},
                      {"output_bits", layer.output_bits},
                      {"weight_bits", layer.weight_bits},
                      {"fan_in", f.fan_in},
                      {"weights", f.weights},
                      {"macs", f.macs}};
    for (const auto& [name, numbers] : special_numbers(layer)) {
      object[name] = numbers.size() == 1 ? core::Json(numbers[0]) : core::Json(numbers);
    }
    if (layer.input_values == InputValues::signs) object["input_values"] = "signs";
    if (has_map_range(layer)) object["range"] = "map";
    add_range(object, "padding_level_range", layer.padding_level);
    add_range(object, "weight_range", layer.weight);
    add_range(object, "scale_range", layer.scale);
    add_range(object, "bias_range", layer.bias);
    layers.push_back(object);
  }
  return {{"input_shape", network.input_shape},
          {"input_bits", network.input_bits},
          {"classes", network.classes},
          {"weights", totals.weights},
          {"macs", totals.macs},
          {"layers", layers}};
}

}  // namespace cimstat::experiments
