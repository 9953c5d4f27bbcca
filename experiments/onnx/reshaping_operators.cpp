#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;

OnnxTensor reshaped(const OperatorCall& call, const OnnxTensor& input, OnnxShape shape) {
  if (call.charge(shape) != input.size()) {
    call.refuse(fmt::format("{} numbers don't fit {}", input.size(), text_of(shape)));
  }
  OnnxTensor result = input;
  result.shape = std::move(shape);
  return result;
}

Outputs constant(const OperatorCall& call) {
  if (const OnnxTensor* tensor = call.tensor("value")) {
    call.charge(tensor->shape);
    return {*tensor};
  }
  for (const auto& [name, value] : call.node().attributes) {
    if (const auto* whole = std::get_if<std::int64_t>(&value)) {
      return {{OnnxType::int64, {}, {}, {*whole}}};
    }
    if (const auto* real = std::get_if<float>(&value)) return {{OnnxType::real, {}, {*real}, {}}};
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
      return {{OnnxType::int64, {static_cast<std::int64_t>(list->size())}, {}, *list}};
    }
    if (const auto* list = std::get_if<std::vector<float>>(&value)) {
      return {{OnnxType::real, {static_cast<std::int64_t>(list->size())}, *list, {}}};
    }
  }
  call.refuse("has no value of numbers");
}

Outputs constant_of_shape(const OperatorCall& call) {
  const OnnxShape shape = call.whole_list(0);
  const OnnxTensor* value = call.tensor("value");
  if (value && value->size() != 1) call.refuse("its value is more than one number");
  OnnxTensor result{value ? value->type : OnnxType::real, shape, {}, {}};
  const std::size_t count = call.charge(shape);
  if (result.type == OnnxType::real) {
    result.reals.assign(count, value ? value->reals[0] : 0.0f);
  } else {
    result.whole.assign(count, value->whole[0]);
  }
  return {std::move(result)};
}

Outputs shape(const OperatorCall& call) {
  const OnnxShape& of = call.input(0).shape;
  const auto rank = static_cast<std::int64_t>(of.size());
  const auto place = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const std::int64_t start = place(call.whole("start", 0));
  const std::int64_t end = std::max(start, place(call.whole("end", rank)));
  OnnxTensor result{OnnxType::int64, {end - start}, {}, {of.begin() + start, of.begin() + end}};
  return {std::move(result)};
}

Outputs reshape(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  OnnxShape shape = call.whole_list(1);
  const bool zero_is_zero = call.whole("allowzero", 0) != 0;
  std::int64_t known = 1;
  std::size_t open = shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 0 && !zero_is_zero) {
      if (i >= input.shape.size()) call.refuse(fmt::format("keeps axis {}, which isn't there", i));
      shape[i] = input.shape[i];
    }
    if (shape[i] == -1 && open == shape.size()) {
      open = i;
    } else if (shape[i] < 0 || (shape[i] > 0 && known > (std::int64_t{1} << 40) / shape[i])) {
      call.refuse(fmt::format("to {}", text_of(shape)));
    } else {
      known *= shape[i];
    }
  }
  if (open < shape.size()) {
    const auto size = static_cast<std::int64_t>(input.size());
    if (known == 0 || size % known != 0) {
      call.refuse(fmt::format("{} numbers don't fit {}", size, text_of(shape)));
    }
    shape[open] = size / known;
  }
  return {reshaped(call, input, std::move(shape))};
}

Outputs flatten(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const auto rank = static_cast<std::int64_t>(input.shape.size());
  const std::int64_t given = call.whole("axis", 1);
  if (given < -rank || given > rank) call.refuse(fmt::format("at axis {} of {}", given, rank));
  const std::int64_t axis = given < 0 ? given + rank : given;
  const auto product = [&](std::int64_t first, std::int64_t end) {
    return std::accumulate(input.shape.begin() + first, input.shape.begin() + end, std::int64_t{1},
                           std::multiplies<>());
  };
  return {reshaped(call, input, {product(0, axis), product(axis, rank)})};
}

Outputs squeeze(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  std::optional<OnnxShape> axes = call.list("axes");
  if (call.optional_input(1) != nullptr) axes = call.whole_list(1);
  std::vector<std::size_t> places;
  if (axes) places = call.axes(*axes, input.shape.size());
  OnnxShape shape;
  for (std::size_t i = 0; i < input.shape.size(); ++i) {
    const bool named = std::find(places.begin(), places.end(), i) != places.end();
    if (named && input.shape[i] != 1) call.refuse(fmt::format("axis {} is not of extent 1", i));
    if (axes ? !named : input.shape[i] != 1) shape.push_back(input.shape[i]);
  }
  return {reshaped(call, input, std::move(shape))};
}

Outputs unsqueeze(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  std::optional<OnnxShape> axes = call.list("axes");
  if (call.optional_input(1) != nullptr) axes = call.whole_list(1);
  if (!axes) call.refuse("lacks its axes");
  const std::size_t rank = input.shape.size() + axes->size();
  const std::vector<std::size_t> places = call.axes(*axes, rank);
  OnnxShape shape;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) {
    const bool added = std::find(places.begin(), places.end(), i) != places.end();
    shape.push_back(added ? 1 : input.shape[next++]);
  }
  return {reshaped(call, input, std::move(shape))};
}

constexpr std::array<NamedOperator, 7> entries{{{"Constant", constant},
                                                {"ConstantOfShape", constant_of_shape},
                                                {"Flatten", flatten},
                                                {"Reshape", reshape},
                                                {"Shape", shape},
                                                {"Squeeze", squeeze},
                                                {"Unsqueeze", unsqueeze}}};

}  // namespace

OnnxOperator reshaping_operator(std::string_view kind) { return find_operator(entries, kind); }

}  // namespace cimstat::experiments
