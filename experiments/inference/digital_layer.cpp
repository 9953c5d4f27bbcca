#include "experiments/inference/digital_layer.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>
#include <type_traits>

#include <Eigen/Core>

namespace cimstat::experiments {
namespace {

/// floor(value + 0.5), clamped: truncation is floor where it matters, from 0 up. The value is no
/// NaN: check() (network.h) refuses scales and biases that could make one.
std::uint8_t level_of(double value, double highest) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, highest));
}

/// Stores values as levels of output_bits, or as they are.
class Delivery {
 public:
  explicit Delivery(const Layer& layer)
      : highest_(static_cast<double>((1U << layer.output_bits) - 1)) {}
  void operator()(double value, std::uint8_t& result) const { result = level_of(value, highest_); }
  void operator()(double value, double& result) const { result = value; }

 private:
  double highest_;
};

/// Calls action(map, result) for values that need no scaling; there is no copy of reals to levels.
template <class Action>
void visit_alike(MapValues map, MapResult result, Action&& action) {
  assert(map.index() == result.index());
  if (const auto* reals = std::get_if<std::span<const double>>(&map)) {
    action(*reals, std::get<std::span<double>>(result));
  } else {
    action(std::get<std::span<const std::uint8_t>>(map), std::get<std::span<std::uint8_t>>(result));
  }
}

/// Calls visit(output index, window), window(fold) going over the inputs of one pooled pixel that
/// lie inside the map, in row, column order.
template <class Visit>
void for_each_window(const Layer& layer, MapShape shape, Visit&& visit) {
  const auto [rows, columns] = window_places(layer, {shape.rows, shape.columns});
  std::size_t output = 0;
  for (std::uint32_t channel = 0; channel < shape.channels; ++channel) {
    for (std::uint32_t y = 0; y < rows; ++y) {
      for (std::uint32_t x = 0; x < columns; ++x, ++output) {
        const std::uint32_t top = y * layer.stride.rows - layer.padding.top;
        const std::uint32_t left = x * layer.stride.columns - layer.padding.left;
        visit(output, [&](auto&& fold) {
          for (std::uint32_t dy = 0; dy < layer.kernel.rows; ++dy) {
            for (std::uint32_t dx = 0; dx < layer.kernel.columns; ++dx) {
              const std::uint32_t row = top + dy * layer.dilation.rows;
              const std::uint32_t column = left + dx * layer.dilation.columns;
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

Layer group_of(const Layer& layer, std::uint32_t group) {
  Layer result;
  result.name = layer.name;
  result.kind = layer.kind;
  result.kernel = layer.kernel;
  result.stride = layer.stride;
  result.dilation = layer.dilation;
  result.padding = layer.padding;
  result.weight_bits = layer.weight_bits;
  result.weight_shape = layer.weight_shape;
  result.weight_shape[0] /= layer.groups;
  const auto part = [&](const auto& values, auto& of_group) {
    const auto size = static_cast<std::ptrdiff_t>(values.size() / layer.groups);
    of_group.assign(values.begin() + group * size, values.begin() + (group + 1) * size);
  };
  part(layer.weight, result.weight);
  part(layer.padding_level, result.padding_level);
  return result;
}

PatchGeometry patch_geometry(const Layer& layer, MapShape input, PatchOrder order) {
  assert(layer.groups == 1);
  if (layer.kind == LayerKind::fully_connected) {
    return PatchGeometry({static_cast<std::uint32_t>(input.size()), 1, 1}, layer);
  }
  return PatchGeometry(input, layer, order);
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

void relu(MapValues map, MapResult result) {
  visit_alike(map, result, [](auto values, auto out) {
    using Value = std::remove_cvref_t<decltype(out[0])>;
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = std::max(Value{0}, values[i]);
  });
}

void max_pool(const Layer& layer, MapShape shape, MapValues map, MapResult result) {
  visit_alike(map, result, [&](auto values, auto out) {
    using Value = std::remove_cvref_t<decltype(out[0])>;
    using Limits = std::numeric_limits<Value>;
    // The least level is what windows over the edge see.
    constexpr Value least = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    for_each_window(layer, shape, [&](std::size_t output, auto&& window) {
      Value largest = least;
      window([&](std::size_t i) { largest = std::max(largest, values[i]); });
      out[output] = largest;
    });
  });
}

void average_pool(const Layer& layer, MapShape shape, MapValues map, MapResult result) {
  const Delivery deliver(layer);
  std::visit(
      [&](auto values, auto out) {
        using Value = std::remove_cvref_t<decltype(values[0])>;
        using Sum = std::conditional_t<std::is_same_v<Value, double>, double, std::uint32_t>;
        for_each_window(layer, shape, [&](std::size_t output, auto&& window) {
          Sum sum = 0;
          window([&](std::size_t i) { sum += values[i]; });
          deliver(sum * layer.scale[0] + layer.bias[0], out[output]);
        });
      },
      map, result);
}

void add(const Layer& layer, MapValues a, MapValues b, MapResult result) {
  const Delivery deliver(layer);
  std::visit(
      [&](auto first, auto second, auto out) {
        for (std::size_t i = 0; i < out.size(); ++i) {
          deliver(first[i] * layer.scale[0] + second[i] * layer.scale[1] + layer.bias[0], out[i]);
        }
      },
      a, b, result);
}

void quantise(const Layer& layer, MapValues map, MapResult result) {
  const Delivery deliver(layer);
  std::visit(
      [&](auto values, auto out) {
        for (std::size_t i = 0; i < out.size(); ++i) {
          deliver(values[i] * layer.scale[0] + layer.bias[0], out[i]);
        }
      },
      map, result);
}

void copy(MapValues map, MapResult result) {
  visit_alike(map, result,
              [](auto values, auto out) { std::copy(values.begin(), values.end(), out.begin()); });
}

}  // namespace cimstat::experiments
