#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "experiments/inference/array_options.h"
#include "experiments/inference/bit_planes.h"
#include "experiments/inference/network.h"
#include "tests/experiments/inference_fixtures.h"

/// Layers on arrays by the definition of each tiling, in plain loops.
namespace cimstat::experiments {

class Choice {
 public:
  explicit Choice(std::uint32_t seed) : random_(seed) {}
  std::uint32_t operator()(std::uint32_t low, std::uint32_t high) {
    return low + static_cast<std::uint32_t>(random_() % (high - low + 1));
  }
  std::mt19937& random() { return random_; }

 private:
  std::mt19937 random_;
};

/// A layer, its input, and how it is read.
struct MappedLayer {
  Layer layer;
  MapShape input;
  std::uint32_t input_bits = 1;
  ArrayOptions options;

  std::string text() const {
    return "kernel " + std::to_string(layer.kernel.rows) + " x " +
           std::to_string(layer.kernel.columns) + ", channels " + std::to_string(input.channels) +
           ", rows " + std::to_string(options.rows) + " by " +
           std::to_string(options.rows_per_read) + ", tiling " +
           std::to_string(static_cast<int>(options.tiling)) + ", protection " +
           std::to_string(static_cast<int>(options.diagonals.kind)) + " of " +
           std::to_string(options.diagonals.count);
  }
};

/// Any layer with inputs of up to so many bits, mapped and read in any way.
inline MappedLayer any_mapped_layer(Choice& choice, std::uint32_t most_bits) {
  MappedLayer c;
  const bool flat = choice(0, 4) == 0;
  c.input_bits = choice(1, most_bits);
  const std::uint32_t weight_bits = choice(2, 5);
  const std::uint32_t outputs = choice(1, 18);
  if (flat) {
    c.input = {choice(1, 90), 1, 1};
    c.layer = fixtures::random_fully_connected("layer", "input", outputs, c.input.channels,
                                               weight_bits, 0, choice.random());
  } else {
    const Extents kernel{choice(1, 3), choice(1, 3)};
    c.input = {choice(1, 7), choice(3, 6), choice(3, 6)};
    c.layer = fixtures::random_convolution("layer", "input", outputs, c.input.channels, 1, 1, 0,
                                           weight_bits, 0, choice.random());
    c.layer.kernel = kernel;
    c.layer.stride = {choice(1, 2), choice(1, 2)};
    c.layer.dilation = {kernel.rows < 3 ? choice(1, 2) : 1, kernel.columns < 3 ? choice(1, 2) : 1};
    c.layer.padding = {choice(0, 1), choice(0, 1), choice(0, 1), choice(0, 1)};
    c.layer.weight_shape = {outputs, c.input.channels, kernel.rows, kernel.columns};
    const int highest = (1 << (weight_bits - 1)) - 1;
    std::uniform_int_distribution<int> weight(-highest - 1, highest);
    c.layer.weight.resize(std::size_t{outputs} * c.input.channels * kernel.rows * kernel.columns);
    for (std::int8_t& value : c.layer.weight) {
      value = static_cast<std::int8_t>(weight(choice.random()));
    }
  }
  const std::uint32_t positions = c.layer.weight_shape[2] * c.layer.weight_shape[3];
  c.options.tiling = static_cast<Tiling>(choice(0, 2));
  c.options.rows = choice(c.options.tiling == Tiling::whole_channels ? positions : 1, 40);
  c.options.rows_per_read = choice(0, 1) == 0 ? 0 : choice(1, c.options.rows);
  c.options.weights = static_cast<WeightMapping>(choice(0, 2));
  c.options.zero_value = 0.5 * choice(0, c.options.rows);
  c.options.diagonals.count = choice(0, 1) == 0 ? 0 : choice(1, c.input_bits + weight_bits);
  c.options.diagonals.kind = static_cast<Protection>(choice(0, 2));
  if (c.options.weights == WeightMapping::offset &&
      c.options.diagonals.kind == Protection::converter) {
    c.options.diagonals.kind = Protection::digital;
  }
  c.options.diagonals.rule = static_cast<VoteRule>(choice(0, 2));
  c.options.diagonals.votes = c.options.diagonals.rule == VoteRule::mean ? 2 : choice(2, 5);
  return c;
}

/// One input of a pixel: its level, its place in the weights of an output, and whether it lies
/// inside the map.
struct Input {
  std::uint32_t level = 0;
  std::size_t weight = 0;
  bool inside = false;
};

/// Rows that are active together, by the definition of each tiling.
inline std::vector<std::vector<Input>> reads_of_pixel(const MappedLayer& c,
                                                      const std::vector<std::uint8_t>& map,
                                                      std::uint32_t row, std::uint32_t column) {
  const std::uint32_t height = c.layer.weight_shape[2];
  const std::uint32_t width = c.layer.weight_shape[3];
  const bool flat = c.layer.kind == LayerKind::fully_connected;
  const auto input = [&](std::uint32_t channel, std::uint32_t ky, std::uint32_t kx) {
    Input result;
    result.weight = (std::size_t{channel} * height + ky) * width + kx;
    if (flat) {
      result.level = map[channel];
      result.inside = true;
      return result;
    }
    const int y = static_cast<int>(row * c.layer.stride.rows + ky * c.layer.dilation.rows) -
                  static_cast<int>(c.layer.padding.top);
    const int x =
        static_cast<int>(column * c.layer.stride.columns + kx * c.layer.dilation.columns) -
        static_cast<int>(c.layer.padding.left);
    if (y >= 0 && x >= 0 && y < static_cast<int>(c.input.rows) &&
        x < static_cast<int>(c.input.columns)) {
      result.inside = true;
      result.level =
          map[(channel * c.input.rows + static_cast<std::uint32_t>(y)) * c.input.columns +
              static_cast<std::uint32_t>(x)];
    }
    return result;
  };
  // Columns of an array, as lists of inputs.
  std::vector<std::vector<Input>> arrays;
  const auto place = [&](const Input& one, bool fresh) {
    if (fresh || arrays.empty() || arrays.back().size() == c.options.rows) arrays.emplace_back();
    arrays.back().push_back(one);
  };
  if (c.options.tiling == Tiling::kernel_positions) {
    for (std::uint32_t ky = 0; ky < height; ++ky) {
      for (std::uint32_t kx = 0; kx < width; ++kx) {
        for (std::uint32_t channel = 0; channel < c.input.channels; ++channel) {
          // A fully connected layer has one position.
          place(input(channel, ky, kx), channel == 0);
        }
      }
    }
  } else {
    for (std::uint32_t channel = 0; channel < c.input.channels; ++channel) {
      const bool whole = c.options.tiling == Tiling::whole_channels && !arrays.empty() &&
                         arrays.back().size() + height * width > c.options.rows;
      for (std::uint32_t k = 0; k < height * width; ++k) {
        place(input(channel, k / width, k % width), whole && k == 0);
      }
    }
  }
  std::vector<std::vector<Input>> reads;
  const std::size_t most = c.options.rows_per_read == 0 ? c.options.rows : c.options.rows_per_read;
  for (const std::vector<Input>& array : arrays) {
    for (std::size_t first = 0; first < array.size(); first += most) {
      const auto begin = array.begin() + static_cast<std::ptrdiff_t>(first);
      const auto end =
          array.begin() + static_cast<std::ptrdiff_t>(std::min(first + most, array.size()));
      reads.emplace_back(begin, end);
    }
  }
  return reads;
}

}  // namespace cimstat::experiments
