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
    case LayerKind::add_constant:
      return "add_constant";
    case LayerKind::prepend_tokens:
      return "prepend_tokens";
    case LayerKind::layer_norm:
      return "layer_norm";
    case LayerKind::gelu:
      return "gelu";
    case LayerKind::softmax:
      return "softmax";
    case LayerKind::attend_keys:
      return "attend_keys";
    case LayerKind::attend_values:
      return "attend_values";
    case LayerKind::scale:
      return "scale";
    case LayerKind::concatenate:
      return "concatenate";
  }
  return "unknown";
}

bool is_weighted(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::fully_connected;
}

bool is_product(LayerKind kind) {
  return kind == LayerKind::attend_keys || kind == LayerKind::attend_values;
}

bool has_window(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::max_pool ||
         kind == LayerKind::average_pool;
}

bool requantises(LayerKind kind) {
  switch (kind) {
    case LayerKind::relu:
    case LayerKind::max_pool:
    case LayerKind::flatten:
    case LayerKind::gelu:
    case LayerKind::softmax:
      return false;
    default:
      return true;
  }
}

bool has_map_range(const Layer& layer) { return layer.range == LevelRange::map; }

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
