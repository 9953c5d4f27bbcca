#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

#include "experiments/inference/network.h"

/// A network with all that version 1.2 of the network file added.
namespace cimstat::experiments::fixtures {

inline std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::DataError& error) {
    return error.what();
  }
  return "no DataError";
}

inline Layer layer_of(LayerKind kind, std::string name, std::vector<std::string> inputs) {
  Layer layer;
  layer.kind = kind;
  layer.name = std::move(name);
  layer.inputs = std::move(inputs);
  return layer;
}

inline Layer convolution(std::string name, std::string input, std::array<std::uint32_t, 4> shape) {
  Layer layer = layer_of(LayerKind::convolution, std::move(name), {std::move(input)});
  layer.weight_bits = 4;
  layer.weight_shape = shape;
  layer.weight.resize(std::size_t{shape[0]} * shape[1] * shape[2] * shape[3]);
  for (std::size_t i = 0; i < layer.weight.size(); ++i) {
    layer.weight[i] = static_cast<std::int8_t>(static_cast<int>(i * 7 % 16) - 8);
  }
  layer.scale.assign(shape[0], 0.05);
  layer.bias.assign(shape[0], -0.5);
  layer.kernel = {shape[2], shape[3]};
  return layer;
}

/// A residual block: a normalised image, a branch with a sign, groups, other windows.
inline Network residual_block() {
  Network network;
  network.name = "block";
  network.description = "made by hand";
  network.input_shape = {2, 6, 8};
  network.classes = 5;
  Layer first = convolution("first", "input", {4, 2, 3, 5});
  first.padding = {1, 2, 1, 2};
  first.padding_level = {6, 9};
  first.output_bits = 4;
  Layer branch = convolution("branch", "first", {4, 1, 3, 3});
  branch.groups = 4;
  branch.dilation = 2;
  branch.padding = 2;
  Layer sum = layer_of(LayerKind::add, "sum", {"branch", "first"});
  sum.scale = {1.0, 0.5};
  sum.bias = {0.0};
  Layer levels = layer_of(LayerKind::quantise, "levels", {"sum"});
  levels.scale = {2.0};
  levels.bias = {3.0};
  levels.output_bits = 3;
  Layer mean = layer_of(LayerKind::average_pool, "mean", {"levels"});
  mean.kernel = {6, 8};
  mean.stride = {2, 1};
  mean.scale = {1.0 / 48.0};
  mean.bias = {0.0};
  mean.output_bits = 4;
  Layer logits = convolution("logits", "mean", {5, 4, 1, 1});
  network.layers = {first,  branch, sum,   layer_of(LayerKind::relu, "relu", {"sum"}),
                    levels, mean,   logits};
  return network;
}

inline Layer& at(Network& network, const std::string& name) {
  for (Layer& layer : network.layers) {
    if (layer.name == name) return layer;
  }
  throw std::logic_error(name);
}

}  // namespace cimstat::experiments::fixtures
