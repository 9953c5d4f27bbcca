#include <bit>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/file/provenance.h"

#include "experiments/inference/network.h"

namespace cimstat::experiments {
namespace {

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
  void add(const std::vector<std::uint8_t>& levels) {
    add(std::uint64_t{levels.size()});
    for (const std::uint8_t level : levels) bytes_.push_back(static_cast<char>(level));
  }
  void add(std::initializer_list<std::uint32_t> numbers) {
    for (const std::uint32_t number : numbers) add(std::uint64_t{number});
  }
  std::string sha256() const { return core::sha256(bytes_); }

 private:
  std::string bytes_;
};

/// What came with versions 1.2 to 1.4 of the format, where it is there at all: older networks keep
/// their hash. No layer's name begins with '/', so that nothing here can be taken for the next
/// layer.
void add_extensions(const Layer& layer, Digest& digest) {
  using namespace std::string_view_literals;
  const auto add_extents = [&](std::string_view name, Extents extents) {
    digest.add(name);
    digest.add({extents.rows, extents.columns});
  };
  if (!layer.kernel.is_square()) add_extents("/kernel"sv, layer.kernel);
  if (!layer.stride.is_square()) add_extents("/stride"sv, layer.stride);
  if (layer.dilation != Extents()) add_extents("/dilation"sv, layer.dilation);
  if (!layer.padding.is_even()) {
    digest.add("/padding"sv);
    digest.add({layer.padding.top, layer.padding.left, layer.padding.bottom, layer.padding.right});
  }
  if (layer.groups != 1) {
    digest.add("/groups"sv);
    digest.add(std::uint64_t{layer.groups});
  }
  if (!layer.padding_level.empty()) {
    digest.add("/padding_level"sv);
    digest.add(layer.padding_level);
  }
  if (layer.zero_level != 0) {
    digest.add("/zero_level"sv);
    digest.add(std::uint64_t{layer.zero_level});
  }
  if (layer.epsilon != 0.0) {
    digest.add("/epsilon"sv);
    digest.add(std::bit_cast<std::uint64_t>(layer.epsilon));
  }
  if (layer.input_values == InputValues::signs) {
    digest.add("/input_values"sv);
    digest.add("signs"sv);
  }
  if (has_map_range(layer)) {
    digest.add("/range"sv);
    digest.add("map"sv);
  }
}

}  // namespace

std::string content_hash(const Network& network) {
  Digest digest;
  digest.add({network.input_shape[0], network.input_shape[1], network.input_shape[2]});
  digest.add(std::uint64_t{network.input_bits});
  digest.add(std::uint64_t{network.classes});
  digest.add(std::uint64_t{network.layers.size()});
  for (const Layer& layer : network.layers) {
    digest.add(layer.name);
    digest.add(name_of(layer.kind));
    digest.add(std::uint64_t{layer.inputs.size()});
    for (const std::string& name : layer.inputs) digest.add(name);
    digest.add({layer.kernel.rows, layer.stride.rows, layer.padding.top, layer.weight_bits,
                layer.output_bits});
    digest.add({layer.weight_shape[0], layer.weight_shape[1], layer.weight_shape[2],
                layer.weight_shape[3]});
    digest.add(layer.weight);
    digest.add(layer.scale);
    digest.add(layer.bias);
    add_extensions(layer, digest);
  }
  return digest.sha256();
}

}  // namespace cimstat::experiments
