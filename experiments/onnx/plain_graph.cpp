#include "experiments/onnx/plain_graph.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/onnx/graph_maker.h"

namespace cimstat::experiments {
namespace {

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

}  // namespace

GraphMaker::GraphMaker(const OnnxModel& model) : model_(model) {
  shape_of_[model.input().name] = model.input().shape;
  graph_.is_quantised = !model.stored().empty();
  for (const OnnxStep& step : model_.steps()) {
    for (std::size_t i = 0; i < step.node.outputs.size(); ++i) {
      shape_of_[step.node.outputs[i]] = step.outputs[i];
    }
    for (const std::string& name : step.node.inputs) {
      ++uses_[name];
      user_[name] = &step.node;
    }
    graph_.is_quantised |= step.node.kind == "QuantizeLinear";
  }
  ++uses_[model_.output().name];
}

PlainGraph GraphMaker::make() {
  const OnnxShape& shape = model_.input().shape;
  if (shape.size() != 4) {
    refuse_model(fmt::format("its input is {}", text_of(shape)),
                 "an image is batch x channels x rows x columns");
  }
  graph_.input_shape = {narrow(shape[1]), narrow(shape[2]), narrow(shape[3])};
  places_[model_.input().name] = 0;
  maps_.push_back(graph_.input_shape);
  for (const OnnxStep& step : model_.steps()) {
    step_ = &step;
    add();
  }
  if (level_tensors_.contains(model_.output().name)) {
    refuse_model("it gives whole numbers", "scores are real: a DequantizeLinear makes them");
  }
  const auto end = places_.find(model_.output().name);
  const auto gives_scores = [&](LayerKind kind) {
    return is_weighted(kind) || (graph_.is_quantised && kind == LayerKind::quantise);
  };
  if (end == places_.end() || end->second != graph_.layers.size() ||
      !gives_scores(graph_.layers.back().kind)) {
    refuse_model("its last layer is no matrix product or convolution", "scores come from one");
  }
  const OnnxShape& scores = model_.output().shape;
  graph_.classes =
      narrow(std::accumulate(scores.begin(), scores.end(), std::int64_t{1}, std::multiplies<>()));
  drop_taken_apart();
  return std::move(graph_);
}

void GraphMaker::refuse_model(std::string_view problem, std::string_view why) const {
  throw core::DataError(core::error_line(model_.file(), problem, why, change));
}

void GraphMaker::refuse(std::string_view problem, std::string_view why,
                        std::string_view remedy) const {
  throw core::DataError(
      core::error_line(fmt::format("{}: node '{}' ({})", model_.file(),
                                   core::excerpt(step_->node.name), step_->node.kind),
                       problem, why, remedy.empty() ? change : remedy));
}

const OnnxTensor* GraphMaker::constant(const OnnxNode& node, std::size_t index) const {
  if (index >= node.inputs.size()) return nullptr;
  const auto found = model_.constants().find(node.inputs[index]);
  return found == model_.constants().end() ? nullptr : &found->second;
}

bool GraphMaker::has_input(std::size_t index) const {
  return index < node().inputs.size() && !node().inputs[index].empty();
}

std::size_t GraphMaker::place(std::size_t index) const {
  const auto found = places_.find(node().inputs.at(index));
  if (found != places_.end()) return found->second;
  if (parts_.contains(node().inputs[index])) {
    refuse("takes part of a norm or GELU that is written out",
           "as PyTorch writes them out, all of it can be laid out, or none");
  }
  if (is_moved(index)) {
    refuse("takes a map whose numbers were moved or scaled", "only tokens' layers can");
  }
  refuse("takes a constant where an image's data are wanted");
}

const OnnxShape& GraphMaker::input_shape(std::size_t index) const {
  place(index);
  return shape_of_.find(node().inputs[index])->second;
}

PlainLayer& GraphMaker::append(LayerKind kind, std::size_t inputs) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < inputs; ++i) places.push_back(place(i));
  const OnnxShape& shape = step_->outputs[0];
  PlainShape map{1, 1, 1};
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    map[shape.size() == 4 ? axis - 1 : 0] *= narrow(shape[axis]);
  }
  append(kind, std::move(places), map);
  give(graph_.layers.size());
  return graph_.layers.back();
}

PlainLayer& GraphMaker::append(LayerKind kind, std::vector<std::size_t> places,
                               const PlainShape& map) {
  PlainLayer layer;
  layer.kind = kind;
  layer.name = layer_name(node().name);
  layer.tensor = node().outputs[0];
  layer.inputs = std::move(places);
  graph_.layers.push_back(std::move(layer));
  maps_.push_back(map);
  return graph_.layers.back();
}

void GraphMaker::give(std::size_t layer_place) {
  places_[node().outputs[0]] = layer_place;
  if (layer_place > 0) graph_.layers[layer_place - 1].tensor = node().outputs[0];
}

void GraphMaker::pass() {
  places_[node().outputs[0]] = place(0);
  uses_[node().outputs[0]] += uses_[node().inputs[0]] - 1;
  if (takes_levels()) level_tensors_.insert(node().outputs[0]);
}

void GraphMaker::add() {
  const std::string& kind = node().kind;
  if (kind == "QuantizeLinear") return quantise();
  if (kind == "DequantizeLinear") return dequantise();
  if (!graph_.is_quantised && add_tokens()) return;
  if (kind == "Identity" || kind == "Dropout") return pass();
  if (kind == "Flatten" || kind == "Reshape" || kind == "Squeeze") return flatten();
  if (takes_levels()) {
    if (kind == "Clip") return clip_levels();
    refuse("takes whole numbers", "those of a QuantizeLinear go to a Clip or DequantizeLinear");
  }
  if (kind == "Conv") return convolution();
  if (kind == "Gemm" || kind == "MatMul") return product();
  if (kind == "BatchNormalization") return normalise();
  if (kind == "Relu" || kind == "Clip") return rectify();
  if (kind == "Sign" && !graph_.is_quantised) {
    append(LayerKind::quantise);
    return;
  }
  if (kind == "MaxPool" || kind == "AveragePool") return pool();
  if (kind == "GlobalAveragePool" || kind == "GlobalMaxPool" || kind == "ReduceMean") {
    return pool_all();
  }
  constexpr std::int64_t to_float = 1;  // TensorProto.DataType
  if (kind == "Cast" && call().whole("to", 0) == to_float) return pass();
  if (kind == "Softmax" && node().outputs[0] == model_.output().name) return pass();
  if (kind == "Add" || kind == "Sub" || kind == "Mul" || kind == "Div") return combine();
  if (kind == "Concat") return concatenate();
  refuse("can't be laid out yet",
         "convolutions, matrix products, pools, ReLU, GELU, norms, attention, sums and what is "
         "folded into them can");
}

void GraphMaker::take_window(PlainLayer& layer, const OnnxWindow& window) const {
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

void GraphMaker::rectify() {
  double lowest = 0.0;
  double highest = std::numeric_limits<double>::infinity();
  if (node().kind == "Clip") {
    const OnnxTensor* low = constant(1);
    const OnnxTensor* high = constant(2);
    if ((has_input(1) && low == nullptr) || (has_input(2) && high == nullptr)) {
      refuse("its limits are no constants");
    }
    if (low && low->reals.size() == 1) lowest = static_cast<double>(low->reals[0]);
    if (low == nullptr) lowest = -highest;
    // What lies below 0 a quantiser may take in.
    if (!graph_.is_quantised && lowest != 0.0) {
      refuse("doesn't begin at 0", "only a ReLU and a ReLU with an end can be laid out");
    }
    if (high && high->reals.size() == 1) highest = static_cast<double>(high->reals[0]);
    if (!(highest > lowest)) refuse("ends where it begins, or below", {});
  }
  PlainLayer& layer = append(LayerKind::relu);
  layer.lowest = lowest;
  layer.highest = highest;
}

void GraphMaker::pool() {
  const OnnxWindow window = pool_window(call(), input_shape(0));
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

void GraphMaker::pool_all() {
  const OnnxShape input = input_shape(0);
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

void GraphMaker::flatten() {
  const OnnxShape& to = step_->outputs[0];
  if (to == input_shape(0)) return pass();
  if (to.size() != 2 || to[0] != 1) {
    refuse(fmt::format("to {}", text_of(to)), "one list for the image can be laid out");
  }
  append(LayerKind::flatten);
  if (takes_levels()) level_tensors_.insert(node().outputs[0]);
}

PlainGraph plain_graph(const OnnxModel& model) { return GraphMaker(model).make(); }

}  // namespace cimstat::experiments
