#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "experiments/onnx/onnx_window.h"
#include "experiments/onnx/operators.h"

namespace cimstat::experiments {
namespace {

using Outputs = std::vector<OnnxTensor>;

enum class Fold { largest, mean };

Outputs pool(const OperatorCall& call, const OnnxTensor& input, const OnnxWindow& window,
             Fold fold) {
  OnnxTensor result =
      call.reals({input.shape[0], input.shape[1], window.output[0], window.output[1]});
  call.charge_macs(result.reals.size() * static_cast<std::uint64_t>(window.taps()));
  const bool counts_padding = call.whole("count_include_pad", 0) != 0;
  std::size_t at = 0;
  for (std::int64_t plane = 0; plane < input.shape[0] * input.shape[1]; ++plane) {
    const float* from = input.reals.data() + plane * window.input[0] * window.input[1];
    for (std::int64_t y = 0; y < window.output[0]; ++y) {
      for (std::int64_t x = 0; x < window.output[1]; ++x, ++at) {
        float largest = std::numeric_limits<float>::lowest();
        double sum = 0.0;
        std::int64_t counted = 0;
        for (std::int64_t dy = 0; dy < window.kernel[0]; ++dy) {
          for (std::int64_t dx = 0; dx < window.kernel[1]; ++dx) {
            const std::int64_t row = window.seen(0, y, dy);
            const std::int64_t column = window.seen(1, x, dx);
            // What lies beyond the padding, where ceil_mode reaches, never counts.
            const bool padded =
                row < window.input[0] + window.end[0] && column < window.input[1] + window.end[1];
            const bool inside =
                row >= 0 && row < window.input[0] && column >= 0 && column < window.input[1];
            if (inside || (padded && counts_padding)) ++counted;
            if (!inside) continue;
            const float value = from[row * window.input[1] + column];
            largest = std::max(largest, value);
            sum += static_cast<double>(value);
          }
        }
        const double mean = sum / static_cast<double>(std::max<std::int64_t>(counted, 1));
        result.reals[at] = fold == Fold::largest ? largest : static_cast<float>(mean);
      }
    }
  }
  return {std::move(result)};
}

Outputs largest_of_windows(const OperatorCall& call) {
  if (call.node().outputs.size() > 1) call.refuse("gives the places of its values, too");
  const OnnxTensor& input = call.real_input(0);
  return pool(call, input, pool_window(call, input.shape), Fold::largest);
}

Outputs mean_of_windows(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  return pool(call, input, pool_window(call, input.shape), Fold::mean);
}

Outputs pool_all(const OperatorCall& call, Fold fold) {
  const OnnxTensor& input = call.real_input(0);
  if (input.shape.size() != 4 || input.reals.empty()) {
    call.refuse(fmt::format("its input is {}", text_of(input.shape)),
                "pictures are batch x channels x rows x columns");
  }
  const OnnxWindow window{.kernel = {input.shape[2], input.shape[3]},
                          .input = {input.shape[2], input.shape[3]},
                          .output = {1, 1}};
  return pool(call, input, window, fold);
}
Outputs largest_of_all(const OperatorCall& call) { return pool_all(call, Fold::largest); }
Outputs mean_of_all(const OperatorCall& call) { return pool_all(call, Fold::mean); }

Outputs normalise_batch(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  if (call.whole("training_mode", 0) != 0 || call.node().outputs.size() > 1) {
    call.refuse("is in training mode", {}, "export the model for inference");
  }
  if (input.shape.size() < 2) call.refuse(fmt::format("of {}", text_of(input.shape)));
  const auto channels = static_cast<std::size_t>(input.shape[1]);
  for (const std::size_t index : {1U, 2U, 3U, 4U}) {
    if (call.real_input(index).reals.size() != channels) {
      call.refuse(fmt::format("its input {} is not of {} numbers", index, channels));
    }
  }
  const double epsilon = call.real("epsilon", 1e-5);
  const std::size_t inner = strides_of(input.shape)[1];
  OnnxTensor result = call.reals(input.shape);
  for (std::size_t i = 0; i < result.reals.size(); ++i) {
    const std::size_t channel = i / inner % channels;
    const auto number = [&](std::size_t index) {
      return static_cast<double>(call.input(index).reals[channel]);
    };
    const double factor = number(1) / std::sqrt(number(4) + epsilon);
    result.reals[i] =
        static_cast<float>((static_cast<double>(input.reals[i]) - number(3)) * factor + number(2));
  }
  return {std::move(result)};
}

/// visit(begin, count, stride) for each run of numbers along the axes from `first` to before `end`.
template <class Visit>
void for_each_run(const OnnxShape& shape, std::size_t first, std::size_t end, Visit&& visit) {
  const auto product = [&](std::size_t from, std::size_t to) {
    std::size_t result = 1;
    for (std::size_t axis = from; axis < to; ++axis) {
      result *= static_cast<std::size_t>(shape[axis]);
    }
    return result;
  };
  const std::size_t outer = product(0, first);
  const std::size_t count = product(first, end);
  const std::size_t inner = product(end, shape.size());
  for (std::size_t i = 0; i < outer; ++i) {
    for (std::size_t j = 0; j < inner; ++j) visit(i * count * inner + j, count, inner);
  }
}

Outputs softmax(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const std::size_t rank = input.shape.size();
  // Up to opset 12 all axes from the given one on were one list.
  constexpr std::int64_t first_of_one_axis = 13;
  const bool one_axis = call.opset() >= first_of_one_axis;
  const std::size_t axis = call.axis(call.whole("axis", one_axis ? -1 : 1), rank);
  OnnxTensor result = call.reals(input.shape);
  for_each_run(input.shape, axis, one_axis ? axis + 1 : rank,
               [&](std::size_t begin, std::size_t count, std::size_t stride) {
                 float largest = std::numeric_limits<float>::lowest();
                 for (std::size_t i = 0; i < count; ++i) {
                   largest = std::max(largest, input.reals[begin + i * stride]);
                 }
                 double sum = 0.0;
                 const auto power = [&](std::size_t i) {
                   return std::exp(static_cast<double>(input.reals[begin + i * stride] - largest));
                 };
                 for (std::size_t i = 0; i < count; ++i) sum += power(i);
                 for (std::size_t i = 0; i < count; ++i) {
                   result.reals[begin + i * stride] = static_cast<float>(power(i) / sum);
                 }
               });
  return {std::move(result)};
}

Outputs normalise_layer(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const OnnxTensor& gain = call.real_input(1);
  const OnnxTensor* shift = call.optional_real_input(2);
  if (call.node().outputs.size() > 1) call.refuse("gives means and deviations, too");
  const std::size_t axis = call.axis(call.whole("axis", -1), input.shape.size());
  const double epsilon = call.real("epsilon", 1e-5);
  const OnnxShape like(input.shape.begin() + static_cast<std::ptrdiff_t>(axis), input.shape.end());
  if (gain.shape != like || (shift && shift->shape != like)) {
    call.refuse(fmt::format("its gain is {} for {}", text_of(gain.shape), text_of(like)));
  }
  OnnxTensor result = call.reals(input.shape);
  for_each_run(
      input.shape, axis, input.shape.size(),
      [&](std::size_t begin, std::size_t count, std::size_t) {
        double mean = 0.0;
        double square = 0.0;
        for (std::size_t i = 0; i < count; ++i) {
          mean += static_cast<double>(input.reals[begin + i]);
        }
        mean /= static_cast<double>(count);
        for (std::size_t i = 0; i < count; ++i) {
          const double off = static_cast<double>(input.reals[begin + i]) - mean;
          square += off * off;
        }
        const double scale = 1.0 / std::sqrt(square / static_cast<double>(count) + epsilon);
        for (std::size_t i = 0; i < count; ++i) {
          const double value = (static_cast<double>(input.reals[begin + i]) - mean) * scale *
                               static_cast<double>(gain.reals[i]);
          result.reals[begin + i] =
              static_cast<float>(value + (shift ? static_cast<double>(shift->reals[i]) : 0.0));
        }
      });
  return {std::move(result)};
}

Outputs reduce_mean(const OperatorCall& call) {
  const OnnxTensor& input = call.real_input(0);
  const std::size_t rank = input.shape.size();
  OnnxShape axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (const auto given = call.list("axes")) axes = *given;
  std::vector<std::size_t> places = call.axes(axes, rank);
  std::sort(places.begin(), places.end());
  if (places.empty() || places.back() - places.front() + 1 != places.size()) {
    call.refuse(fmt::format("over the axes {}", text_of(axes)), "neighbours are known");
  }
  const bool keeps = call.whole("keepdims", 1) != 0;
  OnnxShape shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const bool folded = axis >= places.front() && axis <= places.back();
    if (!folded) shape.push_back(input.shape[axis]);
    if (folded && keeps) shape.push_back(1);
  }
  if (input.reals.empty()) call.refuse("of no numbers");
  OnnxTensor result = call.reals(shape);
  std::size_t at = 0;
  for_each_run(input.shape, places.front(), places.back() + 1,
               [&](std::size_t begin, std::size_t count, std::size_t stride) {
                 double sum = 0.0;
                 for (std::size_t i = 0; i < count; ++i) {
                   sum += static_cast<double>(input.reals[begin + i * stride]);
                 }
                 result.reals[at++] = static_cast<float>(sum / static_cast<double>(count));
               });
  return {std::move(result)};
}

constexpr std::array<NamedOperator, 8> entries{{{"AveragePool", mean_of_windows},
                                                {"BatchNormalization", normalise_batch},
                                                {"GlobalAveragePool", mean_of_all},
                                                {"GlobalMaxPool", largest_of_all},
                                                {"LayerNormalization", normalise_layer},
                                                {"MaxPool", largest_of_windows},
                                                {"ReduceMean", reduce_mean},
                                                {"Softmax", softmax}}};

}  // namespace

OnnxOperator folding_operator(std::string_view kind) { return find_operator(entries, kind); }

}  // namespace cimstat::experiments
