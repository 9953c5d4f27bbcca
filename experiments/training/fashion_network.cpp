#include "experiments/training/fashion_network.h"

#include <utility>

namespace cimstat::experiments {
namespace {

constexpr std::uint32_t kBits = 4;
constexpr std::uint32_t kClasses = 10;

struct Channels {
  std::uint32_t input = 1;
  std::uint32_t output = 1;
};

/// Adds a layer behind the last one, or behind the input.
Layer& append(Network& network, std::string name, LayerKind kind) {
  Layer layer;
  layer.name = std::move(name);
  layer.kind = kind;
  layer.inputs = {network.layers.empty() ? "input" : network.layers.back().name};
  return network.layers.emplace_back(std::move(layer));
}

void append_convolution(Network& network, std::string name, Channels channels) {
  Layer& layer = append(network, std::move(name), LayerKind::convolution);
  layer.kernel = 3;
  layer.padding = 1;
  layer.weight_bits = kBits;
  layer.weight_shape = {channels.output, channels.input, layer.kernel.rows, layer.kernel.columns};
  layer.output_bits = kBits;
}

void append_max_pool(Network& network, std::string name, std::uint32_t kernel) {
  Layer& layer = append(network, std::move(name), LayerKind::max_pool);
  layer.kernel = kernel;
  layer.stride = 2;
}

Layer& append_fully_connected(Network& network, std::string name, Channels channels) {
  Layer& layer = append(network, std::move(name), LayerKind::fully_connected);
  layer.weight_bits = kBits;
  layer.weight_shape = {channels.output, channels.input, 1, 1};
  return layer;
}

}  // namespace

Network fashion_graph() {
  Network network;
  network.name = "fashion_cnn";
  network.input_shape = {1, 28, 28};
  network.input_bits = kBits;
  network.classes = kClasses;
  append_convolution(network, "convolution_1", {.input = 1, .output = 8});
  append_max_pool(network, "pool_1", 2);  // 14 x 14
  append_convolution(network, "convolution_2", {.input = 8, .output = 28});
  append_max_pool(network, "pool_2", 2);  // 7 x 7
  append_convolution(network, "convolution_3", {.input = 28, .output = 56});
  append_max_pool(network, "pool_3", 3);  // 3 x 3
  append(network, "flatten", LayerKind::flatten);
  append_fully_connected(network, "hidden", {.input = 56 * 9, .output = 128}).output_bits = kBits;
  append_fully_connected(network, "classes", {.input = 128, .output = kClasses});
  return network;
}

}  // namespace cimstat::experiments
