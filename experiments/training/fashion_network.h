#pragma once

#include "experiments/inference/network.h"

namespace cimstat::experiments {

/// The graph of the embedded network for Fashion-MNIST, without weights: three 3 x 3 convolutions,
/// each followed by a max pool, and two fully connected layers; 4-bit weights and activations.
///
/// Sized for columns of 128 rows: bit-serially, output pixels x output channels x
/// ceil(fan-in / 128) x 16 bit-plane pairs make about 285,000 partial sums an image. The first
/// layer is narrow, because it is read at 784 pixels; 28 channels fill two columns of 128 rows to
/// 252; fully connected layers cost next to nothing.
Network fashion_graph();

}  // namespace cimstat::experiments
