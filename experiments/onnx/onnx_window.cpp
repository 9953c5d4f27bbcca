#include "experiments/onnx/onnx_window.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace cimstat::experiments {
namespace {

constexpr std::int64_t largest_window = 4096;

std::array<std::int64_t, 2> pair_of(const OperatorCall& call, std::string_view name) {
  const auto given = call.list(name);
  if (!given) return {1, 1};
  const auto out_of_range = [](std::int64_t value) { return value < 1 || value > largest_window; };
  if (given->size() != 2 || std::any_of(given->begin(), given->end(), out_of_range)) {
    call.refuse(fmt::format("{} of {}", name, text_of(*given)),
                fmt::format("two numbers, 1 to {}", largest_window));
  }
  return {(*given)[0], (*given)[1]};
}

void take_pads(const OperatorCall& call, OnnxWindow& window) {
  const auto pads = call.list("pads");
  if (!pads) return;
  const auto out_of_range = [](std::int64_t value) { return value < 0 || value > largest_window; };
  if (pads->size() != 4 || std::any_of(pads->begin(), pads->end(), out_of_range)) {
    call.refuse(fmt::format("pads of {}", text_of(*pads)),
                fmt::format("four numbers, 0 to {}", largest_window));
  }
  window.begin = {(*pads)[0], (*pads)[1]};
  window.end = {(*pads)[2], (*pads)[3]};
}

}  // namespace

OnnxWindow window_of(const OperatorCall& call, const OnnxShape& input,
                     std::array<std::int64_t, 2> kernel) {
  if (input.size() != 4) {
    call.refuse(fmt::format("its input is {}", text_of(input)),
                "pictures are batch x channels x rows x columns");
  }
  OnnxWindow window{.kernel = kernel,
                    .stride = pair_of(call, "strides"),
                    .dilation = pair_of(call, "dilations"),
                    .input = {input[2], input[3]}};
  const std::string automatic = call.text("auto_pad", "NOTSET");
  const bool same = automatic == "SAME_UPPER" || automatic == "SAME_LOWER";
  if (automatic == "NOTSET") {
    take_pads(call, window);
  } else if (!same && automatic != "VALID") {
    call.refuse(fmt::format("auto_pad '{}'", automatic));
  }
  const bool ceiling = call.whole("ceil_mode", 0) != 0;
  for (const std::size_t axis : {0U, 1U}) {
    const std::int64_t reach = window.dilation[axis] * (window.kernel[axis] - 1) + 1;
    const std::int64_t stride = window.stride[axis];
    if (same) {
      const std::int64_t output = (window.input[axis] + stride - 1) / stride;
      const std::int64_t pad =
          std::max<std::int64_t>((output - 1) * stride + reach - window.input[axis], 0);
      window.begin[axis] = automatic == "SAME_LOWER" ? (pad + 1) / 2 : pad / 2;
      window.end[axis] = pad - window.begin[axis];
    }
    const std::int64_t room = window.input[axis] + window.begin[axis] + window.end[axis] - reach;
    if (room < 0) {
      call.refuse(
          fmt::format("a window of {} doesn't fit an input of {}", reach, window.input[axis]));
    }
    window.output[axis] = (room + (ceiling ? stride - 1 : 0)) / stride + 1;
    // A window must begin inside the input or its padding before it.
    if (ceiling && (window.output[axis] - 1) * stride >= window.input[axis] + window.begin[axis]) {
      --window.output[axis];
    }
  }
  return window;
}

OnnxWindow pool_window(const OperatorCall& call, const OnnxShape& input) {
  if (!call.list("kernel_shape")) call.refuse("lacks its kernel_shape");
  return window_of(call, input, pair_of(call, "kernel_shape"));
}

}  // namespace cimstat::experiments
