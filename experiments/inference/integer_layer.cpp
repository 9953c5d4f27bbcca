#include "experiments/inference/integer_layer.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "experiments/inference/integer_layer.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

#include "experiments/inference/digital_layer.h"

#ifndef CIMSTAT_EXPERIMENTS_INFERENCE_INTEGER_LAYER_CPP
#define CIMSTAT_EXPERIMENTS_INFERENCE_INTEGER_LAYER_CPP
namespace cimstat::experiments {

/// Outputs whose sums are kept in registers together.
inline constexpr std::size_t outputs_at_once = 4;
/// Values that may be read and written beyond the last position: two registers of any target.
inline constexpr std::size_t position_slack = 32;

template <class Scalar>
struct IntegerProduct {
  const Scalar* weights;       ///< [four outputs][input][4]; of a dot product [output][input]
  const std::size_t* offsets;  ///< [input]
  std::size_t inputs;
  const Scalar* values;  ///< that of an input at a position is at offset + position
  std::size_t positions;
  std::size_t outputs;  ///< a multiple of four
  Scalar* sums;         ///< [output][stride]
  std::size_t stride;
};

}  // namespace cimstat::experiments
#endif

HWY_BEFORE_NAMESPACE();
namespace cimstat::experiments::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class Scalar>
HWY_INLINE void multiply(const IntegerProduct<Scalar>& product) {
  static_assert(outputs_at_once == 4);
  const hn::ScalableTag<Scalar> d;
  const std::size_t lanes = hn::Lanes(d);
  assert(2 * lanes <= position_slack);
  for (std::size_t position = 0; position < product.positions; position += 2 * lanes) {
    const Scalar* HWY_RESTRICT weights = product.weights;
    for (std::size_t output = 0; output < product.outputs; output += 4) {
      auto a0 = hn::Zero(d), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, e0 = a0, e1 = a0;
      for (std::size_t input = 0; input < product.inputs; ++input, weights += 4) {
        const Scalar* HWY_RESTRICT at = product.values + product.offsets[input] + position;
        const auto v0 = hn::LoadU(d, at);
        const auto v1 = hn::LoadU(d, at + lanes);
        const auto wa = hn::Set(d, weights[0]);
        a0 = hn::MulAdd(v0, wa, a0);
        a1 = hn::MulAdd(v1, wa, a1);
        const auto wb = hn::Set(d, weights[1]);
        b0 = hn::MulAdd(v0, wb, b0);
        b1 = hn::MulAdd(v1, wb, b1);
        const auto wc = hn::Set(d, weights[2]);
        c0 = hn::MulAdd(v0, wc, c0);
        c1 = hn::MulAdd(v1, wc, c1);
        const auto we = hn::Set(d, weights[3]);
        e0 = hn::MulAdd(v0, we, e0);
        e1 = hn::MulAdd(v1, we, e1);
      }
      Scalar* HWY_RESTRICT to = product.sums + output * product.stride + position;
      const auto store = [&](auto first, auto second) HWY_ATTR {
        hn::StoreU(first, d, to);
        hn::StoreU(second, d, to + lanes);
        to += product.stride;
      };
      store(a0, a1);
      store(b0, b1);
      store(c0, c1);
      store(e0, e1);
    }
  }
}

/// Of one position, with the inputs in lanes.
template <class Scalar>
HWY_INLINE void multiply_one(const IntegerProduct<Scalar>& product) {
  const hn::ScalableTag<Scalar> d;
  const std::size_t lanes = hn::Lanes(d);
  const std::size_t whole = product.inputs - product.inputs % lanes;
  for (std::size_t output = 0; output < product.outputs; ++output) {
    const Scalar* HWY_RESTRICT weights = product.weights + output * product.inputs;
    auto sums = hn::Zero(d);
    for (std::size_t input = 0; input < whole; input += lanes) {
      sums = hn::MulAdd(hn::LoadU(d, weights + input), hn::LoadU(d, product.values + input), sums);
    }
    Scalar sum = hn::GetLane(hn::SumOfLanes(d, sums));
    for (std::size_t input = whole; input < product.inputs; ++input) {
      sum += weights[input] * product.values[input];
    }
    product.sums[output] = sum;
  }
}

void multiply_narrow(const IntegerProduct<float>& product) { multiply(product); }
void multiply_wide(const IntegerProduct<double>& product) { multiply(product); }
void multiply_one_narrow(const IntegerProduct<float>& product) { multiply_one(product); }
void multiply_one_wide(const IntegerProduct<double>& product) { multiply_one(product); }

}  // namespace cimstat::experiments::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cimstat::experiments {

HWY_EXPORT(multiply_narrow);
HWY_EXPORT(multiply_wide);
HWY_EXPORT(multiply_one_narrow);
HWY_EXPORT(multiply_one_wide);

namespace {

void run(const IntegerProduct<float>& product) { HWY_DYNAMIC_DISPATCH(multiply_narrow)(product); }
void run(const IntegerProduct<double>& product) { HWY_DYNAMIC_DISPATCH(multiply_wide)(product); }
void run_one(const IntegerProduct<float>& product) {
  HWY_DYNAMIC_DISPATCH(multiply_one_narrow)(product);
}
void run_one(const IntegerProduct<double>& product) {
  HWY_DYNAMIC_DISPATCH(multiply_one_wide)(product);
}

constexpr std::int64_t single_precision_limit = std::int64_t{1} << 24;

/// The largest magnitude that any partial sum can reach with 8-bit inputs.
std::int64_t largest_sum(std::span<const std::int8_t> weights, std::size_t inputs) {
  std::int64_t largest = 0;
  for (std::size_t first = 0; first < weights.size(); first += inputs) {
    std::int64_t sum = 0;
    for (const int weight : weights.subspan(first, inputs)) sum += std::abs(weight) * 255;
    largest = std::max(largest, sum);
  }
  return largest;
}

std::size_t round_up(std::size_t number, std::size_t step) {
  return (number + step - 1) / step * step;
}

/// [four outputs][input][4], filled up with zeros, or the weights as they are.
template <class Scalar>
AlignedVector<Scalar> laid_out(std::span<const std::int8_t> weights, std::size_t inputs,
                               bool one_pixel) {
  if (one_pixel) return {weights.begin(), weights.end()};
  AlignedVector<Scalar> result(round_up(weights.size() / inputs, outputs_at_once) * inputs);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::size_t output = i / inputs;
    const std::size_t block = output / outputs_at_once * inputs + i % inputs;
    result[block * outputs_at_once + output % outputs_at_once] = weights[i];
  }
  return result;
}

}  // namespace

IntegerLayer::IntegerLayer(const Layer& layer, MapShape input)
    : geometry_(patch_geometry(layer, input)), outputs_(layer.weight_shape[0]) {
  const std::size_t inputs = geometry_.inputs();
  const std::size_t pixels = geometry_.pixels();
  by_patches_ = pixels == 1 || !geometry_.moves_by_one();
  positions_ = pixels;
  row_positions_ = geometry_.output_columns();
  offsets_ = geometry_.offsets();
  if (by_patches_) {
    for (std::size_t i = 0; i < inputs; ++i) offsets_[i] = i * pixels;
  } else {
    row_positions_ = geometry_.padded_columns();
    positions_ = (geometry_.output_rows() - 1) * row_positions_ + geometry_.output_columns();
  }
  write(layer.weight);
  if (layer.input_values == InputValues::signs) sums_of_weights_ = sums_of_weights(layer, input);
}

void IntegerLayer::write(std::span<const std::int8_t> weights) {
  const std::size_t inputs = geometry_.inputs();
  const bool one_pixel = geometry_.pixels() == 1;
  assert(weights.size() == outputs_ * inputs);
  narrow_.clear();
  wide_.clear();
  if (largest_sum(weights, inputs) < single_precision_limit) {
    narrow_ = laid_out<float>(weights, inputs, one_pixel);
  } else {
    wide_ = laid_out<double>(weights, inputs, one_pixel);
  }
}

template <class Scalar>
void IntegerLayer::multiply(const AlignedVector<Scalar>& weights, Workspace& workspace,
                            AlignedVector<Scalar>& inputs, AlignedVector<Scalar>& sums,
                            std::span<double> result) const {
  const std::size_t pixels = geometry_.pixels();
  if (by_patches_) {
    workspace.patch.resize(geometry_.patch_size());
    inputs.resize(geometry_.inputs() * pixels + position_slack);
    for (std::uint32_t pixel = 0; pixel < pixels; ++pixel) {
      geometry_.patch(workspace.padded, pixel, workspace.patch);
      for (std::size_t i = 0; i < geometry_.inputs(); ++i) {
        inputs[i * pixels + pixel] = workspace.patch[i];
      }
    }
  } else {
    inputs.resize(workspace.padded.size() + position_slack);
    std::copy(workspace.padded.begin(), workspace.padded.end(), inputs.begin());
  }
  const std::size_t outputs = pixels == 1 ? outputs_ : round_up(outputs_, outputs_at_once);
  const std::size_t stride = pixels == 1 ? 1 : positions_ + position_slack;
  sums.resize(outputs * stride);
  const IntegerProduct<Scalar> product{weights.data(), offsets_.data(), offsets_.size(),
                                       inputs.data(),  positions_,      outputs,
                                       sums.data(),    stride};
  if (pixels == 1) {
    run_one(product);
  } else {
    run(product);
  }
  const std::size_t columns = geometry_.output_columns();
  double* to = result.data();
  for (std::size_t output = 0; output < outputs_; ++output) {
    for (std::size_t row = 0; row < geometry_.output_rows(); ++row, to += columns) {
      std::copy_n(sums.data() + output * stride + row * row_positions_, columns, to);
    }
  }
}

void IntegerLayer::sums(std::span<const std::uint8_t> map, Workspace& workspace,
                        std::span<double> result) const {
  assert(result.size() == std::size_t{outputs_} * geometry_.pixels());
  geometry_.pad(map, workspace.padded);
  if (narrow_.empty()) {
    multiply(wide_, workspace, workspace.wide, workspace.wide_sums, result);
  } else {
    multiply(narrow_, workspace, workspace.narrow, workspace.narrow_sums, result);
  }
  if (!sums_of_weights_.empty()) take_signs(sums_of_weights_, result);
}

std::vector<double> sums_of_weights(const Layer& layer, MapShape input) {
  Layer of_levels = layer;
  of_levels.input_values = InputValues::levels;
  of_levels.padding_level = {};
  const IntegerLayer integers(of_levels, input);
  const std::vector<std::uint8_t> ones(input.size(), 1);
  IntegerLayer::Workspace workspace;
  std::vector<double> sums(integers.size());
  integers.sums(ones, workspace, sums);
  return sums;
}

void take_signs(std::span<const double> sums_of_weights, std::span<double> sums) {
  assert(sums.size() == sums_of_weights.size());
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = 2.0 * sums[i] - sums_of_weights[i];
}

}  // namespace cimstat::experiments
#endif
