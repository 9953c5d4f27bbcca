#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "experiments/inference/network.h"
#include "experiments/onnx/calibration.h"
#include "experiments/onnx/plain_graph.h"

/// What both ways to integers share: scales found by calibration, and scales that a model holds.
namespace cimstat::experiments {

/// What a layer of a network of integers gives: real = scale (value - zero), channel by channel for
/// the image, else one of each.
struct ScaledMap {
  std::string layer;
  std::uint32_t bits = 0;          ///< 0: real values, scale 1
  std::vector<double> scale{1.0};  ///< [1], or [channel]
  std::vector<double> zero{0.0};

  bool is_level() const { return bits > 0; }
  /// Whether two levels stand for +-scale / 2: a real 0 lies half way between them.
  bool are_signs() const {
    return bits == 1 && std::all_of(zero.begin(), zero.end(), [](double z) { return z == 0.5; });
  }
};

/// The highest level of so many bits.
double top_of(std::uint32_t bits);

/// Levels of pixels: real = (level / top - mean) / deviation, then the model's own normalisation.
ScaledMap image_map(const PlainGraph& graph, const ImageScale& scale, std::uint32_t bits);

/// Which channel of a layer's input its weight `i` of output `output` meets.
class InputChannels {
 public:
  /// `channels` of the input's scales: 1 where all have one.
  InputChannels(const PlainLayer& layer, std::size_t channels);
  std::size_t operator()(std::size_t output, std::size_t i) const;

 private:
  std::size_t channels_;
  std::size_t of_channel_;        ///< weights that meet one channel
  std::size_t outputs_of_group_;  ///< 0 where there are no groups
  std::size_t inputs_of_group_ = 0;
};

/// Names that layers have not had yet.
class LayerNames {
 public:
  std::string unique(std::string name);

 private:
  std::set<std::string> names_;
};

/// A layer with the window of the plain one.
Layer started_layer(const PlainLayer& plain, std::string name);

/// `layer` as a scale of the plain one's channels, and as what joins maps; both give real values so
/// far.
Layer scale_layer(Layer layer, const PlainLayer& plain, const ScaledMap& input);
Layer joining_layer(Layer layer, const std::vector<ScaledMap>& inputs);

/// What a convolution's windows over the edge see of each input channel: the level next to a real
/// 0. Empty where that is level 0, or where there is no padding.
std::vector<std::uint8_t> edge_levels(const PlainLayer& layer, const ScaledMap& input);

}  // namespace cimstat::experiments
