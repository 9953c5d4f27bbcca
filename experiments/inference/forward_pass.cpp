#include "experiments/inference/forward_pass.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <string>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
ForwardPass::ForwardPass(const Network& network, const ArrayOptions& options) {
  check(network);
  const std::vector<std::array<std::uint32_t, 3>> shapes = output_shapes(network);
  const std::vector<Layer>& layers = network.layers;
  const auto weighted = [](const Layer& layer) { return is_weighted(layer.kind); };
  const Layer* first = &*std::find_if(layers.begin(), layers.end(), weighted);
  const Layer* last = &*std::find_if(layers.rbegin(), layers.rend(), weighted);

  Node input;
  input.shape = {network.input_shape[0], network.input_shape[1], network.input_shape[2]};
  input.bits = network.input_bits;
  nodes_.push_back(std::move(input));
  std::map<std::string, std::size_t> number{{"input", 0}};
  std::uint64_t next_batch = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    Node node;
    node.layer = layer;
    for (const std::string& name : layer.inputs) node.inputs.push_back(number.at(name));
    const Node& source = nodes_[node.inputs[0]];
    node.shape = {shapes[i][0], shapes[i][1], shapes[i][2]};
    node.bits = requantises(layer.kind) ? layer.output_bits : source.bits;
    if (is_weighted(layer.kind)) {
      node.integer.emplace(layer, source.shape);
      const bool digital = (&layer == first && options.first_layer == LayerPlace::digital) ||
                           (&layer == last && options.last_layer == LayerPlace::digital);
      if (!digital) {
        node.analog.emplace(layer, source.shape, source.bits, options.rows, options.weights,
                            static_cast<std::uint32_t>(nodes_.size()), next_batch);
        next_batch += node.analog->batches();
      }
      node.layer.weight = {};  // the two layers hold what they need of it
    }
    number[layer.name] = nodes_.size();
    nodes_.push_back(std::move(node));
  }
  if (16 * next_batch >= core::block_limit) {
    throw core::UsageError(core::error_line(
        "accuracy.network", fmt::format("takes {} random batches an image", next_batch),
        fmt::format("the random-number contract has room for {}", core::block_limit / 16),
        "use more rows"));
  }
}

ForwardPass::Workspace ForwardPass::workspace() const {
  Workspace result;
  std::size_t most_values = 0;
  for (const Node& node : nodes_) {
    result.maps.emplace_back(node.shape.size());
    result.columns.push_back(node.analog ? node.analog->workspace() : ColumnLayer::Workspace());
    most_values = std::max(most_values, node.shape.size());
  }
  result.values.reserve(most_values);
  return result;
}

std::uint64_t ForwardPass::partial_sums() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) sum += node.analog ? node.analog->partial_sums() : 0;
  return sum;
}

std::uint64_t ForwardPass::batches() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) sum += node.analog ? node.analog->batches() : 0;
  return sum;
}

std::uint32_t ForwardPass::most_active_rows() const {
  std::uint32_t most = 0;
  for (const Node& node : nodes_) {
    if (node.analog) most = std::max(most, node.analog->most_active_rows());
  }
  return most;
}

void ForwardPass::check_codes(std::uint32_t codes) const {
  for (const Node& node : nodes_) {
    if (node.analog && !node.analog->holds(codes)) {
      throw core::UsageError(core::error_line(
          "accuracy.network",
          fmt::format("layer '{}': sums of {} codes can overflow 32 bits", node.layer.name, codes),
          "too many tiles or bits", "use more rows or fewer codes"));
    }
  }
}

std::vector<std::uint8_t> ForwardPass::input_levels(std::span<const std::uint8_t> pixels) const {
  const unsigned highest = (1U << nodes_[0].bits) - 1;
  std::vector<std::uint8_t> levels(pixels.size());
  std::transform(pixels.begin(), pixels.end(), levels.begin(), [&](std::uint8_t pixel) {
    return static_cast<std::uint8_t>((pixel * highest + 127) / 255);
  });
  return levels;
}

void ForwardPass::weighted(const Node& node, std::size_t index, const Arithmetic& arithmetic,
                           const DrawOrigin& origin, Workspace& workspace) const {
  const std::vector<std::uint8_t>& input = workspace.maps[node.inputs[0]];
  workspace.values.resize(node.shape.size());
  const ColumnReading* reading = std::get_if<ColumnReading>(&arithmetic);
  if (reading && node.analog) {
    node.analog->estimate(input, *reading, origin, workspace.columns[index], workspace.values);
  } else {
    node.integer->sums(input, workspace.integers, workspace.values);
  }
  scale_sums(node.layer, workspace.values);
  if (node.bits > 0) requantise(workspace.values, node.bits, workspace.maps[index]);
}

std::uint32_t ForwardPass::classify(std::span<const std::uint8_t> pixels,
                                    const Arithmetic& arithmetic, const DrawOrigin& origin,
                                    Workspace& workspace) const {
  assert(pixels.size() == nodes_[0].shape.size());
  workspace.maps[0] = input_levels(pixels);
  for (std::size_t index = 1; index < nodes_.size(); ++index) {
    const Node& node = nodes_[index];
    const std::vector<std::uint8_t>& input = workspace.maps[node.inputs[0]];
    const MapShape shape = nodes_[node.inputs[0]].shape;
    std::vector<std::uint8_t>& result = workspace.maps[index];
    switch (node.layer.kind) {
      case LayerKind::convolution:
      case LayerKind::fully_connected:
        weighted(node, index, arithmetic, origin, workspace);
        break;
      case LayerKind::max_pool:
        max_pool(node.layer, shape, input, result);
        break;
      case LayerKind::average_pool:
        average_pool(node.layer, shape, input, result);
        break;
      case LayerKind::add:
        add(node.layer, input, workspace.maps[node.inputs[1]], result);
        break;
      case LayerKind::relu:
      case LayerKind::flatten:
        result = input;
        break;
    }
  }
  const auto largest = std::max_element(workspace.values.begin(), workspace.values.end());
  return static_cast<std::uint32_t>(largest - workspace.values.begin());
}

}  // namespace cimstat::experiments
