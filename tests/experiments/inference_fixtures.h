#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "circuits/error_table.h"

#include "experiments/inference/column_layer.h"
#include "experiments/inference/network.h"

/// Error tables, layers and images made in memory for the inference tests.
namespace cimstat::experiments::fixtures {

/// Classes of `first_n` .. `rows` active rows, probabilities 0.
inline circuits::ErrorTable empty_table(std::uint32_t rows, std::uint32_t codes,
                                        std::uint32_t first_n = 1) {
  circuits::ErrorTable table;
  table.codes = codes;
  for (std::uint32_t n = first_n; n <= rows; ++n) {
    for (std::uint32_t k = 0; k <= n; ++k) table.classes.push_back({k, n});
  }
  table.probability.assign(table.size() * codes, 0.0);
  table.error_bound.assign(table.size(), 0.0);
  for (const circuits::ColumnClass& c : table.classes) table.ideal_code.push_back(c.lrs_count);
  return table;
}

/// Reads every MAC value right.
inline circuits::ErrorTable identity_table(std::uint32_t rows, std::uint32_t first_n = 1) {
  circuits::ErrorTable table = empty_table(rows, rows + 1, first_n);
  for (std::size_t i = 0; i < table.size(); ++i) {
    table.probability[i * table.codes + table.classes[i].lrs_count] = 1.0;
  }
  return table;
}

/// Code = number of thresholds 1/2, 3/2, ... below k + N(0, k lrs_sd^2 + (n - k) hrs_sd^2 +
/// noise_sd^2): columns of normal cells with currents 1 and 0, midpoint references.
inline circuits::ErrorTable normal_table(std::uint32_t rows, double lrs_sd, double hrs_sd,
                                         double noise_sd) {
  circuits::ErrorTable table = empty_table(rows, rows + 1);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double k = table.classes[i].lrs_count;
    const double n = table.classes[i].active_rows;
    const double sd =
        std::sqrt(k * lrs_sd * lrs_sd + (n - k) * hrs_sd * hrs_sd + noise_sd * noise_sd);
    // The smaller tail of each side, so that rare codes keep their digits.
    const auto below = [&](double x) { return 0.5 * std::erfc((k - x) / (sd * std::sqrt(2.0))); };
    const auto above = [&](double x) { return 0.5 * std::erfc((x - k) / (sd * std::sqrt(2.0))); };
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      const double low = code - 0.5;
      const double high = code + 0.5;
      const bool last = code + 1 == table.codes;
      double& p = table.probability[i * table.codes + code];
      if (code > k) {
        p = above(low) - (last ? 0.0 : above(high));
      } else if (code < k) {
        p = below(high) - (code == 0 ? 0.0 : below(low));
      } else {
        p = 1.0 - (code == 0 ? 0.0 : below(low)) - (last ? 0.0 : above(high));
      }
    }
  }
  return table;
}

/// The table with every misread probability multiplied by `factor`.
inline circuits::ErrorTable with_misreads_scaled(circuits::ErrorTable table, double factor) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    double* row = table.probability.data() + i * table.codes;
    double misread = 0.0;
    for (std::uint32_t code = 0; code < table.codes; ++code) {
      if (code == table.ideal_code[i]) continue;
      row[code] *= factor;
      misread += row[code];
    }
    if (misread > 1.0) {  // cannot happen but for very wide rows: all misreads then
      for (std::uint32_t code = 0; code < table.codes; ++code) row[code] /= misread;
      misread = 1.0;
    }
    row[table.ideal_code[i]] = 1.0 - misread;
  }
  return table;
}

/// A convolution with random weights and a scale that keeps its outputs in range.
inline Layer random_convolution(std::string name, std::string input, std::uint32_t outputs,
                                std::uint32_t inputs, std::uint32_t kernel, std::uint32_t stride,
                                std::uint32_t padding, std::uint32_t weight_bits,
                                std::uint32_t output_bits, std::mt19937& random) {
  Layer layer;
  layer.name = std::move(name);
  layer.kind = LayerKind::convolution;
  layer.inputs = {std::move(input)};
  layer.kernel = kernel;
  layer.stride = stride;
  layer.padding = padding;
  layer.weight_bits = weight_bits;
  layer.weight_shape = {outputs, inputs, kernel, kernel};
  const int highest = (1 << (weight_bits - 1)) - 1;
  std::uniform_int_distribution<int> weight(-highest - 1, highest);
  for (std::uint32_t i = 0; i < outputs * inputs * kernel * kernel; ++i) {
    layer.weight.push_back(static_cast<std::int8_t>(weight(random)));
  }
  layer.scale.assign(outputs, 4.0 / (highest * std::sqrt(inputs * kernel * kernel * 1.0)) / 4.0);
  layer.bias.assign(outputs, 2.0);
  layer.output_bits = output_bits;
  return layer;
}

inline Layer random_fully_connected(std::string name, std::string input, std::uint32_t outputs,
                                    std::uint32_t inputs, std::uint32_t weight_bits,
                                    std::uint32_t output_bits, std::mt19937& random) {
  Layer layer = random_convolution(std::move(name), std::move(input), outputs, inputs, 1, 1, 0,
                                   weight_bits, output_bits, random);
  layer.kind = LayerKind::fully_connected;
  return layer;
}

inline std::vector<std::uint8_t> random_map(std::size_t size, std::uint32_t bits,
                                            std::mt19937& random) {
  std::vector<std::uint8_t> map(size);
  // Half of the activations are 0, as behind a ReLU.
  std::uniform_int_distribution<int> level(-(1 << bits) + 1, (1 << bits) - 1);
  for (std::uint8_t& value : map) value = static_cast<std::uint8_t>(std::max(0, level(random)));
  return map;
}

}  // namespace cimstat::experiments::fixtures
