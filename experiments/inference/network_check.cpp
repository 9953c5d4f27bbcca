#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

using Shape = std::array<std::uint32_t, 3>;

constexpr std::uint32_t largest_extent = 4096;
constexpr std::uint32_t largest_window = 64;
constexpr std::size_t most_layers = 999;
constexpr std::uint64_t most_elements = std::uint64_t{1} << 26;
constexpr std::uint64_t most_values = std::uint64_t{1} << 28;  // of all layers' outputs together
constexpr std::uint64_t accumulator_limit = std::uint64_t{1} << 31;
constexpr double largest_sum = 0x1p63;  // also of codes that are misread
constexpr std::string_view correct = "correct the network and write it again";

/// What flows along an edge of the graph.
struct Signal {
  Shape shape;
  std::uint32_t bits;
};

bool has_window(LayerKind kind) {
  return kind == LayerKind::convolution || kind == LayerKind::max_pool ||
         kind == LayerKind::average_pool;
}

std::uint64_t size_of(const Shape& shape) { return std::uint64_t{shape[0]} * shape[1] * shape[2]; }

std::string text_of(const Shape& shape) { return fmt::format("{}", fmt::join(shape, " x ")); }

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name != "input" &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

/// The checks of one layer, in the order in which they rely on each other.
class LayerCheck {
 public:
  /// `place` is that of the layer: "file: /layers/000_name".
  LayerCheck(const Layer& layer, std::string place) : layer_(layer), place_(std::move(place)) {}

  Signal output(const std::vector<Signal>& inputs, bool is_last) const {
    check_numbers(is_last);
    const std::size_t wanted = layer_.kind == LayerKind::add ? 2 : 1;
    if (inputs.size() != wanted) {
      refuse(
          fmt::format("has {} inputs ({} takes {})", inputs.size(), name_of(layer_.kind), wanted));
    }
    check_values(inputs);
    const Signal result{output_shape(inputs),
                        requantises(layer_.kind) ? layer_.output_bits : inputs[0].bits};
    if (size_of(result.shape) > most_elements) {
      refuse(fmt::format("delivers {} values (at most {})", text_of(result.shape), most_elements));
    }
    return result;
  }

  [[noreturn]] void refuse(std::string_view problem, std::string_view why = {},
                           std::string_view remedy = correct) const {
    throw core::DataError(core::error_line(place_, core::excerpt(problem), why, remedy));
  }

 private:
  void check_numbers(bool is_last) const {
    if (has_window(layer_.kind)) {
      if (layer_.kernel < 1 || layer_.kernel > largest_window || layer_.stride < 1 ||
          layer_.stride > largest_window || layer_.padding >= layer_.kernel) {
        refuse(fmt::format(
            "kernel {}, stride {}, padding {} (1 .. {}, 1 .. {}, less than the kernel)",
            layer_.kernel, layer_.stride, layer_.padding, largest_window, largest_window));
      }
    } else if (layer_.kernel != 1 || layer_.stride != 1 || layer_.padding != 0) {
      refuse(fmt::format("{} has no kernel, stride or padding (1, 1, 0)", name_of(layer_.kind)));
    }
    check_weights();
    check_scale();
    const bool is_logits = is_last && is_weighted(layer_.kind);
    const bool plain = !requantises(layer_.kind) || is_logits;
    if (plain ? layer_.output_bits != 0 : layer_.output_bits < 1 || layer_.output_bits > 8) {
      refuse(fmt::format("output_bits {} ({})", layer_.output_bits,
                         is_logits ? "0 for the logits"
                         : plain   ? "0: it keeps those of its input"
                                   : "1 .. 8; only the last layer gives logits"));
    }
    if (is_last && !is_logits) refuse("is the last one but not a weighted layer that gives logits");
  }

  void check_weights() const {
    if (!is_weighted(layer_.kind)) {
      if (!layer_.weight.empty() || layer_.weight_bits != 0 ||
          layer_.weight_shape != decltype(layer_.weight_shape){}) {
        refuse(fmt::format("{} has no weights", name_of(layer_.kind)));
      }
      return;
    }
    if (layer_.weight_bits < 2 || layer_.weight_bits > 8) {
      refuse(fmt::format("weight_bits {} (2 .. 8)", layer_.weight_bits));
    }
    std::uint64_t count = 1;
    for (const std::uint32_t extent : layer_.weight_shape) {
      if (extent == 0 || extent > most_elements / count) {
        refuse(fmt::format("weights {} (at least 1, at most {})",
                           fmt::join(layer_.weight_shape, " x "), most_elements));
      }
      count *= extent;
    }
    if (layer_.weight.size() != count) {
      refuse(fmt::format("{} weights for a shape of {}", layer_.weight.size(),
                         fmt::join(layer_.weight_shape, " x ")));
    }
    const int limit = 1 << (layer_.weight_bits - 1);
    for (const std::int8_t weight : layer_.weight) {
      if (weight < -limit || weight >= limit) {
        refuse(fmt::format("a weight of {} does not fit {} bits ({} .. {})", weight,
                           layer_.weight_bits, -limit, limit - 1));
      }
    }
  }

  void check_scale() const {
    std::size_t scales = 0;
    std::size_t biases = 0;
    if (is_weighted(layer_.kind)) scales = biases = layer_.weight_shape[0];
    if (layer_.kind == LayerKind::average_pool) scales = biases = 1;
    if (layer_.kind == LayerKind::add) {
      scales = 2;
      biases = 1;
    }
    if (layer_.scale.size() != scales || layer_.bias.size() != biases) {
      refuse(fmt::format("{} scales and {} biases ({} and {} are needed)", layer_.scale.size(),
                         layer_.bias.size(), scales, biases));
    }
    const auto is_finite = [](double value) { return std::isfinite(value); };
    if (!std::all_of(layer_.scale.begin(), layer_.scale.end(), is_finite) ||
        !std::all_of(layer_.bias.begin(), layer_.bias.end(), is_finite)) {
      refuse("a scale or bias is not finite");
    }
  }

  /// Values that leave the range of a double can cancel to NaN, which is no level of an output.
  void check_values(const std::vector<Signal>& inputs) const {
    const auto highest = [](const Signal& signal) {
      return static_cast<double>((1U << signal.bits) - 1);
    };
    const auto require_finite = [&](double largest) {
      if (!std::isfinite(largest)) {
        refuse("its scales and biases can give a value that is not finite", {},
               "use smaller scales and biases");
      }
    };
    if (is_weighted(layer_.kind)) {
      for (std::size_t channel = 0; channel < layer_.scale.size(); ++channel) {
        require_finite(largest_sum * std::abs(layer_.scale[channel]) +
                       std::abs(layer_.bias[channel]));
      }
    } else if (layer_.kind == LayerKind::average_pool) {
      const double window = static_cast<double>(layer_.kernel * layer_.kernel);
      require_finite(window * highest(inputs[0]) * std::abs(layer_.scale[0]) +
                     std::abs(layer_.bias[0]));
    } else if (layer_.kind == LayerKind::add) {
      require_finite(highest(inputs[0]) * std::abs(layer_.scale[0]) +
                     highest(inputs[1]) * std::abs(layer_.scale[1]) + std::abs(layer_.bias[0]));
    }
  }

  Shape output_shape(const std::vector<Signal>& inputs) const {
    const Signal& input = inputs[0];
    switch (layer_.kind) {
      case LayerKind::convolution:
        return convolved(input);
      case LayerKind::fully_connected:
        return connected(input);
      case LayerKind::max_pool:
      case LayerKind::average_pool:
        return slid(input.shape, input.shape[0]);
      case LayerKind::flatten:
        return {static_cast<std::uint32_t>(size_of(input.shape)), 1, 1};
      case LayerKind::relu:
        return input.shape;
      case LayerKind::add:
        if (inputs[1].shape != input.shape) {
          refuse(fmt::format("its inputs differ in shape ({} and {})", text_of(input.shape),
                             text_of(inputs[1].shape)));
        }
        return input.shape;
    }
    refuse("is of an unknown kind");
  }

  Shape slid(const Shape& input, std::uint32_t channels) const {
    Shape result{channels, 0, 0};
    for (const std::size_t axis : {1U, 2U}) {
      const std::uint32_t extent = input[axis] + 2 * layer_.padding;
      if (extent < layer_.kernel) {
        refuse(fmt::format("a kernel of {} does not fit an input of {}", layer_.kernel,
                           text_of(input)));
      }
      result[axis] = (extent - layer_.kernel) / layer_.stride + 1;
    }
    return result;
  }

  Shape convolved(const Signal& input) const {
    const auto& shape = layer_.weight_shape;
    if (shape[2] != layer_.kernel || shape[3] != layer_.kernel || shape[1] != input.shape[0]) {
      refuse(fmt::format("weights {} do not fit a kernel of {} on an input of {}",
                         fmt::join(shape, " x "), layer_.kernel, text_of(input.shape)));
    }
    check_accumulator(std::uint64_t{shape[1]} * shape[2] * shape[3], input.bits);
    return slid(input.shape, shape[0]);
  }

  Shape connected(const Signal& input) const {
    const auto& shape = layer_.weight_shape;
    if (shape[2] != 1 || shape[3] != 1 || shape[1] != size_of(input.shape)) {
      refuse(fmt::format("weights {} do not fit an input of {}", fmt::join(shape, " x "),
                         text_of(input.shape)));
    }
    check_accumulator(shape[1], input.bits);
    return {shape[0], 1, 1};
  }

  void check_accumulator(std::uint64_t fan_in, std::uint32_t input_bits) const {
    const std::uint64_t largest_product =
        (std::uint64_t{1} << (layer_.weight_bits - 1)) * ((std::uint64_t{1} << input_bits) - 1);
    if (fan_in * largest_product >= accumulator_limit) {
      refuse(fmt::format(
                 "sums of {} products of {}-bit weights and {}-bit inputs can overflow 32 bits",
                 fan_in, layer_.weight_bits, input_bits),
             {}, "use fewer inputs or bits");
    }
  }

  const Layer& layer_;
  std::string place_;
};

std::vector<Signal> checked_signals(const Network& network, std::string_view place) {
  const auto refuse = [&](const std::string& problem) {
    throw core::DataError(core::error_line(place, problem, {}, correct));
  };
  const auto out_of_range = [](std::uint32_t extent) {
    return extent < 1 || extent > largest_extent;
  };
  if (std::any_of(network.input_shape.begin(), network.input_shape.end(), out_of_range) ||
      size_of(network.input_shape) > most_elements) {
    refuse(fmt::format("input_shape {} (1 .. {} each, {} values at most)",
                       text_of(network.input_shape), largest_extent, most_elements));
  }
  if (network.input_bits < 1 || network.input_bits > 8) {
    refuse(fmt::format("input_bits {} (1 .. 8)", network.input_bits));
  }
  if (network.layers.empty() || network.layers.size() > most_layers) {
    refuse(fmt::format("{} layers (1 .. {})", network.layers.size(), most_layers));
  }
  std::map<std::string, Signal, std::less<>> known{
      {"input", {network.input_shape, network.input_bits}}};
  std::vector<Signal> signals;
  std::uint64_t weights = 0;
  std::uint64_t values = 0;
  for (const Layer& layer : network.layers) {
    const LayerCheck layer_check(
        layer, fmt::format("{}: /layers/{:03}_{}", place, &layer - network.layers.data(),
                           core::excerpt(layer.name)));
    if (!is_plain_name(layer.name)) {
      layer_check.refuse("has no usable name (letters, digits, '_', '-', '.'; not 'input')");
    }
    if (known.contains(layer.name)) layer_check.refuse("its name is used twice");
    std::vector<Signal> inputs;
    for (const std::string& name : layer.inputs) {
      const auto found = known.find(name);
      if (found == known.end()) {
        layer_check.refuse(fmt::format("its input '{}' is not an earlier layer", name));
      }
      inputs.push_back(found->second);
    }
    signals.push_back(layer_check.output(inputs, &layer == &network.layers.back()));
    known.emplace(layer.name, signals.back());
    weights += layer.weight.size();
    if (weights > most_elements) {
      layer_check.refuse(fmt::format("more than {} weights in all", most_elements));
    }
    values += size_of(signals.back().shape);
    if (values > most_values) {
      layer_check.refuse(fmt::format("more than {} values at the outputs in all", most_values));
    }
  }
  if (signals.back().shape != Shape{network.classes, 1, 1}) {
    refuse(fmt::format("the last layer delivers {} (the {} classes x 1 x 1 are needed)",
                       text_of(signals.back().shape), network.classes));
  }
  return signals;
}

}  // namespace

void check(const Network& network, std::string_view place) { checked_signals(network, place); }

std::vector<std::array<std::uint32_t, 3>> output_shapes(const Network& network) {
  std::vector<Shape> shapes;
  for (const Signal& signal : checked_signals(network, "network")) shapes.push_back(signal.shape);
  return shapes;
}

}  // namespace cimstat::experiments
