#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "experiments/onnx/onnx_model.h"
#include "experiments/onnx/onnx_window.h"
#include "experiments/onnx/plain_graph.h"
#include "experiments/onnx/token_view.h"

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
  /// Of an input that is a layer's map as it is.
  const OnnxShape& input_shape(std::size_t index) const;
  OperatorCall call() const {
    return OperatorCall(model_.file(), model_.opset(), node(), {}, budget_);
  }

  /// A new layer behind the first `inputs` inputs.
  PlainLayer& append(LayerKind kind, std::size_t inputs = 1);
  PlainLayer& append(LayerKind kind, std::vector<std::size_t> places, const PlainShape& map);
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
  /// the image; elsewhere it is a layer of its own.
  void fold(std::size_t input, const ChannelAffine& affine);
  /// ... of the layer's each output.
  void fold_into(PlainLayer& layer, const ChannelAffine& affine) const;
  void require_finite(const ChannelAffine& affine) const;
  void normalise();
  /// Add, Sub, Mul, Div: of two layers (Add alone), or of a layer and a number for each channel.
  void combine();
  /// Whether all inputs are layers' maps as they are.
  bool joins_maps() const;
  /// Channels of several maps, one after the other.
  void concatenate();

  // plain_tokens.cpp: tensors that hold a map's numbers in another order.
  /// Whether it is a node of these, and has been laid out.
  bool add_tokens();
  bool is_moved(std::size_t index) const;
  TokenView view(std::size_t index) const;
  void give_view(const std::string& tensor, TokenView view);
  /// Another name for a view, or for part of a norm.
  void pass_tokens();
  void move();
  void take_first(const std::string& tensor, const TokenView& view);
  void prepend();
  void scale_tokens(std::size_t index, double factor);
  /// Of a view that is a whole map, unscaled; the map of a part is that of a layer of its own.
  std::size_t whole_place(const TokenView& view) const;
  std::size_t part_place(const TokenView& view, std::size_t first, std::size_t count);
  TokenRows rows(const TokenView& view) const;
  /// All tokens, with all channels in order.
  TokenRows whole_rows(const TokenView& view) const;
  bool is_foldable(const TokenView& view, std::size_t index) const;
  /// A product with constant weights: a 1 x 1 convolution behind it.
  PlainLayer& append_linear(std::uint32_t outputs);
  void combine_tokens();
  void combine_with_constant(std::size_t index);
  void drop_taken_apart();

  // plain_attention.cpp
  /// Part of a LayerNormalization or GELU that is written out.
  struct TokenPart {
    enum class Role { mean, centred, squared, variance, spread, deviation, erf, erf_plus_one };
    Role role = Role::mean;
    TokenView of;         ///< what is normalised, unscaled
    double number = 1.0;  ///< epsilon; of erf_plus_one a factor
  };
  const TokenPart* part(std::size_t index, TokenPart::Role role) const;
  void give_part(TokenPart part);
  void attend();
  void softmax();
  void mean();
  void normalise_tokens();
  void append_norm(const TokenView& view, double epsilon);
  void append_gelu(const TokenView& x, const TokenPart& part);
  bool combine_parts();
  bool shift_part(std::size_t index, double number);
  void add_views();

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
  std::map<std::string, OnnxShape, std::less<>> shape_of_;    ///< of each tensor
  std::vector<PlainShape> maps_;                              ///< [place]
  std::map<std::string, TokenView, std::less<>> views_;
  std::map<std::string, TokenPart, std::less<>> parts_;
  std::map<std::array<std::size_t, 3>, std::size_t> taken_;  ///< place, channels from, to -> place
  std::set<std::string, std::less<>> level_tensors_;         ///< of whole numbers
  std::set<const OnnxNode*> narrowed_;                       ///< Clips that quantisers take in
  std::map<std::tuple<std::size_t, LevelRule>, std::size_t> quantisers_;  ///< equal ones are one
  mutable OnnxBudget budget_;
};

}  // namespace cimstat::experiments
