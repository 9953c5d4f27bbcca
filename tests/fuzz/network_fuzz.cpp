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

/// Every kind of layer once.
Network small_network() {
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
    const std::uint64_t pixels = std::uint64_t{shapes[i][1]} * shapes[i][2];
    const std::uint64_t window = std::uint64_t{network.layers[i].kernel} * network.layers[i].kernel;
    work += pixels * (shapes[i][0] * window + network.layers[i].weight.size());
    if (work > most) return false;
  }
  const auto& input = network.input_shape;
  return std::uint64_t{input[0]} * input[1] * input[2] <= most;
}

}  // namespace
}  // namespace cimstat::fuzz

/// A network file: read and checked; a small one that passes must run, too.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cimstat;
  static const fuzz::StoredFile whole = fuzz::written([](const std::filesystem::path& target) {
    experiments::write_network(fuzz::small_network(), target);
  });
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
