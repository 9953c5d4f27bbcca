#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuits/weights/weighted_count.h"

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/map_kernel.h"
#include "experiments/inference/network.h"

/// The digital logic behind every layer, the same bits for every instruction set. The network that
/// the layers belong to has passed check() (network.h).
namespace cimstat::experiments {

/// What group `group` of a weighted layer's output channels computes: a layer without groups on its
/// own input channels, which follow each other in a map as its outputs do. Without scales.
Layer group_of(const Layer& layer, std::uint32_t group);

/// How a weighted layer without groups gathers its inputs.
PatchGeometry patch_geometry(const Layer& layer, MapShape input,
                             PatchOrder order = PatchOrder::channels_outside,
                             InputRows rows = InputRows::one);

/// Scales and biases in place of a weighted layer's own: [channel] each.
struct LayerScales {
  std::vector<double> scale;
  std::vector<double> bias;
};
/// [node]; empty where a layer keeps its own, and empty where all do.
using NetworkScales = std::vector<LayerScales>;

/// value = sum * scale[channel] + bias[channel] (network.h), as levels with output_bits > 0; with
/// even ties the even one of two equally near levels, as below. sums: [channel][pixel].
void deliver_sums(const Layer& layer, std::span<const double> sums, circuits::Ties ties,
                  MapResult result);
/// The same with other scales.
void deliver_sums(const LayerScales& scales, std::uint32_t output_bits,
                  std::span<const double> sums, circuits::Ties ties, MapResult result);

// The values of `result` are in the order of the map. For kinds that deliver what they take both
// are levels or both reals.
void relu(MapValues map, MapResult result);
void max_pool(const Layer& layer, MapShape shape, MapValues map, MapResult result);
void average_pool(const Layer& layer, MapShape shape, circuits::Ties ties, MapValues map,
                  MapResult result);
void add(const Layer& layer, MapValues a, MapValues b, circuits::Ties ties, MapResult result);
void quantise(const Layer& layer, circuits::Ties ties, MapValues map, MapResult result);
/// The largest value that a map's levels can span, so that steps of many layers stay finite.
inline constexpr double largest_of_a_map = 0x1p126;
/// Levels from 0 to the map's largest value (LevelRange::map). Returns their step.
double quantise_by_map(const Layer& layer, circuits::Ties ties, MapValues map,
                       std::span<std::uint8_t> result);
/// Of input `input` of a concatenate, into its part of the result, which begins at `first`.
void concatenate(const Layer& layer, std::size_t input, std::size_t first, circuits::Ties ties,
                 MapValues map, MapResult result);
void copy(MapValues map, MapResult result);

}  // namespace cimstat::experiments
