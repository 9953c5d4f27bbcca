#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/graph_maker.h"

/// Models that hold levels of their own: QuantizeLinear, Clip on whole numbers, DequantizeLinear.
namespace cimstat::experiments {

const StoredLevels* GraphMaker::stored(std::size_t index) const {
  if (!has_input(index)) return nullptr;
  const auto found = model_.stored().find(node().inputs[index]);
  return found == model_.stored().end() ? nullptr : &found->second;
}

std::vector<double> GraphMaker::numbers(std::size_t index) const {
  const StoredLevels* levels = stored(index);
  if (levels == nullptr) return {constant(index)->reals.begin(), constant(index)->reals.end()};
  std::vector<double> result(levels->level.begin(), levels->level.end());
  std::size_t stride = 1;
  for (std::size_t axis = levels->axis + 1; axis < levels->shape.size(); ++axis) {
    stride *= static_cast<std::size_t>(levels->shape[axis]);
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] *= static_cast<double>(levels->scale[i / stride % levels->scale.size()]);
  }
  return result;
}

bool GraphMaker::takes_levels() const {
  return std::any_of(node().inputs.begin(), node().inputs.end(),
                     [&](const std::string& name) { return level_tensors_.contains(name); });
}

LevelRule GraphMaker::level_rule() const {
  const OnnxTensor* scale = constant(1);
  const OnnxTensor* zero = constant(2);
  if (scale == nullptr || (has_input(2) && zero == nullptr)) {
    refuse("its scale or zero point is no constant");
  }
  if (scale->reals.size() != 1) {
    refuse(fmt::format("has {} scales", scale->reals.size()), "a map has one step");
  }
  LevelRule rule{.step = static_cast<double>(scale->reals[0])};
  if (!std::isfinite(rule.step)) refuse("has a scale that is not finite");
  if (zero != nullptr) rule.zero = zero->whole[0];
  if (zero != nullptr && zero->type == OnnxType::int8) {
    rule.lowest = -128;
    rule.highest = 127;
  }
  return rule;
}

void GraphMaker::narrow_levels(const OnnxNode& clip, LevelRule& rule) const {
  const auto limit = [&](std::size_t index, std::int64_t otherwise) {
    const OnnxTensor* tensor = constant(clip, index);
    return tensor == nullptr ? otherwise : tensor->whole[0];
  };
  // As ONNX has it: the end wins where a Clip ends before it begins.
  const std::int64_t lowest = limit(1, rule.lowest);
  const std::int64_t highest = limit(2, rule.highest);
  rule.lowest = std::min(std::max(rule.lowest, lowest), highest);
  rule.highest = std::min(std::max(rule.highest, lowest), highest);
}

void GraphMaker::quantise() {
  if (takes_levels()) refuse("takes whole numbers");
  LevelRule rule = level_rule();
  std::string name = node().outputs[0];
  while (uses_[name] == 1 && user_.contains(name) && user_.at(name)->kind == "Clip") {
    const OnnxNode* clip = user_.at(name);
    const bool has_constants =
        clip->inputs[0] == name &&
        (constant(*clip, 1) || clip->inputs.size() < 2 || clip->inputs[1].empty()) &&
        (constant(*clip, 2) || clip->inputs.size() < 3 || clip->inputs[2].empty());
    if (!has_constants) break;
    narrow_levels(*clip, rule);
    narrowed_.insert(clip);
    name = clip->outputs[0];
  }
  if (rule.lowest >= rule.highest) refuse("leaves one level", "of no use to a network");
  // Equal quantisers of one map are one layer; of the image each may have its own normalisation.
  const std::size_t from = place(0);
  const auto [found, is_new] =
      quantisers_.emplace(std::tuple(from, rule), graph_.layers.size() + 1);
  if (is_new || from == 0) {
    append(LayerKind::quantise).levels = rule;
  } else {
    places_[node().outputs[0]] = found->second;
  }
  level_tensors_.insert(node().outputs[0]);
}

void GraphMaker::clip_levels() {
  if (!narrowed_.contains(&node())) {
    refuse("narrows levels that others take as they are, or by limits that are no constants");
  }
  pass();
}

void GraphMaker::dequantise() {
  if (!takes_levels()) refuse("takes whole numbers that no QuantizeLinear gives");
  const PlainLayer* source = &graph_.layers[place(0) - 1];
  while (source->kind != LayerKind::quantise) source = &graph_.layers[source->inputs[0] - 1];
  const LevelRule rule = level_rule();
  if (rule.step != source->levels.step || rule.zero != source->levels.zero) {
    refuse("has another scale or zero point than its QuantizeLinear");
  }
  pass();
  level_tensors_.erase(node().outputs[0]);
}

void GraphMaker::take_levels(PlainLayer& layer, const StoredLevels& stored, std::size_t output_axis,
                             double factor) const {
  const std::size_t outputs = layer.weight_shape[0];
  if (stored.scale.size() > 1 && stored.axis != output_axis) {
    refuse(fmt::format("its weights have a scale for each place of axis {}", stored.axis),
           fmt::format("one for each output, axis {}, can be laid out", output_axis));
  }
  const std::size_t each = stored.level.size() / outputs;
  layer.level.resize(stored.level.size());
  for (std::size_t output = 0; output < outputs; ++output) {
    const std::size_t place = stored.scale.size() == 1 ? 0 : output;
    layer.step.push_back(factor * static_cast<double>(stored.scale[place]));
    for (std::size_t i = 0; i < each; ++i) {
      const std::int64_t level =
          stored.level[output_axis == 0 ? output * each + i : i * outputs + output];
      if (level < -128 || level > 127) {
        refuse(fmt::format("has a weight of {}, less its zero point", level),
               "a weight has at most 8 bits");
      }
      layer.level[output * each + i] = static_cast<std::int8_t>(level);
    }
  }
}

}  // namespace cimstat::experiments
