#pragma once

#include <cstdint>
#include <string>

#include "experiments/inference/network.h"
#include "tests/experiments/residual_block.h"

/// Levels that span each image's own map, in a network made by hand.
namespace cimstat::experiments::fixtures {

inline Layer spanning(const std::string& name, const std::string& input, std::uint32_t bits) {
  Layer layer = layer_of(LayerKind::quantise, name, {input});
  layer.range = LevelRange::map;
  layer.output_bits = bits;
  return layer;
}

/// Two convolutions, levels of their own before the second.
inline Network spanned_block() {
  Network network;
  network.name = "spanned";
  network.description = "made by hand";
  network.input_shape = {1, 4, 4};
  network.classes = 2;
  Layer relu = layer_of(LayerKind::relu, "relu", {"first"});
  network.layers = {convolution("first", "input", {2, 1, 1, 1}), relu,
                    spanning("levels", "relu", 4), convolution("logits", "levels", {2, 2, 4, 4})};
  return network;
}

}  // namespace cimstat::experiments::fixtures
