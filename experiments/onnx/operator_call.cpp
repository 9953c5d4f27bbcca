#include "experiments/onnx/operator_call.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/utf8.h"

#include "experiments/onnx/onnx_limits.h"

namespace cimstat::experiments {

void OperatorCall::refuse(std::string_view problem, std::string_view why,
                          std::string_view remedy) const {
  throw core::DataError(core::error_line(
      fmt::format("{}: node '{}' ({})", file_, core::excerpt(node_.name), node_.kind),
      core::excerpt(problem), why, remedy.empty() ? "export the model again" : remedy));
}

const OnnxTensor& OperatorCall::input(std::size_t index) const {
  const OnnxTensor* tensor = optional_input(index);
  if (tensor == nullptr) refuse(fmt::format("lacks its input {}", index));
  return *tensor;
}

const OnnxTensor* OperatorCall::optional_input(std::size_t index) const {
  return index < inputs_.size() ? inputs_[index] : nullptr;
}

const OnnxTensor& OperatorCall::real_input(std::size_t index) const {
  const OnnxTensor& tensor = input(index);
  if (tensor.type != OnnxType::real) {
    refuse(fmt::format("its input {} holds whole numbers", index), "it takes real ones");
  }
  return tensor;
}

const OnnxTensor* OperatorCall::optional_real_input(std::size_t index) const {
  return optional_input(index) == nullptr ? nullptr : &real_input(index);
}

OnnxShape OperatorCall::whole_list(std::size_t index) const {
  const OnnxTensor& tensor = input(index);
  if (tensor.type == OnnxType::real || tensor.shape.size() > 1 ||
      tensor.whole.size() > most_onnx_list) {
    refuse(fmt::format("its input {} is no list of whole numbers", index));
  }
  return tensor.whole;
}

template <class Value>
const Value* OperatorCall::attribute(std::string_view name) const {
  const auto found = node_.attributes.find(name);
  if (found == node_.attributes.end()) return nullptr;
  const Value* value = std::get_if<Value>(&found->second);
  if (value == nullptr) refuse(fmt::format("attribute '{}' is of another type", name));
  return value;
}

std::int64_t OperatorCall::whole(std::string_view name, std::int64_t otherwise) const {
  const auto* value = attribute<std::int64_t>(name);
  return value ? *value : otherwise;
}

double OperatorCall::real(std::string_view name, double otherwise) const {
  const auto* value = attribute<float>(name);
  return value ? static_cast<double>(*value) : otherwise;
}

std::string OperatorCall::text(std::string_view name, std::string_view otherwise) const {
  const auto* value = attribute<std::string>(name);
  return value ? *value : std::string(otherwise);
}

std::optional<OnnxShape> OperatorCall::list(std::string_view name) const {
  const auto* value = attribute<std::vector<std::int64_t>>(name);
  return value ? std::optional(*value) : std::nullopt;
}

const OnnxTensor* OperatorCall::tensor(std::string_view name) const {
  return attribute<OnnxTensor>(name);
}

std::size_t OperatorCall::axis(std::int64_t axis, std::size_t rank) const {
  const auto axes = static_cast<std::int64_t>(rank);
  if (axis < -axes || axis >= axes) {
    refuse(fmt::format("axis {} of a tensor of {} axes", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + axes : axis);
}

std::vector<std::size_t> OperatorCall::axes(const OnnxShape& axes, std::size_t rank) const {
  std::vector<std::size_t> result;
  for (const std::int64_t one : axes) {
    const std::size_t place = axis(one, rank);
    if (std::find(result.begin(), result.end(), place) != result.end()) {
      refuse(fmt::format("axis {} twice", one));
    }
    result.push_back(place);
  }
  return result;
}

std::size_t OperatorCall::check_size(const OnnxShape& shape) const {
  if (shape.size() > most_onnx_axes) {
    refuse(fmt::format("delivers a tensor of {} axes", shape.size()),
           fmt::format("at most {}", most_onnx_axes));
  }
  std::uint64_t count = 1;
  for (const std::int64_t extent : shape) {
    const auto size = static_cast<std::uint64_t>(std::max<std::int64_t>(extent, 0));
    if (extent < 0 || size > most_onnx_elements / std::max<std::uint64_t>(count, 1)) {
      refuse(fmt::format("delivers {}", text_of(shape)),
             fmt::format("at most {} numbers", most_onnx_elements), "use a smaller model");
    }
    count *= size;
  }
  return count;
}

std::size_t OperatorCall::charge(const OnnxShape& shape) const {
  const std::size_t count = check_size(shape);
  if (count > budget_.values) {
    refuse("delivers more than the model may in all", {}, "use a smaller model");
  }
  budget_.values -= count;
  return count;
}

void OperatorCall::charge_macs(std::uint64_t macs) const {
  if (macs > budget_.macs) {
    refuse("computes more than the model may in all", {}, "use a smaller model");
  }
  budget_.macs -= macs;
}

OnnxTensor OperatorCall::reals(OnnxShape shape) const {
  OnnxTensor result;
  result.reals.resize(charge(shape));
  result.shape = std::move(shape);
  return result;
}

std::vector<std::size_t> strides_of(const OnnxShape& shape) {
  std::vector<std::size_t> strides(shape.size(), 1);
  for (std::size_t axis = shape.size(); axis-- > 1;) {
    strides[axis - 1] = strides[axis] * static_cast<std::size_t>(shape[axis]);
  }
  return strides;
}

std::string text_of(const OnnxShape& shape) { return fmt::format("{}", fmt::join(shape, " x ")); }

}  // namespace cimstat::experiments
