#include "experiments/onnx/onnx_text.h"

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/utf8.h"

#include "experiments/counted.h"

namespace cimstat::experiments {
namespace {

struct Totals {
  std::uint64_t weights = 0;
  std::uint64_t macs = 0;
};

bool multiplies(const OnnxStep& step) {
  return step.node.kind == "Conv" || step.node.kind == "Gemm" || step.node.kind == "MatMul";
}

Totals totals_of(const OnnxModel& model) {
  Totals totals;
  for (const OnnxStep& step : model.steps()) {
    if (!multiplies(step)) continue;
    totals.weights += step.weights;
    totals.macs += step.macs;
  }
  return totals;
}

}  // namespace

std::string onnx_as_text(const OnnxModel& model) {
  const Totals totals = totals_of(model);
  std::string text = fmt::format(
      "{}: ONNX model, opset {}\n{}, {}, {} an image; input {}, output {}\n",
      core::one_line(model.file()), model.opset(), counted(model.steps().size(), "node"),
      counted(totals.weights, "weight"), counted(totals.macs, "MAC"), text_of(model.input().shape),
      text_of(model.output().shape));
  text += fmt::format("  {:<32} {:<18} {:<20} {:>10} {:>12}\n", "node", "operator", "output",
                      "weights", "MACs");
  for (const OnnxStep& step : model.steps()) {
    const auto or_dash = [&](std::uint64_t value) {
      return multiplies(step) ? fmt::format("{}", value) : std::string("-");
    };
    text += fmt::format("  {:<32} {:<18} {:<20} {:>10} {:>12}\n",
                        core::one_line(core::excerpt(step.node.name, 60)), step.node.kind,
                        text_of(step.outputs.at(0)), or_dash(step.weights), or_dash(step.macs));
  }
  return text;
}

core::Json onnx_as_json(const OnnxModel& model) {
  const Totals totals = totals_of(model);
  core::Json nodes = core::Json::array();
  for (const OnnxStep& step : model.steps()) {
    nodes.push_back({{"name", step.node.name},
                     {"operator", step.node.kind},
                     {"inputs", step.node.inputs},
                     {"outputs", step.node.outputs},
                     {"output_shapes", step.outputs},
                     {"weights", step.weights},
                     {"macs", multiplies(step) ? step.macs : 0}});
  }
  return {{"file", model.file()},
          {"kind", "ONNX model"},
          {"opset", model.opset()},
          {"input", {{"name", model.input().name}, {"shape", model.input().shape}}},
          {"output", {{"name", model.output().name}, {"shape", model.output().shape}}},
          {"weights", totals.weights},
          {"macs", totals.macs},
          {"nodes", nodes}};
}

}  // namespace cimstat::experiments
