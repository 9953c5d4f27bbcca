#include "experiments/onnx/onnx_model.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Tensors = std::map<std::string, OnnxTensor, std::less<>>;

/// Null, too, for the empty name of an input that is left out.
const OnnxTensor* find(const Tensors& tensors, const std::string& name) {
  const auto found = name.empty() ? tensors.end() : tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

OnnxOperator operator_of(std::string_view kind) {
  for (const auto& family : {elementwise_operator, pairwise_operator, moving_operator,
                             reshaping_operator, folding_operator, product_operator}) {
    if (const OnnxOperator found = family(kind)) return found;
  }
  return nullptr;
}

}  // namespace

OnnxOperator find_operator(std::span<const NamedOperator> operators, std::string_view kind) {
  const auto found = std::find_if(operators.begin(), operators.end(),
                                  [&](const NamedOperator& one) { return one.kind == kind; });
  return found == operators.end() ? nullptr : found->run;
}

bool is_known_operator(std::string_view kind) { return operator_of(kind) != nullptr; }

std::vector<OnnxTensor> evaluate(const OperatorCall& call) {
  std::vector<OnnxTensor> outputs = operator_of(call.node().kind)(call);
  if (outputs.size() < call.node().outputs.size()) {
    call.refuse(fmt::format("{} outputs are wanted, it gives {}", call.node().outputs.size(),
                            outputs.size()));
  }
  return outputs;
}

OnnxModel::OnnxModel(const std::filesystem::path& file, const OnnxBudget& budget)
    : file_(file.string()), budget_(budget) {
  OnnxGraph graph = read_onnx(file);
  opset_ = graph.opset;
  input_ = graph.input;
  output_.name = graph.output;
  if (!input_.shape.empty()) input_.shape[0] = 1;
  if (input_.shape.empty() ||
      std::find(input_.shape.begin(), input_.shape.end(), 0) != input_.shape.end()) {
    throw core::DataError(core::error_line(
        fmt::format("{}: input '{}'", file_, core::excerpt(input_.name)),
        input_.shape.empty() ? "has no shape"
                             : fmt::format("has the shape {}", text_of(input_.shape)),
        "all extents but the batch must be known", "export the model with a fixed input size"));
  }
  fold(std::move(graph));
}

void OnnxModel::fold(OnnxGraph graph) {
  constants_ = std::move(graph.constants);
  std::map<std::string, std::size_t, std::less<>> uses;
  for (const OnnxNode& node : graph.nodes) {
    for (const std::string& name : node.inputs) ++uses[name];
  }
  ++uses[output_.name];
  std::set<std::string, std::less<>> needed;
  Tensors values;
  OnnxBudget budget = budget_;
  const OnnxNode whole{
      .name = input_.name, .kind = "input", .inputs = {}, .outputs = {}, .attributes = {}};
  values.emplace(input_.name, OperatorCall(file_, opset_, whole, {}, budget).reals(input_.shape));
  for (OnnxNode& node : graph.nodes) {
    std::vector<const OnnxTensor*> inputs;
    bool is_constant = true;
    std::uint64_t weights = 0;
    for (const std::string& name : node.inputs) {
      const OnnxTensor* value = find(constants_, name);
      if (value && value->shape.size() > 1) weights += value->reals.size();
      if (!value && !name.empty()) {
        value = find(values, name);
        is_constant = false;
      }
      inputs.push_back(value);
    }
    // Shapes are fixed: what a Shape says is known.
    is_constant = is_constant || node.kind == "Shape";
    const std::uint64_t before = budget.macs;
    const OperatorCall call(file_, opset_, node, std::move(inputs), budget);
    std::vector<OnnxTensor> outputs = evaluate(call);
    if (is_constant) keep_levels(call);
    std::vector<OnnxShape> shapes;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      shapes.push_back(outputs[i].shape);
      if (node.outputs[i].empty()) continue;
      if (node.outputs[i] == output_.name) output_.shape = outputs[i].shape;
      (is_constant ? constants_ : values).emplace(node.outputs[i], std::move(outputs[i]));
    }
    // What steps need stays; all else goes with its last use.
    if (!is_constant) needed.insert(node.inputs.begin(), node.inputs.end());
    for (const std::string& name : node.inputs) {
      if (--uses[name] > 0) continue;
      values.erase(name);
      if (!needed.contains(name)) constants_.erase(name);
    }
    if (is_constant) continue;
    for (const std::string& name : node.inputs) last_use_[name] = steps_.size();
    steps_.push_back({std::move(node), std::move(shapes), weights, before - budget.macs});
  }
  std::erase_if(constants_, [&](const auto& one) { return !needed.contains(one.first); });
  std::erase_if(stored_, [&](const auto& one) { return !needed.contains(one.first); });
  if (output_.shape.empty() || steps_.empty()) {
    throw core::DataError(core::error_line(file_, "gives the same output for all images", {},
                                           "export the model again"));
  }
}

void OnnxModel::keep_levels(const OperatorCall& call) {
  const OnnxNode& node = call.node();
  if (node.kind == "DequantizeLinear") {
    const OnnxTensor& levels = call.input(0);
    const OnnxTensor* zero = call.optional_input(2);
    const auto is_narrow = [](const OnnxTensor& tensor) { return tensor.type != OnnxType::int64; };
    if (!is_narrow(levels) || (zero && !is_narrow(*zero))) return;
    StoredLevels stored{levels.shape, levels.whole, call.input(1).reals, 0};
    std::size_t stride = 1;
    if (stored.scale.size() > 1) {
      stored.axis = call.axis(call.whole("axis", 1), levels.shape.size());
      stride = strides_of(levels.shape)[stored.axis];
    }
    for (std::size_t i = 0; zero && i < stored.level.size(); ++i) {
      stored.level[i] -= zero->whole[i / stride % stored.scale.size()];
    }
    stored_.emplace(node.outputs[0], std::move(stored));
    return;
  }
  const auto found = node.inputs.empty() ? stored_.end() : stored_.find(node.inputs[0]);
  if (found == stored_.end()) return;
  if (node.kind == "Identity") stored_.emplace(node.outputs[0], StoredLevels(found->second));
  if (node.kind == "Transpose" && found->second.shape.size() == 2 &&
      call.list("perm").value_or(OnnxShape{1, 0}) == OnnxShape{1, 0}) {
    const StoredLevels& from = found->second;
    StoredLevels turned{{from.shape[1], from.shape[0]}, {}, from.scale, 1 - from.axis};
    const auto rows = static_cast<std::size_t>(from.shape[0]);
    const auto columns = static_cast<std::size_t>(from.shape[1]);
    turned.level.reserve(from.level.size());
    for (std::size_t column = 0; column < columns; ++column) {
      for (std::size_t row = 0; row < rows; ++row) {
        turned.level.push_back(from.level[row * columns + column]);
      }
    }
    stored_.emplace(node.outputs[0], std::move(turned));
  }
}

OnnxTensor OnnxModel::run(
    const OnnxTensor& image,
    const std::function<void(std::string_view, const OnnxTensor&)>& seen) const {
  OnnxBudget budget = budget_;
  Tensors values;
  values.emplace(input_.name, image);
  if (seen) seen(input_.name, image);
  for (std::size_t index = 0; index < steps_.size(); ++index) {
    const OnnxNode& node = steps_[index].node;
    std::vector<const OnnxTensor*> inputs;
    for (const std::string& name : node.inputs) {
      const OnnxTensor* constant = find(constants_, name);
      inputs.push_back(constant ? constant : find(values, name));
    }
    std::vector<OnnxTensor> outputs =
        evaluate(OperatorCall(file_, opset_, node, std::move(inputs), budget));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (seen) seen(node.outputs[i], outputs[i]);
      values.insert_or_assign(node.outputs[i], std::move(outputs[i]));
    }
    for (const std::string& name : node.inputs) {
      const auto last = last_use_.find(name);
      if (last != last_use_.end() && last->second == index && name != output_.name) {
        values.erase(name);
      }
    }
  }
  return std::move(values.at(output_.name));
}

}  // namespace cimstat::experiments
