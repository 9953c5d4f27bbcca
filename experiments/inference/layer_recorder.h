#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "experiments/inference/answers.h"
#include "experiments/inference/forward_pass.h"

/// Records what the analog layers of a pass read and deliver, for one worker.
namespace cimstat::experiments {

class LayerRecorder final : public LayerObserver {
 public:
  LayerRecorder(const ForwardPass& pass, std::uint32_t codes);

  /// Passes that follow are of one image: one in exact integers first, then others, whose powers
  /// are added to `powers`, one for each layer on arrays.
  void start(std::span<LayerPowers> powers) { powers_ = powers; }
  void enter(std::size_t node) override { reads_ = &layers_[layer_of_[node]]; }
  void see(std::uint32_t active_rows, std::span<const std::uint32_t> counts,
           std::span<const std::uint32_t> codes) override;
  void see_exact(std::size_t node, std::size_t group, std::span<const double> sums) override;
  void see_estimates(std::size_t node, std::size_t group, std::span<const double> estimates,
                     std::span<const double> sums) override;

  /// Adds what was counted to `layers`, or makes them where there are none yet.
  void add_to(std::vector<LayerReads>& layers) const;

 private:
  std::vector<LayerReads> layers_;
  std::vector<std::size_t> layer_of_;       ///< [node]; of those on arrays
  std::vector<std::vector<double>> exact_;  ///< [layer]: sums of the pass in exact integers
  LayerReads* reads_ = nullptr;
  std::span<LayerPowers> powers_;
};

/// Numbers of the nodes that have columns.
std::vector<std::size_t> analog_nodes(const ForwardPass& pass);

}  // namespace cimstat::experiments
