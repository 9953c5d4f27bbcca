#include <algorithm>
#include <cmath>
#include <utility>

#include "experiments/onnx/graph_maker.h"
#include "experiments/onnx/operators.h"

/// Sums of tokens, and what constants do to them.
namespace cimstat::experiments {
namespace {

/// 1 but for the rounding of factors such as 1 / sqrt(2).
double snapped(double factor) { return std::abs(factor - 1.0) < 1e-6 ? 1.0 : factor; }

}  // namespace

void GraphMaker::scale_tokens(std::size_t index, double factor) {
  TokenView tokens = view(index);
  const PlainShape& map = maps_[tokens.place];
  const bool is_whole = tokens.index.reals.size() == map[0] * pixels_of(map);
  PlainLayer& layer = graph_.layers[tokens.place - 1];
  if (!std::isfinite(factor)) refuse("gives numbers that are not finite", {});
  if (is_product(layer.kind) && tokens.is_own && is_whole && tokens.factor == 1.0) {
    layer.factor[0] *= factor;
    layer.tensor = tokens.tensor = node().outputs[0];
  } else {
    tokens.factor = snapped(tokens.factor * factor);
    if (tokens.factor == 1.0 && is_whole) layer.tensor = tokens.tensor = node().outputs[0];
  }
  give_view(node().outputs[0], std::move(tokens));
}

void GraphMaker::combine_tokens() {
  if (constant(0) == nullptr && constant(1) == nullptr) return add_views();
  const std::size_t given = constant(0) != nullptr ? 0 : 1;
  const std::string& kind = node().kind;
  if (given == 0 && (kind == "Sub" || kind == "Div")) refuse("of a constant and a layer");
  if (constant(given)->type != OnnxType::real) refuse("with whole numbers");
  const bool is_factor = kind == "Mul" || kind == "Div";
  if (is_factor && constant(given)->reals.size() == 1 && !is_foldable(view(1 - given), 1 - given)) {
    const auto number = static_cast<double>(constant(given)->reals[0]);
    return scale_tokens(1 - given, kind == "Div" ? 1.0 / number : number);
  }
  combine_with_constant(1 - given);
}

/// The constant as it meets each number, by the operator itself.
void GraphMaker::combine_with_constant(std::size_t index) {
  TokenView tokens = view(index);
  whole_place(tokens);
  const bool is_factor = node().kind == "Mul" || node().kind == "Div";
  OnnxTensor neutral = tokens.index;
  std::fill(neutral.reals.begin(), neutral.reals.end(), is_factor ? 1.0f : 0.0f);
  std::vector<const OnnxTensor*> inputs{constant(0), constant(1)};
  inputs[index] = &neutral;
  OnnxBudget budget;
  const OnnxTensor met =
      evaluate(OperatorCall(model_.file(), model_.opset(), node(), std::move(inputs), budget))[0];
  if (met.shape != tokens.shape()) refuse("repeats the map's numbers");
  const PlainShape map = maps_[tokens.place];
  const std::size_t pixels = pixels_of(map);
  std::vector<double> values(met.reals.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[static_cast<std::size_t>(tokens.index.reals[i])] = static_cast<double>(met.reals[i]);
  }
  bool by_channel = true;
  for (std::size_t i = 0; i < values.size(); ++i) {
    by_channel = by_channel && values[i] == values[i / pixels * pixels];
  }
  if (by_channel && is_foldable(tokens, index)) {
    ChannelAffine affine{std::vector<double>(map[0], 1.0), std::vector<double>(map[0], 0.0)};
    for (std::size_t channel = 0; channel < map[0]; ++channel) {
      (is_factor ? affine.factor : affine.shift)[channel] = values[channel * pixels];
    }
    require_finite(affine);
    PlainLayer& layer = graph_.layers[tokens.place - 1];
    fold_into(layer, affine);
    layer.tensor = tokens.tensor = node().outputs[0];
    return give_view(node().outputs[0], std::move(tokens));
  }
  if (is_factor) {
    refuse("stands behind no convolution or matrix product of its own",
           "only there it can be folded into the weights");
  }
  require_finite({values, {}});
  append(LayerKind::add_constant, {tokens.place}, map).bias = std::move(values);
  tokens.place = graph_.layers.size();
  tokens.tensor = node().outputs[0];
  tokens.is_own = true;
  give_view(node().outputs[0], std::move(tokens));
}

void GraphMaker::add_views() {
  TokenView first = view(0);
  const TokenView second = view(1);
  if (node().kind != "Add")
    refuse("combines two layers", "only sums of layers can be laid out yet");
  if (maps_[first.place] != maps_[second.place] || first.index.reals != second.index.reals ||
      first.shape() != second.shape()) {
    refuse("adds tokens that lie in different orders", {});
  }
  append(LayerKind::add, {whole_place(first), whole_place(second)}, PlainShape(maps_[first.place]));
  first.place = graph_.layers.size();
  first.tensor = node().outputs[0];
  first.is_own = true;
  give_view(node().outputs[0], std::move(first));
}

}  // namespace cimstat::experiments
