#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;

OnnxTensor empty_like(const OnnxTensor& input, OnnxShape shape, std::size_t count) {
  OnnxTensor result{input.type, std::move(shape), {}, {}};
  (input.type == OnnxType::real ? result.reals.resize(count) : result.whole.resize(count));
  return result;
}

/// Copies number `from` of one tensor to place `to` of another of its type.
void move_number(const OnnxTensor& source, std::size_t from, OnnxTensor& target, std::size_t to) {
  if (source.type == OnnxType::real) {
    target.reals[to] = source.reals[from];
  } else {
    target.whole[to] = source.whole[from];
  }
}

/// The input read along strides: number i of the result is where its place, times the strides,
/// leads to from `start` on.
OnnxTensor strided(const OperatorCall& call, const OnnxTensor& input, const OnnxShape& shape,
                   const std::vector<std::int64_t>& strides, std::int64_t start) {
  OnnxTensor result = empty_like(input, shape, call.charge(shape));
  std::vector<std::int64_t> place(shape.size(), 0);
  std::int64_t from = start;
  for (std::size_t i = 0; i < result.size(); ++i) {
    move_number(input, static_cast<std::size_t>(from), result, i);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++place[axis] < shape[axis]) break;
      place[axis] = 0;
      from -= strides[axis] * shape[axis];
    }
  }
  return result;
}

std::vector<std::int64_t> signed_strides(const OnnxShape& shape) {
  const std::vector<std::size_t> strides = strides_of(shape);
  return {strides.begin(), strides.end()};
}

Outputs transpose(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const std::size_t rank = input.shape.size();
  OnnxShape order(rank);
  for (std::size_t i = 0; i < rank; ++i) order[i] = static_cast<std::int64_t>(rank - 1 - i);
  if (const auto given = call.list("perm")) order = *given;
  const std::vector<std::size_t> places = call.axes(order, rank);
  if (places.size() != rank) call.refuse(fmt::format("{} axes for {}", places.size(), rank));
  const std::vector<std::int64_t> strides = signed_strides(input.shape);
  OnnxShape shape;
  std::vector<std::int64_t> steps;
  for (const std::size_t place : places) {
    shape.push_back(input.shape[place]);
    steps.push_back(strides[place]);
  }
  return {strided(call, input, shape, steps, 0)};
}

Outputs concatenate(const OperatorCall& call) {
  const OnnxTensor& first = call.input(0);
  const std::size_t axis = call.axis(call.whole("axis", 0), first.shape.size());
  OnnxShape shape = first.shape;
  shape[axis] = 0;
  for (std::size_t i = 0; i < call.inputs(); ++i) {
    const OnnxTensor& input = call.input(i);
    OnnxShape like = input.shape;
    if (like.size() == shape.size()) like[axis] = first.shape[axis];
    if (like != first.shape || input.type != first.type) {
      call.refuse(
          fmt::format("{} and {} don't go together", text_of(first.shape), text_of(input.shape)));
    }
    shape[axis] += input.shape[axis];
  }
  OnnxTensor result = empty_like(first, shape, call.charge(shape));
  const std::size_t inner = strides_of(shape)[axis];
  const std::size_t row = inner * static_cast<std::size_t>(shape[axis]);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < call.inputs(); ++i) {
    const OnnxTensor& input = call.input(i);
    const std::size_t part = inner * static_cast<std::size_t>(input.shape[axis]);
    for (std::size_t at = 0; at < input.size(); ++at) {
      move_number(input, at, result, at / part * row + begin + at % part);
    }
    begin += part;
  }
  return {std::move(result)};
}

Outputs split(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const std::size_t axis = call.axis(call.whole("axis", 0), input.shape.size());
  std::optional<OnnxShape> parts = call.list("split");
  if (call.optional_input(1) != nullptr) parts = call.whole_list(1);
  const auto outputs = static_cast<std::int64_t>(call.node().outputs.size());
  if (!parts) {
    if (outputs == 0 || input.shape[axis] % outputs != 0) {
      call.refuse(fmt::format("{} places in {} parts", input.shape[axis], outputs));
    }
    parts = OnnxShape(static_cast<std::size_t>(outputs), input.shape[axis] / outputs);
  }
  std::int64_t sum = 0;
  for (const std::int64_t part : *parts) {
    if (part < 0 || part > input.shape[axis]) call.refuse(fmt::format("a part of {}", part));
    sum += part;
  }
  if (sum != input.shape[axis] || static_cast<std::int64_t>(parts->size()) != outputs) {
    call.refuse(fmt::format("{} places in parts of {}", input.shape[axis], text_of(*parts)));
  }
  const std::vector<std::int64_t> strides = signed_strides(input.shape);
  Outputs results;
  std::int64_t begin = 0;
  for (const std::int64_t part : *parts) {
    OnnxShape shape = input.shape;
    shape[axis] = part;
    results.push_back(strided(call, input, shape, strides, begin * strides[axis]));
    begin += part;
  }
  return results;
}

Outputs slice(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const OnnxShape starts = call.whole_list(1);
  const OnnxShape ends = call.whole_list(2);
  OnnxShape axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (call.optional_input(3) != nullptr) axes = call.whole_list(3);
  OnnxShape steps(starts.size(), 1);
  if (call.optional_input(4) != nullptr) steps = call.whole_list(4);
  if (ends.size() != starts.size() || axes.size() != starts.size() ||
      steps.size() != starts.size()) {
    call.refuse("its lists differ in length");
  }
  const std::vector<std::size_t> places = call.axes(axes, input.shape.size());
  OnnxShape shape = input.shape;
  std::vector<std::int64_t> strides = signed_strides(input.shape);
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::int64_t extent = input.shape[places[i]];
    if (steps[i] == 0) call.refuse("a step of 0");
    const bool back = steps[i] < 0;
    // No step leads farther than the axis is long; backwards, the end may lie before place 0.
    const std::int64_t reach = std::max<std::int64_t>(extent, 1);
    const std::int64_t step = std::clamp(steps[i], -reach, reach);
    const auto inside = [&](std::int64_t at, std::int64_t lowest, std::int64_t highest) {
      return std::clamp(at < 0 && at >= -extent ? at + extent : at, lowest, highest);
    };
    const std::int64_t first = inside(starts[i], 0, back ? reach - 1 : extent);
    const std::int64_t end = back ? inside(ends[i], -1, extent - 1) : inside(ends[i], 0, extent);
    const std::int64_t length = back ? first - end : end - first;
    const std::int64_t stride = std::abs(step);
    shape[places[i]] = extent == 0 ? 0 : std::max<std::int64_t>(length + stride - 1, 0) / stride;
    begin += first * strides[places[i]];
    strides[places[i]] *= step;
  }
  return {strided(call, input, shape, strides, begin)};
}

Outputs gather(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  const OnnxTensor& indices = call.input(1);
  if (indices.type == OnnxType::real) call.refuse("its indices are no whole numbers");
  const std::size_t axis = call.axis(call.whole("axis", 0), input.shape.size());
  OnnxShape shape(input.shape.begin(), input.shape.begin() + static_cast<std::ptrdiff_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), input.shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
               input.shape.end());
  const std::int64_t extent = input.shape[axis];
  for (const std::int64_t index : indices.whole) {
    if (index < -extent || index >= extent) {
      call.refuse(fmt::format("index {} of {} places", index, extent));
    }
  }
  OnnxTensor result = empty_like(input, shape, call.charge(shape));
  const std::size_t inner = strides_of(input.shape)[axis];
  const std::size_t row = inner * indices.whole.size();
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::int64_t index = indices.whole[i % row / inner];
    const auto place = static_cast<std::size_t>(index < 0 ? index + extent : index);
    move_number(input, (i / row * static_cast<std::size_t>(extent) + place) * inner + i % inner,
                result, i);
  }
  return {std::move(result)};
}

Outputs pad(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const OnnxShape pads = call.whole_list(1);
  const std::size_t rank = input.shape.size();
  if (call.text("mode", "constant") != "constant") {
    call.refuse(fmt::format("mode '{}'", call.text("mode", "")), "constant is known");
  }
  if (pads.size() != 2 * rank) call.refuse(fmt::format("{} pads for {} axes", pads.size(), rank));
  OnnxShape shape = input.shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    for (const std::int64_t pad : {pads[axis], pads[axis + rank]}) {
      if (pad < 0 || pad > (std::int64_t{1} << 20)) call.refuse(fmt::format("a pad of {}", pad));
      shape[axis] += pad;
    }
  }
  OnnxTensor result = call.reals(shape);
  if (const OnnxTensor* value = call.optional_real_input(2)) {
    if (value->reals.size() != 1) call.refuse("more than one number to pad with");
    std::fill(result.reals.begin(), result.reals.end(), value->reals[0]);
  }
  const std::vector<std::size_t> from = strides_of(input.shape);
  const std::vector<std::size_t> to = strides_of(shape);
  for (std::size_t i = 0; i < input.size(); ++i) {
    std::size_t place = 0;
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::size_t at = i / from[axis] % static_cast<std::size_t>(input.shape[axis]);
      place += (at + static_cast<std::size_t>(pads[axis])) * to[axis];
    }
    result.reals[place] = input.reals[i];
  }
  return {std::move(result)};
}

constexpr std::array<NamedOperator, 6> entries{{{"Concat", concatenate},
                                                {"Gather", gather},
                                                {"Pad", pad},
                                                {"Slice", slice},
                                                {"Split", split},
                                                {"Transpose", transpose}}};

}  // namespace

OnnxOperator moving_operator(std::string_view kind) { return find_operator(entries, kind); }

}  // namespace cimstat::experiments
