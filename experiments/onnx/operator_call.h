#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/onnx/onnx_graph.h"

/// One operator with its inputs, as its arithmetic sees it. ONNX, opsets 11 to 17.
namespace cimstat::experiments {

using OnnxShape = std::vector<std::int64_t>;

/// What a whole run may cost.
struct OnnxBudget {
  std::uint64_t values = std::uint64_t{1} << 28;  ///< numbers of all outputs
  std::uint64_t macs = std::uint64_t{1} << 36;    ///< multiplications and additions
};

class OperatorCall {
 public:
  /// `file` for messages; `inputs` null where an optional one is left out.
  OperatorCall(std::string_view file, std::int64_t opset, const OnnxNode& node,
               std::vector<const OnnxTensor*> inputs, OnnxBudget& budget)
      : file_(file), opset_(opset), node_(node), inputs_(std::move(inputs)), budget_(budget) {}

  /// Throws DataError "file: node 'conv1' (Conv): problem (why); remedy".
  [[noreturn]] void refuse(std::string_view problem, std::string_view why = {},
                           std::string_view remedy = {}) const;

  const OnnxNode& node() const { return node_; }
  std::int64_t opset() const { return opset_; }
  std::size_t inputs() const { return inputs_.size(); }
  /// Throws DataError where it is left out.
  const OnnxTensor& input(std::size_t index) const;
  const OnnxTensor* optional_input(std::size_t index) const;
  /// Real numbers.
  const OnnxTensor& real_input(std::size_t index) const;
  const OnnxTensor* optional_real_input(std::size_t index) const;
  /// Whole numbers of at most one axis, short as lists are.
  OnnxShape whole_list(std::size_t index) const;

  std::int64_t whole(std::string_view attribute, std::int64_t otherwise) const;
  double real(std::string_view attribute, double otherwise) const;
  std::string text(std::string_view attribute, std::string_view otherwise) const;
  std::optional<OnnxShape> list(std::string_view attribute) const;
  const OnnxTensor* tensor(std::string_view attribute) const;

  /// -rank .. rank - 1 becomes 0 .. rank - 1.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;
  std::vector<std::size_t> axes(const OnnxShape& axes, std::size_t rank) const;

  /// The numbers of a tensor of this shape. Throws DataError for shapes that can't be: call it
  /// before memory is taken.
  std::size_t check_size(const OnnxShape& shape) const;
  /// The same; takes them from the budget, and throws DataError where that is spent.
  std::size_t charge(const OnnxShape& shape) const;
  void charge_macs(std::uint64_t macs) const;
  /// Zeros, charged.
  OnnxTensor reals(OnnxShape shape) const;

 private:
  template <class Value>
  const Value* attribute(std::string_view name) const;

  std::string_view file_;
  std::int64_t opset_;
  const OnnxNode& node_;
  std::vector<const OnnxTensor*> inputs_;
  OnnxBudget& budget_;
};

/// Row-major: how far apart neighbours along each axis lie.
std::vector<std::size_t> strides_of(const OnnxShape& shape);
std::string text_of(const OnnxShape& shape);

}  // namespace cimstat::experiments
