#include "experiments/inference/recalibration.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace cimstat::experiments {
namespace {

/// What one image's layers delivered so far.
struct Delivered {
  std::vector<std::vector<std::uint8_t>> maps;  ///< [node]
  std::vector<std::vector<double>> reals;       ///< [node]

  explicit Delivered(std::size_t nodes) : maps(nodes), reals(nodes) {}
  void forget(std::size_t node) {
    maps[node] = {};
    reals[node] = {};
  }
};

/// Sums of one image's channels and of their squares: [channel].
struct ChannelSums {
  std::vector<double> values;
  std::vector<double> squares;

  void add(std::span<const double> sums, std::size_t channels) {
    values.resize(channels, 0.0);
    squares.resize(channels, 0.0);
    const std::size_t pixels = sums.size() / channels;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      values[i / pixels] += sums[i];
      squares[i / pixels] += sums[i] * sums[i];
    }
  }
  void add(const ChannelSums& other) {
    values.resize(other.values.size(), 0.0);
    squares.resize(other.squares.size(), 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] += other.values[i];
      squares[i] += other.squares[i];
    }
  }
};

struct MeanAndDeviation {
  double mean = 0.0;
  double deviation = 0.0;
};

MeanAndDeviation moments(const ChannelSums& sums, std::size_t channel, double count) {
  const double mean = sums.values[channel] / count;
  const double square = sums.squares[channel] / count;
  const double variance = square - mean * mean;
  // What is left of equal values is rounding.
  return {mean, variance > 1e-12 * square ? std::sqrt(variance) : 0.0};
}

/// One way of computing all images, layer by layer.
class Images {
 public:
  Images(const ForwardPass& pass, std::size_t count)
      : pass_(pass), delivered_(count, Delivered(pass.nodes())), last_use_(pass.nodes(), 0) {
    for (std::size_t node = 1; node < pass.nodes(); ++node) {
      for (const std::size_t input : pass.inputs(node)) last_use_[input] = node;
    }
  }

  void start(std::size_t image, std::span<const std::uint8_t> pixels) {
    delivered_[image].maps[0] = pass_.input_levels(pixels);
  }

  /// Runs a node of one image; the sums of a weighted layer stay in workspace.values.
  void run(std::size_t image, std::size_t node, const Arithmetic& arithmetic,
           const DrawOrigin& origin, ForwardPass::Workspace& workspace) {
    lend(image, node, workspace);
    pass_.run_node(node, arithmetic, origin, workspace);
    keep(image, node, workspace);
    lend(image, node, workspace);  // and back
  }

  /// Once more from the sums of a weighted layer.
  void deliver(std::size_t image, std::size_t node, ForwardPass::Workspace& workspace) {
    pass_.deliver(node, workspace);
    keep(image, node, workspace);
  }

  /// What no later node takes.
  void forget_inputs(std::size_t image, std::size_t node) {
    for (const std::size_t input : pass_.inputs(node)) {
      if (last_use_[input] == node) delivered_[image].forget(input);
    }
  }

 private:
  void lend(std::size_t image, std::size_t node, ForwardPass::Workspace& workspace) {
    std::optional<std::size_t> before;
    for (const std::size_t input : pass_.inputs(node)) {
      if (input == before) continue;  // a sum of one map with itself
      std::swap(workspace.maps[input], delivered_[image].maps[input]);
      std::swap(workspace.reals[input], delivered_[image].reals[input]);
      before = input;
    }
  }
  void keep(std::size_t image, std::size_t node, const ForwardPass::Workspace& workspace) {
    delivered_[image].maps[node] = workspace.maps[node];
    delivered_[image].reals[node] = workspace.reals[node];
  }

  const ForwardPass& pass_;
  std::vector<Delivered> delivered_;
  std::vector<std::size_t> last_use_;  ///< [node]
};

/// Channel sums of all images, added up in their order, so that threads can't change a bit.
ChannelSums added_up(const std::vector<ChannelSums>& of_image) {
  ChannelSums all;
  for (const ChannelSums& sums : of_image) all.add(sums);
  return all;
}

LayerScales fitted(const Layer& layer, const ChannelSums& exact, const ChannelSums& arrays,
                   double count) {
  LayerScales result{layer.scale, layer.bias};
  for (std::size_t channel = 0; channel < layer.scale.size(); ++channel) {
    const MeanAndDeviation e = moments(exact, channel, count);
    const MeanAndDeviation a = moments(arrays, channel, count);
    double& scale = result.scale[channel];
    if (e.deviation > 0.0 && a.deviation > 0.0) scale *= e.deviation / a.deviation;
    result.bias[channel] += layer.scale[channel] * e.mean - scale * a.mean;
  }
  return result;
}

}  // namespace

NetworkScales recalibrated(const ForwardPass& pass, const CalibrationImages& images,
                           const std::function<Arithmetic(std::size_t slot)>& arithmetic_of,
                           const std::function<DrawOrigin(std::size_t image)>& origin_of,
                           core::Threads threads) {
  std::size_t first_analog = 0;
  std::size_t last_weighted = 0;
  for (std::size_t node = pass.nodes(); node-- > 1;) {
    if (!pass.analog(node).empty()) first_analog = node;
    if (last_weighted == 0 && is_weighted(pass.layer(node).kind)) last_weighted = node;
  }
  if (first_analog == 0) return {};

  NetworkScales scales(pass.nodes());
  std::vector<std::optional<ForwardPass::Workspace>> workspaces(core::resolved(threads));
  const auto workspace_of = [&](std::size_t slot) -> ForwardPass::Workspace& {
    if (!workspaces[slot]) workspaces[slot] = pass.workspace();
    workspaces[slot]->scales = &scales;
    return *workspaces[slot];
  };
  Images exact(pass, images.count);
  Images arrays(pass, images.count);
  for (std::size_t image = 0; image < images.count; ++image) {
    exact.start(image, images.set->image(images.first + image));
    arrays.start(image, images.set->image(images.first + image));
  }
  std::vector<ChannelSums> of_exact(images.count);
  std::vector<ChannelSums> of_arrays(images.count);
  std::vector<std::vector<double>> sums(images.count);
  for (std::size_t node = 1; node < last_weighted; ++node) {
    const Layer& layer = pass.layer(node);
    const bool fits = is_weighted(layer.kind) && node >= first_analog;
    const std::size_t channels = layer.scale.size();
    core::for_each_block(images.count, threads, [&](std::size_t image, std::size_t slot) {
      ForwardPass::Workspace& workspace = workspace_of(slot);
      exact.run(image, node, ExactIntegers{}, {}, workspace);
      exact.forget_inputs(image, node);
      if (fits) {
        of_exact[image] = {};
        of_exact[image].add(workspace.values, channels);
      }
      arrays.run(image, node, arithmetic_of(slot), origin_of(images.first + image), workspace);
      arrays.forget_inputs(image, node);
      if (!fits) return;
      of_arrays[image] = {};
      of_arrays[image].add(workspace.values, channels);
      sums[image] = workspace.values;
    });
    if (!fits) continue;
    const auto count = static_cast<double>(images.count * (sums[0].size() / channels));
    scales[node] = fitted(layer, added_up(of_exact), added_up(of_arrays), count);
    core::for_each_block(images.count, threads, [&](std::size_t image, std::size_t slot) {
      ForwardPass::Workspace& workspace = workspace_of(slot);
      workspace.values = sums[image];
      arrays.deliver(image, node, workspace);
    });
  }
  return scales;
}

}  // namespace cimstat::experiments
