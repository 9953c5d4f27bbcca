#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/graph_maker.h"
#include "experiments/onnx/operators.h"

/// Tensors of transformers: maps whose numbers were moved, taken apart, scaled by one number.
namespace cimstat::experiments {
namespace {

constexpr std::array moving = {"Flatten", "Gather",  "Reshape",   "Slice",
                               "Split",   "Squeeze", "Transpose", "Unsqueeze"};

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

bool is_arithmetic(const std::string& kind) {
  return kind == "Add" || kind == "Sub" || kind == "Mul" || kind == "Div";
}

}  // namespace

bool GraphMaker::is_moved(std::size_t index) const {
  return index < node().inputs.size() && views_.contains(node().inputs[index]);
}

TokenView GraphMaker::view(std::size_t index) const {
  const std::string& name = node().inputs.at(index);
  if (const auto found = views_.find(name); found != views_.end()) {
    TokenView result = found->second;
    result.is_own = result.is_own && uses_.find(name)->second == 1;
    return result;
  }
  const std::size_t from = place(index);
  if (from == 0) refuse("takes the image itself apart", "tokens come from a convolution of it");
  auto result = whole_view(from, input_shape(index));
  if (!result) refuse("takes a map that is too large for tokens");
  result->tensor = name;
  result->is_own = uses_.find(name)->second == 1;
  return *std::move(result);
}

void GraphMaker::give_view(const std::string& tensor, TokenView view) {
  if (tensor.empty()) return;
  if (is_plain_map(view, maps_[view.place])) {
    places_[tensor] = view.place;
    // Whoever takes it as it is must know of those who take it otherwise.
    if (!view.is_own) ++uses_[tensor];
  } else {
    views_.insert_or_assign(tensor, std::move(view));
  }
}

void GraphMaker::pass_tokens() {
  if (is_moved(0)) return give_view(node().outputs[0], view(0));
  parts_.insert_or_assign(node().outputs[0], parts_.find(node().inputs[0])->second);
}

bool GraphMaker::add_tokens() {
  const std::string& kind = node().kind;
  bool of_tokens = false;
  for (std::size_t i = 0; i < node().inputs.size(); ++i) {
    of_tokens = of_tokens || is_moved(i) || parts_.contains(node().inputs[i]);
  }
  const bool of_constant = constant(0) != nullptr;
  if (!of_constant && std::count(moving.begin(), moving.end(), kind) > 0) {
    const OnnxShape& to = step_->outputs[0];
    const bool is_plain = kind == "Flatten" || kind == "Reshape" || kind == "Squeeze";
    if (!of_tokens && is_plain &&
        (to == input_shape(0) || (to.size() == 2 && to[0] == 1) || place(0) == 0)) {
      return false;
    }
    move();
    return true;
  }
  if (kind == "Concat" && joins_maps()) {
    concatenate();
    return true;
  }
  if (kind == "Concat") prepend();
  if (kind == "LayerNormalization") normalise_tokens();
  if (kind == "Concat" || kind == "LayerNormalization") return true;
  if (kind == "Softmax" && (of_tokens || node().outputs[0] != model_.output().name)) {
    softmax();
    return true;
  }
  if (kind == "MatMul" || kind == "Gemm") return false;
  if (kind == "ReduceMean" && (of_tokens || input_shape(0).size() != 4)) {
    mean();
    return true;
  }
  if (combine_parts()) return true;
  if (is_arithmetic(kind) && of_tokens) {
    combine_tokens();
    return true;
  }
  if ((kind == "Mul" || kind == "Div") && !of_constant && constant(1) != nullptr &&
      constant(1)->reals.size() == 1 && place(0) != 0 && !is_foldable(view(0), 0)) {
    combine_tokens();
    return true;
  }
  if (!of_tokens) return false;
  constexpr std::int64_t to_float = 1;  // TensorProto.DataType
  if (kind == "Identity" || kind == "Dropout" ||
      (kind == "Cast" && call().whole("to", 0) == to_float)) {
    pass_tokens();
    return true;
  }
  if (kind == "Relu") {
    TokenView tokens = view(0);
    append(LayerKind::relu, {whole_place(tokens)}, PlainShape(maps_[tokens.place]));
    tokens.place = graph_.layers.size();
    tokens.tensor = node().outputs[0];
    tokens.is_own = true;
    give_view(node().outputs[0], std::move(tokens));
    return true;
  }
  return false;
}

void GraphMaker::move() {
  const TokenView from = view(0);
  OnnxBudget budget;
  std::vector<const OnnxTensor*> inputs{&from.index};
  for (std::size_t i = 1; i < node().inputs.size(); ++i) {
    inputs.push_back(constant(i));
    if (has_input(i) && inputs.back() == nullptr) refuse("moves numbers as the image asks for");
  }
  std::vector<OnnxTensor> moved =
      evaluate(OperatorCall(model_.file(), model_.opset(), node(), std::move(inputs), budget));
  for (std::size_t i = 0; i < node().outputs.size(); ++i) {
    TokenView to = from;
    const bool is_part = moved[i].reals.size() != from.index.reals.size();
    to.index = std::move(moved[i]);
    if (is_part) to.tensor = node().outputs[i];
    const std::optional<TokenRows> all = token_rows(to, maps_[to.place]);
    if (all && all->pixel.size() == 1 && pixels_of(maps_[to.place]) > 1) {
      take_first(node().outputs[i], to);
    } else {
      give_view(node().outputs[i], std::move(to));
    }
  }
}

/// A pool of one pixel whose steps lead beyond the map.
void GraphMaker::take_first(const std::string& tensor, const TokenView& view) {
  constexpr std::uint32_t longest_step = 64;
  const TokenRows found = rows(view);
  if (found.pixel[0] != 0 || found.count != maps_[view.place][0] || view.factor != 1.0) {
    refuse("takes one token that isn't the first, or part of it", "pools can take the first one");
  }
  std::size_t from = view.place;
  while (pixels_of(maps_[from]) > 1) {
    PlainShape map = maps_[from];
    Extents stride(std::min(map[1], longest_step), std::min(map[2], longest_step));
    map = {map[0], (map[1] - 1) / stride.rows + 1, (map[2] - 1) / stride.columns + 1};
    PlainLayer& layer = append(LayerKind::max_pool, {from}, map);
    layer.stride = stride;
    layer.tensor = tensor;
    from = graph_.layers.size();
  }
  TokenView first = view;
  first.place = from;
  for (std::size_t i = 0; i < first.index.reals.size(); ++i) {
    first.index.reals[i] = static_cast<float>(i);
  }
  first.tensor = tensor;
  first.is_own = true;
  give_view(tensor, std::move(first));
}

TokenRows GraphMaker::rows(const TokenView& view) const {
  auto found = token_rows(view, maps_[view.place]);
  if (!found) {
    refuse(fmt::format("of {}", text_of(view.shape())), "its last axis must be a token's channels");
  }
  return *std::move(found);
}

TokenRows GraphMaker::whole_rows(const TokenView& view) const {
  TokenRows found = rows(view);
  whole_place(view);
  return found;
}

std::size_t GraphMaker::whole_place(const TokenView& view) const {
  if (view.factor != 1.0) {
    refuse("takes a map that was multiplied by a number",
           "products of two maps take that in, others only where it is folded into weights");
  }
  const PlainShape& map = maps_[view.place];
  std::vector<bool> seen(map[0] * pixels_of(map));
  for (const float place : view.index.reals) seen[static_cast<std::size_t>(place)] = true;
  if (view.index.reals.size() != seen.size() || std::count(seen.begin(), seen.end(), false) > 0) {
    refuse("takes part of a map, or some of it twice",
           "products of two maps can take its channels");
  }
  return view.place;
}

std::size_t GraphMaker::part_place(const TokenView& view, std::size_t first, std::size_t count) {
  if (first == 0 && count == maps_[view.place][0]) return view.place;
  const auto [found, is_new] = taken_.try_emplace({view.place, first, count});
  if (!is_new) return found->second;
  const PlainLayer& whole = graph_.layers[view.place - 1];
  if (!is_weighted(whole.kind) || whole.groups != 1) {
    refuse("takes some channels of a map that isn't a matrix product's",
           "only such can be computed in parts");
  }
  PlainLayer part = whole;
  part.name += fmt::format(".{}", first / count + 1);
  part.tensor = view.tensor;
  part.weight_shape[0] = narrow(count);
  const auto take = [&](std::vector<double>& values) {
    const std::size_t each = values.size() / whole.bias.size();
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first * each);
    values = std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(count * each));
  };
  for (std::vector<double>* values : {&part.weight, &part.factor, &part.bias}) take(*values);
  const PlainShape& map = maps_[view.place];
  maps_.push_back({narrow(count), map[1], map[2]});
  graph_.layers.push_back(std::move(part));
  found->second = graph_.layers.size();
  return found->second;
}

void GraphMaker::drop_taken_apart() {
  std::vector<std::size_t> users(graph_.layers.size() + 1, 0);
  for (const PlainLayer& layer : graph_.layers) {
    for (const std::size_t input : layer.inputs) ++users[input];
  }
  std::set<std::size_t> dropped;
  for (const auto& [part, place] : taken_) {
    if (users[part[0]] == 0) dropped.insert(part[0]);
  }
  std::vector<std::size_t> renumbered(users.size(), 0);
  std::vector<PlainLayer> kept;
  for (std::size_t place = 1; place < users.size(); ++place) {
    if (dropped.contains(place)) continue;
    PlainLayer& layer = graph_.layers[place - 1];
    for (std::size_t& input : layer.inputs) input = renumbered[input];
    kept.push_back(std::move(layer));
    renumbered[place] = kept.size();
  }
  graph_.layers = std::move(kept);
}

bool GraphMaker::is_foldable(const TokenView& view, std::size_t index) const {
  if (!view.is_own || uses_.find(node().inputs[index])->second != 1 || view.place == 0)
    return false;
  const LayerKind kind = graph_.layers[view.place - 1].kind;
  const PlainShape& map = maps_[view.place];
  return (is_weighted(kind) || kind == LayerKind::layer_norm) && view.factor == 1.0 &&
         view.index.reals.size() == map[0] * pixels_of(map);
}

PlainLayer& GraphMaker::append_linear(std::uint32_t outputs) {
  TokenView tokens = view(0);
  const TokenRows from = whole_rows(tokens);
  const PlainShape map = maps_[tokens.place];
  PlainLayer& layer = append(LayerKind::convolution, {tokens.place}, {outputs, map[1], map[2]});
  const std::size_t pixels = pixels_of(map);
  if (std::size_t{outputs} * pixels >= std::size_t{1} << 24) refuse("gives too large a map");
  tokens.place = graph_.layers.size();
  tokens.index.shape = step_->outputs[0];
  tokens.index.reals.clear();
  for (const std::size_t pixel : from.pixel) {
    for (std::size_t channel = 0; channel < outputs; ++channel) {
      tokens.index.reals.push_back(static_cast<float>(channel * pixels + pixel));
    }
  }
  tokens.tensor = node().outputs[0];
  tokens.is_own = true;
  give_view(node().outputs[0], std::move(tokens));
  return layer;
}

void GraphMaker::prepend() {
  const OnnxTensor* given = constant(0);
  if (node().inputs.size() != 2 || given == nullptr || constant(1) != nullptr) {
    refuse("joins what cimstat's layers can't",
           "channels of layers' maps, and constant tokens before a map's, can be joined");
  }
  TokenView tokens = view(1);
  const TokenRows from = whole_rows(tokens);
  const PlainShape map = maps_[tokens.place];
  const std::size_t more = given->reals.size() / map[0];
  const bool are_tokens = given->type == OnnxType::real && given->shape.size() >= 2 &&
                          tokens.shape().size() == given->shape.size() &&
                          given->shape.back() == static_cast<std::int64_t>(map[0]) &&
                          given->shape[given->shape.size() - 2] == static_cast<std::int64_t>(more);
  if (!are_tokens)
    refuse("joins what are no tokens", "constant tokens before a map's can be joined");
  const std::size_t pixels = more + pixels_of(map);
  std::vector<double> constants(given->reals.size());
  OnnxTensor first = *given;
  for (std::size_t token = 0; token < more; ++token) {
    for (std::size_t channel = 0; channel < map[0]; ++channel) {
      const std::size_t at = token * map[0] + channel;
      constants[channel * more + token] = static_cast<double>(given->reals[at]);
      first.reals[at] = static_cast<float>(channel * pixels + token);
    }
  }
  OnnxTensor second = tokens.index;
  for (std::size_t i = 0; i < second.reals.size(); ++i) {
    const std::size_t channel = i % map[0];
    second.reals[i] = static_cast<float>(channel * pixels + more + from.pixel[i / map[0]]);
  }
  OnnxBudget budget;
  tokens.index =
      evaluate(OperatorCall(model_.file(), model_.opset(), node(), {&first, &second}, budget))[0];
  PlainLayer& layer =
      append(LayerKind::prepend_tokens, {tokens.place}, {map[0], narrow(pixels), 1});
  layer.bias = std::move(constants);
  tokens.place = graph_.layers.size();
  tokens.tensor = node().outputs[0];
  tokens.is_own = true;
  give_view(node().outputs[0], std::move(tokens));
}

}  // namespace cimstat::experiments
