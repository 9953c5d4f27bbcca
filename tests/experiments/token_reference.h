#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "experiments/inference/network.h"
#include "tests/experiments/network_reference.h"

/// Layers of transformers by their formulas, in plain loops that share no code with what they test.
namespace cimstat::experiments::reference {

/// The weight that an attend layer writes for a level of its second input.
inline std::int64_t written(double level, unsigned bits) {
  const auto least = static_cast<std::int64_t>(level < 1.0 ? 1.0 : level);
  return least - (std::int64_t{1} << (bits - 1));
}

/// Channel and pixel of a map whose pixels stand one after the other.
inline double pixel_of(const Map& map, long channel, long pixel) {
  return map.at(channel, pixel / map.columns, pixel % map.columns);
}

inline Map attend(const Layer& layer, const Map& first, const Map& second) {
  const long heads = layer.groups;
  const long tokens = second.rows * second.columns;
  const bool keys = layer.kind == LayerKind::attend_keys;
  const long inputs = keys ? first.channels / heads : tokens;
  const long outputs = keys ? tokens : second.channels / heads;
  Map result{.channels = heads * outputs,
             .rows = first.rows,
             .columns = first.columns,
             .bits = layer.output_bits};
  for (long head = 0; head < heads; ++head) {
    for (long output = 0; output < outputs; ++output) {
      for (long pixel = 0; pixel < first.rows * first.columns; ++pixel) {
        std::int64_t sum = 0;
        for (long i = 0; i < inputs; ++i) {
          const double level = keys ? pixel_of(second, head * inputs + i, output)
                                    : pixel_of(second, head * outputs + output, i);
          const auto x = static_cast<std::int64_t>(pixel_of(first, head * inputs + i, pixel));
          sum += (x - static_cast<std::int64_t>(layer.zero_level)) * written(level, second.bits);
        }
        const double scaled = static_cast<double>(sum) * layer.scale.at(0);
        result.values.push_back(delivered(layer, scaled + layer.bias.at(0)));
      }
    }
  }
  return result;
}

inline Map layer_norm(const Layer& layer, const Map& input) {
  Map result = input;
  result.bits = layer.output_bits;
  const long pixels = input.rows * input.columns;
  for (long pixel = 0; pixel < pixels; ++pixel) {
    double sum = 0.0;
    for (long c = 0; c < input.channels; ++c) sum += pixel_of(input, c, pixel);
    const double mean = sum / static_cast<double>(input.channels);
    double squares = 0.0;
    for (long c = 0; c < input.channels; ++c) {
      squares += std::pow(pixel_of(input, c, pixel) - mean, 2.0);
    }
    const double deviation =
        std::sqrt(squares / static_cast<double>(input.channels) + layer.epsilon);
    for (long c = 0; c < input.channels; ++c) {
      const auto channel = static_cast<std::size_t>(c);
      result.values.at(static_cast<std::size_t>(c * pixels + pixel)) = delivered(
          layer, (pixel_of(input, c, pixel) - mean) / deviation * layer.scale.at(channel) +
                     layer.bias.at(channel));
    }
  }
  return result;
}

inline Map softmax(const Layer& layer, const Map& input) {
  Map result = input;
  const long pixels = input.rows * input.columns;
  const long of_group = input.channels / static_cast<long>(layer.groups);
  for (long c = 0; c < input.channels; ++c) {
    for (long pixel = 0; pixel < pixels; ++pixel) {
      double sum = 0.0;
      for (long other = c / of_group * of_group; other < (c / of_group + 1) * of_group; ++other) {
        sum += std::exp(pixel_of(input, other, pixel) - pixel_of(input, c, pixel));
      }
      result.values.at(static_cast<std::size_t>(c * pixels + pixel)) = 1.0 / sum;
    }
  }
  return result;
}

inline Map with_constants(const Layer& layer, const Map& input) {
  Map result = input;
  result.bits = layer.output_bits;
  for (std::size_t i = 0; i < input.values.size(); ++i) {
    result.values[i] = delivered(layer, input.values[i] * layer.scale.at(0) + layer.bias.at(i));
  }
  return result;
}

inline Map with_tokens(const Layer& layer, const Map& input) {
  const long pixels = input.rows * input.columns;
  const long more = static_cast<long>(layer.bias.size()) / input.channels;
  Map result{
      .channels = input.channels, .rows = pixels + more, .columns = 1, .bits = layer.output_bits};
  for (long c = 0; c < input.channels; ++c) {
    for (long token = 0; token < result.rows; ++token) {
      const double value = token < more ? layer.bias.at(static_cast<std::size_t>(c * more + token))
                                        : pixel_of(input, c, token - more) * layer.scale.at(0);
      result.values.push_back(delivered(layer, value));
    }
  }
  return result;
}

/// What any layer delivers.
inline Map layer(const Layer& one, const Map& input, const Map* second) {
  switch (one.kind) {
    case LayerKind::attend_keys:
    case LayerKind::attend_values:
      return attend(one, input, *second);
    case LayerKind::layer_norm:
      return layer_norm(one, input);
    case LayerKind::softmax:
      return softmax(one, input);
    case LayerKind::add_constant:
      return with_constants(one, input);
    case LayerKind::prepend_tokens:
      return with_tokens(one, input);
    case LayerKind::convolution:
      return convolution(one, input);
    case LayerKind::fully_connected:
      return fully_connected(one, input);
    case LayerKind::max_pool:
    case LayerKind::average_pool:
      return pool(one, input);
    case LayerKind::gelu: {
      Map result = input;
      for (double& x : result.values) x = 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)));
      return result;
    }
    default:
      return pointwise(one, input, second);
  }
}

}  // namespace cimstat::experiments::reference
