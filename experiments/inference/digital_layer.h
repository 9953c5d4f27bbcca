#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "experiments/inference/bit_planes.h"
#include "experiments/inference/network.h"

/// Plain integer layers: exact weighted sums, and the digital logic behind every layer. The
/// network that they belong to has passed check() (network.h).
namespace cimstat::experiments {

/// How a weighted layer gathers its inputs.
PatchGeometry patch_geometry(const Layer& layer, MapShape input);

/// acc = sum w x of a convolution or fully connected layer, in integers: a matrix product in
/// floating point, in which no sum leaves the range of exact integers, so that neither its order
/// nor the blocking of the product can change a bit.
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

void max_pool(const Layer& layer, MapShape shape, std::span<const std::uint8_t> map,
              std::span<std::uint8_t> result);
void average_pool(const Layer& layer, MapShape shape, std::span<const std::uint8_t> map,
                  std::span<std::uint8_t> result);
void add(const Layer& layer, std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
         std::span<std::uint8_t> result);

}  // namespace cimstat::experiments
