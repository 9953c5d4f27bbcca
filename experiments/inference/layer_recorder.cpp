#include "experiments/inference/layer_recorder.h"

#include <algorithm>
#include <functional>

namespace cimstat::experiments {

std::vector<std::size_t> analog_nodes(const ForwardPass& pass) {
  std::vector<std::size_t> nodes;
  for (std::size_t node = 0; node < pass.nodes(); ++node) {
    if (!pass.analog(node).empty()) nodes.push_back(node);
  }
  return nodes;
}

LayerRecorder::LayerRecorder(const ForwardPass& pass, std::uint32_t codes)
    : layer_of_(pass.nodes()) {
  for (const std::size_t node : analog_nodes(pass)) {
    layer_of_[node] = layers_.size();
    LayerReads layer;
    layer.name = pass.name(node);
    for (const ColumnLayer& group : pass.analog(node)) {
      layer.partial_sums += group.partial_sums();
      layer.outputs += std::uint64_t{group.weights().outputs} * group.geometry().pixels();
      layer.rows = std::max(layer.rows, group.most_active_rows());
    }
    layer.of_class.resize(class_place(layer.rows, layer.rows) + 1);
    layer.of_code.resize(codes);
    exact_.emplace_back(layer.outputs);
    layers_.push_back(std::move(layer));
  }
}

void LayerRecorder::see(std::uint32_t active_rows, std::span<const std::uint32_t> counts,
                        std::span<const std::uint32_t> codes) {
  std::uint64_t* of_rows = reads_->of_class.data() + class_place(0, active_rows);
  std::uint64_t* of_code = reads_->of_code.data();
  for (std::size_t i = 0; i < counts.size(); ++i) {
    ++of_rows[counts[i]];
    ++of_code[codes[i]];
  }
}

void LayerRecorder::see_exact(std::size_t node, std::size_t group, std::span<const double> sums) {
  std::copy(sums.begin(), sums.end(),
            exact_[layer_of_[node]].begin() + static_cast<std::ptrdiff_t>(group * sums.size()));
}

void LayerRecorder::see_estimates(std::size_t node, std::size_t group,
                                  std::span<const double> estimates, std::span<const double> sums) {
  const std::size_t layer = layer_of_[node];
  const double* network = exact_[layer].data() + group * sums.size();
  LayerPowers added;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const double error = estimates[i] - sums[i];
    const double network_error = estimates[i] - network[i];
    added.signal += sums[i] * sums[i];
    added.error += error;
    added.noise += error * error;
    added.network_signal += network[i] * network[i];
    added.network_noise += network_error * network_error;
  }
  powers_[layer] += added;
}

void LayerRecorder::add_to(std::vector<LayerReads>& layers) const {
  if (layers.empty()) {
    layers = layers_;
    return;
  }
  const auto add = [](std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& more) {
    std::transform(to.begin(), to.end(), more.begin(), to.begin(), std::plus());
  };
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    add(layers[layer].of_class, layers_[layer].of_class);
    add(layers[layer].of_code, layers_[layer].of_code);
  }
}

}  // namespace cimstat::experiments
