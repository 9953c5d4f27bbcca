#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "experiments/inference/network_format.h"

namespace cimstat::experiments {
namespace {

constexpr std::uint64_t most_weights = std::uint64_t{1} << 26;
constexpr std::size_t most_layers = 999;
constexpr std::uint64_t most_channels = std::uint64_t{1} << 20;
constexpr std::uint64_t most_numbers = std::uint64_t{1} << 24;  // scales and biases in all
constexpr std::string_view correct = "correct the network and write it again";

constexpr std::array kinds = {
    LayerKind::convolution,    LayerKind::fully_connected, LayerKind::relu,
    LayerKind::max_pool,       LayerKind::average_pool,    LayerKind::add,
    LayerKind::flatten,        LayerKind::quantise,        LayerKind::add_constant,
    LayerKind::prepend_tokens, LayerKind::layer_norm,      LayerKind::gelu,
    LayerKind::softmax,        LayerKind::attend_keys,     LayerKind::attend_values,
    LayerKind::scale,          LayerKind::concatenate};

std::vector<std::string> kind_names(std::int64_t minor) {
  std::vector<std::string> names;
  for (const LayerKind kind : kinds) {
    if (is_in_version(kind, minor)) names.emplace_back(name_of(kind));
  }
  return names;
}

/// Refuses what came with a later version than the file says it is of.
[[noreturn]] void refuse_extended(const core::Hdf5Input& input, const std::string& path,
                                  const std::string& problem, std::int64_t minor,
                                  std::int64_t first_minor) {
  input.fail(path, problem,
             fmt::format("the file is of version {}.{}, and {}.{} brought this", network_major,
                         minor, network_major, first_minor),
             fmt::format("write schema_version [{}, {}]", network_major, first_minor));
}

LayerKind read_kind(const core::Hdf5Input& input, const std::string& path, std::int64_t minor) {
  const std::string name = input.text_attribute(path, "kind");
  const auto known = std::find_if(kinds.begin(), kinds.end(),
                                  [&](LayerKind kind) { return name_of(kind) == name; });
  if (known == kinds.end()) {
    const std::optional<std::string> meant = core::nearest(name, kind_names(minor));
    input.fail(path, fmt::format("is of the unknown kind '{}'", name), {},
               meant ? fmt::format("did you mean {}?", *meant)
                     : fmt::format("take one of {}", fmt::join(kind_names(minor), ", ")));
  }
  if (!is_in_version(*known, minor)) {
    refuse_extended(input, path, fmt::format("is of kind '{}'", name), minor, first_minor(*known));
  }
  return *known;
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
    input.fail(path, fmt::format("attribute '{}' is {}", name, value), "out of range", correct);
  }
  return static_cast<std::uint32_t>(value);
}

std::uint32_t small_number(const core::Hdf5Input& input, const std::string& path,
                           std::string_view name) {
  return small_number(input, path, name, input.integer_attribute(path, name));
}

/// One number for all of `count` sides, or one for each.
std::vector<std::uint32_t> read_sides(const core::Hdf5Input& input, const std::string& path,
                                      std::string_view name, std::size_t count,
                                      std::int64_t minor) {
  const std::vector<std::int64_t> stored = minor < extended_network_minor
                                               ? std::vector{input.integer_attribute(path, name)}
                                               : input.integers_attribute(path, name);
  if (stored.size() != 1 && stored.size() != count) {
    input.fail(path, fmt::format("attribute '{}' has {} numbers", name, stored.size()),
               fmt::format("1 or {}", count), correct);
  }
  std::vector<std::uint32_t> sides;
  for (std::size_t i = 0; i < count; ++i) {
    sides.push_back(small_number(input, path, name, stored[stored.size() == 1 ? 0 : i]));
  }
  return sides;
}

Extents read_extents(const core::Hdf5Input& input, const std::string& path, std::string_view name,
                     std::int64_t minor) {
  const std::vector<std::uint32_t> sides = read_sides(input, path, name, 2, minor);
  return {sides[0], sides[1]};
}

void read_weights(const core::Hdf5Input& input, const std::string& path, std::uint64_t limit,
                  Layer& layer) {
  const std::string dataset = path + "/weight";
  const core::Shape64 shape = input.shape(dataset);
  const std::size_t rank = layer.kind == LayerKind::convolution ? 4 : 2;
  if (shape.size() != rank) {
    input.fail(dataset, fmt::format("has {} axes", shape.size()),
               fmt::format("{} of {} are needed", rank, name_of(layer.kind)), correct);
  }
  layer.weight_shape = {1, 1, 1, 1};
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (shape[axis] < 1 || shape[axis] > most_weights) {
      input.fail(dataset, fmt::format("axis {} has {} elements", axis, shape[axis]),
                 fmt::format("1 to {}", most_weights), correct);
    }
    layer.weight_shape[axis] = static_cast<std::uint32_t>(shape[axis]);
  }
  for (const std::int64_t value : input.integers(dataset, limit)) {
    if (value < -128 || value > 127) {
      input.fail(dataset, fmt::format("holds {}", value), "weights are -128 to 127", correct);
    }
    layer.weight.push_back(static_cast<std::int8_t>(value));
  }
}

std::vector<double> read_vector(const core::Hdf5Input& input, const std::string& dataset,
                                std::uint64_t limit) {
  if (input.shape(dataset).size() != 1) {
    input.fail(dataset, "is not one-dimensional", {}, correct);
  }
  return input.doubles(dataset, limit);
}

/// Levels out of the range of their bits are the check's to refuse.
std::vector<std::uint8_t> read_levels(const core::Hdf5Input& input, const std::string& dataset) {
  if (input.shape(dataset).size() != 1) {
    input.fail(dataset, "is not one-dimensional", {}, correct);
  }
  std::vector<std::uint8_t> levels;
  for (const std::int64_t level : input.integers(dataset, most_channels)) {
    if (level < 0 || level > 255) {
      input.fail(dataset, fmt::format("holds {}", level), "levels are 0 to 255", correct);
    }
    levels.push_back(static_cast<std::uint8_t>(level));
  }
  return levels;
}

/// What a layer holds that this version does not know could change what it computes.
void require_known_layer(const core::Hdf5Input& input, const std::string& path, LayerKind kind,
                         std::int64_t minor) {
  std::vector<std::string> attributes = {"name",   "kind",    "inputs",      "kernel",
                                         "stride", "padding", "weight_bits", "output_bits"};
  if (minor >= extended_network_minor) attributes.insert(attributes.end(), {"dilation", "groups"});
  if (is_product(kind)) attributes.emplace_back("zero_level");
  if (kind == LayerKind::layer_norm) attributes.emplace_back("epsilon");
  if (is_weighted(kind) && minor >= binary_network_minor) attributes.emplace_back("input_values");
  if (kind == LayerKind::quantise && minor >= map_range_network_minor) {
    attributes.insert(attributes.end(), {"range", "epsilon"});
  }
  static const std::vector<std::string> dataset_attributes = {"units", "long_name"};
  std::vector<std::string> members;
  if (is_weighted(kind)) members.emplace_back("weight");
  if (requantises(kind)) members.insert(members.end(), {"scale", "bias"});
  if (kind == LayerKind::convolution && minor >= extended_network_minor) {
    members.emplace_back("padding_level");
  }
  input.require_known(path, members, attributes);
  for (const std::string& member : input.children(path)) {
    std::string dataset = path;
    dataset.append("/").append(member);
    input.require_known(dataset, {}, dataset_attributes);
    if (input.has_attribute(dataset, "units") && input.text_attribute(dataset, "units") != "1") {
      input.fail(dataset,
                 fmt::format("is in units of '{}'", input.text_attribute(dataset, "units")),
                 "weights, scales and biases are plain numbers", correct);
    }
  }
}

void require_known_root(const core::Hdf5Input& input) {
  static const std::vector<std::string> members = {"layers"};
  static const std::vector<std::string> attributes = {
      "filetype",    "schema_version", "source",  "name",          "description",
      "input_shape", "input_bits",     "classes", "content_sha256"};
  input.require_known("/", members, attributes);
  input.require_known("/layers", input.children("/layers"), {});
}

InputValues read_input_values(const core::Hdf5Input& input, const std::string& path) {
  const std::string name = input.text_attribute(path, "input_values");
  if (name == signs_name) return InputValues::signs;
  if (name == "levels") return InputValues::levels;
  input.fail(path, fmt::format("has input_values '{}'", name), {},
             fmt::format("write \"{}\", or leave it out for levels", signs_name));
}

LevelRange read_range(const core::Hdf5Input& input, const std::string& path) {
  const std::string name = input.text_attribute(path, "range");
  if (name == map_range_name) return LevelRange::map;
  if (name == "stored") return LevelRange::stored;
  input.fail(path, fmt::format("has range '{}'", name), {},
             fmt::format("write \"{}\", or leave it out for stored scales", map_range_name));
}

/// What may still be read.
struct Room {
  std::uint64_t weights = most_weights;
  std::uint64_t numbers = most_numbers;
};

Layer read_layer(const core::Hdf5Input& input, const std::string& path, const Room& room,
                 std::int64_t minor) {
  Layer layer;
  layer.name = input.text_attribute(path, "name");
  layer.kind = read_kind(input, path, minor);
  layer.inputs = split(input.text_attribute(path, "inputs"));
  layer.kernel = read_extents(input, path, "kernel", minor);
  layer.stride = read_extents(input, path, "stride", minor);
  const std::vector<std::uint32_t> sides = read_sides(input, path, "padding", 4, minor);
  layer.padding = {sides[0], sides[1], sides[2], sides[3]};
  layer.weight_bits = small_number(input, path, "weight_bits");
  layer.output_bits = small_number(input, path, "output_bits");
  if (is_weighted(layer.kind)) read_weights(input, path, room.weights, layer);
  if (input.has(path + "/scale")) layer.scale = read_vector(input, path + "/scale", room.numbers);
  if (input.has(path + "/bias")) {
    layer.bias = read_vector(input, path + "/bias", room.numbers - layer.scale.size());
  }
  if (minor < extended_network_minor) return layer;
  if (input.has_attribute(path, "dilation")) {
    layer.dilation = read_extents(input, path, "dilation", minor);
  }
  if (input.has_attribute(path, "groups")) layer.groups = small_number(input, path, "groups");
  if (is_product(layer.kind) && input.has_attribute(path, "zero_level")) {
    layer.zero_level = small_number(input, path, "zero_level");
  }
  if (layer.kind == LayerKind::layer_norm) {
    layer.epsilon = input.number_attribute(path, "epsilon");
  }
  if (input.has(path + "/padding_level")) {
    layer.padding_level = read_levels(input, path + "/padding_level");
  }
  if (is_weighted(layer.kind) && input.has_attribute(path, "input_values")) {
    if (minor < binary_network_minor) {
      refuse_extended(input, path, "has input_values", minor, binary_network_minor);
    }
    layer.input_values = read_input_values(input, path);
  }
  if (layer.kind == LayerKind::quantise && minor >= map_range_network_minor) {
    if (input.has_attribute(path, "range")) layer.range = read_range(input, path);
    if (input.has_attribute(path, "epsilon")) {
      layer.epsilon = input.number_attribute(path, "epsilon");
    }
  }
  return layer;
}

}  // namespace

Network read_network(const std::filesystem::path& file) {
  const core::Hdf5Input input(file);
  input.require_type(network_filetype, network_major);
  const std::int64_t minor = input.integers_attribute("/", "schema_version").at(1);
  const bool is_known_version = minor <= newest_network_minor;
  if (is_known_version) require_known_root(input);
  Network network;
  network.name = input.text_attribute("/", "name");
  network.description = input.text_attribute("/", "description");
  const std::vector<std::int64_t> shape = input.integers_attribute("/", "input_shape");
  if (shape.size() != 3) {
    input.fail("/", "attribute 'input_shape' is not [channels, rows, columns]", {}, correct);
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    network.input_shape[axis] = small_number(input, "/", "input_shape", shape[axis]);
  }
  network.input_bits = small_number(input, "/", "input_bits");
  network.classes = small_number(input, "/", "classes");
  std::vector<std::string> groups = input.children("/layers");
  if (groups.size() > most_layers) {
    input.fail("/layers", fmt::format("has {} members", groups.size()),
               fmt::format("{} layers at most", most_layers), correct);
  }
  std::sort(groups.begin(), groups.end());
  Room room;
  for (std::size_t index = 0; index < groups.size(); ++index) {
    const std::string path = "/layers/" + groups[index];
    Layer layer = read_layer(input, path, room, minor);
    if (groups[index] != layer_group_name(index, layer.name)) {
      input.fail(path, fmt::format("is not called {}", layer_group_name(index, layer.name)),
                 "its place and name", correct);
    }
    if (is_known_version) require_known_layer(input, path, layer.kind, minor);
    room.weights -= layer.weight.size();
    room.numbers -= layer.scale.size() + layer.bias.size();
    network.layers.push_back(std::move(layer));
  }
  for (std::size_t index = 0; index < groups.size(); ++index) {
    if (minor < binary_network_minor && network.layers[index].weight_bits == 1) {
      refuse_extended(input, "/layers/" + groups[index], "has weight_bits 1", minor,
                      binary_network_minor);
    }
    if (minor < extended_network_minor && delivers_reals_inside(network, network.layers[index])) {
      refuse_extended(input, "/layers/" + groups[index], "has output_bits 0, for real values",
                      minor, extended_network_minor);
    }
  }
  check(network, file.string());
  if (input.has_attribute("/", "content_sha256") &&
      input.text_attribute("/", "content_sha256") != content_hash(network)) {
    input.fail("/", "content_sha256 is not that of the layers", "damaged or edited",
               "restore the file, or write it again without that attribute");
  }
  return network;
}

}  // namespace cimstat::experiments
