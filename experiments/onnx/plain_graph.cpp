#include "experiments/onnx/plain_graph.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/onnx/onnx_window.h"

namespace cimstat::experiments {
namespace {

constexpr std::string_view not_yet = "cimstat's layers can't express it";
constexpr std::string_view change = "change the model, then export it again";

std::uint32_t narrow(std::int64_t value) { return static_cast<std::uint32_t>(value); }

/// Letters, digits, '_', '-', '.' of a node's name: "/block/conv" becomes "block.conv".
std::string layer_name(std::string_view name) {
  name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  std::string result(name.substr(0, 80));
  for (char& c : result) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || c == '.';
    if (!plain) c = c == '/' ? '.' : '_';
  }
  return result == "input" || result.empty() ? "layer" : result;
}

class GraphMaker {
 public:
  explicit GraphMaker(const OnnxModel& model) : model_(model) {
    for (const OnnxStep& step : model.steps()) {
      for (const std::string& name : step.node.inputs) ++uses_[name];
    }
    ++uses_[model.output().name];
  }

  PlainGraph make() {
    const OnnxShape& shape = model_.input().shape;
    if (shape.size() != 4) {
      refuse_model(fmt::format("its input is {}", text_of(shape)),
                   "an image is batch x channels x rows x columns");
    }
    graph_.input_shape = {narrow(shape[1]), narrow(shape[2]), narrow(shape[3])};
    places_[model_.input().name] = 0;
    shapes_.push_back(shape);
    for (const OnnxStep& step : model_.steps()) {
      step_ = &step;
      add();
    }
    const std::size_t last = places_.at(model_.output().name);
    if (last != graph_.layers.size() || !is_weighted(graph_.layers.back().kind)) {
      refuse_model("its last layer is no matrix product or convolution", "scores come from one");
    }
    graph_.classes = narrow(std::accumulate(shapes_.back().begin(), shapes_.back().end(),
                                            std::int64_t{1}, std::multiplies<>()));
    return std::move(graph_);
  }

 private:
  [[noreturn]] void refuse_model(std::string_view problem, std::string_view why) const {
    throw core::DataError(core::error_line(model_.file(), problem, why, change));
  }
  [[noreturn]] void refuse(std::string_view problem, std::string_view why = not_yet) const {
    throw core::DataError(
        core::error_line(fmt::format("{}: node '{}' ({})", model_.file(),
                                     core::excerpt(step_->node.name), step_->node.kind),
                         problem, why, change));
  }

  const OnnxNode& node() const { return step_->node; }
  const OnnxTensor* constant(std::size_t index) const {
    if (index >= node().inputs.size()) return nullptr;
    const auto found = model_.constants().find(node().inputs[index]);
    return found == model_.constants().end() ? nullptr : &found->second;
  }
  std::size_t place(std::size_t index) const {
    const auto found = places_.find(node().inputs.at(index));
    if (found == places_.end()) refuse("takes a constant where an image's data are wanted");
    return found->second;
  }
  const OnnxShape& shape(std::size_t layer_place) const { return shapes_[layer_place]; }
  OperatorCall call() const {
    return OperatorCall(model_.file(), model_.opset(), node(), {}, budget_);
  }

  /// A new layer behind input 0 (and 1, for add).
  PlainLayer& append(LayerKind kind, std::size_t inputs = 1) {
    PlainLayer layer;
    layer.kind = kind;
    layer.name = layer_name(node().name);
    for (std::size_t i = 0; i < inputs; ++i) layer.inputs.push_back(place(i));
    graph_.layers.push_back(std::move(layer));
    shapes_.push_back(step_->outputs[0]);
    give(graph_.layers.size());
    return graph_.layers.back();
  }
  /// The step's output is what the layer at `layer_place` gives.
  void give(std::size_t layer_place) {
    places_[node().outputs[0]] = layer_place;
    if (layer_place > 0) graph_.layers[layer_place - 1].tensor = node().outputs[0];
  }
  /// The output is another name for input 0, in another shape perhaps.
  void pass() {
    const std::size_t from = place(0);
    places_[node().outputs[0]] = from;
    uses_[node().outputs[0]] += uses_[node().inputs[0]] - 1;
  }

  void add() {
    const std::string& kind = node().kind;
    if (kind == "Conv") return convolution();
    if (kind == "Gemm" || kind == "MatMul") return product();
    if (kind == "BatchNormalization") return normalise();
    if (kind == "Relu" || kind == "Clip") return rectify();
    if (kind == "MaxPool" || kind == "AveragePool") return pool();
    if (kind == "GlobalAveragePool" || kind == "GlobalMaxPool" || kind == "ReduceMean") {
      return pool_all();
    }
    if (kind == "Flatten" || kind == "Reshape" || kind == "Squeeze") return flatten();
    if (kind == "Identity" || kind == "Dropout" || kind == "Cast") return pass();
    if (kind == "Softmax" && node().outputs[0] == model_.output().name) return pass();
    if (kind == "Add" || kind == "Sub" || kind == "Mul" || kind == "Div") return combine();
    refuse("can't be laid out yet",
           "convolutions, matrix products, pools, ReLU, sums and what is folded into them can");
  }

  void take_window(PlainLayer& layer, const OnnxWindow& window) const {
    layer.kernel = {narrow(window.kernel[0]), narrow(window.kernel[1])};
    layer.stride = {narrow(window.stride[0]), narrow(window.stride[1])};
    layer.dilation = {narrow(window.dilation[0]), narrow(window.dilation[1])};
    // ceil_mode reaches beyond the padding: as many zeros more give the same number of windows.
    std::array<std::int64_t, 2> end = window.end;
    for (const std::size_t axis : {0U, 1U}) {
      const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
      end[axis] = std::max(end[axis], (window.output[axis] - 1) * window.stride[axis] + reach -
                                          window.input[axis] - window.begin[axis]);
    }
    layer.padding = {narrow(window.begin[0]), narrow(window.begin[1]), narrow(end[0]),
                     narrow(end[1])};
  }

  void convolution() {
    const OnnxTensor* weight = constant(1);
    if (weight == nullptr) refuse("its weights are no constants");
    const OnnxTensor* bias = constant(2);
    if (bias == nullptr && node().inputs.size() > 2 && !node().inputs[2].empty()) {
      refuse("its bias is no constant");
    }
    const OnnxWindow window =
        window_of(call(), shape(place(0)), {weight->shape[2], weight->shape[3]});
    PlainLayer& layer = append(LayerKind::convolution);
    take_window(layer, window);
    layer.groups = narrow(call().whole("group", 1));
    for (std::size_t axis = 0; axis < 4; ++axis) {
      layer.weight_shape[axis] = narrow(weight->shape[axis]);
    }
    layer.weight.assign(weight->reals.begin(), weight->reals.end());
    layer.bias.assign(layer.weight_shape[0], 0.0);
    if (bias) layer.bias.assign(bias->reals.begin(), bias->reals.end());
  }

  void product() {
    const OnnxTensor* weight = constant(1);
    if (weight == nullptr || constant(0) != nullptr) {
      refuse("multiplies what both depend on the image", "attention can't be laid out yet");
    }
    const OnnxShape& input = shape(place(0));
    const bool general = node().kind == "Gemm";
    const bool turned = general && call().whole("transB", 0) != 0;
    const bool is_row = input.size() == 2 && input[0] == 1;
    if (weight->shape.size() != 2 || !is_row || (general && call().whole("transA", 0) != 0)) {
      refuse(fmt::format("of {} and {}", text_of(input), text_of(weight->shape)));
    }
    const auto outputs = narrow(weight->shape[turned ? 0 : 1]);
    const auto inputs = narrow(weight->shape[turned ? 1 : 0]);
    const double alpha = general ? call().real("alpha", 1.0) : 1.0;
    PlainLayer& layer = append(LayerKind::fully_connected);
    layer.weight_shape = {outputs, inputs, 1, 1};
    layer.weight.resize(weight->reals.size());
    for (std::size_t output = 0; output < outputs; ++output) {
      for (std::size_t input_place = 0; input_place < inputs; ++input_place) {
        const std::size_t from =
            turned ? output * inputs + input_place : input_place * outputs + output;
        layer.weight[output * inputs + input_place] =
            alpha * static_cast<double>(weight->reals[from]);
      }
    }
    layer.bias.assign(outputs, 0.0);
    if (!general || node().inputs.size() < 3 || node().inputs[2].empty()) return;
    const OnnxTensor* bias = constant(2);
    if (bias == nullptr) refuse("its bias is no constant");
    const double beta = call().real("beta", 1.0);
    for (std::size_t output = 0; output < outputs; ++output) {
      layer.bias[output] =
          beta * static_cast<double>(bias->reals[bias->reals.size() == 1 ? 0 : output]);
    }
  }

  /// Folds an affine of each channel into the weighted layer before it, or notes what it does to
  /// the image.
  void fold(std::size_t input, const ChannelAffine& affine) {
    const auto is_finite = [](double number) { return std::isfinite(number); };
    if (!std::all_of(affine.factor.begin(), affine.factor.end(), is_finite) ||
        !std::all_of(affine.shift.begin(), affine.shift.end(), is_finite)) {
      refuse("gives numbers that are not finite", "a variance below 0, perhaps");
    }
    const std::size_t from = place(input);
    if (from == 0) {
      if (std::count(affine.factor.begin(), affine.factor.end(), 0.0) > 0) {
        refuse("takes a channel of the image away", "its factor is 0");
      }
      if (!graph_.normalisation.factor.empty() || uses_[node().inputs[input]] != 1) {
        refuse("changes the image once more");
      }
      graph_.normalisation = affine;
      places_[node().outputs[0]] = 0;
      return;
    }
    PlainLayer& layer = graph_.layers[from - 1];
    if (!is_weighted(layer.kind) || uses_[node().inputs[input]] != 1) {
      refuse("stands behind no convolution or matrix product of its own",
             "only there it can be folded into the weights");
    }
    const std::size_t each = layer.weight.size() / layer.weight_shape[0];
    for (std::size_t output = 0; output < layer.weight_shape[0]; ++output) {
      for (std::size_t i = 0; i < each; ++i)
        layer.weight[output * each + i] *= affine.factor[output];
      layer.bias[output] = layer.bias[output] * affine.factor[output] + affine.shift[output];
    }
    give(from);
  }

  void normalise() {
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

  /// Add, Sub, Mul, Div: of two layers (Add alone), or of a layer and a number for each channel.
  void combine() {
    const bool first_is_constant = constant(0) != nullptr;
    const OnnxTensor* numbers = first_is_constant ? constant(0) : constant(1);
    const std::string& kind = node().kind;
    if (numbers == nullptr) {
      if (kind != "Add") refuse("combines two layers", "only sums of layers can be laid out yet");
      if (shape(place(0)) != shape(place(1))) {
        refuse(fmt::format("adds {} and {}", text_of(shape(place(0))), text_of(shape(place(1)))));
      }
      append(LayerKind::add, 2);
      return;
    }
    if (first_is_constant && (kind == "Sub" || kind == "Div")) refuse("of a constant and a layer");
    const std::size_t input = first_is_constant ? 1 : 0;
    const OnnxShape& shape = step_->outputs[0];
    const auto channels = static_cast<std::size_t>(shape.size() > 1 ? shape[1] : 1);
    // One number, or one for each place of axis 1 and extents of 1 on all others.
    const std::size_t rank = numbers->shape.size();
    bool by_channel = numbers->size() == 1;
    if (numbers->size() == channels && rank <= shape.size()) {
      const std::size_t axis = shape.size() - rank;  // of the output, of the constant's first axis
      by_channel = by_channel ||
                   (axis <= 1 && static_cast<std::size_t>(numbers->shape[1 - axis]) == channels);
    }
    if (!by_channel || numbers->type != OnnxType::real) {
      refuse(fmt::format("with a constant of {}", text_of(numbers->shape)),
             "numbers for each channel can be folded");
    }
    ChannelAffine affine{std::vector<double>(channels, 1.0), std::vector<double>(channels, 0.0)};
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const auto number = static_cast<double>(numbers->reals[numbers->size() == 1 ? 0 : channel]);
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

  void rectify() {
    double highest = std::numeric_limits<double>::infinity();
    if (node().kind == "Clip") {
      const OnnxTensor* low = constant(1);
      const OnnxTensor* high = constant(2);
      if (low == nullptr || low->reals.size() != 1 || low->reals[0] != 0.0f) {
        refuse("doesn't begin at 0", "only a ReLU and a ReLU with an end can be laid out");
      }
      if (high && high->reals.size() == 1) highest = static_cast<double>(high->reals[0]);
      if (!(highest > 0.0)) refuse("ends at or below 0", {});
    }
    append(LayerKind::relu).highest = highest;
  }

  void pool() {
    const OnnxShape& input = shape(place(0));
    const OnnxWindow window = pool_window(call(), input);
    const bool is_mean = node().kind == "AveragePool";
    PlainLayer& layer = append(is_mean ? LayerKind::average_pool : LayerKind::max_pool);
    take_window(layer, window);
    if (!is_mean) return;
    if (layer.dilation != Extents(1)) refuse("has a dilation");
    const Padding given{narrow(window.begin[0]), narrow(window.begin[1]), narrow(window.end[0]),
                        narrow(window.end[1])};
    const bool counts_all = call().whole("count_include_pad", 0) != 0 && layer.padding == given;
    if (layer.padding != Padding(0) && !counts_all) {
      refuse("divides by other numbers at the edge",
             "count_include_pad = 1 and ceil_mode = 0 can be laid out");
    }
  }

  void pool_all() {
    const OnnxShape& input = shape(place(0));
    if (node().kind == "ReduceMean") {
      OnnxShape axes = call().list("axes").value_or(OnnxShape{});
      for (std::int64_t& axis : axes) axis += axis < 0 ? 4 : 0;
      std::sort(axes.begin(), axes.end());
      if (input.size() != 4 || axes != OnnxShape{2, 3}) refuse("is no mean over all pixels");
    }
    PlainLayer& layer =
        append(node().kind == "GlobalMaxPool" ? LayerKind::max_pool : LayerKind::average_pool);
    layer.kernel = {narrow(input[2]), narrow(input[3])};
  }

  void flatten() {
    const OnnxShape& to = step_->outputs[0];
    const OnnxShape& from = shape(place(0));
    if (to == from) return pass();
    if (to.size() != 2 || to[0] != 1) {
      refuse(fmt::format("to {}", text_of(to)), "one list for the image can be laid out");
    }
    append(LayerKind::flatten);
  }

  const OnnxModel& model_;
  const OnnxStep* step_ = nullptr;
  PlainGraph graph_;
  std::map<std::string, std::size_t, std::less<>> places_;  ///< tensor -> 0 (image), layer + 1
  std::map<std::string, std::size_t, std::less<>> uses_;
  std::vector<OnnxShape> shapes_;  ///< of the image and of each layer
  mutable OnnxBudget budget_;
};

}  // namespace

PlainGraph plain_graph(const OnnxModel& model) { return GraphMaker(model).make(); }

}  // namespace cimstat::experiments
