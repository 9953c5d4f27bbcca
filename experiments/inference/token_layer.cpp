#include "experiments/inference/token_layer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

#include "experiments/inference/input_cycles.h"
#include "experiments/inference/real_functions.h"

namespace cimstat::experiments {
namespace {

using Reals = std::span<const double>;

/// Stores values as levels of output_bits, clamp(floor(value + 0.5), 0, highest), or as they are:
/// truncation is floor where it matters, from 0 up, and rounding goes to even. No value is a NaN:
/// check() (network.h) refuses scales and biases that could make one.
class Delivery {
 public:
  Delivery(const Layer& layer, circuits::Ties ties)
      : highest_(highest_level(layer.output_bits)), even_(ties == circuits::Ties::even) {}
  void operator()(double value, std::uint8_t& result) const {
    const double level = even_ ? std::nearbyint(value) : value + 0.5;
    result = static_cast<std::uint8_t>(std::clamp(level, 0.0, highest_));
  }
  void operator()(double value, double& result) const { result = value; }

 private:
  double highest_;
  bool even_;
};

/// A channel of a map that holds `pixels` of each, one beside the other.
std::span<const double> channel_of(Reals map, std::size_t channel, std::size_t pixels) {
  return map.subspan(channel * pixels, pixels);
}

}  // namespace

void add_constant(const Layer& layer, MapValues map, MapResult result, circuits::Ties ties) {
  const Delivery deliver(layer, ties);
  std::visit(
      [&](auto values, auto out) {
        for (std::size_t i = 0; i < out.size(); ++i) {
          deliver(values[i] * layer.scale[0] + layer.bias[i], out[i]);
        }
      },
      map, result);
}

void prepend_tokens(const Layer& layer, MapShape shape, MapValues map, MapResult result,
                    circuits::Ties ties) {
  const Delivery deliver(layer, ties);
  const std::size_t pixels = std::size_t{shape.rows} * shape.columns;
  const std::size_t more = layer.bias.size() / shape.channels;
  std::visit(
      [&](auto values, auto out) {
        std::size_t at = 0;
        for (std::size_t channel = 0; channel < shape.channels; ++channel) {
          for (std::size_t i = 0; i < more; ++i) deliver(layer.bias[channel * more + i], out[at++]);
          for (std::size_t i = 0; i < pixels; ++i) {
            deliver(values[channel * pixels + i] * layer.scale[0], out[at++]);
          }
        }
      },
      map, result);
}

void layer_norm(const Layer& layer, MapShape shape, MapValues map, MapResult result,
                circuits::Ties ties) {
  const Delivery deliver(layer, ties);
  const Reals values = std::get<Reals>(map);
  const std::size_t pixels = std::size_t{shape.rows} * shape.columns;
  const auto channels = static_cast<double>(shape.channels);
  std::vector<double> mean(pixels, 0.0);
  std::vector<double> spread(pixels, 0.0);
  for (std::size_t channel = 0; channel < shape.channels; ++channel) {
    const Reals x = channel_of(values, channel, pixels);
    for (std::size_t i = 0; i < pixels; ++i) mean[i] += x[i];
  }
  for (double& sum : mean) sum /= channels;
  for (std::size_t channel = 0; channel < shape.channels; ++channel) {
    const Reals x = channel_of(values, channel, pixels);
    for (std::size_t i = 0; i < pixels; ++i) spread[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
  }
  for (double& sum : spread) sum = std::sqrt(sum / channels + layer.epsilon);
  std::visit(
      [&](auto out) {
        for (std::size_t channel = 0; channel < shape.channels; ++channel) {
          const Reals x = channel_of(values, channel, pixels);
          for (std::size_t i = 0; i < pixels; ++i) {
            deliver((x[i] - mean[i]) / spread[i] * layer.scale[channel] + layer.bias[channel],
                    out[channel * pixels + i]);
          }
        }
      },
      result);
}

void gelu(MapValues map, MapResult result) {
  const Reals values = std::get<Reals>(map);
  const std::span<double> out = std::get<std::span<double>>(result);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = values[i];
    out[i] = 0.5 * x * (1.0 + error_function(x / std::numbers::sqrt2));
  }
}

void softmax(const Layer& layer, MapShape shape, MapValues map, MapResult result) {
  const Reals values = std::get<Reals>(map);
  const std::span<double> out = std::get<std::span<double>>(result);
  const std::size_t pixels = std::size_t{shape.rows} * shape.columns;
  const std::size_t of_group = shape.channels / layer.groups;
  std::vector<double> largest(pixels);
  std::vector<double> sum(pixels);
  for (std::size_t first = 0; first < shape.channels; first += of_group) {
    const auto each_channel = [&](const auto& visit) {
      for (std::size_t channel = first; channel < first + of_group; ++channel) {
        visit(channel_of(values, channel, pixels), out.subspan(channel * pixels, pixels));
      }
    };
    std::fill(largest.begin(), largest.end(), -std::numeric_limits<double>::infinity());
    std::fill(sum.begin(), sum.end(), 0.0);
    each_channel([&](Reals x, std::span<double>) {
      for (std::size_t i = 0; i < pixels; ++i) largest[i] = std::max(largest[i], x[i]);
    });
    each_channel([&](Reals x, std::span<double> y) {
      for (std::size_t i = 0; i < pixels; ++i) {
        y[i] = exponential(x[i] - largest[i]);
        sum[i] += y[i];
      }
    });
    each_channel([&](Reals, std::span<double> y) {
      for (std::size_t i = 0; i < pixels; ++i) y[i] /= sum[i];
    });
  }
}

Layer convolution_of_head(const Layer& layer, MapShape first, MapShape second,
                          std::uint32_t weight_bits) {
  const std::uint32_t tokens = second.rows * second.columns;
  Layer result;
  result.name = layer.name;
  result.kind = LayerKind::convolution;
  result.weight_bits = weight_bits;
  result.weight_shape = {
      layer.kind == LayerKind::attend_keys ? tokens : second.channels / layer.groups,
      first.channels / layer.groups, 1, 1};
  result.weight.assign(std::size_t{result.weight_shape[0]} * result.weight_shape[1], 0);
  return result;
}

void weights_of_head(const Layer& layer, std::uint32_t head, MapShape second, std::uint32_t bits,
                     std::span<const std::uint8_t> map, std::vector<std::int8_t>& weights) {
  const std::size_t tokens = std::size_t{second.rows} * second.columns;
  const std::size_t channels = second.channels / layer.groups;
  const auto part = map.subspan(head * channels * tokens, channels * tokens);
  const int half = 1 << (bits - 1);
  const auto weight = [half](int level) {
    return static_cast<std::int8_t>(std::max(level, 1) - half);
  };
  weights.resize(part.size());
  if (layer.kind == LayerKind::attend_values) {
    std::transform(part.begin(), part.end(), weights.begin(), weight);
    return;
  }
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (std::size_t token = 0; token < tokens; ++token) {
      weights[token * channels + channel] = weight(part[channel * tokens + token]);
    }
  }
}

void take_zero_off(std::uint32_t zero_level, std::span<const std::int8_t> weights,
                   std::uint32_t outputs, std::span<double> sums) {
  if (zero_level == 0) return;
  const std::size_t inputs = weights.size() / outputs;
  const std::size_t pixels = sums.size() / outputs;
  for (std::size_t output = 0; output < outputs; ++output) {
    std::int64_t sum = 0;
    for (const int weight : weights.subspan(output * inputs, inputs)) sum += weight;
    const auto zeros = static_cast<double>(sum * zero_level);
    for (double& value : sums.subspan(output * pixels, pixels)) value -= zeros;
  }
}

}  // namespace cimstat::experiments
