#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "experiments/inference/network.h"
#include "experiments/onnx/calibration.h"
#include "experiments/onnx/plain_graph.h"
#include "experiments/onnx/weight_levels.h"

/// From a network in real numbers to one of integers.
///
/// Weights: symmetric, w = s q with |q| < 2^(bits - 1), by one of weight_levels' rules. Activations
/// behind a ReLU: x = s q, q = 0 .. 2^bits - 1, s from the calibrated range. Others stay real where
/// sums or pools take them, and become x = s (q - z), z a level, where weights do, and where
/// products of two maps drive rows; what these write into arrays has the weights' bits, 2 at least,
/// and x = s (q - 2^(bits - 1)). Of 1 bit they are signs, x = s (2 q - 1), where weights take them,
/// s their mean magnitude; as are what a Sign gives and images whose mean lies between their two
/// levels. A 0 is +1. With RangeRule::image all maps are real, and weighted layers take levels that
/// span the map from 0 to its largest value in each image. The image: pixel p stands for (p / 255 -
/// mean) / deviation; scale and mean of each channel go into the first layer's weights and biases,
/// and windows over the edge see the level next to the mean.
namespace cimstat::experiments {

/// Which level of activations with a sign stands for 0.
enum class ZeroLevel {
  of_range,  ///< the one next to it in the calibrated range, all of whose levels are of use
  middle,    ///< 2^(bits - 1), by the larger side of the range: of use are 2^bits - 1 levels (ASiM)
};

struct QuantiseOptions {
  WeightQuantiser weights;
  /// Of the first and the last weighted layer, by least squared error; nothing: as the others.
  std::optional<std::uint32_t> outer_weight_bits;
  std::uint32_t activation_bits = 4;
  ZeroLevel zero_level = ZeroLevel::of_range;
  std::uint32_t input_bits = 8;
  CalibrationOptions calibration;
  ImageScale image;
};

/// The tensors whose histograms quantised() needs, but with RangeRule::image.
std::vector<std::string> calibrated_tensors(const PlainGraph& graph);

/// `file` is the model's, for messages. The network has passed check(). Throws DataError for what
/// integers can't express: a pool over the image, a maximum over padded values with a sign; and,
/// with RangeRule::image, for weights that take values with a sign, products of two maps, and a
/// maximum over padded values.
Network quantised(const PlainGraph& graph, const std::map<std::string, ValueHistogram>& histograms,
                  const QuantiseOptions& options, const std::string& file);

}  // namespace cimstat::experiments
