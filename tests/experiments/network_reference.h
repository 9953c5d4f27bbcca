#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "experiments/inference/network.h"

/// A network by the definitions of experiments/formats/network.md, in plain loops that share no
/// code with what they test.
namespace cimstat::experiments::reference {

/// Levels (bits > 0) or reals, [channel][row][column].
struct Map {
  long channels = 0;
  long rows = 0;
  long columns = 0;
  unsigned bits = 0;
  std::vector<double> values{};
  double step = 1.0;  ///< of levels that span the map of one image

  double at(long channel, long row, long column) const {
    return values.at(static_cast<std::size_t>((channel * rows + row) * columns + column));
  }
  bool holds(long row, long column) const {
    return row >= 0 && column >= 0 && row < rows && column < columns;
  }
};

/// Where a value half way between two levels goes.
enum class Halves { up, to_even };

/// What a layer delivers for a value: the value, or its level.
inline double delivered(const Layer& layer, double value, Halves halves = Halves::up) {
  if (layer.output_bits == 0) return value;
  double level = std::floor(value + 0.5);
  if (halves == Halves::to_even && level - value == 0.5 && std::fmod(level, 2.0) != 0.0) {
    level -= 1.0;
  }
  const double highest = std::pow(2.0, layer.output_bits) - 1.0;
  return level < 0.0 ? 0.0 : level > highest ? highest : level;
}

inline long places(long extent, long before, long behind, long kernel, long dilation, long stride) {
  long count = 0;
  for (long first = -before; first + (kernel - 1) * dilation < extent + behind; first += stride) {
    ++count;
  }
  return count;
}

/// An empty map of the size that the layer's window makes of its input.
inline Map slid(const Layer& layer, const Map& input, long channels) {
  Map result{.channels = channels,
             .rows = places(input.rows, layer.padding.top, layer.padding.bottom, layer.kernel.rows,
                            layer.dilation.rows, layer.stride.rows),
             .columns = places(input.columns, layer.padding.left, layer.padding.right,
                               layer.kernel.columns, layer.dilation.columns, layer.stride.columns),
             .bits = layer.output_bits};
  return result;
}

inline long row_of(const Layer& layer, long place, long point) {
  return place * layer.stride.rows + point * layer.dilation.rows - long{layer.padding.top};
}

inline long column_of(const Layer& layer, long place, long point) {
  return place * layer.stride.columns + point * layer.dilation.columns - long{layer.padding.left};
}

/// What a level of a weighted layer's input stands for.
inline double meant(const Layer& layer, double level) {
  return layer.input_values == InputValues::signs ? (level == 0.0 ? -1.0 : 1.0) : level;
}

inline Map convolution(const Layer& layer, const Map& input, Halves halves = Halves::up) {
  const long outputs = layer.weight_shape[0];
  const long inputs = layer.weight_shape[1];
  const long outputs_of_group = outputs / layer.groups;
  Map result = slid(layer, input, outputs);
  for (long o = 0; o < outputs; ++o) {
    for (long y = 0; y < result.rows; ++y) {
      for (long x = 0; x < result.columns; ++x) {
        std::int64_t sum = 0;
        std::size_t w =
            static_cast<std::size_t>(o) * layer.weight.size() / static_cast<std::size_t>(outputs);
        for (long i = 0; i < inputs; ++i) {
          const long channel = o / outputs_of_group * inputs + i;
          for (long dy = 0; dy < layer.kernel.rows; ++dy) {
            for (long dx = 0; dx < layer.kernel.columns; ++dx, ++w) {
              const long row = row_of(layer, y, dy);
              const long column = column_of(layer, x, dx);
              double level = 0.0;
              if (input.holds(row, column)) {
                level = meant(layer, input.at(channel, row, column));
              } else if (!layer.padding_level.empty()) {
                level = layer.padding_level.at(static_cast<std::size_t>(channel));
              }
              sum += layer.weight.at(w) * static_cast<std::int64_t>(level);
            }
          }
        }
        const auto channel = static_cast<std::size_t>(o);
        const double scaled = static_cast<double>(sum) * input.step * layer.scale.at(channel);
        result.values.push_back(delivered(layer, scaled + layer.bias.at(channel), halves));
      }
    }
  }
  return result;
}

inline Map fully_connected(const Layer& layer, const Map& input, Halves halves = Halves::up) {
  Map result{.channels = layer.weight_shape[0], .rows = 1, .columns = 1, .bits = layer.output_bits};
  std::size_t w = 0;
  for (std::size_t o = 0; o < layer.weight_shape[0]; ++o) {
    std::int64_t sum = 0;
    for (const double level : input.values) {
      sum += layer.weight.at(w++) * static_cast<std::int64_t>(meant(layer, level));
    }
    const double scaled = static_cast<double>(sum) * input.step * layer.scale.at(o);
    result.values.push_back(delivered(layer, scaled + layer.bias.at(o), halves));
  }
  return result;
}

inline Map pool(const Layer& layer, const Map& input, Halves halves = Halves::up) {
  const bool average = layer.kind == LayerKind::average_pool;
  Map result = slid(layer, input, input.channels);
  if (!average) result.bits = input.bits;
  for (long c = 0; c < input.channels; ++c) {
    for (long y = 0; y < result.rows; ++y) {
      for (long x = 0; x < result.columns; ++x) {
        double sum = 0.0;
        double largest = -std::numeric_limits<double>::infinity();
        for (long dy = 0; dy < layer.kernel.rows; ++dy) {
          for (long dx = 0; dx < layer.kernel.columns; ++dx) {
            const long row = row_of(layer, y, dy);
            const long column = column_of(layer, x, dx);
            const double value = input.holds(row, column) ? input.at(c, row, column) : 0.0;
            sum = sum + value;
            largest = value > largest ? value : largest;
          }
        }
        result.values.push_back(
            average ? delivered(layer, sum * layer.scale.at(0) + layer.bias.at(0), halves)
                    : largest);
      }
    }
  }
  return result;
}

inline Map spanned(const Layer& layer, const Map& input, Halves halves) {
  Map result = input;
  result.bits = layer.output_bits;
  result.step = 0.0;
  double largest = 0.0;
  for (const double value : input.values) largest = value > largest ? value : largest;
  const double range = largest + layer.epsilon;
  const double top = std::pow(2.0, layer.output_bits) - 1.0;
  if (largest > 0.0) result.step = range / top;
  for (double& value : result.values) {
    const double share = largest > 0.0 && value > 0.0 ? value / range : 0.0;
    value = delivered(layer, share * top, halves);
  }
  return result;
}

inline Map pointwise(const Layer& layer, const Map& a, const Map* b, Halves halves = Halves::up) {
  Map result = a;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    double& value = result.values[i];
    if (layer.kind == LayerKind::relu) value = value > 0.0 ? value : 0.0;
    if (layer.kind == LayerKind::quantise) {
      value = delivered(layer, value * layer.scale.at(0) + layer.bias.at(0), halves);
    }
    if (layer.kind == LayerKind::add) {
      const double sum = value * layer.scale.at(0) + b->values.at(i) * layer.scale.at(1);
      value = delivered(layer, sum + layer.bias.at(0), halves);
    }
  }
  if (layer.kind == LayerKind::flatten) {
    result.channels = static_cast<long>(a.values.size());
    result.rows = result.columns = 1;
  }
  if (layer.kind == LayerKind::quantise || layer.kind == LayerKind::add) {
    result.bits = layer.output_bits;
  }
  return result;
}

inline Map scale(const Layer& layer, const Map& input, Halves halves = Halves::up) {
  Map result = input;
  result.bits = layer.output_bits;
  result.values.clear();
  for (long c = 0; c < input.channels; ++c) {
    for (long y = 0; y < input.rows; ++y) {
      for (long x = 0; x < input.columns; ++x) {
        const auto channel = static_cast<std::size_t>(c);
        const double scaled = input.at(c, y, x) * layer.scale.at(channel);
        result.values.push_back(delivered(layer, scaled + layer.bias.at(channel), halves));
      }
    }
  }
  return result;
}

inline Map concatenate(const Layer& layer, const std::map<std::string, Map>& maps,
                       Halves halves = Halves::up) {
  Map result = maps.at(layer.inputs.at(0));
  result.bits = layer.output_bits;
  result.channels = 0;
  result.values.clear();
  for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
    const Map& part = maps.at(layer.inputs[i]);
    result.channels += part.channels;
    for (const double value : part.values) {
      const double scaled = value * layer.scale.at(i);
      result.values.push_back(delivered(layer, scaled + layer.bias.at(i), halves));
    }
  }
  return result;
}

/// What the last layer delivers.
inline Map run(const Network& network, const std::vector<std::uint8_t>& pixels,
               Halves halves = Halves::up) {
  Map image{.channels = network.input_shape[0],
            .rows = network.input_shape[1],
            .columns = network.input_shape[2],
            .bits = network.input_bits};
  for (const std::uint8_t pixel : pixels) {
    image.values.push_back((pixel * ((1 << network.input_bits) - 1) + 127) / 255);
  }
  std::map<std::string, Map> maps{{"input", image}};
  for (const Layer& layer : network.layers) {
    const Map& input = maps.at(layer.inputs.at(0));
    const Map* second = layer.inputs.size() > 1 ? &maps.at(layer.inputs[1]) : nullptr;
    switch (layer.kind) {
      case LayerKind::convolution:
        maps[layer.name] = convolution(layer, input, halves);
        break;
      case LayerKind::fully_connected:
        maps[layer.name] = fully_connected(layer, input, halves);
        break;
      case LayerKind::max_pool:
      case LayerKind::average_pool:
        maps[layer.name] = pool(layer, input, halves);
        break;
      case LayerKind::scale:
        maps[layer.name] = scale(layer, input, halves);
        break;
      case LayerKind::concatenate:
        maps[layer.name] = concatenate(layer, maps, halves);
        break;
      case LayerKind::quantise:
        maps[layer.name] = layer.range == LevelRange::map ? spanned(layer, input, halves)
                                                          : pointwise(layer, input, second, halves);
        break;
      default:
        maps[layer.name] = pointwise(layer, input, second, halves);
    }
  }
  return maps.at(network.layers.back().name);
}

}  // namespace cimstat::experiments::reference
