#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

/// ASiM's forward pass of small networks with a batch of 1, in plain loops in double: its
/// quantisers with scales of the tensor at hand, its bit planes, tiles and converter. Shares no
/// code with what it tests.
namespace cimstat::experiments::asim {

constexpr double epsilon = 1e-7;

/// A converter of L = codes - 1 steps over N rows: code = round(m L / N), halves to even.
struct Converter {
  std::int64_t rows = 0;
  std::int64_t steps = 0;

  std::int64_t code(std::int64_t count) const {
    const std::int64_t quotient = count * steps / rows;
    const std::int64_t rest = 2 * (count * steps % rows);
    const bool up = rest > rows || (rest == rows && quotient % 2 == 1);
    return quotient + (up ? 1 : 0);
  }
};

/// Convolutions of stride 1 with a square kernel; of a kernel of 0 a product with all inputs. Reads
/// the layer before it through a ReLU and a pool of 2 x 2, where it has them.
struct Layer {
  long inputs = 0;  ///< channels, or all values
  long outputs = 0;
  long kernel = 0;
  long padding = 0;
  std::vector<double> weight;
  std::vector<double> bias;
  bool relu = false;  ///< behind it
  bool pool = false;  ///< behind that
};

struct Map {
  long channels = 0;
  long side = 0;
  std::vector<double> values;

  double& at(long channel, long row, long column) {
    return values.at(static_cast<std::size_t>((channel * side + row) * side + column));
  }
};

struct Model {
  long channels = 1;
  long side = 1;
  unsigned input_bits = 8;
  unsigned weight_bits = 4;
  unsigned bits = 4;
  std::vector<Layer> layers;
};

struct Levels {
  std::vector<int> values;
  double scale = 0.0;  ///< what the highest level stands for
};

inline Levels weight_levels(const std::vector<double>& weights, unsigned bits) {
  double largest = 0.0;
  for (const double weight : weights) largest = std::max(largest, std::abs(weight));
  Levels levels{.values = {}, .scale = largest + epsilon};
  const double top = std::pow(2.0, bits - 1.0) - 1.0;
  for (const double weight : weights) {
    const double magnitude = std::min(std::abs(weight) / levels.scale, 1.0);
    levels.values.push_back(static_cast<int>(std::nearbyint(magnitude * top)) *
                            (weight < 0.0 ? -1 : 1));
  }
  return levels;
}

/// ASiM's scale of values that are all below 0 is below 0, and their levels are the highest: a
/// scale of 1e-7, and levels of 0, here.
inline Levels activation_levels(const std::vector<double>& values, unsigned bits) {
  double largest = 0.0;
  for (const double value : values) largest = std::max(largest, value);
  Levels levels{.values = {}, .scale = largest + epsilon};
  const double top = std::pow(2.0, bits) - 1.0;
  for (const double value : values) {
    const double clipped = std::min(std::max(value / levels.scale, 0.0), 1.0);
    levels.values.push_back(static_cast<int>(std::nearbyint(clipped * top)));
  }
  return levels;
}

/// sum w x of one output's window, tile by tile and bit by bit where there is a converter.
inline double accumulated(const std::vector<int>& w, const std::vector<int>& x, std::size_t tile,
                          unsigned weight_bits, unsigned bits,
                          const std::optional<Converter>& converter) {
  double sum = 0.0;
  if (!converter) {
    for (std::size_t i = 0; i < w.size(); ++i) sum += static_cast<double>(w[i]) * x[i];
    return sum;
  }
  for (std::size_t first = 0; first < w.size(); first += tile) {
    const std::size_t end = std::min(w.size(), first + tile);
    for (unsigned i = 0; i < weight_bits; ++i) {
      for (unsigned j = 0; j < bits; ++j) {
        std::int64_t count = 0;
        for (std::size_t row = first; row < end; ++row) {
          const int held = w[row] & ((1 << weight_bits) - 1);
          count += (held >> i & 1) * (x[row] >> j & 1);
        }
        const double value = static_cast<double>(converter->code(count) * converter->rows) /
                             static_cast<double>(converter->steps);
        sum += (i + 1 == weight_bits ? -1.0 : 1.0) * value * std::pow(2.0, i + j);
      }
    }
  }
  return sum;
}

inline Map behind(const Layer& layer, Map map) {
  if (layer.relu) {
    for (double& value : map.values) value = std::max(value, 0.0);
  }
  if (!layer.pool) return map;
  Map pooled{map.channels, map.side / 2, {}};
  for (long c = 0; c < map.channels; ++c) {
    for (long y = 0; y < pooled.side; ++y) {
      for (long x = 0; x < pooled.side; ++x) {
        pooled.values.push_back(
            std::max({map.at(c, 2 * y, 2 * x), map.at(c, 2 * y, 2 * x + 1),
                      map.at(c, 2 * y + 1, 2 * x), map.at(c, 2 * y + 1, 2 * x + 1)}));
      }
    }
  }
  return pooled;
}

struct Result {
  std::vector<std::vector<int>> levels;  ///< of each layer's input
  std::vector<double> scores;
};

/// `pixels` are levels of input_bits, whose highest one stands for 1.
inline Result run(const Model& model, const std::vector<int>& pixels,
                  const std::optional<Converter>& converter = {}) {
  Result result;
  Map map{model.channels, model.side, {}};
  for (std::size_t number = 0; number < model.layers.size(); ++number) {
    const Layer& layer = model.layers[number];
    const unsigned bits = number == 0 ? model.input_bits : model.bits;
    const Levels x = number == 0 ? Levels{pixels, 1.0} : activation_levels(map.values, bits);
    result.levels.push_back(x.values);
    const Levels w = weight_levels(layer.weight, model.weight_bits);
    const double divisor =
        (std::pow(2.0, model.weight_bits - 1.0) - 1.0) * (std::pow(2.0, bits) - 1.0);
    const bool linear = layer.kernel == 0;
    const long kernel = linear ? map.side : layer.kernel;
    const long channels = map.channels;
    const long side = linear ? 1 : map.side + 2 * layer.padding - kernel + 1;
    const long window = kernel * kernel;
    std::size_t tile = converter ? static_cast<std::size_t>(converter->rows) : 1;
    if (!linear)
      tile = std::max(tile / static_cast<std::size_t>(window), std::size_t{1}) *
             static_cast<std::size_t>(window);
    Map next{layer.outputs, side, {}};
    for (long o = 0; o < layer.outputs; ++o) {
      const auto first = w.values.begin() + o * channels * window;
      const std::vector<int> weights(first, first + channels * window);
      for (long place = 0; place < side * side; ++place) {
        std::vector<int> inputs;
        for (long i = 0; i < channels * window; ++i) {
          const long row = place / side + i / kernel % kernel - layer.padding;
          const long column = place % side + i % kernel - layer.padding;
          const bool inside = row >= 0 && column >= 0 && row < map.side && column < map.side;
          const auto at =
              static_cast<std::size_t>((i / window * map.side + row) * map.side + column);
          inputs.push_back(inside ? x.values.at(at) : 0);
        }
        const double sum = accumulated(weights, inputs, tile, model.weight_bits, bits, converter);
        next.values.push_back(sum * w.scale * x.scale / divisor +
                              layer.bias.at(static_cast<std::size_t>(o)));
      }
    }
    map = behind(layer, std::move(next));
  }
  result.scores = map.values;
  return result;
}

enum class Signs { rectified, any };  ///< whether each layer but the last has a ReLU behind it

/// Two to four convolutions and one or two products at the end, of small maps.
inline Model random_model(std::uint32_t seed, Signs signs) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const auto below = [&](long count) {
    return static_cast<long>(random() % static_cast<unsigned>(count));
  };
  Model model{.channels = 1 + below(3),
              .side = 4 + below(4),
              .input_bits = static_cast<unsigned>(1 + below(8)),
              .weight_bits = static_cast<unsigned>(2 + below(7)),
              .bits = static_cast<unsigned>(1 + below(8)),
              .layers = {}};
  long channels = model.channels;
  long side = model.side;
  const auto add = [&](long outputs, long kernel, long padding) {
    const long window = kernel == 0 ? side * side : kernel * kernel;
    Layer layer{.inputs = channels,
                .outputs = outputs,
                .kernel = kernel,
                .padding = padding,
                .weight = {},
                .bias = {}};
    for (long i = 0; i < outputs * channels * window; ++i) layer.weight.push_back(normal(random));
    for (long o = 0; o < outputs; ++o) layer.bias.push_back(0.5 * normal(random));
    layer.relu = signs == Signs::rectified || below(3) > 0;
    side = kernel == 0 ? 1 : side + 2 * padding - kernel + 1;
    layer.pool = side >= 4 && below(3) == 0;
    if (layer.pool) side /= 2;
    channels = outputs;
    model.layers.push_back(layer);
  };
  for (long more = 1 + below(3); more > 0; --more) {
    const long kernel = 1 + below(std::min(side, 3L));
    add(1 + below(5), kernel, below(kernel));
  }
  if (below(2) == 0) add(2 + below(6), 0, 0);
  add(2 + below(4), 0, 0);
  model.layers.back().relu = model.layers.back().pool = false;
  return model;
}

/// Pixels of 8 bits; levels() makes what the network sees of them.
inline std::vector<std::uint8_t> random_pixels(const Model& model, std::uint32_t seed) {
  std::mt19937 random(seed + 77);
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(model.channels * model.side * model.side));
  for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(random() >> 24);
  return pixels;
}

inline std::vector<int> levels(const Model& model, const std::vector<std::uint8_t>& pixels) {
  std::vector<int> result;
  for (const int pixel : pixels) {
    result.push_back((pixel * ((1 << model.input_bits) - 1) + 127) / 255);
  }
  return result;
}

}  // namespace cimstat::experiments::asim
