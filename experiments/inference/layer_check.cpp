#include "experiments/inference/layer_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/counted.h"
#include "experiments/inference/digital_layer.h"

namespace cimstat::experiments {
namespace {

using Shape = std::array<std::uint32_t, 3>;

constexpr std::uint32_t largest_side = 1U << 20;  // of a map; a stream of random numbers each row
constexpr std::uint64_t most_padded = std::uint64_t{1} << 28;
constexpr std::uint64_t accumulator_limit = std::uint64_t{1} << 31;
constexpr double largest_sum = 0x1p63;  // also of codes that are misread

}  // namespace

Signal levels(const Shape& shape, std::uint32_t bits) {
  return {shape, bits, static_cast<double>((1U << bits) - 1)};
}

std::string shape_text(const Signal& signal) {
  return fmt::format("{}", fmt::join(signal.shape, " x "));
}

std::string extents_text(Extents extents) {
  return extents.is_square() ? fmt::format("{}", extents.rows)
                             : fmt::format("{} x {}", extents.rows, extents.columns);
}

LayerCheck::LayerCheck(const Layer& layer, std::string place)
    : layer_(layer), place_(std::move(place)) {}

void LayerCheck::refuse(std::string_view problem, std::string_view why,
                        std::string_view remedy) const {
  throw core::DataError(core::error_line(place_, core::excerpt(problem), why,
                                         remedy.empty() ? correct_network : remedy));
}

Signal LayerCheck::output(const std::vector<Signal>& inputs, LayerPosition position) const {
  // In the order in which they rely on each other.
  check_window();
  check_groups();
  check_weights();
  check_scale();
  check_token_numbers();
  check_bits(position);
  const bool joins = layer_.kind == LayerKind::concatenate;
  const std::size_t wanted =
      joins || layer_.kind == LayerKind::add || is_product(layer_.kind) ? 2 : 1;
  if (joins ? inputs.size() < wanted : inputs.size() != wanted) {
    refuse(fmt::format("has {} inputs ({} takes {}{})", inputs.size(), name_of(layer_.kind), wanted,
                       joins ? " or more" : ""));
  }
  check_own_steps(inputs);
  Signal result{.shape = output_shape(inputs),
                .bits = requantises(layer_.kind) ? layer_.output_bits : inputs[0].bits,
                .largest = largest_value(inputs)};
  if (result.size() > most_elements || std::max(result.shape[1], result.shape[2]) > largest_side) {
    refuse(fmt::format("delivers {} values (at most {}, and {} to a side)", shape_text(result),
                       most_elements, largest_side));
  }
  if (!result.is_real()) {
    if (position == LayerPosition::last) {
      refuse("is the last one but not a weighted layer that gives logits",
             "nor another of real values");
    }
    result = levels(result.shape, result.bits);
    result.step = largest_step(inputs[0]);
  }
  return result;
}

/// A step that each image decides can be taken into account behind sums of products alone.
void LayerCheck::check_own_steps(const std::vector<Signal>& inputs) const {
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    const bool takes_signs = layer_.input_values == InputValues::signs;
    const bool can = !requantises(layer_.kind) || (is_weighted(layer_.kind) && !takes_signs);
    if (inputs[index].step == 0.0 || can) continue;
    refuse(fmt::format("its input '{}' has a step of its own in each image", layer_.inputs[index]),
           fmt::format("{} knows stored steps", takes_signs ? "signs" : name_of(layer_.kind)),
           "let weighted layers alone read such levels");
  }
}

double LayerCheck::largest_step(const Signal& input) const {
  if (has_map_range(layer_)) {
    const double step = (std::min(input.largest, largest_of_a_map) + layer_.epsilon) /
                        levels(input.shape, layer_.output_bits).largest;
    return std::max(step, std::numeric_limits<double>::min());  // 0 says that there is none
  }
  return requantises(layer_.kind) ? 0.0 : input.step;
}

/// Values that leave the range of a double can cancel to NaN, which is no level of an output.
double LayerCheck::largest_value(const std::vector<Signal>& inputs) const {
  double largest = inputs[0].largest;
  const auto scaled = [&](std::size_t channel, double sum) {
    return sum * std::abs(layer_.scale[channel]) + std::abs(layer_.bias[channel]);
  };
  if (is_weighted(layer_.kind)) {
    largest = 0.0;
    const double sum = inputs[0].step > 0.0 ? largest_sum * inputs[0].step : largest_sum;
    for (std::size_t channel = 0; channel < layer_.scale.size(); ++channel) {
      largest = std::max(largest, scaled(channel, sum));
    }
  } else if (layer_.kind == LayerKind::average_pool) {
    largest = scaled(0, largest * layer_.kernel.rows * layer_.kernel.columns);
  } else if (has_map_range(layer_)) {
    largest = largest_step(inputs[0]);
  } else if (layer_.kind == LayerKind::quantise) {
    largest = scaled(0, largest);
  } else if (layer_.kind == LayerKind::scale || layer_.kind == LayerKind::concatenate) {
    const bool by_input = layer_.kind == LayerKind::concatenate;
    largest = 0.0;
    for (std::size_t place = 0; place < layer_.scale.size(); ++place) {
      largest = std::max(largest, scaled(place, inputs[by_input ? place : 0].largest));
    }
  } else if (layer_.kind == LayerKind::add) {
    largest = scaled(0, largest) + inputs[1].largest * std::abs(layer_.scale[1]);
  } else if (is_product(layer_.kind)) {
    largest = scaled(0, 2.0 * largest_sum);
  } else if (layer_.kind == LayerKind::softmax) {
    largest = 1.0;
  } else if (layer_.kind == LayerKind::layer_norm) {
    const double most = std::sqrt(static_cast<double>(layer_.scale.size()));
    largest = 0.0;
    for (std::size_t channel = 0; channel < layer_.scale.size(); ++channel) {
      largest = std::max(largest, scaled(channel, most));
    }
  } else if (layer_.kind == LayerKind::add_constant || layer_.kind == LayerKind::prepend_tokens) {
    double constant = 0.0;
    for (const double bias : layer_.bias) constant = std::max(constant, std::abs(bias));
    largest = largest * std::abs(layer_.scale[0]) + constant;
  }
  if (!std::isfinite(largest)) {
    refuse("its scales and biases can give a value that is not finite", {},
           "use smaller scales and biases");
  }
  return largest;
}

Shape LayerCheck::output_shape(const std::vector<Signal>& inputs) const {
  const Signal& input = inputs[0];
  switch (layer_.kind) {
    case LayerKind::convolution:
      return convolved(input);
    case LayerKind::fully_connected:
      return connected(input);
    case LayerKind::max_pool:
      if (input.is_real() && layer_.padding != Padding()) {
        refuse("pads real values",
               "windows over the edge see zeros, which may be more than the values",
               "pad with 0, or put a quantise layer before it");
      }
      return slid(input, input.shape[0]);
    case LayerKind::average_pool:
      return slid(input, input.shape[0]);
    case LayerKind::flatten:
      return {static_cast<std::uint32_t>(input.size()), 1, 1};
    case LayerKind::relu:
    case LayerKind::quantise:
      return input.shape;
    case LayerKind::add:
      if (inputs[1].shape != input.shape) {
        refuse(fmt::format("its inputs differ in shape ({} and {})", shape_text(input),
                           shape_text(inputs[1])));
      }
      return input.shape;
    case LayerKind::add_constant:
      return with_constants(input);
    case LayerKind::prepend_tokens:
      return with_tokens(input);
    case LayerKind::layer_norm:
      return normalised(input);
    case LayerKind::gelu:
      require_reals(input);
      return input.shape;
    case LayerKind::softmax:
      require_reals(input);
      if (input.shape[0] % layer_.groups != 0) {
        refuse(
            fmt::format("groups {} (a divisor of its {} channels)", layer_.groups, input.shape[0]));
      }
      return input.shape;
    case LayerKind::attend_keys:
    case LayerKind::attend_values:
      return multiplied(inputs);
    case LayerKind::scale:
      require_scale_of_channels(input);
      return input.shape;
    case LayerKind::concatenate:
      return joined(inputs);
  }
  refuse("is of an unknown kind");
}

Shape LayerCheck::slid(const Signal& input, std::uint32_t channels) const {
  const Extents reach = window_reach(layer_);
  const Padding& padding = layer_.padding;
  if (input.shape[1] + padding.top + padding.bottom < reach.rows ||
      input.shape[2] + padding.left + padding.right < reach.columns) {
    refuse(fmt::format("a kernel of {} does not fit an input of {}", extents_text(reach),
                       shape_text(input)));
  }
  const Extents places = window_places(layer_, {input.shape[1], input.shape[2]});
  return {channels, places.rows, places.columns};
}

Shape LayerCheck::convolved(const Signal& input) const {
  const auto& shape = layer_.weight_shape;
  if (shape[2] != layer_.kernel.rows || shape[3] != layer_.kernel.columns ||
      std::uint64_t{shape[1]} * layer_.groups != input.shape[0]) {
    refuse(fmt::format(
        "weights {} {}do not fit a kernel of {} on an input of {}", fmt::join(shape, " x "),
        layer_.groups == 1 ? std::string() : fmt::format("in {} groups ", layer_.groups),
        extents_text(layer_.kernel), shape_text(input)));
  }
  require_levels(input);
  check_signs(input);
  check_padding_level(input);
  check_accumulator(std::uint64_t{shape[1]} * shape[2] * shape[3], layer_.weight_bits, input.bits);
  const std::uint64_t rows =
      std::uint64_t{input.shape[1]} + layer_.padding.top + layer_.padding.bottom;
  const std::uint64_t columns =
      std::uint64_t{input.shape[2]} + layer_.padding.left + layer_.padding.right;
  if (rows * columns > most_padded / input.shape[0]) {
    refuse(fmt::format("pads its input to {} x {} x {} values (at most {})", input.shape[0], rows,
                       columns, most_padded));
  }
  return slid(input, shape[0]);
}

void LayerCheck::check_padding_level(const Signal& input) const {
  if (layer_.padding_level.empty()) return;
  if (layer_.padding_level.size() != input.shape[0]) {
    refuse(fmt::format("{} levels of padding_level ({} input channels)",
                       layer_.padding_level.size(), input.shape[0]));
  }
  const std::uint32_t highest = (1U << input.bits) - 1;
  for (const std::uint8_t level : layer_.padding_level) {
    if (level > highest) {
      refuse(fmt::format("a padding_level of {} does not fit {} bits (0 .. {})", level, input.bits,
                         highest));
    }
  }
}

void LayerCheck::check_signs(const Signal& input) const {
  if (layer_.input_values != InputValues::signs) return;
  if (input.bits != 1) {
    refuse(fmt::format("takes {} for signs", counted(input.bits, "bit")),
           "-1 and 1 are levels of 1 bit", fmt::format("let '{}' deliver 1 bit", layer_.inputs[0]));
  }
  if (!layer_.padding_level.empty()) {
    refuse("has a padding_level of signs", "points beyond the edge add nothing to them",
           "leave padding_level out");
  }
}

Shape LayerCheck::connected(const Signal& input) const {
  const auto& shape = layer_.weight_shape;
  if (shape[2] != 1 || shape[3] != 1 || shape[1] != input.size()) {
    refuse(fmt::format("weights {} do not fit an input of {}", fmt::join(shape, " x "),
                       shape_text(input)));
  }
  require_levels(input);
  check_signs(input);
  check_accumulator(shape[1], layer_.weight_bits, input.bits);
  return {shape[0], 1, 1};
}

Shape LayerCheck::joined(const std::vector<Signal>& inputs) const {
  Shape shape = inputs[0].shape;
  std::uint64_t channels = 0;
  for (const Signal& input : inputs) {
    if (input.shape[1] != shape[1] || input.shape[2] != shape[2]) {
      refuse(fmt::format("its inputs differ in rows or columns ({} and {})", shape_text(inputs[0]),
                         shape_text(input)),
             "their channels follow each other");
    }
    channels += input.shape[0];
  }
  if (channels > most_elements) {
    refuse(fmt::format("delivers {} channels (at most {})", channels, most_elements));
  }
  shape[0] = static_cast<std::uint32_t>(channels);
  return shape;
}

void LayerCheck::require_scale_of_channels(const Signal& input) const {
  if (layer_.scale.size() == input.shape[0]) return;
  refuse(fmt::format("{} scales for an input of {}", layer_.scale.size(), shape_text(input)),
         "one for each channel");
}

void LayerCheck::require_levels(const Signal& input, std::size_t index) const {
  if (!input.is_real()) return;
  refuse(fmt::format("its input '{}' delivers real values", layer_.inputs[index]),
         fmt::format("{} takes levels", name_of(layer_.kind)), "put a quantise layer between them");
}

void LayerCheck::require_reals(const Signal& input) const {
  if (input.is_real()) return;
  refuse(fmt::format("its input '{}' delivers levels", layer_.inputs[0]),
         fmt::format("{} takes real values", name_of(layer_.kind)),
         "let that one deliver real values, or scale them back by an add_constant");
}

void LayerCheck::check_accumulator(std::uint64_t fan_in, std::uint32_t weight_bits,
                                   std::uint32_t input_bits) const {
  const std::uint64_t largest_product =
      (std::uint64_t{1} << (weight_bits - 1)) * ((std::uint64_t{1} << input_bits) - 1);
  if (fan_in * largest_product >= accumulator_limit) {
    refuse(
        fmt::format("sums of {} products of {}-bit weights and {}-bit inputs can overflow 32 bits",
                    fan_in, weight_bits, input_bits),
        {}, "use fewer inputs or bits");
  }
}

}  // namespace cimstat::experiments
