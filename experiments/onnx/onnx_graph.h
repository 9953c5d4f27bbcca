#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// A network as an ONNX file holds it (ONNX, opsets 11 to 17), free of protobuf. Operators'
/// meaning: https://onnx.ai/onnx/operators.
namespace cimstat::experiments {

/// What a tensor's numbers were in the file.
enum class OnnxType { real, int8, uint8, int32, int64, boolean };

/// A constant. Row-major; float16, bfloat16 and double have become float.
struct OnnxTensor {
  OnnxType type = OnnxType::real;
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::vector<float> reals;         ///< of type real
  std::vector<std::int64_t> whole;  ///< of all other types

  std::size_t size() const { return type == OnnxType::real ? reals.size() : whole.size(); }
};

using OnnxAttribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                                   std::vector<float>, OnnxTensor>;

struct OnnxNode {
  std::string name;                 ///< unique and not empty: the file's, or "Conv_3" by its place
  std::string kind;                 ///< the operator: "Conv"
  std::vector<std::string> inputs;  ///< "" where an optional one is left out
  std::vector<std::string> outputs;
  std::map<std::string, OnnxAttribute, std::less<>> attributes;
};

/// A tensor that is given from outside, or asked for. Extents that the file leaves open are 0.
struct OnnxValue {
  std::string name;
  std::vector<std::int64_t> shape;
};

struct OnnxGraph {
  std::string name;
  std::int64_t opset = 0;
  OnnxValue input;
  std::string output;
  std::vector<OnnxNode> nodes;  ///< in an order in which inputs come first; only needed ones
  std::map<std::string, OnnxTensor, std::less<>> constants;
};

/// Reads a model with one input and one output. Tensors stored outside must lie in the model's
/// folder or below. Throws UsageError when a file is missing, DataError "file: node 'conv1' (Conv):
/// problem (why); remedy" for what is damaged, too large, cyclic, or uses other operators or opsets
/// than cimstat knows. Memory: that of the file's tensors, twice at most.
OnnxGraph read_onnx(const std::filesystem::path& file);

/// Operators that can be run (operators.h); read_onnx refuses others.
bool is_known_operator(std::string_view kind);

}  // namespace cimstat::experiments
