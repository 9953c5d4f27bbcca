#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include <Eigen/Core>
#include <fmt/format.h>

#include "experiments/onnx/onnx_window.h"
#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const Matrix>;
using Target = Eigen::Map<Matrix>;

std::size_t sized(std::int64_t extent) { return static_cast<std::size_t>(extent); }

/// [taps of all channels of a group][output pixel], zeros in the padding.
void gather_windows(const OnnxWindow& window, const float* picture, std::int64_t channels,
                    Matrix& windows) {
  Eigen::Index row = 0;
  for (std::int64_t channel = 0; channel < channels; ++channel) {
    const float* plane = picture + channel * window.input[0] * window.input[1];
    for (std::int64_t dy = 0; dy < window.kernel[0]; ++dy) {
      for (std::int64_t dx = 0; dx < window.kernel[1]; ++dx, ++row) {
        float* out = windows.row(row).data();
        for (std::int64_t y = 0; y < window.output[0]; ++y) {
          const std::int64_t from = window.seen(0, y, dy);
          for (std::int64_t x = 0; x < window.output[1]; ++x, ++out) {
            const std::int64_t column = window.seen(1, x, dx);
            const bool inside =
                from >= 0 && from < window.input[0] && column >= 0 && column < window.input[1];
            *out = inside ? plane[from * window.input[1] + column] : 0.0f;
          }
        }
      }
    }
  }
}

Outputs convolve(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const OnnxTensor& weight = call.real_input(1);
  const OnnxTensor* bias = call.optional_real_input(2);
  const std::int64_t groups = call.whole("group", 1);
  if (weight.shape.size() != 4 || input.shape.size() != 4) {
    call.refuse(fmt::format("its weights are {} and its input {}", text_of(weight.shape),
                            text_of(input.shape)),
                "pictures are batch x channels x rows x columns");
  }
  const std::int64_t outputs = weight.shape[0];
  const bool fits = groups >= 1 && outputs % groups == 0 && outputs > 0 && !weight.reals.empty() &&
                    input.shape[1] == weight.shape[1] * groups;
  if (!fits || (bias && static_cast<std::int64_t>(bias->reals.size()) != outputs)) {
    call.refuse(fmt::format("weights {} in {} groups don't fit an input of {}",
                            text_of(weight.shape), groups, text_of(input.shape)));
  }
  const OnnxWindow window = window_of(call, input.shape, {weight.shape[2], weight.shape[3]});
  OnnxTensor result = call.reals({input.shape[0], outputs, window.output[0], window.output[1]});
  const std::int64_t inner = weight.shape[1] * window.taps();
  const std::int64_t pixels = window.output[0] * window.output[1];
  call.charge_macs(result.reals.size() * sized(inner));
  call.check_size({inner, pixels});
  Matrix windows(inner, pixels);
  const std::int64_t of_group = outputs / groups;
  for (std::int64_t part = 0; part < input.shape[0] * groups; ++part) {
    const std::int64_t group = part % groups;
    gather_windows(window,
                   input.reals.data() + part * weight.shape[1] * window.input[0] * window.input[1],
                   weight.shape[1], windows);
    Target out(result.reals.data() + part * of_group * pixels, of_group, pixels);
    out.noalias() = View(weight.reals.data() + group * of_group * inner, of_group, inner) * windows;
    if (bias) {
      out.colwise() +=
          Eigen::Map<const Eigen::VectorXf>(bias->reals.data() + group * of_group, of_group);
    }
  }
  return {std::move(result)};
}

Outputs multiply_general(const OperatorCall& call) {
  const OnnxTensor& a = call.real_input(0);
  const OnnxTensor& b = call.real_input(1);
  const OnnxTensor* c = call.optional_real_input(2);
  if (a.shape.size() != 2 || b.shape.size() != 2) {
    call.refuse(fmt::format("of {} and {}", text_of(a.shape), text_of(b.shape)),
                "it multiplies matrices");
  }
  const View left(a.reals.data(), a.shape[0], a.shape[1]);
  const View right(b.reals.data(), b.shape[0], b.shape[1]);
  const bool turn_a = call.whole("transA", 0) != 0;
  const bool turn_b = call.whole("transB", 0) != 0;
  const std::int64_t rows = a.shape[turn_a ? 1 : 0];
  const std::int64_t inner = a.shape[turn_a ? 0 : 1];
  const std::int64_t columns = b.shape[turn_b ? 0 : 1];
  if (inner != b.shape[turn_b ? 1 : 0]) {
    call.refuse(fmt::format("{} and {} don't fit", text_of(a.shape), text_of(b.shape)));
  }
  OnnxTensor result = call.reals({rows, columns});
  call.charge_macs(result.reals.size() * sized(inner));
  Target out(result.reals.data(), rows, columns);
  const auto alpha = static_cast<float>(call.real("alpha", 1.0));
  if (turn_a) {
    const Matrix turned = left.transpose();
    out.noalias() = alpha * (turn_b ? Matrix(turned * right.transpose()) : Matrix(turned * right));
  } else {
    out.noalias() = alpha * (turn_b ? Matrix(left * right.transpose()) : Matrix(left * right));
  }
  if (c == nullptr) return {std::move(result)};
  const auto beta = static_cast<float>(call.real("beta", 1.0));
  OnnxShape shape = c->shape;
  while (shape.size() < 2) shape.insert(shape.begin(), 1);
  if (shape.size() > 2 || (shape[0] != 1 && shape[0] != rows) ||
      (shape[1] != 1 && shape[1] != columns)) {
    call.refuse(fmt::format("adds {} to {}", text_of(c->shape), text_of(result.shape)));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const std::int64_t at = (shape[0] == 1 ? 0 : row) * shape[1] + (shape[1] == 1 ? 0 : column);
      out(row, column) += beta * c->reals[sized(at)];
    }
  }
  return {std::move(result)};
}

/// A stack of matrices [..., rows, columns].
struct Stack {
  OnnxShape batch;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

Outputs multiply_matrices(const OperatorCall& call) {
  const OnnxTensor& a = call.real_input(0);
  const OnnxTensor& b = call.real_input(1);
  if (a.shape.empty() || b.shape.empty()) call.refuse("of a single number");
  const auto stack = [](const OnnxShape& shape, bool is_left) {
    if (shape.size() == 1) return is_left ? Stack{{}, 1, shape[0]} : Stack{{}, shape[0], 1};
    return Stack{{shape.begin(), shape.end() - 2}, shape[shape.size() - 2], shape.back()};
  };
  const Stack left = stack(a.shape, true);
  const Stack right = stack(b.shape, false);
  const std::size_t rank = std::max(left.batch.size(), right.batch.size());
  const auto extent = [&](const OnnxShape& batch, std::size_t axis) {
    const std::size_t missing = rank - batch.size();
    return axis < missing ? 1 : batch[axis - missing];
  };
  OnnxShape batch(rank);
  bool fits = left.columns == right.rows;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const std::int64_t of_a = extent(left.batch, axis);
    const std::int64_t of_b = extent(right.batch, axis);
    fits = fits && (of_a == of_b || of_a == 1 || of_b == 1);
    batch[axis] = of_a == 1 ? of_b : of_a;
  }
  if (!fits) {
    call.refuse(fmt::format("{} and {} don't fit", text_of(a.shape), text_of(b.shape)));
  }
  OnnxShape shape = batch;
  if (a.shape.size() > 1) shape.push_back(left.rows);
  if (b.shape.size() > 1) shape.push_back(right.columns);
  OnnxTensor result = call.reals(shape);
  call.charge_macs(result.reals.size() * sized(left.columns));
  const std::vector<std::size_t> steps = strides_of(batch);
  const std::int64_t each = left.rows * right.columns;
  const std::size_t stacks = each == 0 ? 0 : result.reals.size() / sized(each);
  const auto place = [&](const OnnxShape& of, std::size_t index) {
    std::size_t at = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t size = extent(of, axis);
      const std::size_t coordinate = index / steps[axis] % sized(batch[axis]);
      at = at * sized(size) + (size == 1 ? 0 : coordinate);
    }
    return at;
  };
  for (std::size_t index = 0; index < stacks; ++index) {
    const View one(a.reals.data() + place(left.batch, index) * sized(left.rows * left.columns),
                   left.rows, left.columns);
    const View other(b.reals.data() + place(right.batch, index) * sized(right.rows * right.columns),
                     right.rows, right.columns);
    Target(result.reals.data() + index * sized(each), left.rows, right.columns).noalias() =
        one * other;
  }
  return {std::move(result)};
}

}  // namespace

OnnxOperator product_operator(std::string_view kind) {
  if (kind == "Conv") return convolve;
  if (kind == "Gemm") return multiply_general;
  if (kind == "MatMul") return multiply_matrices;
  return nullptr;
}

}  // namespace cimstat::experiments
