#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "experiments/inference/layer_check.h"

/// The checks of layers that transformers have.
namespace cimstat::experiments {
namespace {

using Shape = std::array<std::uint32_t, 3>;

/// Of values whose squares are added up over the channels of a layer_norm.
constexpr double largest_normalised = 1e140;

std::uint64_t pixels_of(const Signal& map) { return std::uint64_t{map.shape[1]} * map.shape[2]; }

}  // namespace

void LayerCheck::check_token_numbers() const {
  if (layer_.zero_level != 0 && !is_product(layer_.kind)) {
    refuse(fmt::format("{} has no zero_level", name_of(layer_.kind)));
  }
  const bool is_norm = layer_.kind == LayerKind::layer_norm;
  if (!is_norm && !has_map_range(layer_) && layer_.epsilon != 0.0) {
    refuse(fmt::format("{} has no epsilon", name_of(layer_.kind)));
  }
  if (has_map_range(layer_) && !(layer_.epsilon >= 0.0 && std::isfinite(layer_.epsilon))) {
    refuse(fmt::format("epsilon {} (0 or above)", layer_.epsilon));
  }
  if (is_norm && !(layer_.epsilon > 0.0 && std::isfinite(layer_.epsilon))) {
    refuse(fmt::format("epsilon {} (above 0, so that channels may be equal)", layer_.epsilon));
  }
}

Shape LayerCheck::with_constants(const Signal& input) const {
  if (layer_.bias.size() != input.size()) {
    refuse(fmt::format("{} constants for an input of {}", layer_.bias.size(), shape_text(input)),
           "one for each value");
  }
  return input.shape;
}

Shape LayerCheck::with_tokens(const Signal& input) const {
  const std::uint64_t channels = input.shape[0];
  if (layer_.bias.empty() || layer_.bias.size() % channels != 0) {
    refuse(fmt::format("{} constants before an input of {}", layer_.bias.size(), shape_text(input)),
           "one for each channel of each token");
  }
  return {input.shape[0],
          static_cast<std::uint32_t>(pixels_of(input) + layer_.bias.size() / channels), 1};
}

Shape LayerCheck::normalised(const Signal& input) const {
  require_reals(input);
  require_scale_of_channels(input);
  if (input.largest > largest_normalised) {
    refuse(fmt::format("its input may be of {:.3g}, whose square is not finite", input.largest), {},
           "use smaller scales and biases before it");
  }
  return input.shape;
}

Shape LayerCheck::multiplied(const std::vector<Signal>& inputs) const {
  const Signal& first = inputs[0];
  const Signal& second = inputs[1];
  require_levels(first);
  require_levels(second, 1);
  const std::uint64_t heads = layer_.groups;
  const bool are_keys = layer_.kind == LayerKind::attend_keys;
  const std::uint64_t tokens = pixels_of(second);
  // Of each head: what meets in one sum.
  const std::uint64_t fan_in = are_keys ? first.shape[0] / heads : tokens;
  const bool fits = second.shape[0] % heads == 0 && first.shape[0] == heads * fan_in &&
                    (!are_keys || second.shape[0] == first.shape[0]);
  if (!fits) {
    refuse(fmt::format("{} heads on inputs of {} and {}", heads, shape_text(first),
                       shape_text(second)),
           are_keys ? "both have as many channels, which the heads share"
                    : "the first has a channel for each head and pixel of the second");
  }
  if (second.bits < 2) {
    refuse(fmt::format("its input '{}' has levels of 1 bit", layer_.inputs[1]),
           "with a sign they are 2 .. 8", "give it more bits");
  }
  if (layer_.zero_level >> first.bits != 0) {
    refuse(fmt::format("a zero_level of {} does not fit {} bits (0 .. {})", layer_.zero_level,
                       first.bits, (1U << first.bits) - 1));
  }
  check_accumulator(fan_in, second.bits, first.bits);
  const std::uint64_t channels = are_keys ? heads * tokens : second.shape[0];
  if (channels > most_elements) {
    refuse(fmt::format("delivers {} channels (at most {})", channels, most_elements));
  }
  return {static_cast<std::uint32_t>(channels), first.shape[1], first.shape[2]};
}

}  // namespace cimstat::experiments
