#pragma once

#include <cstdint>
#include <filesystem>
#include <onnx/onnx_pb.h>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/onnx/onnx_graph.h"

/// From protobuf's tensors to cimstat's. Only the reader includes this.
namespace cimstat::experiments {

class OnnxTensorReader {
 public:
  /// `file` is the model's; outside data lie in its folder.
  explicit OnnxTensorReader(std::filesystem::path file) : file_(std::move(file)) {}

  /// `what` names the tensor in messages: "tensor 'conv1.weight'". Throws DataError; UsageError for
  /// outside data that are missing. Counts elements over all calls.
  OnnxTensor read(const onnx::TensorProto& tensor, std::string_view what);

 private:
  [[noreturn]] void refuse(std::string_view what, std::string_view problem,
                           std::string_view why = {}, std::string_view remedy = {}) const;
  std::string outside_bytes(const onnx::TensorProto& tensor, std::string_view what,
                            std::uint64_t size) const;
  std::vector<std::int64_t> shape_of(const onnx::TensorProto& tensor, std::string_view what);

  std::filesystem::path file_;
  std::uint64_t elements_ = 0;
};

}  // namespace cimstat::experiments
