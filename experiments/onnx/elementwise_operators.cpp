#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;

/// Whole numbers are lists of extents: they must stay where extents can be.
constexpr std::int64_t largest_whole = std::int64_t{1} << 40;

template <class Function>
Outputs mapped(const OperatorCall& call, Function&& function) {
  const OnnxTensor& input = call.real_input(0);
  OnnxTensor result = call.reals(input.shape);
  std::transform(input.reals.begin(), input.reals.end(), result.reals.begin(), function);
  return {std::move(result)};
}

Outputs square_root(const OperatorCall& call) {
  return mapped(call, [](float x) { return std::sqrt(x); });
}
Outputs error_function(const OperatorCall& call) {
  return mapped(call, [](float x) { return std::erf(x); });
}
Outputs hyperbolic_tangent(const OperatorCall& call) {
  return mapped(call, [](float x) { return std::tanh(x); });
}
Outputs sign(const OperatorCall& call) {
  return mapped(call, [](float x) { return static_cast<float>((x > 0.0f) - (x < 0.0f)); });
}
Outputs rectify(const OperatorCall& call) {
  return mapped(call, [](float x) { return std::max(x, 0.0f); });
}

/// Between what a QuantizeLinear and a DequantizeLinear share: fewer levels than the type has.
Outputs clip_levels(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const auto limit = [&](std::size_t index, std::int64_t otherwise) {
    const OnnxTensor* tensor = call.optional_input(index);
    if (tensor == nullptr) return otherwise;
    if (tensor->type != input.type) call.refuse("a limit of another type than its input");
    if (tensor->whole.size() != 1) call.refuse("a limit of more than one number");
    return tensor->whole[0];
  };
  const std::int64_t lowest = limit(1, std::numeric_limits<std::int64_t>::min());
  const std::int64_t highest = limit(2, std::numeric_limits<std::int64_t>::max());
  call.charge(input.shape);
  OnnxTensor result = input;
  for (std::int64_t& value : result.whole) value = std::min(std::max(value, lowest), highest);
  return {std::move(result)};
}

Outputs clip(const OperatorCall& call) {
  if (call.input(0).type != OnnxType::real) return clip_levels(call);
  const auto limit = [&](std::size_t index, float otherwise) {
    const OnnxTensor* tensor = call.optional_real_input(index);
    if (tensor == nullptr) return otherwise;
    if (tensor->reals.size() != 1) call.refuse("a limit of more than one number");
    return tensor->reals[0];
  };
  const float lowest = limit(1, std::numeric_limits<float>::lowest());
  const float highest = limit(2, std::numeric_limits<float>::max());
  return mapped(call, [=](float x) { return std::min(std::max(x, lowest), highest); });
}

/// Dropout and Identity. In training, Dropout draws random numbers.
Outputs pass(const OperatorCall& call) {
  if (const OnnxTensor* training = call.optional_input(2)) {
    if (training->whole.size() != 1 || training->whole[0] != 0) {
      call.refuse("is in training mode", {}, "export the model for inference");
    }
  }
  call.charge(call.input(0).shape);
  return {call.input(0)};
}

/// ONNX's numbers of types: TensorProto.DataType.
Outputs cast(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const std::int64_t wanted = call.whole("to", 0);
  OnnxTensor result{OnnxType::real, input.shape, {}, {}};
  call.charge(input.shape);
  constexpr std::int64_t to_float = 1;
  constexpr std::int64_t to_uint8 = 2;
  constexpr std::int64_t to_int8 = 3;
  constexpr std::int64_t to_int32 = 6;
  constexpr std::int64_t to_int64 = 7;
  if (wanted == to_float) {
    if (input.type == OnnxType::real) {
      result.reals = input.reals;
    } else {
      result.reals.assign(input.whole.begin(), input.whole.end());
    }
    return {std::move(result)};
  }
  switch (wanted) {
    case to_uint8:
      result.type = OnnxType::uint8;
      break;
    case to_int8:
      result.type = OnnxType::int8;
      break;
    case to_int32:
      result.type = OnnxType::int32;
      break;
    case to_int64:
      result.type = OnnxType::int64;
      break;
    default:
      call.refuse(fmt::format("casts to type {}", wanted),
                  "FLOAT, UINT8, INT8, INT32 and INT64 are known");
  }
  result.whole = input.whole;
  for (const float value : input.reals) {
    if (!(std::abs(value) < static_cast<float>(largest_whole))) {
      call.refuse(fmt::format("casts {} to a whole number", value));
    }
    result.whole.push_back(static_cast<std::int64_t>(value));
  }
  const std::int64_t least = result.type == OnnxType::int8 ? -128 : 0;
  for (const std::int64_t value : result.whole) {
    if ((wanted == to_uint8 || wanted == to_int8) && (value < least || value > least + 255)) {
      call.refuse(fmt::format("casts {} to 8 bits", value));
    }
  }
  return {std::move(result)};
}

/// One number for each place along an axis, or one for all.
class AxisNumbers {
 public:
  AxisNumbers(const OperatorCall& call, const OnnxShape& shape, std::size_t count) {
    if (count == 1) return;
    const std::size_t axis = call.axis(call.whole("axis", 1), shape.size());
    if (static_cast<std::size_t>(shape[axis]) != count) {
      call.refuse(fmt::format("{} scales for {} places", count, shape[axis]));
    }
    stride_ = strides_of(shape)[axis];
    count_ = count;
  }
  std::size_t operator()(std::size_t index) const { return index / stride_ % count_; }

 private:
  std::size_t stride_ = 1;
  std::size_t count_ = 1;
};

struct ZeroPoint {
  const OnnxTensor* tensor = nullptr;
  double at(std::size_t place) const {
    return tensor ? static_cast<double>(tensor->whole[place]) : 0.0;
  }
};

ZeroPoint zero_point(const OperatorCall& call, std::size_t scales) {
  const OnnxTensor* tensor = call.optional_input(2);
  if (tensor == nullptr) return {};
  if (tensor->type == OnnxType::real || tensor->whole.size() != scales) {
    call.refuse("its zero points don't go with its scales");
  }
  return {tensor};
}

Outputs quantise(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const OnnxTensor& scale = call.real_input(1);
  const ZeroPoint zero = zero_point(call, scale.reals.size());
  const AxisNumbers place(call, input.shape, scale.reals.size());
  OnnxTensor result{zero.tensor ? zero.tensor->type : OnnxType::uint8, input.shape, {}, {}};
  const bool is_signed = result.type == OnnxType::int8;
  if (!is_signed && result.type != OnnxType::uint8) call.refuse("its zero point is of 32 bits");
  result.whole.resize(call.charge(input.shape));
  for (std::size_t i = 0; i < result.whole.size(); ++i) {
    const std::size_t at = place(i);
    if (!(scale.reals[at] > 0.0f)) call.refuse(fmt::format("a scale of {}", scale.reals[at]));
    const double value =
        std::nearbyint(static_cast<double>(input.reals[i] / scale.reals[at])) + zero.at(at);
    // In this order, the lowest level where it is no number.
    result.whole[i] = static_cast<std::int64_t>(
        std::min(std::max(is_signed ? -128.0 : 0.0, value), is_signed ? 127.0 : 255.0));
  }
  return {std::move(result)};
}

Outputs dequantise(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const OnnxTensor& scale = call.real_input(1);
  if (input.type == OnnxType::real) call.refuse("its input holds real numbers");
  const ZeroPoint zero = zero_point(call, scale.reals.size());
  const AxisNumbers place(call, input.shape, scale.reals.size());
  OnnxTensor result = call.reals(input.shape);
  for (std::size_t i = 0; i < result.reals.size(); ++i) {
    const std::size_t at = place(i);
    result.reals[i] = static_cast<float>((static_cast<double>(input.whole[i]) - zero.at(at)) *
                                         static_cast<double>(scale.reals[at]));
  }
  return {std::move(result)};
}

constexpr std::array<NamedOperator, 11> entries{{{"Cast", cast},
                                                 {"Clip", clip},
                                                 {"DequantizeLinear", dequantise},
                                                 {"Dropout", pass},
                                                 {"Erf", error_function},
                                                 {"Identity", pass},
                                                 {"QuantizeLinear", quantise},
                                                 {"Relu", rectify},
                                                 {"Sign", sign},
                                                 {"Sqrt", square_root},
                                                 {"Tanh", hyperbolic_tangent}}};

}  // namespace

OnnxOperator elementwise_operator(std::string_view kind) { return find_operator(entries, kind); }

}  // namespace cimstat::experiments
