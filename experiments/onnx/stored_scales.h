#pragma once

#include <string>

#include "experiments/inference/network.h"
#include "experiments/onnx/calibration.h"
#include "experiments/onnx/plain_graph.h"

namespace cimstat::experiments {

/// The network of a model that holds levels of its own (QuantizeLinear, DequantizeLinear), at the
/// model's own scales: its weights as they are stored, maps quantised where it quantises them.
///
/// A quantiser with only a layer, a ReLU, a maximum or a flatten between them before it ends that
/// layer. Its levels are numbered from the lowest on; where a Clip leaves a number of them that is
/// no power of two, the highest is the highest of its bits, and a layer `quantise` cuts the lowest
/// off. The image: levels that a quantiser makes of the 256 pixel levels must be theirs, or follow
/// from them in the same way in each channel. Equal values, up to rounding in double, but that ties
/// between levels go up here and to the even level in ONNX.
///
/// The network has passed check(). Throws DataError "file: layer 'x': problem (why); remedy" for
/// what the network's layers can't express.
Network with_stored_scales(const PlainGraph& graph, const ImageScale& scale,
                           const std::string& file);

}  // namespace cimstat::experiments
