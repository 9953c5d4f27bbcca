#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/hdf5_file.h"
#include "core/provenance.h"

#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

constexpr std::string_view filetype = "cimstat network";
constexpr std::int64_t schema_major = 1;
constexpr std::int64_t schema_minor = 0;
constexpr std::uint64_t most_weights = std::uint64_t{1} << 26;
constexpr std::uint64_t most_channels = std::uint64_t{1} << 20;

std::string group_name(std::size_t index, std::string_view name) {
  return fmt::format("{:03}_{}", index, name);
}

std::optional<LayerKind> kind_of(std::string_view name) {
  for (const LayerKind kind :
       {LayerKind::convolution, LayerKind::fully_connected, LayerKind::relu, LayerKind::max_pool,
        LayerKind::average_pool, LayerKind::add, LayerKind::flatten}) {
    if (name_of(kind) == name) return kind;
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

std::uint32_t small_number(const core::Hdf5Input& input, const std::string& path,
                           std::string_view name, std::int64_t value) {
  if (value < 0 || value > std::numeric_limits<std::int32_t>::max()) {
    input.fail(path, fmt::format("attribute '{}' is {} (out of range)", name, value));
  }
  return static_cast<std::uint32_t>(value);
}

std::uint32_t small_number(const core::Hdf5Input& input, const std::string& path,
                           std::string_view name) {
  return small_number(input, path, name, input.integer_attribute(path, name));
}

void read_weights(const core::Hdf5Input& input, const std::string& path, std::uint64_t limit,
                  Layer& layer) {
  const std::string dataset = path + "/weight";
  const core::Shape64 shape = input.shape(dataset);
  const std::size_t rank = layer.kind == LayerKind::convolution ? 4 : 2;
  if (shape.size() != rank) {
    input.fail(dataset, fmt::format("has {} axes ({} of {} are needed)", shape.size(), rank,
                                    name_of(layer.kind)));
  }
  layer.weight_shape = {1, 1, 1, 1};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] < 1 || shape[axis] > most_weights) {
      input.fail(dataset, fmt::format("axis {} has {} elements (out of range)", axis, shape[axis]));
    }
    layer.weight_shape[axis] = static_cast<std::uint32_t>(shape[axis]);
  }
  for (const std::int64_t value : input.integers(dataset, limit)) {
    if (value < -128 || value > 127) {
      input.fail(dataset, fmt::format("holds {} (weights are -128 .. 127)", value));
    }
    layer.weight.push_back(static_cast<std::int8_t>(value));
  }
}

std::vector<double> read_vector(const core::Hdf5Input& input, const std::string& dataset) {
  if (input.shape(dataset).size() != 1) input.fail(dataset, "is not one-dimensional");
  return input.doubles(dataset, most_channels);
}

Layer read_layer(const core::Hdf5Input& input, const std::string& path,
                 std::uint64_t weight_limit) {
  Layer layer;
  layer.name = input.text_attribute(path, "name");
  const std::string kind = input.text_attribute(path, "kind");
  const std::optional<LayerKind> known = kind_of(kind);
  if (!known) input.fail(path, fmt::format("is of the unknown kind '{}'", kind));
  layer.kind = *known;
  layer.inputs = split(input.text_attribute(path, "inputs"));
  layer.kernel = small_number(input, path, "kernel");
  layer.stride = small_number(input, path, "stride");
  layer.padding = small_number(input, path, "padding");
  layer.weight_bits = small_number(input, path, "weight_bits");
  layer.output_bits = small_number(input, path, "output_bits");
  if (is_weighted(layer.kind)) read_weights(input, path, weight_limit, layer);
  if (input.has(path + "/scale")) layer.scale = read_vector(input, path + "/scale");
  if (input.has(path + "/bias")) layer.bias = read_vector(input, path + "/bias");
  return layer;
}

void write_layer(core::Hdf5Output& output, const std::string& path, const Layer& layer) {
  output.group(path);
  output.attribute(path, "name", layer.name);
  output.attribute(path, "kind", name_of(layer.kind));
  output.attribute(path, "inputs", fmt::format("{}", fmt::join(layer.inputs, ",")));
  output.attribute(path, "kernel", std::int64_t{layer.kernel});
  output.attribute(path, "stride", std::int64_t{layer.stride});
  output.attribute(path, "padding", std::int64_t{layer.padding});
  output.attribute(path, "weight_bits", std::int64_t{layer.weight_bits});
  output.attribute(path, "output_bits", std::int64_t{layer.output_bits});
  if (is_weighted(layer.kind)) {
    core::Shape64 shape(layer.weight_shape.begin(), layer.weight_shape.end());
    if (layer.kind == LayerKind::fully_connected) shape.resize(2);
    output.dataset(path + "/weight", std::span(layer.weight), shape);
  }
  if (!layer.scale.empty()) {
    output.dataset(path + "/scale", std::span(layer.scale), {layer.scale.size()});
    output.dataset(path + "/bias", std::span(layer.bias), {layer.bias.size()});
  }
}

}  // namespace

Network read_network(const std::filesystem::path& file) {
  const core::Hdf5Input input(file);
  input.require_type(filetype, schema_major);
  Network network;
  network.name = input.text_attribute("/", "name");
  network.description = input.text_attribute("/", "description");
  const std::vector<std::int64_t> shape = input.integers_attribute("/", "input_shape");
  if (shape.size() != 3)
    input.fail("/", "attribute 'input_shape' is not [channels, rows, columns]");
  for (std::size_t axis = 0; axis < 3; ++axis) {
    network.input_shape[axis] = small_number(input, "/", "input_shape", shape[axis]);
  }
  network.input_bits = small_number(input, "/", "input_bits");
  network.classes = small_number(input, "/", "classes");
  std::vector<std::string> groups = input.children("/layers");
  std::sort(groups.begin(), groups.end());
  std::uint64_t weights_left = most_weights;
  for (std::size_t index = 0; index < groups.size(); ++index) {
    const std::string path = "/layers/" + groups[index];
    Layer layer = read_layer(input, path, weights_left);
    if (groups[index] != group_name(index, layer.name)) {
      input.fail(path, fmt::format("is not called {} (its place and name)",
                                   group_name(index, layer.name)));
    }
    weights_left -= layer.weight.size();
    network.layers.push_back(std::move(layer));
  }
  check(network, file.string());
  return network;
}

void write_network(const Network& network, const std::filesystem::path& file) {
  check(network, file.string());
  core::Hdf5Output output(file);
  output.attribute("/", "filetype", filetype);
  output.attribute("/", "schema_version", std::vector{schema_major, schema_minor});
  output.attribute("/", "source", core::source_text());
  output.attribute("/", "name", network.name);
  output.attribute("/", "description", network.description);
  output.attribute(
      "/", "input_shape",
      std::vector<std::int64_t>(network.input_shape.begin(), network.input_shape.end()));
  output.attribute("/", "input_bits", std::int64_t{network.input_bits});
  output.attribute("/", "classes", std::int64_t{network.classes});
  output.group("/layers");
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const Layer& layer = network.layers[index];
    write_layer(output, "/layers/" + group_name(index, layer.name), layer);
  }
  output.commit();
}

}  // namespace cimstat::experiments
