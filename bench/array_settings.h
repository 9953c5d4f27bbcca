#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>

#include "core/law/law.h"

#include "circuits/arrays/array_plane.h"
#include "circuits/sampled/code_search.h"

/// The shapes and settings that other simulators were timed with (bench/README.md): weights
/// N(0, 0.25), inputs uniform on [0, 1] in 8 bits, 10 kohm to 1 Mohm, 8 weight bits (sign and 7) on
/// a pair of cells one of which rests at 1 Mohm, or on one cell whose middle stands for 0 (offset),
/// programming error 5 % and read noise 2 % of the conductance, 8-bit converter on +-sqrt(rows).
namespace cimstat::bench {

inline constexpr std::array<circuits::ArrayShape, 3> shapes{{{256, 64}, {512, 256}, {1152, 64}}};
inline constexpr double highest = 1.0 / 10e3;
inline constexpr double lowest = 1.0 / 1e6;
inline constexpr std::size_t weight_levels = 128;
inline constexpr double programming_error = 0.05;
inline constexpr double read_noise = 0.02;
inline constexpr unsigned input_bits = 8;
inline constexpr double input_steps = 255.0;
inline constexpr std::size_t codes = 256;

/// Levels of a cell that holds a weight and its sign.
inline constexpr std::size_t offset_levels = 255;

inline std::string text_of(circuits::ArrayShape shape) {
  return std::to_string(shape.rows) + "x" + std::to_string(shape.columns);
}

inline double conductance_of(std::size_t level, std::size_t levels = weight_levels) {
  return lowest + (highest - lowest) * static_cast<double>(level) / static_cast<double>(levels - 1);
}

/// Of a weight between -1 and 1 on one cell, the middle of whose range stands for 0.
inline std::uint8_t offset_level(double value) {
  return static_cast<std::uint8_t>(
      std::lround((value + 1.0) / 2.0 * static_cast<double>(offset_levels - 1)));
}
inline double conductance_of_offset(double value) {
  return conductance_of(offset_level(value), offset_levels);
}

/// A matrix of weights on pairs of cells, and input vectors.
struct Workload {
  circuits::ArrayShape shape;
  double largest = 0.0;                ///< magnitude of a weight
  std::vector<std::uint8_t> positive;  ///< levels, [row][column]
  std::vector<std::uint8_t> negative;
  std::vector<std::uint8_t> inputs;  ///< [product][row]

  double value(std::size_t cell) const {
    return (static_cast<double>(positive[cell]) - static_cast<double>(negative[cell])) /
           static_cast<double>(weight_levels - 1);
  }
  std::size_t products() const { return inputs.size() / shape.rows; }
  /// What a sum of conductances times inputs is in weights times inputs between 0 and 1.
  double scale() const { return largest / (highest - lowest) / input_steps; }
};

inline Workload workload_of(circuits::ArrayShape shape, std::size_t products) {
  boost::random::mt19937 engine(1);
  boost::random::normal_distribution<double> weight(0.0, 0.25);
  std::vector<double> weights(shape.cells());
  Workload work;
  work.shape = shape;
  for (double& w : weights) {
    w = weight(engine);
    work.largest = std::max(work.largest, std::abs(w));
  }
  for (const double w : weights) {
    const auto level = static_cast<std::uint8_t>(
        std::lround(std::abs(w) / work.largest * static_cast<double>(weight_levels - 1)));
    work.positive.push_back(w > 0.0 ? level : std::uint8_t{0});
    work.negative.push_back(w > 0.0 ? std::uint8_t{0} : level);
  }
  boost::random::uniform_int_distribution<int> input(0, static_cast<int>(input_steps));
  for (std::size_t i = 0; i < products * shape.rows; ++i) {
    work.inputs.push_back(static_cast<std::uint8_t>(input(engine)));
  }
  return work;
}

inline std::vector<core::Law> programmed_laws(std::size_t levels = weight_levels) {
  std::vector<core::Law> laws;
  for (std::size_t level = 0; level < levels; ++level) {
    const double target = conductance_of(level, levels);
    laws.push_back(core::Law::normal(target, programming_error * target));
  }
  return laws;
}

/// The converter's references for sums of inputs that count to `steps`.
inline circuits::CodeSearch converter_for(const Workload& work, double steps) {
  const double range = std::sqrt(static_cast<double>(work.shape.rows));
  const double unit = work.scale() * input_steps / steps;
  std::vector<float> references;
  for (std::size_t code = 1; code < codes; ++code) {
    const double value = range * (2.0 * static_cast<double>(code) / double{codes} - 1.0);
    references.push_back(static_cast<float>(value / unit));
  }
  return circuits::CodeSearch(references);
}

/// The middle of a code's range, in weights times inputs.
inline double decoded(double code, double rows) {
  return std::sqrt(rows) * (2.0 * (code + 0.5) / double{codes} - 1.0);
}

}  // namespace cimstat::bench
