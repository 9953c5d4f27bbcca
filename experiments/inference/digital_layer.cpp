#include "experiments/inference/digital_layer.h"

#include <algorithm>
#include <cassert>

namespace cimstat::experiments {
namespace {

/// floor(value + 0.5), clamped: truncation is floor where it matters, from 0 up.
std::uint8_t level_of(double value, double highest) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, highest));
}

double highest_level(const Layer& layer) {
  return static_cast<double>((1U << layer.output_bits) - 1);
}

/// Calls visit(channel, output index, window), window(fold) going over the inputs of one pooled
/// pixel that lie inside the map.
template <class Visit>
void for_each_window(const Layer& layer, MapShape shape, Visit&& visit) {
  const std::uint32_t rows = (shape.rows + 2 * layer.padding - layer.kernel) / layer.stride + 1;
  const std::uint32_t columns =
      (shape.columns + 2 * layer.padding - layer.kernel) / layer.stride + 1;
  std::size_t output = 0;
  for (std::uint32_t channel = 0; channel < shape.channels; ++channel) {
    for (std::uint32_t y = 0; y < rows; ++y) {
      for (std::uint32_t x = 0; x < columns; ++x, ++output) {
        visit(output, [&](auto&& fold) {
          for (std::uint32_t dy = 0; dy < layer.kernel; ++dy) {
            for (std::uint32_t dx = 0; dx < layer.kernel; ++dx) {
              const std::uint32_t row = y * layer.stride + dy - layer.padding;
              const std::uint32_t column = x * layer.stride + dx - layer.padding;
              if (row >= shape.rows || column >= shape.columns) continue;  // wraps below 0, too
              fold((std::size_t{channel} * shape.rows + row) * shape.columns + column);
            }
          }
        });
      }
    }
  }
}

}  // namespace

PatchGeometry patch_geometry(const Layer& layer, MapShape input) {
  if (layer.kind == LayerKind::fully_connected) {
    return PatchGeometry({static_cast<std::uint32_t>(input.size()), 1, 1}, 1, 1, 0);
  }
  return PatchGeometry(input, layer.kernel, layer.stride, layer.padding);
}

IntegerLayer::IntegerLayer(const Layer& layer, MapShape input)
    : geometry_(patch_geometry(layer, input)),
      outputs_(layer.weight_shape[0]),
      weights_(layer.weight.begin(), layer.weight.end()) {}

void IntegerLayer::sums(std::span<const std::uint8_t> map, Workspace& workspace,
                        std::span<double> result) const {
  const std::size_t inputs = geometry_.inputs();
  const std::size_t pixels = geometry_.pixels();
  assert(result.size() == outputs_ * pixels);
  workspace.patch.resize(geometry_.patch_size());
  workspace.wide_patch.resize(inputs);
  geometry_.pad(map, workspace.padded);
  for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
    geometry_.patch(workspace.padded, pixel, workspace.patch);
    std::copy_n(workspace.patch.begin(), inputs, workspace.wide_patch.begin());
    for (std::size_t output = 0; output < outputs_; ++output) {
      // 16-bit factors and a 32-bit sum: the shape that compilers turn into multiply-add-pairs.
      const std::int16_t* weights = weights_.data() + output * inputs;
      const std::int16_t* patch = workspace.wide_patch.data();
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += std::int32_t{weights[i]} * std::int32_t{patch[i]};
      }
      result[output * pixels + pixel] = sum;
    }
  }
}

void scale_sums(const Layer& layer, std::span<double> sums) {
  const std::size_t pixels = sums.size() / layer.scale.size();
  for (std::size_t channel = 0; channel < layer.scale.size(); ++channel) {
    for (double& sum : sums.subspan(channel * pixels, pixels)) {
      sum = sum * layer.scale[channel] + layer.bias[channel];
    }
  }
}

void requantise(std::span<const double> values, std::uint32_t output_bits,
                std::span<std::uint8_t> map) {
  const double highest = static_cast<double>((1U << output_bits) - 1);
  for (std::size_t i = 0; i < values.size(); ++i) map[i] = level_of(values[i], highest);
}

void max_pool(const Layer& layer, MapShape shape, std::span<const std::uint8_t> map,
              std::span<std::uint8_t> result) {
  for_each_window(layer, shape, [&](std::size_t output, auto&& window) {
    std::uint8_t largest = 0;
    window([&](std::size_t i) { largest = std::max(largest, map[i]); });
    result[output] = largest;
  });
}

void average_pool(const Layer& layer, MapShape shape, std::span<const std::uint8_t> map,
                  std::span<std::uint8_t> result) {
  for_each_window(layer, shape, [&](std::size_t output, auto&& window) {
    std::uint32_t sum = 0;
    window([&](std::size_t i) { sum += map[i]; });
    result[output] = level_of(sum * layer.scale[0] + layer.bias[0], highest_level(layer));
  });
}

void add(const Layer& layer, std::span<const std::uint8_t> a, std::span<const std::uint8_t> b,
         std::span<std::uint8_t> result) {
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = level_of(a[i] * layer.scale[0] + b[i] * layer.scale[1] + layer.bias[0],
                         highest_level(layer));
  }
}

}  // namespace cimstat::experiments
