#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "experiments/onnx/onnx_model.h"
#include "experiments/onnx/onnx_window.h"
#include "experiments/onnx/plain_graph.h"

namespace cimstat::experiments {

/// Lays a model out as a PlainGraph, node by node.
class GraphMaker {
 public:
  explicit GraphMaker(const OnnxModel& model);
  PlainGraph make();

 private:
  [[noreturn]] void refuse_model(std::string_view problem, std::string_view why) const;
  /// Of the step at hand.
  [[noreturn]] void refuse(std::string_view problem,
                           std::string_view why = "cimstat's layers can't express it",
                           std::string_view remedy = {}) const;

  const OnnxNode& node() const { return step_->node; }
  /// Null where the input is left out or depends on the image.
  const OnnxTensor* constant(std::size_t index) const { return constant(node(), index); }
  const OnnxTensor* constant(const OnnxNode& node, std::size_t index) const;
  /// The levels that the constant was made of; null for others.
  const StoredLevels* stored(std::size_t index) const;
  bool has_input(std::size_t index) const;
  /// The numbers of a constant of one axis, exact where it is stored as levels.
  std::vector<double> numbers(std::size_t index) const;
  bool takes_levels() const;
  std::size_t place(std::size_t index) const;
  const OnnxShape& shape(std::size_t layer_place) const { return shapes_[layer_place]; }
  OperatorCall call() const {
    return OperatorCall(model_.file(), model_.opset(), node(), {}, budget_);
  }

  /// A new layer behind input 0 (and 1, for add).
  PlainLayer& append(LayerKind kind, std::size_t inputs = 1);
  /// The step's output is what the layer at `layer_place` gives.
  void give(std::size_t layer_place);
  /// The output is another name for input 0, in another shape perhaps.
  void pass();

  void add();
  void rectify();
  void pool();
  void pool_all();
  void flatten();
  void take_window(PlainLayer& layer, const OnnxWindow& window) const;

  // plain_weights.cpp
  void convolution();
  void product();
  /// Folds an affine of each channel into the weighted layer before it, or notes what it does to
  /// the image.
  void fold(std::size_t input, const ChannelAffine& affine);
  void normalise();
  /// Add, Sub, Mul, Div: of two layers (Add alone), or of a layer and a number for each channel.
  void combine();

  // plain_levels.cpp
  void quantise();
  void dequantise();
  void clip_levels();
  /// The levels that a node's scale and zero point mean, before any Clip.
  LevelRule level_rule() const;
  /// Fewer levels, as a Clip of whole numbers says.
  void narrow_levels(const OnnxNode& clip, LevelRule& rule) const;
  void take_levels(PlainLayer& layer, const StoredLevels& stored, std::size_t output_axis,
                   double factor) const;

  const OnnxModel& model_;
  const OnnxStep* step_ = nullptr;
  PlainGraph graph_;
  std::map<std::string, std::size_t, std::less<>> places_;  ///< tensor -> 0 (image), layer + 1
  std::map<std::string, std::size_t, std::less<>> uses_;
  std::map<std::string, const OnnxNode*, std::less<>> user_;  ///< the last one of a tensor
  std::deque<OnnxShape> shapes_;  ///< of the image and of each layer; append() moves none
  std::set<std::string, std::less<>> level_tensors_;  ///< of whole numbers
  std::set<const OnnxNode*> narrowed_;                ///< Clips that quantisers take in
  std::map<std::tuple<std::size_t, LevelRule>, std::size_t> quantisers_;  ///< equal ones are one
  mutable OnnxBudget budget_;
};

}  // namespace cimstat::experiments
