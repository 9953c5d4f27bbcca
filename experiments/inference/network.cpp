#include "experiments/inference/network.h"

namespace cimstat::experiments {

std::string_view name_of(LayerKind kind) {
  switch (kind) {
    case LayerKind::convolution:
      return "convolution";
    case LayerKind::fully_connected:
      return "fully_connected";
    case LayerKind::relu:
      return "relu";
    case LayerKind::max_pool:
      return "max_pool";
    case LayerKind::average_pool:
      return "average_pool";
    case LayerKind::add:
      return "add";
    case LayerKind::flatten:
      return "flatten";
    case LayerKind::quantise:
      return "quantise";
  }
  return "unknown";
}

bool is_weighted(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::fully_connected;
}

bool has_window(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::max_pool ||
         kind == LayerKind::average_pool;
}

bool requantises(LayerKind kind) {
  return is_weighted(kind) || kind == LayerKind::average_pool || kind == LayerKind::add ||
         kind == LayerKind::quantise;
}

Extents window_reach(const Layer& layer) {
  return {(layer.kernel.rows - 1) * layer.dilation.rows + 1,
          (layer.kernel.columns - 1) * layer.dilation.columns + 1};
}

Extents window_places(const Layer& layer, Extents map) {
  const Extents reach = window_reach(layer);
  const Padding& padding = layer.padding;
  return {(map.rows + padding.top + padding.bottom - reach.rows) / layer.stride.rows + 1,
          (map.columns + padding.left + padding.right - reach.columns) / layer.stride.columns + 1};
}

}  // namespace cimstat::experiments
