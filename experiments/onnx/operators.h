#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "experiments/onnx/operator_call.h"

/// The arithmetic of ONNX's operators (https://onnx.ai/onnx/operators), in float, sums in an order
/// of their own: what a network computes before it is quantised.
namespace cimstat::experiments {

/// An operator's outputs. Throws DataError for inputs, attributes and shapes that can't be.
std::vector<OnnxTensor> evaluate(const OperatorCall& call);

// One file each: operators that work number by number, on two tensors so, that move numbers or only
// their shape, that fold many into one, that multiply matrices. Null for others.
using OnnxOperator = std::vector<OnnxTensor> (*)(const OperatorCall& call);
struct NamedOperator {
  std::string_view kind;
  OnnxOperator run;
};
OnnxOperator find_operator(std::span<const NamedOperator> operators, std::string_view kind);
OnnxOperator elementwise_operator(std::string_view kind);
OnnxOperator pairwise_operator(std::string_view kind);
OnnxOperator moving_operator(std::string_view kind);
OnnxOperator reshaping_operator(std::string_view kind);
OnnxOperator folding_operator(std::string_view kind);
OnnxOperator product_operator(std::string_view kind);

}  // namespace cimstat::experiments
