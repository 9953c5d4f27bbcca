#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/graph_maker.h"

/// Products of two maps, softmax, norms over a token's channels, GELU.
namespace cimstat::experiments {
namespace {

std::uint32_t narrow(std::size_t value) { return static_cast<std::uint32_t>(value); }

bool is_near(double number, double wanted) {
  return std::abs(number - wanted) < 1e-6 * std::abs(wanted);
}

bool is_same(const TokenView& a, const TokenView& b) {
  return a.place == b.place && a.index.shape == b.index.shape && a.index.reals == b.index.reals;
}

}  // namespace

const GraphMaker::TokenPart* GraphMaker::part(std::size_t index, TokenPart::Role role) const {
  if (index >= node().inputs.size()) return nullptr;
  const auto found = parts_.find(node().inputs[index]);
  return found == parts_.end() || found->second.role != role ? nullptr : &found->second;
}

void GraphMaker::give_part(TokenPart part) {
  parts_.insert_or_assign(node().outputs[0], std::move(part));
}

/// Q K^T or P V: numbers are given in any order of pixels, which the output's view takes on.
void GraphMaker::attend() {
  const TokenView a = view(0);
  const TokenView b = view(1);
  const auto leading = [](const TokenView& view) {
    const OnnxShape& shape = view.shape();
    return shape.size() < 2 ? OnnxShape{} : OnnxShape(shape.begin(), shape.end() - 2);
  };
  const auto first = head_matrix(a, maps_[a.place], ChannelAxis::columns);
  const auto keys = head_matrix(b, maps_[b.place], ChannelAxis::rows);
  const auto values = head_matrix(b, maps_[b.place], ChannelAxis::columns);
  const bool fits = first && leading(a) == leading(b);
  const bool are_keys =
      fits && keys && keys->heads == first->heads && keys->channel_of == first->channel_of;
  const bool are_values = fits && values && values->heads == first->heads &&
                          values->pixel_of == first->channel_of && first->first == 0 &&
                          first->heads * first->channels == maps_[a.place][0];
  if (!are_keys && !are_values) {
    refuse(fmt::format("multiplies {} by {}", text_of(a.shape()), text_of(b.shape())),
           "queries by keys and shares by values can be laid out, each with the tokens of one map");
  }
  const HeadMatrix& second = are_keys ? *keys : *values;
  const std::size_t heads = first->heads;
  const std::size_t place_a = part_place(a, first->first, heads * first->channels);
  const std::size_t place_b = part_place(b, second.first, heads * second.channels);
  const std::vector<std::size_t>& channel_of = are_keys ? second.pixel_of : second.channel_of;
  const PlainShape from = maps_[place_a];
  PlainLayer& layer =
      append(are_keys ? LayerKind::attend_keys : LayerKind::attend_values, {place_a, place_b},
             {narrow(heads * channel_of.size()), from[1], from[2]});
  layer.groups = narrow(heads);
  layer.factor = {a.factor * b.factor};
  TokenView result{.place = graph_.layers.size(),
                   .index = {.shape = step_->outputs[0], .reals = {}, .whole = {}},
                   .tensor = node().outputs[0]};
  const std::size_t pixels = pixels_of(from);
  if (heads * channel_of.size() * pixels >= std::size_t{1} << 24) refuse("gives too large a map");
  for (std::size_t head = 0; head < heads; ++head) {
    for (const std::size_t pixel : first->pixel_of) {
      for (const std::size_t channel : channel_of) {
        const std::size_t of_head = head * channel_of.size() + channel;
        result.index.reals.push_back(static_cast<float>(of_head * pixels + pixel));
      }
    }
  }
  give_view(node().outputs[0], std::move(result));
}

void GraphMaker::softmax() {
  TokenView scores = view(0);
  constexpr std::int64_t first_of_one_axis = 13;
  const auto rank = static_cast<std::int64_t>(scores.shape().size());
  const std::int64_t axis = call().whole("axis", model_.opset() < first_of_one_axis ? 1 : -1);
  const auto groups = groups_along_last_axis(scores, maps_[scores.place]);
  if ((axis != -1 && axis != rank - 1) || !groups) {
    refuse("is no softmax over the keys of a product, or the classes at the end");
  }
  const std::size_t from = whole_place(scores);
  append(LayerKind::softmax, {from}, PlainShape(maps_[from])).groups = narrow(*groups);
  scores.place = graph_.layers.size();
  scores.tensor = node().outputs[0];
  scores.is_own = true;
  give_view(node().outputs[0], std::move(scores));
}

/// Over a token's channels, the beginning of a norm, or over all tokens.
void GraphMaker::mean() {
  const bool of_squares = part(0, TokenPart::Role::squared) != nullptr;
  TokenView tokens = of_squares ? part(0, TokenPart::Role::squared)->of : view(0);
  const std::size_t rank = tokens.shape().size();
  const std::vector<std::size_t> axes =
      call().axes(call().list("axes").value_or(OnnxShape{}), rank);
  if (axes.size() == 1 && axes[0] + 1 == rank && call().whole("keepdims", 1) != 0) {
    whole_rows(tokens);
    return give_part({.role = of_squares ? TokenPart::Role::variance : TokenPart::Role::mean,
                      .of = std::move(tokens)});
  }
  const bool of_all = !of_squares && rank >= 2 && !axes.empty() &&
                      std::find(axes.begin(), axes.end(), rank - 1) == axes.end() &&
                      step_->outputs[0].back() == tokens.shape().back();
  if (!of_all) refuse("is no mean over all tokens, nor over a token's channels");
  whole_rows(tokens);
  const PlainShape map = maps_[tokens.place];
  // All axes but the last: what is left is a list of channels.
  auto result = whole_view(graph_.layers.size() + 1, step_->outputs[0]);
  if (!result || result->index.reals.size() != map[0]) refuse("is no mean over all tokens");
  PlainLayer& layer = append(LayerKind::average_pool, {tokens.place}, {map[0], 1, 1});
  layer.kernel = {map[1], map[2]};
  result->tensor = node().outputs[0];
  give_view(node().outputs[0], *std::move(result));
}

void GraphMaker::normalise_tokens() {
  const TokenView tokens = view(0);
  const auto rank = static_cast<std::int64_t>(tokens.shape().size());
  const std::int64_t axis = call().whole("axis", -1);
  const OnnxTensor* scale = constant(1);
  const OnnxTensor* shift = constant(2);
  if (axis != -1 && axis != rank - 1) refuse("is over more than a token's channels");
  if (scale == nullptr || (has_input(2) && shift == nullptr)) {
    refuse("its parameters are no constants");
  }
  append_norm(tokens, call().real("epsilon", 1e-5));
  PlainLayer& layer = graph_.layers.back();
  const auto numbers_of = [&](const OnnxTensor& tensor, std::vector<double>& numbers) {
    if (tensor.reals.size() != numbers.size()) refuse("has parameters for other channels");
    numbers.assign(tensor.reals.begin(), tensor.reals.end());
  };
  numbers_of(*scale, layer.factor);
  if (shift != nullptr) numbers_of(*shift, layer.bias);
  require_finite({layer.factor, layer.bias});
}

void GraphMaker::append_norm(const TokenView& tokens, double epsilon) {
  whole_rows(tokens);
  if (!(epsilon > 0.0)) refuse("has an epsilon that is not above 0");
  const PlainShape map = maps_[tokens.place];
  PlainLayer& layer = append(LayerKind::layer_norm, {tokens.place}, map);
  layer.epsilon = epsilon;
  layer.factor.assign(map[0], 1.0);
  layer.bias.assign(map[0], 0.0);
  TokenView result = tokens;
  result.place = graph_.layers.size();
  result.tensor = node().outputs[0];
  result.is_own = true;
  give_view(node().outputs[0], std::move(result));
}

void GraphMaker::append_gelu(const TokenView& x, const TokenPart& part) {
  if (!is_same(x, part.of)) refuse("multiplies one map by the erf of another");
  TokenView result = x;
  result.factor = 1.0;
  append(LayerKind::gelu, {whole_place(result)}, PlainShape(maps_[x.place]));
  result.place = graph_.layers.size();
  result.tensor = node().outputs[0];
  result.is_own = true;
  // Of x times this is twice its GELU.
  result.factor = 2.0 * x.factor * part.number;
  if (is_near(result.factor, 1.0)) result.factor = 1.0;
  give_view(node().outputs[0], std::move(result));
}

/// A number that is added, to a variance or to erf.
bool GraphMaker::shift_part(std::size_t index, double number) {
  if (const TokenPart* variance = part(index, TokenPart::Role::variance)) {
    give_part({.role = TokenPart::Role::spread, .of = variance->of, .number = number});
    return true;
  }
  const TokenPart* erf = part(index, TokenPart::Role::erf);
  if (erf == nullptr || number != 1.0) return false;
  give_part({.role = TokenPart::Role::erf_plus_one, .of = erf->of});
  return true;
}

bool GraphMaker::combine_parts() {
  using enum TokenPart::Role;
  const std::string& kind = node().kind;
  if (kind == "Erf") {
    TokenView x = view(0);
    if (!is_near(x.factor, 1.0 / std::numbers::sqrt2)) refuse("is no part of a GELU");
    x.factor = 1.0;
    give_part({.role = erf, .of = std::move(x)});
    return true;
  }
  if (const TokenPart* found = part(0, spread); found != nullptr && kind == "Sqrt") {
    give_part({.role = deviation, .of = found->of, .number = found->number});
    return true;
  }
  if (const TokenPart* taken = part(1, TokenPart::Role::mean); taken && kind == "Sub") {
    if (!is_same(view(0), taken->of)) refuse("takes the mean of another map off");
    give_part({.role = centred, .of = taken->of});
    return true;
  }
  const TokenPart* x = part(0, centred);
  if (x != nullptr && kind == "Pow" && constant(1) != nullptr && constant(1)->reals.size() == 1 &&
      constant(1)->reals[0] == 2.0f) {
    give_part({.role = squared, .of = x->of});
    return true;
  }
  if (x != nullptr && kind == "Mul" && node().inputs[0] == node().inputs[1]) {
    give_part({.role = squared, .of = x->of});
    return true;
  }
  if (const TokenPart* by = part(1, deviation); x != nullptr && by != nullptr && kind == "Div") {
    if (!is_same(x->of, by->of)) refuse("divides by the deviation of another map");
    append_norm(TokenView(x->of), by->number);
    return true;
  }
  for (const std::size_t index : {0U, 1U}) {
    const OnnxTensor* given = constant(1 - index);
    const bool is_number = given != nullptr && given->reals.size() == 1;
    if (kind == "Add" && is_number && shift_part(index, static_cast<double>(given->reals[0]))) {
      return true;
    }
    const TokenPart* bent = kind == "Mul" ? part(index, erf_plus_one) : nullptr;
    if (bent == nullptr) continue;
    TokenPart copy = *bent;
    if (given == nullptr) {
      append_gelu(view(1 - index), copy);
    } else if (is_number) {
      copy.number *= static_cast<double>(given->reals[0]);
      give_part(std::move(copy));
    } else {
      refuse("scales erf by more than a number");
    }
    return true;
  }
  return false;
}

}  // namespace cimstat::experiments
