#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/torch.h>

#include "experiments/inference/network.h"

/// Training that sees the integers: a network graph whose weights and activations are quantised in
/// every forward pass exactly as inference will see them.
///
/// Weights: q = clamp(round(w / s), -7, 7) for 4 bits (symmetric, so that differential columns can
/// hold them too), with one step s = 0.42 mean|w| for each output channel, close to the step of
/// least squared error for a normal law (0.335 sd, J. Max, IRE Trans. Inf. Theory 6 (1960) 7).
/// Activations: y = clamp(floor(5 n + 0.5), 0, 15) for 4 bits, with n the batch-normalised sum: the
/// learned gain of the normalisation plays the part of a learned clipping level (PACT, Choi et al.,
/// arXiv:1805.06085). Both pass gradients straight through within the clipping range and stop them
/// outside (DoReFa, Zhou et al., arXiv:1606.06160).
///
/// All sums are of integers held in float32 below 2^24, hence exact; only the normalisation rounds.
namespace cimstat::experiments {

class TrainableNetwork {
 public:
  /// `graph` gives layers and shapes; the last layer has output_bits 0, other weighted layers more.
  /// Weights are drawn from torch's generator (He et al., arXiv:1502.01852). Throws DataError for a
  /// layer kind that can't be trained.
  explicit TrainableNetwork(Network graph);

  /// Integer pixels [batch, channel, row, column] to logits [batch, class]; batch statistics.
  torch::Tensor forward_training(const torch::Tensor& images);
  /// The same with the running statistics, as integers will see it.
  torch::Tensor forward_inference(const torch::Tensor& images) const;

  std::vector<torch::Tensor> parameters() const;

  /// The integer network, normalisation folded into scale and bias.
  Network integers() const;

 private:
  struct Weights {
    torch::Tensor latent;          ///< float weights [output, input(, kernel, kernel)]
    torch::Tensor gain, shift;     ///< of the normalisation [output]
    torch::Tensor mean, variance;  ///< its running statistics [output]
  };

  enum class Statistics { of_the_batch, running };

  torch::Tensor forward(const torch::Tensor& images, Statistics statistics) const;
  torch::Tensor weighted(const Layer& layer, const Weights& weights, const torch::Tensor& input,
                         Statistics statistics) const;

  Network graph_;
  std::vector<Weights> weights_;  ///< one a layer; undefined tensors where the layer has none
};

}  // namespace cimstat::experiments
