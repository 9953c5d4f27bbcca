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

/// Levels of a QuantizeLinear, as far as a Clip leaves them: real = step (level - zero).
struct LevelRule {
  double step = 1.0;
  std::int64_t zero = 0;
  std::int64_t lowest = 0;
  std::int64_t highest = 255;
  auto operator<=>(const LevelRule&) const = default;
};

/// A layer of inference/network.h before it is quantised. `input` 0 is the image, `input` i layer
/// i - 1. Convolutions, fully connected layers and layer_norm hold what followed them channel by
/// channel (BatchNormalization, biases, factors); behind others that is a layer `scale`.
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
  /// [output], what multiplies the weights; empty for 1. [channel] of scale, [1] of the attend
  /// layers.
  std::vector<double> factor;
  /// Where the model holds its weights as levels, instead of `weight`: weight = step * level.
  std::vector<std::int8_t> level;
  std::vector<double> step;  ///< [output]
  std::vector<double> bias;  ///< [output]; as Layer's, the constants of add_constant and others
  double epsilon = 0.0;      ///< of layer_norm
  /// relu: where it is cut off; 0 and infinity for a plain one.
  double lowest = 0.0;
  double highest = std::numeric_limits<double>::infinity();
  LevelRule levels;      ///< of kind quantise in a quantised model, which then is an affine of each
                         ///< channel on the image:
  ChannelAffine affine;  ///< empty for nothing
};

struct PlainGraph {
  std::array<std::uint32_t, 3> input_shape{};  ///< channels, rows, columns
  std::uint32_t classes = 0;
  /// What the model does to the image before its first layer: x factor + shift, channel by channel;
  /// empty for nothing.
  ChannelAffine normalisation;
  /// Whether the model has levels of its own; then its weighted layers have, too, and only then
  /// layers of the kind quantise stand for QuantizeLinear and DequantizeLinear together; in others
  /// for Sign.
  bool is_quantised = false;
  /// The last one is weighted, or a quantise, and gives the scores.
  std::vector<PlainLayer> layers;
};

/// Throws DataError "file: node 'x' (Kind): problem (why); remedy" for operators, or uses of them,
/// that cimstat's layers can't express.
PlainGraph plain_graph(const OnnxModel& model);

}  // namespace cimstat::experiments
