#pragma once

#include <array>
#include <cstdint>

#include "experiments/onnx/operator_call.h"

namespace cimstat::experiments {

/// The windows of Conv and the pools over [batch, channel, row, column], their many spellings
/// resolved.
struct OnnxWindow {
  std::array<std::int64_t, 2> kernel{1, 1};  ///< [row, column], as all here
  std::array<std::int64_t, 2> stride{1, 1};
  std::array<std::int64_t, 2> dilation{1, 1};
  std::array<std::int64_t, 2> begin{0, 0};  ///< padding above and to the left
  std::array<std::int64_t, 2> end{0, 0};    ///< below and to the right
  std::array<std::int64_t, 2> input{0, 0};
  std::array<std::int64_t, 2> output{0, 0};

  std::int64_t taps() const { return kernel[0] * kernel[1]; }
  /// The input's row or column that tap `tap` of output `at` sees; outside 0 .. input - 1 in the
  /// padding.
  std::int64_t seen(std::size_t axis, std::int64_t at, std::int64_t tap) const {
    return at * stride[axis] + tap * dilation[axis] - begin[axis];
  }
};

/// `kernel` is that of the weights; pools give it in kernel_shape. Throws DataError for tensors
/// that are no pictures and windows that don't fit.
OnnxWindow window_of(const OperatorCall& call, const OnnxShape& input,
                     std::array<std::int64_t, 2> kernel);
OnnxWindow pool_window(const OperatorCall& call, const OnnxShape& input);

}  // namespace cimstat::experiments
