#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "experiments/onnx/integer_layers.h"
#include "experiments/onnx/plain_graph.h"

/// What quantisers that models hold make of the 256 levels of a pixel.
namespace cimstat::experiments {

inline constexpr std::uint32_t pixel_bits = 8;

/// The level next to a real number, ties upwards, before it is cut to the rule's.
double level_next_to(double real, const LevelRule& rule);

/// The rule's levels of the image, where these are, but for the level that they begin at, those
/// that a network of `bits` input bits makes of pixels itself; nothing where they aren't. `image`
/// has pixel_bits, and scale and zero of each channel.
std::optional<ScaledMap> pixel_levels(const LevelRule& rule, const ScaledMap& image,
                                      std::uint32_t bits);

}  // namespace cimstat::experiments
