#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;

/// Extents as NumPy broadcasts them: aligned at the last axis, 1 stretches.
OnnxShape broadcast(const OperatorCall& call, const OnnxShape& a, const OnnxShape& b) {
  OnnxShape shape(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (of_a != of_b && of_a != 1 && of_b != 1) {
      call.refuse(fmt::format("{} and {} don't go together", text_of(a), text_of(b)));
    }
    shape[shape.size() - 1 - i] = of_a == 1 ? of_b : of_a;
  }
  return shape;
}

/// visit(i, i_a, i_b) for each number of the broadcast shape.
template <class Visit>
void for_each_pair(const OnnxShape& shape, const OnnxShape& a, const OnnxShape& b,
                   std::size_t count, Visit&& visit) {
  const auto steps = [&](const OnnxShape& of) {
    std::vector<std::size_t> result(shape.size(), 0);
    const std::vector<std::size_t> strides = strides_of(of);
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (of[i] != 1) result[shape.size() - of.size() + i] = strides[i];
    }
    return result;
  };
  const std::vector<std::size_t> step_a = steps(a);
  const std::vector<std::size_t> step_b = steps(b);
  std::vector<std::int64_t> place(shape.size(), 0);
  std::size_t at_a = 0;
  std::size_t at_b = 0;
  for (std::size_t i = 0; i < count; ++i) {
    visit(i, at_a, at_b);
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      at_a += step_a[axis];
      at_b += step_b[axis];
      if (++place[axis] < shape[axis]) break;
      place[axis] = 0;
      at_a -= step_a[axis] * static_cast<std::size_t>(shape[axis]);
      at_b -= step_b[axis] * static_cast<std::size_t>(shape[axis]);
    }
  }
}

/// Whole numbers are lists of extents: they must stay where extents can be.
constexpr std::int64_t largest_whole = std::int64_t{1} << 40;

template <class OfReals, class OfWhole>
Outputs pairwise(const OperatorCall& call, OfReals&& of_reals, OfWhole&& of_whole) {
  const OnnxTensor& a = call.input(0);
  const OnnxTensor& b = call.input(1);
  OnnxShape shape = broadcast(call, a.shape, b.shape);
  if ((a.type == OnnxType::real) != (b.type == OnnxType::real)) {
    call.refuse("its inputs are a real and a whole number");
  }
  if (a.type == OnnxType::real) {
    OnnxTensor result = call.reals(shape);
    for_each_pair(shape, a.shape, b.shape, result.reals.size(),
                  [&](std::size_t i, std::size_t at_a, std::size_t at_b) {
                    result.reals[i] = of_reals(a.reals[at_a], b.reals[at_b]);
                  });
    return {std::move(result)};
  }
  OnnxTensor result{a.type, shape, {}, {}};
  result.whole.resize(call.charge(shape));
  for_each_pair(shape, a.shape, b.shape, result.whole.size(),
                [&](std::size_t i, std::size_t at_a, std::size_t at_b) {
                  for (const std::int64_t value : {a.whole[at_a], b.whole[at_b]}) {
                    if (value > largest_whole || value < -largest_whole) {
                      call.refuse(fmt::format("a whole number of {}", value), "too large");
                    }
                  }
                  result.whole[i] = of_whole(a.whole[at_a], b.whole[at_b]);
                });
  return {std::move(result)};
}

Outputs add(const OperatorCall& call) { return pairwise(call, std::plus<>(), std::plus<>()); }
Outputs subtract(const OperatorCall& call) {
  return pairwise(call, std::minus<>(), std::minus<>());
}
Outputs multiply(const OperatorCall& call) {
  return pairwise(call, std::multiplies<>(), [&](std::int64_t a, std::int64_t b) {
    const auto product = static_cast<double>(a) * static_cast<double>(b);
    if (std::abs(product) > static_cast<double>(largest_whole)) {
      call.refuse("a product of whole numbers", "too large");
    }
    return a * b;
  });
}
Outputs divide(const OperatorCall& call) {
  return pairwise(call, std::divides<>(), [&](std::int64_t a, std::int64_t b) {
    if (b == 0) call.refuse("divides a whole number by 0");
    return a / b;
  });
}
Outputs power(const OperatorCall& call) {
  return pairwise(
      call, [](float a, float b) { return b == 2.0f ? a * a : std::pow(a, b); },
      [&](std::int64_t, std::int64_t) -> std::int64_t {
        call.refuse("a power of whole numbers", "it takes real ones");
      });
}

Outputs equal(const OperatorCall& call) {
  const OnnxTensor& a = call.input(0);
  const OnnxTensor& b = call.input(1);
  if ((a.type == OnnxType::real) != (b.type == OnnxType::real)) {
    call.refuse("its inputs are a real and a whole number");
  }
  OnnxTensor result{OnnxType::boolean, broadcast(call, a.shape, b.shape), {}, {}};
  result.whole.resize(call.charge(result.shape));
  for_each_pair(result.shape, a.shape, b.shape, result.whole.size(),
                [&](std::size_t i, std::size_t at_a, std::size_t at_b) {
                  result.whole[i] = a.type == OnnxType::real ? a.reals[at_a] == b.reals[at_b]
                                                             : a.whole[at_a] == b.whole[at_b];
                });
  return {std::move(result)};
}

/// The input, stretched to a shape that it broadcasts to.
OnnxTensor stretched(const OperatorCall& call, const OnnxTensor& input, const OnnxShape& shape) {
  OnnxTensor result{input.type, shape, {}, {}};
  const std::size_t count = call.charge(shape);
  const bool is_real = input.type == OnnxType::real;
  (is_real ? result.reals.resize(count) : result.whole.resize(count));
  for_each_pair(shape, input.shape, {}, count, [&](std::size_t i, std::size_t from, std::size_t) {
    if (is_real) {
      result.reals[i] = input.reals[from];
    } else {
      result.whole[i] = input.whole[from];
    }
  });
  return result;
}

Outputs expand(const OperatorCall& call) {
  const OnnxTensor& input = call.input(0);
  return {stretched(call, input, broadcast(call, input.shape, call.whole_list(1)))};
}

Outputs choose(const OperatorCall& call) {
  const OnnxTensor& which = call.input(0);
  const OnnxTensor& yes = call.input(1);
  const OnnxTensor& no = call.input(2);
  if (which.type == OnnxType::real || yes.type != no.type) {
    call.refuse("its inputs are of types that don't go together");
  }
  const OnnxShape shape = broadcast(call, which.shape, broadcast(call, yes.shape, no.shape));
  OnnxTensor result = stretched(call, yes, shape);
  const OnnxTensor other = stretched(call, no, shape);
  for_each_pair(shape, which.shape, {}, result.size(),
                [&](std::size_t i, std::size_t from, std::size_t) {
                  if (which.whole[from] != 0) return;
                  if (result.type == OnnxType::real) {
                    result.reals[i] = other.reals[i];
                  } else {
                    result.whole[i] = other.whole[i];
                  }
                });
  return {std::move(result)};
}

constexpr std::array<NamedOperator, 8> entries{{{"Add", add},
                                                {"Div", divide},
                                                {"Equal", equal},
                                                {"Expand", expand},
                                                {"Mul", multiply},
                                                {"Pow", power},
                                                {"Sub", subtract},
                                                {"Where", choose}}};

}  // namespace

OnnxOperator pairwise_operator(std::string_view kind) { return find_operator(entries, kind); }

}  // namespace cimstat::experiments
