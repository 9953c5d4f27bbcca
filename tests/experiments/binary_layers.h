#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "tests/experiments/array_reads.h"

/// Layers whose weights are -1 and +1, or those and 0, and whose inputs may be signs, on arrays in
/// plain loops.
namespace cimstat::experiments::binary {

struct Case : MappedLayer {
  circuits::ErrorTable table;  ///< one code for each class, any code

  bool signs() const { return layer.input_values == InputValues::signs; }
  bool is(WeightMapping mapping) const { return options.weights == mapping; }
  /// Whether a column's current is taken with that of a dummy column off.
  bool has_dummy() const {
    return is(WeightMapping::offset) || (is(WeightMapping::xnor) && options.zero_value > 0.0);
  }
};

/// A converter that gives any code for any class. Codes stand for multiples of 1/4.
inline circuits::ErrorTable any_table(std::uint32_t rows, Choice& choice) {
  circuits::ErrorTable table = fixtures::empty_table(rows, choice(2, 64));
  table.code_step = 0.25 * choice(1, 9);
  table.code_origin = 0.25 * choice(0, 5);
  for (std::size_t i = 0; i < table.size(); ++i) {
    table.probability[i * table.codes + choice(0, table.codes - 1)] = 1.0;
    table.ideal_code[i] = choice(0, table.codes - 1);
  }
  return table;
}

/// Weights of 1 bit, ternary ones, and others beside inputs that are signs.
inline Case any_case(Choice& choice) {
  Case c{any_mapped_layer(choice, 3), {}};
  const std::uint32_t form = choice(0, 3);
  if (form == 0) {
    c.layer.weight_bits = 2;
    for (std::int8_t& weight : c.layer.weight) weight = static_cast<std::int8_t>(choice(0, 2)) - 1;
  } else if (form < 3) {
    c.layer.weight_bits = 1;
    for (std::int8_t& weight : c.layer.weight) weight = choice(0, 1) == 0 ? -1 : 1;
  }
  if (choice(0, 1) == 0) {
    c.input_bits = 1;
    c.layer.input_values = InputValues::signs;
  }
  constexpr WeightMapping mappings[] = {WeightMapping::twos_complement, WeightMapping::differential,
                                        WeightMapping::offset, WeightMapping::biased,
                                        WeightMapping::xnor};
  c.options.weights = mappings[choice(0, c.layer.weight_bits == 1 && c.signs() ? 4 : 3)];
  if (c.is(WeightMapping::xnor)) {
    const std::uint32_t positions = c.layer.weight_shape[2] * c.layer.weight_shape[3];
    c.options.rows += c.options.tiling == Tiling::whole_channels ? positions : 1;
    if (c.options.rows_per_read > 0) c.options.rows_per_read += c.options.rows_per_read % 2;
    if (choice(0, 1) == 0) c.options.zero_value = 0.0;
  }
  c.options.diagonals.count = choice(0, 1) == 0 ? 0 : choice(1, c.input_bits + c.layer.weight_bits);
  if (c.has_dummy() && c.options.diagonals.kind == Protection::converter) {
    c.options.diagonals.kind = Protection::digital;
  }
  c.table = any_table(c.options.rows, choice);
  return c;
}

/// What one read stands for: k LRS cells among n active rows, beside a dummy column k - n / 2.
inline double value_of(const Case& c, std::uint32_t count, std::uint32_t active, bool spared) {
  if (spared && c.options.diagonals.kind == Protection::digital) {
    return c.has_dummy() ? count - 0.5 * active : count;
  }
  const std::size_t place = *c.table.find({count, active});
  std::uint32_t code = 0;
  while (c.table.probability[place * c.table.codes + code] == 0.0) ++code;
  if (spared && c.options.diagonals.kind == Protection::converter) code = c.table.ideal_code[place];
  const double value = c.table.code_origin + c.table.code_step * code;
  return c.has_dummy() ? value - c.options.zero_value : value;
}

/// Inputs that are read together: with pairs of rows half as many.
inline std::vector<std::vector<Input>> reads_of(Case c, const std::vector<std::uint8_t>& map,
                                                std::uint32_t row, std::uint32_t column) {
  if (c.is(WeightMapping::xnor)) {
    c.options.rows /= 2;
    c.options.rows_per_read /= 2;
  }
  return reads_of_pixel(c, map, row, column);
}

/// Agreements and disagreements of one output with the signs of one read: 2 k - n.
inline double agreements(const Case& c, const std::vector<Input>& read,
                         const std::int8_t* weights) {
  std::uint32_t count = 0;
  std::uint32_t active = 0;
  for (const Input& one : read) {
    if (!one.inside) continue;
    ++active;
    count += (weights[one.weight] > 0) == (one.level == 1) ? 1 : 0;
  }
  if (active == 0) return 0.0;
  const double value = value_of(c, count, active, c.options.diagonals.count > 0);
  return c.has_dummy() ? 2.0 * value : 2.0 * value - active;
}

/// The sum over levels that one read's columns give for one output.
inline double level_sum(const Case& c, const std::vector<Input>& read, const std::int8_t* weights,
                        std::uint32_t planes) {
  const bool differential = c.is(WeightMapping::differential);
  const bool from_zero = c.is(WeightMapping::offset) || c.is(WeightMapping::biased);
  const bool is_binary = c.layer.weight_bits == 1;
  double sum = 0.0;
  for (std::uint32_t i = 0; i < c.input_bits; ++i) {
    double active_inputs = 0.0;
    for (const Input& one : read) active_inputs += one.level >> i & 1U;
    for (std::uint32_t j = 0; j < planes; ++j) {
      for (const int sign : differential ? std::vector{1, -1} : std::vector{1}) {
        std::uint32_t count = 0;
        std::uint32_t active = 0;
        for (const Input& one : read) {
          if ((one.level >> i & 1U) == 0) continue;
          ++active;
          const int weight = weights[one.weight];
          int held = differential ? std::max(0, sign * weight) : weight;
          if (from_zero)
            held = is_binary ? (weight + 1) / 2 : weight + (1 << (c.layer.weight_bits - 1));
          count += (held >> j & 1) != 0 ? 1 : 0;
        }
        if (active == 0) continue;
        const bool spared = planes - 1 - j + c.input_bits - 1 - i < c.options.diagonals.count;
        const bool top = c.is(WeightMapping::twos_complement) && j + 1 == planes;
        double value = value_of(c, count, active, spared);
        if (c.has_dummy()) value += 0.5 * active;
        if (from_zero && is_binary) value *= 2.0;
        sum += (top || sign < 0 ? -value : value) * static_cast<double>(1U << (i + j));
      }
    }
    const double of_each = is_binary ? 1.0 : static_cast<double>(1 << (c.layer.weight_bits - 1));
    if (from_zero) sum -= of_each * active_inputs * static_cast<double>(1U << i);
  }
  return sum;
}

inline std::uint32_t planes_of(const Case& c) {
  const std::uint32_t bits = c.layer.weight_bits;
  if (c.is(WeightMapping::twos_complement)) return bits == 1 ? 2 : bits;
  if (!c.is(WeightMapping::differential)) return bits;
  const int lowest = *std::min_element(c.layer.weight.begin(), c.layer.weight.end());
  return bits == 1 || lowest == -(1 << (bits - 1)) ? bits : bits - 1;
}

/// What the columns say, [output][pixel].
inline std::vector<double> by_definition(const Case& c, const std::vector<std::uint8_t>& map,
                                         MapShape output) {
  const std::size_t inputs = c.layer.weight.size() / output.channels;
  std::vector<double> result(output.size(), 0.0);
  for (std::uint32_t pixel = 0; pixel < output.rows * output.columns; ++pixel) {
    const auto reads = reads_of(c, map, pixel / output.columns, pixel % output.columns);
    for (std::uint32_t channel = 0; channel < output.channels; ++channel) {
      double& sum = result[std::size_t{channel} * output.rows * output.columns + pixel];
      const std::int8_t* weights = c.layer.weight.data() + channel * inputs;
      for (const std::vector<Input>& read : reads) {
        if (c.is(WeightMapping::xnor)) {
          sum += agreements(c, read, weights);
          continue;
        }
        const double levels = level_sum(c, read, weights, planes_of(c));
        sum += c.signs() ? 2.0 * levels : levels;
        for (const Input& one : read) sum -= c.signs() && one.inside ? weights[one.weight] : 0;
      }
    }
  }
  return result;
}

/// sum w x in integers, [output][pixel]: x = +-1 inside the map, or the level.
inline std::vector<double> direct_sums(const Case& c, const std::vector<std::uint8_t>& map,
                                       MapShape output) {
  const std::size_t inputs = c.layer.weight.size() / output.channels;
  std::vector<double> result(output.size(), 0.0);
  for (std::uint32_t pixel = 0; pixel < output.rows * output.columns; ++pixel) {
    for (const auto& read : reads_of(c, map, pixel / output.columns, pixel % output.columns)) {
      for (const Input& one : read) {
        if (!one.inside) continue;
        const int x = !c.signs() ? static_cast<int>(one.level) : one.level == 1 ? 1 : -1;
        for (std::uint32_t channel = 0; channel < output.channels; ++channel) {
          result[std::size_t{channel} * output.rows * output.columns + pixel] +=
              c.layer.weight[channel * inputs + one.weight] * x;
        }
      }
    }
  }
  return result;
}

}  // namespace cimstat::experiments::binary
