#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "experiments/inference/layer_check.h"

/// What a layer's numbers must be, whatever its inputs.
namespace cimstat::experiments {
namespace {

constexpr std::uint32_t largest_window = 64;

std::string text_of(const Padding& padding) {
  return padding.is_even() ? fmt::format("{}", padding.top)
                           : fmt::format("[{}, {}, {}, {}]", padding.top, padding.left,
                                         padding.bottom, padding.right);
}

bool is_window_size(Extents extents) {
  const auto fits = [](std::uint32_t side) { return side >= 1 && side <= largest_window; };
  return fits(extents.rows) && fits(extents.columns);
}

/// So that no window lies in the padding as a whole.
bool is_padding_of(const Layer& layer) {
  const Extents reach = window_reach(layer);
  return std::max(layer.padding.top, layer.padding.bottom) < reach.rows &&
         std::max(layer.padding.left, layer.padding.right) < reach.columns;
}

}  // namespace

void LayerCheck::check_window() const {
  const auto numbers = [&] {
    return fmt::format("kernel {}, stride {}, {}padding {}", extents_text(layer_.kernel),
                       extents_text(layer_.stride),
                       layer_.dilation == Extents()
                           ? std::string()
                           : fmt::format("dilation {}, ", extents_text(layer_.dilation)),
                       text_of(layer_.padding));
  };
  if (!has_window(layer_.kind)) {
    if (layer_.kernel != Extents() || layer_.stride != Extents() || layer_.dilation != Extents() ||
        layer_.padding != Padding()) {
      refuse(fmt::format("{} has no kernel, stride, dilation or padding (1, 1, 1, 0)",
                         name_of(layer_.kind)));
    }
    return;
  }
  const bool sized = is_window_size(layer_.kernel) && is_window_size(layer_.stride);
  if (layer_.dilation == Extents()) {
    if (!sized || !is_padding_of(layer_)) {
      refuse(fmt::format("{} (1 .. {}, 1 .. {}, less than the kernel)", numbers(), largest_window,
                         largest_window));
    }
  } else if (!sized || !is_window_size(layer_.dilation) || !is_padding_of(layer_)) {
    refuse(fmt::format("{} (1 .. {} each, less than (kernel - 1) x dilation + 1)", numbers(),
                       largest_window));
  }
}

void LayerCheck::check_groups() const {
  const bool has_heads = layer_.kind == LayerKind::softmax || is_product(layer_.kind);
  if (has_heads && layer_.groups < 1) refuse("groups 0 (1 or more)");
  if (layer_.kind != LayerKind::convolution) {
    if (layer_.groups != 1 && !has_heads)
      refuse(fmt::format("{} has no groups (1)", name_of(layer_.kind)));
    if (!layer_.padding_level.empty()) {
      refuse(fmt::format("{} has no padding_level", name_of(layer_.kind)));
    }
  } else if (layer_.groups < 1 || layer_.weight_shape[0] % layer_.groups != 0) {
    refuse(fmt::format("groups {} (a divisor of its {} output channels)", layer_.groups,
                       layer_.weight_shape[0]));
  }
}

void LayerCheck::check_weights() const {
  if (!is_weighted(layer_.kind)) {
    if (layer_.input_values != InputValues::levels) {
      refuse(fmt::format("{} has no input_values", name_of(layer_.kind)));
    }
    if (!layer_.weight.empty() || layer_.weight_bits != 0 ||
        layer_.weight_shape != decltype(layer_.weight_shape){}) {
      refuse(fmt::format("{} has no weights", name_of(layer_.kind)));
    }
    return;
  }
  if (layer_.weight_bits < 1 || layer_.weight_bits > 8) {
    refuse(fmt::format("weight_bits {} (1 .. 8)", layer_.weight_bits));
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
  if (layer_.weight_bits == 1) {
    for (const std::int8_t weight : layer_.weight) {
      if (weight == -1 || weight == 1) continue;
      refuse(fmt::format("a weight of {} is not of 1 bit", weight), "such weights are -1 and 1");
    }
    return;
  }
  const int limit = 1 << (layer_.weight_bits - 1);
  for (const std::int8_t weight : layer_.weight) {
    if (weight < -limit || weight >= limit) {
      refuse(fmt::format("a weight of {} does not fit {} bits ({} .. {})", weight,
                         layer_.weight_bits, -limit, limit - 1));
    }
  }
}

void LayerCheck::check_scale() const {
  std::size_t scales = requantises(layer_.kind) && !has_map_range(layer_) ? 1 : 0;
  std::size_t biases = scales;
  if (is_weighted(layer_.kind)) scales = biases = layer_.weight_shape[0];
  if (layer_.kind == LayerKind::add) scales = 2;
  // As many as their inputs ask for, which is checked with these.
  const bool has_lists =
      layer_.kind == LayerKind::add_constant || layer_.kind == LayerKind::prepend_tokens;
  if (layer_.kind == LayerKind::layer_norm || layer_.kind == LayerKind::scale) {
    scales = biases = layer_.scale.size();
  }
  if (layer_.kind == LayerKind::concatenate) scales = biases = layer_.inputs.size();
  if (has_lists) biases = layer_.bias.size();
  if (layer_.scale.size() != scales || layer_.bias.size() != biases) {
    refuse(fmt::format("{} scales and {} biases ({} and {} are needed)", layer_.scale.size(),
                       layer_.bias.size(), scales, biases));
  }
  if (has_map_range(layer_) && layer_.kind != LayerKind::quantise) {
    refuse(fmt::format("{} has no range", name_of(layer_.kind)), "a quantise layer has one");
  }
  const auto is_finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(layer_.scale.begin(), layer_.scale.end(), is_finite) ||
      !std::all_of(layer_.bias.begin(), layer_.bias.end(), is_finite)) {
    refuse("a scale or bias is not finite");
  }
}

void LayerCheck::check_bits(LayerPosition position) const {
  const auto check_range = [&](std::uint32_t least, std::uint32_t most, std::string_view why) {
    if (layer_.output_bits < least || layer_.output_bits > most) {
      refuse(fmt::format("output_bits {} ({})", layer_.output_bits, why));
    }
  };
  if (!requantises(layer_.kind)) {
    check_range(0, 0, "0: it keeps those of its input");
  } else if (layer_.kind == LayerKind::quantise) {
    check_range(1, 8, "1 .. 8");
  } else if (position == LayerPosition::last && is_weighted(layer_.kind)) {
    check_range(0, 0, "0 for the logits");
  } else {
    check_range(0, 8, "1 .. 8; 0 for real values");
  }
}

}  // namespace cimstat::experiments
