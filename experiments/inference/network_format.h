#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "experiments/inference/network.h"

/// What reader and writer of network files share; experiments/formats/network.md has the format.
namespace cimstat::experiments {

inline constexpr std::string_view network_filetype = "cimstat network";
inline constexpr std::int64_t network_major = 1;
/// Before it a window had one number for all sides, only the last layer delivered real values, and
/// there were no groups, dilation, padding_level and quantise. Files without these say
/// plain_network_minor.
inline constexpr std::int64_t extended_network_minor = 2;
/// Brought the layers of transformers.
inline constexpr std::int64_t token_network_minor = 3;
/// Brought scale and concatenate, weights of 1 bit, inputs that are signs and levels that span
/// the map at hand.
inline constexpr std::int64_t joined_network_minor = 4;
inline constexpr std::int64_t binary_network_minor = 4;
inline constexpr std::int64_t map_range_network_minor = 4;
inline constexpr std::int64_t newest_network_minor = 4;
inline constexpr std::int64_t plain_network_minor = 1;

/// The first minor version whose files may hold such a layer.
inline std::int64_t first_minor(LayerKind kind) {
  if (kind > LayerKind::attend_values) return joined_network_minor;
  if (kind > LayerKind::quantise) return token_network_minor;
  return kind == LayerKind::quantise ? extended_network_minor : 0;
}

/// What `input_values` says of signs.
inline constexpr std::string_view signs_name = "signs";
/// What `range` says of LevelRange::map.
inline constexpr std::string_view map_range_name = "map";

inline bool is_binary(const Layer& layer) {
  return layer.weight_bits == 1 || layer.input_values == InputValues::signs;
}

/// Whether a file of this minor version may hold such a layer.
inline bool is_in_version(LayerKind kind, std::int64_t minor) { return minor >= first_minor(kind); }

inline std::string layer_group_name(std::size_t index, std::string_view name) {
  return fmt::format("{:03}_{}", index, name);
}

/// Whether the layer delivers real values other than the logits of a weighted last layer.
inline bool delivers_reals_inside(const Network& network, const Layer& layer) {
  const bool gives_logits = is_weighted(layer.kind) && &layer == &network.layers.back();
  return requantises(layer.kind) && layer.output_bits == 0 && !gives_logits;
}

}  // namespace cimstat::experiments
