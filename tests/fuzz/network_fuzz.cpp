#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "experiments/inference/forward_pass.h"
#include "experiments/inference/network.h"
#include "experiments/seeing/network_summary.h"
#include "tests/fuzz/hdf5_target.h"

namespace cimstat::fuzz {
namespace {

using experiments::Network;

using experiments::Layer;
using experiments::LayerKind;

Layer layer_of(LayerKind kind, std::string name, std::vector<std::string> inputs) {
  Layer layer;
  layer.name = std::move(name);
  layer.kind = kind;
  layer.inputs = std::move(inputs);
  return layer;
}

Layer weighted(LayerKind kind, std::string name, std::string input,
               const std::array<std::uint32_t, 4>& shape) {
  Layer layer = layer_of(kind, std::move(name), {std::move(input)});
  layer.kernel = shape[2];
  layer.weight_bits = 4;
  layer.weight_shape = shape;
  const std::size_t count = std::size_t{shape[0]} * shape[1] * shape[2] * shape[3];
  for (std::size_t i = 0; i < count; ++i) {
    layer.weight.push_back(static_cast<std::int8_t>(static_cast<int>(i * 5 % 8) - 4));
  }
  layer.scale.assign(shape[0], 0.125);
  layer.bias.assign(shape[0], 0.5);
  return layer;
}

/// Every kind of layer that version 1.1 of the format has, once.
Network plain_network() {
  Network network;
  network.name = "small";
  network.description = "made by hand";
  network.input_shape = {1, 6, 6};
  network.classes = 3;
  auto& layers = network.layers;
  const auto last = [&]() -> Layer& { return layers.back(); };
  layers.push_back(weighted(LayerKind::convolution, "conv", "input", {2, 1, 3, 3}));
  last().padding = 1;
  last().output_bits = 4;
  layers.push_back(layer_of(LayerKind::relu, "relu", {"conv"}));
  layers.push_back(layer_of(LayerKind::add, "sum", {"conv", "relu"}));
  last().scale = {0.5, 0.5};
  last().bias = {0.0};
  last().output_bits = 3;
  layers.push_back(layer_of(LayerKind::max_pool, "pool", {"sum"}));
  last().kernel = last().stride = 2;
  layers.push_back(layer_of(LayerKind::average_pool, "mean", {"pool"}));
  last().kernel = last().stride = 3;
  last().scale = {0.25};
  last().bias = {0.0};
  last().output_bits = 4;
  layers.push_back(layer_of(LayerKind::flatten, "flat", {"mean"}));
  layers.push_back(weighted(LayerKind::fully_connected, "logits", "flat", {3, 2, 1, 1}));
  return network;
}

/// What version 1.2 added: real maps, quantise, groups, other windows, levels beyond the edge.
Network extended_network() {
  Network network = plain_network();
  auto& layers = network.layers;
  Layer& first = layers[0];
  first.kernel = {3, 1};
  first.weight_shape = {2, 1, 3, 1};
  first.weight.resize(6);
  first.stride = {1, 2};
  first.padding = {1, 0, 0, 0};
  first.padding_level = {7};
  Layer grouped = weighted(LayerKind::convolution, "grouped", "conv", {2, 1, 3, 3});
  grouped.groups = 2;
  grouped.dilation = {2, 1};
  grouped.padding = {2, 1, 2, 1};
  Layer sum = layer_of(LayerKind::add, "sum", {"grouped", "conv"});
  sum.scale = {0.5, 0.5};
  sum.bias = {-0.25};
  Layer levels = layer_of(LayerKind::quantise, "levels", {"relu"});
  levels.scale = {0.75};
  levels.bias = {2.0};
  levels.output_bits = 3;
  Layer mean = layer_of(LayerKind::average_pool, "mean", {"levels"});
  mean.kernel = mean.stride = {2, 1};
  mean.scale = {0.5};
  mean.bias = {0.0};
  mean.output_bits = 4;
  network.layers = {first,
                    grouped,
                    sum,
                    layer_of(LayerKind::relu, "relu", {"sum"}),
                    levels,
                    mean,
                    layer_of(LayerKind::flatten, "flat", {"mean"}),
                    weighted(LayerKind::fully_connected, "logits", "flat", {3, 12, 1, 1})};
  return network;
}

/// What version 1.3 added: the layers of transformers.
Network token_network() {
  Network network = plain_network();
  auto& layers = network.layers;
  Layer first = weighted(LayerKind::convolution, "conv", "input", {4, 1, 3, 3});
  first.stride = 3;
  Layer tokens = layer_of(LayerKind::prepend_tokens, "tokens", {"conv"});
  tokens.scale = {0.5};
  tokens.bias = {1.0, -1.0, 0.5, 0.0};
  Layer places = layer_of(LayerKind::add_constant, "places", {"tokens"});
  places.scale = {1.0};
  for (int i = 0; i < 20; ++i) places.bias.push_back(0.25 * (i % 5));
  Layer norm = layer_of(LayerKind::layer_norm, "norm", {"places"});
  norm.scale = {1.0, -0.5, 2.0, 1.5};
  norm.bias = {0.0, 0.5, 0.0, 0.25};
  norm.epsilon = 1e-5;
  Layer levels = layer_of(LayerKind::quantise, "levels", {"norm"});
  levels.scale = {3.0};
  levels.bias = {8.0};
  levels.output_bits = 4;
  Layer scores = layer_of(LayerKind::attend_keys, "scores", {"levels", "levels"});
  scores.groups = 2;
  scores.zero_level = 8;
  scores.scale = {0.125};
  scores.bias = {0.0};
  Layer shares = layer_of(LayerKind::softmax, "shares", {"scores"});
  shares.groups = 2;
  Layer parts = layer_of(LayerKind::quantise, "parts", {"shares"});
  parts.scale = {15.0};
  parts.bias = {0.0};
  parts.output_bits = 4;
  Layer context = layer_of(LayerKind::attend_values, "context", {"parts", "levels"});
  context.groups = 2;
  context.scale = {0.0625};
  context.bias = {0.0};
  Layer ends = levels;
  ends.name = "ends";
  ends.inputs = {"bent"};
  layers = {first,   tokens,
            places,  norm,
            levels,  scores,
            shares,  parts,
            context, layer_of(LayerKind::gelu, "bent", {"context"}),
            ends,    weighted(LayerKind::fully_connected, "logits", "ends", {3, 20, 1, 1})};
  return network;
}

/// What version 1.4 added: channels that are joined, and scaled each by itself.
Network joined_network() {
  Network network = plain_network();
  auto& layers = network.layers;
  Layer joint = layer_of(LayerKind::concatenate, "joint", {"conv", "sum", "conv"});
  joint.scale = {0.5, 1.0, -0.25};
  joint.bias = {0.0, 0.5, 0.25};
  Layer norm = layer_of(LayerKind::scale, "norm", {"joint"});
  norm.scale = {1.0, -0.5, 2.0, 1.5, 0.25, 1.0};
  norm.bias = {0.0, 4.0, 0.0, 0.25, 1.0, 0.5};
  norm.output_bits = 4;
  layers[3].inputs = {"norm"};
  layers.back() = weighted(LayerKind::fully_connected, "logits", "flat", {3, 6, 1, 1});
  layers.insert(layers.begin() + 3, {joint, norm});
  return network;
}

/// And levels that span each image's own map.
Network spanned_network() {
  Network network = plain_network();
  auto& layers = network.layers;
  Layer levels = layer_of(LayerKind::quantise, "own_levels", {layers.back().inputs[0]});
  levels.range = experiments::LevelRange::map;
  levels.epsilon = 0.5;
  levels.output_bits = 4;
  layers.back().inputs = {"own_levels"};
  layers.insert(layers.end() - 1, levels);
  return network;
}

StoredFile written_network(const Network& network) {
  return written(
      [&](const std::filesystem::path& target) { experiments::write_network(network, target); });
}

/// A network may do without its hash.
void drop_hash(StoredFile& file) {
  std::erase_if(file.attributes, [](const auto& item) { return item.name == "content_sha256"; });
}

/// Running a network costs what it asks for; small ones are enough.
bool is_cheap(const Network& network) {
  constexpr std::uint64_t most = 100'000;
  std::uint64_t work = 0;
  const auto shapes = experiments::output_shapes(network);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Layer& layer = network.layers[i];
    const std::uint64_t pixels = std::uint64_t{shapes[i][1]} * shapes[i][2];
    const std::uint64_t window = std::uint64_t{layer.kernel.rows} * layer.kernel.columns;
    const auto& padding = layer.padding;
    // No extent of a map is beyond `most` here, nor are the channels that the padding is added to.
    const std::uint64_t border =
        std::uint64_t{padding.top} + padding.left + padding.bottom + padding.right;
    work += pixels * (shapes[i][0] * window + layer.weight.size());
    // A product's fan-in is that of a head at the most: as many channels or pixels as there are.
    if (experiments::is_product(layer.kind)) work += pixels * shapes[i][0] * 1000;
    work += 1000 * std::uint64_t{layer.groups} + 10 * border * border * layer.weight_shape[1];
    if (work > most) return false;
  }
  const auto& input = network.input_shape;
  return std::uint64_t{input[0]} * input[1] * input[2] <= most;
}

}  // namespace
}  // namespace cimstat::fuzz

/// A network file: read and checked; a small one that passes must run, too. Recipes whose first
/// byte has bit 2 set change the extended network, those with bit 3 that of tokens, those with bit
/// 4 alone of these that of joined channels, with bit 5 alone that of levels that span each image's
/// map.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile plain = fuzz::written_network(fuzz::plain_network());
  static const fuzz::StoredFile extended = fuzz::written_network(fuzz::extended_network());
  static const fuzz::StoredFile tokens = fuzz::written_network(fuzz::token_network());
  static const fuzz::StoredFile joined = fuzz::written_network(fuzz::joined_network());
  static const fuzz::StoredFile spanned = fuzz::written_network(fuzz::spanned_network());
  const std::uint8_t choice = size > 0 ? data[0] : 0;
  const fuzz::StoredFile& whole = (choice & 8) != 0    ? tokens
                                  : (choice & 4) != 0  ? extended
                                  : (choice & 16) != 0 ? joined
                                  : (choice & 32) != 0 ? spanned
                                                       : plain;
  const std::filesystem::path file = fuzz::hdf5_file_of({data, size}, whole, fuzz::drop_hash);
  experiments::Network network;
  const auto refusal = fuzz::refusal_of([&] { network = experiments::read_network(file); });
  fuzz::require_whole({data, size}, refusal);
  if (refusal) return 0;
  fuzz::require_clean_text(experiments::format_network(network));
  fuzz::require_clean_text(core::json_text(experiments::network_as_json(network)));
  if (!fuzz::is_cheap(network)) return 0;
  const experiments::ForwardPass pass(network, {.rows = 8});
  experiments::ForwardPass::Workspace workspace = pass.workspace();
  const auto& input = network.input_shape;
  std::vector<std::uint8_t> pixels(std::size_t{input[0]} * input[1] * input[2]);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{0});
  if (pass.classify(pixels, experiments::ExactIntegers{}, {}, workspace) >= network.classes) {
    fuzz::finding("a class that the network does not have");
  }
  return 0;
}
