#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/onnx/onnx_graph.h"
#include "experiments/onnx/operator_call.h"

/// An ONNX model as it computes in floating point, one image at a time.
namespace cimstat::experiments {

/// A node that depends on the image.
struct OnnxStep {
  OnnxNode node;
  std::vector<OnnxShape> outputs;
  std::uint64_t weights = 0;  ///< real constants of two axes or more among its inputs
  std::uint64_t macs = 0;     ///< multiplications and additions
};

/// Whole numbers that a constant was made of: real = scale * level, as DequantizeLinear has it.
struct StoredLevels {
  OnnxShape shape;
  std::vector<std::int64_t> level;  ///< less their zero point
  std::vector<float> scale;         ///< [1], or one for each place of `axis`
  std::size_t axis = 0;
};

class OnnxModel {
 public:
  /// Reads the file, computes what depends on constants and shapes alone, and finds all shapes by
  /// running it on an image of zeros. The batch becomes 1. Throws what read_onnx throws, and
  /// DataError for shapes that don't fit and for models that are too large to run: `budget` is what
  /// one image may cost.
  explicit OnnxModel(const std::filesystem::path& file, const OnnxBudget& budget = {});

  const std::string& file() const { return file_; }
  std::int64_t opset() const { return opset_; }
  const OnnxValue& input() const { return input_; }  ///< its batch is 1
  const OnnxValue& output() const { return output_; }
  const std::vector<OnnxStep>& steps() const { return steps_; }
  /// Of the file, and what follows from them; only those that steps use.
  const std::map<std::string, OnnxTensor, std::less<>>& constants() const { return constants_; }
  /// Constants that come from a DequantizeLinear (a Transpose behind it, perhaps): what it took.
  const std::map<std::string, StoredLevels, std::less<>>& stored() const { return stored_; }

  /// The output. `seen`, if given, gets every tensor that depends on the image, by its name. The
  /// image has input().shape. Same bits on one architecture.
  OnnxTensor run(const OnnxTensor& image,
                 const std::function<void(std::string_view, const OnnxTensor&)>& seen = {}) const;

 private:
  void fold(OnnxGraph graph);
  void keep_levels(const OperatorCall& call);

  std::string file_;
  OnnxBudget budget_;
  std::int64_t opset_ = 0;
  OnnxValue input_;
  OnnxValue output_;
  std::vector<OnnxStep> steps_;
  std::map<std::string, OnnxTensor, std::less<>> constants_;
  std::map<std::string, StoredLevels, std::less<>> stored_;
  std::map<std::string, std::size_t, std::less<>> last_use_;  ///< tensor -> step
};

}  // namespace cimstat::experiments
