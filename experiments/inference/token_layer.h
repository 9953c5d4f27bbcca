#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "experiments/inference/digital_layer.h"
#include "experiments/inference/network.h"

/// What transformers have besides weights (network.h defines it): each pixel of a map is a token,
/// its channels the token's numbers. The network has passed check().
namespace cimstat::experiments {

// `shape` is the input's. Sums run over channels in their order.
void add_constant(const Layer& layer, MapValues map, MapResult result,
                  circuits::Ties ties = circuits::Ties::up);
void prepend_tokens(const Layer& layer, MapShape shape, MapValues map, MapResult result,
                    circuits::Ties ties = circuits::Ties::up);
void layer_norm(const Layer& layer, MapShape shape, MapValues map, MapResult result,
                circuits::Ties ties = circuits::Ties::up);
void gelu(MapValues map, MapResult result);
void softmax(const Layer& layer, MapShape shape, MapValues map, MapResult result);

/// What one head of an attend layer computes: a 1 x 1 convolution, of weights 0 so far. `second` is
/// what will be written, of `weight_bits` bits.
Layer convolution_of_head(const Layer& layer, MapShape first, MapShape second,
                          std::uint32_t weight_bits);

/// The weights that a head's part of the second input makes, [output][input]: w = max(level, 1) -
/// 2^(bits - 1), in -(2^(bits - 1) - 1) .. 2^(bits - 1) - 1, as differential columns hold.
void weights_of_head(const Layer& layer, std::uint32_t head, MapShape second, std::uint32_t bits,
                     std::span<const std::uint8_t> map, std::vector<std::int8_t>& weights);

/// sums[output][pixel] less zero_level times the sum of the output's weights.
void take_zero_off(std::uint32_t zero_level, std::span<const std::int8_t> weights,
                   std::uint32_t outputs, std::span<double> sums);

}  // namespace cimstat::experiments
