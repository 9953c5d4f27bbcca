#include "experiments/inference/recalibration.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/statistics/statistics.h"

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

/// Of each channel's sums.
using ChannelMoments = std::vector<core::Moments>;

ChannelMoments moments_of(std::span<const double> sums, std::size_t channels) {
  ChannelMoments moments(channels);
  const std::size_t pixels = sums.size() / channels;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    for (const double sum : sums.subspan(channel * pixels, pixels)) moments[channel].add(sum);
  }
  return moments;
}

/// 0 where all sums are equal, of which rounding leaves a trace.
double deviation(const core::Moments& moments) {
  const double deviation = std::sqrt(moments.variance());
  return deviation > 1e-9 * std::abs(moments.mean()) ? deviation : 0.0;
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

  /// Runs a node of one image; the sums of a weighted layer, and the input of a scale, stay in
  /// workspace.values.
  void run(std::size_t image, std::size_t node, const Arithmetic& arithmetic,
           const DrawOrigin& origin, ForwardPass::Workspace& workspace) {
    lend(image, node, workspace);
    pass_.run_node(node, arithmetic, origin, workspace);
    keep(image, node, workspace);
    lend(image, node, workspace);  // and back
  }

  /// Once more from these.
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
    // Each once: a layer may take a map twice.
    const std::span<const std::size_t> inputs = pass_.inputs(node);
    for (const std::size_t input : std::set<std::size_t>(inputs.begin(), inputs.end())) {
      std::swap(workspace.maps[input], delivered_[image].maps[input]);
      std::swap(workspace.reals[input], delivered_[image].reals[input]);
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

/// Of all images, added up in their order, so that threads can't change a bit.
ChannelMoments added_up(const std::vector<ChannelMoments>& of_image) {
  ChannelMoments all(of_image.front().size());
  for (const ChannelMoments& moments : of_image) {
    for (std::size_t channel = 0; channel < all.size(); ++channel) all[channel] += moments[channel];
  }
  return all;
}

LayerScales fitted(const Layer& layer, const ChannelMoments& exact, const ChannelMoments& arrays) {
  LayerScales result{layer.scale, layer.bias};
  for (std::size_t channel = 0; channel < layer.scale.size(); ++channel) {
    const double wanted = deviation(exact[channel]);
    const double found = deviation(arrays[channel]);
    double& scale = result.scale[channel];
    if (wanted > 0.0 && found > 0.0) scale *= wanted / found;
    result.bias[channel] +=
        layer.scale[channel] * exact[channel].mean() - scale * arrays[channel].mean();
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
  std::vector<ChannelMoments> of_exact(images.count);
  std::vector<ChannelMoments> of_arrays(images.count);
  std::vector<std::vector<double>> sums(images.count);
  for (std::size_t node = 1; node < last_weighted; ++node) {
    const Layer& layer = pass.layer(node);
    const bool has_statistics = is_weighted(layer.kind) || layer.kind == LayerKind::scale;
    const bool fits = has_statistics && node >= first_analog;
    const std::size_t channels = layer.scale.size();
    core::for_each_block(images.count, threads, [&](std::size_t image, std::size_t slot) {
      ForwardPass::Workspace& workspace = workspace_of(slot);
      exact.run(image, node, ExactIntegers{}, {}, workspace);
      exact.forget_inputs(image, node);
      if (fits) of_exact[image] = moments_of(workspace.values, channels);
      arrays.run(image, node, arithmetic_of(slot), origin_of(images.first + image), workspace);
      arrays.forget_inputs(image, node);
      if (!fits) return;
      of_arrays[image] = moments_of(workspace.values, channels);
      sums[image] = workspace.values;
    });
    if (!fits) continue;
    scales[node] = fitted(layer, added_up(of_exact), added_up(of_arrays));
    core::for_each_block(images.count, threads, [&](std::size_t image, std::size_t slot) {
      ForwardPass::Workspace& workspace = workspace_of(slot);
      workspace.values = sums[image];
      arrays.deliver(image, node, workspace);
    });
  }
  return scales;
}

}  // namespace cimstat::experiments
