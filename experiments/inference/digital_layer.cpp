#include "experiments/inference/digital_layer.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <type_traits>

#include "experiments/inference/input_cycles.h"

namespace cimstat::experiments {
namespace {

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
  result.input_values = layer.input_values;
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

PatchGeometry patch_geometry(const Layer& layer, MapShape input, PatchOrder order, InputRows rows) {
  assert(layer.groups == 1);
  if (layer.kind == LayerKind::fully_connected) {
    return PatchGeometry({static_cast<std::uint32_t>(input.size()), 1, 1}, layer, order, rows);
  }
  return PatchGeometry(input, layer, order, rows);
}

namespace {

void deliver(std::span<const double> scale, std::span<const double> bias, std::uint32_t output_bits,
             std::span<const double> sums, circuits::Ties ties, MapResult result) {
  const std::size_t pixels = sums.size() / scale.size();
  for (std::size_t channel = 0; channel < scale.size(); ++channel) {
    const std::size_t first = channel * pixels;
    const MapResult part =
        std::visit([&](auto all) { return MapResult(all.subspan(first, pixels)); }, result);
    scale_map(sums.subspan(first, pixels), scale[channel], bias[channel],
              highest_level(output_bits), part, ties);
  }
}

}  // namespace

void deliver_sums(const Layer& layer, std::span<const double> sums, circuits::Ties ties,
                  MapResult result) {
  deliver(layer.scale, layer.bias, layer.output_bits, sums, ties, result);
}

void deliver_sums(const LayerScales& scales, std::uint32_t output_bits,
                  std::span<const double> sums, circuits::Ties ties, MapResult result) {
  deliver(scales.scale, scales.bias, output_bits, sums, ties, result);
}

void relu(MapValues map, MapResult result) {
  if (map.index() == 0) {
    copy(map, result);  // levels are 0 at least
  } else {
    clip_reals(std::get<1>(map), std::get<1>(result));
  }
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

void average_pool(const Layer& layer, MapShape shape, circuits::Ties ties, MapValues map,
                  MapResult result) {
  std::vector<double> sums;
  std::visit(
      [&](auto values) {
        using Value = std::remove_cvref_t<decltype(values[0])>;
        using Sum = std::conditional_t<std::is_same_v<Value, double>, double, std::uint32_t>;
        for_each_window(layer, shape, [&](std::size_t, auto&& window) {
          Sum sum = 0;
          window([&](std::size_t i) { sum += values[i]; });
          sums.push_back(sum);
        });
      },
      map);
  scale_map(sums, layer.scale[0], layer.bias[0], highest_level(layer.output_bits), result, ties);
}

void add(const Layer& layer, MapValues a, MapValues b, circuits::Ties ties, MapResult result) {
  add_maps(a, b, {layer.scale[0], layer.scale[1], layer.bias[0]}, highest_level(layer.output_bits),
           result, ties);
}

void quantise(const Layer& layer, circuits::Ties ties, MapValues map, MapResult result) {
  scale_map(map, layer.scale[0], layer.bias[0], highest_level(layer.output_bits), result, ties);
}

double quantise_by_map(const Layer& layer, circuits::Ties ties, MapValues map,
                       std::span<std::uint8_t> result) {
  const double top = highest_level(layer.output_bits);
  const bool even = ties == circuits::Ties::even;
  return std::visit(
      [&](auto values) {
        double largest = 0.0;
        for (const double value : values) largest = std::max(largest, value);
        if (!(largest > 0.0)) {
          std::fill(result.begin(), result.end(), std::uint8_t{0});
          return 0.0;
        }
        const double range = std::min(largest, largest_of_a_map) + layer.epsilon;
        for (std::size_t i = 0; i < result.size(); ++i) {
          const double level = std::clamp(values[i] / range, 0.0, 1.0) * top;
          result[i] = static_cast<std::uint8_t>(even ? std::nearbyint(level) : level + 0.5);
        }
        return range / top;
      },
      map);
}

void concatenate(const Layer& layer, std::size_t input, std::size_t first, circuits::Ties ties,
                 MapValues map, MapResult result) {
  const std::size_t size = std::visit([](auto values) { return values.size(); }, map);
  const MapResult part =
      std::visit([&](auto all) { return MapResult(all.subspan(first, size)); }, result);
  scale_map(map, layer.scale[input], layer.bias[input], highest_level(layer.output_bits), part,
            ties);
}

void copy(MapValues map, MapResult result) {
  visit_alike(map, result,
              [](auto values, auto out) { std::copy(values.begin(), values.end(), out.begin()); });
}

}  // namespace cimstat::experiments
