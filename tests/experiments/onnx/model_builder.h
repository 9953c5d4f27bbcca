#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <onnx/onnx_pb.h>
#include <string>
#include <utility>
#include <vector>

/// ONNX models, sound and broken, as any exporter could write them.
namespace cimstat::tests {

class ModelBuilder {
 public:
  explicit ModelBuilder(std::int64_t opset = 13) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("test");
  }

  ModelBuilder& input(const std::string& name, const std::vector<std::int64_t>& shape) {
    describe(*model.mutable_graph()->add_input(), name, shape);
    return *this;
  }
  ModelBuilder& output(const std::string& name, const std::vector<std::int64_t>& shape = {}) {
    describe(*model.mutable_graph()->add_output(), name, shape);
    return *this;
  }
  onnx::TensorProto& reals(const std::string& name, const std::vector<std::int64_t>& shape,
                           const std::vector<float>& values) {
    onnx::TensorProto& tensor = constant(name, shape, onnx::TensorProto::FLOAT);
    for (const float value : values) tensor.add_float_data(value);
    return tensor;
  }
  onnx::TensorProto& whole(const std::string& name, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor = constant(name, shape, onnx::TensorProto::INT64);
    for (const std::int64_t value : values) tensor.add_int64_data(value);
    return tensor;
  }
  onnx::TensorProto& constant(const std::string& name, const std::vector<std::int64_t>& shape,
                              onnx::TensorProto::DataType type) {
    onnx::TensorProto& tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    for (const std::int64_t extent : shape) tensor.add_dims(extent);
    return tensor;
  }
  onnx::NodeProto& node(const std::string& kind, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& name = {}) {
    onnx::NodeProto& node = *model.mutable_graph()->add_node();
    node.set_op_type(kind);
    node.set_name(name);
    for (const std::string& one : inputs) node.add_input(one);
    for (const std::string& one : outputs) node.add_output(one);
    return node;
  }
  std::string bytes() const { return model.SerializeAsString(); }
  void write(const std::filesystem::path& file) const { write(file, bytes()); }
  static void write(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }

  onnx::ModelProto model;

 private:
  static void describe(onnx::ValueInfoProto& value, const std::string& name,
                       const std::vector<std::int64_t>& shape) {
    value.set_name(name);
    auto& tensor = *value.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : shape)
      tensor.mutable_shape()->add_dim()->set_dim_value(extent);
  }
};

inline void set(onnx::NodeProto& node, const std::string& name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}
inline void set(onnx::NodeProto& node, const std::string& name,
                const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}
inline void set(onnx::NodeProto& node, const std::string& name, const std::string& value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

/// One convolution of ones, 3 x 3, from 2 channels to 1, on 5 x 5 pixels; then a ReLU.
inline ModelBuilder small_model() {
  ModelBuilder builder;
  builder.input("image", {1, 2, 5, 5}).output("scores", {1, 1, 3, 3});
  builder.reals("w", {1, 2, 3, 3}, std::vector<float>(18, 1.0f));
  builder.node("Conv", {"image", "w"}, {"y"}, "first");
  builder.node("Relu", {"y"}, {"scores"}, "second");
  return builder;
}

}  // namespace cimstat::tests
