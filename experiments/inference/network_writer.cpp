#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "experiments/inference/network_format.h"

namespace cimstat::experiments {
namespace {

/// The first version that has all of the network's kinds.
std::int64_t minor_of_kinds(const Network& network) {
  std::int64_t minor = 0;
  for (const Layer& layer : network.layers) minor = std::max(minor, first_minor(layer.kind));
  return minor;
}

bool is_extended(const Network& network) {
  return std::any_of(network.layers.begin(), network.layers.end(), [&](const Layer& layer) {
    return !is_in_version(layer.kind, plain_network_minor) || !layer.kernel.is_square() ||
           !layer.stride.is_square() || !layer.padding.is_even() || layer.dilation != Extents() ||
           layer.groups != 1 || !layer.padding_level.empty() ||
           delivers_reals_inside(network, layer);
  });
}

/// The first version that has all that the network needs.
std::int64_t minor_of(const Network& network) {
  const bool has_binary = std::any_of(network.layers.begin(), network.layers.end(), is_binary);
  const bool has_range = std::any_of(network.layers.begin(), network.layers.end(), has_map_range);
  return std::max({minor_of_kinds(network), has_binary ? binary_network_minor : 0,
                   has_range ? map_range_network_minor : 0,
                   is_extended(network) ? extended_network_minor : plain_network_minor});
}

void write_extents(core::Hdf5Output& output, const std::string& path, std::string_view name,
                   Extents extents) {
  if (extents.is_square()) {
    output.attribute(path, name, std::int64_t{extents.rows});
  } else {
    output.attribute(path, name, std::vector<std::int64_t>{extents.rows, extents.columns});
  }
}

void write_padding(core::Hdf5Output& output, const std::string& path, const Padding& padding) {
  if (padding.is_even()) {
    output.attribute(path, "padding", std::int64_t{padding.top});
  } else {
    output.attribute(
        path, "padding",
        std::vector<std::int64_t>{padding.top, padding.left, padding.bottom, padding.right});
  }
}

void write_layer(core::Hdf5Output& output, const std::string& path, const Layer& layer) {
  output.group(path);
  output.attribute(path, "name", layer.name);
  output.attribute(path, "kind", name_of(layer.kind));
  output.attribute(path, "inputs", fmt::format("{}", fmt::join(layer.inputs, ",")));
  write_extents(output, path, "kernel", layer.kernel);
  write_extents(output, path, "stride", layer.stride);
  write_padding(output, path, layer.padding);
  output.attribute(path, "weight_bits", std::int64_t{layer.weight_bits});
  output.attribute(path, "output_bits", std::int64_t{layer.output_bits});
  if (layer.dilation != Extents()) write_extents(output, path, "dilation", layer.dilation);
  if (layer.groups != 1) output.attribute(path, "groups", std::int64_t{layer.groups});
  if (layer.zero_level != 0) output.attribute(path, "zero_level", std::int64_t{layer.zero_level});
  if (layer.epsilon != 0.0) output.attribute(path, "epsilon", layer.epsilon);
  if (layer.input_values == InputValues::signs) {
    output.attribute(path, "input_values", signs_name);
  }
  if (has_map_range(layer)) output.attribute(path, "range", map_range_name);
  if (is_weighted(layer.kind)) {
    core::Shape64 shape(layer.weight_shape.begin(), layer.weight_shape.end());
    if (layer.kind == LayerKind::fully_connected) shape.resize(2);
    output.dataset(path + "/weight", std::span(layer.weight), shape);
  }
  if (!layer.scale.empty()) {
    output.dataset(path + "/scale", std::span(layer.scale), {layer.scale.size()});
    output.dataset(path + "/bias", std::span(layer.bias), {layer.bias.size()});
  }
  if (!layer.padding_level.empty()) {
    output.dataset(path + "/padding_level", std::span(layer.padding_level),
                   {layer.padding_level.size()});
  }
}

}  // namespace

void write_network(const Network& network, const std::filesystem::path& file) {
  check(network, file.string());
  core::Hdf5Output output(file);
  output.attribute("/", "filetype", network_filetype);
  output.attribute("/", "schema_version", std::vector{network_major, minor_of(network)});
  output.attribute("/", "source", core::source_text());
  output.attribute("/", "name", network.name);
  output.attribute("/", "description", network.description);
  output.attribute(
      "/", "input_shape",
      std::vector<std::int64_t>(network.input_shape.begin(), network.input_shape.end()));
  output.attribute("/", "input_bits", std::int64_t{network.input_bits});
  output.attribute("/", "classes", std::int64_t{network.classes});
  output.attribute("/", "content_sha256", content_hash(network));
  output.group("/layers");
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const Layer& layer = network.layers[index];
    write_layer(output, "/layers/" + layer_group_name(index, layer.name), layer);
  }
  output.commit();
}

}  // namespace cimstat::experiments
