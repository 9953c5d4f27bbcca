#include "experiments/inference/forward_pass.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include <fmt/format.h>

#include "core/error.h"

#include "experiments/inference/token_layer.h"

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

/// How this layer lies on arrays.
ArrayOptions options_of(const ArrayOptions& options, std::string_view layer) {
  ArrayOptions result = options;
  for (const LayerColumns& columns : options.layer_columns) {
    if (columns.layer != layer) continue;
    result.rows = columns.rows;
    result.zero_value = columns.zero_value;
    result.rows_place = columns.rows_place;
  }
  return result;
}

}  // namespace

ForwardPass::ForwardPass(const Network& network, const ArrayOptions& options)
    : ties_(options.ties) {
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
  Places places{.next_batch = 0, .next_index = first_of_groups};
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    Node node;
    node.layer = layer;
    for (const std::string& name : layer.inputs) node.inputs.push_back(number.at(name));
    const Node& source = nodes_[node.inputs[0]];
    node.shape = {shapes[i][0], shapes[i][1], shapes[i][2]};
    node.bits = requantises(layer.kind) ? layer.output_bits : source.bits;
    node.has_step = has_map_range(layer) || (!requantises(layer.kind) && source.has_step);
    const ArrayOptions columns = options_of(options, layer.name);
    if (is_weighted(layer.kind)) {
      const bool digital = (&layer == first && options.first_layer == LayerPlace::digital) ||
                           (&layer == last && options.last_layer == LayerPlace::digital);
      for (std::uint32_t k = 0; k < layer.groups; ++k) {
        add_group(node, group_of(layer, k), digital ? nullptr : &columns, places);
      }
      node.layer.weight = {};  // the groups hold what they need of it
    } else if (is_product(layer.kind)) {
      const Node& second = nodes_[node.inputs[1]];
      const Layer head = convolution_of_head(layer, source.shape, second.shape, second.bits);
      const bool digital = options.attention == LayerPlace::digital;
      for (std::uint32_t k = 0; k < layer.groups; ++k) {
        add_group(node, head, digital ? nullptr : &columns, places);
      }
    }
    number[layer.name] = nodes_.size();
    nodes_.push_back(std::move(node));
  }
  const std::uint64_t next_batch = places.next_batch;
  if (16 * next_batch >= core::block_limit) {
    throw core::UsageError(core::error_line(
        "accuracy.network", fmt::format("takes {} random batches an image", next_batch),
        fmt::format("the random-number contract has room for {}", core::block_limit / 16),
        "use more rows"));
  }
}

void ForwardPass::add_group(Node& node, const Layer& group, const ArrayOptions* options,
                            Places& places) const {
  const Node& source = nodes_[node.inputs[0]];
  const std::uint32_t count = node.layer.groups;
  const MapShape input{source.shape.channels / count, source.shape.rows, source.shape.columns};
  LayerGroups& groups = node.groups;
  groups.integer.emplace_back(group, input);
  if (options == nullptr) return;
  const auto index =
      groups.analog.empty() ? static_cast<std::uint32_t>(nodes_.size()) : places.next_index++;
  if (index == index_limit) {
    throw core::UsageError(
        core::error_line("accuracy.network",
                         fmt::format("layer '{}': {} groups are too many", node.layer.name, count),
                         fmt::format("all layers' groups on arrays together are at most {}",
                                     index_limit - first_of_groups),
                         "use fewer groups"));
  }
  Layer on_arrays = group;
  on_arrays.zero_level = zero_level_of(node);
  groups.analog.emplace_back(on_arrays, input, source.bits, *options, index, places.next_batch);
  places.next_batch += groups.analog.back().batches();
}

std::uint32_t ForwardPass::zero_level_of(const Node& node) const {
  if (is_product(node.layer.kind)) return node.layer.zero_level;
  const Node* source = &nodes_[node.inputs[0]];
  while (source->layer.kind == LayerKind::flatten || source->layer.kind == LayerKind::max_pool) {
    if (source->inputs.empty()) return 0;  // the image
    source = &nodes_[source->inputs[0]];
  }
  if (source->layer.kind != LayerKind::quantise || source->has_step) return 0;
  const double zero = source->layer.bias[0];
  const bool is_level = zero == std::floor(zero) && zero > 0.0 &&
                        zero <= static_cast<double>(highest_level(source->bits));
  return is_level ? static_cast<std::uint32_t>(zero) : 0;
}

ForwardPass::Workspace ForwardPass::workspace() const {
  Workspace result;
  std::size_t most_values = 0;
  for (const Node& node : nodes_) {
    result.maps.emplace_back(node.bits > 0 ? node.shape.size() : 0);
    result.reals.emplace_back(node.bits == 0 ? node.shape.size() : node.has_step ? 1 : 0);
    result.columns.push_back(largest_workspace(node.groups.analog));
    result.written.push_back(is_product(node.layer.kind) ? node.groups : LayerGroups{});
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
    for (const ColumnLayer& group : node.groups.analog) sum += group.partial_sums();
  }
  return sum;
}

std::vector<std::uint32_t> ForwardPass::spans() const {
  std::set<std::uint32_t> spans;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.groups.analog) {
      const InputCycles& cycles = group.cycles();
      const WeightSlices& slices = group.slices();
      for (std::uint32_t i = 0; i < cycles.count(); ++i) {
        for (std::uint32_t k = 0; k < slices.count(); ++k) {
          spans.insert(highest_level(cycles.bits(i)) * slices.span(k));
        }
      }
    }
  }
  return {spans.begin(), spans.end()};
}

std::uint64_t ForwardPass::batches() const {
  std::uint64_t sum = 0;
  for (const Node& node : nodes_) {
    for (const ColumnLayer& group : node.groups.analog) sum += group.batches();
  }
  return sum;
}

bool ForwardPass::writes_arrays() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return is_product(node.layer.kind) && !node.groups.analog.empty();
  });
}

std::uint32_t ForwardPass::most_active_rows() const {
  std::uint32_t most = 0;
  for (std::size_t node = 0; node < nodes(); ++node) most = std::max(most, most_active_rows(node));
  return most;
}

std::uint32_t ForwardPass::most_active_rows(std::size_t node) const {
  std::uint32_t most = 0;
  for (const ColumnLayer& group : analog(node)) most = std::max(most, group.most_active_rows());
  return most;
}

void ForwardPass::check_codes(std::uint32_t codes) const {
  for (std::size_t node = 0; node < nodes(); ++node) check_codes(node, codes);
}

void ForwardPass::check_codes(std::size_t node, std::uint32_t codes) const {
  const std::span<const ColumnLayer> groups = analog(node);
  const auto holds = [&](const ColumnLayer& group) { return group.holds(codes); };
  if (std::all_of(groups.begin(), groups.end(), holds)) return;
  throw core::UsageError(core::error_line(
      "accuracy.network",
      fmt::format("layer '{}': sums of {} codes can overflow 32 bits", name(node), codes),
      "too many tiles or bits", "use more rows or fewer codes"));
}

std::vector<std::uint8_t> ForwardPass::input_levels(std::span<const std::uint8_t> pixels) const {
  const unsigned highest = (1U << nodes_[0].bits) - 1;
  std::vector<std::uint8_t> levels(pixels.size());
  std::transform(pixels.begin(), pixels.end(), levels.begin(), [&](std::uint8_t pixel) {
    return static_cast<std::uint8_t>((pixel * highest + 127) / 255);
  });
  return levels;
}

}  // namespace cimstat::experiments
