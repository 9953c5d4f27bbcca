#include "experiments/inference/forward_pass.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "core/error.h"

namespace cimstat::experiments {
namespace {

/// Numbers of column layers, by which their random numbers differ: the first group of a layer has
/// that of its node, others those from here on, in turn.
constexpr std::uint32_t first_of_groups = 1024;
constexpr std::uint32_t index_limit = 1U << 14;

/// Groups have the same inputs and outputs, but the planes of differential columns depend on their
/// weights: what holds the random words of most planes holds those of all.
ColumnLayer::Workspace largest_workspace(const std::vector<ColumnLayer>& groups) {
  ColumnLayer::Workspace largest;
  for (const ColumnLayer& group : groups) {
    ColumnLayer::Workspace workspace = group.workspace();
    if (!largest.planes || workspace.words.size() > largest.words.size()) {
      largest = std::move(workspace);
    }
  }
  return largest;
}

}  // namespace

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
  std::uint32_t next_index = first_of_groups;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    Node node;
    node.layer = layer;
    for (const std::string& name : layer.inputs) node.inputs.push_back(number.at(name));
    const Node& source = nodes_[node.inputs[0]];
    node.shape = {shapes[i][0], shapes[i][1], shapes[i][2]};
    node.bits = requantises(layer.kind) ? layer.output_bits : source.bits;
    if (is_weighted(layer.kind)) {
      const bool digital = (&layer == first && options.first_layer == LayerPlace::digital) ||
                           (&layer == last && options.last_layer == LayerPlace::digital);
      const MapShape input_of_group{source.shape.channels / layer.groups, source.shape.rows,
                                    source.shape.columns};
      for (std::uint32_t k = 0; k < layer.groups; ++k) {
        const Layer group = group_of(layer, k);
        node.integer.emplace_back(group, input_of_group);
        if (digital) continue;
        const auto index = k == 0 ? static_cast<std::uint32_t>(nodes_.size()) : next_index++;
        if (index == index_limit) {
          throw core::UsageError(core::error_line(
              "accuracy.network",
              fmt::format("layer '{}': {} groups are too many", layer.name, layer.groups),
              fmt::format("all layers' groups on arrays together are at most {}",
                          index_limit - first_of_groups),
              "use fewer groups"));
        }
        node.analog.emplace_back(group, input_of_group, source.bits, options, index, next_batch);
        next_batch += node.analog.back().batches();
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
    result.maps.emplace_back(node.bits > 0 ? node.shape.size() : 0);
    result.reals.emplace_back(node.bits > 0 ? 0 : node.shape.size());
    result.columns.push_back(largest_workspace(node.analog));
    most_values = std::max(most_values, node.shape.size());
  }
  result.values.reserve(most_values);
  return result;
}

void ForwardPass::observe(Workspace& workspace, LayerObserver* observer) {
  workspace.observer = observer;
  for (ColumnLayer::Workspace& columns : workspace.columns) columns.observer = observer;
}

std::uint64_t ForwardPass::partial_sums() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.analog) sum += group.partial_sums();
  }
  return sum;
}

std::vector<std::uint32_t> ForwardPass::cycle_widths() const {
  std::set<std::uint32_t> widths;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.analog) {
      const InputCycles& cycles = group.cycles();
      for (std::uint32_t i = 0; i < cycles.count(); ++i) widths.insert(cycles.bits(i));
    }
  }
  return {widths.begin(), widths.end()};
}

std::uint64_t ForwardPass::batches() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.analog) sum += group.batches();
  }
  return sum;
}

std::uint32_t ForwardPass::most_active_rows() const {
  std::uint32_t most = 0;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.analog) most = std::max(most, group.most_active_rows());
  }
  return most;
}

void ForwardPass::check_codes(std::uint32_t codes) const {
  for (const Node& node : nodes_) {
    const auto holds = [&](const ColumnLayer& group) { return group.holds(codes); };
    if (!std::all_of(node.analog.begin(), node.analog.end(), holds)) {
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

MapValues ForwardPass::values_of(std::size_t node, const Workspace& workspace) const {
  if (nodes_[node].bits == 0) return std::span(workspace.reals[node]);
  return std::span(workspace.maps[node]);
}

MapResult ForwardPass::result_of(std::size_t node, Workspace& workspace) const {
  if (nodes_[node].bits == 0) return std::span(workspace.reals[node]);
  return std::span(workspace.maps[node]);
}

void ForwardPass::weighted(const Node& node, std::size_t index, const Arithmetic& arithmetic,
                           const DrawOrigin& origin, Workspace& workspace) const {
  const std::span<const std::uint8_t> input(workspace.maps[node.inputs[0]]);
  workspace.values.resize(node.shape.size());
  const std::span<double> values(workspace.values);
  const std::size_t groups = node.integer.size();
  const std::size_t inputs = input.size() / groups;
  const std::size_t outputs = values.size() / groups;
  const bool analog = !node.analog.empty() && !std::holds_alternative<ExactIntegers>(arithmetic) &&
                      (workspace.in_integers.empty() || workspace.in_integers[index] == 0);
  const auto* reading = std::get_if<ColumnReading>(&arithmetic);
  LayerObserver* observer = node.analog.empty() ? nullptr : workspace.observer;
  if (observer && analog) observer->enter(index);
  for (std::size_t k = 0; k < groups; ++k) {
    const auto input_of_group = input.subspan(k * inputs, inputs);
    const auto result = values.subspan(k * outputs, outputs);
    if (!analog) {
      node.integer[k].sums(input_of_group, workspace.integers, result);
      if (observer) observer->see_exact(index, k, result);
      continue;
    }
    if (reading) {
      node.analog[k].estimate(input_of_group, *reading, origin, workspace.columns[index], result);
    } else {
      std::get<LayerSource*>(arithmetic)->estimate(node.analog[k], input_of_group, origin, result);
    }
    if (observer) {
      workspace.exact.resize(outputs);
      node.integer[k].sums(input_of_group, workspace.integers, workspace.exact);
      observer->see_estimates(index, k, result, workspace.exact);
    }
  }
  deliver_sums(node.layer, values, result_of(index, workspace));
}

void ForwardPass::start(std::span<const std::uint8_t> pixels, Workspace& workspace) const {
  assert(pixels.size() == nodes_[0].shape.size());
  workspace.maps[0] = input_levels(pixels);
}

void ForwardPass::run_node(std::size_t index, const Arithmetic& arithmetic,
                           const DrawOrigin& origin, Workspace& workspace) const {
  const Node& node = nodes_[index];
  const MapShape shape = nodes_[node.inputs[0]].shape;
  const MapValues input = values_of(node.inputs[0], workspace);
  const MapResult result = result_of(index, workspace);
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
      add(node.layer, input, values_of(node.inputs[1], workspace), result);
      break;
    case LayerKind::relu:
      relu(input, result);
      break;
    case LayerKind::flatten:
      copy(input, result);
      break;
    case LayerKind::quantise:
      quantise(node.layer, input, result);
      break;
  }
}

std::uint32_t ForwardPass::answer(Workspace& workspace) const {
  workspace.values = workspace.reals.back();
  const auto largest = std::max_element(workspace.values.begin(), workspace.values.end());
  return static_cast<std::uint32_t>(largest - workspace.values.begin());
}

std::uint32_t ForwardPass::classify(std::span<const std::uint8_t> pixels,
                                    const Arithmetic& arithmetic, const DrawOrigin& origin,
                                    Workspace& workspace) const {
  start(pixels, workspace);
  for (std::size_t index = 1; index < nodes_.size(); ++index) {
    run_node(index, arithmetic, origin, workspace);
  }
  return answer(workspace);
}

}  // namespace cimstat::experiments
