#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/network.h"

/// Plain integer layers: exact weighted sums, and the digital logic behind every layer. The
/// network that they belong to has passed check() (network.h).
namespace cimstat::experiments {

/// A map's values, levels or reals.
using MapValues = std::variant<std::span<const std::uint8_t>, std::span<const double>>;
/// Where those of a layer go. With output_bits > 0, or without scales of its own, levels.
using MapResult = std::variant<std::span<std::uint8_t>, std::span<double>>;

/// What group `group` of a weighted layer's output channels computes: a layer without groups on its
/// own input channels, which follow each other in a map as its outputs do. Without scales.
Layer group_of(const Layer& layer, std::uint32_t group);

/// How a weighted layer without groups gathers its inputs.
PatchGeometry patch_geometry(const Layer& layer, MapShape input,
                             PatchOrder order = PatchOrder::channels_outside);

/// acc = sum w x of a convolution without groups or fully connected layer, in integers: a matrix
/// product in floating point, in which no sum leaves the range of exact integers, so that neither
/// its order nor the blocking of the product can change a bit.
class IntegerLayer {
 public:
  struct Workspace {
    std::vector<std::uint8_t> padded;
    std::vector<std::uint8_t> patch;
    std::vector<float> narrow;
    std::vector<double> wide;
  };
  IntegerLayer(const Layer& layer, MapShape input);
  /// The sums as doubles (exact), [output][pixel].
  void sums(std::span<const std::uint8_t> map, Workspace& workspace,
            std::span<double> result) const;

 private:
  PatchGeometry geometry_;
  std::uint32_t outputs_;
  // [output][input]; in single precision where all sums fit 24 bits, else in double.
  std::vector<float> narrow_;
  std::vector<double> wide_;
};

/// value = sum * scale[channel] + bias[channel] (network.h), in place. sums: [channel][pixel].
void scale_sums(const Layer& layer, std::span<double> sums);
/// clamp(floor(value + 0.5), 0, 2^output_bits - 1).
void requantise(std::span<const double> values, std::uint32_t output_bits,
                std::span<std::uint8_t> map);

// The values of `result` are in the order of the map. For kinds that deliver what they take both
// are levels or both reals.
void relu(MapValues map, MapResult result);
void max_pool(const Layer& layer, MapShape shape, MapValues map, MapResult result);
void average_pool(const Layer& layer, MapShape shape, MapValues map, MapResult result);
void add(const Layer& layer, MapValues a, MapValues b, MapResult result);
void quantise(const Layer& layer, MapValues map, MapResult result);
void copy(MapValues map, MapResult result);

}  // namespace cimstat::experiments
