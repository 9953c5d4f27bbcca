#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "experiments/inference/aligned_vector.h"
#include "experiments/inference/bit_planes.h"
#include "experiments/inference/network.h"

namespace cimstat::experiments {

/// The sum of each output's weights that meet inputs inside the map, [output][pixel].
std::vector<double> sums_of_weights(const Layer& layer, MapShape input);

/// Makes sums over signs of sums over levels of 1 bit, which are 2 x - 1: 2 sum - sum of weights.
void take_signs(std::span<const double> sums_of_weights, std::span<double> sums);

/// acc = sum w x of a convolution without groups or fully connected layer, in integers: products
/// and sums in floating point, in which no sum leaves the range of exact integers, so that neither
/// their order nor the instruction set can change a bit. The network that the layer belongs to has
/// passed check() (network.h).
class IntegerLayer {
 public:
  struct Workspace {
    std::vector<std::uint8_t> padded;
    std::vector<std::uint8_t> patch;
    AlignedVector<float> narrow;
    AlignedVector<float> narrow_sums;
    AlignedVector<double> wide;
    AlignedVector<double> wide_sums;
  };
  IntegerLayer(const Layer& layer, MapShape input);
  /// Other weights, as many, in place of the layer's, whose inputs are no signs.
  void write(std::span<const std::int8_t> weights);
  std::size_t size() const { return std::size_t{outputs_} * geometry_.pixels(); }
  /// The sums as doubles (exact), [output][pixel].
  void sums(std::span<const std::uint8_t> map, Workspace& workspace,
            std::span<double> result) const;

 private:
  template <class Scalar>
  void multiply(const AlignedVector<Scalar>& weights, Workspace& workspace,
                AlignedVector<Scalar>& inputs, AlignedVector<Scalar>& sums,
                std::span<double> result) const;

  PatchGeometry geometry_;
  std::uint32_t outputs_;
  /// Where each input of the output pixel at position 0 lies. A position is a place in the padded
  /// map where windows move by one, so that rows of outputs have gaps between them; else a pixel.
  std::vector<std::size_t> offsets_;
  std::size_t positions_ = 0;
  std::size_t row_positions_ = 0;  ///< from one row of pixels to the next
  bool by_patches_ = false;
  // [four outputs][input][4], or [output][input] of a single pixel; in single precision where all
  // sums fit 24 bits, else in double.
  AlignedVector<float> narrow_;
  AlignedVector<double> wide_;
  std::vector<double> sums_of_weights_;  ///< of signs; else empty
};

}  // namespace cimstat::experiments
