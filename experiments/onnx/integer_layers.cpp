#include "experiments/onnx/integer_layers.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace cimstat::experiments {

double top_of(std::uint32_t bits) { return static_cast<double>((1U << bits) - 1); }

ScaledMap image_map(const PlainGraph& graph, const ImageScale& scale, std::uint32_t bits) {
  ScaledMap map{.layer = "input", .bits = bits, .scale = {}, .zero = {}};
  const double top = top_of(bits);
  for (std::size_t channel = 0; channel < graph.input_shape[0]; ++channel) {
    double factor = 1.0 / (top * scale.deviation[channel]);
    double zero = scale.mean[channel] * top;
    if (!graph.normalisation.factor.empty()) {
      factor *= graph.normalisation.factor[channel];
      zero -= graph.normalisation.shift[channel] / factor;
    }
    map.scale.push_back(factor);
    map.zero.push_back(zero);
  }
  return map;
}

InputChannels::InputChannels(const PlainLayer& layer, std::size_t channels)
    : channels_(channels), of_channel_(1), outputs_of_group_(0) {
  const auto& shape = layer.weight_shape;
  // Inputs of one channel: a window, or all its pixels behind a flatten.
  const bool is_convolution = layer.kind == LayerKind::convolution;
  of_channel_ = is_convolution ? std::size_t{shape[2]} * shape[3] : shape[1] / channels;
  if (!is_convolution) return;
  outputs_of_group_ = shape[0] / layer.groups;
  inputs_of_group_ = shape[1];
}

std::size_t InputChannels::operator()(std::size_t output, std::size_t i) const {
  if (channels_ == 1) return 0;
  const std::size_t group = outputs_of_group_ == 0 ? 0 : output / outputs_of_group_;
  return group * inputs_of_group_ + i / of_channel_;
}

std::string LayerNames::unique(std::string name) {
  const std::string wanted = name;
  for (int number = 2; !names_.insert(name).second; ++number) {
    name = fmt::format("{}_{}", wanted, number);
  }
  return name;
}

Layer started_layer(const PlainLayer& plain, std::string name) {
  Layer layer;
  layer.name = std::move(name);
  layer.kind = plain.kind;
  layer.kernel = plain.kernel;
  layer.stride = plain.stride;
  layer.dilation = plain.dilation;
  layer.padding = plain.padding;
  return layer;
}

Layer scale_layer(Layer layer, const PlainLayer& plain, const ScaledMap& input) {
  layer.inputs = {input.layer};
  for (std::size_t channel = 0; channel < plain.bias.size(); ++channel) {
    layer.scale.push_back(plain.factor[channel] * input.scale[0]);
    layer.bias.push_back(plain.bias[channel] - layer.scale.back() * input.zero[0]);
  }
  return layer;
}

Layer joining_layer(Layer layer, const std::vector<ScaledMap>& inputs) {
  for (const ScaledMap& map : inputs) {
    layer.inputs.push_back(map.layer);
    layer.scale.push_back(map.scale[0]);
    layer.bias.push_back(-map.scale[0] * map.zero[0]);
  }
  return layer;
}

std::vector<std::uint8_t> edge_levels(const PlainLayer& layer, const ScaledMap& input) {
  const bool moved =
      std::any_of(input.zero.begin(), input.zero.end(), [](double zero) { return zero != 0.0; });
  if (!moved || layer.kind != LayerKind::convolution || layer.padding == Padding(0)) return {};
  std::vector<std::uint8_t> levels(std::size_t{layer.weight_shape[1]} * layer.groups);
  for (std::size_t channel = 0; channel < levels.size(); ++channel) {
    const double zero = input.zero[input.zero.size() == 1 ? 0 : channel];
    // In this order, 0 where it is no number.
    levels[channel] = static_cast<std::uint8_t>(
        std::min(std::max(0.0, std::floor(zero + 0.5)), top_of(input.bits)));
  }
  return levels;
}

}  // namespace cimstat::experiments
