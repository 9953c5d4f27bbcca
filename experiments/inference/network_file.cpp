#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/config/config.h"
#include "core/file/hdf5_file.h"
#include "core/file/provenance.h"

#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

constexpr std::string_view filetype = "cimstat network";
constexpr std::int64_t schema_major = 1;
constexpr std::int64_t schema_minor = 1;
constexpr std::uint64_t most_weights = std::uint64_t{1} << 26;
constexpr std::size_t most_layers = 999;
constexpr std::uint64_t most_channels = std::uint64_t{1} << 20;
constexpr std::string_view correct = "correct the network and write it again";

/// One number after the other, little-endian; texts behind their length.
class Digest {
 public:
  void add(std::uint64_t word) {
    for (unsigned byte = 0; byte < 8; ++byte) {
      bytes_.push_back(static_cast<char>(static_cast<unsigned char>(word >> (8 * byte))));
    }
  }
  void add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_ += text;
  }
  void add(const std::vector<double>& numbers) {
    add(std::uint64_t{numbers.size()});
    for (const double number : numbers) add(std::bit_cast<std::uint64_t>(number));
  }
  void add(const std::vector<std::int8_t>& weights) {
    add(std::uint64_t{weights.size()});
    for (const std::int8_t weight : weights) bytes_.push_back(static_cast<char>(weight));
  }
  std::string sha256() const { return core::sha256(bytes_); }

 private:
  std::string bytes_;
};

std::string group_name(std::size_t index, std::string_view name) {
  return fmt::format("{:03}_{}", index, name);
}

constexpr std::array kinds = {LayerKind::convolution, LayerKind::fully_connected, LayerKind::relu,
                              LayerKind::max_pool,    LayerKind::average_pool,    LayerKind::add,
                              LayerKind::flatten};

std::optional<LayerKind> kind_of(std::string_view name) {
  const auto place = std::find_if(kinds.begin(), kinds.end(),
                                  [&](LayerKind kind) { return name_of(kind) == name; });
  return place == kinds.end() ? std::nullopt : std::optional(*place);
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  names.reserve(std::size(kinds));
  for (const LayerKind kind : kinds) names.emplace_back(name_of(kind));
  return names;
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

std::vector<double> read_vector(const core::Hdf5Input& input, const std::string& dataset) {
  if (input.shape(dataset).size() != 1) {
    input.fail(dataset, "is not one-dimensional", {}, correct);
  }
  return input.doubles(dataset, most_channels);
}

/// What a layer holds that this version does not know could change what it computes.
void require_known_layer(const core::Hdf5Input& input, const std::string& path, LayerKind kind) {
  static const std::vector<std::string> attributes = {
      "name", "kind", "inputs", "kernel", "stride", "padding", "weight_bits", "output_bits"};
  static const std::vector<std::string> dataset_attributes = {"units", "long_name"};
  std::vector<std::string> members;
  if (is_weighted(kind)) members.emplace_back("weight");
  if (requantises(kind)) members.insert(members.end(), {"scale", "bias"});
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

Layer read_layer(const core::Hdf5Input& input, const std::string& path,
                 std::uint64_t weight_limit) {
  Layer layer;
  layer.name = input.text_attribute(path, "name");
  const std::string kind = input.text_attribute(path, "kind");
  const std::optional<LayerKind> known = kind_of(kind);
  if (!known) {
    const std::optional<std::string> meant = core::nearest(kind, kind_names());
    input.fail(path, fmt::format("is of the unknown kind '{}'", kind), {},
               meant ? fmt::format("did you mean {}?", *meant)
                     : fmt::format("take one of {}", fmt::join(kind_names(), ", ")));
  }
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

std::string content_hash(const Network& network) {
  Digest digest;
  for (const std::uint32_t extent : network.input_shape) digest.add(std::uint64_t{extent});
  digest.add(std::uint64_t{network.input_bits});
  digest.add(std::uint64_t{network.classes});
  digest.add(std::uint64_t{network.layers.size()});
  for (const Layer& layer : network.layers) {
    digest.add(layer.name);
    digest.add(name_of(layer.kind));
    digest.add(std::uint64_t{layer.inputs.size()});
    for (const std::string& name : layer.inputs) digest.add(name);
    for (const std::uint32_t number :
         {layer.kernel, layer.stride, layer.padding, layer.weight_bits, layer.output_bits}) {
      digest.add(std::uint64_t{number});
    }
    for (const std::uint32_t extent : layer.weight_shape) digest.add(std::uint64_t{extent});
    digest.add(layer.weight);
    digest.add(layer.scale);
    digest.add(layer.bias);
  }
  return digest.sha256();
}

Network read_network(const std::filesystem::path& file) {
  const core::Hdf5Input input(file);
  input.require_type(filetype, schema_major);
  const bool is_known_version =
      input.integers_attribute("/", "schema_version").at(1) <= schema_minor;
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
  std::uint64_t weights_left = most_weights;
  for (std::size_t index = 0; index < groups.size(); ++index) {
    const std::string path = "/layers/" + groups[index];
    Layer layer = read_layer(input, path, weights_left);
    if (groups[index] != group_name(index, layer.name)) {
      input.fail(path, fmt::format("is not called {}", group_name(index, layer.name)),
                 "its place and name", correct);
    }
    if (is_known_version) require_known_layer(input, path, layer.kind);
    weights_left -= layer.weight.size();
    network.layers.push_back(std::move(layer));
  }
  check(network, file.string());
  if (input.has_attribute("/", "content_sha256") &&
      input.text_attribute("/", "content_sha256") != content_hash(network)) {
    input.fail("/", "content_sha256 is not that of the layers", "damaged or edited",
               "restore the file, or write it again without that attribute");
  }
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
  output.attribute("/", "content_sha256", content_hash(network));
  output.group("/layers");
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const Layer& layer = network.layers[index];
    write_layer(output, "/layers/" + group_name(index, layer.name), layer);
  }
  output.commit();
}

}  // namespace cimstat::experiments
