#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/graph_maker.h"

/// Layers with weights, and what is folded into them.
namespace cimstat::experiments {
namespace {

constexpr std::string_view real_weights = "its weights are real numbers";
constexpr std::string_view others_are_levels = "the model has levels of its own, in other layers";
constexpr std::string_view keep = "quantise all layers, or none: cimstat quantises models itself";

std::uint32_t narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// First the one, then the other.
void follow(ChannelAffine& first, const ChannelAffine& then) {
  if (first.factor.empty()) {
    first = then;
    return;
  }
  for (std::size_t channel = 0; channel < first.factor.size(); ++channel) {
    first.factor[channel] *= then.factor[channel];
    first.shift[channel] = first.shift[channel] * then.factor[channel] + then.shift[channel];
  }
}

}  // namespace

void GraphMaker::convolution() {
  const OnnxTensor* weight = constant(1);
  if (weight == nullptr) refuse("its weights are no constants");
  if (weight->size() == 0) refuse("has no weights");
  if (has_input(2) && constant(2) == nullptr) refuse("its bias is no constant");
  if (graph_.is_quantised && stored(1) == nullptr) refuse(real_weights, others_are_levels, keep);
  const OnnxWindow window = window_of(call(), input_shape(0), {weight->shape[2], weight->shape[3]});
  PlainLayer& layer = append(LayerKind::convolution);
  take_window(layer, window);
  layer.groups = narrow(call().whole("group", 1));
  for (std::size_t axis = 0; axis < 4; ++axis) {
    layer.weight_shape[axis] = narrow(weight->shape[axis]);
  }
  layer.bias.assign(layer.weight_shape[0], 0.0);
  if (has_input(2)) layer.bias = numbers(2);
  if (graph_.is_quantised) return take_levels(layer, *stored(1), 0, 1.0);
  layer.weight.assign(weight->reals.begin(), weight->reals.end());
}

void GraphMaker::product() {
  const OnnxTensor* weight = constant(1);
  if (weight == nullptr && constant(0) == nullptr) {
    if (graph_.is_quantised || node().kind != "MatMul") {
      refuse("multiplies what both depend on the image",
             "attention can be laid out where it is MatMul of a model in real numbers");
    }
    return attend();
  }
  if (weight == nullptr) refuse("multiplies a constant by a map", "the map comes first elsewhere");
  if (weight->size() == 0) refuse("has no weights");
  const bool of_tokens = !graph_.is_quantised && is_moved(0);
  const OnnxShape input = of_tokens ? view(0).shape() : input_shape(0);
  const bool general = node().kind == "Gemm";
  const bool turned = general && call().whole("transB", 0) != 0;
  const bool is_row = input.size() == 2 && input[0] == 1;
  if (weight->shape.size() != 2 || !(is_row || of_tokens) ||
      (general && call().whole("transA", 0) != 0)) {
    refuse(fmt::format("of {} and {}", text_of(input), text_of(weight->shape)));
  }
  const auto outputs = narrow(weight->shape[turned ? 0 : 1]);
  const auto inputs = narrow(weight->shape[turned ? 1 : 0]);
  if (has_input(2) && constant(2) == nullptr) refuse("its bias is no constant");
  if (graph_.is_quantised && stored(1) == nullptr) refuse(real_weights, others_are_levels, keep);
  const double alpha = general ? call().real("alpha", 1.0) : 1.0;
  PlainLayer& layer = of_tokens ? append_linear(outputs) : append(LayerKind::fully_connected);
  layer.weight_shape = {outputs, inputs, 1, 1};
  layer.bias.assign(outputs, 0.0);
  if (has_input(2)) {
    layer.bias = numbers(2);
    const double beta = call().real("beta", 1.0);
    for (double& number : layer.bias) number *= beta;
    if (layer.bias.size() == 1) layer.bias.assign(outputs, layer.bias[0]);
  }
  if (graph_.is_quantised) return take_levels(layer, *stored(1), turned ? 0 : 1, alpha);
  layer.weight.resize(weight->reals.size());
  for (std::size_t output = 0; output < outputs; ++output) {
    for (std::size_t input_place = 0; input_place < inputs; ++input_place) {
      const std::size_t from =
          turned ? output * inputs + input_place : input_place * outputs + output;
      layer.weight[output * inputs + input_place] =
          alpha * static_cast<double>(weight->reals[from]);
    }
  }
}

void GraphMaker::require_finite(const ChannelAffine& affine) const {
  const auto is_finite = [](double number) { return std::isfinite(number); };
  if (!std::all_of(affine.factor.begin(), affine.factor.end(), is_finite) ||
      !std::all_of(affine.shift.begin(), affine.shift.end(), is_finite)) {
    refuse("gives numbers that are not finite", "a variance below 0, perhaps");
  }
}

void GraphMaker::fold_into(PlainLayer& layer, const ChannelAffine& affine) const {
  std::vector<double>& factor = layer.step.empty() ? layer.factor : layer.step;
  factor.resize(layer.bias.size(), 1.0);
  for (std::size_t output = 0; output < layer.bias.size(); ++output) {
    factor[output] *= affine.factor[output];
    layer.bias[output] = layer.bias[output] * affine.factor[output] + affine.shift[output];
  }
}

void GraphMaker::fold(std::size_t input, const ChannelAffine& affine) {
  require_finite(affine);
  const std::size_t from = place(input);
  const bool is_own = uses_[node().inputs[input]] == 1;
  const bool is_image = from == 0 || (graph_.layers[from - 1].kind == LayerKind::quantise &&
                                      graph_.layers[from - 1].inputs[0] == 0);
  if (is_image) {
    if (std::count(affine.factor.begin(), affine.factor.end(), 0.0) > 0) {
      refuse("takes a channel of the image away", "its factor is 0");
    }
    if (!is_own) refuse("changes an image that others take as it is");
    follow(from == 0 ? graph_.normalisation : graph_.layers[from - 1].affine, affine);
    return give(from);
  }
  const LayerKind kind = graph_.layers[from - 1].kind;
  const bool takes_it_in =
      is_weighted(kind) || kind == LayerKind::layer_norm || kind == LayerKind::scale;
  if (takes_it_in && is_own) {
    fold_into(graph_.layers[from - 1], affine);
    return give(from);
  }
  PlainLayer& layer = append(LayerKind::scale, {from}, PlainShape(maps_[from]));
  layer.bias.assign(affine.shift.size(), 0.0);
  fold_into(layer, affine);
  give(graph_.layers.size());
}

bool GraphMaker::joins_maps() const {
  return std::all_of(node().inputs.begin(), node().inputs.end(),
                     [&](const std::string& name) { return places_.contains(name); });
}

void GraphMaker::concatenate() {
  const auto rank = static_cast<std::int64_t>(input_shape(0).size());
  const std::int64_t axis = call().whole("axis", 0);
  if (axis != 1 && axis != 1 - rank) {
    refuse(fmt::format("joins {} along axis {}", text_of(input_shape(0)), axis),
           "channels alone, axis 1, can be joined");
  }
  if (node().inputs.size() == 1) return pass();
  append(LayerKind::concatenate, node().inputs.size());
}

void GraphMaker::normalise() {
  ChannelAffine affine;
  const double epsilon = call().real("epsilon", 1e-5);
  for (const std::size_t index : {1U, 2U, 3U, 4U}) {
    if (constant(index) == nullptr) refuse("its parameters are no constants");
  }
  for (std::size_t channel = 0; channel < constant(1)->reals.size(); ++channel) {
    const auto number = [&](std::size_t index) {
      return static_cast<double>(constant(index)->reals[channel]);
    };
    const double factor = number(1) / std::sqrt(number(4) + epsilon);
    affine.factor.push_back(factor);
    affine.shift.push_back(number(2) - number(3) * factor);
  }
  fold(0, affine);
}

void GraphMaker::combine() {
  const bool first_is_constant = constant(0) != nullptr;
  const OnnxTensor* given = first_is_constant ? constant(0) : constant(1);
  const std::string& kind = node().kind;
  if (given == nullptr) {
    if (kind != "Add") refuse("combines two layers", "only sums of layers can be laid out yet");
    if (input_shape(0) != input_shape(1)) {
      refuse(fmt::format("adds {} and {}", text_of(input_shape(0)), text_of(input_shape(1))));
    }
    append(LayerKind::add, 2);
    return;
  }
  if (first_is_constant && (kind == "Sub" || kind == "Div")) refuse("of a constant and a layer");
  const std::size_t input = first_is_constant ? 1 : 0;
  const OnnxShape& shape = step_->outputs[0];
  const auto channels = static_cast<std::size_t>(shape.size() > 1 ? shape[1] : 1);
  // One number, or one for each place of axis 1 and extents of 1 on all others.
  const std::size_t rank = given->shape.size();
  bool by_channel = given->size() == 1;
  if (given->size() == channels && rank <= shape.size()) {
    const std::size_t axis = shape.size() - rank;  // of the output, of the constant's first axis
    by_channel =
        by_channel || (axis <= 1 && static_cast<std::size_t>(given->shape[1 - axis]) == channels);
  }
  if (!by_channel || given->type != OnnxType::real) {
    refuse(fmt::format("with a constant of {}", text_of(given->shape)),
           "numbers for each channel can be folded");
  }
  ChannelAffine affine{std::vector<double>(channels, 1.0), std::vector<double>(channels, 0.0)};
  const std::vector<double> exact = numbers(first_is_constant ? 0 : 1);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    const double number = exact[exact.size() == 1 ? 0 : channel];
    if (kind == "Add") affine.shift[channel] = number;
    if (kind == "Sub") affine.shift[channel] = -number;
    if (kind == "Mul") affine.factor[channel] = number;
    if (kind == "Div") {
      if (number == 0.0) refuse("divides by 0", {});
      affine.factor[channel] = 1.0 / number;
    }
  }
  fold(input, affine);
}

}  // namespace cimstat::experiments
