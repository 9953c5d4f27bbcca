#include <algorithm>
#include <cassert>

#include "experiments/inference/forward_pass.h"
#include "experiments/inference/input_cycles.h"
#include "experiments/inference/token_layer.h"

/// One image through a network that is laid out.
namespace cimstat::experiments {

MapValues ForwardPass::values_of(std::size_t node, const Workspace& workspace) const {
  if (nodes_[node].bits == 0) return std::span(workspace.reals[node]);
  return std::span(workspace.maps[node]);
}

MapResult ForwardPass::result_of(std::size_t node, Workspace& workspace) const {
  if (nodes_[node].bits == 0) return std::span(workspace.reals[node]);
  return std::span(workspace.maps[node]);
}

bool ForwardPass::on_columns(std::size_t index, const Arithmetic& arithmetic,
                             const Workspace& workspace) const {
  return !nodes_[index].groups.analog.empty() &&
         !std::holds_alternative<ExactIntegers>(arithmetic) &&
         (workspace.in_integers.empty() || workspace.in_integers[index] == 0);
}

void ForwardPass::add_up(std::size_t index, const LayerGroups& groups, const Arithmetic& arithmetic,
                         const DrawOrigin& origin, Workspace& workspace) const {
  const Node& node = nodes_[index];
  const std::span<const std::uint8_t> input(workspace.maps[node.inputs[0]]);
  const bool has_step = nodes_[node.inputs[0]].has_step;
  const double step = has_step ? workspace.reals[node.inputs[0]][0] : 1.0;
  const auto multiply = [&](std::span<double> sums) {
    if (!has_step) return;
    for (double& sum : sums) sum *= step;
  };
  workspace.values.resize(node.shape.size());
  const std::span<double> values(workspace.values);
  const std::size_t inputs = input.size() / groups.integer.size();
  const std::size_t outputs = values.size() / groups.integer.size();
  const bool analog = on_columns(index, arithmetic, workspace);
  const auto* reading = std::get_if<ColumnReading>(&arithmetic);
  if (const auto* of_node = std::get_if<const NodeReadings*>(&arithmetic)) {
    reading = &(**of_node)[index];
  }
  LayerObserver* observer = groups.analog.empty() ? nullptr : workspace.observer;
  if (observer && analog) observer->enter(index);
  for (std::size_t k = 0; k < groups.integer.size(); ++k) {
    const auto input_of_group = input.subspan(k * inputs, inputs);
    const auto result = values.subspan(k * outputs, outputs);
    if (!analog) {
      groups.integer[k].sums(input_of_group, workspace.integers, result);
      multiply(result);
      if (observer) observer->see_exact(index, k, result);
      continue;
    }
    if (reading) {
      groups.analog[k].estimate(input_of_group, *reading, origin, workspace.columns[index], result);
    } else {
      std::get<LayerSource*>(arithmetic)
          ->estimate(groups.analog[k], input_of_group, origin, result);
    }
    multiply(result);
    if (observer) {
      workspace.exact.resize(outputs);
      groups.integer[k].sums(input_of_group, workspace.integers, workspace.exact);
      multiply(workspace.exact);
      observer->see_estimates(index, k, result, workspace.exact);
    }
  }
}

void ForwardPass::weighted(std::size_t index, const Arithmetic& arithmetic,
                           const DrawOrigin& origin, Workspace& workspace) const {
  add_up(index, nodes_[index].groups, arithmetic, origin, workspace);
  finish(index, arithmetic, workspace);
}

void ForwardPass::scale_channels(std::size_t index, const Arithmetic& arithmetic,
                                 Workspace& workspace) const {
  std::visit([&](auto values) { workspace.values.assign(values.begin(), values.end()); },
             values_of(nodes_[index].inputs[0], workspace));
  finish(index, arithmetic, workspace);
}

void ForwardPass::finish(std::size_t index, const Arithmetic& arithmetic,
                         Workspace& workspace) const {
  if (std::holds_alternative<ExactIntegers>(arithmetic)) {
    deliver_sums(nodes_[index].layer, workspace.values, ties_, result_of(index, workspace));
  } else {
    deliver(index, workspace);
  }
}

void ForwardPass::deliver(std::size_t index, Workspace& workspace) const {
  const Layer& layer = nodes_[index].layer;
  const MapResult result = result_of(index, workspace);
  const NetworkScales* scales = workspace.scales;
  if (scales && !scales->empty() && !(*scales)[index].scale.empty()) {
    deliver_sums((*scales)[index], layer.output_bits, workspace.values, ties_, result);
  } else {
    deliver_sums(layer, workspace.values, ties_, result);
  }
}

void ForwardPass::attend(std::size_t index, const Arithmetic& arithmetic, const DrawOrigin& origin,
                         Workspace& workspace) const {
  const Node& node = nodes_[index];
  const Node& second = nodes_[node.inputs[1]];
  LayerGroups& written = workspace.written[index];
  const std::size_t heads = written.integer.size();
  const bool analog = on_columns(index, arithmetic, workspace);
  workspace.weights.resize(std::max(workspace.weights.size(), heads));
  for (std::size_t head = 0; head < heads; ++head) {
    std::vector<std::int8_t>& weights = workspace.weights[head];
    weights_of_head(node.layer, static_cast<std::uint32_t>(head), second.shape, second.bits,
                    workspace.maps[node.inputs[1]], weights);
    if (analog) written.analog[head].write(weights);
    if (!analog || workspace.observer) written.integer[head].write(weights);
  }
  add_up(index, written, arithmetic, origin, workspace);
  const std::span<double> values(workspace.values);
  const std::size_t of_head = values.size() / heads;
  for (std::size_t head = 0; head < heads; ++head) {
    take_zero_off(node.layer.zero_level, workspace.weights[head],
                  static_cast<std::uint32_t>(node.shape.channels / heads),
                  values.subspan(head * of_head, of_head));
  }
  scale_map(std::span<const double>(values), node.layer.scale[0], node.layer.bias[0],
            highest_level(node.layer.output_bits), result_of(index, workspace), ties_);
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
  if (node.has_step && !requantises(node.layer.kind)) {
    workspace.reals[index] = workspace.reals[node.inputs[0]];
  }
  switch (node.layer.kind) {
    case LayerKind::convolution:
    case LayerKind::fully_connected:
      weighted(index, arithmetic, origin, workspace);
      break;
    case LayerKind::attend_keys:
    case LayerKind::attend_values:
      attend(index, arithmetic, origin, workspace);
      break;
    case LayerKind::max_pool:
      max_pool(node.layer, shape, input, result);
      break;
    case LayerKind::average_pool:
      average_pool(node.layer, shape, ties_, input, result);
      break;
    case LayerKind::add:
      add(node.layer, input, values_of(node.inputs[1], workspace), ties_, result);
      break;
    case LayerKind::relu:
      relu(input, result);
      break;
    case LayerKind::flatten:
      copy(input, result);
      break;
    case LayerKind::quantise:
      if (node.has_step) {
        workspace.reals[index][0] =
            quantise_by_map(node.layer, ties_, input, workspace.maps[index]);
      } else {
        quantise(node.layer, ties_, input, result);
      }
      break;
    case LayerKind::add_constant:
      add_constant(node.layer, input, result, ties_);
      break;
    case LayerKind::prepend_tokens:
      prepend_tokens(node.layer, shape, input, result, ties_);
      break;
    case LayerKind::layer_norm:
      layer_norm(node.layer, shape, input, result, ties_);
      break;
    case LayerKind::gelu:
      gelu(input, result);
      break;
    case LayerKind::softmax:
      softmax(node.layer, shape, input, result);
      break;
    case LayerKind::scale:
      scale_channels(index, arithmetic, workspace);
      break;
    case LayerKind::concatenate:
      for (std::size_t i = 0, first = 0; i < node.inputs.size(); ++i) {
        concatenate(node.layer, i, first, ties_, values_of(node.inputs[i], workspace), result);
        first += nodes_[node.inputs[i]].shape.size();
      }
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
