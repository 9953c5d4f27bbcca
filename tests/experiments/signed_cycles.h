#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "experiments/inference/digital_layer.h"
#include "experiments/inference/vote.h"
#include "tests/experiments/binary_layers.h"

/// Layers whose inputs drive rows in two's complement about a level that stands for 0, in plain
/// loops.
namespace cimstat::experiments::signed_cycles {

using binary::Case;

/// Weights of any form, inputs of which some level stands for 0; sometimes others beyond the edge.
inline Case any_case(Choice& choice, std::uint32_t most_bits) {
  Case c{any_mapped_layer(choice, most_bits), {}};
  if (choice(0, 3) == 0) {
    c.layer.weight_bits = 1;
    for (std::int8_t& weight : c.layer.weight) weight = weight < 0 ? -1 : 1;
  }
  c.options.input_signs = InputSigns::cycle;
  c.layer.zero_level = choice(1, (1U << c.input_bits) - 1);
  if (choice(0, 1) == 0) c.layer.zero_level = 1U << (c.input_bits - 1);
  if (c.layer.kind == LayerKind::convolution && choice(0, 1) == 0) {
    for (std::uint32_t i = 0; i < c.input.channels; ++i) {
      const std::uint32_t other = choice(0, (1U << c.input_bits) - 1);
      c.layer.padding_level.push_back(
          static_cast<std::uint8_t>(choice(0, 2) > 0 ? c.layer.zero_level : other));
    }
  }
  constexpr WeightMapping mappings[] = {WeightMapping::twos_complement, WeightMapping::differential,
                                        WeightMapping::offset, WeightMapping::biased};
  c.options.weights = mappings[choice(0, 3)];
  if (c.has_dummy() && c.options.diagonals.kind == Protection::converter) {
    c.options.diagonals.kind = Protection::digital;
  }
  c.table = binary::any_table(c.options.rows, choice);
  return c;
}

inline std::vector<std::uint8_t> any_map(const Case& c, Choice& choice) {
  std::vector<std::uint8_t> map(c.input.size());
  for (std::uint8_t& level : map) {
    level = static_cast<std::uint8_t>(choice(0, (1U << c.input_bits) - 1));
  }
  return map;
}

/// What drives the row of an input, as a number with a sign.
inline int driven(const Case& c, const Input& one) {
  const std::size_t positions = c.layer.weight_shape[2] * c.layer.weight_shape[3];
  std::uint32_t level = one.level;
  if (!one.inside && !c.layer.padding_level.empty()) {
    level = c.layer.padding_level[one.weight / positions];
  }
  return static_cast<int>(level) - static_cast<int>(c.layer.zero_level);
}

/// Bits of two's complement that hold all levels less that of 0.
inline std::uint32_t planes_of_inputs(const Case& c) {
  const int zero = static_cast<int>(c.layer.zero_level);
  std::uint32_t bits = 1;
  while (-(1 << (bits - 1)) > -zero || (1 << (bits - 1)) - 1 < (1 << c.input_bits) - 1 - zero) {
    ++bits;
  }
  return bits;
}

/// What one read's columns give for one output.
inline double signed_sum(const Case& c, const std::vector<Input>& read,
                         const std::int8_t* weights) {
  const std::uint32_t planes = binary::planes_of(c);
  const std::uint32_t inputs = planes_of_inputs(c);
  const bool differential = c.is(WeightMapping::differential);
  const bool from_zero = c.is(WeightMapping::offset) || c.is(WeightMapping::biased);
  const bool is_binary = c.layer.weight_bits == 1;
  double sum = 0.0;
  for (std::uint32_t i = 0; i < inputs; ++i) {
    const double of_plane = (i + 1 == inputs ? -1.0 : 1.0) * static_cast<double>(1U << i);
    const auto is_on = [&](const Input& one) { return (driven(c, one) >> i & 1) != 0; };
    for (std::uint32_t j = 0; j < planes; ++j) {
      for (const int sign : differential ? std::vector{1, -1} : std::vector{1}) {
        std::uint32_t count = 0;
        std::uint32_t active = 0;
        for (const Input& one : read) {
          if (!is_on(one)) continue;
          ++active;
          const int weight = weights[one.weight];
          int held = differential ? std::max(0, sign * weight) : weight;
          if (from_zero) {
            held = is_binary ? (weight + 1) / 2 : weight + (1 << (c.layer.weight_bits - 1));
          }
          count += (held >> j & 1) != 0 ? 1 : 0;
        }
        if (active == 0) continue;
        const bool spared = planes - 1 - j + inputs - 1 - i < c.options.diagonals.count;
        const bool top = c.is(WeightMapping::twos_complement) && j + 1 == planes;
        double value = binary::value_of(c, count, active, spared);
        if (c.has_dummy()) value += 0.5 * active;
        if (from_zero && is_binary) value *= 2.0;
        sum += (top || sign < 0 ? -value : value) * of_plane * static_cast<double>(1U << j);
      }
    }
    const double of_each = is_binary ? 1.0 : static_cast<double>(1 << (c.layer.weight_bits - 1));
    for (const Input& one : read) sum -= from_zero && is_on(one) ? of_each * of_plane : 0.0;
  }
  return sum;
}

/// Of(read, weights of the output) and what the level of 0 stands for, [output][pixel].
template <class Of>
std::vector<double> sums_of(const Case& c, const std::vector<std::uint8_t>& map, MapShape output,
                            const Of& of) {
  const std::size_t inputs = c.layer.weight.size() / output.channels;
  std::vector<double> result(output.size(), 0.0);
  for (std::uint32_t pixel = 0; pixel < output.rows * output.columns; ++pixel) {
    const auto reads = reads_of_pixel(c, map, pixel / output.columns, pixel % output.columns);
    for (std::uint32_t channel = 0; channel < output.channels; ++channel) {
      double& sum = result[std::size_t{channel} * output.rows * output.columns + pixel];
      const std::int8_t* weights = c.layer.weight.data() + channel * inputs;
      for (const std::vector<Input>& read : reads) sum += of(read, weights);
      for (std::size_t i = 0; i < inputs; ++i) {
        sum += static_cast<double>(c.layer.zero_level) * weights[i];
      }
    }
  }
  return result;
}

inline std::vector<double> whole_sums(const Case& c, const std::vector<std::uint8_t>& map,
                                      MapShape output) {
  return sums_of(c, map, output, [&](const std::vector<Input>& read, const std::int8_t* weights) {
    double sum = 0.0;
    for (const Input& one : read) sum += driven(c, one) * weights[one.weight];
    return sum;
  });
}

inline MapShape output_of(const Case& c) {
  const PatchGeometry geometry = patch_geometry(c.layer, c.input);
  return {c.layer.weight_shape[0], geometry.output_rows(), geometry.output_columns()};
}

}  // namespace cimstat::experiments::signed_cycles
