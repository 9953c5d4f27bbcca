#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <onnx/onnx_pb.h>
#include <stdexcept>
#include <string>
#include <vector>

/// ONNX's operators for quantised networks written out as loops in double, straight from the file's
/// messages: what an import is held against. Ties between levels go up.
namespace cimstat::tests {

struct PlainTensor {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  double lowest = 0.0;  ///< of its type, where that is of 8 bits
  double highest = 255.0;

  std::int64_t extent(std::size_t axis) const { return axis < shape.size() ? shape[axis] : 1; }
};

class PlainModel {
 public:
  explicit PlainModel(const onnx::ModelProto& model) : graph_(model.graph()) {
    for (const onnx::TensorProto& tensor : graph_.initializer()) {
      constants_[tensor.name()] = read(tensor);
    }
  }

  /// A constant of the file.
  const PlainTensor& constant(const std::string& name) const { return constants_.at(name); }

  std::vector<double> run(const std::vector<double>& image) const {
    std::map<std::string, PlainTensor> tensors = constants_;
    PlainTensor& input = tensors[graph_.input(0).name()];
    for (const auto& axis : graph_.input(0).type().tensor_type().shape().dim()) {
      input.shape.push_back(axis.dim_value());
    }
    input.shape[0] = 1;
    input.values = image;
    for (const onnx::NodeProto& node : graph_.node()) {
      tensors[node.output(0)] = evaluate(node, tensors);
    }
    return tensors.at(graph_.output(0).name()).values;
  }

 private:
  using Tensors = std::map<std::string, PlainTensor>;

  static PlainTensor read(const onnx::TensorProto& tensor) {
    PlainTensor result;
    result.shape.assign(tensor.dims().begin(), tensor.dims().end());
    const auto type = tensor.data_type();
    if (type == onnx::TensorProto::INT8) {
      result.lowest = -128.0;
      result.highest = 127.0;
    }
    const auto take = [&](auto number, const auto& list) {
      if (!tensor.has_raw_data()) {
        result.values.assign(list.begin(), list.end());
        return;
      }
      for (std::size_t at = 0; at < tensor.raw_data().size(); at += sizeof number) {
        std::memcpy(&number, tensor.raw_data().data() + at, sizeof number);
        result.values.push_back(static_cast<double>(number));
      }
    };
    if (type == onnx::TensorProto::FLOAT) take(0.0f, tensor.float_data());
    if (type == onnx::TensorProto::INT8) take(std::int8_t{}, tensor.int32_data());
    if (type == onnx::TensorProto::UINT8) take(std::uint8_t{}, tensor.int32_data());
    if (type == onnx::TensorProto::INT32) take(std::int32_t{}, tensor.int32_data());
    if (type == onnx::TensorProto::INT64) take(std::int64_t{}, tensor.int64_data());
    return result;
  }

  static const onnx::AttributeProto* attribute(const onnx::NodeProto& node,
                                               const std::string& name) {
    for (const onnx::AttributeProto& one : node.attribute()) {
      if (one.name() == name) return &one;
    }
    return nullptr;
  }
  static std::int64_t whole(const onnx::NodeProto& node, const std::string& name,
                            std::int64_t otherwise) {
    const onnx::AttributeProto* found = attribute(node, name);
    return found ? found->i() : otherwise;
  }
  static std::int64_t number(const onnx::NodeProto& node, const std::string& name, int index,
                             std::int64_t otherwise) {
    const onnx::AttributeProto* found = attribute(node, name);
    return found ? found->ints(index) : otherwise;
  }

  static const PlainTensor* input(const onnx::NodeProto& node, int index, const Tensors& tensors) {
    if (index >= node.input_size() || node.input(index).empty()) return nullptr;
    return &tensors.at(node.input(index));
  }

  /// Of a list with one number for all, or one for each place of an axis.
  static double along(const onnx::NodeProto& node, const PlainTensor& shape, std::size_t i,
                      const PlainTensor& list) {
    if (list.values.size() == 1) return list.values[0];
    const auto axis = static_cast<std::size_t>(whole(node, "axis", 1));
    std::size_t inner = 1;
    for (std::size_t a = axis + 1; a < shape.shape.size(); ++a) {
      inner *= static_cast<std::size_t>(shape.shape[a]);
    }
    return list.values[i / inner % list.values.size()];
  }

  static PlainTensor evaluate(const onnx::NodeProto& node, const Tensors& tensors) {
    const std::string& kind = node.op_type();
    if (kind == "Constant") return read(attribute(node, "value")->t());
    const PlainTensor& x = *input(node, 0, tensors);
    const PlainTensor* b = input(node, 1, tensors);
    const PlainTensor* c = input(node, 2, tensors);
    PlainTensor y = x;
    if (kind == "QuantizeLinear") {
      if (c) y.lowest = c->lowest;
      if (c) y.highest = c->highest;
      for (std::size_t i = 0; i < y.values.size(); ++i) {
        const double zero = c ? along(node, x, i, *c) : 0.0;
        const double level = std::floor(x.values[i] / along(node, x, i, *b) + zero + 0.5);
        y.values[i] = std::min(std::max(level, y.lowest), y.highest);
      }
    } else if (kind == "DequantizeLinear") {
      for (std::size_t i = 0; i < y.values.size(); ++i) {
        y.values[i] = (x.values[i] - (c ? along(node, x, i, *c) : 0.0)) * along(node, x, i, *b);
      }
    } else if (kind == "Clip") {
      for (double& value : y.values) {
        if (b) value = std::max(value, b->values[0]);
        if (c) value = std::min(value, c->values[0]);
      }
    } else if (kind == "Relu") {
      for (double& value : y.values) value = std::max(value, 0.0);
    } else if (kind == "Sign") {
      for (double& value : y.values) value = value > 0.0 ? 1.0 : value < 0.0 ? -1.0 : 0.0;
    } else if (kind == "Flatten") {
      y.shape = {1, static_cast<std::int64_t>(y.values.size())};
    } else if (kind == "Add" || kind == "Sub" || kind == "Mul" || kind == "Div") {
      combine(kind, *b, y);
    } else if (kind == "Concat") {
      for (int i = 1; i < node.input_size(); ++i) {
        const PlainTensor& more = *input(node, i, tensors);
        y.values.insert(y.values.end(), more.values.begin(), more.values.end());
        y.shape[1] += more.shape[1];
      }
    } else if (kind == "Transpose") {
      y.shape = {x.shape[1], x.shape[0]};
      for (std::size_t i = 0; i < y.values.size(); ++i) {
        const auto rows = static_cast<std::size_t>(x.shape[0]);
        const auto columns = static_cast<std::size_t>(x.shape[1]);
        y.values[i] = x.values[i % rows * columns + i / rows];
      }
    } else if (kind == "BatchNormalization") {
      const double epsilon =
          static_cast<double>(attribute(node, "epsilon") ? attribute(node, "epsilon")->f() : 1e-5f);
      for (std::size_t i = 0; i < y.values.size(); ++i) {
        const auto of = [&](int index) {
          const PlainTensor& list = *input(node, index, tensors);
          return list.values[i / (y.values.size() / list.values.size())];
        };
        y.values[i] = (y.values[i] - of(3)) / std::sqrt(of(4) + epsilon) * of(1) + of(2);
      }
    } else if (kind == "Conv" || kind == "MaxPool" || kind == "AveragePool") {
      y = window(node, x, kind == "Conv" ? b : nullptr, c);
    } else if (kind == "GlobalAveragePool") {
      y.shape = {1, x.shape[1], 1, 1};
      y.values.assign(static_cast<std::size_t>(x.shape[1]), 0.0);
      const std::size_t each = x.values.size() / y.values.size();
      for (std::size_t i = 0; i < x.values.size(); ++i) y.values[i / each] += x.values[i];
      for (double& value : y.values) value /= static_cast<double>(each);
    } else if (kind == "Gemm" || kind == "MatMul") {
      const bool turned = whole(node, "transB", 0) != 0;
      const std::size_t inputs = x.values.size();
      const std::size_t outputs = b->values.size() / inputs;
      const onnx::AttributeProto* alpha = attribute(node, "alpha");
      y.shape = {1, static_cast<std::int64_t>(outputs)};
      y.values.assign(outputs, 0.0);
      for (std::size_t o = 0; o < outputs; ++o) {
        for (std::size_t i = 0; i < inputs; ++i) {
          y.values[o] += x.values[i] * b->values[turned ? o * inputs + i : i * outputs + o];
        }
        if (alpha) y.values[o] *= static_cast<double>(alpha->f());
        if (c) y.values[o] += c->values[o];
      }
    } else {
      throw std::runtime_error("no " + kind + " here");
    }
    return y;
  }

  /// With a tensor of the same shape, or with a number for each channel or for all.
  static void combine(const std::string& kind, const PlainTensor& other, PlainTensor& y) {
    const std::size_t each = y.values.size() / other.values.size();
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      const double value = other.values[i / each];
      if (kind == "Add") y.values[i] += value;
      if (kind == "Sub") y.values[i] -= value;
      if (kind == "Mul") y.values[i] *= value;
      if (kind == "Div") y.values[i] /= value;
    }
  }

  static PlainTensor window(const onnx::NodeProto& node, const PlainTensor& x,
                            const PlainTensor* weight, const PlainTensor* bias) {
    const bool is_mean = node.op_type() == "AveragePool";
    const std::int64_t groups = whole(node, "group", 1);
    const std::int64_t inputs = weight ? weight->shape[1] : 1;
    const std::int64_t channels = weight ? weight->shape[0] : x.shape[1];
    const std::int64_t per_group = channels / (weight ? groups : channels);
    const std::int64_t tall = weight ? weight->shape[2] : number(node, "kernel_shape", 0, 1);
    const std::int64_t wide = weight ? weight->shape[3] : number(node, "kernel_shape", 1, 1);
    const std::int64_t rows = x.shape[2];
    const std::int64_t columns = x.shape[3];
    const auto stride = [&](int axis) { return number(node, "strides", axis, 1); };
    const auto pad = [&](int side) { return number(node, "pads", side, 0); };
    PlainTensor y;
    y.shape = {1, channels, (rows + pad(0) + pad(2) - tall) / stride(0) + 1,
               (columns + pad(1) + pad(3) - wide) / stride(1) + 1};
    for (std::int64_t o = 0; o < channels; ++o) {
      for (std::int64_t p = 0; p < y.shape[2] * y.shape[3]; ++p) {
        double sum = bias ? bias->values[static_cast<std::size_t>(o)] : 0.0;
        double largest = -std::numeric_limits<double>::infinity();
        for (std::int64_t i = 0; i < inputs * tall * wide; ++i) {
          const std::int64_t channel = o / per_group * inputs + i / (tall * wide);
          const std::int64_t row = p / y.shape[3] * stride(0) - pad(0) + i / wide % tall;
          const std::int64_t column = p % y.shape[3] * stride(1) - pad(1) + i % wide;
          if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
          const double value =
              x.values[static_cast<std::size_t>((channel * rows + row) * columns + column)];
          largest = std::max(largest, value);
          const std::int64_t place = o * inputs * tall * wide + i;
          sum += value * (weight ? weight->values[static_cast<std::size_t>(place)] : 1.0);
        }
        if (is_mean) sum /= static_cast<double>(tall * wide);
        y.values.push_back(weight || is_mean ? sum : largest);
      }
    }
    return y;
  }

  const onnx::GraphProto graph_;
  Tensors constants_;
};

}  // namespace cimstat::tests
