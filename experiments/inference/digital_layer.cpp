#include "experiments/inference/digital_layer.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <type_traits>

#include <Eigen/Core>

namespace cimstat::experiments {
namespace {

/// floor(value + 0.5), clamped: truncation is floor where it matters, from 0 up. The value is no
/// NaN: check() (network.h) refuses scales and biases that could make one.
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

constexpr std::int64_t single_precision_limit = std::int64_t{1} << 24;

/// The largest magnitude that any partial sum can reach with 8-bit inputs.
std::int64_t largest_sum(const Layer& layer) {
  const std::size_t inputs = layer.weight.size() / layer.weight_shape[0];
  std::int64_t largest = 0;
  for (std::size_t first = 0; first < layer.weight.size(); first += inputs) {
    std::int64_t sum = 0;
    for (std::size_t i = first; i < first + inputs; ++i)
      sum += std::abs(int{layer.weight[i]}) * 255;
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

PatchGeometry patch_geometry(const Layer& layer, MapShape input) {
  if (layer.kind == LayerKind::fully_connected) {
    return PatchGeometry({static_cast<std::uint32_t>(input.size()), 1, 1}, 1, 1, 0);
  }
  return PatchGeometry(input, layer.kernel, layer.stride, layer.padding);
}

IntegerLayer::IntegerLayer(const Layer& layer, MapShape input)
    : geometry_(patch_geometry(layer, input)), outputs_(layer.weight_shape[0]) {
  if (largest_sum(layer) < single_precision_limit) {
    narrow_.assign(layer.weight.begin(), layer.weight.end());
  } else {
    wide_.assign(layer.weight.begin(), layer.weight.end());
  }
}

void IntegerLayer::sums(std::span<const std::uint8_t> map, Workspace& workspace,
                        std::span<double> result) const {
  const std::size_t inputs = geometry_.inputs();
  const std::size_t pixels = geometry_.pixels();
  assert(result.size() == outputs_ * pixels);
  workspace.patch.resize(geometry_.patch_size());
  geometry_.pad(map, workspace.padded);
  const auto multiply = [&](const auto& weights, auto& patches) {
    using Scalar = std::remove_cvref_t<decltype(patches[0])>;
    using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    patches.resize(pixels * inputs);
    for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
      geometry_.patch(workspace.padded, pixel, workspace.patch);
      std::copy_n(workspace.patch.begin(), inputs, patches.data() + pixel * inputs);
    }
    const auto rows = static_cast<Eigen::Index>(outputs_);
    const auto columns = static_cast<Eigen::Index>(pixels);
    const auto inner = static_cast<Eigen::Index>(inputs);
    const Eigen::Map<const Matrix> weight(weights.data(), rows, inner);
    const Eigen::Map<const Matrix> patch(patches.data(), columns, inner);
    using Doubles = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<Doubles>(result.data(), rows, columns) =
        (weight * patch.transpose()).template cast<double>();
  };
  if (narrow_.empty()) {
    multiply(wide_, workspace.wide);
  } else {
    multiply(narrow_, workspace.narrow);
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
