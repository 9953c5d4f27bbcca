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
  }
  return "unknown";
}

bool is_weighted(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::fully_connected;
}

bool requantises(LayerKind kind) {
  return is_weighted(kind) || kind == LayerKind::average_pool || kind == LayerKind::add;
}

}  // namespace cimstat::experiments
