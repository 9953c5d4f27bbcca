#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "experiments/inference/network.h"
#include "experiments/onnx/onnx_model.h"

/// A convolutional network as a graph of cimstat's layers, still in real numbers.
namespace cimstat::experiments {

/// Multiplied by `factor` and moved by `shift`, channel by channel.
struct ChannelAffine {
  std::vector<double> factor;
  std::vector<double> shift;
};

/// A layer of inference/network.h before it is quantised. `input` 0 is the image, `input` i layer
/// i - 1. Convolutions and fully connected layers hold what followed them channel by channel
/// (BatchNormalization, biases, factors).
struct PlainLayer {
  std::string name;  ///< of the first node of the model that it stands for
  LayerKind kind = LayerKind::flatten;
  std::vector<std::size_t> inputs;
  std::string tensor;  ///< of the model: what this layer gives
  Extents kernel;
  Extents stride;
  Extents dilation;
  Padding padding;
  std::uint32_t groups = 1;
  std::array<std::uint32_t, 4> weight_shape{};  ///< as Layer's
  std::vector<double> weight;
  std::vector<double> bias;  ///< [output]
  /// relu: what it is cut off at; infinite for a plain one.
  double highest = std::numeric_limits<double>::infinity();
};

struct PlainGraph {
  std::array<std::uint32_t, 3> input_shape{};  ///< channels, rows, columns
  std::uint32_t classes = 0;
  /// What the model does to the image before its first layer: x factor + shift, channel by channel;
  /// empty for nothing.
  ChannelAffine normalisation;
  std::vector<PlainLayer> layers;  ///< the last one is weighted and gives the scores
};

/// Throws DataError "file: node 'x' (Kind): problem (why); remedy" for operators, or uses of them,
/// that cimstat's layers can't express.
PlainGraph plain_graph(const OnnxModel& model);

}  // namespace cimstat::experiments
